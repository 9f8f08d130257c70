//! Whether a rule had reason to be ready: enough samples for its tarry, worked out by walking back over
//! what was seen.

use super::condition::by_sample;
use super::evidence::Sample;
use super::facts::Facts;
use crate::id::{Id, IndicatorId, RuleId};
use crate::leaf::tarry::Tarry;
use crate::policy::{Condition, Rule};
use crate::time::{Mono, Span};

/// The indicator of a rule that reads one and only one, and no queue.
pub(super) fn only_indicator(rule: &Rule) -> Option<IndicatorId> {
    let single = rule.queue.is_none() && rule.indicators.count_ones() == 1;
    single.then(|| IndicatorId::from_index(rule.indicators.trailing_zeros() as usize))
}

/// Whether the condition reads nothing but indicators.
fn reads_no_window(when: &Condition) -> bool {
    let mut none = true;
    super::condition::weigh(when, &mut |leaf| {
        none &= matches!(leaf, Condition::Indicator { .. });
        super::condition::VAGUE
    });
    none
}

/// What one poll says for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// It can have been a breach.
    Breach,
    /// It was clear for certain.
    Clear,
    /// It was of no use for certain, and counts as missing.
    Missing,
    /// It was a counter reset for certain.
    Reset,
    /// It may not have counted at all, or was a baseline.
    Nothing,
}

impl Facts {
    fn says(&self, rule: &Rule, indicator: IndicatorId, at: usize, certain: bool) -> Says {
        let samples = self.indicators[indicator.index()].samples(&self.policy.indicators()[indicator], at);
        let truth = |sample: &Sample| by_sample(rule, *sample);
        if samples.iter().any(|sample| truth(sample).1 > 0) {
            return Says::Breach;
        }
        let [only] = samples[..] else { return Says::Nothing };
        match only {
            _ if !certain => Says::Nothing,
            Sample::Baseline => Says::Nothing,
            Sample::Reset => Says::Reset,
            Sample::Absent | Sample::TimedOut => Says::Missing,
            Sample::Known(_) if truth(&only).1 < 0 => Says::Clear,
            Sample::Known(_) => Says::Nothing,
        }
    }

    /// Whether there are enough samples for the tarry of a rule with one indicator; if not, why not.
    pub(super) fn enough(&self, rule: RuleId) -> Result<(), String> {
        let since_step = self.rules[rule.index()].since_step;
        let rule = &self.policy.rules()[rule];
        let Some(id) = only_indicator(rule) else { return Ok(()) };
        if by_sample(rule, Sample::Absent).1 > 0 {
            // A window alone can make it true: what the indicator says is not what it stands on.
            return Ok(());
        }
        let indicator = &self.policy.indicators()[id];
        let polls = &self.indicators[id.index()];
        let apart = Span::from_millis(indicator.every.millis() - indicator.every.millis() / 8);
        let stale = indicator.every.times(2).times(u64::from(indicator.missing) + 1);
        let (mut hits, mut seen, mut missing) = (0_u64, 0_u64, 0);
        // The next one that counted, and the next one that may have.
        let (mut later, mut maybe): (Option<Mono>, Option<Mono>) = (None, None);
        let t = self.t();
        let reached = |hits: u64, first: Mono| match rule.tarry {
            Tarry::Consecutive(need) => hits >= u64::from(need),
            Tarry::Of { hits: need, .. } => hits >= u64::from(need),
            Tarry::Lasting(span) => t.since(first) >= span,
        };
        let mut stopped = "there are no more";
        for (at, poll) in polls.back(since_step) {
            if later.is_none() && poll.step != self.step && self.late.is_empty() {
                return Err("nothing was read in this step".to_owned());
            }
            let says = self.says(rule, id, at, poll.certain);
            match says {
                Says::Breach => {
                    if let Some(later) = later {
                        if maybe.unwrap_or(later).since(poll.taken) >= stale {
                            if !poll.certain {
                                continue;
                            }
                            stopped = "the one before is too old";
                            break;
                        }
                        if later.since(poll.taken) < apart {
                            continue;
                        }
                    }
                    later = Some(poll.taken);
                    missing = 0;
                    hits += 1;
                    seen += 1;
                    if reached(hits, poll.taken) {
                        return Ok(());
                    }
                }
                Says::Clear => {
                    later = Some(poll.taken);
                    seen += 1;
                    match rule.tarry {
                        Tarry::Of { last, .. } if seen < u64::from(last) => missing = 0,
                        _ => {
                            stopped = "one before was clear";
                            break;
                        }
                    }
                }
                Says::Missing => {
                    missing += 1;
                    if missing > indicator.missing {
                        stopped = "one before was missing";
                        break;
                    }
                }
                Says::Reset => {
                    stopped = "the counter was reset before";
                    break;
                }
                Says::Nothing if poll.certain => later = Some(poll.taken),
                Says::Nothing => {}
            }
            if poll.value.is_some() || says == Says::Breach {
                maybe = Some(maybe.map_or(poll.taken, |maybe: Mono| maybe.min(poll.taken)));
            }
        }
        Err(format!("tarry {}, and only {hits} samples: {stopped}", rule.tarry))
    }

    /// Finds the rules that are ready in this step beyond doubt: on one indicator, all polls in time and
    /// answered, each sample a breach.
    pub(super) fn note_ready(&mut self) {
        let Some(read) = self.certain_reading else { return };
        for id in self.policy.rules().ids() {
            let rule = &self.policy.rules()[id];
            if only_indicator(rule) == Some(read) && reads_no_window(&rule.when) && self.surely_ready(id) {
                self.ready.push(id);
            }
        }
    }

    fn surely_ready(&self, id: RuleId) -> bool {
        let rule = &self.policy.rules()[id];
        let Some(read) = only_indicator(rule) else { return false };
        let need = match rule.tarry {
            Tarry::Consecutive(need) => need,
            Tarry::Of { hits, .. } => u32::from(hits),
            Tarry::Lasting(_) => return false,
        };
        let indicator = &self.policy.indicators()[read];
        let polls = &self.indicators[read.index()];
        let since_step = self.rules[id.index()].since_step.max(self.exact_since);
        let (mut hits, mut later) = (0, None);
        for (at, poll) in polls.back(since_step) {
            let regular =
                later.is_none_or(|later: Mono| later.since(poll.taken).times(2) < indicator.every.times(3));
            let samples = polls.samples(indicator, at);
            let [only] = samples[..] else { return false };
            if !poll.certain || !regular || by_sample(rule, only).0 <= 0 {
                return false;
            }
            hits += 1;
            later = Some(poll.taken);
            if hits == need {
                return true;
            }
        }
        false
    }
}
