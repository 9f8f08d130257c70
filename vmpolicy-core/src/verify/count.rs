//! What was tried: how many worlds, faults, steps, and how often each expectation had something to judge.

use crate::sim::scenario::What;

/// The kinds of faults that a world may have, by the names that results give them.
pub const FAULTS: [&str; 18] = [
    "reload",
    "daemon-crash",
    "pause",
    "clock-step",
    "probe-hangs",
    "probe-fails",
    "probe-lies",
    "service-restart",
    "locator-fails",
    "load-times",
    "moved-to",
    "operator",
    "host-crash",
    "drain",
    "drain-withdrawn",
    "provider-down",
    "provider-behaves",
    "link-times",
];

/// The number of a fault's kind in [`FAULTS`].
#[must_use]
pub const fn kind_of(what: &What) -> usize {
    match what {
        What::Reload { .. } => 0,
        What::DaemonCrash(_) => 1,
        What::Pause(_) => 2,
        What::ClockStep { .. } => 3,
        What::ProbeHangs(_) => 4,
        What::ProbeFails { .. } => 5,
        What::ProbeLies { .. } => 6,
        What::ServiceRestart(_) => 7,
        What::LocatorFails(_) => 8,
        What::LoadTimes { .. } => 9,
        What::MovedTo { .. } => 10,
        What::Operator { .. } => 11,
        What::HostCrash(_) => 12,
        What::Drain { comes_true: true, .. } => 13,
        What::Drain { comes_true: false, .. } => 14,
        What::ProviderDown(_) => 15,
        What::ProviderBehaves { .. } => 16,
        What::LinkTimes { .. } => 17,
    }
}

/// What a guest is doing when a fault comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// It polls, or waits to.
    #[default]
    Idle,
    /// It settles after a move.
    Settling,
    /// It has asked for a move that has not ended.
    Asking,
    /// It rests.
    Resting,
}

impl Doing {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Idle, Self::Settling, Self::Asking, Self::Resting];

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Settling => "settling",
            Self::Asking => "asking",
            Self::Resting => "resting",
        }
    }
}

/// What was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Worlds.
    pub worlds: u64,
    /// Guests with the policy.
    pub guests: u64,
    /// How often an engine was called, and the onlooker looked.
    pub steps: u64,
    /// Moves that guests asked for.
    pub requests: u64,
    /// Moves of guests with the policy that took place, whoever wanted them.
    pub moves: u64,
    /// Faults by their [kind](FAULTS).
    pub faults: [u64; FAULTS.len()],
    /// By the kind of fault, and by what a guest with the policy that it could touch was [doing](Doing).
    pub met: [[u64; Doing::ALL.len()]; FAULTS.len()],
    /// By expectation: how often it had something to judge.
    pub judged: Vec<u64>,
    /// By expectation: in how many worlds it had.
    pub judged_in: Vec<u64>,
    /// By expectation: in how many worlds it was broken.
    pub broken_in: Vec<u64>,
    /// In how many worlds an invariant was broken.
    pub violated_in: u64,
}

impl Counts {
    /// Nothing yet, of so many expectations.
    #[must_use]
    pub fn new(expectations: usize) -> Self {
        let none = vec![0; expectations];
        Self { judged: none.clone(), judged_in: none.clone(), broken_in: none, ..Self::default() }
    }

    /// All faults.
    #[must_use]
    pub fn all_faults(&self) -> u64 {
        self.faults.iter().sum()
    }

    /// How often a guest was doing this when a fault came.
    #[must_use]
    pub fn met_while(&self, doing: Doing) -> u64 {
        self.met.iter().map(|by| by[doing as usize]).sum()
    }

    /// Adds those of other worlds.
    pub fn add(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.guests += other.guests;
        self.steps += other.steps;
        self.requests += other.requests;
        self.moves += other.moves;
        self.violated_in += other.violated_in;
        let lists = [
            (&mut self.faults[..], &other.faults[..]),
            (self.met.as_flattened_mut(), other.met.as_flattened()),
            (&mut self.judged[..], &other.judged[..]),
            (&mut self.judged_in[..], &other.judged_in[..]),
            (&mut self.broken_in[..], &other.broken_in[..]),
        ];
        for (mine, others) in lists {
            mine.iter_mut().zip(others).for_each(|(sum, more)| *sum += more);
        }
    }
}
