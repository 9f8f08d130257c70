//! What goes wrong, begun and ended.

use super::agenda::Coming;
use super::vm::Phase;
use super::{Violated, Watch, World};
use crate::input::{Input, Notice};
use crate::sim::scenario::{ArrayIx, GuestIx, GuestSet, HostIx, Scenario, What};
use crate::time::{Mono, Span};

/// How long a notice holds whose end nobody knows.
const FOR_NOW: Span = Span::from_hours(24 * 365);

/// What is wrong now.
#[derive(Debug)]
pub(super) struct Active {
    /// By fault: whether it has begun and is not over.
    active: Vec<bool>,
    /// By guest: what its load is multiplied by; empty where that never happens.
    load_factors: Vec<f64>,
    /// By host: how many faults close it to guests that would come.
    closed: Vec<u32>,
    /// By host: how many faults keep it down.
    down: Vec<u32>,
    /// By array: what its links' speed is multiplied by.
    link_factors: Vec<f64>,
}

impl Active {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let loads = scenario.faults.iter().any(|fault| matches!(fault.what, What::LoadTimes { .. }));
        Self {
            active: vec![false; scenario.faults.len()],
            load_factors: if loads { vec![1.0; scenario.guests.len()] } else { Vec::new() },
            closed: vec![0; scenario.hosts.len()],
            down: vec![0; scenario.hosts.len()],
            link_factors: vec![1.0; scenario.arrays.len()],
        }
    }

    #[inline]
    pub(super) fn load_factor(&self, guest: usize) -> f64 {
        self.load_factors.get(guest).copied().unwrap_or(1.0)
    }

    pub(super) fn link_factor(&self, array: usize) -> f64 {
        self.link_factors[array]
    }

    /// Whether no guest may come to a host.
    pub(super) fn is_closed(&self, host: HostIx) -> bool {
        self.closed[host.index()] > 0 || self.down[host.index()] > 0
    }

    pub(super) fn is_down(&self, host: HostIx) -> bool {
        self.down[host.index()] > 0
    }
}

/// Whether any daemon may have to start again from its disk without having been shut down.
pub(super) fn may_restart(scenario: &Scenario) -> bool {
    scenario.faults.iter().any(|fault| matches!(fault.what, What::DaemonCrash(_) | What::HostCrash(_)))
}

impl<'a, W: Watch> World<'a, W> {
    pub(super) fn fault_begins(&mut self, at: Mono, index: u32) -> Result<(), Violated> {
        let scenario: &'a Scenario = self.scenario;
        let fault = &scenario.faults[index as usize];
        self.faults.active[index as usize] = true;
        self.watch.fault(at, fault, true);
        if let Some(lasts) = fault.lasts {
            self.agenda.plan(at.plus(lasts), Coming::Ends(index));
        }
        match &fault.what {
            What::Reload { guests, managed } => self.for_each(guests, |world, guest| {
                let Some(vm) = &mut world.vms[guest.index()] else { return Ok(()) };
                vm.handed = Some(managed.clone());
                let policy = scenario.policies[managed.policy.index()].clone();
                if vm.phase == Phase::Up { world.deliver(guest, at, &Input::Policy(policy)) } else { Ok(()) }
            }),
            What::DaemonCrash(guests) => self.for_each(guests, |world, guest| {
                if let Some(vm) = &mut world.vms[guest.index()]
                    && vm.phase == Phase::Up
                {
                    (vm.phase, vm.run) = (Phase::DaemonDown, vm.run + 1);
                    vm.tally.blind(at);
                    world.wakes[guest.index()] = i64::MAX;
                    world.drop_job(guest, at);
                }
                Ok(())
            }),
            What::Pause(guests) => {
                let lasts = fault.lasts.unwrap_or(FOR_NOW);
                self.for_each(guests, |world, guest| {
                    world.pause(guest, at, lasts);
                    Ok(())
                })
            }
            What::ClockStep { guests, by_ms } => self.for_each(guests, |world, guest| {
                let Some(vm) = &mut world.vms[guest.index()] else { return Ok(()) };
                vm.wall_ahead_ms += by_ms;
                if vm.phase == Phase::Up { world.deliver(guest, at, &Input::Tick) } else { Ok(()) }
            }),
            What::ProbeHangs(guests) => self.probing(guests, |probing| probing.hangs += 1),
            What::ProbeFails { guests, why } => {
                self.probing(guests, |probing| probing.fails = Some((index, *why)))
            }
            What::ProbeLies { guests, value } => {
                self.probing(guests, |probing| probing.lies = Some((index, *value)))
            }
            What::LocatorFails(guests) => self.probing(guests, |probing| probing.locator_fails += 1),
            What::ServiceRestart(guests) => self.for_each(guests, |world, guest| {
                world.restart_service(guest, at);
                Ok(())
            }),
            What::LoadTimes { guests, .. } => self.load_changes(guests, at),
            What::MovedTo { guests, to } => self.for_each(guests, |world, guest| {
                if !world.moves.is_moving(guest) && world.shares.host_of(guest) != *to {
                    world.begin_move(at, guest, *to, None, false);
                }
                Ok(())
            }),
            // Where others decide the last word was said before the guests started.
            What::Operator { .. } if self.deciding.holds_guests() => Ok(()),
            What::Operator { guests, word } => self.for_each(guests, |world, guest| {
                let up = world.vms[guest.index()].as_ref().is_some_and(|vm| vm.phase == Phase::Up);
                if up { world.deliver(guest, at, &Input::Operator(*word)) } else { Ok(()) }
            }),
            What::HostCrash(host) => self.host_fails(at, *host, fault.lasts),
            What::Drain { host, .. } => {
                self.faults.closed[host.index()] += 1;
                self.notify(at, *host, Notice::Drain, fault.lasts.unwrap_or(FOR_NOW))
            }
            What::ProviderDown(array) => self.each_clerk(*array, |clerk| clerk.down += 1),
            What::ProviderBehaves { array, provider } => {
                self.each_clerk(*array, |clerk| clerk.now = *provider)
            }
            What::LinkTimes { array, .. } => {
                self.links_change(at, *array);
                Ok(())
            }
        }
    }

