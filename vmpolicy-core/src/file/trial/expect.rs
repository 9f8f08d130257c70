//! `expect:`, what the guest is to do and how it is to stand.

use super::super::node::{Node, Value, short};
use super::super::problem::ReadErrorKind;
use super::super::reader::{Entry, Fields, Reader};
use super::super::scalar;
use super::case::Setting;
use super::names::{Known, Named};
use super::problem::TrialErrorKind as Kind;
use crate::input::Absence;
use crate::leaf::logic::Truth;
use crate::output::{Failure, Hold};
use crate::record::counts_time;
use crate::trial::{Expectation, Fact, Field, FieldKind, Pattern, Value as Wanted, Want, fields_of};

/// What can be expected of a state.
const FACTS: [&str; 7] = ["location", "resting", "settling", "open", "counter", "truth", "value"];
const KEYS: &[&str] = &[
    "at",
    "event",
    "none",
    "id",
    "rule",
    "do",
    "from",
    "to",
    "at_host",
    "reason",
    "for",
    "barred_for",
    "pause",
    "indicator",
    "rules_kept",
    "apart",
    "location",
    "resting",
    "settling",
    "open",
    "counter",
    "truth",
    "value",
];
const ACTIONS: [&str; 8] =
    ["move", "move-up", "move-down", "move-to-base", "rest", "move-from-home", "move-to-home", "move-to"];
const TRUTHS: &[(&str, Truth)] =
    &[("breach", Truth::Breach), ("clear", Truth::Clear), ("unknown", Truth::Unknown)];

impl Reader {
    pub(super) fn expectations(&mut self, node: &Node, setting: &Setting<'_>) -> Option<Vec<Expectation>> {
        let mut found = Vec::new();
        let items = self.list(node, "a list such as `- { at: 2m, event: request }`")?;
        for (index, item) in items.iter().enumerate() {
            found.extend(self.inside(&format!("[{index}]"), |reader| reader.expectation(item, setting)));
        }
        Some(found)
    }

    fn expectation(&mut self, node: &Node, setting: &Setting<'_>) -> Option<Expectation> {
        let fields = self.fields(node, "what is expected, such as `{ at: 2m, event: request }`", KEYS)?;
        let when = self.required(&fields, "at", "at: 2m", |reader, node| {
            let when = reader.stretch(node, &setting.start)?;
            reader.not_after(when.to, setting.lasts, node.place);
            Some(when)
        });
        let here = |key: &&'static str| fields.get(key).is_some();
        let heads: Vec<&'static str> = ["event", "none"].into_iter().filter(here).collect();
        let facts: Vec<&'static str> = FACTS.into_iter().filter(here).collect();
        let given: Vec<Field> = Field::ALL.into_iter().filter(|field| here(&field.name())).collect();
        let clash = match (heads.as_slice(), facts.as_slice(), given.as_slice()) {
            (&[one, other], ..) | (&[one], &[other, ..], _) => Some((one, other)),
            (&[], &[one, ..], &[other, ..]) => Some((one, other.name())),
            _ => None,
        };
        if let Some((one, other)) = clash {
            let hint = "write each of them as an item of its own";
            self.blame_hinted(ReadErrorKind::Exclusive { one, other }, node.place, hint);
        }
        let want = if let Some(event) = fields.get("event") {
            let event = self.inside("event", |reader| reader.event(event));
            let pattern = event.and_then(|event| self.event_pattern(event, &given, &fields, setting));
            pattern.map(Want::Event)
        } else if let Some(none) = fields.get("none") {
            self.inside("none", |reader| reader.nothing_of(none, &given, &fields, setting)).map(Want::Nothing)
        } else if !facts.is_empty() {
            let read: Vec<Option<Vec<Fact>>> = facts
                .iter()
                .map(|key| self.optional(&fields, key, |reader, node| reader.fact(key, node, setting.known)))
                .collect();
            let read: Option<Vec<Vec<Fact>>> = read.into_iter().collect();
            read.map(|facts| Want::State(facts.concat()))
        } else {
            let hint = "add `event`, `none`, or a state such as `location`".to_owned();
            self.blame_trial(Kind::NothingSaid, node.place, Some(hint));
            None
        };
        Some(Expectation { when: when?, want: want?, place: Some(node.place) })
    }

