//! What a condition says, and what it saw.

use super::Model;
use crate::id::{ArrayId, Id as _, IndicatorId, QueueId, RuleId};
use crate::leaf::logic::Truth;
use crate::output::Seen;
use crate::policy::{Action, Compare, Condition};
use std::collections::BTreeSet;

impl Model {
    /// A rule's condition in Kleene's logic; the indicators that are still out are taken as Unknown.
    pub(super) fn truth(&self, rule: RuleId, out: &BTreeSet<IndicatorId>) -> Truth {
        self.truth_of(rule, &self.policy.rules[rule].when, Nots::Even, out)
    }

    fn truth_of(
        &self,
        rule: RuleId,
        condition: &Condition,
        nots: Nots,
        out: &BTreeSet<IndicatorId>,
    ) -> Truth {
        match condition {
            Condition::All(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.truth_of(rule, part, nots, out)).collect();
                if parts.contains(&Truth::Clear) {
                    Truth::Clear
                } else if parts.contains(&Truth::Unknown) {
                    Truth::Unknown
                } else {
                    Truth::Breach
                }
            }
            Condition::Any(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.truth_of(rule, part, nots, out)).collect();
                if parts.contains(&Truth::Breach) {
                    Truth::Breach
                } else if parts.contains(&Truth::Unknown) {
                    Truth::Unknown
                } else {
                    Truth::Clear
                }
            }
            Condition::Not(part) => match self.truth_of(rule, part, nots.one_more(), out) {
                Truth::Breach => Truth::Clear,
                Truth::Clear => Truth::Breach,
                Truth::Unknown => Truth::Unknown,
            },
            leaf => self.leaf(rule, leaf, nots, out).truth,
        }
    }

    /// What every leaf of a rule's condition saw, in the order in which they are written.
    pub(super) fn seen(&self, rule: RuleId) -> Vec<Seen> {
        let mut leaves = Vec::new();
        collect(&self.policy.rules[rule].when, Nots::Even, &mut leaves);
        let seen = |(number, &(leaf, nots)): (usize, &(&Condition, Nots))| {
            let seen = self.leaf(rule, leaf, nots, &BTreeSet::new());
            Seen { leaf: u16::try_from(number).unwrap_or(u16::MAX), ..seen }
        };
        leaves.iter().enumerate().map(seen).collect()
    }

    fn leaf(&self, rule: RuleId, leaf: &Condition, nots: Nots, out: &BTreeSet<IndicatorId>) -> Seen {
        match leaf {
            Condition::Indicator { indicator, compare, threshold } => {
                let polled = &self.indicators[indicator.index()];
                let answered = !out.contains(indicator);
                if polled.timed_out && answered && self.policy.rules[rule].action == Action::Move {
                    let truth = if nots == Nots::Even { Truth::Breach } else { Truth::Clear };
                    return Seen { leaf: 0, value: None, timed_out: true, truth };
                }
                compared(polled.value.filter(|_| answered), *compare, *threshold)
            }
            Condition::Window { window, inside } => {
                let open = self.windows[window.index()].open;
                let truth = if open == *inside { Truth::Breach } else { Truth::Clear };
                Seen { leaf: 0, value: None, timed_out: false, truth }
            }
            Condition::Count { queue, class, compare, threshold } => {
                let batch = self.queues[queue.index()].batch.as_ref();
                let count = batch.and_then(|batch| batch.classes.get(usize::from(*class)));
                compared(count.map(|&count| f64::from(count)), *compare, *threshold)
            }
            Condition::Gain { queue, array, compare, threshold } => {
                compared(self.gain(*queue, *array), *compare, *threshold)
            }
            Condition::All(_) | Condition::Any(_) | Condition::Not(_) => compared(None, Compare::Above, 0.0),
        }
    }

    /// Equation 3.5 for the batch at hand; unknown where a job of it takes nobody knows how long.
    fn gain(&self, queue: QueueId, array: ArrayId) -> Option<f64> {
        let batch = self.queues[queue.index()].batch.as_ref().filter(|batch| batch.others == 0)?;
        let t_m = self.policy.arrays[array].relocation?.as_secs_f64();
        let mut t_ph = 0.0;
        for (count, class) in batch.classes.iter().zip(&self.policy.queues[queue].classes) {
            if *count > 0 {
                t_ph += f64::from(*count) * class.takes?.as_secs_f64();
            }
        }
        let t_pa = t_ph * self.policy.arrays[self.policy.home].speed / self.policy.arrays[array].speed;
        Some(t_ph / (t_m + t_pa)).filter(|gain| gain.is_finite())
    }
}

/// Under how many `not` something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nots {
    Even,
    Odd,
}

impl Nots {
    const fn one_more(self) -> Self {
        match self {
            Self::Even => Self::Odd,
            Self::Odd => Self::Even,
        }
    }
}

fn compared(value: Option<f64>, compare: Compare, threshold: f64) -> Seen {
    let truth = match value {
        None => Truth::Unknown,
        Some(value) if compare.holds(value, threshold) => Truth::Breach,
        Some(_) => Truth::Clear,
    };
    Seen { leaf: 0, value, timed_out: false, truth }
}

fn collect<'a>(condition: &'a Condition, nots: Nots, leaves: &mut Vec<(&'a Condition, Nots)>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| collect(part, nots, leaves));
        }
        Condition::Not(part) => collect(part, nots.one_more(), leaves),
        leaf => leaves.push((leaf, nots)),
    }
}
