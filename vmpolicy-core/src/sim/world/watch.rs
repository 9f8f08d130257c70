//! Whoever wants to see the world while it happens.

use super::share::Shares;
use crate::engine::Engine;
use crate::id::IndicatorId;
use crate::input::Absence;
use crate::output::Output;
use crate::policy::Policy;
use crate::sim::scenario::{Fault, GuestIx, HostIx, QueueIx};
use crate::sim::service::{Indicator, Service, jobs::JobQueue};
use crate::time::{Mono, Wall};

/// What somebody is shown. Each has a default that does not look; `()` looks at nothing and costs nothing.
pub trait Watch {
    /// A guest's daemon has something to record. The records' own times are by the guest's wall clock, which a fault
    /// may have set; `at` is the world's time.
    fn recorded(&mut self, guest: GuestIx, at: Mono, policy: &Policy, output: &Output) {
        let _ = (guest, at, policy, output);
    }

    /// A guest's probe has answered.
    fn polled(&mut self, guest: GuestIx, at: Wall, indicator: IndicatorId, value: Result<f64, Absence>) {
        let _ = (guest, at, indicator, value);
    }

    /// A guest's daemon has taken an input, and all of its records have been told. What its rules see now is in the
    /// engine; `in_breach` says whether one with the action `move` was true at the last poll.
    #[inline]
    fn turned(&mut self, guest: GuestIx, at: Mono, in_breach: bool, engine: &Engine) {
        let _ = (guest, at, in_breach, engine);
    }

    /// A guest is switched off, or on again.
    fn powered(&mut self, guest: GuestIx, at: Mono, on: bool) {
        let _ = (guest, at, on);
    }

    /// A guest is somewhere else from now on; none while it is nowhere.
    fn placed(&mut self, guest: GuestIx, at: Mono, host: Option<HostIx>) {
        let _ = (guest, at, host);
    }

    /// A move is under way from now on, or came to nothing.
    fn moving(&mut self, guest: GuestIx, at: Mono, to: Option<HostIx>) {
        let _ = (guest, at, to);
    }

    /// A fault begins, or is over.
    fn fault(&mut self, at: Mono, fault: &Fault, begins: bool) {
        let _ = (at, fault, begins);
    }

    /// A step has begun: loads are looked at and processor time is shared out.
    fn stepped(&mut self, at: Mono, snapshot: &Snapshot<'_>) {
        let _ = (at, snapshot);
    }

    /// A step is over. Whether to go on.
    fn goes_on(&mut self, at: Mono, end: Mono) -> bool {
        let _ = (at, end);
        true
    }
}

impl Watch for () {}

/// The world at the beginning of a step.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    pub(super) shares: &'a Shares,
    pub(super) services: &'a [Service],
    pub(super) queues: &'a [JobQueue],
    pub(super) inner: super::look::Inner<'a>,
}

impl Snapshot<'_> {
    /// How many guests are on a host.
    #[must_use]
    pub fn guests_on(&self, host: HostIx) -> u32 {
        self.shares.guests_on(host)
    }

    /// What share of a host's processors is busy, from 0 to 1.
    #[must_use]
    pub fn busy(&self, host: HostIx) -> f64 {
        self.shares.busy(host)
    }

    /// Whether not all that is demanded of a host can be met.
    #[must_use]
    pub fn is_overloaded(&self, host: HostIx) -> bool {
        self.shares.is_overloaded(host)
    }

    /// What a guest's service says; slow queries only where a policy of the scenario reads them.
    #[must_use]
    pub fn reads(&self, guest: GuestIx, indicator: Indicator) -> Option<f64> {
        self.services[guest.index()].read(indicator)
    }

    /// A job queue.
    #[must_use]
    pub fn queue(&self, queue: QueueIx) -> &JobQueue {
        &self.queues[queue.index()]
    }
}
