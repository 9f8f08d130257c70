//! Guests: where they start, what they are like, their services and policies.

use super::super::super::node::{Node, Value};
use super::super::super::problem::ReadErrorKind as Kind;
use super::super::super::reader::{Entry, Fields, Reader};
use super::super::super::shell::Kinds;
use super::super::super::{SECTIONS, unknown_hosts};
use super::super::form::{AtForm, FeedForm, GuestForm, InlinePolicy, PolicyForm};
use super::{NOT_NEGATIVE, Range};
use crate::policy::Located;
use crate::policy::build::Doubts;
use crate::sim::service::{DatabaseSpec, ServiceSpec, WebSpec};
use crate::time::Span;
use core::mem;

const KNOWN: &[&str] = &[
    "at",
    "vcpus",
    "memory",
    "dirties",
    "working_set",
    "disk",
    "shutdown",
    "boot",
    "service",
    "load",
    "policy",
    "feeds",
    "locates",
    "probe_takes",
];

const SERVICES: Kinds =
    Kinds { what: "service", here: &["database", "web", "none"], later: &[], beside: &[] };

const FINITE: Range = Range { expected: "a number such as `300` or `-20`", holds: |n| n.abs() <= 1e12 };
const WORK: Range = Range {
    expected: "gigacycles above 0, such as `0.1`",
    holds: |n| n > 1e-9 && n <= ServiceSpec::WORK_MOST,
};

impl Reader {
    pub(super) fn guests(&mut self, top: &Fields<'_>) -> Vec<GuestForm> {
        let (guests, whole) = self.named(top, "guests", |reader, name, node, first| {
            let guest = reader.guest(name, node);
            first.then_some(guest)
        });
        self.doubts.guests |= !whole;
        guests.into_iter().flatten().collect()
    }

    fn guest(&mut self, name: Located<String>, node: &Node) -> GuestForm {
        let mut guest = GuestForm::new(String::new());
        guest.name = name;
        // `background[1-20]:` with nothing after it is a guest of which all is left to the defaults.
        let fields = if node.is_null() {
            Fields::none(node.place)
        } else {
            let expected = "a guest such as `{ at: mln1, policy: nii1.yaml }`";
            let Some(fields) = self.fields(node, expected, KNOWN) else { return guest };
            fields
        };
        guest.at = self.optional(&fields, "at", Self::at);
        guest.vcpus = self.count_of(&fields, "vcpus", "a number of virtual processors such as `1`", 1);
        guest.memory = self.data_of(&fields, "memory", false);
        guest.dirties = self.data_of(&fields, "dirties", true);
        guest.working_set = self.data_of(&fields, "working_set", false);
        guest.disk = self.data_of(&fields, "disk", false);
        guest.shutdown = self.span_of(&fields, "shutdown");
        guest.boot = self.span_of(&fields, "boot");
        guest.service = self.optional(&fields, "service", Self::service);
        // What can't be read has a stand-in, of which nothing is said.
        if guest.service.is_none() && fields.get("service").is_some() {
            guest.service = Some(Located::made(ServiceSpec::Plain));
        }
        guest.load = self.optional(&fields, "load", Self::load);
        guest.policy = self.optional(&fields, "policy", Self::policy_form);
        if guest.policy.is_none() && fields.get("policy").is_some() {
            guest.policy = Some(Located::made(PolicyForm::File(String::new())));
        }
        guest.feeds = self.optional(&fields, "feeds", Self::feeds).unwrap_or_default();
        guest.locates = self.truth_of(&fields, "locates");
        guest.probe_takes = self.span_of(&fields, "probe_takes");
        guest
    }

    fn at(&mut self, node: &Node) -> Option<Located<AtForm>> {
        let form = match &node.value {
            Value::Map(_) => {
                let fields = self.fields(node, "`{ spread: ARRAY }`", &["spread", "by"])?;
                let array = self.required(&fields, "spread", "spread: oslo", |reader, node| {
                    reader.name(node, "the name of an array")
                });
                let by_memory = self.optional(&fields, "by", |reader, node| {
                    reader.choice(node, "`turn`, `memory`", &[("turn", false), ("memory", true)])
                });
                AtForm::Spread { array: Some(array?), by_memory: by_memory.unwrap_or(false) }
            }
            Value::Scalar { text, .. } if text == "spread" => {
                AtForm::Spread { array: None, by_memory: false }
            }
            _ => AtForm::Hosts(self.names(node, "a host, a list of hosts or `spread`")?),
        };
        Some(Located::at(form, node.place))
    }

    fn feeds(&mut self, node: &Node) -> Option<Vec<(Located<String>, Located<FeedForm>)>> {
        let entries = self.entries(node, "indicators and what feeds them")?;
        let mut feeds = Vec::with_capacity(entries.len());
        for Entry { text, key, value, .. } in entries {
            if let Some(feed) = self.inside(text, |reader| reader.feed(value)) {
                feeds.push((Located::at(text.to_owned(), key.place), Located::at(feed, value.place)));
            }
        }
        Some(feeds)
    }

