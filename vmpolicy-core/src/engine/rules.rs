//! What a rule's condition says, and what its counters make of it.

use super::plan::{bit, bits};
use super::state::QueueState;
use super::step::Step;
use crate::id::{ArrayId, HostId, IndicatorId, QueueId, RuleId};
use crate::leaf::cost;
use crate::leaf::logic::Truth;
use crate::leaf::tarry::Counter;
use crate::output::Seen;
use crate::policy::{Action, Condition, Rule};

impl Step<'_> {
    /// Evaluates a rule on what its indicators gave last; those of `blind` have not answered. Inlined by order:
    /// nothing is called more often, and from `sampled` nobody is blind.
    #[inline(always)]
    pub(super) fn evaluate(&mut self, rule: RuleId, blind: u64) {
        let policy = self.policy;
        let truth = self.truth(&policy.rules[rule].when, blind);
        let tarry = policy.rules[rule].tarry;
        let t = self.t;
        let state = &mut self.state.rules[rule];
        state.fresh = 0;
        state.truth = truth;
        if self.ready != 0 {
            self.ready &= !bit(rule);
        }
        match truth {
            Truth::Breach => {
                state.clear_run.reset();
                if state.counter.count(tarry, true, t) {
                    self.ready |= bit(rule);
                }
            }
            Truth::Clear => {
                if !state.counter.count(tarry, false, t) {
                    state.not_ready();
                }
                if state.clear_run.count(tarry, true, t) {
                    state.good_here = true;
                    if state.touring {
                        self.end_tour(rule);
                    }
                }
            }
            Truth::Unknown => self.unknown(rule, blind),
        }
    }

    fn unknown(&mut self, rule: RuleId, blind: u64) {
        if self.breaks_by_time_outs(rule, blind) {
            let (tarry, t) = (self.policy.rules[rule].tarry, self.t);
            let state = &mut self.state.rules[rule];
            state.truth = Truth::Breach;
            state.clear_run.reset();
            if state.counter.count(tarry, true, t) {
                self.ready |= bit(rule);
            }
            return;
        }
        let too_many = bits::<IndicatorId>(self.policy.rules[rule].indicators).any(|id| {
            let state = &self.state.indicators[id];
            let known = state.value.is_some() && blind & bit(id) == 0;
            !known && state.missing > self.policy.indicators[id].missing
        });
        if too_many {
            let state = &mut self.state.rules[rule];
            state.counter.reset();
            state.clear_run.reset();
            state.not_ready();
        }
    }

    /// Every rule that reads only the clock: since when it is true, and whether that is long enough.
    #[inline]
    pub(super) fn read_the_clock(&mut self) {
        for rule in bits::<RuleId>(self.plan.clock_rules) {
            let truth = self.truth(&self.policy.rules[rule].when, 0);
            let tarry = self.plan.tarry(self.policy, rule);
            let t = self.t;
            let state = &mut self.state.rules[rule];
            state.truth = truth;
            if truth == Truth::Breach {
                if state.counter.count(tarry, true, t) && !state.done {
                    self.ready |= bit(rule);
                } else {
                    state.retry_at = None;
                }
            } else {
                state.counter.reset();
                state.done = false;
                state.not_ready();
            }
        }
    }

    /// What a condition says, with the indicators of `blind` taken as Unknown.
    #[inline]
    pub(super) fn truth(&self, condition: &Condition, blind: u64) -> Truth {
        match condition {
            Condition::Indicator { indicator, compare, threshold } => {
                match self.state.indicators[*indicator].value {
                    Some(value) if blind == 0 || blind & bit(*indicator) == 0 => {
                        Truth::from(compare.holds(value, *threshold))
                    }
                    _ => Truth::Unknown,
                }
            }
            _ => self.truth_of_others(condition, blind),
        }
    }

    fn truth_of_others(&self, condition: &Condition, blind: u64) -> Truth {
        match condition {
            Condition::Indicator { .. } => self.truth(condition, blind),
            Condition::Window { window, inside } => Truth::from(self.is_open(*window) == *inside),
            Condition::Count { queue, class, compare, threshold } => self
                .count(*queue, *class)
                .map_or(Truth::Unknown, |count| Truth::from(compare.holds(count, *threshold))),
            Condition::Gain { queue, array, compare, threshold } => self
                .gain(*queue, *array)
                .map_or(Truth::Unknown, |gain| Truth::from(compare.holds(gain, *threshold))),
            Condition::All(parts) => {
                parts.iter().fold(Truth::Breach, |truth, part| truth.and(self.truth(part, blind)))
            }
            Condition::Any(parts) => {
                parts.iter().fold(Truth::Clear, |truth, part| truth.or(self.truth(part, blind)))
            }
            Condition::Not(part) => self.truth(part, blind).not(),
        }
    }

    /// Whether a condition that is Unknown as it stands is a Breach by what timed out. One that is known as it stands
    /// is so whatever those indicators would have said: nobody need ask.
    fn breaks_by_time_outs(&self, rule: RuleId, blind: u64) -> bool {
        let Rule { action, indicators, when, .. } = &self.policy.rules[rule];
        *action == Action::Move
            && bits::<IndicatorId>(indicators & !blind).any(|id| self.state.indicators[id].timed_out)
            && self.favoured(when, blind, Truth::Breach) == Truth::Breach
    }

    /// What a condition says where each comparison on what timed out says this, which a `not` turns round.
    fn favoured(&self, condition: &Condition, blind: u64, says: Truth) -> Truth {
        let part = |part: &Condition| self.favoured(part, blind, says);
        match condition {
            Condition::Indicator { indicator, .. }
                if self.state.indicators[*indicator].timed_out && blind & bit(*indicator) == 0 =>
            {
                says
            }
            Condition::All(parts) => parts.iter().map(part).fold(Truth::Breach, Truth::and),
            Condition::Any(parts) => parts.iter().map(part).fold(Truth::Clear, Truth::or),
            Condition::Not(part) => self.favoured(part, blind, says.not()).not(),
            leaf => self.truth(leaf, blind),
        }
    }

    /// What a rule says now, by what its indicators gave last.
    pub(super) fn truth_now(&self, rule: RuleId) -> Truth {
        match self.truth(&self.policy.rules[rule].when, 0) {
            Truth::Unknown if self.breaks_by_time_outs(rule, 0) => Truth::Breach,
            truth => truth,
        }
    }

    /// How many jobs of a class the batch at hand holds.
    fn count(&self, queue: QueueId, class: u16) -> Option<f64> {
        let queue = &self.state.queues[queue];
        let count = queue.classes.get(usize::from(class))?;
        queue.has_batch().then(|| f64::from(*count))
    }

    /// Equation 3.5 for the batch at hand.
    fn gain(&self, queue: QueueId, array: ArrayId) -> Option<f64> {
        let QueueState { classes, others, .. } = &self.state.queues[queue];
        if !self.state.queues[queue].has_batch() || *others > 0 {
            return None;
        }
        let mut t_ph = 0.0;
        for (class, &count) in self.policy.queues[queue].classes.iter().zip(classes.iter()) {
            if count > 0 {
                t_ph += class.takes?.as_secs_f64() * f64::from(count);
            }
        }
        let away = &self.policy.arrays[array];
        let home = &self.policy.arrays[self.policy.home];
        cost::gain(t_ph, away.relocation?.as_secs_f64(), t_ph * home.speed / away.speed)
    }

    /// Writes down what every part of a rule's condition saw, in the order in which they are written.
    pub(super) fn see(&mut self, rule: RuleId) {
        let Rule { when, action, .. } = &self.policy.rules[rule];
        let favours = (*action == Action::Move).then_some(Truth::Breach);
        let mut leaf = 0;
        self.see_parts(when, favours, &mut leaf);
    }

    /// `favours` is what a time-out says here, where it says anything.
    fn see_parts(&mut self, condition: &Condition, favours: Option<Truth>, leaf: &mut u16) {
        let mut favours_leaf = None;
        let value = match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                return parts.iter().for_each(|part| self.see_parts(part, favours, leaf));
            }
            Condition::Not(part) => return self.see_parts(part, favours.map(Truth::not), leaf),
            Condition::Indicator { indicator, .. } => {
                let state = &self.state.indicators[*indicator];
                favours_leaf = favours.filter(|_| state.timed_out);
                state.value
            }
            Condition::Window { .. } => None,
            Condition::Count { queue, class, .. } => self.count(*queue, *class),
            Condition::Gain { queue, array, .. } => self.gain(*queue, *array),
        };
        let truth = favours_leaf.unwrap_or_else(|| self.truth(condition, 0));
        self.out.seen.push(Seen { leaf: *leaf, value, timed_out: favours_leaf.is_some(), truth });
        *leaf = leaf.saturating_add(1);
    }

    /// All counters start again: somebody has acted.
    pub(super) fn recount_all(&mut self) {
        for (_, rule) in self.state.rules.iter_mut() {
            rule.recount();
        }
        self.ready = 0;
    }

    /// A good host was found, or the marks are of no use any more.
    pub(super) fn end_tour(&mut self, rule: RuleId) {
        let state = &mut self.state.rules[rule];
        (state.touring, state.tour_level, state.pause_until) = (false, 0, None);
        self.unmark_tour(rule);
    }

    pub(super) fn unmark_tour(&mut self, rule: RuleId) {
        for (_, host) in self.state.hosts.iter_mut() {
            host.tried &= !bit(rule);
        }
    }

    /// How far a rule's counter is.
    pub(super) fn progress(&self, rule: RuleId) -> u64 {
        let counter: Counter = self.state.rules[rule].counter;
        counter.progress(self.t)
    }

    /// Where the guest is, where that is known.
    pub(super) fn current(&self) -> Option<HostId> {
        self.state.location.host()
    }
}
