//! YAML to a [`ScenarioFile`]: the keys of each section, and the numbers that each can have.

mod arrays;
mod faults;
mod guests;
mod load;
mod provider;
mod queues;

use super::super::node::{Node, Value, short};
use super::super::problem::ReadErrorKind as Kind;
use super::super::reader::{Fields, Reader};
use super::super::scalar;
use super::error::{ScenarioErrorKind, error};
use super::form::{ManagementForm, ScenarioFile, StartForm};
use crate::leaf::window::Civil;
use crate::policy::Located;
use crate::sim::scenario::ManagerKind;
use crate::time::{Span, Wall};

pub(super) const SECTIONS: &[&str] = &[
    "version",
    "start",
    "zone",
    "lasts",
    "step",
    "seed",
    "arrays",
    "queues",
    "guests",
    "faults",
    "management",
];

/// Which numbers a key can have.
#[derive(Clone, Copy)]
struct Range {
    expected: &'static str,
    holds: fn(f64) -> bool,
}

const CHANCE: Range =
    Range { expected: "a chance from 0 to 1, such as `0.05`", holds: |n| (0.0..=1.0).contains(&n) };
const ABOVE_ZERO: Range = Range { expected: "a number above 0", holds: |n| n > 0.0 && n <= 1e15 };
const NOT_NEGATIVE: Range =
    Range { expected: "a number that is 0 or more", holds: |n| (0.0..=1e15).contains(&n) };

impl Reader {
    pub(super) fn scenario(&mut self, top: &Fields<'_>) -> ScenarioFile {
        self.version(top);
        let unread = Located::made(Span::ZERO);
        let lasts =
            self.required(top, "lasts", "lasts: 24h", |reader, node| reader.above_zero(node, "lasts"));
        let arrays = self.scenario_arrays(top);
        let queues = self.job_queues(top);
        let guests = self.guests(top);
        let faults = self.faults(top);
        ScenarioFile {
            start: self.optional(top, "start", Self::scenario_start),
            zone: self.optional(top, "zone", |reader, node| reader.name(node, "the name of a time zone")),
            lasts: lasts.unwrap_or(unread),
            step: self.optional(top, "step", |reader, node| reader.above_zero(node, "step")),
            seed: self.optional(top, "seed", Self::seed),
            arrays,
            queues,
            guests,
            faults,
            management: self.optional(top, "management", Self::management),
        }
    }

    fn wrong(&mut self, kind: &ScenarioErrorKind, node: &Node) {
        let problem = error(kind, Some(node.place), self.way());
        self.problems.push(problem);
    }

    fn bad_value(&mut self, key: &'static str, node: &Node, expected: &'static str) {
        let found = node.describe().trim_matches('`').to_owned();
        self.wrong(&ScenarioErrorKind::BadValue { key, found, expected }, node);
    }

    /// Nothing in it, where there should be something.
    fn empty(&mut self, expected: &'static str, node: &Node) {
        let found = match node.value {
            Value::Seq(_) => "an empty list".to_owned(),
            _ => "nothing".to_owned(),
        };
        self.blame(Kind::WrongType { expected, found }, node.place);
    }

    /// A number that the key can have.
    fn within(&mut self, node: &Node, key: &'static str, range: Range) -> Option<Located<f64>> {
        let number = self.number(node, range.expected)?;
        if !(range.holds)(number.value) {
            self.bad_value(key, node, range.expected);
            return None;
        }
        Some(number)
    }

    fn within_of(&mut self, fields: &Fields<'_>, key: &'static str, range: Range) -> Option<Located<f64>> {
        self.optional(fields, key, |reader, node| reader.within(node, key, range))
    }

    /// A whole number from `least` on.
    fn count_of(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
        expected: &'static str,
        least: u32,
    ) -> Option<Located<u32>> {
        self.optional(fields, key, |reader, node| {
            let number = reader.whole(node, expected)?;
            if number < least {
                reader.bad_value(key, node, expected);
                return None;
            }
            Some(Located::at(number, node.place))
        })
    }

    /// An amount of data, or so much a second.
    fn data_of(&mut self, fields: &Fields<'_>, key: &'static str, per_second: bool) -> Option<Located<f64>> {
        self.optional(fields, key, |reader, node| {
            Some(Located::at(reader.data(node, per_second)?, node.place))
        })
    }

    /// The speed of a link, above 0.
    fn link(&mut self, node: &Node) -> Option<Located<f64>> {
        let bytes = self.data(node, true)?;
        if bytes > 0.0 {
            return Some(Located::at(bytes, node.place));
        }
        self.bad_value("link", node, "a speed above 0, such as `1Gbit/s`");
        None
    }

