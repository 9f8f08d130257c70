//! What comes out of a step: effects to carry out, records to keep, the next deadline, and why.
//!
//! The caller owns the buffer and hands it in each time; once it has grown to its size, a step allocates
//! nothing.

use crate::id::{HostId, IndicatorId, QueueId, RequestId, RuleId, WindowId};
use crate::input::{Absence, Hooked};
use crate::leaf::logic::Truth;
use crate::policy::Action;
use crate::time::{Mono, Span, Wall};
use core::ops::Range;

/// Everything that one step has to say.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use = "a step's effects are there to be carried out"]
pub struct Output {
    /// What to do, in this order.
    pub effects: Vec<Effect>,
    /// What to write down, in this order, before any effect is carried out.
    pub records: Vec<Record>,
    /// When to come back with a [`Tick`](crate::Input::Tick), and what for.
    pub deadline: Option<Deadline>,
    /// Whether the state must be on disk before the effects are carried out.
    pub save: bool,
    /// What the conditions saw; the records point into it.
    pub seen: Vec<Seen>,
    /// What was thought of each host; the records point into it.
    pub verdicts: Vec<(HostId, Verdict)>,
}

impl Output {
    /// Empties it and keeps its memory.
    #[inline]
    pub fn clear(&mut self) {
        self.effects.clear();
        self.records.clear();
        self.deadline = None;
        self.save = false;
        self.seen.clear();
        self.verdicts.clear();
    }
}

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Effect {
    /// Probe this indicator now.
    Probe(IndicatorId),
    /// Ask the provider for a move.
    Request(Request),
    /// Look up where the guest is.
    Locate,
    /// Claim a batch of jobs.
    Claim(QueueId),
    /// Run a job of the batch at hand.
    Run {
        /// The queue.
        queue: QueueId,
        /// Which job, from 0.
        job: u32,
    },
}

/// One asked-for move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Request {
    /// Its number.
    pub id: RequestId,
    /// What kind of move.
    pub action: Action,
    /// From where.
    pub from: HostId,
    /// To where.
    pub to: HostId,
    /// Whether it was sent before under this id.
    pub resent: bool,
}

/// When the engine wants to be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Deadline {
    /// When, on the caller's monotonic clock.
    pub at: Mono,
    /// What for.
    pub cause: Cause,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Cause {
    /// This indicator is to be polled; a [`Reading`](crate::input::Reading) will do as well as a tick.
    Poll(IndicatorId),
    /// This indicator's answer is late by then.
    Late(IndicatorId),
    /// The guest has settled.
    Settled,
    /// The open request should be confirmed by now.
    Confirm,
    /// The location is to be looked up.
    Locate,
    /// A window opens or closes.
    Window(WindowId),
    /// A rule that reads only the clock has held for its tarry, or what held it back ends.
    Rule(RuleId),
    /// A notice, bar or hold ends that kept the guest from leaving a draining host.
    Drain,
    /// A queue is to be asked for a batch.
    Claim(QueueId),
}

/// Something that happened, for the log. Section 5 of the contract lists the events.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Record {
    /// When, on the wall clock.
    pub at: Wall,
    /// What.
    pub event: Event,
}

/// Where in an [`Output`] the reasons of a record stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Because {
    /// How far the rule's counter was: samples, or milliseconds.
    pub counter: u64,
    seen: (u32, u32),
    verdicts: (u32, u32),
}

impl Because {
    /// Reasons that begin where the buffer ends now, with the verdicts since `mark`.
    pub(crate) fn begin(out: &Output, counter: u64, mark: usize) -> Self {
        let seen = len(&out.seen);
        let mark = u32::try_from(mark).unwrap_or(u32::MAX);
        Self { counter, seen: (seen, seen), verdicts: (mark, mark) }
    }

    /// The same, ending where the buffer ends now.
    pub(crate) fn end(mut self, out: &Output) -> Self {
        self.seen.1 = len(&out.seen);
        self.verdicts.1 = len(&out.verdicts);
        self
    }

    /// Which of [`Output::seen`] belong to it.
    #[must_use]
    pub fn seen(&self) -> Range<usize> {
        self.seen.0 as usize..self.seen.1 as usize
    }

    /// Which of [`Output::verdicts`] belong to it.
    #[must_use]
    pub fn verdicts(&self) -> Range<usize> {
        self.verdicts.0 as usize..self.verdicts.1 as usize
    }
}

fn len<T>(of: &[T]) -> u32 {
    u32::try_from(of.len()).unwrap_or(u32::MAX)
}

