//! What a watcher may ask of the world at the beginning of a step, besides what reports show.
//!
//! It is what an onlooker needs who has to tell a guest's fault from the infrastructure's: whether its daemon could
//! decide at all, and whether there was anywhere to go.

use super::faults::Active;
use super::moves::Moves;
use super::provider::Clerk;
use super::vm::{Phase, Vm};
use super::watch::Snapshot;
use crate::engine::Engine;
use crate::sim::scenario::{ArrayIx, GuestIx, HostIx, Provider};

/// The parts of the world that only [`Snapshot`]'s questions see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inner<'a> {
    pub(super) vms: &'a [Option<Box<Vm>>],
    pub(super) moves: &'a Moves,
    pub(super) clerks: &'a [Clerk],
    pub(super) faults: &'a Active,
}

impl<'a> Snapshot<'a> {
    /// The engine of a guest whose daemon runs now; none where the guest has no policy, is off or paused, or where its
    /// daemon is dead.
    #[must_use]
    pub fn engine(&self, guest: GuestIx) -> Option<&'a Engine> {
        let vm = self.inner.vms[guest.index()].as_deref()?;
        (vm.phase == Phase::Up).then(|| vm.driver.engine())
    }

    /// Whether a guest's probes answer, each with what is so.
    #[must_use]
    pub fn is_probed_well(&self, guest: GuestIx) -> bool {
        self.inner.vms[guest.index()].as_deref().is_some_and(|vm| {
            vm.probing.hangs == 0 && vm.probing.fails.is_none() && vm.probing.lies.is_none()
        })
    }

    /// Whether a guest can look up where it is.
    #[must_use]
    pub fn is_located(&self, guest: GuestIx) -> bool {
        let vm = self.inner.vms[guest.index()].as_deref();
        vm.is_some_and(|vm| vm.managed.locates && vm.probing.locator_fails == 0)
    }

    /// How far a guest's wall clock is from the right one, in milliseconds.
    #[must_use]
    pub fn wall_ahead_ms(&self, guest: GuestIx) -> i64 {
        self.inner.vms[guest.index()].as_deref().map_or(0, |vm| vm.wall_ahead_ms)
    }

    /// Where a guest is, on its way or not.
    #[must_use]
    pub fn host_of(&self, guest: GuestIx) -> HostIx {
        self.shares.host_of(guest)
    }

    /// Whether a guest is on its way.
    #[must_use]
    pub fn is_moving(&self, guest: GuestIx) -> bool {
        self.inner.moves.is_moving(guest)
    }

    /// What a guest demands of its host's processors, in GHz.
    #[must_use]
    pub fn demanded_ghz(&self, guest: GuestIx) -> f64 {
        self.shares.demanded_ghz(guest.index())
    }

    /// The part of that which it does not get, from 0 to 1.
    #[must_use]
    pub fn missed_part(&self, guest: GuestIx) -> f64 {
        self.shares.missed_part(guest.index())
    }

    /// What nobody demands of a host's processors, in GHz.
    #[must_use]
    pub fn spare_ghz(&self, host: HostIx) -> f64 {
        self.shares.spare_ghz(host)
    }

    /// Whether a guest may come to a host: it is up, not to be emptied, and has the memory for it.
    #[must_use]
    pub fn takes(&self, host: HostIx, guest: GuestIx) -> bool {
        let room = self.shares.memory_free(host) - self.inner.moves.memory_coming(host);
        !self.inner.faults.is_closed(host) && room >= self.shares.memory_of(guest)
    }

    /// How the provider of an array behaves now; none while it does not answer.
    #[must_use]
    pub fn provider(&self, array: ArrayIx) -> Option<Provider> {
        let clerk = &self.inner.clerks[array.index()];
        (clerk.down == 0).then_some(clerk.now)
    }
}
