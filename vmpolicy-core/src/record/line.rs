//! A record as one line for people.

use super::{View, counts_time};
use crate::input::{HookEnd, Hooked};
use crate::leaf::logic::Truth;
use crate::leaf::tarry::Tarry;
use crate::output::{Because, Discontinuity, Event, Failure, Hold, Origin, Seen, Verdict};
use crate::policy::{Condition, Rule};
use crate::time::Span;
use core::fmt;

/// A record as one line: `12:44:20 nii1 asks to move mln1 -> mln2 (overloaded: slow_queries 76 > 50, 3 of 3)`.
///
/// Times are in UTC, as in the JSON. The wording may change; programs read the JSON.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    view: View<'a>,
    dated: bool,
}

/// A number as a person wants it: whole, or with up to four figures behind the point.
#[derive(Clone, Copy, Debug)]
struct Rounded(f64);

impl<'a> Line<'a> {
    pub(super) const fn of(view: View<'a>) -> Self {
        Self { view, dated: false }
    }

    /// The same with the day before the time.
    #[must_use]
    pub const fn dated(mut self) -> Self {
        self.dated = true;
        self
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = self.view;
        let at = view.record.at.to_string();
        match at.split_once('T') {
            Some((day, time)) => {
                let time = time.trim_end_matches('Z');
                if self.dated { write!(f, "{day} {time}")? } else { f.write_str(time)? }
            }
            None => f.write_str(&at)?,
        }
        write!(f, " {} ", view.guest)?;
        view.said(f)
    }
}

