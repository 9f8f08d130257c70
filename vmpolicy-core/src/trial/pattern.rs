//! Events as they are expected: a name, and any of the fields that the record has.

use crate::id::HostId;
use crate::output::{Discontinuity, Event, Origin};
use crate::policy::Policy;
use crate::time::Span;
use core::fmt;

/// What must be complete where a case says nothing else: what the guest decides.
pub const DECISIVE: [&str; 5] = ["request", "held", "no-better-host", "rest", "wake"];

/// Every event, with the fields that can be expected of it, as `docs/records.md` has them.
pub const EVENTS: [(&str, &[Field]); 14] = [
    ("request", &[Field::Id, Field::Rule, Field::Do, Field::From, Field::To]),
    ("confirmed", &[Field::Id, Field::AtHost]),
    ("refused", &[Field::Id, Field::To, Field::BarredFor]),
    ("failed", &[Field::Id, Field::To, Field::Reason, Field::BarredFor]),
    ("expired", &[Field::Id, Field::To, Field::BarredFor]),
    ("held", &[Field::Rule, Field::Reason, Field::For]),
    ("already-there", &[Field::Rule, Field::AtHost]),
    ("no-better-host", &[Field::Rule, Field::Pause]),
    ("rest", &[Field::Rule]),
    ("wake", &[Field::Rule]),
    ("void", &[Field::Reason, Field::From, Field::To, Field::Apart]),
    ("unknown", &[Field::Indicator, Field::Reason]),
    ("hook", &[]),
    ("reload", &[Field::RulesKept]),
];

/// The fields of an event of this name, where there is one.
#[must_use]
pub fn fields_of(event: &str) -> Option<(&'static str, &'static [Field])> {
    EVENTS.into_iter().find(|(name, _)| *name == event)
}

/// A field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The request's number.
    Id,
    /// Who wanted it: a rule, `drain`, `operator`.
    Rule,
    /// The action.
    Do,
    /// From where.
    From,
    /// To where.
    To,
    /// Where it is now.
    AtHost,
    /// Why.
    Reason,
    /// For how much longer.
    For,
    /// For how long the target is barred.
    BarredFor,
    /// For how long the rule stays put.
    Pause,
    /// Which indicator.
    Indicator,
    /// How many rules kept their counters.
    RulesKept,
    /// How much further the wall clock went.
    Apart,
}

/// What a field's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A whole number.
    Whole,
    /// The name of a host.
    Host,
    /// The name of a rule, `drain` or `operator`.
    Origin,
    /// The name of an indicator.
    Indicator,
    /// One of a few words.
    Word,
    /// A span of time.
    Span,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Id,
        Self::Rule,
        Self::Do,
        Self::From,
        Self::To,
        Self::AtHost,
        Self::Reason,
        Self::For,
        Self::BarredFor,
        Self::Pause,
        Self::Indicator,
        Self::RulesKept,
        Self::Apart,
    ];

    /// The name in records and in test files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Rule => "rule",
            Self::Do => "do",
            Self::From => "from",
            Self::To => "to",
            Self::AtHost => "at_host",
            Self::Reason => "reason",
            Self::For => "for",
            Self::BarredFor => "barred_for",
            Self::Pause => "pause",
            Self::Indicator => "indicator",
            Self::RulesKept => "rules_kept",
            Self::Apart => "apart",
        }
    }

    /// What its value is.
    #[must_use]
    pub const fn kind(self) -> FieldKind {
        match self {
            Self::Id | Self::RulesKept => FieldKind::Whole,
            Self::Rule => FieldKind::Origin,
            Self::Do | Self::Reason => FieldKind::Word,
            Self::From | Self::To | Self::AtHost => FieldKind::Host,
            Self::For | Self::BarredFor | Self::Pause | Self::Apart => FieldKind::Span,
            Self::Indicator => FieldKind::Indicator,
        }
    }
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A name or a word.
    Text(String),
    /// A whole number.
    Whole(u64),
    /// Milliseconds, which may be fewer than none.
    Millis(i64),
    /// `null`: not known.
    Null,
}

impl Value {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn span(span: Span) -> Self {
        Self::Millis(i64::try_from(span.millis()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Millis(millis) => {
                let sign = if *millis < 0 { "-" } else { "" };
                write!(f, "{sign}{}", Span::from_millis(millis.unsigned_abs()))
            }
            Self::Null => f.write_str("null"),
        }
    }
}

/// An event as it is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Its name.
    pub event: &'static str,
    /// The fields that matter, and what they are to be.
    pub fields: Vec<(Field, Value)>,
}

