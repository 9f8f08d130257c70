//! The sections of the file that the engine reads: arrays, indicators, windows, queues, moves.
//!
//! What can't be read has a stand-in, or is left out and remembered as a doubt: all around it is judged, and
//! nobody is told twice, once for the slip and once more for each use of what it broke.

use super::node::{Node, Value, short};
use super::problem::ReadErrorKind as Kind;
use super::reader::{Entry, Fields, Reader};
use super::scalar;
use super::shell::{ProbeSpec, QueueSource, WorkSpec};
use crate::leaf::sample::Read;
use crate::leaf::window::{CronExpr, Hours, Weekdays};
use crate::policy::{
    ArrayForm, ClassForm, IndicatorForm, Located, MovesForm, OnTimeout, Pattern, PriceForm, QueueForm,
    RelocationForm, Tour, WindowForm,
};
use crate::time::Span;
use core::fmt::Display;
use std::collections::BTreeSet;

/// Where the jobs of a queue come from.
type Source = Option<Located<QueueSource>>;

impl Reader {
    /// Each entry of a section of named things, in its order, and whether that is all there is. `read` is
    /// told whether a name is there for the first time.
    pub(super) fn named<'n, T>(
        &mut self,
        fields: &Fields<'n>,
        section: &'static str,
        mut read: impl FnMut(&mut Self, Located<String>, &'n Node, bool) -> T,
    ) -> (Vec<T>, bool) {
        let (mut seen, mut found, mut whole) = (BTreeSet::new(), Vec::new(), true);
        self.inside(section, |reader| {
            // `windows:` with nothing after it is a section that is empty so far.
            for node in fields.all(section).filter(|node| !node.is_null()) {
                let entries = reader.entries(node, "names with their definitions").unwrap_or_default();
                whole &= matches!(&node.value, Value::Map(pairs) if pairs.len() == entries.len());
                for Entry { text, key, value, .. } in entries {
                    let located = Located::at(text.to_owned(), key.place);
                    let first = seen.insert(text);
                    found.push(reader.inside(text, |reader| read(reader, located, value, first)));
                }
            }
        });
        (found, whole)
    }

    pub(super) fn arrays(&mut self, top: &Fields<'_>) -> Vec<ArrayForm> {
        let missing = self.need(top, "arrays", "arrays: { NAME: { hosts: [HOST, ...] } }").is_none();
        let (arrays, whole) = self.named(top, "arrays", |reader, name, node, first| {
            let array = reader.array(name, node);
            // Of two by one name it is not known which one is meant, nor whether they are two.
            if !first {
                let named = array.hosts.value.into_iter().chain(array.base);
                reader.doubts.host_names.extend(named.map(|host| host.value));
                reader.doubts.bases = true;
                return None;
            }
            Some(array)
        });
        if missing || !whole {
            self.doubt_all();
        }
        arrays.into_iter().flatten().collect()
    }

    fn array(&mut self, name: Located<String>, node: &Node) -> ArrayForm {
        let known = ["hosts", "base", "price", "speed", "relocation"];
        let Some(fields) = self.fields(node, "an array such as `{ hosts: [a, b] }`", &known) else {
            self.doubts.bases = true;
            self.doubts.relocations.insert(name.value.clone());
            // A list is probably the ring; a word does not say which hosts there are.
            if matches!(node.value, Value::Seq(_)) {
                self.doubt_hosts(node);
            } else {
                self.doubts.hosts = true;
            }
            let hosts = Located::made(Vec::new());
            return ArrayForm { name, hosts, base: None, price: None, speed: None, relocation: None };
        };
        if self.need(&fields, "hosts", "hosts: [a, b]").is_none() {
            self.doubts.hosts = true;
        }
        let hosts = self.optional(&fields, "hosts", |reader, node| {
            let Some(items) = reader.list(node, "a list of hosts such as `[a, b]`") else {
                reader.doubt_hosts(node);
                return None;
            };
            let read = items.iter().filter_map(|item| reader.host(item)).collect::<Vec<_>>();
            // Of hosts none of which can be read, the ring is not known to be empty.
            (!read.is_empty() || items.is_empty()).then(|| Located::at(read, node.place))
        });
        let base = self.optional(&fields, "base", Self::host);
        self.doubts.bases |= base.is_none() && fields.get("base").is_some();
        let relocation = self.optional(&fields, "relocation", Self::relocation);
        if relocation.is_none() && fields.get("relocation").is_some() {
            self.doubts.relocations.insert(name.value.clone());
        }
        let price = self.optional(&fields, "price", Self::price);
        let speed =
            self.optional(&fields, "speed", |reader, node| reader.number(node, "a speed such as `2.28`"));
        let hosts = hosts.unwrap_or(Located::made(Vec::new()));
        ArrayForm { name, hosts, base, price, speed, relocation }
    }