impl View<'_> {
    fn said(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = |id| self.policy.hosts()[id].name.as_str();
        match self.record.event {
            Event::Request { origin, from, to, because, .. } => {
                write!(f, "asks to move {} -> {} (", host(from), host(to))?;
                self.why(f, origin, because)?;
                f.write_str(")")
            }
            Event::Confirmed { at_host, .. } => write!(f, "is at {}", host(at_host)),
            Event::Refused { to, barred, .. } => {
                write!(f, "was refused the move to {0}; {0} is barred for {barred}", host(to))
            }
            Event::Expired { to, barred, .. } => {
                write!(f, "has not moved to {0} in time; {0} is barred for {barred}", host(to))
            }
            Event::Failed { to, barred, why, .. } => {
                let why = match why {
                    Failure::Reported => "the move failed",
                    Failure::WentElsewhere => "it went elsewhere",
                    Failure::Abandoned => "given up by an operator",
                };
                write!(f, "has not moved to {}: {why}", host(to))?;
                if barred.is_zero() { Ok(()) } else { write!(f, "; {} is barred for {barred}", host(to)) }
            }
            Event::Held { origin, by, lasts, because } => {
                let by = match by {
                    Hold::LocationUnknown => "nobody knows where it is",
                    Hold::Operator => "an operator holds it",
                    Hold::Dwell => "the last move is too recent",
                    Hold::AtMost => "its budget of moves is spent",
                    Hold::JobRunning => "a job is running",
                    Hold::NoEligibleHost => "no host is eligible",
                };
                write!(f, "stays: {by}")?;
                if let Some(lasts) = lasts {
                    write!(f, ", for {lasts} more")?;
                }
                f.write_str(" (")?;
                self.why(f, origin, because)?;
                self.hosts(f, by_hosts(&self.record.event), because)?;
                f.write_str(")")
            }
            Event::AlreadyThere { origin, at_host } => {
                write!(f, "is at {} already ({})", host(at_host), self.origin(origin))
            }
            Event::NoBetterHost { rule, pause, because } => {
                write!(f, "finds no better host and stays for {pause} (")?;
                self.why(f, Origin::Rule(rule), because)?;
                f.write_str(")")
            }
            Event::Rest { rule } => write!(f, "rests ({})", self.origin(Origin::Rule(rule))),
            Event::Wake { rule } => write!(f, "wakes ({} is over)", self.origin(Origin::Rule(rule))),
            Event::Void { why: Discontinuity::Moved { from, to } } => {
                let (from, to) = (from.map_or("somewhere", host), to.map_or("elsewhere", host));
                write!(f, "was moved by somebody else, {from} -> {to}; its samples are void")
            }
            Event::Void { why: Discontinuity::Clock { apart_ms } } => {
                let apart = Span::from_millis(apart_ms.unsigned_abs());
                write!(f, "has clocks that differ by {apart}; its samples are void")
            }
            Event::Unknown { indicator, why } => {
                write!(f, "can't use {}: {}", self.policy.indicators()[indicator].name, why.name())
            }
            Event::Hook(Hooked { hook, host: at, ended, took, .. }) => {
                write!(f, "has run {}", hook.name())?;
                if let Some(at) = at {
                    write!(f, " on {}", host(at))?;
                }
                match ended {
                    HookEnd::Exit(0) => write!(f, ", which took {took}"),
                    HookEnd::Exit(status) => write!(f, ", which failed with status {status} after {took}"),
                    HookEnd::Signal(signal) => write!(f, ", which ended by signal {signal} after {took}"),
                    HookEnd::TimedOut => write!(f, ", which was killed after {took}"),
                    HookEnd::NotStarted => f.write_str(", which could not be started"),
                    HookEnd::Lost => f.write_str(", and nobody knows how it ended"),
                }
            }
            Event::Reload { rules_kept } => write!(f, "has a new policy; {rules_kept} rules go on counting"),
        }
    }

    /// The rule, what its conditions saw, how far its counter is.
    fn why(self, f: &mut fmt::Formatter<'_>, origin: Origin, because: Because) -> fmt::Result {
        f.write_str(self.origin(origin))?;
        let Some(rule) = self.rule(origin) else { return Ok(()) };
        for (index, seen) in self.output.seen.get(because.seen()).unwrap_or_default().iter().enumerate() {
            f.write_str(if index == 0 { ": " } else { ", " })?;
            self.condition(f, rule, seen)?;
        }
        match rule.tarry {
            _ if counts_time(rule) => match Span::from_millis(because.counter) {
                Span::ZERO => Ok(()),
                held => write!(f, ", for {held}"),
            },
            Tarry::Consecutive(1) | Tarry::Lasting(_) => Ok(()),
            Tarry::Consecutive(need) => write!(f, ", {} of {need}", because.counter),
            Tarry::Of { last, .. } => write!(f, ", {} of the last {last}", because.counter),
        }
    }

    fn condition(self, f: &mut fmt::Formatter<'_>, rule: &Rule, seen: &Seen) -> fmt::Result {
        let Some(leaf) = rule.when.leaf(seen.leaf) else { return Ok(()) };
        let shown = self.policy.show(leaf).to_string();
        let sign = match leaf {
            Condition::Indicator { compare, .. }
            | Condition::Count { compare, .. }
            | Condition::Gain { compare, .. } => compare.sign(),
            _ => "",
        };
        let split = (!sign.is_empty()).then(|| shown.rsplit_once(&format!(" {sign} "))).flatten();
        match (split, seen.value, seen.truth) {
            (Some((what, _)), None, _) if seen.timed_out => write!(f, "{what} timed out"),
            (Some((what, _)), None, _) => write!(f, "{what} unknown"),
            (Some((what, than)), Some(saw), truth) => {
                let not = if truth == Truth::Breach { "" } else { "not " };
                write!(f, "{what} {} {not}{sign} {than}", Rounded(saw))
            }
            (None, _, Truth::Breach) => f.write_str(&shown),
            (None, _, Truth::Clear) => write!(f, "not {shown}"),
            (None, _, Truth::Unknown) => write!(f, "{shown} unknown"),
        }
    }

    /// What speaks against each host, where hosts are what a move is held by.
    fn hosts(self, f: &mut fmt::Formatter<'_>, wanted: bool, because: Because) -> fmt::Result {
        if !wanted {
            return Ok(());
        }
        for (host, verdict) in self.output.verdicts.get(because.verdicts()).unwrap_or_default() {
            if matches!(verdict, Verdict::Current) {
                continue;
            }
            write!(f, "; {} {}", self.policy.hosts()[*host].name, verdict.name())?;
            if let Some(lasts) = verdict.lasts() {
                write!(f, " for {lasts}")?;
            }
        }
        Ok(())
    }
}

const fn by_hosts(event: &Event) -> bool {
    matches!(event, Event::Held { by: Hold::NoEligibleHost, .. })
}

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = (self.0 * 1e4).round() / 1e4;
        match self.0.abs() {
            size if size == 0.0 || (1e-3..1e15).contains(&size) => write!(f, "{rounded}"),
            _ => write!(f, "{:e}", self.0),
        }
    }
}
