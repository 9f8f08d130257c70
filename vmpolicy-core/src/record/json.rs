//! The JSON of records: contract, section 5.
//!
//! Times are RFC 3339 in UTC, spans are seconds, and a whole number has no fraction.

use super::{View, counts_time};
use crate::input::{Absence, HookEnd, Hooked};
use crate::output::{Because, Discontinuity, Event, Origin, Seen, Verdict};
use crate::policy::Rule;
use crate::time::Span;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A number, without `.0` where it is whole.
struct Number(f64);

/// A span, in seconds.
struct Seconds(Span);

/// A span of either sign, in seconds.
struct SignedSeconds(i64);

/// Anything printed.
struct Text<T>(T);

/// Why a move was asked for or not.
struct Reasons<'a> {
    view: View<'a>,
    rule: Option<&'a Rule>,
    because: Because,
}

struct Conditions<'a>(&'a Reasons<'a>);
struct OneCondition<'a>(&'a Reasons<'a>, &'a Seen);
struct Hosts<'a>(&'a Reasons<'a>);
struct OneHost<'a>(&'a str, Verdict);

/// Beyond this, not every whole number is a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() <= EXACT {
            to.serialize_i64(self.0 as i64)
        } else {
            to.serialize_f64(self.0)
        }
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Number(self.0.as_secs_f64()).serialize(to)
    }
}

impl Serialize for SignedSeconds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Number(self.0 as f64 / 1_000.0).serialize(to)
    }
}

impl<T: core::fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("at", &Text(self.record.at))?;
        map.serialize_entry("guest", self.guest)?;
        map.serialize_entry("event", self.record.event.name())?;
        self.rest(&mut map)?;
        map.end()
    }
}

impl<'a> View<'a> {
    fn reasons(self, origin: Origin, because: Because) -> Reasons<'a> {
        Reasons { view: self, rule: self.rule(origin), because }
    }

    fn rest<M: SerializeMap>(self, map: &mut M) -> Result<(), M::Error> {
        let host = |id| self.policy.hosts()[id].name.as_str();
        match self.record.event {
            Event::Request { id, origin, action, from, to, because } => {
                map.serialize_entry("id", &id)?;
                map.serialize_entry("rule", self.origin(origin))?;
                map.serialize_entry("do", action.name())?;
                map.serialize_entry("from", host(from))?;
                map.serialize_entry("to", host(to))?;
                map.serialize_entry("because", &self.reasons(origin, because))
            }
            Event::Confirmed { id, at_host } => {
                map.serialize_entry("id", &id)?;
                map.serialize_entry("at_host", host(at_host))
            }
            Event::Refused { id, to, barred } | Event::Expired { id, to, barred } => {
                map.serialize_entry("id", &id)?;
                map.serialize_entry("to", host(to))?;
                map.serialize_entry("barred_for", &Seconds(barred))
            }
            Event::Failed { id, to, barred, why } => {
                map.serialize_entry("id", &id)?;
                map.serialize_entry("to", host(to))?;
                map.serialize_entry("reason", why.name())?;
                map.serialize_entry("barred_for", &Seconds(barred))
            }
            Event::Held { origin, by, lasts, because } => {
                map.serialize_entry("rule", self.origin(origin))?;
                map.serialize_entry("reason", by.name())?;
                map.serialize_entry("for", &lasts.map(Seconds))?;
                map.serialize_entry("because", &self.reasons(origin, because))
            }
            Event::AlreadyThere { origin, at_host } => {
                map.serialize_entry("rule", self.origin(origin))?;
                map.serialize_entry("at_host", host(at_host))
            }
            Event::NoBetterHost { rule, pause, because } => {
                map.serialize_entry("rule", self.origin(Origin::Rule(rule)))?;
                map.serialize_entry("pause", &Seconds(pause))?;
                map.serialize_entry("because", &self.reasons(Origin::Rule(rule), because))
            }
            Event::Rest { rule } | Event::Wake { rule } => {
                map.serialize_entry("rule", self.origin(Origin::Rule(rule)))
            }
            Event::Void { why: Discontinuity::Moved { from, to } } => {
                map.serialize_entry("reason", "moved")?;
                map.serialize_entry("from", &from.map(host))?;
                map.serialize_entry("to", &to.map(host))
            }
            Event::Void { why: Discontinuity::Clock { apart_ms } } => {
                map.serialize_entry("reason", "clock")?;
                map.serialize_entry("apart", &SignedSeconds(apart_ms))
            }
            Event::Unknown { indicator, why } => {
                map.serialize_entry("indicator", &self.policy.indicators()[indicator].name)?;
                map.serialize_entry("reason", why.name())
            }
            Event::Hook(Hooked { hook, id, host: at, ended, took }) => {
                map.serialize_entry("hook", hook.name())?;
                map.serialize_entry("id", &id)?;
                map.serialize_entry("host", &at.map(host))?;
                map.serialize_entry("outcome", ended.name())?;
                let status = if let HookEnd::Exit(status) = ended { Some(status) } else { None };
                map.serialize_entry("exit", &status)?;
                map.serialize_entry("took", &Seconds(took))
            }
            Event::Reload { rules_kept } => map.serialize_entry("rules_kept", &rules_kept),
        }
    }
}

impl Serialize for Reasons<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        if let Some(rule) = self.rule {
            let counter = self.because.counter;
            if counts_time(rule) {
                map.serialize_entry("counter", &Seconds(Span::from_millis(counter)))?;
            } else {
                map.serialize_entry("counter", &counter)?;
            }
            map.serialize_entry("tarry", &Text(rule.tarry))?;
        }
        map.serialize_entry("conditions", &Conditions(self))?;
        map.serialize_entry("hosts", &Hosts(self))?;
        map.end()
    }
}

impl Serialize for Conditions<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let seen = self.0.view.output.seen.get(self.0.because.seen()).unwrap_or_default();
        to.collect_seq(seen.iter().map(|seen| OneCondition(self.0, seen)))
    }
}

impl Serialize for OneCondition<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(Reasons { view, rule, .. }, seen) = self;
        let mut map = to.serialize_map(Some(3))?;
        let leaf = rule.and_then(|rule| rule.when.leaf(seen.leaf));
        map.serialize_entry("when", &leaf.map(|leaf| Text(view.policy.show(leaf))))?;
        if seen.timed_out {
            map.serialize_entry("saw", Absence::TimedOut.name())?;
        } else {
            map.serialize_entry("saw", &seen.value.map(Number))?;
        }
        map.serialize_entry("is", seen.truth.name())?;
        map.end()
    }
}

impl Serialize for Hosts<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Reasons { view, because, .. } = self.0;
        let verdicts = view.output.verdicts.get(because.verdicts()).unwrap_or_default();
        let hosts = view.policy.hosts();
        to.collect_seq(verdicts.iter().map(|&(host, verdict)| OneHost(&hosts[host].name, verdict)))
    }
}

impl Serialize for OneHost<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("host", self.0)?;
        map.serialize_entry("verdict", self.1.name())?;
        if let Some(lasts) = self.1.lasts() {
            map.serialize_entry("for", &Seconds(lasts))?;
        }
        map.end()
    }
}
