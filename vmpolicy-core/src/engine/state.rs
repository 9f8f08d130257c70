//! The state of one guest: all that the engine remembers, and nothing that the policy says already.

use super::plan::Plan;
use crate::id::{ArrayId, HostId, Id, IndicatorId, QueueId, RequestId, RuleId, Table, WindowId};
use crate::input::{Absence, Setup};
use crate::leaf::clock::Clock;
use crate::leaf::guard::budget::Budget;
use crate::leaf::logic::Truth;
use crate::leaf::sample::Baseline;
use crate::leaf::tarry::Counter;
use crate::output::{Hold, Origin, Request};
use crate::policy::Policy;
use crate::time::{Mono, Wall};

/// Before all time.
pub(super) const NEVER: Mono = Mono(i64::MIN);

#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) setup: Setup,
    pub(super) location: Location,
    pub(super) settle_until: Option<Mono>,
    pub(super) rest: Option<RuleId>,
    pub(super) hold: OperatorHold,
    pub(super) drain: DrainState,
    pub(super) locate_due: Option<Mono>,
    pub(super) open: Option<Open>,
    pub(super) last: Option<(RequestId, HostId)>,
    pub(super) sequence: u64,
    pub(super) budget: Budget,
    /// When the last move of the guest's own choosing was confirmed.
    pub(super) moved_at: Option<Mono>,
    pub(super) indicators: Table<IndicatorId, IndicatorState>,
    pub(super) rules: Table<RuleId, RuleState>,
    pub(super) hosts: Table<HostId, HostState>,
    pub(super) arrays: Table<ArrayId, ArrayState>,
    pub(super) windows: Windows,
    pub(super) queues: Table<QueueId, QueueState>,
}

/// Where the guest is, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Location {
    Unknown,
    /// On a host that the policy does not list.
    Elsewhere,
    At(HostId),
}