    pub(super) fn fault_ends(&mut self, at: Mono, index: u32) -> Result<(), Violated> {
        let scenario: &'a Scenario = self.scenario;
        let fault = &scenario.faults[index as usize];
        self.faults.active[index as usize] = false;
        self.watch.fault(at, fault, false);
        match &fault.what {
            What::DaemonCrash(guests) => self.for_each(guests, |world, guest| {
                let Some(vm) = &mut world.vms[guest.index()] else { return Ok(()) };
                if vm.phase != Phase::DaemonDown {
                    return Ok(());
                }
                world.restore(guest);
                world.start_daemon(guest, at)
            }),
            What::ProbeHangs(guests) => self.probing(guests, |probing| probing.hangs -= 1),
            What::ProbeFails { guests, .. } => self.probing(guests, |probing| {
                probing.fails = probing.fails.filter(|&(by, _)| by != index);
            }),
            What::ProbeLies { guests, .. } => self.probing(guests, |probing| {
                probing.lies = probing.lies.filter(|&(by, _)| by != index);
            }),
            What::LocatorFails(guests) => self.probing(guests, |probing| probing.locator_fails -= 1),
            What::LoadTimes { guests, .. } => self.load_changes(guests, at),
            What::HostCrash(host) => self.host_returns(at, *host),
            What::Drain { host, comes_true: false } => {
                self.faults.closed[host.index()] -= 1;
                self.notify(at, *host, Notice::Withdrawn, Span::ZERO)
            }
            // It stays closed: the host is gone.
            What::Drain { host, comes_true: true } => {
                self.empty(at, *host)?;
                self.notify(at, *host, Notice::Down, FOR_NOW)
            }
            What::ProviderDown(array) => self.each_clerk(*array, |clerk| clerk.down -= 1),
            What::ProviderBehaves { array, .. } => self.provider_behaves_again(*array),
            What::LinkTimes { array, .. } => {
                self.links_change(at, *array);
                Ok(())
            }
            // Over when they begin; a pause ends by itself.
            What::Reload { .. }
            | What::Pause(_)
            | What::ClockStep { .. }
            | What::ServiceRestart(_)
            | What::MovedTo { .. }
            | What::Operator { .. } => Ok(()),
        }
    }

    fn for_each(
        &mut self,
        guests: &GuestSet,
        mut what: impl FnMut(&mut Self, GuestIx) -> Result<(), Violated>,
    ) -> Result<(), Violated> {
        match guests {
            GuestSet::All => (0..self.vms.len()).try_for_each(|guest| what(self, GuestIx::from_index(guest))),
            GuestSet::These(guests) => guests.iter().try_for_each(|&guest| what(self, guest)),
        }
    }

    fn probing(
        &mut self,
        guests: &GuestSet,
        mut what: impl FnMut(&mut super::vm::Probing),
    ) -> Result<(), Violated> {
        self.for_each(guests, |world, guest| {
            if let Some(vm) = &mut world.vms[guest.index()] {
                what(&mut vm.probing);
            }
            Ok(())
        })
    }

    fn each_clerk(
        &mut self,
        array: Option<ArrayIx>,
        mut what: impl FnMut(&mut super::provider::Clerk),
    ) -> Result<(), Violated> {
        for (index, clerk) in self.clerks.iter_mut().enumerate() {
            if array.is_none_or(|array| array.index() == index) {
                what(clerk);
            }
        }
        Ok(())
    }