    /// `any`, an event, or a list of them.
    fn nothing_of(
        &mut self,
        node: &Node,
        given: &[Field],
        fields: &Fields<'_>,
        setting: &Setting<'_>,
    ) -> Option<Vec<Pattern>> {
        let nodes = match &node.value {
            Value::Seq(items) => items.as_slice(),
            Value::Scalar { text, .. } if text == "any" => &[],
            _ => core::slice::from_ref(node),
        };
        if let (true, Some(field)) = (nodes.is_empty(), given.first()) {
            let hint = "a field goes with the name of an event";
            self.blame_hinted(
                ReadErrorKind::Exclusive { one: "none: any", other: field.name() },
                node.place,
                hint,
            );
        }
        let read: Vec<Option<Pattern>> = nodes
            .iter()
            .map(|node| {
                let event = self.event(node)?;
                self.event_pattern(event, given, fields, setting)
            })
            .collect();
        read.into_iter().collect()
    }

    fn event_pattern(
        &mut self,
        event: &'static str,
        given: &[Field],
        fields: &Fields<'_>,
        setting: &Setting<'_>,
    ) -> Option<Pattern> {
        let (event, has) = fields_of(event)?;
        let mut wanted = Vec::new();
        let mut whole = true;
        for &field in given {
            let Some(node) = fields.get(field.name()) else { continue };
            if !has.contains(&field) {
                let names: Vec<String> = has.iter().map(|field| format!("`{}`", field.name())).collect();
                let hint = Some(format!("it has {}", names.join(", ")));
                self.blame_trial(Kind::NotAField { event, field: field.name() }, node.place, hint);
                whole = false;
                continue;
            }
            match self.inside(field.name(), |reader| reader.wanted(event, field, node, setting.known)) {
                Some(value) => wanted.push((field, value)),
                None => whole = false,
            }
        }
        whole.then_some(Pattern { event, fields: wanted })
    }

    /// What a field is to be.
    fn wanted(&mut self, event: &str, field: Field, node: &Node, known: &Known) -> Option<Wanted> {
        if node.is_null()
            && matches!((event, field), ("void", Field::From | Field::To) | ("held", Field::For))
        {
            return Some(Wanted::Null);
        }
        match field.kind() {
            FieldKind::Whole => self.whole(node, "a whole number").map(|number| Wanted::Whole(number.into())),
            FieldKind::Host => self.known(node, Named::Host, known).map(Wanted::Text),
            FieldKind::Indicator => self.known(node, Named::Indicator, known).map(Wanted::Text),
            FieldKind::Origin => {
                let words: &[&str] = match event {
                    "request" | "held" | "already-there" => &["drain", "operator"],
                    _ => &[],
                };
                self.known_or(node, Named::Rule, known, words).map(Wanted::Text)
            }
            FieldKind::Span => {
                let text = self.text(node, "a span of time such as `5m`")?;
                let hint = "write such as `60s`, `5m` or `1h30m`";
                self.signed(text, node.place, hint).map(Wanted::Millis)
            }
            FieldKind::Word => {
                let absences = Absence::ALL.map(Absence::name);
                let (what, words): (_, &[&str]) = match (field, event) {
                    (Field::Do, _) => ("action", &ACTIONS),
                    (_, "failed") => ("reason", &FAILURES),
                    (_, "held") => ("reason", &HOLDS),
                    (_, "void") => ("reason", &["moved", "clock"]),
                    _ => ("reason", &absences),
                };
                self.word(node, what, words).map(|word| Wanted::Text(word.to_owned()))
            }
        }
    }

