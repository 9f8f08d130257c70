//! Where a request may go.

use super::super::facts::Facts;
use super::super::{Finding, Step};
use crate::id::{ArrayId, HostId};
use crate::output::{Event, Origin, Record};
use crate::policy::Action;
use crate::time::Span;

/// No bar is longer than this, or than the first one.
const LONGEST_BAR: Span = Span::from_hours(24);

struct Asked {
    origin: Origin,
    action: Action,
    from: HostId,
    to: HostId,
}

fn asked(record: &Record) -> Option<Asked> {
    match record.event {
        Event::Request { origin, action, from, to, .. } => Some(Asked { origin, action, from, to }),
        _ => None,
    }
}

pub(super) fn from_here(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let Some(asked) = asked(record) else { return Finding::Idle };
    Finding::judged(facts.current() == Some(asked.from) && asked.from != asked.to, || {
        format!("{:?} to {:?}, being {:?}", asked.from, asked.to, facts.place)
    })
}

/// A rule or a drain never chooses a host that is barred, draining or down; a person may.
pub(super) fn eligible(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let Some(asked) = asked(record).filter(|asked| asked.origin != Origin::Operator) else {
        return Finding::Idle;
    };
    let to = asked.to;
    Finding::judged(facts.eligible(to), || {
        let (barred, draining, down) = (facts.barred(to), facts.draining(to), facts.down(to));
        format!("{to:?}: barred {barred}, draining {draining}, down {down}")
    })
}

fn in_ring(facts: &Facts, array: ArrayId, host: HostId) -> bool {
    let data = &facts.policy.hosts()[host];
    data.array == array && !data.is_base
}

pub(super) fn fits(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let Some(Asked { origin, action, from, to }) = asked(record) else { return Finding::Idle };
    let policy = &facts.policy;
    let (here, home) = (policy.hosts()[from].array, policy.home());
    let base = policy.arrays()[here].base.or(policy.arrays()[home].base);
    let neighbours = in_ring(facts, here, from) && in_ring(facts, here, to);
    // From the base a step leads back into the ring, to where it was left.
    let back = !in_ring(facts, here, from)
        && facts.left[usize::from(here.0)].or(policy.ring(here).next()) == Some(to);
    let says = match origin {
        Origin::Rule(rule) => policy.rules()[rule].action == action,
        Origin::Drain => matches!(action, Action::Move | Action::MoveToBase),
        Origin::Operator => action == Action::MoveTo(to),
    };
    let goes = match action {
        Action::Move => in_ring(facts, here, to),
        Action::MoveUp => back || neighbours && to.0 + 1 == from.0,
        Action::MoveDown => back || neighbours && to.0 == from.0 + 1,
        Action::MoveToBase | Action::Rest(_) => base == Some(to),
        Action::MoveFromHome(array) => here != array && in_ring(facts, array, to),
        Action::MoveToHome => here != home && in_ring(facts, home, to),
        Action::MoveTo(host) => host == to,
    };
    Finding::judged(says && goes, || format!("{origin:?} asks for {action:?} from {from:?} to {to:?}"))
}

/// `move` goes to the next eligible host after this one, where no ranking says otherwise.
pub(super) fn next_in_ring(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let Some(Asked { action: Action::Move, from, to, .. }) = asked(record) else { return Finding::Idle };
    let array = facts.policy.hosts()[from].array;
    if facts.ranked_until[usize::from(array.0)].is_some() {
        return Finding::Idle;
    }
    let ring: Vec<HostId> = facts.policy.ring(array).collect();
    let left = if in_ring(facts, array, from) { Some(from) } else { facts.left[usize::from(array.0)] };
    let start = left.and_then(|left| ring.iter().position(|host| *host == left)).map_or(0, |at| at + 1);
    let next =
        (0..ring.len()).map(|step| ring[(start + step) % ring.len()]).find(|host| facts.eligible(*host));
    Finding::judged(next == Some(to), || format!("from {from:?}: {next:?} is next, and {to:?} was chosen"))
}

pub(super) fn bars(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let (to, barred) = match record.event {
        Event::Refused { to, barred, .. } | Event::Expired { to, barred, .. } => (to, barred),
        Event::Failed { to, barred, why: crate::output::Failure::Reported, .. } => (to, barred),
        Event::Failed { barred, why, .. } => {
            return Finding::judged(barred.is_zero(), || format!("{why:?} bars for {barred}"));
        }
        _ => return Finding::Idle,
    };
    let first = facts.policy.moves().bar;
    let longest = LONGEST_BAR.max(first);
    let wanted = (0..facts.hosts[usize::from(to.0)].failures).fold(first, |bar, _| bar.times(2).min(longest));
    Finding::judged(barred == wanted, || format!("{to:?} is barred for {barred}, not {wanted}"))
}