impl Location {
    pub(super) const fn host(self) -> Option<HostId> {
        match self {
            Self::At(host) => Some(host),
            Self::Unknown | Self::Elsewhere => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum OperatorHold {
    Off,
    Until(Mono),
    On,
}

/// What was said of leaving a draining host, and when to look again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct DrainState {
    pub(super) said: Option<Hold>,
    pub(super) retry_at: Option<Mono>,
}

/// The open request. There is no in-flight phase without it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Open {
    pub(super) request: Request,
    pub(super) origin: Origin,
    pub(super) confirm_by: Mono,
    pub(super) phase: Phase,
    /// To be sent again under its id when the location is seen to be the source.
    pub(super) resend: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Phase {
    /// The actuator has not answered.
    Asked,
    /// The provider has taken it on.
    Accepted,
    /// Nobody knows; the location will tell.
    Unclear {
        /// The provider says that it went wrong.
        reported_failed: bool,
    },
    /// Its time is up; the location will tell.
    Overdue,
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct IndicatorState {
    pub(super) due: Mono,
    /// A probe is out since then.
    pub(super) asked: Option<Mono>,
    /// When the last poll was taken, or missed.
    pub(super) polled: Option<Mono>,
    pub(super) baseline: Baseline,
    pub(super) value: Option<f64>,
    pub(super) missing: u32,
    pub(super) said: Option<Absence>,
    /// The last poll timed out, and the policy calls that a breach.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(super) timed_out: bool,
}

impl IndicatorState {
    fn due_at(due: Mono) -> Self {
        Self {
            due,
            asked: None,
            polled: None,
            baseline: Baseline::default(),
            value: None,
            missing: 0,
            said: None,
            timed_out: false,
        }
    }

    /// As on the first day: nothing read, due then.
    pub(super) fn begin(&mut self, due: Mono) {
        let said = self.said;
        *self = Self { said, ..Self::due_at(due) };
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct RuleState {
    pub(super) counter: Counter,
    /// Counts what is Clear, towards the same tarry.
    pub(super) clear_run: Counter,
    /// Which of its indicators have a sample that is not counted yet.
    pub(super) fresh: u64,
    /// What the last sample said.
    pub(super) truth: Truth,
    pub(super) said: Said,
    /// For rules that act by the clock: when what holds them back ends.
    pub(super) retry_at: Option<Mono>,
    /// A relative rule that reads only the clock has acted in this opening.
    pub(super) done: bool,
    /// The rule was Clear for as long as its tarry in this stay.
    pub(super) good_here: bool,
    /// Some host is marked as tried in vain by this rule, or a pause has been made.
    pub(super) touring: bool,
    pub(super) tour_level: u32,
    pub(super) pause_until: Option<Mono>,
}

/// What was recorded of a rule that is ready and asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Said {
    Nothing,
    Held(Hold),
    AlreadyThere,
}

impl RuleState {
    fn new(counter: Counter, clear_run: Counter) -> Self {
        Self {
            counter,
            clear_run,
            fresh: 0,
            truth: Truth::Unknown,
            said: Said::Nothing,
            retry_at: None,
            done: false,
            good_here: false,
            touring: false,
            tour_level: 0,
            pause_until: None,
        }
    }

    /// Forgets what was counted towards acting.
    pub(super) fn recount(&mut self) {
        self.counter.reset();
        self.fresh = 0;
        self.retry_at = None;
    }

    /// Forgets what was counted either way: what was seen is void.
    pub(super) fn forget(&mut self) {
        self.recount();
        self.clear_run.reset();
        self.truth = Truth::Unknown;
    }

    /// What was held back is not ready any more.
    pub(super) fn not_ready(&mut self) {
        if let Said::Held(_) = self.said {
            self.said = Said::Nothing;
        }
        self.retry_at = None;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct HostState {
    pub(super) barred_until: Mono,
    pub(super) failures: u32,
    pub(super) drain_until: Mono,
    pub(super) down_until: Mono,
    /// By which rules it was tried in vain on their tours.
    pub(super) tried: u64,
}

#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct ArrayState {
    /// The host of its ring that the guest left last.
    pub(super) left: Option<HostId>,
    /// The ring as the provider ranks it, the best first; empty without a ranking.
    pub(super) ranking: Vec<HostId>,
    pub(super) ranking_until: Mono,
}

/// Which windows are open, as bits, and between which readings of the wall clock that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Windows {
    pub(super) open: u64,
    pub(super) from: Wall,
    pub(super) until: Wall,
    /// The window with the next edge.
    pub(super) next: Option<WindowId>,
}

#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct QueueState {
    pub(super) claim_due: Mono,
    /// How many jobs of each class the batch at hand has.
    pub(super) classes: Box<[u32]>,
    pub(super) others: u32,
    /// How many jobs it has; 0 where there is no batch.
    pub(super) total: u32,
    /// The next job to run, or the one that runs.
    pub(super) next: u32,
    pub(super) running: bool,
}

impl QueueState {
    pub(super) const fn has_batch(&self) -> bool {
        self.total > 0
    }
}

impl State {
    pub(super) fn new(policy: &Policy, plan: &Plan, setup: Setup) -> Self {
        let rules = policy
            .rules
            .iter()
            .map(|(id, _)| {
                let counter = Counter::new(plan.tarry(policy, id));
                RuleState::new(counter, counter)
            })
            .collect();
        let hosts =
            HostState { barred_until: NEVER, failures: 0, drain_until: NEVER, down_until: NEVER, tried: 0 };
        Self {
            clock: Clock::default(),
            setup,
            location: known(policy, setup),
            settle_until: None,
            rest: None,
            hold: OperatorHold::Off,
            drain: DrainState::default(),
            locate_due: None,
            open: None,
            last: None,
            sequence: 0,
            budget: Budget::new(policy.moves.at_most.count),
            moved_at: None,
            indicators: Table::new(vec![IndicatorState::due_at(NEVER); policy.indicators.len()]),
            rules: Table::new(rules),
            hosts: Table::new(vec![hosts; policy.hosts.len()]),
            arrays: Table::new(
                policy
                    .arrays
                    .iter()
                    .map(|(_, array)| ArrayState {
                        left: None,
                        ranking: Vec::with_capacity(usize::from(array.ring_len)),
                        ranking_until: NEVER,
                    })
                    .collect(),
            ),
            windows: Windows { open: 0, from: Wall(i64::MAX), until: Wall(i64::MIN), next: None },
            queues: Table::new(
                policy
                    .queues
                    .iter()
                    .map(|(_, queue)| QueueState {
                        claim_due: NEVER,
                        classes: vec![0; queue.classes.len()].into_boxed_slice(),
                        others: 0,
                        total: 0,
                        next: 0,
                        running: false,
                    })
                    .collect(),
            ),
        }
    }
}

/// The location that a setup gives, if the policy has that host.
pub(super) fn known(policy: &Policy, setup: Setup) -> Location {
    match setup.at {
        Some(host) if host.index() < policy.hosts.len() => Location::At(host),
        _ => Location::Unknown,
    }
}
