//! The sections of the file that the engine reads: arrays, indicators, windows, queues, moves.
//!
//! What can't be read is left out, and remembered as a doubt: nobody is told twice, once for the slip and
//! once more for each use of what it broke.

use super::node::{Node, Value, short};
use super::problem::ReadErrorKind as Kind;
use super::reader::{Fields, Reader};
use super::scalar;
use super::shell::{ProbeSpec, QueueSource};
use crate::leaf::sample::Read;
use crate::leaf::window::{CronExpr, Hours, Weekdays};
use crate::policy::error::Noun;
use crate::policy::{
    ArrayForm, ClassForm, IndicatorForm, Located, MovesForm, PatternForm, PriceForm, QueueForm,
    RelocationForm, Tour, WindowForm,
};
use core::fmt::Display;

impl Reader {
    /// Each entry of a section of named things, in its order.
    fn named<'n, T>(
        &mut self,
        fields: &Fields<'n>,
        section: &'static str,
        mut read: impl FnMut(&mut Self, Located<String>, &'n Node) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = fields.get(section) else { return Vec::new() };
        self.inside(section, |reader| {
            // `windows:` with nothing after it is a section that is empty so far.
            if node.is_null() {
                return Vec::new();
            }
            let entries = reader.entries(node, "names with their definitions").unwrap_or_default();
            let read = |(name, key, value): (&'n str, &'n Node, &'n Node)| {
                let located = Located::at(name.to_owned(), key.place);
                reader.inside(name, |reader| read(reader, located, value))
            };
            entries.into_iter().filter_map(read).collect()
        })
    }

    pub(super) fn arrays(&mut self, top: &Fields<'_>) -> Vec<ArrayForm> {
        let readable = match self.need(top, "arrays", "arrays: { NAME: { hosts: [HOST, ...] } }") {
            Some(node) => matches!(node.value, Value::Map(_)),
            None => false,
        };
        if !readable {
            self.doubts.arrays = true;
            self.doubts.hosts = true;
            self.doubts.bases = true;
        }
        self.named(top, "arrays", Self::array)
    }

    fn array(&mut self, name: Located<String>, node: &Node) -> Option<ArrayForm> {
        let known = ["hosts", "base", "price", "speed", "relocation"];
        let Some(fields) = self.fields(node, "an array such as `{ hosts: [a, b] }`", &known) else {
            self.doubts.arrays = true;
            self.doubts.hosts = true;
            self.doubts.bases = true;
            self.doubts.name(Noun::Array, name.value);
            return None;
        };
        let hosts = self.need(&fields, "hosts", "hosts: [a, b]").and_then(|node| {
            let hosts = self.inside("hosts", |reader| {
                let items = reader.list(node, "a list of hosts such as `[a, b]`")?;
                let read: Vec<_> = items.iter().map(|item| reader.name(item, "the name of a host")).collect();
                let all = read.iter().all(Option::is_some);
                Some((read.into_iter().flatten().collect::<Vec<_>>(), all))
            })?;
            if !hosts.1 {
                self.doubts.hosts = true;
            }
            Some(Located::at(hosts.0, node.place))
        });
        if hosts.is_none() {
            self.doubts.hosts = true;
        }
        let base = self.optional(&fields, "base", |reader, node| reader.name(node, "the name of a host"));
        if base.is_none() && (fields.get("base").is_some() || fields.is_meant("base")) {
            self.doubts.bases = true;
            self.doubts.hosts = true;
        }
        let relocation = self.optional(&fields, "relocation", Self::relocation);
        if relocation.is_none() && (fields.get("relocation").is_some() || fields.is_meant("relocation")) {
            self.doubts.relocation = true;
        }
        Some(ArrayForm {
            hosts: hosts.unwrap_or(Located::at(Vec::new(), node.place)),
            base,
            price: self.optional(&fields, "price", Self::price),
            speed: self
                .optional(&fields, "speed", |reader, node| reader.number(node, "a speed such as `2.28`")),
            relocation,
            name,
        })
    }

    /// A key that may be left out; what is there and can't be read is blamed by `read`.
    pub(super) fn optional<'n, T>(
        &mut self,
        fields: &Fields<'n>,
        key: &'static str,
        read: impl FnOnce(&mut Self, &'n Node) -> Option<T>,
    ) -> Option<T> {
        let node = fields.get(key)?;
        self.inside(key, |reader| read(reader, node))
    }

    fn price(&mut self, node: &Node) -> Option<Located<PriceForm>> {
        let fields = self.fields(node, "prices such as `{ host: 0.12, base: 0.03 }`", &["host", "base"])?;
        let expected = "a price such as `0.12`";
        let host = self.need(&fields, "host", "host: 0.12");
        let host = host.and_then(|node| self.inside("host", |reader| reader.number(node, expected)));
        let base = self.optional(&fields, "base", |reader, node| reader.number(node, expected));
        Some(Located::at(PriceForm { host: host?, base }, node.place))
    }

