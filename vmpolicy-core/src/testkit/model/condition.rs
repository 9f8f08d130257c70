//! What a condition says, and what it saw.

use super::Model;
use crate::id::{ArrayId, Id as _, IndicatorId, QueueId};
use crate::leaf::logic::Truth;
use crate::output::Seen;
use crate::policy::{Compare, Condition};
use std::collections::BTreeSet;

impl Model {
    /// A condition in Kleene's logic; the indicators that are still out are taken as Unknown.
    pub(super) fn truth(&self, condition: &Condition, out: &BTreeSet<IndicatorId>) -> Truth {
        match condition {
            Condition::All(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.truth(part, out)).collect();
                if parts.contains(&Truth::Clear) {
                    Truth::Clear
                } else if parts.contains(&Truth::Unknown) {
                    Truth::Unknown
                } else {
                    Truth::Breach
                }
            }
            Condition::Any(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.truth(part, out)).collect();
                if parts.contains(&Truth::Breach) {
                    Truth::Breach
                } else if parts.contains(&Truth::Unknown) {
                    Truth::Unknown
                } else {
                    Truth::Clear
                }
            }
            Condition::Not(part) => match self.truth(part, out) {
                Truth::Breach => Truth::Clear,
                Truth::Clear => Truth::Breach,
                Truth::Unknown => Truth::Unknown,
            },
            leaf => self.leaf(leaf, out).1,
        }
    }

    /// What every leaf of a condition saw, in the order in which they are written.
    pub(super) fn seen(&self, condition: &Condition) -> Vec<Seen> {
        let mut leaves = Vec::new();
        collect(condition, &mut leaves);
        let seen = |(number, leaf): (usize, &&Condition)| {
            let (value, truth) = self.leaf(leaf, &BTreeSet::new());
            Seen { leaf: u16::try_from(number).unwrap_or(u16::MAX), value, truth }
        };
        leaves.iter().enumerate().map(seen).collect()
    }

    fn leaf(&self, leaf: &Condition, out: &BTreeSet<IndicatorId>) -> (Option<f64>, Truth) {
        match leaf {
            Condition::Indicator { indicator, compare, threshold } => {
                let value = self.indicators[indicator.index()].value.filter(|_| !out.contains(indicator));
                compared(value, *compare, *threshold)
            }
            Condition::Window { window, inside } => {
                let open = self.windows[window.index()].open;
                (None, if open == *inside { Truth::Breach } else { Truth::Clear })
            }
            Condition::Count { queue, class, compare, threshold } => {
                let batch = self.queues[queue.index()].batch.as_ref();
                let count = batch.and_then(|batch| batch.classes.get(usize::from(*class)));
                compared(count.map(|&count| f64::from(count)), *compare, *threshold)
            }
            Condition::Gain { queue, array, compare, threshold } => {
                compared(self.gain(*queue, *array), *compare, *threshold)
            }
            Condition::All(_) | Condition::Any(_) | Condition::Not(_) => (None, Truth::Unknown),
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

fn compared(value: Option<f64>, compare: Compare, threshold: f64) -> (Option<f64>, Truth) {
    let truth = match value {
        None => Truth::Unknown,
        Some(value) if compare.holds(value, threshold) => Truth::Breach,
        Some(_) => Truth::Clear,
    };
    (value, truth)
}

fn collect<'a>(condition: &'a Condition, leaves: &mut Vec<&'a Condition>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| collect(part, leaves)),
        Condition::Not(part) => collect(part, leaves),
        leaf => leaves.push(leaf),
    }
}
