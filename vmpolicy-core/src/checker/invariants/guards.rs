//! What holds a move back, and what must not.

use super::super::facts::Facts;
use super::super::{Finding, Step};
use crate::id::{HostId, RuleId};
use crate::output::{Event, Hold, Origin, Record};
use crate::policy::Action;

fn by_rule(record: &Record) -> Option<RuleId> {
    match record.event {
        Event::Request { origin: Origin::Rule(rule), .. } => Some(rule),
        _ => None,
    }
}

pub(super) fn at_most(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    if by_rule(record).is_none() {
        return Finding::Idle;
    }
    let budget = facts.policy.moves().at_most;
    let recent =
        facts.spent.iter().filter(|spent| spent.by_rule && facts.t() < spent.at.plus(budget.per)).count();
    Finding::judged(recent < budget.count as usize, || {
        format!("{recent} requests in {} already, at most {}", budget.per, budget.count)
    })
}

pub(super) fn dwell(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let (Some(_), Some(last)) = (by_rule(record), facts.last_own_move) else { return Finding::Idle };
    let dwell = facts.policy.moves().dwell;
    if dwell.is_zero() {
        return Finding::Idle;
    }
    Finding::judged(facts.t() >= last.plus(dwell), || format!("{} after the last", facts.t().since(last)))
}

pub(super) fn hold(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let Event::Request { origin, .. } = record.event else { return Finding::Idle };
    if origin == Origin::Operator {
        return Finding::Idle;
    }
    Finding::judged(!facts.holding(), || format!("{origin:?} asks while an operator holds"))
}

pub(super) fn settling(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    if by_rule(record).is_none() || facts.settle_until().is_none() {
        return Finding::Idle;
    }
    Finding::judged(!facts.settling(), || format!("settling until {:?}", facts.settle_until()))
}

pub(super) fn resting(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let (Some(rule), Some(resting)) = (by_rule(record), facts.resting) else { return Finding::Idle };
    Finding::judged(rule == resting, || format!("{rule:?} asks while {resting:?} rests"))
}

/// Whether a move leaves the array.
fn relocates(facts: &Facts, from: HostId, to: HostId) -> bool {
    facts.policy.hosts()[from].array != facts.policy.hosts()[to].array
}

pub(super) fn job_running(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    match record.event {
        Event::Request { origin: Origin::Rule(_), from, to, .. } if relocates(facts, from, to) => {
            Finding::judged(facts.queues.iter().all(|jobs| !jobs.running), || "a job is running".to_owned())
        }
        _ => Finding::Idle,
    }
}

pub(super) fn held(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let Event::Held { origin, by, .. } = record.event else { return Finding::Idle };
    let moves = facts.policy.moves();
    let t = facts.t();
    let so = match by {
        Hold::LocationUnknown => facts.current().is_none(),
        Hold::Operator => facts.holding(),
        Hold::Dwell => facts.last_own_move.is_some_and(|last| t < last.plus(moves.dwell)),
        Hold::AtMost => {
            let recent = facts.spent.iter().filter(|spent| t < spent.at.plus(moves.at_most.per));
            // What was spent under another policy may still count.
            recent.count() >= moves.at_most.count as usize || facts.exact_since > 0
        }
        Hold::JobRunning => facts.queues.iter().any(|jobs| jobs.running),
        Hold::NoEligibleHost => none_eligible(facts, origin),
    };
    let exempt = origin == Origin::Drain && matches!(by, Hold::Dwell | Hold::AtMost);
    Finding::judged(so && !exempt, || format!("{origin:?} is held by {by:?}"))
}

/// Whether `move` has nowhere to go; for other actions the onlooker does not ask.
fn none_eligible(facts: &Facts, origin: Origin) -> bool {
    let moves = match origin {
        Origin::Rule(rule) => facts.policy.rules()[rule].action == Action::Move,
        Origin::Drain => true,
        Origin::Operator => false,
    };
    let Some(current) = facts.current().filter(|_| moves) else { return true };
    let array = facts.policy.hosts()[current].array;
    facts.ranked(array) || !facts.policy.ring(array).any(|host| facts.eligible(host))
}

fn way_out(facts: &Facts) -> Option<HostId> {
    let current = facts.current().filter(|current| facts.draining(*current))?;
    let array = facts.policy.hosts()[current].array;
    if facts.holding() {
        return None;
    }
    let base = facts.policy.arrays()[array].base;
    facts.policy.ring(array).chain(base).find(|host| facts.eligible(*host))
}

/// With nothing open and somewhere to go, nobody stays on a draining host, settling or resting or not.
pub(super) fn drain_leaves(facts: &Facts, _: &Step<'_>) -> Finding {
    if facts.open.is_some() {
        let left = facts.requested && facts.open.is_some_and(|open| open.origin == Origin::Drain);
        return if left { Finding::Holds } else { Finding::Idle };
    }
    match way_out(facts) {
        Some(host) => Finding::Broken(format!("{:?} drains, and {host:?} is eligible", facts.place)),
        None => Finding::Idle,
    }
}

pub(super) fn drain_first(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    if by_rule(record).is_none() {
        return Finding::Idle;
    }
    Finding::judged(way_out(facts).is_none(), || format!("a rule acts while {:?} drains", facts.place))
}