impl Pattern {
    /// The pattern that an event fits, by these fields as far as it has them.
    #[must_use]
    pub fn of(event: &Event, policy: &Policy, fields: &[Field]) -> Self {
        let fields =
            fields.iter().filter_map(|field| value(event, *field, policy).map(|value| (*field, value)));
        Self { event: event.name(), fields: fields.collect() }
    }

    /// Whether the event is one of these.
    #[must_use]
    pub fn fits(&self, event: &Event, policy: &Policy) -> bool {
        event.name() == self.event && self.misfits(event, policy).next().is_none()
    }

    /// The fields of an event of the same name that are not as expected, and what they are.
    pub fn misfits(&self, event: &Event, policy: &Policy) -> impl Iterator<Item = (Field, Value)> {
        self.fields.iter().filter_map(|(field, want)| {
            let got = value(event, *field, policy).unwrap_or(Value::Null);
            (got != *want).then_some((*field, got))
        })
    }
}

impl fmt::Display for Pattern {
    /// As the file could have it: `request rule=overloaded to=mln2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.event)?;
        for (field, value) in &self.fields {
            write!(f, " {}={value}", field.name())?;
        }
        Ok(())
    }
}

/// What a field of an event is, where the event has it.
fn value(event: &Event, field: Field, policy: &Policy) -> Option<Value> {
    let host = |id: HostId| Value::text(&policy.hosts()[id].name);
    let maybe = |id: Option<HostId>| id.map_or(Value::Null, host);
    let origin = |origin: Origin| match origin {
        Origin::Rule(rule) => Value::text(&policy.rules()[rule].name),
        Origin::Drain => Value::text("drain"),
        Origin::Operator => Value::text("operator"),
    };
    let found = match (*event, field) {
        (
            Event::Request { id, .. }
            | Event::Confirmed { id, .. }
            | Event::Refused { id, .. }
            | Event::Failed { id, .. }
            | Event::Expired { id, .. },
            Field::Id,
        ) => Value::Whole(id.0),
        (
            Event::Request { origin: of, .. }
            | Event::Held { origin: of, .. }
            | Event::AlreadyThere { origin: of, .. },
            Field::Rule,
        ) => origin(of),
        (Event::NoBetterHost { rule, .. } | Event::Rest { rule } | Event::Wake { rule }, Field::Rule) => {
            origin(Origin::Rule(rule))
        }
        (Event::Request { action, .. }, Field::Do) => Value::text(action.name()),
        (Event::Request { from, .. }, Field::From) => host(from),
        (
            Event::Request { to, .. }
            | Event::Refused { to, .. }
            | Event::Failed { to, .. }
            | Event::Expired { to, .. },
            Field::To,
        ) => host(to),
        (Event::Confirmed { at_host, .. } | Event::AlreadyThere { at_host, .. }, Field::AtHost) => {
            host(at_host)
        }
        (
            Event::Refused { barred, .. } | Event::Failed { barred, .. } | Event::Expired { barred, .. },
            Field::BarredFor,
        ) => Value::span(barred),
        (Event::Failed { why, .. }, Field::Reason) => Value::text(why.name()),
        (Event::Held { by, .. }, Field::Reason) => Value::text(by.name()),
        (Event::Held { lasts, .. }, Field::For) => lasts.map_or(Value::Null, Value::span),
        (Event::NoBetterHost { pause, .. }, Field::Pause) => Value::span(pause),
        (Event::Void { why }, field) => match (why, field) {
            (Discontinuity::Moved { .. }, Field::Reason) => Value::text("moved"),
            (Discontinuity::Clock { .. }, Field::Reason) => Value::text("clock"),
            (Discontinuity::Moved { from, .. }, Field::From) => maybe(from),
            (Discontinuity::Moved { to, .. }, Field::To) => maybe(to),
            (Discontinuity::Clock { apart_ms }, Field::Apart) => Value::Millis(apart_ms),
            _ => return None,
        },
        (Event::Unknown { indicator, .. }, Field::Indicator) => {
            Value::text(&policy.indicators()[indicator].name)
        }
        (Event::Unknown { why, .. }, Field::Reason) => Value::text(why.name()),
        (Event::Reload { rules_kept }, Field::RulesKept) => Value::Whole(u64::from(rules_kept)),
        _ => return None,
    };
    Some(found)
}
