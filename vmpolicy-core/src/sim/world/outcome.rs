//! What it came to.

use super::islands::Numbers;
use super::share::{Shares, hours};
use super::vm::Vm;
use crate::backtest::Summary;
use crate::output::{Event, Output};
use crate::sim::scenario::{GuestIx, HostIx, PolicyIx, Scenario};
use crate::sim::service::jobs::JobQueue;
use crate::time::{Mono, Span};

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// By guest.
    pub guests: Vec<GuestOutcome>,
    /// By host.
    pub hosts: Vec<HostOutcome>,
    /// By hour from the beginning.
    pub hours: Vec<Hour>,
    /// By queue.
    pub queues: Vec<QueueOutcome>,
    /// What all hosts took, in kWh.
    pub energy_kwh: f64,
    /// Live migrations that ended well, whoever wanted them.
    pub live_moves: u64,
    /// Relocations that ended well.
    pub relocations: u64,
    /// How evenly processor time was given: Jain's index over the guests' parts of what they demanded (Jain, Chiu and
    /// Hawe 1984): 1 where all got the same part, 1/n where one got all.
    pub fairness: f64,
    /// The part of all demanded processor time that nobody got.
    pub missed: f64,
    /// How often a guest's engine was called.
    pub steps: u64,
}

/// What a guest's run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestOutcome {
    /// What its policy made of it; none where it has none.
    pub summary: Option<Summary>,
    /// The policy that it had at the end, whose ids the summary's are; none where it has none.
    pub policy: Option<PolicyIx>,
    /// The part of the processor time it demanded that it did not get.
    pub missed: f64,
    /// How often it moved, live or not, whoever wanted it.
    pub moves: u32,
    /// How long it was on its way.
    pub moving: Span,
    /// What its hosts cost, at the hosts' prices.
    pub cost: f64,
}

/// What a host's run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HostOutcome {
    /// What it took, in kWh.
    pub energy_kwh: f64,
    /// The sum over its guests of the hours that they were there.
    pub guest_hours: f64,
    /// The hours in which any guest was there.
    pub used_hours: f64,
    /// The hours that its processors would have been busy, had all been busy at once.
    pub busy_hours: f64,
    /// The hours in which not all demands were met.
    pub overloaded_hours: f64,
    /// The most guests at the beginning of a step.
    pub most_guests: u32,
}

/// What a queue of jobs came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueOutcome {
    /// Jobs that came.
    pub came: u64,
    /// Jobs that were done.
    pub done: u64,
    /// Jobs that nobody had claimed at the end.
    pub waiting: u64,
    /// How long the oldest of them had waited then.
    pub oldest_wait: Span,
}

impl QueueOutcome {
    fn of(queue: &mut JobQueue, end: Mono) -> Self {
        queue.arrive(Span::from_millis(end.0.unsigned_abs()));
        Self {
            came: queue.arrived_jobs(),
            done: queue.done_jobs(),
            waiting: queue.waiting_jobs(),
            oldest_wait: queue.oldest_wait(),
        }
    }
}

/// What happened in an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// Requests that guests made.
    pub requests: u32,
    /// Moves that ended well, live or not.
    pub moves: u32,
    /// Requests that came to nothing.
    pub failed: u32,
}

/// What is counted while it runs.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) steps: u64,
    until: Mono,
    hosts: Vec<HostOutcome>,
    hours: Vec<Hour>,
    demanded: Vec<f64>,
    missed: Vec<f64>,
    moves: Vec<u32>,
    moving: Vec<Span>,
    cost: Vec<f64>,
    /// By host: its price, in a column of its own.
    prices: Vec<f64>,
    live_moves: u64,
    relocations: u64,
}

