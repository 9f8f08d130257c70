//! What a case came to, as data: guests, hosts, hours, and all together.

use super::runs::Ran;
use crate::cli::backtest::report::{Cost, Figures, Rule, rules, share, sum};
use crate::cli::backtest::spread::{self, Spread};
use crate::spans::{maybe_seconds, seconds};
use serde::Serialize;
use vmpolicy_core::sim::scenario::{PolicyIx, Scenario};
use vmpolicy_core::sim::world::{GuestOutcome, HostOutcome, Hour, Outcome, QueueOutcome};
use vmpolicy_core::time::Span;

/// What came of one case.
#[derive(Debug, Serialize)]
pub(super) struct Variant {
    /// `own`, `none`, `thr-mmt`.
    pub name: &'static str,
    /// Who decides, in a few words.
    pub about: &'static str,
    /// All together.
    pub totals: Totals,
    /// How the figures of several guests with a policy are spread.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "spread::map")]
    pub spread: Vec<Spread>,
    /// By policy that any guest had at the end.
    pub policies: Vec<OfPolicy>,
    /// By guest.
    pub guests: Vec<Guest>,
    /// By host.
    pub hosts: Vec<Host>,
    /// By queue of jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<Queue>,
    /// By hour from the beginning.
    pub hours: Vec<HourRow>,
}

/// What a queue came to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Queue {
    pub queue: String,
    /// Jobs that came, that were done, and that nobody had claimed at the end.
    pub came: u64,
    pub done: u64,
    pub waiting: u64,
    /// How long the oldest of these had waited then.
    #[serde(serialize_with = "seconds::serialize")]
    pub oldest_wait: Span,
}

/// All guests and hosts together.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Totals {
    /// What guests asked for.
    pub requests: u64,
    pub confirmed: u64,
    /// Requests that came to nothing, in all.
    pub failed: u64,
    /// Those that were turned down.
    pub refused: u64,
    /// Those of which nobody said in time what became of them.
    pub expired: u64,
    /// Requests that were open at the end.
    pub open: u64,
    /// Of one guest with a policy, in the mean.
    pub mean_per_hour: Option<f64>,
    /// In any sixty minutes, of any one guest.
    pub most_per_hour: u64,
    /// In any hour from the beginning, of all guests together.
    pub busiest_hour: u32,
    /// Live migrations that ended well, whoever wanted them.
    pub live_moves: u64,
    pub relocations: u64,
    /// How long guests were on their way, in all.
    #[serde(serialize_with = "seconds::serialize")]
    pub moving: Span,
    /// For how long guests had a rule with the action `move` that was true, in all.
    #[serde(serialize_with = "maybe_seconds::serialize")]
    pub breach: Option<Span>,
    /// Of the time of the guests that have such a rule.
    pub breach_share: Option<f64>,
    /// For how long nobody could say whether such a rule was true, in all.
    #[serde(serialize_with = "maybe_seconds::serialize")]
    pub unjudged: Option<Span>,
    /// Of the time of the guests that have such a rule.
    pub unjudged_share: Option<f64>,
    /// The time in breach, of the time for which it could be said.
    pub judged_breach_share: Option<f64>,
    /// Equations 3.1 to 3.4, by the prices of the policies; none where no policy has any.
    pub cost: Option<Cost>,
    /// What all guests cost, those without a policy too, by the prices of the hosts.
    pub hosts_cost: f64,
    pub energy_kwh: f64,
    /// The part of all demanded processor time that nobody got.
    pub missed: f64,
    /// Jain's index over the guests' parts of what they demanded.
    pub fairness: f64,
    pub overloaded_host_hours: f64,
    /// Hosts with guests, in the mean.
    pub hosts_in_use: f64,
    /// How often a guest's engine was called.
    pub steps: u64,
}

/// The guests of one policy together.
#[derive(Debug, Serialize)]
pub(super) struct OfPolicy {
    /// The place of the policy in the report's list.
    pub policy: usize,
    pub guests: usize,
    #[serde(skip)]
    pub figures: Figures,
    pub rules: Vec<Rule>,
}

