//! From polls to samples, and from samples to what a rule has counted.

use super::{Model, Polled};
use crate::id::{Id as _, IndicatorId, RuleId};
use crate::input::{Absence, Reading};
use crate::leaf::logic::Truth;
use crate::leaf::sample::Read;
use crate::leaf::tarry::Tarry;
use crate::output::{Event, Output};
use crate::policy::OnTimeout;
use crate::time::{Mono, Span};
use std::collections::BTreeSet;

/// What a poll gave.
enum Got {
    Known(f64),
    Baseline,
    Reset,
    Nothing(Absence),
}

impl Model {
    /// A poll that was asked for and not answered when the next one is due.
    pub(super) fn late(&mut self, id: IndicatorId, out: &mut Output) {
        let (every, probing) = (self.policy.indicators[id].every, self.probing(id));
        let polled = &mut self.indicators[id.index()];
        let Some(asked) = polled.asked.filter(|asked| probing && self.t >= asked.plus(every)) else { return };
        polled.asked = None;
        polled.due = asked.plus(every);
        self.superseded(id);
        self.polled(id, asked, every);
        self.got(id, Got::Nothing(Absence::Late), out);
    }

    pub(super) fn reading(&mut self, reading: Reading, out: &mut Output) {
        let id = reading.indicator;
        let (Some(indicator), Some(now)) = (self.policy.indicators.row(id), self.last) else { return };
        let (every, read) = (indicator.every, indicator.read);
        let taken = self.t.shifted(reading.taken.0.saturating_sub(now.mono.0));
        let late = taken.plus(every) <= self.t;
        if late || !self.probing(id) || taken < self.indicators[id.index()].due || taken > self.t {
            return;
        }
        self.superseded(id);
        let polled = &mut self.indicators[id.index()];
        polled.asked = None;
        let on_time = taken.since(polled.due).millis() <= every.millis() / 8;
        polled.due = if on_time { polled.due.plus(every) } else { taken.plus(every) };
        self.polled(id, taken, every);
        let got = got(&mut self.indicators[id.index()], read, every, reading.value, taken);
        self.got(id, got, out);
    }

    /// A poll was made then, answered or not: where those before it were not made, they are missing.
    fn polled(&mut self, id: IndicatorId, at: Mono, every: Span) {
        let polled = &mut self.indicators[id.index()];
        let gap = polled.last_poll.replace(at).map_or(Span::ZERO, |last| at.since(last));
        if gap >= every.times(2) {
            let polls = u32::try_from(gap.millis() / every.millis() - 1).unwrap_or(u32::MAX);
            polled.missing = polled.missing.saturating_add(polls);
            if polled.missing > self.policy.indicators[id].missing {
                for rule in self.readers(id) {
                    self.start_again(rule);
                }
            }
        }
    }

    fn got(&mut self, id: IndicatorId, got: Got, out: &mut Output) {
        let (read, timeout) = (self.policy.indicators[id].read, self.policy.indicators[id].timeout);
        let polled = &mut self.indicators[id.index()];
        polled.value = None;
        polled.timed_out = false;
        let mut why = None;
        match got {
            Got::Known(value) => {
                polled.value = Some(value);
                polled.missing = 0;
                polled.said = None;
            }
            Got::Baseline => polled.said = None,
            Got::Reset => why = Some(Absence::CounterReset),
            Got::Nothing(absence) => {
                polled.missing = polled.missing.saturating_add(1);
                if read == Read::Delta {
                    polled.baseline = None;
                }
                polled.timed_out = absence == Absence::TimedOut && timeout == OnTimeout::Breach;
                why = Some(absence);
            }
        }
        if let Some(why) = why.filter(|&why| polled.said != Some(why)) {
            polled.said = Some(why);
            self.record(Event::Unknown { indicator: id, why }, out);
        }
        for rule in self.readers(id) {
            if matches!(got, Got::Reset) {
                self.start_again(rule);
            }
            self.rules[rule.index()].fresh.insert(id);
            if self.still_out(rule, id).is_empty() {
                self.evaluate(rule, &BTreeSet::new());
            }
        }
    }

    /// A new poll of an indicator whose last one a rule has not counted, as it waits for another: it counts
    /// what there is.
    fn superseded(&mut self, id: IndicatorId) {
        for rule in self.readers(id) {
            if self.rules[rule.index()].fresh.contains(&id) {
                let out = self.still_out(rule, id);
                self.evaluate(rule, &out);
                self.ready.remove(&rule);
            }
        }
    }

    fn readers(&self, id: IndicatorId) -> Vec<RuleId> {
        self.policy.rules.iter().filter(|(_, rule)| rule.reads(id)).map(|(rule, _)| rule).collect()
    }

    /// The other indicators of a rule that are out, or should be.
    fn still_out(&self, rule: RuleId, but: IndicatorId) -> BTreeSet<IndicatorId> {
        let out = |id: &IndicatorId| {
            let polled = &self.indicators[id.index()];
            polled.asked.is_some() || polled.due <= self.t
        };
        let others =
            self.policy.indicators.ids().filter(|&id| id != but && self.policy.rules[rule].reads(id));
        others.filter(out).collect()
    }

