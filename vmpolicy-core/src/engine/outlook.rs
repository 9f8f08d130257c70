//! What is asked between steps: what each rule waits for, what speaks against each host, how each indicator and
//! the open request stand. Nothing here changes the engine.

use super::Engine;
use super::state::{NEVER, OperatorHold, Phase};
use super::step::Step;
use crate::id::{HostId, IndicatorId, RequestId, RuleId};
use crate::input::Absence;
use crate::leaf::logic::Truth;
use crate::output::{Because, Hold, Origin, Output, Request, Verdict};
use crate::policy::{Action, Policy};
use crate::time::{Mono, Now, Span};
use std::sync::Arc;

/// What a rule waits for before it acts, the first of them that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The end of the open request.
    Request(RequestId),
    /// The end of settling.
    Settling(Span),
    /// The end of another rule's rest.
    Resting(RuleId),
    /// Its own rest goes on: it has what it wanted, or holds out for it.
    Rests,
    /// What its condition reads is not known.
    Unknown,
    /// Its condition is false.
    Clear,
    /// Its condition is true, and not for long enough.
    Tarry,
    /// It has acted in this opening of its window, and a relative move is made once in each.
    Done,
    /// It is ready, and wants what is so already.
    AlreadyThere,
    /// It is ready, and this holds it back, for so much longer where that is known.
    Held(Hold, Option<Span>),
    /// It is ready, and every host was tried in vain: it looks again so much later.
    Paused(Span),
    /// Nothing but its next sample.
    Sample,
}

impl Wait {
    /// The name in what programs read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request(_) => "request",
            Self::Settling(_) => "settling",
            Self::Resting(_) => "resting",
            Self::Rests => "rests",
            Self::Unknown => "unknown",
            Self::Clear => "clear",
            Self::Tarry => "tarry",
            Self::Done => "done",
            Self::AlreadyThere => "already-there",
            Self::Held(..) => "held",
            Self::Paused(_) => "paused",
            Self::Sample => "sample",
        }
    }
}

/// What there is to say of a rule now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// What its condition says of what is known now.
    pub truth: Truth,
    /// What it waits for.
    pub waits: Wait,
    /// Where it would lead if it acted now; none where nobody knows where the guest is, or no host will do.
    pub to: Option<HostId>,
    /// How far its counter is, what its conditions see, and what is thought of each candidate: the ranges are those of the
    /// output that was handed in.
    pub because: Because,
}

/// How an indicator stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IndicatorView {
    /// The last sample, where it is known.
    pub value: Option<f64>,
    /// Why it is not known. None with a value, before the first poll, and where only a baseline is read.
    pub why: Option<Absence>,
    /// When the last poll that counts was taken or missed, on the caller's monotonic clock.
    pub polled: Option<Mono>,
    /// Since when an answer is awaited, on the caller's monotonic clock.
    pub asked: Option<Mono>,
    /// How many polls in a row gave nothing.
    pub missing: u32,
    /// Whether it is probed now: not while the guest settles, waits for a request, or rests.
    pub probed: bool,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The actuator has not answered.
    Asked,
    /// The provider has taken it on.
    Accepted,
    /// Nobody knows; the location will tell.
    Unclear,
    /// Its time is up; the location will tell.
    Overdue,
}

impl Stage {
    /// The name in what programs read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Accepted => "accepted",
            Self::Unclear => "unclear",
            Self::Overdue => "overdue",
        }
    }
}

/// The open request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenView {
    /// What is asked for.
    pub request: Request,
    /// Who wanted it.
    pub origin: Origin,
    /// How far it is.
    pub stage: Stage,
    /// How long ago it was asked for, by the policy's `confirm_within`.
    pub age: Span,
    /// How long it may still take; zero where it is overdue.
    pub left: Span,
}

/// An operator's hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldView {
    /// For how much longer; none: until the operator says otherwise.
    pub lasts: Option<Span>,
}

impl Engine {
    /// What a rule waits for, and where it would lead. `out` is emptied, and holds what
    /// [`Outlook::because`] points to.
    ///
    /// # Panics
    ///
    /// With an id that is not of the policy in force.
    #[must_use]
    pub fn outlook(&self, now: Now, rule: RuleId, out: &mut Output) -> Outlook {
        out.clear();
        // Looking costs a copy, so that asking can't change anything.
        let mut state = self.state.clone();
        let t = self.time(now);
        let (policy, plan) = (&*self.policy, &*self.plan);
        let mut step = Step { policy, plan, state: &mut state, out, now, t, ready: 0 };
        let truth = step.truth_now(rule);
        // Before obstacles are looked for: that marks hosts as tried.
        let to = step.target(rule);
        let because = step.because(rule, 0);
        let (mark, seen) = (step.out.verdicts.len(), step.out.seen.len());
        let waits = step.not_yet(rule, truth).unwrap_or_else(|| step.obstacle(rule, mark));
        step.out.records.clear();
        step.out.verdicts.truncate(mark);
        step.out.seen.truncate(seen);
        Outlook { truth, waits, to, because }
    }

    /// What speaks against a host, seen from where the guest is. Whether it is a candidate is for each rule to say.
    ///
    /// # Panics
    ///
    /// With an id that is not of the policy in force.
    #[must_use]
    pub fn verdict(&self, now: Now, host: HostId) -> Verdict {
        self.state.verdict(host, self.location(), None, self.time(now))
    }

