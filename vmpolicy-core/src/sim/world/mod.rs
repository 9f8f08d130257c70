//! The world: time passes, guests decide, the infrastructure answers.
//!
//! Time goes in steps, at each of which every load is looked at and processor time is shared out; between two
//! steps whatever is planned happens in order, to the millisecond. A guest's daemon is the real loop
//! ([`crate::agent::Driver`]) with simulated ports.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `agenda` | what is still to happen, in order |
//! | `vm` | a guest with a policy: its daemon, its clocks, what is wrong with it |
//! | `ports` | what a guest's daemon sees through: probe and locator |
//! | `loads` | what is asked of each guest |
//! | `share` | who is where, what each demands and gets |
//! | `effects` | what a daemon wants done, done |
//! | `provider` | requests and their answers |
//! | `manage` | the conventional case: the infrastructure decides |
//! | `moves` | moves under way |
//! | `faults` | what goes wrong, begun and ended |
//! | `islands` | parts of a scenario that have nothing to do with each other |
//! | `jobs` | job queues |
//! | `look` | what a watcher may ask of a world |
//! | `outcome` | what it came to |
//! | `watch` | whoever wants to see it happen |

mod agenda;
mod effects;
mod faults;
mod islands;
mod jobs;
mod loads;
mod look;
mod manage;
mod moves;
mod outcome;
mod ports;
mod provider;
mod share;
mod vm;
mod watch;

pub use islands::{Island, Running};
pub use manage::Deciding;
pub use outcome::{GuestOutcome, HostOutcome, Hour, Outcome, Part, QueueOutcome};
pub use watch::{Snapshot, Watch};

use crate::checker::Violation;
use crate::engine::Engine;
use crate::id::HostId;
use crate::input::{Input, Setup};
use crate::sim::chance::{Chance, Seed};
use crate::sim::scenario::{ArrayIx, Feed, GuestIx, HostIx, Scenario, What};
use crate::sim::service::{Indicator, Service};
use crate::time::{Mono, Span};
use agenda::{Agenda, Coming};
use core::cmp::Reverse;
use islands::Numbers;
use jobs::Jobs;
use loads::Loads;
use manage::Office;
use moves::Moves;
use outcome::Ledger;
use ports::Follower;
use provider::Clerk;
use share::Shares;
use std::collections::BinaryHeap;
use vm::Vm;

/// More inputs than this for one guest at one instant, and it would never come to an end.
const MOST_AT_ONCE: u32 = 10_000;

/// No step is longer.
const STEP_MOST: Span = Span::from_hours(24);

/// How a run is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether the [checker](crate::checker) watches every step of every guest.
    pub checks: bool,
    /// Who decides where guests run.
    pub deciding: Deciding,
}

impl Default for Options {
    fn default() -> Self {
        Self { checks: true, deciding: Deciding::AsWritten }
    }
}

/// A guest's engine has done what must never happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("guest {guest}: {violation}")]
pub struct Violated {
    /// The guest's name.
    pub guest: String,
    /// What.
    pub violation: Violation,
}

/// Runs a scenario to its end.
///
/// # Errors
///
/// What must never happen, if it has: a fault of the engine, not of the scenario.
///
/// # Panics
///
/// Where the scenario is not sound: a load or service that can't be, an index of nothing.
pub fn run<W: Watch>(scenario: &Scenario, options: Options, watch: &mut W) -> Result<Outcome, Violated> {
    let numbers = Numbers::own(scenario);
    let mut world = World::new(scenario, &numbers, options, watch);
    world.advance(Mono(i64::MAX))?;
    Ok(Outcome::of(scenario, vec![(world.finish(), &numbers)]))
}

/// A policy's hosts and the scenario's: the same by name.
#[derive(Debug)]
struct Atlas {
    /// By the policy's ids.
    hosts: Vec<Option<HostIx>>,
    /// By the scenario's.
    ids: Vec<Option<HostId>>,
}

/// Everything that there is.
struct World<'a, W> {
    scenario: &'a Scenario,
    numbers: &'a Numbers,
    /// When the next step begins.
    begins: Mono,
    /// Whether its time has come, or its watcher has seen enough.
    ended: bool,
    watch: &'a mut W,
    agenda: Agenda,
    /// By policy.
    atlases: Vec<Atlas>,
    /// By guest; none without a policy.
    vms: Vec<Option<Box<Vm>>>,
    /// By guest: when its daemon wants to be called, in the world's milliseconds; `i64::MAX` for never.
    wakes: Vec<i64>,
    /// Wakes within this step that were not known at its beginning.
    again: BinaryHeap<Reverse<(i64, u32)>>,
    /// The wakes of the step that runs; kept for its room.
    due: Vec<u64>,
    /// The end of the step that runs.
    step_ends: i64,
    loads: Loads,
    services: Vec<Service>,
    shares: Shares,
    moves: Moves,
    clerks: Vec<Clerk>,
    /// What the provider draws for each guest.
    chances: Vec<Option<Chance>>,
    faults: faults::Active,
    ledger: Ledger,
    jobs: Jobs,
    deciding: Deciding,
    office: Option<Office>,
    /// Effects of the step that is carried out; kept for its room.
    inbox: std::collections::VecDeque<Input>,
}