    /// The last fault that says how a provider behaves and is not over holds; without one, the scenario.
    fn provider_behaves_again(&mut self, array: Option<ArrayIx>) -> Result<(), Violated> {
        let scenario: &'a Scenario = self.scenario;
        for (index, clerk) in self.clerks.iter_mut().enumerate() {
            if array.is_some_and(|array| array.index() != index) {
                continue;
            }
            let active = scenario.faults.iter().zip(&self.faults.active).rev();
            let active = active.filter(|&(_, &active)| active);
            let holds = active.filter_map(|(fault, _)| match &fault.what {
                What::ProviderBehaves { array, provider }
                    if array.is_none_or(|array| array.index() == index) =>
                {
                    Some(*provider)
                }
                _ => None,
            });
            clerk.now = { holds }.next().unwrap_or(scenario.arrays[index].provider);
        }
        Ok(())
    }

    fn links_change(&mut self, at: Mono, array: Option<ArrayIx>) {
        for index in 0..self.clerks.len() {
            if array.is_some_and(|array| array.index() != index) {
                continue;
            }
            let active = self.scenario.faults.iter().zip(&self.faults.active).filter(|&(_, &active)| active);
            let factors = active.filter_map(|(fault, _)| match fault.what {
                What::LinkTimes { array, factor } if array.is_none_or(|array| array.index() == index) => {
                    Some(factor)
                }
                _ => None,
            });
            self.faults.link_factors[index] = factors.product();
            self.pace_moves(at, index);
        }
    }

    /// Loads are multiplied by other factors from now on.
    fn load_changes(&mut self, guests: &GuestSet, at: Mono) -> Result<(), Violated> {
        self.for_each(guests, |world, guest| {
            let active =
                world.scenario.faults.iter().zip(&world.faults.active).filter(|&(_, &active)| active);
            let factors = active.filter_map(|(fault, _)| match &fault.what {
                What::LoadTimes { guests, factor } if guests.has(guest) => Some(*factor),
                _ => None,
            });
            world.faults.load_factors[guest.index()] = factors.product();
            let when = world.when(at);
            let load = world.loads.now(guest, when) * world.faults.load_factor(guest.index());
            world.shares.change_load(guest, at, load, &mut world.services);
            Ok(())
        })
    }

    /// The provider says something about a host to all guests whose policies know it.
    fn notify(&mut self, at: Mono, host: HostIx, notice: Notice, lasts: Span) -> Result<(), Violated> {
        for index in 0..self.vms.len() {
            let Some(vm) = &self.vms[index] else { continue };
            let Some(id) = self.atlases[vm.managed.policy.index()].ids[host.index()] else { continue };
            let (guest, run) = (GuestIx::from_index(index), vm.run);
            self.answer_arrives(guest, run, at, Input::Notice { host: id, notice, lasts })?;
        }
        Ok(())
    }

    /// A drain comes true: whoever is still there is moved to the emptiest host of the array.
    fn empty(&mut self, at: Mono, host: HostIx) -> Result<(), Violated> {
        let array = self.scenario.hosts[host.index()].array;
        for index in 0..self.vms.len() {
            let guest = GuestIx::from_index(index);
            if self.shares.host_of(guest) != host || self.moves.is_moving(guest) {
                continue;
            }
            let open = super::provider::ring(self.scenario, array).filter(|&to| !self.faults.is_closed(to));
            let emptiest = open.min_by(|&a, &b| self.shares.busy(a).total_cmp(&self.shares.busy(b)));
            if let Some(to) = emptiest {
                self.begin_move(at, guest, to, None, false);
            }
        }
        Ok(())
    }

    fn host_fails(&mut self, at: Mono, host: HostIx, lasts: Option<Span>) -> Result<(), Violated> {
        self.faults.down[host.index()] += 1;
        self.moves_of_a_lost_host(at, host);
        for index in 0..self.vms.len() {
            let guest = GuestIx::from_index(index);
            if self.shares.host_of(guest) == host {
                self.switch_off(guest, at);
            }
        }
        self.notify(at, host, Notice::Down, lasts.unwrap_or(FOR_NOW))
    }

    fn host_returns(&mut self, at: Mono, host: HostIx) -> Result<(), Violated> {
        self.faults.down[host.index()] -= 1;
        if self.faults.is_down(host) {
            return Ok(());
        }
        for index in 0..self.vms.len() {
            let guest = GuestIx::from_index(index);
            if self.shares.host_of(guest) == host && !self.moves.is_moving(guest) {
                self.switch_on(guest, at);
            }
        }
        self.notify(at, host, Notice::Up, Span::ZERO)
    }
}

impl GuestSet {
    /// Whether this guest is among them.
    #[must_use]
    pub fn has(&self, guest: GuestIx) -> bool {
        match self {
            Self::All => true,
            Self::These(guests) => guests.contains(&guest),
        }
    }
}