    /// How an indicator stands.
    ///
    /// # Panics
    ///
    /// With an id that is not of the policy in force.
    #[must_use]
    pub fn indicator(&self, id: IndicatorId) -> IndicatorView {
        let state = &self.state.indicators[id];
        let callers = |at: Mono| self.state.clock.callers_time(at);
        let free = self.state.settle_until.is_none() && self.state.open.is_none();
        let resting = self.state.rest.map(|rule| &self.policy.rules[rule]);
        let monitored = |action| action == Action::Rest(crate::policy::Monitor::On);
        IndicatorView {
            value: state.value,
            why: if state.value.is_none() { state.said } else { None },
            polled: state.polled.map(callers),
            asked: state.asked.map(callers),
            missing: state.missing,
            probed: free && resting.is_none_or(|rule| monitored(rule.action) || rule.reads(id)),
        }
    }

    /// The request that is open, and how far it is.
    #[must_use]
    pub fn open(&self, now: Now) -> Option<OpenView> {
        let open = self.state.open?;
        let t = self.time(now);
        let stage = match open.phase {
            Phase::Asked => Stage::Asked,
            Phase::Accepted => Stage::Accepted,
            Phase::Unclear { .. } => Stage::Unclear,
            Phase::Overdue => Stage::Overdue,
        };
        let age = t.plus(self.policy.moves.confirm_within).since(open.confirm_by);
        Some(OpenView {
            request: open.request,
            origin: open.origin,
            stage,
            age,
            left: open.confirm_by.since(t),
        })
    }

    /// The operator's hold, where one is in force.
    #[must_use]
    pub fn held(&self, now: Now) -> Option<HoldView> {
        match self.state.hold {
            OperatorHold::Off => None,
            OperatorHold::On => Some(HoldView { lasts: None }),
            OperatorHold::Until(end) => {
                let lasts = end.since(self.time(now));
                (!lasts.is_zero()).then_some(HoldView { lasts: Some(lasts) })
            }
        }
    }

    /// For how much longer the guest settles.
    #[must_use]
    pub fn settling(&self, now: Now) -> Option<Span> {
        self.state.settle_until.map(|until| until.since(self.time(now)))
    }

    /// The policy that waits for the end of the open request, whose hosts it lacks.
    #[must_use]
    pub const fn waiting_policy(&self) -> Option<&Arc<Policy>> {
        self.waiting.as_ref()
    }

    fn time(&self, now: Now) -> Mono {
        // Between inputs the caller's clock is believed; an input would compare it.
        let last = self.state.clock.last().map_or(NEVER, |last| last.mono);
        self.state.clock.engine_time(now.mono.max(last))
    }
}

impl Step<'_> {
    /// What a rule waits for before it is ready.
    fn not_yet(&self, rule: RuleId, truth: Truth) -> Option<Wait> {
        if let Some(open) = &self.state.open {
            return Some(Wait::Request(open.request.id));
        }
        if let Some(until) = self.state.settle_until {
            return Some(Wait::Settling(until.since(self.t)));
        }
        match self.state.rest {
            Some(resting) if resting != rule => return Some(Wait::Resting(resting)),
            Some(_) if truth != Truth::Breach => return Some(Wait::Rests),
            // What rests pursues its base in each step; its counter has started again.
            Some(_) => return None,
            None => {}
        }
        match truth {
            Truth::Unknown => return Some(Wait::Unknown),
            Truth::Clear => return Some(Wait::Clear),
            Truth::Breach => {}
        }
        let state = &self.state.rules[rule];
        if state.done {
            return Some(Wait::Done);
        }
        (!state.counter.reached(self.plan.tarry(self.policy, rule), self.t)).then_some(Wait::Tarry)
    }

    /// What holds a ready rule back, in the order in which it is looked at when one acts.
    fn obstacle(&mut self, rule: RuleId, mark: usize) -> Wait {
        let action = self.policy.rules[rule].action;
        let Some(from) = self.current() else { return Wait::Held(Hold::LocationUnknown, None) };
        let aim = self.aim(action, from);
        let Some(array) = aim.array() else {
            return if self.state.rest == Some(rule) { Wait::Rests } else { Wait::AlreadyThere };
        };
        let left = |until: Option<Mono>| until.map(|until| until.since(self.t));
        if let Some((by, until)) = self.guard(from, array) {
            return Wait::Held(by, left(until));
        }
        if action == Action::Move && self.tour_stops(rule, from) {
            let until = self.state.rules[rule].pause_until.unwrap_or(self.t);
            return Wait::Paused(until.since(self.t));
        }
        if self.choose(aim, from, Some(rule)).is_none() {
            let until = self.eligible_again(mark).map(|until| until.since(self.t));
            return Wait::Held(Hold::NoEligibleHost, until);
        }
        Wait::Sample
    }

    /// Where a rule would lead; what is thought of each candidate is added to the verdicts.
    fn target(&mut self, rule: RuleId) -> Option<HostId> {
        let from = self.current()?;
        let aim = self.aim(self.policy.rules[rule].action, from);
        self.choose(aim, from, Some(rule))
    }
}