impl<'a, W: Watch> World<'a, W> {
    fn new(scenario: &'a Scenario, numbers: &'a Numbers, options: Options, watch: &'a mut W) -> Self {
        let seed = Seed(scenario.seed);
        let atlases: Vec<_> = scenario.policies.iter().map(|policy| Atlas::of(scenario, policy)).collect();
        let restarts = faults::may_restart(scenario);
        let models: Vec<_> =
            scenario.policies.iter().map(|policy| Engine::new(policy.clone(), Setup::default())).collect();
        let vms = scenario.guests.iter().zip(&numbers.guests).map(|(guest, number)| {
            let managed = scenario.kinds[guest.kind.index()].managed.clone()?;
            let policy = managed.policy.index();
            let at = atlases[policy].ids[guest.at.index()];
            let mut vm = Vm::new(&models[policy], managed, at, options.checks, restarts);
            vm.signals = Follower::all(&vm.managed.feeds, seed, number.0);
            Some(Box::new(vm))
        });
        let vms: Vec<_> = vms.collect();
        let slow = reads_slow_queries(scenario);
        let services = scenario.guests.iter().map(|guest| {
            let spec = &scenario.kinds[guest.kind.index()].service;
            let mut service = Service::new(spec).expect("a sound scenario's services are sound");
            if !slow {
                service.forget(Indicator::SlowQueries);
            }
            service
        });
        Self {
            atlases,
            wakes: vec![i64::MAX; scenario.guests.len()],
            again: BinaryHeap::new(),
            due: Vec::new(),
            step_ends: 0,
            loads: Loads::new(scenario, numbers, seed),
            services: services.collect(),
            shares: Shares::new(scenario),
            moves: Moves::new(scenario),
            clerks: scenario.arrays.iter().map(|array| Clerk::new(array.provider)).collect(),
            chances: scenario.guests.iter().map(|_| None).collect(),
            faults: faults::Active::new(scenario),
            ledger: Ledger::new(scenario),
            jobs: Jobs::new(scenario, &numbers.queues, seed),
            deciding: options.deciding,
            office: Office::new(scenario, options.deciding),
            inbox: std::collections::VecDeque::new(),
            agenda: Agenda::default(),
            vms,
            scenario,
            numbers,
            begins: Mono(0),
            ended: false,
            watch,
        }
    }

    /// Goes on through all steps that begin before this time.
    fn advance(&mut self, upto: Mono) -> Result<(), Violated> {
        if self.begins == Mono(0) && !self.ended {
            self.plan_ahead();
        }
        let step = self.scenario.step.max(Span::from_millis(1)).min(STEP_MOST);
        let end = Mono(0).plus(self.scenario.lasts);
        while !self.ended && self.begins < upto {
            let begins = self.begins;
            let ends = begins.plus(step).min(end);
            // What happens at the very end still belongs to it.
            self.step_ends = if ends == end { end.0 + 1 } else { ends.0 };
            self.work_on_all(begins)?;
            self.look_at_loads(begins);
            if begins == Mono(0) {
                self.start_all()?;
                self.begin_deciding();
            }
            self.pass_step(begins)?;
            self.ended = ends == end || !self.watch.goes_on(ends, end);
            self.begins = ends;
            if ends == end {
                self.work_on_all(end)?;
                self.look_at_loads(end);
            }
        }
        Ok(())
    }

