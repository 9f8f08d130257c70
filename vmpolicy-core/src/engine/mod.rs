//! The engine: one step function over a serialisable state.
//!
//! `docs/ENGINE.md` says exactly what a step does. The files here are the parts of one step: `step` is the
//! order, `poll` and `rules` turn readings into ready rules, `decide` lets one of them act, `target` chooses a
//! host, `request` follows a request to its end; `notice` and `jobs` take what providers and queues say.
//! The engine never reads a clock: its callers do.

mod decide;
mod jobs;
mod notice;
mod outlook;
mod plan;
mod poll;
mod reload;
mod request;
mod rules;
mod save;
mod state;
mod step;
mod target;
mod why;

pub use outlook::{HoldView, IndicatorView, OpenView, Outlook, Stage, Wait};
pub use save::{LoadError, Saved};
pub use why::{BatchView, RuleView, View};

use crate::id::{HostId, RequestId};
use crate::input::{Input, Setup};
use crate::output::{Output, Request};
use crate::policy::Policy;
use crate::time::{Now, Span};
use plan::Plan;
use state::{OperatorHold, State};
use std::sync::Arc;
use step::Step;

/// A guest's engine: its policy and its state.
///
/// A clone is a guest of its own with the same policy, which is shared.
///
/// ```
/// # use vmpolicy_core::{Engine, Input, Output, input::Setup, time::Now, Policy};
/// # fn host_program(policy: Policy, clock: impl Fn() -> Now) {
/// let setup = Setup { at: policy.host_named("mln1"), ..Setup::default() };
/// let mut engine = Engine::new(policy.into(), setup);
/// let mut out = Output::default();
/// engine.step(clock(), &Input::Tick, &mut out);
/// for effect in &out.effects {
///     // carry it out, and tell the engine what came of it in another step
/// }
/// // wake at out.deadline
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    policy: Arc<Policy>,
    plan: Arc<Plan>,
    state: State,
    /// A new policy that waits for the end of a request to a host that it does not know.
    waiting: Option<Arc<Policy>>,
}

impl Engine {
    /// An engine that has seen nothing yet.
    #[must_use]
    pub fn new(policy: Arc<Policy>, setup: Setup) -> Self {
        let plan = Arc::new(Plan::of(&policy));
        let state = State::new(&policy, &plan, setup);
        Self { policy, plan, state, waiting: None }
    }

    /// Another engine that has seen nothing yet, of the same policy. They share what was worked out of it, so that
    /// thousands of guests with one policy keep it once.
    #[must_use]
    pub fn another(&self, setup: Setup) -> Self {
        let (policy, plan) = (Arc::clone(&self.policy), Arc::clone(&self.plan));
        let state = State::new(&policy, &plan, setup);
        Self { policy, plan, state, waiting: None }
    }

    /// Holds the guest from its first step on, which is now, as an operator's word would: for so long, or until one says
    /// otherwise. So what an operator has said to the engine before this one is not lost on the way.
    pub fn hold(&mut self, now: Now, lasts: Option<Span>) {
        let mut clock = self.state.clock;
        self.state.hold = match lasts {
            None => OperatorHold::On,
            Some(span) => OperatorHold::Until(clock.resume(now).time.plus(span)),
        };
    }

    /// Has the numbers of its requests begin after this one, where they would begin before: for an engine that is new because
    /// the state of the one before it is lost.
    pub fn number_after(&mut self, last: RequestId) {
        self.state.sequence = self.state.sequence.max(last.0);
    }

    /// One step: takes an input and the time, and says all that is to be done, to be written down and to be
    /// waited for. What was in the buffer before is gone.
    ///
    /// The order of the inputs is the caller's; the same inputs give the same outputs, byte for byte, on
    /// every machine. A step does not fail: an input that means nothing now (a reading that nobody asked
    /// for, an outcome of a request that has ended, an id that the policy does not have) changes nothing.
    #[inline]
    pub fn step(&mut self, now: Now, input: &Input, out: &mut Output) {
        out.clear();
        // Any other input names things by the policy that was in force when it was made.
        if let Input::Tick | Input::Policy(_) = input {
            self.reload(now, input, out);
        }
        Step::run(&self.policy, &self.plan, &mut self.state, out, now, input);
    }

    /// A new policy is taken, or the one that waits.
    fn reload(&mut self, now: Now, input: &Input, out: &mut Output) {
        if let Input::Policy(new) = input {
            self.waiting = Some(Arc::clone(new));
        }
        if self.waiting.is_some() {
            self.adopt(now, out);
        }
    }

    /// The policy in force. Ids mean what it says until a step that records a reload.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Whether a new policy waits for the end of the open request; [`save`](Self::save) knows nothing of it.
    #[must_use]
    pub const fn has_waiting_policy(&self) -> bool {
        self.waiting.is_some()
    }

    /// Where the guest is, as far as is known.
    #[must_use]
    pub const fn location(&self) -> Option<HostId> {
        self.state.location.host()
    }

    /// The request that is open.
    #[must_use]
    pub fn open_request(&self) -> Option<Request> {
        self.state.open.map(|open| open.request)
    }
}
