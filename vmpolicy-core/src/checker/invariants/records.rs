//! What is written down: true, complete, in order, and not without end.

use super::super::condition::by_clock;
use super::super::facts::Facts;
use super::super::{Finding, Step};
use crate::id::{HostId, Id};
use crate::input::{Hooked, Input};
use crate::output::{Because, Effect, Event, Origin, Record, Verdict};
use crate::policy::{Action, Tour};

fn because(record: &Record) -> Option<Because> {
    match record.event {
        Event::Request { because, .. }
        | Event::Held { because, .. }
        | Event::NoBetterHost { because, .. } => Some(because),
        _ => None,
    }
}

/// Every decision carries its reason: what a rule saw, and exactly one chosen host.
pub(super) fn reasons(_: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    let Some(because) = because(record) else { return Finding::Idle };
    let (Some(seen), Some(verdicts)) =
        (step.output.seen.get(because.seen()), step.output.verdicts.get(because.verdicts()))
    else {
        return Finding::Broken(format!("{because:?} points nowhere"));
    };
    let chosen: Vec<_> = verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Chosen).collect();
    match record.event {
        Event::Request { origin, to, .. } => {
            let seen_if_rule = !seen.is_empty() || !matches!(origin, Origin::Rule(_));
            let one = origin == Origin::Operator || matches!(chosen[..], [(host, _)] if *host == to);
            Finding::judged(seen_if_rule && one, || format!("{to:?} because {seen:?}, {verdicts:?}"))
        }
        _ => Finding::judged(chosen.is_empty(), || format!("{chosen:?} chosen, and nobody asks")),
    }
}

pub(super) fn verdicts(facts: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    let Some(verdicts) = because(record).and_then(|because| step.output.verdicts.get(because.verdicts()))
    else {
        return Finding::Idle;
    };
    if verdicts.is_empty() {
        return Finding::Idle;
    }
    let by_operator = matches!(record.event, Event::Request { origin: Origin::Operator, .. });
    let wrong = verdicts.iter().find(|(host, verdict)| {
        let t = facts.t();
        let data = &facts.hosts[host.index()];
        let left = |until: Option<crate::time::Mono>| until.map(|until| until.since(t));
        !match verdict {
            Verdict::Chosen => by_operator || facts.eligible(*host),
            Verdict::Eligible | Verdict::TriedInVain => facts.eligible(*host),
            Verdict::Current => facts.current() == Some(*host),
            Verdict::Barred(span) => left(data.barred_until) == Some(*span),
            Verdict::Draining(span) => left(data.drain_until) == Some(*span),
            Verdict::Down(span) => left(data.down_until) == Some(*span),
        }
    });
    match wrong {
        Some(wrong) => Finding::Broken(format!("{wrong:?} is not so: {:?}", facts.hosts[wrong.0.index()])),
        None => Finding::Holds,
    }
}

pub(super) fn rest_and_wake(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    match record.event {
        Event::Rest { rule } => {
            let rests = matches!(facts.policy.rules()[rule].action, Action::Rest(_));
            Finding::judged(rests && facts.resting.is_none(), || {
                format!("{rule:?} while {:?}", facts.resting)
            })
        }
        Event::Wake { rule } => Finding::judged(facts.resting == Some(rule), || {
            format!("{rule:?} wakes while {:?} rests", facts.resting)
        }),
        _ => Finding::Idle,
    }
}

/// By the face of the clock a rest begins while its condition is true, and ends when it is false.
pub(super) fn rest_by_the_clock(facts: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    let (rule, wanted) = match record.event {
        Event::Rest { rule } => (rule, true),
        Event::Wake { rule } => (rule, false),
        _ => return Finding::Idle,
    };
    match by_clock(&facts.policy, &facts.policy.rules()[rule].when, step.now.wall) {
        None => Finding::Idle,
        Some(so) => Finding::judged(so == wanted, || format!("{} at {}", record.event.name(), step.now.wall)),
    }
}

