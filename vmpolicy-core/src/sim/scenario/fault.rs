//! What happens by itself, at a given time.

use super::{ArrayIx, GuestIx, HostIx, Managed, Provider};
use crate::input::{Absence, Word};
use crate::time::Span;

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// When, from the beginning of the scenario.
    pub at: Span,
    /// For how long, where it is not over at once; none for the rest of the scenario.
    pub lasts: Option<Span>,
    /// What.
    pub what: What,
}

/// Guests that something happens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestSet {
    /// All of them.
    All,
    /// These.
    These(Vec<GuestIx>),
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Guests are given another policy. At once.
    Reload {
        /// Which; those that had a policy.
        guests: GuestSet,
        /// The policy, and what feeds it.
        managed: Managed,
    },
    /// The daemon dies without a word, and starts again from the state on disk when this is over.
    DaemonCrash(GuestSet),
    /// The hypervisor pauses the guest: its monotonic clock stands still, the wall clock does not.
    Pause(GuestSet),
    /// The guest's wall clock is set, by so many milliseconds. At once.
    ClockStep {
        /// Which guests.
        guests: GuestSet,
        /// Forward, or back if negative.
        by_ms: i64,
    },
    /// Probes do not answer.
    ProbeHangs(GuestSet),
    /// Probes answer so, without a number.
    ProbeFails {
        /// Which guests.
        guests: GuestSet,
        /// Why there is none.
        why: Absence,
    },
    /// Probes answer with this number, whatever the service does; it may be infinite or none.
    ProbeLies {
        /// Which guests.
        guests: GuestSet,
        /// What they say.
        value: f64,
    },
    /// The service starts anew: its counters begin at 0, its backlog is gone. At once.
    ServiceRestart(GuestSet),
    /// The locator does not know.
    LocatorFails(GuestSet),
    /// The load is so many times what it would be.
    LoadTimes {
        /// Which guests.
        guests: GuestSet,
        /// The factor, 0 or more.
        factor: f64,
    },
    /// Somebody else moves the guest. At once; it is there when a live migration would be.
    MovedTo {
        /// Which guests.
        guests: GuestSet,
        /// Where to.
        to: HostIx,
    },
    /// The operator says something. At once.
    Operator {
        /// To which guests.
        guests: GuestSet,
        /// What; a move to a host is `MoveTo` with a name of the policy's, so it is not said here.
        word: Word,
    },
    /// A host fails: its guests are gone until it is back, and start on it again.
    HostCrash(HostIx),
    /// The provider announces that a host will be emptied, and withdraws that when this is over.
    Drain {
        /// Which host.
        host: HostIx,
        /// Whether it comes true: when this is over, the guests that are still there are moved away, and the
        /// host is down from then on.
        comes_true: bool,
    },
    /// The provider of an array, or of all, does not answer.
    ProviderDown(Option<ArrayIx>),
    /// The provider of an array, or of all, behaves so.
    ProviderBehaves {
        /// Whose.
        array: Option<ArrayIx>,
        /// How.
        provider: Provider,
    },
    /// The links of an array, or of all, are so many times as fast.
    LinkTimes {
        /// Whose.
        array: Option<ArrayIx>,
        /// The factor, above 0.
        factor: f64,
    },
}