/// One guest.
#[derive(Debug, Serialize)]
pub(super) struct Guest {
    pub guest: String,
    /// The place of the policy that it had at the end in the report's list; none where it has none.
    pub policy: Option<usize>,
    /// How often it moved, whoever wanted it.
    pub moves: u32,
    #[serde(serialize_with = "seconds::serialize")]
    pub moving: Span,
    /// The part of the processor time that it demanded and did not get.
    pub missed: f64,
    /// By the prices of its hosts.
    pub hosts_cost: f64,
    /// For how long nobody could say whether a rule with the action `move` was true: while it settled, rested or was off.
    /// None without such a rule.
    #[serde(serialize_with = "maybe_seconds::serialize", skip_serializing_if = "Option::is_none")]
    pub unjudged: Option<Span>,
    /// By its own reckoning: what it knew of where it was. None without a policy.
    #[serde(flatten)]
    pub figures: Option<Figures>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// One host.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Host {
    pub host: String,
    pub array: String,
    pub base: bool,
    pub guest_hours: f64,
    /// The hours in which any guest was there.
    pub used_hours: f64,
    /// The part of its processors that was busy, over the whole time.
    pub busy: Option<f64>,
    pub energy_kwh: f64,
    pub overloaded_hours: f64,
    pub most_guests: u32,
}

/// One hour.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct HourRow {
    pub requests: u32,
    pub moves: u32,
    pub failed: u32,
}

impl Variant {
    pub(super) fn new(scenario: &Scenario, ran: &Ran) -> Self {
        let outcome = &ran.outcome;
        let lasts = scenario.lasts;
        let guests: Vec<_> = scenario
            .guests
            .iter()
            .zip(&outcome.guests)
            .map(|(row, came)| Guest::new(scenario, &row.name, came))
            .collect();
        let figures = || guests.iter().filter_map(|guest| guest.figures.as_ref());
        Self {
            name: ran.case.name(),
            about: ran.case.about(),
            totals: Totals::of(outcome, &guests, lasts),
            spread: if figures().nth(1).is_some() { spread::of(figures()) } else { Vec::new() },
            policies: OfPolicy::all(scenario, &guests),
            hosts: outcome.hosts.iter().enumerate().map(|(at, came)| Host::new(scenario, at, came)).collect(),
            queues: outcome
                .queues
                .iter()
                .enumerate()
                .map(|(at, came)| Queue::new(scenario, at, came))
                .collect(),
            hours: outcome.hours.iter().map(HourRow::new).collect(),
            guests,
        }
    }
}

impl Guest {
    fn new(scenario: &Scenario, name: &str, came: &GuestOutcome) -> Self {
        let known = came.policy.zip(came.summary.as_ref());
        let known = known.map(|(policy, summary)| (&scenario.policies[policy.index()], summary));
        let figures = known.map(|(policy, summary)| {
            let mut figures = Figures::new(policy, summary);
            // A guest sees few of the hosts that there are, and reads no rows.
            figures.time.hosts.retain(|host| !host.lasted.is_zero() || host.arrivals > 0);
            figures.polls.stale = None;
            figures
        });
        Self {
            guest: name.to_owned(),
            policy: came.policy.map(PolicyIx::index),
            moves: came.moves,
            moving: came.moving,
            missed: came.missed,
            hosts_cost: came.cost,
            unjudged: came.summary.as_ref().and_then(|summary| summary.unjudged),
            figures,
            rules: known.map(|(policy, summary)| rules(policy, summary)).unwrap_or_default(),
        }
    }

    /// For how long it had a rule with the action `move` that was true.
    pub(super) fn breach(&self) -> Option<Span> {
        self.figures.as_ref().and_then(|figures| figures.time.breach)
    }
}

