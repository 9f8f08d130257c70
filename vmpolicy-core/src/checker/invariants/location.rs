//! Moves that nobody asked for, and clocks that jump.

use super::super::facts::{Facts, Place};
use super::super::{Finding, Step};
use crate::input::{Input, Outcome};
use crate::output::{Discontinuity, Event, Record};

fn voids(step: &Step<'_>, of_clock: bool) -> impl Iterator<Item = Discontinuity> {
    step.output.records.iter().filter_map(move |record| match record.event {
        Event::Void { why } if matches!(why, Discontinuity::Clock { .. }) == of_clock => Some(why),
        _ => None,
    })
}

/// The location changed, nothing was asked for or another place was: void.
pub(super) fn foreign_moves(facts: &Facts, step: &Step<'_>) -> Finding {
    let Input::Location(sighting) = step.input else { return Finding::Idle };
    if facts.reloaded {
        return Finding::Idle;
    }
    let Some(now) = facts.place_of(*sighting) else { return Finding::Idle };
    let confirmed = step.output.records.iter().any(|record| matches!(record.event, Event::Confirmed { .. }));
    if facts.place_before == Place::Unknown || facts.place_before == now || confirmed {
        return Finding::Idle;
    }
    Finding::judged(voids(step, false).count() == 1, || {
        format!("from {:?} to {now:?}, and nothing is void", facts.place_before)
    })
}

pub(super) fn clock_jumps(facts: &Facts, step: &Step<'_>) -> Finding {
    let said: Vec<_> = voids(step, true).collect();
    match facts.jump {
        None if said.is_empty() => Finding::Idle,
        None => Finding::Broken(format!("{said:?}, and the clocks agree")),
        Some(apart_ms) => Finding::judged(said == [Discontinuity::Clock { apart_ms }], || {
            format!("the clocks are {apart_ms} ms apart, and {said:?} is said")
        }),
    }
}

pub(super) fn void_has_a_cause(facts: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    let Event::Void { why: Discontinuity::Moved { from, to } } = record.event else { return Finding::Idle };
    let seen = match step.input {
        Input::Location(sighting) => {
            facts.place_of(*sighting) == Some(to.map_or(Place::Elsewhere, Place::At))
        }
        Input::Outcome { outcome: Outcome::Accepted | Outcome::Confirmed, .. } => !facts.setup.locates,
        _ => false,
    };
    Finding::judged(seen && from != to, || format!("moved from {from:?} to {to:?} by {:?}", step.input))
}