    fn span_of(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<Located<Span>> {
        self.optional(fields, key, Self::span)
    }

    fn truth_of(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<bool> {
        self.optional(fields, key, Self::truth)
    }

    fn above_zero(&mut self, node: &Node, key: &'static str) -> Option<Located<Span>> {
        let span = self.span(node)?;
        if span.value.is_zero() {
            self.bad_value(key, node, "a span of time that is longer than nothing");
            return None;
        }
        Some(span)
    }

    fn seed(&mut self, node: &Node) -> Option<Located<u64>> {
        let expected = "a whole number such as `1`";
        let text = self.text(node, expected)?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let Some(seed) = digits.then(|| text.parse().ok()).flatten() else {
            self.blame(Kind::Number { text: short(text), expected }, node.place);
            return None;
        };
        Some(Located::at(seed, node.place))
    }

    fn scenario_start(&mut self, node: &Node) -> Option<Located<StartForm>> {
        let text = self.text(node, "a date and time such as `2009-05-06T14:00`")?;
        let Some(start) = start(text) else {
            self.wrong(&ScenarioErrorKind::BadStart { text: short(text) }, node);
            return None;
        };
        Some(Located::at(start, node.place))
    }

    fn management(&mut self, node: &Node) -> Option<ManagementForm> {
        let kind = |reader: &mut Self, node: &Node| {
            let kinds = ManagerKind::ALL.map(|kind| (kind.name(), Some(kind)));
            let kinds: Vec<_> = [("none", None)].into_iter().chain(kinds).collect();
            let kind = reader.choice(node, "`none`, `thr-mmt`, `iqr-mmt`, `mad-mmt`", &kinds)?;
            Some(Located::at(kind, node.place))
        };
        if let Value::Map(_) = node.value {
            let fields = self.fields(node, "management", &["kind", "every"])?;
            let read = self.required(&fields, "kind", "kind: thr-mmt", kind);
            let every = self.optional(&fields, "every", |reader, node| reader.above_zero(node, "every"));
            return Some(ManagementForm { kind: read?, every });
        }
        Some(ManagementForm { kind: kind(self, node)?, every: None })
    }

    /// One text, or a list of them.
    fn names(&mut self, node: &Node, expected: &'static str) -> Option<Vec<Located<String>>> {
        match &node.value {
            Value::Seq(items) => {
                if items.is_empty() {
                    self.empty(expected, node);
                    return None;
                }
                // All are looked at before one that can't be read ends it.
                let names: Vec<_> = items.iter().map(|item| self.name(item, expected)).collect();
                names.into_iter().collect()
            }
            _ => Some(vec![self.name(node, expected)?]),
        }
    }

    /// Spans in a list, or a single one.
    fn spans(&mut self, node: &Node, expected: &'static str) -> Option<Vec<Span>> {
        let Value::Seq(items) = &node.value else { return Some(vec![self.span(node)?.value]) };
        if items.is_empty() {
            self.empty(expected, node);
        }
        let spans: Vec<_> = items.iter().map(|item| self.span(item).map(|span| span.value)).collect();
        let spans: Option<Vec<Span>> = spans.into_iter().collect();
        spans.filter(|spans| !spans.is_empty())
    }
}

/// RFC 3339 with its offset, or the same without one.
fn start(text: &str) -> Option<StartForm> {
    // A time that has no seconds has none that are not 0.
    let full = |text: &str| match text.len() {
        16 => format!("{text}:00"),
        _ => text.to_owned(),
    };
    let date = text.get(..10)?;
    let rest = text.get(10..)?;
    let rest = rest.strip_prefix(['T', ' '])?;
    if let Some(sign) = rest.find(['Z', '+', '-']) {
        let (time, offset) = rest.split_at(sign);
        let local = full(&format!("{date}T{time}"));
        let at = chrono::DateTime::parse_from_rfc3339(&format!("{local}{offset}")).ok()?;
        return Some(StartForm::Instant(Wall(at.timestamp_millis())));
    }
    let local = full(&format!("{date}T{rest}"));
    let at = chrono::DateTime::parse_from_rfc3339(&format!("{local}Z")).ok()?;
    Some(StartForm::Local(Civil(at.timestamp_millis())))
}

/// `2.6GHz`, `2600MHz`; in GHz.
fn clock(text: &str) -> Option<f64> {
    let (number, scale) = match text.strip_suffix("GHz") {
        Some(number) => (number, 1.0),
        None => (text.strip_suffix("MHz")?, 1_000.0),
    };
    Some(scalar::number(number.trim_end())? / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings() {
        let told = |text| match start(text) {
            Some(StartForm::Instant(wall)) => wall.to_string(),
            Some(StartForm::Local(civil)) => civil.to_string(),
            None => "none".to_owned(),
        };
        for (text, expected) in [
            ("2009-05-06T14:00", "2009-05-06T14:00:00"),
            ("2009-05-06 14:00:30", "2009-05-06T14:00:30"),
            ("2009-05-06T14:00:00Z", "2009-05-06T14:00:00Z"),
            ("2009-05-06T14:00:00.250+02:00", "2009-05-06T12:00:00.250Z"),
            ("2009-05-06T14:00+02:00", "2009-05-06T12:00:00Z"),
            ("2009-05-06", "none"),
            ("2009-02-30T14:00", "none"),
            ("æøåæøåæøå", "none"),
            ("14:00", "none"),
            ("", "none"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn clocks() {
        assert_eq!(clock("2.6GHz"), Some(2.6));
        assert_eq!(clock("1860 MHz"), Some(1.86));
        assert_eq!(clock("2.6"), None);
        assert_eq!(clock("fastGHz"), None);
    }
}
