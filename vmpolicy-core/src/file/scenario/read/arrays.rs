//! Arrays and their hosts.

use super::super::super::node::{Node, Value, short};
use super::super::super::problem::ReadErrorKind as Kind;
use super::super::super::reader::{Entry, Fields, Reader};
use super::super::form::{ArrayForm, HostForm, LeavingForm, LiveForm, PowerForm, ProviderForm};
use super::{NOT_NEGATIVE, clock};
use crate::policy::Located;

const HOSTS: &str = "names of hosts such as `[mln1, mln2]`, or `host[1-800]`";
const HOST: &str = "what a host is like, such as `{ cores: 2, clock: 2.6GHz, memory: 8GiB }`";

impl Reader {
    pub(super) fn scenario_arrays(&mut self, top: &Fields<'_>) -> Vec<ArrayForm> {
        let missing = self.need(top, "arrays", "arrays: { NAME: { hosts: [HOST, ...] } }").is_none();
        let (arrays, whole) = self.named(top, "arrays", |reader, name, node, first| {
            let array = reader.scenario_array(name, node);
            // Of two by one name it is not known which one is meant.
            reader.doubts.hosts |= !first;
            first.then_some(array)
        });
        if missing || !whole {
            self.doubts.arrays = true;
            self.doubts.hosts = true;
        }
        arrays.into_iter().flatten().collect()
    }

    fn scenario_array(&mut self, name: Located<String>, node: &Node) -> ArrayForm {
        let mut array = ArrayForm {
            name,
            hosts: Located::made(Vec::new()),
            base: None,
            price: None,
            each: HostForm::default(),
            but: Vec::new(),
            live: None,
            leaving: None,
            provider: ProviderForm::default(),
        };
        let known = ["hosts", "base", "price", "each", "but", "live", "leaving", "provider"];
        let Some(fields) = self.fields(node, "an array such as `{ hosts: [a, b] }`", &known) else {
            self.doubts.hosts = true;
            return array;
        };
        let hosts = self.required(&fields, "hosts", "hosts: [a, b]", |reader, node| {
            Some(Located::at(reader.names(node, HOSTS)?, node.place))
        });
        self.doubts.hosts |= hosts.is_none();
        array.hosts = hosts.unwrap_or(Located::made(Vec::new()));
        array.base = self.optional(&fields, "base", |reader, node| reader.name(node, "the name of a host"));
        self.doubts.hosts |= array.base.is_none() && fields.get("base").is_some();
        array.price = self.optional(&fields, "price", Self::price);
        array.each = self
            .optional(&fields, "each", |reader, node| {
                let fields = reader.fields(node, HOST, &["cores", "clock", "memory", "power"])?;
                Some(reader.machine(&fields))
            })
            .unwrap_or_default();
        array.but = self.optional(&fields, "but", Self::exceptions).unwrap_or_default();
        array.live = self.optional(&fields, "live", |reader, node| {
            let fields = reader.fields(node, "`{ link: 1Gbit/s }` or `{ takes: 0s }`", &["link", "takes"])?;
            let link = reader.optional(&fields, "link", Self::link);
            let takes = reader.optional(&fields, "takes", Self::span);
            reader.one_of_two(&fields, "link", "takes", "link: 1Gbit/s")?;
            link.map(LiveForm::Link).or(takes.map(LiveForm::Takes))
        });
        array.leaving = self.optional(&fields, "leaving", |reader, node| {
            let expected = "`{ link: 100Mbit/s }` or `{ takes: [1324s, 574s] }`";
            let fields = reader.fields(node, expected, &["link", "takes"])?;
            let link = reader.optional(&fields, "link", Self::link);
            let takes = reader.optional(&fields, "takes", |reader, node| {
                Some(Located::at(reader.spans(node, "spans of time such as `[1324s, 574s]`")?, node.place))
            });
            reader.one_of_two(&fields, "link", "takes", "link: 100Mbit/s")?;
            link.map(LeavingForm::Link).or(takes.map(LeavingForm::Takes))
        });
        array.provider = self.optional(&fields, "provider", Self::provider).unwrap_or_default();
        array
    }

