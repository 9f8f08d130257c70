//! The text format of Prometheus, version 0.0.4: what a Prometheus and a node exporter's textfile collector read alike.

use std::fmt::Write as _;
use std::time::Duration;

/// The content type.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only rises, until the daemon starts again.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often something took how long.
    Histogram,
}

/// A page of metrics under way.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    /// Begins a metric. Its samples come next.
    pub fn metric(&mut self, name: &'static str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.name = name;
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a text never fails.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A sample of the metric that was begun last.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.line("", labels, value);
    }

    /// A metric of one sample without labels.
    pub fn single(&mut self, name: &'static str, kind: Kind, help: &str, value: f64) {
        self.metric(name, kind, help);
        self.sample(&[], value);
    }

    /// A histogram's samples, of the metric that was begun last.
    pub fn histogram(&mut self, labels: &[(&str, &str)], histogram: &Histogram) {
        let mut count = 0;
        let bounds = histogram.bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
        for (bound, more) in bounds.zip(&histogram.counts) {
            count += more;
            let labels: Vec<_> = labels.iter().copied().chain([("le", bound.as_str())]).collect();
            self.line("_bucket", &labels, count as f64);
        }
        self.line("_sum", labels, histogram.sum);
        self.line("_count", labels, count as f64);
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (index, (label, of)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            let of = of.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.text, "{open}{label}=\"{of}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = match value {
            f64::INFINITY => writeln!(self.text, "{close} +Inf"),
            f64::NEG_INFINITY => writeln!(self.text, "{close} -Inf"),
            value => writeln!(self.text, "{close} {value}"),
        };
    }

    /// The whole page.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}

/// How often something took how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// Nothing yet. The bounds are in seconds, and rise.
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    pub(super) fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        let at = self.bounds.iter().position(|bound| seconds <= *bound).unwrap_or(self.bounds.len());
        self.counts[at] += 1;
        self.sum += seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page() {
        let mut page = Page::default();
        page.single("a_total", Kind::Counter, "Of \\ and\nlines.", 3.0);
        page.metric("b", Kind::Gauge, "B.");
        page.sample(&[("x", "q\"\\\n"), ("y", "z")], f64::INFINITY);
        let mut histogram = Histogram::new(&[0.01, 1.0]);
        for millis in [5, 10, 500, 5_000] {
            histogram.add(Duration::from_millis(millis));
        }
        page.metric("c_seconds", Kind::Histogram, "C.");
        page.histogram(&[], &histogram);
        insta::assert_snapshot!(page.finish(), @r#"
        # HELP a_total Of \\ and\nlines.
        # TYPE a_total counter
        a_total 3
        # HELP b B.
        # TYPE b gauge
        b{x="q\"\\\n",y="z"} +Inf
        # HELP c_seconds C.
        # TYPE c_seconds histogram
        c_seconds_bucket{le="0.01"} 2
        c_seconds_bucket{le="1"} 3
        c_seconds_bucket{le="+Inf"} 4
        c_seconds_sum 5.515
        c_seconds_count 4
        "#);
    }
}