impl OfPolicy {
    fn all(scenario: &Scenario, guests: &[Guest]) -> Vec<Self> {
        let mut all: Vec<Option<Self>> = scenario.policies.iter().map(|_| None).collect();
        for guest in guests {
            let (Some(policy), Some(figures)) = (guest.policy, &guest.figures) else { continue };
            match &mut all[policy] {
                Some(sum) => {
                    sum.guests += 1;
                    sum.figures.add(figures);
                    sum.rules.iter_mut().zip(&guest.rules).for_each(|(rule, more)| rule.add(more));
                }
                none => {
                    let (figures, rules) = (figures.clone(), guest.rules.clone());
                    *none = Some(Self { policy, guests: 1, figures, rules });
                }
            }
        }
        all.into_iter().flatten().collect()
    }
}

impl Totals {
    fn of(outcome: &Outcome, guests: &[Guest], lasts: Span) -> Self {
        let mut all: Option<Figures> = None;
        let mut managed = Span::ZERO;
        for figures in guests.iter().filter_map(|guest| guest.figures.as_ref()) {
            if figures.time.breach.is_some() {
                managed = sum([managed, figures.lasts]);
            }
            match &mut all {
                Some(all) => all.add(figures),
                none => *none = Some(figures.clone()),
            }
        }
        let requests = all.as_ref().map(|all| &all.requests);
        let count = |of: fn(&crate::cli::backtest::report::Requests) -> u64| requests.map_or(0, of);
        let breach = all.as_ref().and_then(|all| all.time.breach);
        let unjudged = breach.map(|_| sum(guests.iter().filter_map(|guest| guest.unjudged)));
        let judged = unjudged.map(|not| Span::from_millis(managed.millis().saturating_sub(not.millis())));
        let hours = lasts.as_secs_f64() / 3_600.0;
        let used: f64 = outcome.hosts.iter().map(|host| host.used_hours).sum();
        Self {
            requests: count(|of| of.count),
            confirmed: count(|of| of.confirmed),
            failed: count(|of| of.failed),
            refused: count(|of| of.refused),
            expired: count(|of| of.expired),
            open: count(|of| of.open),
            mean_per_hour: requests.and_then(|of| of.mean_per_hour),
            most_per_hour: count(|of| of.most_per_hour),
            busiest_hour: outcome.hours.iter().map(|hour| hour.requests).max().unwrap_or(0),
            live_moves: outcome.live_moves,
            relocations: outcome.relocations,
            moving: sum(outcome.guests.iter().map(|guest| guest.moving)),
            breach,
            breach_share: breach.and_then(|breach| share(breach, managed)),
            unjudged,
            unjudged_share: unjudged.and_then(|unjudged| share(unjudged, managed)),
            judged_breach_share: breach.zip(judged).and_then(|(breach, judged)| share(breach, judged)),
            cost: all.as_ref().and_then(|all| all.cost),
            hosts_cost: outcome.guests.iter().map(|guest| guest.cost).sum(),
            energy_kwh: outcome.energy_kwh,
            missed: outcome.missed,
            fairness: outcome.fairness,
            overloaded_host_hours: outcome.hosts.iter().map(|host| host.overloaded_hours).sum(),
            hosts_in_use: if hours > 0.0 { used / hours } else { 0.0 },
            steps: outcome.steps,
        }
    }
}

impl Host {
    fn new(scenario: &Scenario, at: usize, came: &HostOutcome) -> Self {
        let row = &scenario.hosts[at];
        let hours = scenario.lasts.as_secs_f64() / 3_600.0;
        Self {
            host: row.name.clone(),
            array: scenario.arrays[row.array.index()].name.clone(),
            base: row.is_base,
            guest_hours: came.guest_hours,
            used_hours: came.used_hours,
            busy: (hours > 0.0).then(|| came.busy_hours / hours),
            energy_kwh: came.energy_kwh,
            overloaded_hours: came.overloaded_hours,
            most_guests: came.most_guests,
        }
    }
}

impl Queue {
    fn new(scenario: &Scenario, at: usize, came: &QueueOutcome) -> Self {
        Self {
            queue: scenario.queues[at].name.clone(),
            came: came.came,
            done: came.done,
            waiting: came.waiting,
            oldest_wait: came.oldest_wait,
        }
    }
}

impl HourRow {
    const fn new(hour: &Hour) -> Self {
        Self { requests: hour.requests, moves: hour.moves, failed: hour.failed }
    }
}
