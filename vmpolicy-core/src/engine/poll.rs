//! When indicators are probed, and what becomes of their answers.

use super::plan::{bit, bits};
use super::state::IndicatorState;
use super::step::{Earliest, Step};
use crate::id::{Id, IndicatorId, RuleId};
use crate::input::{Absence, Reading};
use crate::leaf::sample::Sample;
use crate::output::{Cause, Effect, Event};
use crate::policy::{Action, Indicator, Monitor, OnTimeout, Rule};
use crate::time::{Mono, Span};

impl<'a> Step<'a> {
    /// Whether the guest neither settles nor waits for a request: then it probes, works and lets rules act.
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        self.state.settle_until.is_none() && self.state.open.is_none()
    }

    /// The rule that keeps indicators from being probed, but for those that it reads: the rest could not end
    /// without them. One with `monitor` keeps none.
    #[inline]
    fn resting_rule(&self) -> Option<&'a Rule> {
        let rule = &self.policy.rules[self.state.rest?];
        (rule.action != Action::Rest(Monitor::On)).then_some(rule)
    }

    /// Whether this indicator is probed now.
    #[inline]
    fn probing(&self, indicator: IndicatorId) -> bool {
        self.is_free() && self.resting_rule().is_none_or(|rule| rule.reads(indicator))
    }

    /// Probes what is due, and says when the next answer will be due or late.
    #[inline]
    pub(super) fn probe_what_is_due(&mut self) -> Earliest {
        let mut next = Earliest::NONE;
        if !self.is_free() {
            return next;
        }
        let (t, resting) = (self.t, self.resting_rule());
        for (id, state) in self.state.indicators.iter_mut() {
            if resting.is_some_and(|rule| !rule.reads(id)) {
                continue;
            }
            if state.asked.is_none() && state.due <= t {
                state.asked = Some(t);
                self.out.effects.push(Effect::Probe(id));
            }
            match state.asked {
                Some(asked) => next.offer(asked.plus(self.policy.indicators[id].every), Cause::Late(id)),
                None => next.offer(state.due, Cause::Poll(id)),
            }
        }
        next
    }

    /// An answer that is not there when the next poll is due is none.
    #[inline]
    pub(super) fn late_polls(&mut self) {
        if self.state.indicators.rows().iter().any(|indicator| indicator.asked.is_some()) {
            self.end_late_polls();
        }
    }

    fn end_late_polls(&mut self) {
        for id in self.state.indicators.ids() {
            if let Some(asked) = self.state.indicators[id].asked {
                let every = self.policy.indicators[id].every;
                if asked.plus(every) <= self.t && self.probing(id) {
                    self.late(id, asked, every);
                }
            }
        }
    }

    #[cold]
    fn late(&mut self, id: IndicatorId, asked: Mono, every: Span) {
        self.flush(id);
        let state = &mut self.state.indicators[id];
        state.asked = None;
        state.due = asked.plus(every);
        if let Some(gap) = skipped(state, asked, every) {
            self.skip(id, gap, every);
        }
        self.absent(id, Absence::Late);
    }

    /// An answer counts if it was asked for and comes in time.
    #[inline]
    pub(super) fn reading(&mut self, reading: &Reading) {
        let id = reading.indicator;
        let Some(indicator) = self.policy.indicators.row(id) else { return };
        let taken = self.state.clock.engine_time(reading.taken);
        let every = indicator.every;
        if taken < self.state.indicators[id].due || taken > self.t || !self.probing(id) {
            return;
        }
        if taken.plus(every) <= self.t {
            // Late, whoever asked for it: before a request, say, that came to nothing.
            return;
        }
        self.flush(id);
        let state = &mut self.state.indicators[id];
        state.asked = None;
        // A small lateness keeps the rhythm, so that indicators polled together stay together.
        let late = taken.since(state.due);
        state.due =
            if late.millis() <= every.millis() / 8 { state.due.plus(every) } else { taken.plus(every) };
        let state = match skipped(state, taken, every) {
            Some(gap) => {
                self.skip(id, gap, every);
                &mut self.state.indicators[id]
            }
            None => state,
        };
        match reading.value.map(|value| state.baseline.sample(indicator.read, every, value, taken)) {
            Ok(Sample::Known(value)) => {
                state.value = Some(value);
                state.missing = 0;
                state.said = None;
                state.timed_out = false;
            }
            Ok(Sample::Baseline) => {
                state.value = None;
                state.timed_out = false;
                state.said = None;
            }
            Ok(Sample::Reset) => {
                state.value = None;
                state.timed_out = false;
                self.say_unknown(id, Absence::CounterReset);
                self.restart_readers(id);
            }
            Ok(Sample::NotFinite) => return self.absent(id, Absence::NotFinite),
            Err(why) => return self.absent(id, why),
        }
        self.sampled(id);
    }

    /// A poll that gave nothing.
    #[cold]
    fn absent(&mut self, id: IndicatorId, why: Absence) {
        let Indicator { read, timeout, .. } = self.policy.indicators[id];
        let state = &mut self.state.indicators[id];
        state.missing = state.missing.saturating_add(1);
        state.value = None;
        state.timed_out = why == Absence::TimedOut && timeout == OnTimeout::Breach;
        state.baseline.missed(read);
        self.say_unknown(id, why);
        self.sampled(id);
    }

    /// Polls that nobody made: as many Unknowns.
    #[cold]
    fn skip(&mut self, id: IndicatorId, gap: Span, every: Span) {
        let polls = (gap.millis() / every.millis().max(1)).saturating_sub(1);
        let state = &mut self.state.indicators[id];
        state.missing = state.missing.saturating_add(u32::try_from(polls).unwrap_or(u32::MAX));
        if state.missing > self.policy.indicators[id].missing {
            self.restart_readers(id);
        }
    }

    fn say_unknown(&mut self, id: IndicatorId, why: Absence) {
        let state = &mut self.state.indicators[id];
        if state.said != Some(why) {
            state.said = Some(why);
            self.record(Event::Unknown { indicator: id, why });
        }
    }

    /// The rules that read this indicator start counting again.
    #[cold]
    fn restart_readers(&mut self, id: IndicatorId) {
        for rule in bits::<RuleId>(self.plan.readers[id]) {
            let state = &mut self.state.rules[rule];
            state.counter.reset();
            state.clear_run.reset();
            state.not_ready();
            self.ready &= !bit(rule);
        }
    }

    /// Before an indicator gives another sample, the rules that still wait for a slower one are evaluated
    /// with what there is. A rule that reads no other indicator waits for none.
    #[inline]
    fn flush(&mut self, id: IndicatorId) {
        for rule in bits::<RuleId>(self.plan.readers[id] & self.plan.several) {
            if self.state.rules[rule].fresh & bit(id) != 0 {
                let out = self.indicators_out(rule) & !bit(id);
                self.evaluate(rule, out);
                // It counts. Acting is for a sample that is the newest.
                self.ready &= !bit(rule);
            }
        }
    }

    /// An indicator has given a sample, or an Unknown: the rules that read it are evaluated, once none
    /// of their indicators is still out.
    #[inline]
    fn sampled(&mut self, id: IndicatorId) {
        let mut complete = self.plan.readers[id];
        if complete & self.plan.several != 0 {
            complete &= !self.waiting(id);
        }
        for rule in bits(complete) {
            self.evaluate(rule, 0);
        }
    }

    /// Notes that an indicator has given something, and says which of its readers wait for another one.
    fn waiting(&mut self, id: IndicatorId) -> u64 {
        bits::<RuleId>(self.plan.readers[id] & self.plan.several)
            .filter(|&rule| {
                self.state.rules[rule].fresh |= bit(id);
                self.indicators_out(rule) & !bit(id) != 0
            })
            .fold(0, |waiting, rule| waiting | bit(rule))
    }

    /// Which of a rule's indicators are asked, or due by now.
    fn indicators_out(&self, rule: RuleId) -> u64 {
        bits::<IndicatorId>(self.policy.rules[rule].indicators)
            .filter(|&id| {
                let state = &self.state.indicators[id];
                state.asked.is_some() || state.due <= self.t
            })
            .fold(0, |out, id| out | 1 << id.index())
    }
}

/// A poll was made then. How long ago the one before was, where polls in between were not made.
#[inline]
fn skipped(state: &mut IndicatorState, at: Mono, every: Span) -> Option<Span> {
    let gap = at.since(state.polled.replace(at)?);
    (gap >= every.times(2)).then_some(gap)
}