    /// The counter and the clear run of a rule start again.
    pub(super) fn start_again(&mut self, rule: RuleId) {
        let ruled = &mut self.rules[rule.index()];
        ruled.samples.clear();
        ruled.clears.clear();
        ruled.not_ready();
        self.ready.remove(&rule);
    }

    /// Counts one sample of a rule.
    pub(super) fn evaluate(&mut self, id: RuleId, out: &BTreeSet<IndicatorId>) {
        let policy = &self.policy;
        let rule = &policy.rules[id];
        let truth = self.truth(id, out);
        let lacks = policy.indicators.iter().any(|(indicator, form)| {
            let polled = &self.indicators[indicator.index()];
            rule.reads(indicator) && polled.value.is_none() && polled.missing > form.missing
        });
        let (tarry, t) = (rule.tarry, self.t);
        let ruled = &mut self.rules[id.index()];
        ruled.fresh.clear();
        ruled.truth = Some(truth);
        let mut found_good = false;
        match truth {
            Truth::Breach => {
                ruled.samples.push((t, true));
                ruled.clears.clear();
            }
            Truth::Clear => {
                ruled.samples.push((t, false));
                ruled.clears.push(t);
                if !reached(tarry, &ruled.samples, t) {
                    ruled.not_ready();
                }
                let clears: Vec<_> = ruled.clears.iter().map(|&at| (at, true)).collect();
                found_good = reached(tarry, &clears, t);
            }
            Truth::Unknown if lacks => {
                ruled.samples.clear();
                ruled.clears.clear();
                ruled.not_ready();
            }
            Truth::Unknown => {}
        }
        if truth == Truth::Breach && reached(tarry, &ruled.samples, t) {
            self.ready.insert(id);
        } else {
            self.ready.remove(&id);
        }
        if found_good {
            ruled.good_here = true;
            ruled.tour_level = 0;
            ruled.pause_until = None;
            self.tried.retain(|tried| tried.rule != id);
        }
    }

    /// Whether the rule was a breach when it was last evaluated and is one now, and its counter has not
    /// started again.
    pub(super) fn still_ready(&self, id: RuleId) -> bool {
        let ruled = &self.rules[id.index()];
        let now = self.truth(id, &BTreeSet::new());
        now == Truth::Breach
            && ruled.truth == Some(Truth::Breach)
            && reached(self.policy.rules[id].tarry, &ruled.samples, self.t)
    }

    /// How far a rule's counter is: samples, or milliseconds.
    pub(super) fn progress(&self, id: RuleId) -> u64 {
        let (rule, ruled) = (&self.policy.rules[id], &self.rules[id.index()]);
        if rule.is_clock_only() {
            return ruled.since.map_or(0, |since| self.t.since(since).millis());
        }
        progress(rule.tarry, &ruled.samples, self.t)
    }
}

fn got(polled: &mut Polled, read: Read, every: Span, value: Result<f64, Absence>, taken: Mono) -> Got {
    let value = match value {
        Ok(value) if value.is_finite() => value,
        Ok(_) => return Got::Nothing(Absence::NotFinite),
        Err(why) => return Got::Nothing(why),
    };
    if read == Read::Gauge {
        return Got::Known(value);
    }
    let Some((before, then)) = polled.baseline.replace((value, taken)) else { return Got::Baseline };
    let gone = taken.since(then);
    if value < before {
        return Got::Reset;
    }
    let grown = value - before;
    let sample = if read == Read::Delta {
        if gone >= every.times(2) {
            return Got::Baseline;
        }
        grown
    } else {
        if gone.is_zero() {
            return Got::Baseline;
        }
        grown / gone.as_secs_f64()
    };
    if sample.is_finite() { Got::Known(sample) } else { Got::Nothing(Absence::NotFinite) }
}

/// Samples since a counter started, and what they amount to.
fn progress(tarry: Tarry, samples: &[(Mono, bool)], t: Mono) -> u64 {
    let run = samples.iter().rev().take_while(|(_, breach)| *breach);
    match tarry {
        Tarry::Consecutive(_) => run.count() as u64,
        Tarry::Lasting(_) => run.last().map_or(0, |&(first, _)| t.since(first).millis()),
        Tarry::Of { last, .. } => {
            samples.iter().rev().take(usize::from(last)).filter(|(_, breach)| *breach).count() as u64
        }
    }
}

fn reached(tarry: Tarry, samples: &[(Mono, bool)], t: Mono) -> bool {
    let progress = progress(tarry, samples, t);
    match tarry {
        Tarry::Consecutive(need) => progress >= u64::from(need),
        Tarry::Lasting(span) => {
            samples.last().is_some_and(|&(_, breach)| breach) && progress >= span.millis()
        }
        Tarry::Of { hits, .. } => progress >= u64::from(hits),
    }
}