    /// Everything that is known to come from the beginning.
    fn plan_ahead(&mut self) {
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            let index = u32::try_from(index).expect("no scenario has so many faults");
            self.agenda.plan(Mono(0).plus(fault.at), Coming::Begins(index));
        }
        for (index, array) in self.scenario.arrays.iter().enumerate() {
            if let Some(ranking) = array.provider.ranking {
                let array = ArrayIx::from_index(index);
                self.agenda.plan(Mono(0).plus(ranking.every), Coming::Ranks(array));
            }
        }
    }

    /// Every daemon starts.
    fn start_all(&mut self) -> Result<(), Violated> {
        for index in 0..self.vms.len() {
            let guest = GuestIx::from_index(index);
            self.watch.placed(guest, Mono(0), Some(self.shares.host_of(guest)));
            if self.vms[index].is_some() {
                self.start_daemon(guest, Mono(0))?;
            }
        }
        Ok(())
    }

    /// The loads are what they are now, and processor time is shared out accordingly.
    fn look_at_loads(&mut self, at: Mono) {
        self.ledger.pass(self.scenario, at, &self.shares);
        let when = self.when(at);
        self.shares.begin();
        self.loads.look(when);
        for (index, service) in self.services.iter_mut().enumerate() {
            let load = self.loads.seen(index) * self.faults.load_factor(index);
            self.shares.demand(index, at, load, service);
        }
        self.shares.share_out();
        self.watch.stepped(
            at,
            &Snapshot {
                shares: &self.shares,
                services: &self.services,
                queues: self.jobs.queues(),
                inner: look::Inner {
                    vms: &self.vms,
                    moves: &self.moves,
                    clerks: &self.clerks,
                    faults: &self.faults,
                },
            },
        );
    }

    /// All that happens within a step.
    fn pass_step(&mut self, begins: Mono) -> Result<(), Violated> {
        let ends = self.step_ends;
        // One number each, so that they sort quickly: the milliseconds from the beginning of the step, then the guest.
        let mut due = std::mem::take(&mut self.due);
        due.clear();
        let wakes = (0_u64..).zip(&self.wakes).filter(|&(_, &wake)| wake < ends);
        due.extend(wakes.map(|(guest, &wake)| (wake - begins.0).max(0).unsigned_abs() << 32 | guest));
        if !due.is_sorted() {
            due.sort_unstable();
        }
        let done = self.pass_events(begins, &due);
        self.due = due;
        done
    }

    fn pass_events(&mut self, begins: Mono, due: &[u64]) -> Result<(), Violated> {
        let ends = self.step_ends;
        let unpacked = |entry: u64| (begins.0 + (entry >> 32) as i64, entry as u32);
        self.again.clear();
        let (mut next, mut last, mut at_once) = (0, begins, 0_u32);
        let most = MOST_AT_ONCE as usize * (self.vms.len() + 1);
        loop {
            // What was planned comes before what wakes at the same moment: an answer before a look at the clock.
            let planned = self.agenda.next().map_or(i64::MAX, |at| at.0);
            let woken = due.get(next).copied().map(unpacked);
            let again = self.again.peek().map(|&Reverse(entry)| entry);
            let wake = woken.into_iter().chain(again).min();
            let wakes_at = wake.map_or(i64::MAX, |(at, _)| at);
            if planned.min(wakes_at) >= ends {
                return Ok(());
            }
            let at = Mono(planned.min(wakes_at)).max(last);
            at_once = if at > last { 0 } else { at_once + 1 };
            assert!((at_once as usize) < most, "the world stands still at {at:?}");
            last = at;
            if planned <= wakes_at {
                if let Some((_, coming)) = self.agenda.pop() {
                    self.happen(at, coming)?;
                }
                continue;
            }
            let Some((wakes_at, guest)) = wake else { continue };
            if woken == wake {
                next += 1;
            } else {
                self.again.pop();
            }
            // A wake that something else has moved since is not one.
            if self.wakes[guest as usize] == wakes_at {
                self.wake(GuestIx(guest), at)?;
            }
        }
    }

    fn happen(&mut self, at: Mono, coming: Coming) -> Result<(), Violated> {
        match coming {
            Coming::Input { guest, run, input } => self.answer_arrives(guest, run, at, input),
            Coming::Asked(ask) => self.asked(at, ask),
            Coming::Stage { slot, version } => self.move_goes_on(at, slot, version),
            Coming::JobEnds { guest, version } => self.job_ends(at, guest, version),
            Coming::Manages => self.manage(at),
            Coming::Resumes(guest) => self.resume(guest, at),
            Coming::Boots { guest, power_on } => self.boot(guest, at, power_on),
            Coming::Begins(fault) => self.fault_begins(at, fault),
            Coming::Ends(fault) => self.fault_ends(at, fault),
            Coming::Ranks(array) => {
                self.rank(at, array);
                Ok(())
            }
            Coming::Ranking { array, order } => self.ranking_arrives(at, array, &order),
        }
    }

    fn finish(mut self) -> Part {
        self.ledger.finish(self.scenario, self.vms, self.jobs.queues_mut())
    }
}

/// Whether any indicator of a policy reads them: nobody else does, and they take long to work out.
fn reads_slow_queries(scenario: &Scenario) -> bool {
    let reloads = scenario.faults.iter().filter_map(|fault| match &fault.what {
        What::Reload { managed, .. } => Some(managed),
        _ => None,
    });
    let kinds = scenario.kinds.iter().filter_map(|kind| kind.managed.as_ref());
    let feeds = kinds.chain(reloads).flat_map(|managed| managed.feeds.iter().flatten());
    feeds.into_iter().any(|feed| *feed == Feed::Reads(Indicator::SlowQueries))
}

impl Atlas {
    fn of(scenario: &Scenario, policy: &crate::Policy) -> Self {
        let mut ids = vec![None; scenario.hosts.len()];
        let hosts = policy.hosts().iter().map(|(id, host)| {
            let array = &policy.arrays()[host.array].name;
            let found = scenario.hosts.iter().position(|other| {
                other.name == host.name && scenario.arrays[other.array.index()].name == *array
            })?;
            ids[found] = Some(id);
            Some(HostIx::from_index(found))
        });
        let hosts = hosts.collect();
        Self { hosts, ids }
    }
}