pub(super) fn already_there(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let Event::AlreadyThere { origin, at_host } = record.event else { return Finding::Idle };
    let again = match origin {
        Origin::Rule(rule) => facts.rules[rule.index()].already_there,
        Origin::Drain | Origin::Operator => false,
    };
    Finding::judged(!again && facts.current() == Some(at_host), || {
        format!("{origin:?} is at {at_host:?} already; said before: {again}")
    })
}

pub(super) fn no_better_host(facts: &Facts, _: &Step<'_>, record: &Record) -> Finding {
    let Event::NoBetterHost { rule, pause, .. } = record.event else { return Finding::Idle };
    let moves = facts.policy.moves();
    let so = facts.policy.rules()[rule].action == Action::Move && moves.tour == Tour::Stop;
    Finding::judged(so && pause >= moves.tour_pause, || format!("{rule:?} pauses for {pause}"))
}

pub(super) fn unknown(facts: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    let Event::Unknown { indicator, why } = record.event else { return Finding::Idle };
    let read = match step.input {
        Input::Reading(reading) => reading.indicator == indicator,
        _ => false,
    };
    Finding::judged(read || facts.late.contains(&indicator), || {
        format!("{indicator:?} is {why:?}, and nobody read it")
    })
}

/// A hook that was run is written down, by the step that is told of it and no other; nothing is asked for by it.
pub(super) fn hooks(facts: &Facts, step: &Step<'_>) -> Finding {
    let mut written = step.output.records.iter().filter_map(|record| match record.event {
        Event::Hook(hooked) => Some(hooked),
        _ => None,
    });
    let (first, second) = (written.next(), written.next());
    let told = match step.input {
        Input::Hook(hooked) => {
            let listed = |host: &HostId| host.index() < facts.policy.hosts().len();
            Some(Hooked { host: hooked.host.filter(listed), ..*hooked })
        }
        _ => None,
    };
    if told.is_none() && first.is_none() {
        return Finding::Idle;
    }
    Finding::judged(first == told && second.is_none(), || {
        format!("told {told:?}, and wrote {first:?}, {second:?}")
    })
}

/// A new policy is in force at once, unless a request is open; then with the first tick after its end.
pub(super) fn reload(facts: &Facts, step: &Step<'_>) -> Finding {
    if matches!(step.input, Input::Policy(_)) && !facts.was_open {
        return Finding::judged(facts.reloaded, || "nothing is open, and the policy waits".to_owned());
    }
    if facts.reloaded {
        return Finding::Holds;
    }
    // Other inputs name things as the policy in force does; a tick names nothing.
    let waits = facts.pending.is_some() && !facts.was_open && *step.input == Input::Tick;
    if waits {
        Finding::Broken("the request has ended, and the policy waits".to_owned())
    } else {
        Finding::Idle
    }
}

pub(super) fn dated(_: &Facts, step: &Step<'_>, record: &Record) -> Finding {
    Finding::judged(record.at == step.now.wall, || format!("dated {}, at {}", record.at, step.now.wall))
}

/// What one step can say is bounded by what the policy lists.
pub(super) fn bounded(facts: &Facts, step: &Step<'_>) -> Finding {
    let policy = &facts.policy;
    let (rules, indicators, queues) =
        (policy.rules().len(), policy.indicators().len(), policy.queues().len());
    let records = 8 + 2 * rules + 2 * indicators;
    let effects = 3 + indicators + 2 * queues;
    let verdicts = (2 * rules + 2) * (policy.hosts().len() + 1);
    let output = step.output;
    let requests = output.effects.iter().filter(|effect| matches!(effect, Effect::Request(_))).count();
    let lengths = (output.records.len(), output.effects.len(), output.verdicts.len(), requests);
    let within = facts.reloaded
        || lengths.0 <= records && lengths.1 <= effects && lengths.2 <= verdicts && lengths.3 <= 1;
    Finding::judged(within, || format!("{lengths:?} records, effects, verdicts and requests in one step"))
}
