//! Requests: one at a time, one move each, and how they may end.

use super::super::facts::{Facts, Open, Place};
use super::super::{Finding, Step};
use crate::input::{Input, Outcome, Word};
use crate::output::{Effect, Event, Failure, Record, Request};

pub(super) fn one_open(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let Event::Request { id, .. } = record.event else { return Finding::Idle };
    Finding::judged(facts.open.is_none(), || {
        format!("{id} is asked for while {:?} is open", facts.open.map(|open| open.id))
    })
}

pub(super) fn ids_rise(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let Event::Request { id, .. } = record.event else { return Finding::Idle };
    Finding::judged(id.0 == facts.last_id + 1, || format!("{id} follows {}", facts.last_id))
}

/// A request that is recorded leaves in the same step, once, and one that is not does not.
pub(super) fn leaves_once(_: &Facts, step: &Step<'_>) -> Finding {
    let recorded = step.output.records.iter().filter_map(|record| match record.event {
        Event::Request { id, .. } => Some(id),
        _ => None,
    });
    let left = step.output.effects.iter().filter_map(|effect| match effect {
        Effect::Request(request) if !request.resent => Some(request.id),
        _ => None,
    });
    let (recorded, left): (Vec<_>, Vec<_>) = (recorded.collect(), left.collect());
    if recorded.is_empty() && left.is_empty() {
        return Finding::Idle;
    }
    Finding::judged(recorded == left, || format!("recorded {recorded:?}, left {left:?}"))
}

fn is_of(open: &Open, request: &Request) -> bool {
    (open.id, open.action, open.from, open.to) == (request.id, request.action, request.from, request.to)
}

/// What leaves is what was recorded, and is still open.
pub(super) fn has_its_record(facts: &Facts, _: &Step<'_>, effect: &Effect) -> Finding {
    let Effect::Request(request) = effect else { return Finding::Idle };
    let fits = facts.open.is_some_and(|open| is_of(&open, request));
    Finding::judged(fits, || format!("{request:?} leaves while open is {:?}", facts.open))
}

/// A request leaves a second time only where the actuator is idempotent, and once for each start.
pub(super) fn resent(facts: &Facts, _: &Step<'_>, effect: &Effect) -> Finding {
    let Effect::Request(request) = effect else { return Finding::Idle };
    let Some(open) = facts.open else { return Finding::Broken(format!("{request:?} with none open")) };
    let may = if open.left == 0 {
        !request.resent
    } else {
        request.resent && facts.setup.resends && open.may_resend
    };
    Finding::judged(may, || format!("{request:?} leaves, having left {} times before", open.left))
}

pub(super) fn saved(_: &Facts, step: &Step<'_>) -> Finding {
    let leaves = step
        .output
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Request(_) | Effect::Claim(_) | Effect::Run { .. }));
    if !leaves && step.output.records.is_empty() {
        return Finding::Idle;
    }
    Finding::judged(step.output.save, || "something leaves or is recorded, and is not saved".to_owned())
}

pub(super) fn only_open_ends(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let (id, to) = match record.event {
        Event::Confirmed { id, at_host } => (id, at_host),
        Event::Refused { id, to, .. } | Event::Failed { id, to, .. } | Event::Expired { id, to, .. } => {
            (id, to)
        }
        _ => return Finding::Idle,
    };
    let fits = facts.open.is_some_and(|open| open.id == id && open.to == to);
    Finding::judged(fits, || format!("{} of {id} while open is {:?}", record.event.name(), facts.open))
}

fn seen_at(facts: &Facts, step: &Step<'_>) -> Option<Place> {
    match step.input {
        Input::Location(sighting) => facts.place_of(*sighting),
        _ => None,
    }
}

fn outcome(step: &Step<'_>, open: &Open) -> Option<Outcome> {
    match step.input {
        Input::Outcome { id, outcome } if *id == open.id => Some(*outcome),
        _ => None,
    }
}

/// Where there is a locator an answer is no move; where there is none, moves are believed.
pub(super) fn seen(facts: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    let (Event::Confirmed { .. }, Some(open)) = (record.event, facts.open) else { return Finding::Idle };
    let believed =
        !facts.setup.locates && matches!(outcome(step, &open), Some(Outcome::Accepted | Outcome::Confirmed));
    Finding::judged(believed || seen_at(facts, step) == Some(Place::At(open.to)), || {
        format!("{} is confirmed by {:?}", open.id, step.input)
    })
}

pub(super) fn refused(facts: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    let (Event::Refused { .. }, Some(open)) = (record.event, facts.open) else { return Finding::Idle };
    Finding::judged(outcome(step, &open) == Some(Outcome::Refused), || format!("refused by {:?}", step.input))
}

pub(super) fn failed(facts: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    let (Event::Failed { why, .. }, Some(open)) = (record.event, facts.open) else { return Finding::Idle };
    let fits = match why {
        Failure::Reported if facts.setup.locates => {
            open.said_failed && seen_at(facts, step) == Some(Place::At(open.from))
        }
        Failure::Reported => outcome(step, &open) == Some(Outcome::Failed),
        Failure::WentElsewhere => {
            seen_at(facts, step).is_some_and(|at| at != Place::At(open.from) && at != Place::At(open.to))
        }
        Failure::Abandoned => matches!(step.input, Input::Operator(Word::Abandon)),
    };
    Finding::judged(fits, || format!("{why:?} by {:?}, {open:?}", step.input))
}

pub(super) fn expired(facts: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    let (Event::Expired { .. }, Some(open)) = (record.event, facts.open) else { return Finding::Idle };
    let looked_up = !facts.setup.locates || seen_at(facts, step) == Some(Place::At(open.from));
    Finding::judged(looked_up && facts.t() >= open.confirm_by, || {
        format!("expired by {:?} at {:?}, {open:?}", step.input, facts.t())
    })
}

/// Without a locator a request ends at its limit; with one, when it is seen where the guest is.
pub(super) fn ends(facts: &Facts, step: &Step<'_>) -> Finding {
    let Some(open) = facts.open.filter(|_| facts.was_open && !facts.requested) else { return Finding::Idle };
    let over = match seen_at(facts, step) {
        Some(Place::At(at)) if at == open.from => open.overdue || open.said_failed,
        Some(_) => true,
        None => !facts.setup.locates && facts.t() >= open.confirm_by,
    };
    let sure = over || facts.t() >= open.confirm_by || seen_at(facts, step).is_some();
    if !sure {
        return Finding::Idle;
    }
    Finding::judged(!over, || format!("{} is still open after {:?} at {:?}", open.id, step.input, facts.t()))
}
