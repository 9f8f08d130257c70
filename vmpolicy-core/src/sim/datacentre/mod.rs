//! A bare data centre: guests that only want processors, hosts, and a manager that moves them. No policy, no service,
//! no provider: what the conventional case needs, and quick.
//!
//! Time goes in steps of the traces. At each step the manager decides; a move takes as long as its guest's memory
//! takes to copy, and ends between two steps. Demand, shares, energy and violations are taken at each step
//! and at each end of a move, as CloudSim's `PowerDatacenter` does.

mod paper;
mod planetlab;
mod run;
mod share;
mod tally;
mod trace;

#[cfg(test)]
mod tests;

pub use planetlab::{BadPercent, percents};
pub use run::{NoRoom, run};
pub use tally::{Outcome, Spread};
pub use trace::{Demand, MissingSamples};

use super::balance::Kind;

/// A guest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guest {
    /// What it could use at most of the processors, in the hosts' unit: its one virtual processor.
    pub size: f64,
    /// Its memory, in the hosts' unit.
    pub memory: f64,
}

/// What a data centre is made of and how it behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Datacentre {
    /// The models of hosts.
    pub kinds: Vec<Kind>,
    /// Each host's row in `kinds`.
    pub hosts: Vec<u16>,
    /// The guests.
    pub guests: Vec<Guest>,
    /// Seconds between two samples of a trace, and between two decisions.
    pub step_s: f64,
    /// Seconds from midnight of the first sample at which the guests begin to work.
    pub begin_s: f64,
    /// How much memory a move copies a second. Moves don't share it.
    pub copied_per_s: f64,
    /// The share of its processors that a guest loses while it moves, and that its new host gives it meanwhile.
    pub move_cost: f64,
    /// What becomes of a guest that wants nothing.
    pub idle: Idling,
    /// Whether a guest on an overbooked host gets whole units only. CloudSim rounds MIPS down.
    pub whole_units: bool,
}

/// What becomes of a guest that wants nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idling {
    /// It stays.
    Stays,
    /// It counts as finished and is gone for good, unless it is moving. CloudSim's `HostDynamicWorkload` has it so.
    Leaves,
}