/// Who wanted a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Origin {
    /// A rule.
    Rule(RuleId),
    /// A notice that the current host will drain.
    Drain,
    /// An operator.
    Operator,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Event {
    /// A move is asked for.
    Request {
        /// The request's number.
        id: RequestId,
        /// Who wanted it.
        origin: Origin,
        /// What kind of move.
        action: Action,
        /// From where.
        from: HostId,
        /// To where.
        to: HostId,
        /// Why.
        because: Because,
    },
    /// The move has taken place.
    Confirmed {
        /// The request's number.
        id: RequestId,
        /// Where the guest is now.
        at_host: HostId,
    },
    /// The request was turned down.
    Refused {
        /// The request's number.
        id: RequestId,
        /// The target, which is barred now.
        to: HostId,
        /// For how long.
        barred: Span,
    },
    /// The move went wrong.
    Failed {
        /// The request's number.
        id: RequestId,
        /// The target.
        to: HostId,
        /// For how long the target is barred; zero where it is not.
        barred: Span,
        /// How.
        why: Failure,
    },
    /// The move was not confirmed in time, and the guest is where it was.
    Expired {
        /// The request's number.
        id: RequestId,
        /// The target, which is barred now.
        to: HostId,
        /// For how long.
        barred: Span,
    },
    /// A ready rule, or leaving a draining host, is held back.
    Held {
        /// Whose move.
        origin: Origin,
        /// By what.
        by: Hold,
        /// For how much longer, where that is known.
        lasts: Option<Span>,
        /// What was seen.
        because: Because,
    },
    /// A ready rule wants what is so already.
    AlreadyThere {
        /// The rule or operator.
        origin: Origin,
        /// Where the guest is.
        at_host: HostId,
    },
    /// Every host was tried in vain.
    NoBetterHost {
        /// The rule.
        rule: RuleId,
        /// For how long the rule stays put.
        pause: Span,
        /// What was seen.
        because: Because,
    },
    /// Probing stops.
    Rest {
        /// The rule.
        rule: RuleId,
    },
    /// Probing starts.
    Wake {
        /// The rule that rested.
        rule: RuleId,
    },
    /// The samples held so far are discarded.
    Void {
        /// Why.
        why: Discontinuity,
    },
    /// An indicator's reading could not be used; said once per change.
    Unknown {
        /// The indicator.
        indicator: IndicatorId,
        /// Why.
        why: Absence,
    },
    /// A hook has been run.
    Hook(Hooked),
    /// A new policy is in force.
    Reload {
        /// How many rules kept their counters.
        rules_kept: u32,
    },
}

impl Event {
    /// The name in records.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Request { .. } => "request",
            Self::Confirmed { .. } => "confirmed",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
            Self::Expired { .. } => "expired",
            Self::Held { .. } => "held",
            Self::AlreadyThere { .. } => "already-there",
            Self::NoBetterHost { .. } => "no-better-host",
            Self::Rest { .. } => "rest",
            Self::Wake { .. } => "wake",
            Self::Void { .. } => "void",
            Self::Unknown { .. } => "unknown",
            Self::Hook(_) => "hook",
            Self::Reload { .. } => "reload",
        }
    }
}

/// How a move went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Failure {
    /// The provider says so, and the guest is where it was.
    Reported,
    /// The guest went somewhere else.
    WentElsewhere,
    /// An operator gave it up.
    Abandoned,
}

/// What can hold a move back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Hold {
    /// Nobody knows where the guest is, or it is on a host that the policy does not list.
    LocationUnknown,
    /// An operator said so.
    Operator,
    /// The last move is too recent.
    Dwell,
    /// The budget is spent.
    AtMost,
    /// A job is running; relocation waits for its end.
    JobRunning,
    /// No host is eligible.
    NoEligibleHost,
}

impl Hold {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LocationUnknown => "location-unknown",
            Self::Operator => "operator",
            Self::Dwell => "dwell",
            Self::AtMost => "at-most",
            Self::JobRunning => "job-running",
            Self::NoEligibleHost => "no-eligible-host",
        }
    }
}

/// Why samples are void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Discontinuity {
    /// The guest was moved by somebody else.
    Moved {
        /// From where, where that is known.
        from: Option<HostId>,
        /// To where; none where the policy does not list it.
        to: Option<HostId>,
    },
    /// The wall clock and the monotonic clock disagree by so many milliseconds.
    Clock {
        /// How much further the wall clock went.
        apart_ms: i64,
    },
}

/// What one condition saw.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Seen {
    /// Which leaf of the rule's condition, counted from 0 as they are written.
    pub leaf: u16,
    /// The value, where there is one: a sample, a count, a gain.
    pub value: Option<f64>,
    /// There is none, as the probe ran out of time, and the policy calls that a breach of this rule: what it
    /// `truth` is favours the rule.
    #[cfg_attr(feature = "serde", serde(default))]
    pub timed_out: bool,
    /// What it said.
    pub truth: Truth,
}

/// What was thought of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Verdict {
    /// It was chosen.
    Chosen,
    /// It was eligible, and another came first.
    Eligible,
    /// The guest is there.
    Current,
    /// It is barred after a failure, for so much longer.
    Barred(Span),
    /// It is draining, for so much longer.
    Draining(Span),
    /// It is down, for so much longer.
    Down(Span),
    /// It was tried on this tour, in vain.
    TriedInVain,
}
