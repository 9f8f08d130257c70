//! What a request, or a rest, may stand on.

use super::super::condition::{by_clock, by_seen, of_batch, weigh};
use super::super::evidence::Sample;
use super::super::facts::{Facts, Said};
use super::super::readiness::only_indicator;
use super::super::{Finding, Step};
use crate::id::{Id, RuleId};
use crate::input::Input;
use crate::output::{Because, Event, Origin, Record, Seen};
use crate::policy::Condition;

/// The rule that begins to act: asks (not while it rests already), or goes to rest.
fn acts(facts: &Facts, record: &Record) -> Option<RuleId> {
    match record.event {
        Event::Request { origin: Origin::Rule(rule), .. } if facts.resting != Some(rule) => Some(rule),
        Event::Rest { rule } => Some(rule),
        _ => None,
    }
}

/// What was seen, where a rule gives it as its reason and it was judged in this step.
fn reason(record: &Record) -> Option<(RuleId, Because)> {
    match record.event {
        Event::Request { origin: Origin::Rule(rule), because, .. }
        | Event::Held { origin: Origin::Rule(rule), because, .. }
        | Event::NoBetterHost { rule, because, .. } => Some((rule, because)),
        _ => None,
    }
}

pub(super) fn enough(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let Some(rule) = acts(facts, record) else { return Finding::Idle };
    if only_indicator(&facts.policy.rules()[rule]).is_none() {
        return Finding::Idle;
    }
    match facts.enough(rule) {
        Ok(()) => Finding::Holds,
        Err(why) => Finding::Broken(format!("{rule:?}: {why}")),
    }
}

/// The value that a record says was seen is the one that was read, or counted in the batch.
pub(super) fn as_read(facts: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    let Some((rule, because)) = reason(record).filter(|_| !facts.reloaded) else { return Finding::Idle };
    let (mut judged, mut wrong) = (false, None);
    let seen = step.output.seen.get(because.seen()).unwrap_or_default();
    let mut at = 0;
    weigh(&facts.policy.rules()[rule].when, &mut |leaf| {
        if let Some(saw) = saw(seen, at) {
            match is_of(facts, leaf, saw) {
                Some(true) => judged = true,
                Some(false) => wrong = Some(format!("leaf {at} saw {saw:?}, which nobody read")),
                None => {}
            }
        }
        at += 1;
        (0, 0)
    });
    match wrong {
        Some(what) => Finding::Broken(what),
        None if judged => Finding::Holds,
        None => Finding::Idle,
    }
}

/// What a leaf saw, where it saw anything.
fn saw(seen: &[Seen], leaf: u16) -> Option<Sample> {
    let seen = seen.iter().find(|seen| seen.leaf == leaf)?;
    if seen.timed_out { Some(Sample::TimedOut) } else { seen.value.map(Sample::Known) }
}

fn is_of(facts: &Facts, leaf: &Condition, saw: Sample) -> Option<bool> {
    match leaf {
        Condition::Indicator { indicator, .. } => {
            let about = &facts.policy.indicators()[*indicator];
            let polls = &facts.indicators[indicator.index()];
            // The newest that counted: at the latest the newest that did for certain.
            for (at, poll) in polls.back(0) {
                if polls.samples(about, at).contains(&saw) {
                    return Some(true);
                }
                if poll.certain {
                    return Some(false);
                }
            }
            None
        }
        Condition::Count { queue, .. } | Condition::Gain { queue, .. } => {
            if facts.queues[queue.index()].vague {
                return None;
            }
            let own = of_batch(&facts.policy, leaf, facts.queues[queue.index()].batch.as_ref()?)?;
            let Sample::Known(value) = saw else { return Some(false) };
            Some((own - value).abs() <= 1e-9 * own.abs().max(1.0))
        }
        _ => None,
    }
}

pub(super) fn was_true(facts: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    // What a resting rule saw may be long ago, its request comes late.
    let Some((rule, because)) = reason(record).filter(|(rule, _)| facts.resting != Some(*rule)) else {
        return Finding::Idle;
    };
    let about = &facts.policy.rules()[rule];
    let seen = step.output.seen.get(because.seen()).unwrap_or_default();
    match by_seen(&facts.policy, about, seen) {
        Err(what) => Finding::Broken(format!("{rule:?}: {what}")),
        Ok(degree) => {
            let by_clock = by_clock(&facts.policy, &about.when, step.now.wall);
            Finding::judged(degree == (1, 1) && by_clock != Some(false), || {
                format!("{rule:?}: {degree:?} by what was seen, {by_clock:?} by the clock")
            })
        }
    }
}

/// A rule on indicators acts when one of them was read, or was known to be late; one on a batch when a
/// batch came or a job ended.
pub(super) fn on_a_sample(facts: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    let Some(id) = acts(facts, record) else { return Finding::Idle };
    let rule = &facts.policy.rules()[id];
    if rule.is_clock_only() {
        return Finding::Idle;
    }
    let sampled = match step.input {
        Input::Reading(reading) => rule.reads(reading.indicator),
        Input::Batch { queue, .. } | Input::JobDone { queue } => rule.queue == Some(*queue),
        _ => false,
    };
    let late = facts.late.iter().any(|indicator| rule.reads(*indicator));
    Finding::judged(sampled || late, || format!("{id:?} acts on {:?}", step.input))
}

/// A rule that is ready beyond doubt acts, or it is known why not.
pub(super) fn ready_acts(facts: &Facts, step: &Step<'_>) -> Finding {
    if facts.ready.is_empty() {
        return Finding::Idle;
    }
    if facts.requested || facts.resting.is_some() || facts.started_over || facts.reloaded {
        return Finding::Holds;
    }
    for &rule in &facts.ready {
        let about = &facts.rules[rule.index()];
        let said = step.output.records.iter().any(|record| match record.event {
            Event::Held { origin, .. } | Event::AlreadyThere { origin, .. } => origin == Origin::Rule(rule),
            Event::NoBetterHost { rule: of, .. } => of == rule,
            _ => false,
        });
        let known = about.said.is_some_and(|said| matches!(said, Said::Held(_) | Said::AlreadyThere))
            || about.pause_until.is_some_and(|until| facts.t() < until);
        if !said && !known {
            return Finding::Broken(format!("{rule:?} is ready, asks for nothing and says nothing"));
        }
    }
    Finding::Holds
}