impl Ledger {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let guests = scenario.guests.len();
        let hours = scenario.lasts.millis().div_ceil(Span::from_hours(1).millis()).max(1);
        Self {
            steps: 0,
            until: Mono(0),
            hosts: vec![HostOutcome::default(); scenario.hosts.len()],
            hours: vec![Hour::default(); usize::try_from(hours).unwrap_or(usize::MAX).min(1_000_000)],
            demanded: vec![0.0; guests],
            missed: vec![0.0; guests],
            moves: vec![0; guests],
            moving: vec![Span::ZERO; guests],
            cost: vec![0.0; guests],
            prices: scenario.hosts.iter().map(|host| host.price).collect(),
            live_moves: 0,
            relocations: 0,
        }
    }

    /// Time has passed since the last step with what was demanded then.
    pub(super) fn pass(&mut self, scenario: &Scenario, at: Mono, shares: &Shares) {
        let lasted = hours(at.since(self.until));
        if lasted <= 0.0 {
            return;
        }
        self.until = at;
        for (index, outcome) in self.hosts.iter_mut().enumerate() {
            let host = HostIx::from_index(index);
            let (busy, guests) = (shares.busy(host), shares.guests_on(host));
            let watts = if guests > 0 { scenario.hosts[index].power.watts(busy) } else { 0.0 };
            outcome.energy_kwh += watts * lasted / 1_000.0;
            outcome.guest_hours += f64::from(guests) * lasted;
            outcome.used_hours += if guests > 0 { lasted } else { 0.0 };
            outcome.busy_hours += busy * lasted;
            outcome.overloaded_hours += if shares.is_overloaded(host) { lasted } else { 0.0 };
            outcome.most_guests = outcome.most_guests.max(guests);
        }
        let sums = self.demanded.iter_mut().zip(&mut self.missed).zip(&mut self.cost);
        for (((demanded, missed), cost), guest) in sums.zip(0..) {
            *demanded += shares.demanded_ghz(guest) * lasted;
            *missed += shares.missed_ghz(guest) * lasted;
            *cost += self.prices[shares.host_of(GuestIx::from_index(guest)).index()] * lasted;
        }
    }

    fn hour(&mut self, at: Mono) -> &mut Hour {
        let hour = usize::try_from(at.0 / 3_600_000).unwrap_or(0);
        let last = self.hours.len() - 1;
        &mut self.hours[hour.min(last)]
    }

    #[cold]
    pub(super) fn recorded(&mut self, at: Mono, out: &Output) {
        for record in &out.records {
            match record.event {
                Event::Request { .. } => self.hour(at).requests += 1,
                Event::Refused { .. } | Event::Failed { .. } | Event::Expired { .. } => {
                    self.hour(at).failed += 1
                }
                _ => {}
            }
        }
    }

    pub(super) fn moved(&mut self, at: Mono, guest: GuestIx, is_live: bool, took: Span) {
        self.hour(at).moves += 1;
        self.moves[guest.index()] += 1;
        self.moving[guest.index()] =
            Span::from_millis(self.moving[guest.index()].millis().saturating_add(took.millis()));
        if is_live {
            self.live_moves += 1;
        } else {
            self.relocations += 1;
        }
    }

    pub(super) fn finish(
        self,
        scenario: &Scenario,
        vms: Vec<Option<Box<Vm>>>,
        queues: &mut [JobQueue],
    ) -> Part {
        let end = scenario.start.plus(scenario.lasts);
        let guests = vms.into_iter().enumerate().map(|(guest, vm)| GuestOutcome {
            policy: vm.as_ref().map(|vm| vm.managed.policy),
            summary: vm.map(|vm| vm.summary((scenario.start, end))),
            missed: ratio(self.missed[guest], self.demanded[guest]),
            moves: self.moves[guest],
            moving: self.moving[guest],
            cost: self.cost[guest],
        });
        Part {
            guests: guests.collect(),
            hosts: self.hosts,
            queues: queues
                .iter_mut()
                .map(|queue| QueueOutcome::of(queue, Mono(0).plus(scenario.lasts)))
                .collect(),
            hours: self.hours,
            demanded: self.demanded,
            missed: self.missed,
            live_moves: self.live_moves,
            relocations: self.relocations,
            steps: self.steps,
        }
    }
}

/// What a part of a scenario came to: its share of an [`Outcome`].
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    guests: Vec<GuestOutcome>,
    hosts: Vec<HostOutcome>,
    queues: Vec<QueueOutcome>,
    hours: Vec<Hour>,
    demanded: Vec<f64>,
    missed: Vec<f64>,
    live_moves: u64,
    relocations: u64,
    steps: u64,
}

impl Outcome {
    /// All parts together, in the scenario's order. Sums are taken in that order, so that they don't depend on the parts.
    pub(super) fn of(scenario: &Scenario, parts: Vec<(Part, &Numbers)>) -> Self {
        let count = scenario.guests.len();
        let mut guests: Vec<Option<GuestOutcome>> = vec![None; count];
        let mut hosts = vec![HostOutcome::default(); scenario.hosts.len()];
        let mut queues = vec![QueueOutcome::default(); scenario.queues.len()];
        let (mut demanded, mut missed) = (vec![0.0; count], vec![0.0; count]);
        let mut hours: Vec<Hour> = Vec::new();
        let (mut live_moves, mut relocations, mut steps) = (0, 0, 0);
        for (part, numbers) in parts {
            for (index, guest) in part.guests.into_iter().enumerate() {
                let number = numbers.guests[index].index();
                (demanded[number], missed[number]) = (part.demanded[index], part.missed[index]);
                let policy = guest.policy.map(|policy| numbers.policies[policy.index()]);
                guests[number] = Some(GuestOutcome { policy, ..guest });
            }
            for (host, number) in part.hosts.iter().zip(&numbers.hosts) {
                hosts[number.index()] = *host;
            }
            for (queue, number) in part.queues.iter().zip(&numbers.queues) {
                queues[number.index()] = *queue;
            }
            hours.resize(hours.len().max(part.hours.len()), Hour::default());
            for (all, own) in hours.iter_mut().zip(&part.hours) {
                all.requests += own.requests;
                all.moves += own.moves;
                all.failed += own.failed;
            }
            live_moves += part.live_moves;
            relocations += part.relocations;
            steps += part.steps;
        }
        let parts: Vec<f64> =
            missed.iter().zip(&demanded).map(|(&part, &whole)| 1.0 - ratio(part, whole)).collect();
        Self {
            guests: guests.into_iter().flatten().collect(),
            hours,
            energy_kwh: hosts.iter().map(|host| host.energy_kwh).sum(),
            live_moves,
            relocations,
            fairness: jain(&parts),
            missed: ratio(missed.iter().sum(), demanded.iter().sum()),
            steps,
            hosts,
            queues,
        }
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn jain(parts: &[f64]) -> f64 {
    let (sum, squares) = parts.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    if squares > 0.0 { sum * sum / (parts.len() as f64 * squares) } else { 1.0 }
}
