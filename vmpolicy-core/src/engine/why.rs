//! The view from outside: where everything stands, and why nothing happens.

use super::Engine;
use super::state::Said;
use crate::id::{HostId, Id, IndicatorId, QueueId, RuleId};
use crate::leaf::logic::Truth;
use crate::leaf::tarry::Tarry;
use crate::output::Hold;
use crate::policy::{Action, Monitor};
use crate::time::Span;

/// What there is to know of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RuleView {
    /// What its last sample said.
    pub truth: Truth,
    /// How far its counter is: samples, or milliseconds.
    pub counter: u64,
    /// What the counter is held to.
    pub tarry: Tarry,
    /// What holds it back, where it is ready.
    pub held: Option<Hold>,
    /// Whether it is ready and wants what is so already.
    pub already_there: bool,
    /// For how much longer it stays put after a tour in vain.
    pub pause: Option<Span>,
}

/// The batch of a queue at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchView<'a> {
    /// How many jobs of each class it had when it was claimed, as rules see it.
    pub classes: &'a [u32],
    /// How many of no class.
    pub others: u32,
    /// How many in all.
    pub jobs: u32,
    /// How many of them have ended.
    pub ended: u32,
    /// Whether one of them runs.
    pub running: bool,
}

impl BatchView<'_> {
    /// How many neither run nor have ended.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.jobs.saturating_sub(self.ended).saturating_sub(u32::from(self.running))
    }
}

/// What there is to know of a guest at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct View {
    /// Where it is, where that is known.
    pub location: Option<HostId>,
    /// For how much longer it settles.
    pub settling: Option<Span>,
    /// The rule that rests.
    pub resting: Option<RuleId>,
}

impl Engine {
    /// How a rule stands, as of the last step.
    ///
    /// # Panics
    ///
    /// With an id that is not of the policy in force.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> RuleView {
        let state = &self.state.rules[id];
        let t = self.engine_now();
        RuleView {
            truth: state.truth,
            counter: state.counter.progress(t),
            tarry: self.plan.tarry(&self.policy, id),
            held: if let Said::Held(hold) = state.said { Some(hold) } else { None },
            already_there: state.said == Said::AlreadyThere,
            pause: state.pause_until.filter(|&until| until > t).map(|until| until.since(t)),
        }
    }

    /// How far a rule's counter is: samples, or milliseconds.
    ///
    /// # Panics
    ///
    /// With an id that is not of the policy in force.
    #[must_use]
    pub fn counter(&self, id: RuleId) -> u64 {
        self.state.rules[id].counter.progress(self.engine_now())
    }

    /// What a rule's last sample said.
    ///
    /// # Panics
    ///
    /// With an id that is not of the policy in force.
    #[must_use]
    #[inline]
    pub fn truth(&self, id: RuleId) -> Truth {
        self.state.rules[id].truth
    }

    /// Whether anything that a rule reads may be probed: nothing is while another rule rests, but for what that one reads
    /// itself.
    #[must_use]
    #[inline]
    pub(crate) fn is_judged(&self, id: RuleId) -> bool {
        let Some(rest) = self.state.rest else { return true };
        let (rest, rule) = (&self.policy.rules[rest], &self.policy.rules[id]);
        rest.action == Action::Rest(Monitor::On) || rest.indicators & rule.indicators != 0
    }

    /// The last sample of an indicator, where there is one.
    #[must_use]
    pub fn value(&self, id: IndicatorId) -> Option<f64> {
        self.state.indicators.rows().get(id.index())?.value
    }

    /// The batch of a queue at hand, where there is one.
    ///
    /// # Panics
    ///
    /// With an id that is not of the policy in force.
    #[must_use]
    pub fn batch(&self, id: QueueId) -> Option<BatchView<'_>> {
        let queue = &self.state.queues[id];
        queue.has_batch().then_some(BatchView {
            classes: &queue.classes,
            others: queue.others,
            jobs: queue.total,
            ended: queue.next,
            running: queue.running,
        })
    }

    /// Where everything stands, as of the last step.
    #[must_use]
    pub fn view(&self) -> View {
        let t = self.engine_now();
        View {
            location: self.location(),
            settling: self.state.settle_until.map(|until| until.since(t)),
            resting: self.state.rest,
        }
    }

    /// The rule that rests, if one does.
    #[must_use]
    #[inline]
    pub const fn resting(&self) -> Option<RuleId> {
        self.state.rest
    }

    /// Whether nothing that the guest knows speaks against going to a host: it is not the current one, nor barred, draining
    /// or down.
    ///
    /// # Panics
    ///
    /// With an id that is not of the policy in force.
    #[must_use]
    pub fn is_eligible(&self, host: HostId) -> bool {
        let (state, t) = (&self.state.hosts[host], self.engine_now());
        let until = state.barred_until.max(state.drain_until).max(state.down_until);
        self.location() != Some(host) && until <= t
    }

    fn engine_now(&self) -> crate::time::Mono {
        self.state.clock.last().map_or(crate::time::Mono(0), |now| self.state.clock.engine_time(now.mono))
    }
}