    /// Exactly one of two keys is there.
    pub(super) fn one_of_two(
        &mut self,
        fields: &Fields<'_>,
        one: &'static str,
        other: &'static str,
        example: &str,
    ) -> Option<()> {
        match (fields.get(one), fields.get(other)) {
            (Some(_), Some(_)) => {
                self.blame(Kind::Exclusive { one, other }, fields.place);
                None
            }
            (None, None) => {
                self.need(fields, one, example);
                None
            }
            _ => Some(()),
        }
    }

    fn exceptions(&mut self, node: &Node) -> Option<Vec<(Located<String>, HostForm)>> {
        let entries = self.entries(node, "names of hosts, and what these are like")?;
        let mut exceptions = Vec::with_capacity(entries.len());
        for Entry { text, key, value, .. } in entries {
            let form = self.inside(text, |reader| {
                let known = ["cores", "clock", "memory", "power", "price"];
                let fields = reader.fields(value, HOST, &known)?;
                Some(reader.machine(&fields))
            });
            exceptions.push((Located::at(text.to_owned(), key.place), form.unwrap_or_default()));
        }
        Some(exceptions)
    }

    fn machine(&mut self, fields: &Fields<'_>) -> HostForm {
        HostForm {
            cores: self.count_of(fields, "cores", "a number of cores such as `2`", 1),
            clock: self.optional(fields, "clock", |reader, node| {
                let expected = "a clock such as `2.6GHz`";
                let text = reader.text(node, expected)?;
                match clock(text) {
                    Some(ghz) if ghz > 0.0 && ghz <= 1e6 => Some(Located::at(ghz, node.place)),
                    Some(_) => {
                        reader.bad_value("clock", node, expected);
                        None
                    }
                    None => {
                        reader.blame(Kind::Number { text: short(text), expected }, node.place);
                        None
                    }
                }
            }),
            memory: self.optional(fields, "memory", |reader, node| {
                let bytes = reader.data(node, false)?;
                if bytes > 0.0 {
                    return Some(Located::at(bytes, node.place));
                }
                reader.bad_value("memory", node, "some, such as `8GiB`");
                None
            }),
            power: self.optional(fields, "power", Self::power),
            price: self.within_of(fields, "price", NOT_NEGATIVE),
        }
    }

    /// `{ idle: 93.7, full: 135 }`, eleven numbers, or the name of a machine; in watts.
    fn power(&mut self, node: &Node) -> Option<Located<PowerForm>> {
        let form = match &node.value {
            Value::Map(_) => {
                let fields = self.fields(node, "power", &["idle", "full"])?;
                let mut watts = |key, example| {
                    self.need(&fields, key, example)?;
                    self.within_of(&fields, key, NOT_NEGATIVE)
                };
                let (idle, full) = (watts("idle", "idle: 93.7"), watts("full", "full: 135"));
                PowerForm::Linear { idle: idle?.value, full: full?.value }
            }
            Value::Seq(items) => {
                let watts: Vec<_> =
                    items.iter().map(|item| self.within(item, "power", NOT_NEGATIVE)).collect();
                let watts: Option<Vec<f64>> = watts.into_iter().map(|watts| Some(watts?.value)).collect();
                let watts = watts?;
                if watts.len() != 11 {
                    let found = format!("a list of {}", watts.len());
                    let expected = "eleven numbers, watts at 0, 10, ... 100 % of the capacity";
                    self.blame(Kind::WrongType { expected, found }, node.place);
                    return None;
                }
                PowerForm::Table(watts)
            }
            _ => PowerForm::Model(self.text(node, "power such as `{ idle: 93.7, full: 135 }`")?.to_owned()),
        };
        Some(Located::at(form, node.place))
    }
}
