//! When indicators are probed, and what becomes of their answers.

use super::plan::{bit, bits};
use super::step::Step;
use crate::id::{Id, IndicatorId, RuleId};
use crate::input::{Absence, Reading};
use crate::leaf::sample::{Read, Sample};
use crate::output::{Effect, Event};
use crate::policy::{Action, Monitor};
use crate::time::{Mono, Span};

impl Step<'_> {
    /// Whether this indicator is probed now.
    #[inline]
    pub(super) fn probing(&self, indicator: IndicatorId) -> bool {
        let state = &*self.state;
        if state.settle_until.is_some() || state.open.is_some() {
            return false;
        }
        match state.rest {
            None => true,
            Some(rule) => self.probes_at_rest(rule, indicator),
        }
    }

    /// Whether a resting guest goes on probing this indicator: with `monitor`, or where the rest could
    /// not end without it.
    fn probes_at_rest(&self, rule: RuleId, indicator: IndicatorId) -> bool {
        let rule = &self.policy.rules[rule];
        rule.action == Action::Rest(Monitor::On) || rule.reads(indicator)
    }

    pub(super) fn probe_what_is_due(&mut self) {
        for id in self.policy.indicators.ids() {
            let state = &self.state.indicators[id];
            if state.asked.is_none() && state.due <= self.t && self.probing(id) {
                self.state.indicators[id].asked = Some(self.t);
                self.out.effects.push(Effect::Probe(id));
            }
        }
    }

    /// An answer that is not there when the next poll is due is none.
    #[inline]
    pub(super) fn late_polls(&mut self) {
        for (id, indicator) in self.policy.indicators.iter() {
            if let Some(asked) = self.state.indicators[id].asked
                && asked.plus(indicator.every) <= self.t
                && self.probing(id)
            {
                self.flush(id);
                let state = &mut self.state.indicators[id];
                state.asked = None;
                state.due = asked.plus(indicator.every);
                self.polled(id, asked, indicator.every);
                self.absent(id, Absence::Late);
            }
        }
    }

    #[inline]
    pub(super) fn reading(&mut self, reading: &Reading) {
        let id = reading.indicator;
        let Some(indicator) = self.policy.indicators.row(id) else { return };
        let taken = self.state.clock.engine_time(reading.taken);
        if taken < self.state.indicators[id].due || taken > self.t || !self.probing(id) {
            return;
        }
        self.flush(id);
        let every = indicator.every;
        let state = &mut self.state.indicators[id];
        state.asked = None;
        // A small lateness keeps the rhythm, so that indicators polled together stay together.
        let late = taken.since(state.due);
        state.due =
            if late.millis() <= every.millis() / 8 { state.due.plus(every) } else { taken.plus(every) };
        self.polled(id, taken, every);
        match reading.value {
            Ok(value) => self.sample(id, indicator.read, every, value, taken),
            Err(why) => self.absent(id, why),
        }
    }

    #[inline]
    fn sample(&mut self, id: IndicatorId, read: Read, every: Span, value: f64, taken: Mono) {
        let state = &mut self.state.indicators[id];
        match state.baseline.sample(read, every, value, taken) {
            Sample::Known(value) => {
                state.value = Some(value);
                state.missing = 0;
                state.said = None;
            }
            Sample::Baseline => {
                state.value = None;
                state.said = None;
            }
            Sample::Reset => {
                state.value = None;
                self.say_unknown(id, Absence::CounterReset);
                self.restart_readers(id);
            }
            Sample::NotFinite => return self.absent(id, Absence::NotFinite),
        }
        self.sampled(id);
    }

    /// A poll that gave nothing.
    fn absent(&mut self, id: IndicatorId, why: Absence) {
        let read = self.policy.indicators[id].read;
        let state = &mut self.state.indicators[id];
        state.missing = state.missing.saturating_add(1);
        state.value = None;
        state.baseline.missed(read);
        self.say_unknown(id, why);
        self.sampled(id);
    }

    /// A poll was made then; those between the one before and this one were not.
    #[inline]
    fn polled(&mut self, id: IndicatorId, at: Mono, every: Span) {
        if let Some(before) = self.state.indicators[id].polled.replace(at)
            && at.since(before) >= every.times(2)
        {
            self.skipped(id, at.since(before), every);
        }
    }

    /// Polls that nobody made: as many Unknowns.
    fn skipped(&mut self, id: IndicatorId, gap: Span, every: Span) {
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
    /// with what there is.
    #[inline]
    fn flush(&mut self, id: IndicatorId) {
        for rule in bits::<RuleId>(self.plan.readers[id]) {
            if self.state.rules[rule].fresh & bit(id) != 0 {
                let out = self.indicators_out(rule) & !bit(id);
                self.evaluate(rule, out);
            }
        }
    }

    /// An indicator has given a sample, or an Unknown: the rules that read it are evaluated, once none
    /// of their indicators is still out.
    #[inline]
    fn sampled(&mut self, id: IndicatorId) {
        for rule in bits::<RuleId>(self.plan.readers[id]) {
            self.state.rules[rule].fresh |= bit(id);
            if self.indicators_out(rule) & !bit(id) == 0 {
                self.evaluate(rule, 0);
            }
        }
    }

    /// Which of a rule's indicators are asked, or due by now.
    #[inline]
    fn indicators_out(&self, rule: RuleId) -> u64 {
        let reads = self.policy.rules[rule].indicators;
        if reads.is_power_of_two() {
            return 0;
        }
        bits::<IndicatorId>(reads)
            .filter(|&id| {
                let state = &self.state.indicators[id];
                state.asked.is_some() || state.due <= self.t
            })
            .fold(0, |out, id| out | 1 << id.index())
    }
}
