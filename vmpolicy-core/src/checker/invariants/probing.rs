//! Probes, look-ups, jobs, and coming back in time for them.

use super::super::facts::Facts;
use super::super::{Finding, Step};
use crate::id::Id;
use crate::output::Effect;
use crate::time::{Mono, Span};

/// A location that somebody waits for is looked up at least so often.
const LOOK_UP_EVERY: Span = Span::from_secs(30);

pub(super) fn allowed(facts: &Facts, _: &Step<'_>, effect: &Effect) -> Finding {
    let Effect::Probe(indicator) = *effect else { return Finding::Idle };
    Finding::judged(facts.may_probe(indicator), || {
        let (settling, open, resting) = (facts.settling(), facts.open.is_some(), facts.resting);
        format!("{indicator:?} is probed: settling {settling}, open {open}, resting {resting:?}")
    })
}

/// A probe leaves once in an interval, an eighth of it left aside for answers that were slow.
pub(super) fn pace(facts: &Facts, _: &Step<'_>, effect: &Effect) -> Finding {
    let Effect::Probe(indicator) = *effect else { return Finding::Idle };
    let Some(last) = facts.indicators[indicator.index()].probed else { return Finding::Idle };
    let every = facts.policy.indicators()[indicator].every;
    let gone = facts.t().since(last);
    let least = every.millis() - every.millis() / 8;
    Finding::judged(gone.millis() >= least || facts.exact_since > 0, || {
        format!("{indicator:?} is probed {gone} after the last time, with {every}")
    })
}

/// After settling a counter's baseline may be read at once, a gauge one interval later.
pub(super) fn after_settling(facts: &Facts, _: &Step<'_>, effect: &Effect) -> Finding {
    let (Effect::Probe(indicator), Some(settled)) = (*effect, facts.settle_until()) else {
        return Finding::Idle;
    };
    let about = &facts.policy.indicators()[indicator];
    let polls = &facts.indicators[indicator.index()];
    let gauge = about.read == crate::leaf::sample::Read::Gauge;
    if polls.newest().is_some() || !gauge || facts.woken_since_void || facts.exact_since > 0 {
        return Finding::Idle;
    }
    Finding::judged(facts.t() >= settled.plus(about.every), || {
        format!("{indicator:?} is probed {} after settling", facts.t().since(settled))
    })
}

pub(super) fn locates(facts: &Facts, _: &Step<'_>, effect: &Effect) -> Finding {
    match effect {
        Effect::Locate => Finding::judged(facts.setup.locates, || "nobody can look it up".to_owned()),
        _ => Finding::Idle,
    }
}

pub(super) fn jobs(facts: &Facts, _: &Step<'_>, effect: &Effect) -> Finding {
    let queue = match *effect {
        Effect::Claim(queue) | Effect::Run { queue, .. } => queue,
        _ => return Finding::Idle,
    };
    let quiet = facts.settling() || facts.open.is_some() || facts.resting.is_some();
    let jobs = &facts.queues[queue.index()];
    let fits = match *effect {
        Effect::Run { job, .. } => !jobs.running && u64::from(job) == jobs.done && jobs.done < jobs.size(),
        _ => jobs.batch.is_none(),
    };
    Finding::judged(fits && !quiet, || format!("{effect:?} with {jobs:?}; quiet: {quiet}"))
}

fn deadline(facts: &Facts, step: &Step<'_>) -> Option<Mono> {
    step.output.deadline.map(|deadline| facts.time.of_caller(deadline.at))
}

fn looks_up(step: &Step<'_>) -> bool {
    step.output.effects.contains(&Effect::Locate)
}

/// Before its limit: no later than that. After it: until the next look-up.
pub(super) fn deadline_open(facts: &Facts, step: &Step<'_>) -> Finding {
    let Some(open) = facts.open else { return Finding::Idle };
    let t = facts.t();
    let latest = if t < open.confirm_by { open.confirm_by } else { t.plus(LOOK_UP_EVERY) };
    let comes = deadline(facts, step);
    Finding::judged(comes.is_some_and(|at| at <= latest) || looks_up(step), || {
        format!("{} is open until {:?}, the deadline is {comes:?}", open.id, open.confirm_by)
    })
}

pub(super) fn deadline_settling(facts: &Facts, step: &Step<'_>) -> Finding {
    let Some(until) = facts.settle_until().filter(|_| facts.settling() && facts.open.is_none()) else {
        return Finding::Idle;
    };
    let comes = deadline(facts, step);
    Finding::judged(comes.is_some_and(|at| at <= until), || {
        format!("settling until {until:?}, the deadline is {comes:?}")
    })
}

pub(super) fn deadline_polling(facts: &Facts, step: &Step<'_>) -> Finding {
    let longest = facts.policy.indicators().iter().filter(|(id, _)| facts.may_probe(*id));
    let Some(longest) = longest.map(|(_, indicator)| indicator.every).min() else { return Finding::Idle };
    let comes = deadline(facts, step);
    let latest = facts.t().plus(longest);
    Finding::judged(comes.is_some_and(|at| at <= latest), || {
        format!("a poll is due by {latest:?}, the deadline is {comes:?}")
    })
}

pub(super) fn deadline_future(facts: &Facts, step: &Step<'_>) -> Finding {
    let Some(at) = deadline(facts, step) else { return Finding::Idle };
    Finding::judged(at > facts.t(), || format!("the deadline {at:?} is not after {:?}", facts.t()))
}
