//! What goes into a step: everything that the engine can learn, as data.

use crate::Policy;
use crate::id::{ArrayId, HostId, IndicatorId, QueueId, RequestId};
use crate::time::{Mono, Span};
use std::sync::Arc;

/// One thing that has happened. Every input comes with the time ([`Now`](crate::time::Now)).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Input {
    /// The host program has started, perhaps again: what it was waiting for is lost.
    Start(Setup),
    /// Time has passed: a deadline is reached, or somebody wants to know what is due.
    Tick,
    /// A probe has answered, or failed to.
    Reading(Reading),
    /// Where the guest is, as a locator saw it.
    Location(Sighting),
    /// What became of a request.
    Outcome {
        /// Which one.
        id: RequestId,
        /// What became of it.
        outcome: Outcome,
    },
    /// The provider ranks the hosts of an array, the best first.
    Ranking {
        /// The array.
        array: ArrayId,
        /// Its hosts; those left out follow in the array's own order. Empty withdraws the ranking.
        order: Vec<HostId>,
        /// How long it holds.
        lasts: Span,
    },
    /// The provider says something about a host.
    Notice {
        /// The host.
        host: HostId,
        /// What about it.
        notice: Notice,
        /// How long that holds.
        lasts: Span,
    },
    /// A queue has answered a claim: so many jobs of each class of the policy, in its order, and so many
    /// of no class. No job at all: the queue is empty.
    Batch {
        /// The queue.
        queue: QueueId,
        /// How many of each class.
        classes: Vec<u32>,
        /// How many of no class that the policy knows.
        others: u32,
    },
    /// The running job of a queue has ended, well or not.
    JobDone {
        /// The queue.
        queue: QueueId,
    },
    /// A hook has been run. It becomes a record, and nothing follows from it.
    Hook(Hooked),
    /// A person has said something.
    Operator(Word),
    /// The policy file has changed, and is sound. It is in force from the step that records a reload: this one or,
    /// while a request is open to a host that it lacks, the first [`Tick`](Input::Tick) after the request's end. Ids
    /// mean what that policy says from then on; an answer that was asked for by an earlier id is not to be handed in.
    Policy(Arc<Policy>),
}

/// What the host program can do, and where the guest is as far as it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Setup {
    /// Where the guest is, where that is known or assumed. A state that knows better keeps its own.
    pub at: Option<HostId>,
    /// Whether somebody can look up where the guest is. If not, moves are believed.
    pub locates: bool,
    /// Whether one request may be sent twice under one id (an idempotency key makes it safe).
    pub resends: bool,
}

/// The answer of a probe.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Reading {
    /// Of which indicator.
    pub indicator: IndicatorId,
    /// When the probing began, on the caller's monotonic clock. What was taken before a move, or before
    /// it was due, does not count.
    pub taken: Mono,
    /// The number, or why there is none.
    pub value: Result<f64, Absence>,
}

/// Why there is no number, or none that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Absence {
    /// There was nothing to read.
    Missing,
    /// What there was is too old.
    Stale,
    /// The answer was not there when the next poll was due.
    Late,
    /// The probe's own time limit ran out.
    TimedOut,
    /// The service could not be reached.
    Unreachable,
    /// The service was reached and refused.
    Denied,
    /// The answer was not a number.
    Unparsable,
    /// The answer was NaN or infinite.
    NotFinite,
    /// A counter went back: the service has started again.
    CounterReset,
    /// Nothing feeds this indicator (a backtest with one trace).
    NotFed,
}

impl Absence {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Missing,
        Self::Stale,
        Self::Late,
        Self::TimedOut,
        Self::Unreachable,
        Self::Denied,
        Self::Unparsable,
        Self::NotFinite,
        Self::CounterReset,
        Self::NotFed,
    ];

    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Late => "late",
            Self::TimedOut => "timed-out",
            Self::Unreachable => "unreachable",
            Self::Denied => "denied",
            Self::Unparsable => "unparsable",
            Self::NotFinite => "not-finite",
            Self::CounterReset => "counter-reset",
            Self::NotFed => "not-fed",
        }
    }
}

/// What a locator saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Sighting {
    /// The guest is on this host.
    At(HostId),
    /// The guest is on a host that the policy does not list.
    Elsewhere,
    /// The locator could not tell.
    Unknown,
}

/// What became of a request, as the actuator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Outcome {
    /// It was taken on. That is not a move yet, unless moves are believed.
    Accepted,
    /// It was carried out. Where there is a locator, that is looked up.
    Confirmed,
    /// It was turned down; nothing has started.
    Refused,
    /// It was begun and went wrong. Where there is a locator, that is looked up.
    Failed,
    /// Nobody knows: a time limit ran out, a connection broke.
    Unanswered,
}

/// A hook that has been run, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Hooked {
    /// Which one.
    pub hook: Hook,
    /// The request that it was run for; none where the guest was moved by somebody else, or had just started.
    pub id: Option<RequestId>,
    /// Where the guest was, where the policy lists that.
    pub host: Option<HostId>,
    /// How it ended.
    pub ended: HookEnd,
    /// How long it took.
    pub took: Span,
}

/// A moment at which the host program runs something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Hook {
    /// The guest is on another host than at the last time.
    OnArrival,
    /// A move is about to be asked for.
    BeforeLeaving,
}

impl Hook {
    /// The name in records: that of its key in the policy file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnArrival => "on_arrival",
            Self::BeforeLeaving => "before_leaving",
        }
    }
}

/// How a hook ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum HookEnd {
    /// By itself, with this status; 0 is well.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// Its time limit ran out, and it was killed.
    TimedOut,
    /// It could not be started.
    NotStarted,
    /// Nobody knows.
    Lost,
}

impl HookEnd {
    /// Whether it went well.
    #[must_use]
    pub const fn is_well(self) -> bool {
        matches!(self, Self::Exit(0))
    }

    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exit(0) => "done",
            Self::Exit(_) => "failed",
            Self::Signal(_) => "killed",
            Self::TimedOut => "timed-out",
            Self::NotStarted => "not-started",
            Self::Lost => "lost",
        }
    }
}

/// What a provider says about a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Notice {
    /// It will be emptied: leave, and don't come.
    Drain,
    /// It is down: don't come.
    Down,
    /// It is up: earlier notices are void.
    Up,
    /// The drain will not take place.
    Withdrawn,
}

/// What an operator can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Word {
    /// Ask for nothing, for so long or until told otherwise.
    Hold(Option<Span>),
    /// Go on.
    Resume,
    /// Ask for a move to this host, whatever the rules say.
    Move(HostId),
    /// Give up the open request.
    Abandon,
}