    /// A gauge, or `{ follows: LOAD, strain: 300, counts: true }`.
    fn feed(&mut self, node: &Node) -> Option<FeedForm> {
        let Value::Map(_) = node.value else {
            return Some(FeedForm::Gauge(self.text(node, "the name of a gauge")?.to_owned()));
        };
        let fields = self.fields(node, "`{ follows: LOAD }`", &["follows", "strain", "counts"])?;
        let load = self.required(&fields, "follows", "follows: 20", Self::load);
        let strain = self.within_of(&fields, "strain", FINITE).map_or(0.0, |strain| strain.value);
        let counts = self.truth_of(&fields, "counts").unwrap_or(false);
        Some(FeedForm::Follows { load: load?, strain, counts })
    }

    fn service(&mut self, node: &Node) -> Option<Located<ServiceSpec>> {
        let (spec, _) = self.kind(node, &SERVICES, |reader, kind, value| {
            let known: &[&'static str] = match kind {
                "database" => &["work", "concurrency", "max_connections", "long_query_time"],
                "web" => &["work", "held", "max_workers", "listen_backlog"],
                _ => &[],
            };
            let fields = match value.filter(|value| !value.is_null()) {
                Some(value) => reader.fields(value, "what the service is like, or `{}`", known)?,
                None => Fields::none(node.place),
            };
            Some(match kind {
                "database" => ServiceSpec::Database(reader.database(&fields)),
                "web" => ServiceSpec::Web(reader.web(&fields)),
                _ => ServiceSpec::Plain,
            })
        });
        Some(Located::at(spec?, node.place))
    }

    fn database(&mut self, fields: &Fields<'_>) -> DatabaseSpec {
        let mut spec = DatabaseSpec::default();
        let places = "a number from 1 on";
        if let Some(work) = self.within_of(fields, "work", WORK) {
            spec.work_gcycles = work.value;
        }
        if let Some(count) = self.count_of(fields, "concurrency", places, 1) {
            spec.concurrency = count.value;
        }
        if let Some(count) = self.count_of(fields, "max_connections", places, 1) {
            spec.max_connections = count.value;
        }
        if let Some(time) = self
            .optional(fields, "long_query_time", |reader, node| reader.above_zero(node, "long_query_time"))
        {
            spec.long_query_time = time.value;
        }
        spec
    }

    fn web(&mut self, fields: &Fields<'_>) -> WebSpec {
        let mut spec = WebSpec::default();
        if let Some(work) = self.within_of(fields, "work", WORK) {
            spec.work_gcycles = work.value;
        }
        if let Some(held) = self.span_of(fields, "held") {
            spec.held = held.value;
        }
        if let Some(count) = self.count_of(fields, "max_workers", "a number from 1 on", 1) {
            spec.max_workers = count.value;
        }
        if let Some(count) = self.count_of(fields, "listen_backlog", "a number from 0 on", 0) {
            spec.listen_backlog = count.value;
        }
        spec
    }

    /// A path, or the policy itself.
    pub(super) fn policy_form(&mut self, node: &Node) -> Option<Located<PolicyForm>> {
        let form = match &node.value {
            Value::Map(_) => PolicyForm::Inline(Box::new(self.inline_policy(node)?)),
            _ => PolicyForm::File(self.text(node, "the path of a policy file, or a policy")?.to_owned()),
        };
        Some(Located::at(form, node.place))
    }

    /// A policy in the scenario needs no version, and no arrays where they are the scenario's.
    fn inline_policy(&mut self, node: &Node) -> Option<InlinePolicy> {
        let doubts = Doubts { from_file: true, ..Doubts::default() };
        let outer = mem::replace(&mut self.doubts, doubts);
        let policy = self.fields(node, "a policy", SECTIONS).map(|fields| {
            if fields.get("version").is_some() {
                self.version(&fields);
            }
            let own_arrays = fields.get("arrays").is_some();
            let (file, shell) = self
                .top(&fields, |reader, fields| if own_arrays { reader.arrays(fields) } else { Vec::new() });
            if own_arrays {
                for mut problem in unknown_hosts(&file, &shell, &self.doubts) {
                    problem.path = format!("{}.{}", self.way(), problem.path);
                    self.problems.push(problem);
                }
            }
            InlinePolicy { file, probes: shell.probes }
        });
        let doubts = mem::replace(&mut self.doubts, outer);
        self.inner.insert(node.place, doubts);
        policy
    }

    /// A number of a load.
    pub(super) fn load_number(&mut self, node: &Node, key: &'static str) -> Option<f64> {
        Some(self.within(node, key, NOT_NEGATIVE)?.value)
    }

    /// What a load's list has: as many numbers, of which all are looked at.
    pub(super) fn load_numbers<const N: usize>(
        &mut self,
        node: &Node,
        key: &'static str,
        expected: &'static str,
    ) -> Option<[f64; N]> {
        let items = self.list(node, expected)?;
        let numbers: Vec<_> = items.iter().map(|item| self.load_number(item, key)).collect();
        let numbers: Option<Vec<f64>> = numbers.into_iter().collect();
        let found = items.len();
        let array = <[f64; N]>::try_from(numbers?).ok();
        if array.is_none() {
            let found = format!("a list of {found}");
            self.blame(Kind::WrongType { expected, found }, node.place);
        }
        array
    }

    /// How long something of a load lasts in the mean: no shorter than can be followed.
    pub(super) fn load_span(&mut self, node: &Node, key: &'static str) -> Option<Span> {
        let span = self.span(node)?.value;
        if span < Span::from_secs(1) {
            self.bad_value(key, node, "a second at least");
            return None;
        }
        Some(span)
    }
}
