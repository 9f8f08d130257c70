//! What goes wrong, in words.

use crate::cli::backtest::table::percent;
use serde::Serialize;
use vmpolicy_core::input::Word;
use vmpolicy_core::sim::scenario::{ArrayIx, Fault, GuestSet, HostIx, Provider, Scenario, What};
use vmpolicy_core::time::{Span, Wall};

/// So many guests are named one by one.
const NAMES_MAX: usize = 3;

/// A fault that has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Happened {
    /// When it began.
    #[serde(serialize_with = "crate::spans::wall::serialize")]
    pub at: Wall,
    /// Until when, where it is not over at once; the end of the scenario where it goes on.
    #[serde(serialize_with = "maybe_wall")]
    pub until: Option<Wall>,
    /// What kind of fault: `drain`, `reload`.
    pub kind: &'static str,
    /// What, in a few words.
    pub says: String,
}

fn maybe_wall<S: serde::Serializer>(at: &Option<Wall>, to: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => to.collect_str(at),
        None => to.serialize_none(),
    }
}

/// Everything that goes wrong within the scenario, in the order of time.
pub(super) fn all(scenario: &Scenario) -> Vec<Happened> {
    let within = scenario.faults.iter().filter(|fault| fault.at <= scenario.lasts);
    within.map(|fault| told(scenario, fault)).collect()
}

fn told(scenario: &Scenario, fault: &Fault) -> Happened {
    let (start, end) = (scenario.start, scenario.start.plus(scenario.lasts));
    let at = start.plus(fault.at);
    let at_once = matches!(
        fault.what,
        What::Reload { .. }
            | What::ClockStep { .. }
            | What::ServiceRestart(_)
            | What::MovedTo { .. }
            | What::Operator { .. }
    );
    let until = (!at_once).then(|| fault.lasts.map_or(end, |lasts| at.plus(lasts).min(end)));
    Happened { at, until, kind: kind(&fault.what), says: says(scenario, &fault.what) }
}

const fn kind(what: &What) -> &'static str {
    match what {
        What::Reload { .. } => "reload",
        What::DaemonCrash(_) => "daemon-crash",
        What::Pause(_) => "pause",
        What::ClockStep { .. } => "clock-step",
        What::ProbeHangs(_) => "probe-hangs",
        What::ProbeFails { .. } => "probe-fails",
        What::ProbeLies { .. } => "probe-lies",
        What::ServiceRestart(_) => "service-restart",
        What::LocatorFails(_) => "locator-fails",
        What::LoadTimes { .. } => "load",
        What::MovedTo { .. } => "moved",
        What::Operator { .. } => "operator",
        What::HostCrash(_) => "host-crash",
        What::Drain { .. } => "drain",
        What::ProviderDown(_) => "provider-down",
        What::ProviderBehaves { .. } => "provider",
        What::LinkTimes { .. } => "link",
    }
}

fn says(scenario: &Scenario, what: &What) -> String {
    let host = |host: HostIx| scenario.hosts[host.index()].name.as_str();
    let of = |array: Option<ArrayIx>| match array {
        Some(array) => format!(" of {}", scenario.arrays[array.index()].name),
        None => String::new(),
    };
    let who = |guests: &GuestSet| names(scenario, guests);
    match what {
        What::Reload { guests, .. } => format!("{} gets another policy", who(guests)),
        What::DaemonCrash(guests) => format!("the daemon of {} is dead", who(guests)),
        What::Pause(guests) => format!("{} is paused", who(guests)),
        What::ClockStep { guests, by_ms } => {
            let (by, way) =
                (Span::from_millis(by_ms.unsigned_abs()), if *by_ms < 0 { "back" } else { "forward" });
            format!("the clock of {} is set {way} by {by}", who(guests))
        }
        What::ProbeHangs(guests) => format!("probes of {} do not answer", who(guests)),
        What::ProbeFails { guests, why } => format!("probes of {} answer: {}", who(guests), why.name()),
        What::ProbeLies { guests, value } => format!("probes of {} say {value}", who(guests)),
        What::ServiceRestart(guests) => format!("the service of {} starts anew", who(guests)),
        What::LocatorFails(guests) => format!("{} can't find out where it is", who(guests)),
        What::LoadTimes { guests, factor } => {
            format!("the load of {} is {factor} times as much", who(guests))
        }
        What::MovedTo { guests, to } => format!("somebody moves {} to {}", who(guests), host(*to)),
        What::Operator { guests, word } => match word {
            Word::Hold(Some(span)) => {
                format!("the operator tells {} to ask for nothing for {span}", who(guests))
            }
            Word::Hold(None) => format!("the operator tells {} to ask for nothing", who(guests)),
            Word::Resume => format!("the operator tells {} to go on", who(guests)),
            Word::Move(_) => format!("the operator tells {} to move", who(guests)),
            Word::Abandon => format!("the operator tells {} to give up its request", who(guests)),
        },
        What::HostCrash(down) => format!("{} has failed", host(*down)),
        What::Drain { host: drained, comes_true: true } => format!("{} is drained", host(*drained)),
        What::Drain { host: drained, comes_true: false } => {
            format!("{} is to be drained, which is withdrawn", host(*drained))
        }
        What::ProviderDown(array) => format!("the provider{} does not answer", of(*array)),
        What::ProviderBehaves { array, provider } => {
            format!("the provider{} {}", of(*array), otherwise(scenario, *array, provider))
        }
        What::LinkTimes { array, factor } => format!("links{} are {factor} times as fast", of(*array)),
    }
}

/// How a provider behaves where that is not what it did before, of the first array if of all.
fn otherwise(scenario: &Scenario, array: Option<ArrayIx>, now: &Provider) -> String {
    let before =
        scenario.arrays.get(array.map_or(0, ArrayIx::index)).map(|array| array.provider).unwrap_or_default();
    let mut said = Vec::new();
    if now.answers_in != before.answers_in {
        said.push(format!("answers in {} to {}", now.answers_in.0, now.answers_in.1));
    }
    let chances = [
        ("loses requests", now.loses_requests, before.loses_requests),
        ("loses answers", now.loses_answers, before.loses_answers),
        ("answers twice", now.doubles, before.doubles),
        ("answers late", now.delays, before.delays),
        ("refuses", now.refuses, before.refuses),
        ("accepts and does nothing", now.ignores, before.ignores),
        ("fails midway", now.fails, before.fails),
    ];
    for (what, chance, before) in chances {
        if chance != before {
            said.push(format!("{what} ({})", percent(Some(chance))));
        }
    }
    if now.at_once != before.at_once {
        said.push(match now.at_once {
            0 => "moves as many at once as are asked for".to_owned(),
            most => format!("moves {most} at once"),
        });
    }
    if said.is_empty() { "behaves otherwise".to_owned() } else { said.join(", ") }
}

fn names(scenario: &Scenario, guests: &GuestSet) -> String {
    match guests {
        GuestSet::All => "every guest".to_owned(),
        GuestSet::These(guests) => {
            let name =
                |guest: &vmpolicy_core::sim::scenario::GuestIx| scenario.guests[guest.index()].name.as_str();
            match guests.len() {
                few @ 0..=NAMES_MAX if few > 0 => guests.iter().map(name).collect::<Vec<_>>().join(", "),
                0 => "nobody".to_owned(),
                many => format!("{} and {} more", name(&guests[0]), many - 1),
            }
        }
    }
}