    fn relocation(&mut self, node: &Node) -> Option<Located<RelocationForm>> {
        if let Value::Map(_) = node.value {
            let fields = self.fields(node, "a relocation", &["size", "bandwidth"])?;
            let size = self.need(&fields, "size", "size: 4GiB");
            let size = size.and_then(|node| self.inside("size", |reader| reader.data(node, false)));
            let bandwidth = self.need(&fields, "bandwidth", "bandwidth: 3MiB/s");
            let bandwidth =
                bandwidth.and_then(|node| self.inside("bandwidth", |reader| reader.data(node, true)));
            let form = RelocationForm::Copy { size_bytes: size?, bandwidth_bytes_per_s: bandwidth? };
            return Some(Located::at(form, node.place));
        }
        let span = self.span(node)?;
        Some(Located::at(RelocationForm::Takes(span.value), node.place))
    }

    fn data(&mut self, node: &Node, per_second: bool) -> Option<f64> {
        let text = self.text(node, "an amount of data such as `4GiB`")?;
        let bytes = scalar::data(text, per_second);
        if bytes.is_none() {
            let example =
                if per_second { "write such as `3MiB/s` or `24Mbit/s`" } else { "write such as `4GiB`" };
            self.blame_hinted(Kind::Data { text: short(text) }, node.place, example);
        }
        bytes
    }

    pub(super) fn indicators(
        &mut self,
        top: &Fields<'_>,
    ) -> (Vec<IndicatorForm>, Vec<Option<Located<ProbeSpec>>>) {
        self.doubts.indicators |= unreadable(top, "indicators");
        self.named(top, "indicators", Self::indicator).into_iter().unzip()
    }

    fn indicator(
        &mut self,
        name: Located<String>,
        node: &Node,
    ) -> Option<(IndicatorForm, Option<Located<ProbeSpec>>)> {
        let expected = "an indicator such as `{ probe: { load: {} }, every: 60s }`";
        let Some(fields) = self.fields(node, expected, &["probe", "every", "read", "missing", "unit"]) else {
            self.doubts.name(Noun::Indicator, name.value);
            return None;
        };
        let every = self.need(&fields, "every", "every: 60s");
        let every = every.and_then(|node| self.inside("every", |reader| reader.span(node)));
        let reads = [("gauge", Read::Gauge), ("delta", Read::Delta), ("rate", Read::Rate)];
        let read = self.optional(&fields, "read", |reader, node| {
            reader.choice(node, "`gauge`, `delta`, `rate`", &reads)
        });
        let missing = self.optional(&fields, "missing", |reader, node| {
            reader.whole(node, "a number of readings such as `2`")
        });
        let unit = self.optional(&fields, "unit", |reader, node| reader.name(node, "a unit such as `ms`"));
        self.doubts.units |= unit.is_none() && (fields.get("unit").is_some() || fields.is_meant("unit"));
        let probe = self.optional(&fields, "probe", Self::probe);
        let form = IndicatorForm {
            // A stand-in: the file has an error, so nobody will see it.
            every: every.unwrap_or(Located::made(crate::time::Span::from_secs(60))),
            read: read.unwrap_or_default(),
            missing: missing.unwrap_or(0),
            unit,
            name,
        };
        Some((form, probe))
    }

    pub(super) fn windows(&mut self, top: &Fields<'_>) -> Vec<WindowForm> {
        self.doubts.windows |= unreadable(top, "windows");
        self.named(top, "windows", |reader, name, node| {
            let known = name.value.clone();
            let form = reader.window(name, node);
            if form.is_none() {
                reader.doubts.name(Noun::Window, known);
            }
            form
        })
    }

    fn window(&mut self, name: Located<String>, node: &Node) -> Option<WindowForm> {
        let expected = "a window such as `{ days: Mon-Fri, hours: 09:00-16:00, zone: Europe/Oslo }`";
        let fields = self.fields(node, expected, &["days", "hours", "open", "close", "zone"])?;
        let zone = self.need(&fields, "zone", "zone: Europe/Oslo");
        let zone =
            zone.and_then(|node| self.inside("zone", |reader| reader.name(node, "the name of a time zone")));
        let pattern = self.pattern(&fields);
        Some(WindowForm { name, pattern: Located::at(pattern?, node.place), zone: zone? })
    }