    fn host(&mut self, node: &Node) -> Option<Located<String>> {
        let host = self.name(node, "the name of a host");
        if host.is_none() {
            self.doubt_hosts(node);
        }
        host
    }

    /// Hosts are there that can't be read: perhaps those whose names are found anyway, or else any.
    fn doubt_hosts(&mut self, node: &Node) {
        let mut texts = Vec::new();
        let whole = node.texts(&mut texts);
        self.doubts.hosts |= !whole || texts.is_empty();
        let names = texts.into_iter().flat_map(|text| text.split([',', ' ', '\t', '\n']));
        self.doubts.host_names.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
    }

    pub(super) fn price(&mut self, node: &Node) -> Option<Located<PriceForm>> {
        let fields = self.fields(node, "prices such as `{ host: 0.12, base: 0.03 }`", &["host", "base"])?;
        let expected = "a price such as `0.12`";
        let host = self.required(&fields, "host", "host: 0.12", |reader, node| reader.number(node, expected));
        let base = self.optional(&fields, "base", |reader, node| reader.number(node, expected));
        let host = host.unwrap_or(Located::made(f64::NAN));
        Some(Located::at(PriceForm { host, base }, node.place))
    }

    fn relocation(&mut self, node: &Node) -> Option<Located<RelocationForm>> {
        if let Value::Map(_) = node.value {
            let fields = self.fields(node, "a relocation", &["size", "bandwidth"])?;
            let size = self.required(&fields, "size", "size: 4GiB", |reader, node| reader.data(node, false));
            let bandwidth = self
                .required(&fields, "bandwidth", "bandwidth: 3MiB/s", |reader, node| reader.data(node, true));
            // What can't be read is no number.
            let (size_bytes, bandwidth_bytes_per_s) =
                (size.unwrap_or(f64::NAN), bandwidth.unwrap_or(f64::NAN));
            return Some(Located::at(RelocationForm::Copy { size_bytes, bandwidth_bytes_per_s }, node.place));
        }
        let span = self.span(node)?;
        Some(Located::at(RelocationForm::Takes(span.value), node.place))
    }

    pub(super) fn data(&mut self, node: &Node, per_second: bool) -> Option<f64> {
        let text = self.text(node, "an amount of data such as `4GiB`")?;
        let bytes = scalar::data(text, per_second);
        if bytes.is_none() {
            let example =
                if per_second { "for example `3MiB/s` or `24Mbit/s`" } else { "for example `4GiB`" };
            self.blame_hinted(Kind::Data { text: short(text) }, node.place, example);
        }
        bytes
    }

    pub(super) fn indicators(
        &mut self,
        top: &Fields<'_>,
    ) -> (Vec<IndicatorForm>, Vec<Option<Located<ProbeSpec>>>) {
        let (indicators, whole) =
            self.named(top, "indicators", |reader, name, node, _| reader.indicator(name, node));
        self.doubts.indicators |= !whole;
        indicators.into_iter().unzip()
    }