    fn fact(&mut self, key: &str, node: &Node, known: &Known) -> Option<Vec<Fact>> {
        let one = |fact| Some(vec![fact]);
        match key {
            "location" if node.is_null() => one(Fact::Location(None)),
            "location" => one(Fact::Location(Some(self.known(node, Named::Host, known)?))),
            "resting" => {
                let text = self.text(node, "`true`, `false`, or the rule that rests")?;
                match text {
                    "true" | "false" => one(Fact::Resting(text == "true")),
                    _ => one(Fact::RestingBy(self.known_or(node, Named::Rule, known, &["true", "false"])?)),
                }
            }
            "settling" => one(Fact::Settling(self.truth(node)?)),
            "open" => one(Fact::Open(self.truth(node)?)),
            "counter" => self
                .facts_of(node, Named::Rule, known, |reader, rule, node| reader.counter(rule, node, known)),
            "truth" => self.facts_of(node, Named::Rule, known, |reader, rule, node| {
                let is = reader.choice(node, "`breach`, `clear`, `unknown`", TRUTHS)?;
                Some(Fact::Truth { rule, is })
            }),
            _ => self.facts_of(node, Named::Indicator, known, |reader, indicator, node| {
                if node.is_null() {
                    return Some(Fact::Value { indicator, is: None });
                }
                let is = reader.number(node, "a number or `null`")?.value;
                Some(Fact::Value { indicator, is: Some(is) })
            }),
        }
    }

    /// Facts by the names of what they are about.
    fn facts_of(
        &mut self,
        node: &Node,
        named: Named,
        known: &Known,
        mut read: impl FnMut(&mut Self, String, &Node) -> Option<Fact>,
    ) -> Option<Vec<Fact>> {
        let mut facts = Vec::new();
        let mut whole = true;
        for Entry { text, key, value, again } in
            self.entries(node, "names and values, such as `overloaded: 2`")?
        {
            self.look_up(text, key, named, known, &[]);
            match self.inside(text, |reader| read(reader, text.to_owned(), value)) {
                Some(fact) if !again => facts.push(fact),
                Some(_) => {}
                None => whole = false,
            }
        }
        if facts.is_empty() && whole {
            self.blame_trial(Kind::NothingSaid, node.place, None);
        }
        (whole && !facts.is_empty()).then_some(facts)
    }

    /// Samples or a span, as the rule counts.
    fn counter(&mut self, rule: String, node: &Node, known: &Known) -> Option<Fact> {
        let text = self.text(node, "how far the counter is, such as `2` or `5m`")?;
        let counts = known
            .with_rule(&rule)
            .and_then(|policy| policy.rule_named(&rule).map(|id| counts_time(&policy.rules()[id])));
        let (is, time) = match (scalar::whole(text), scalar::parse_span(text)) {
            (Some(count), _) => (u64::from(count), false),
            (None, Ok(span)) => (span.millis(), true),
            (None, Err(_)) => {
                let expected = "how far a counter is: a whole number, or a span such as `5m`";
                self.blame(ReadErrorKind::Number { text: short(text), expected }, node.place);
                return None;
            }
        };
        if let Some(counts) = counts.filter(|counts| *counts != time) {
            let hint = if counts { "write a span such as `5m`" } else { "write a whole number" };
            let kind = Kind::CounterKind { rule: short(&rule), time: counts };
            self.blame_trial(kind, node.place, Some(hint.to_owned()));
        }
        Some(Fact::Counter { rule, is, time })
    }
}

/// The names of all of these.
const FAILURES: [&str; 3] =
    [Failure::Reported.name(), Failure::WentElsewhere.name(), Failure::Abandoned.name()];
const HOLDS: [&str; 6] = [
    Hold::LocationUnknown.name(),
    Hold::Operator.name(),
    Hold::Dwell.name(),
    Hold::AtMost.name(),
    Hold::JobRunning.name(),
    Hold::NoEligibleHost.name(),
];