    fn pattern(&mut self, fields: &Fields<'_>) -> Option<PatternForm> {
        let present = |keys: [&'static str; 2]| keys.into_iter().find(|key| fields.get(key).is_some());
        match (present(["days", "hours"]), present(["open", "close"])) {
            (Some(one), Some(other)) => {
                self.blame(Kind::Exclusive { one, other }, fields.place);
                None
            }
            (None, Some(_)) => {
                let open = self.need(fields, "open", "open: \"0 9 * * Mon-Fri\"");
                let open = open.and_then(|node| self.inside("open", |reader| reader.cron(node)));
                let close = self.need(fields, "close", "close: \"0 16 * * Mon-Fri\"");
                let close = close.and_then(|node| self.inside("close", |reader| reader.cron(node)));
                Some(PatternForm::Cron { open: open?, close: close? })
            }
            (None, None) => {
                self.need(fields, "hours", "hours: 09:00-16:00");
                None
            }
            (Some(_), None) => {
                let days = match fields.get("days") {
                    Some(node) => self.inside("days", |reader| reader.days(node)),
                    None => Some(Weekdays::ALL),
                };
                let hours = match fields.get("hours") {
                    Some(node) => self.inside("hours", |reader| {
                        let text = reader.text(node, "hours such as `09:00-16:00`")?;
                        reader.leaf(node, Hours::parse(text))
                    }),
                    None => Some(Hours::WHOLE_DAY),
                };
                Some(PatternForm::Days { days: days?, hours: hours? })
            }
        }
    }

    /// `Mon-Fri`, or a list of such: inside braces a comma would end the text.
    fn days(&mut self, node: &Node) -> Option<Weekdays> {
        let Value::Seq(items) = &node.value else {
            let text = self.text(node, "days such as `Mon-Fri`")?;
            return self.leaf(node, Weekdays::parse(text));
        };
        if items.is_empty() {
            self.wrong_type("days such as `Mon-Fri`", node);
        }
        let mut all: Option<Weekdays> = None;
        for item in items {
            let text = self.text(item, "days such as `Mon-Fri`")?;
            let days = self.leaf(item, Weekdays::parse(text))?;
            all = Some(all.map_or(days, |all| all.and(days)));
        }
        all
    }

    fn cron(&mut self, node: &Node) -> Option<CronExpr> {
        let text = self.text(node, "a cron expression such as `0 9 * * Mon-Fri`")?;
        self.leaf(node, CronExpr::parse(text))
    }

    fn leaf<T, E: Display>(&mut self, node: &Node, result: Result<T, E>) -> Option<T> {
        result.map_err(|why| self.blame(Kind::Window { why: why.to_string() }, node.place).hint = None).ok()
    }

    pub(super) fn queues(&mut self, top: &Fields<'_>) -> (Vec<QueueForm>, Vec<Option<Located<QueueSource>>>) {
        self.doubts.queues |= unreadable(top, "queues");
        self.named(top, "queues", Self::queue).into_iter().unzip()
    }

    fn queue(
        &mut self,
        name: Located<String>,
        node: &Node,
    ) -> Option<(QueueForm, Option<Located<QueueSource>>)> {
        let expected = "a queue such as `{ every: 120s, classes: { \"grade a\": 71s } }`";
        let Some(fields) = self.fields(node, expected, &["source", "every", "classes"]) else {
            self.doubts.name(Noun::Queue, name.value);
            return None;
        };
        let every = self.need(&fields, "every", "every: 120s");
        let every = every.and_then(|node| self.inside("every", |reader| reader.span(node)));
        if unreadable(&fields, "classes") {
            self.doubts.classes = true;
        }
        let classes = self.named(&fields, "classes", |reader, name, node| {
            let takes = match &node.value {
                _ if node.is_null() => None,
                Value::Map(pairs) if pairs.is_empty() => None,
                _ => {
                    let takes = reader.span(node);
                    reader.doubts.classes |= takes.is_none();
                    takes
                }
            };
            Some(ClassForm { name, takes })
        });
        let source = self.optional(&fields, "source", Self::queue_source);
        let every = every.unwrap_or(Located::made(crate::time::Span::from_secs(60)));
        Some((QueueForm { name, every, classes }, source))
    }

    pub(super) fn moves(&mut self, top: &Fields<'_>) -> MovesForm {
        let Some(node) = top.get("moves").filter(|node| !node.is_null()) else { return MovesForm::default() };
        let known = ["settle", "confirm_within", "dwell", "at_most", "tour", "bar", "tour_pause"];
        self.inside("moves", |reader| {
            let Some(fields) = reader.fields(node, "settings such as `{ settle: 45s }`", &known) else {
                return MovesForm::default();
            };
            let mut span = |key| reader.optional(&fields, key, Self::span);
            let (settle, confirm_within, dwell) = (span("settle"), span("confirm_within"), span("dwell"));
            let (bar, tour_pause) = (span("bar"), span("tour_pause"));
            let at_most = reader.optional(&fields, "at_most", |reader, node| {
                let text = reader.text(node, "a budget such as `12 per 1h`")?;
                let budget = scalar::budget(text);
                if budget.is_none() {
                    reader.blame_hinted(
                        Kind::Budget { text: short(text) },
                        node.place,
                        "write such as `12 per 1h`",
                    );
                }
                Some(Located::at(budget?, node.place))
            });
            let tour = reader.optional(&fields, "tour", |reader, node| {
                let tours = [("stop", Tour::Stop), ("keep-going", Tour::KeepGoing)];
                let tour = reader.choice(node, "`stop`, `keep-going`", &tours)?;
                Some(Located::at(tour, node.place))
            });
            MovesForm { settle, confirm_within, dwell, at_most, tour, bar, tour_pause, locate_every: None }
        })
    }
}

/// Whether a section is there, but not as names with definitions; or is there under a wrong name.
fn unreadable(fields: &Fields<'_>, section: &str) -> bool {
    fields.is_meant(section)
        || fields.get(section).is_some_and(|node| !node.is_null() && !matches!(node.value, Value::Map(_)))
}