    fn indicator(
        &mut self,
        name: Located<String>,
        node: &Node,
    ) -> (IndicatorForm, Option<Located<ProbeSpec>>) {
        let unread = Located::made(Span::ZERO);
        let expected = "an indicator such as `{ probe: { load: {} }, every: 60s }`";
        let known = ["probe", "every", "read", "missing", "timeout", "unit"];
        let Some(fields) = self.fields(node, expected, &known) else {
            self.doubts.units.insert(name.value.clone());
            let (read, missing) = (Read::Gauge, 0);
            return (IndicatorForm { name, every: unread, read, missing, timeout: None, unit: None }, None);
        };
        let every = self.required(&fields, "every", "every: 60s", Self::span);
        let reads = [("gauge", Read::Gauge), ("delta", Read::Delta), ("rate", Read::Rate)];
        let read = self.optional(&fields, "read", |reader, node| {
            reader.choice(node, "`gauge`, `delta`, `rate`", &reads)
        });
        let missing = self.optional(&fields, "missing", |reader, node| {
            reader.whole(node, "a number of readings such as `2`")
        });
        let timeout = self.optional(&fields, "timeout", Self::on_timeout);
        let unit = self.optional(&fields, "unit", |reader, node| reader.name(node, "a unit such as `ms`"));
        if unit.is_none() && fields.get("unit").is_some() {
            self.doubts.units.insert(name.value.clone());
        }
        let probe = self.optional(&fields, "probe", Self::probe);
        let form = IndicatorForm {
            every: every.unwrap_or(unread),
            read: read.unwrap_or_default(),
            missing: missing.unwrap_or(0),
            timeout,
            unit,
            name,
        };
        (form, probe)
    }

    /// What a time-out means, or a time limit that went astray.
    fn on_timeout(&mut self, node: &Node) -> Option<Located<OnTimeout>> {
        let (choices, words) = ("`unknown`, `breach`", [OnTimeout::Unknown, OnTimeout::Breach]);
        if let Value::Scalar { text, .. } = &node.value
            && scalar::parse_span(text).is_ok()
        {
            let hint = "how long a probe may take is an option of the probe";
            self.blame_hinted(Kind::Choice { text: short(text), choices }, node.place, hint);
            return None;
        }
        let timeout = self.choice(node, choices, &words.map(|word| (word.name(), word)))?;
        Some(Located::at(timeout, node.place))
    }

    pub(super) fn windows(&mut self, top: &Fields<'_>) -> Vec<WindowForm> {
        let (windows, whole) = self.named(top, "windows", |reader, name, node, _| reader.window(name, node));
        self.doubts.windows |= !whole;
        windows
    }

    fn window(&mut self, name: Located<String>, node: &Node) -> WindowForm {
        let unread = Located::made(Pattern::Days { days: Weekdays::ALL, hours: Hours::WHOLE_DAY });
        let expected = "a window such as `{ days: Mon-Fri, hours: 09:00-16:00, zone: Europe/Oslo }`";
        let Some(fields) = self.fields(node, expected, &["days", "hours", "open", "close", "zone"]) else {
            return WindowForm { name, pattern: unread, zone: Located::made(String::new()) };
        };
        let zone = self.required(&fields, "zone", "zone: Europe/Oslo", |reader, node| {
            reader.name(node, "the name of a time zone")
        });
        let pattern = self.pattern(&fields).map_or(unread, |pattern| Located::at(pattern, node.place));
        WindowForm { name, pattern, zone: zone.unwrap_or(Located::made(String::new())) }
    }

    fn pattern(&mut self, fields: &Fields<'_>) -> Option<Pattern> {
        let present = |keys: [&'static str; 2]| keys.into_iter().find(|key| fields.get(key).is_some());
        let days = self.optional(fields, "days", Self::days);
        let hours = self.optional(fields, "hours", |reader, node| {
            let text = reader.text(node, "hours such as `09:00-16:00`")?;
            reader.leaf(node, Hours::parse(text))
        });
        let open = self.optional(fields, "open", Self::cron);
        let close = self.optional(fields, "close", Self::cron);
        match (present(["days", "hours"]), present(["open", "close"])) {
            (Some(one), Some(other)) => {
                self.blame(Kind::Exclusive { one, other }, fields.place);
                None
            }
            (None, Some(_)) => {
                self.need(fields, "open", "open: \"0 9 * * Mon-Fri\"");
                self.need(fields, "close", "close: \"0 16 * * Mon-Fri\"");
                Some(Pattern::Cron { open: open?, close: close? })
            }
            (None, None) => {
                self.need(fields, "hours", "hours: 09:00-16:00");
                None
            }
            (Some(_), None) => {
                let days = if fields.get("days").is_some() { days? } else { Weekdays::ALL };
                let hours = if fields.get("hours").is_some() { hours? } else { Hours::WHOLE_DAY };
                Some(Pattern::Days { days, hours })
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
        let read = |item| {
            let text = self.text(item, "days such as `Mon-Fri`")?;
            self.leaf(item, Weekdays::parse(text))
        };
        // All are looked at before one that can't be read ends it.
        let days: Vec<Option<Weekdays>> = items.iter().map(read).collect();
        let days: Vec<Weekdays> = days.into_iter().collect::<Option<_>>()?;
        days.into_iter().reduce(Weekdays::and)
    }

    fn cron(&mut self, node: &Node) -> Option<CronExpr> {
        let text = self.text(node, "a cron expression such as `0 9 * * Mon-Fri`")?;
        self.leaf(node, CronExpr::parse(text))
    }

    fn leaf<T, E: Display>(&mut self, node: &Node, result: Result<T, E>) -> Option<T> {
        result.map_err(|why| self.blame(Kind::Window { why: why.to_string() }, node.place).hint = None).ok()
    }

    /// The queues; and for the shell, in their order, where jobs come from and what is done with them.
    pub(super) fn queues(&mut self, top: &Fields<'_>) -> (Vec<QueueForm>, Vec<(Source, WorkSpec)>) {
        let (queues, whole) = self.named(top, "queues", |reader, name, node, _| reader.queue(name, node));
        self.doubts.queues |= !whole;
        queues.into_iter().unzip()
    }

    fn queue(&mut self, name: Located<String>, node: &Node) -> (QueueForm, (Source, WorkSpec)) {
        let unread = Located::made(Span::ZERO);
        let expected = "a queue such as `{ every: 120s, classes: { \"grade a\": 71s } }`";
        let Some(fields) = self.fields(node, expected, &["source", "every", "classes", "grade", "run"])
        else {
            self.doubts.classes.insert(name.value.clone());
            return (QueueForm { name, every: unread, classes: Vec::new() }, (None, WorkSpec::default()));
        };
        let every = self.required(&fields, "every", "every: 120s", Self::span);
        let (classes, whole) = self.named(&fields, "classes", |reader, name, node, first| {
            let takes = match &node.value {
                _ if node.is_null() => None,
                Value::Map(pairs) if pairs.is_empty() => None,
                // A stand-in keeps the class from being blamed for not saying.
                _ => Some(reader.span(node).unwrap_or(Located::made(Span::ZERO))),
            };
            first.then_some(ClassForm { name, takes })
        });
        let classes: Vec<ClassForm> = classes.into_iter().flatten().collect();
        if !whole {
            self.doubts.classes.insert(name.value.clone());
        }
        let source = self.optional(&fields, "source", Self::queue_source);
        let work = self.work(&fields, &classes, whole);
        (QueueForm { name, every: every.unwrap_or(unread), classes }, (source, work))
    }

    pub(super) fn moves(&mut self, top: &Fields<'_>) -> MovesForm {
        let known = ["settle", "confirm_within", "dwell", "at_most", "tour", "bar", "tour_pause"];
        let moves = self.optional(top, "moves", |reader, node| {
            if node.is_null() {
                return None;
            }
            let fields = reader.fields(node, "settings such as `{ settle: 45s }`", &known)?;
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
                        "for example `12 per 1h`",
                    );
                }
                Some(Located::at(budget?, node.place))
            });
            let tour = reader.optional(&fields, "tour", |reader, node| {
                let tours = [("stop", Tour::Stop), ("keep-going", Tour::KeepGoing)];
                let tour = reader.choice(node, "`stop`, `keep-going`", &tours)?;
                Some(Located::at(tour, node.place))
            });
            let locate_every = None;
            Some(MovesForm { settle, confirm_within, dwell, at_most, tour, bar, tour_pause, locate_every })
        });
        moves.unwrap_or_default()
    }
}
