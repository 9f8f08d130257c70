//! Numbers that hover about the policy's thresholds.

use super::Drawing;
use super::dice::{Dice, rounded};
use crate::file::scenario::{FeedForm, LoadForm};
use crate::id::IndicatorId;
use crate::leaf::sample::Read;
use crate::policy::{Action, Compare, Condition, Indicator, Located};
use crate::time::Span;

/// What a policy compares an indicator with.
#[derive(Default)]
struct Thresholds {
    all: Vec<f64>,
    /// Those of rules that move away: where, and whether above it is the worse side.
    breaches: Vec<(f64, bool)>,
}

impl Thresholds {
    fn gather(&mut self, condition: &Condition, of: IndicatorId, moves: bool, positive: bool) {
        match condition {
            Condition::Indicator { indicator, compare, threshold } if *indicator == of => {
                self.all.push(*threshold);
                if moves {
                    let above = matches!(compare, Compare::Above | Compare::AtLeast);
                    self.breaches.push((*threshold, above == positive));
                }
            }
            Condition::All(inner) | Condition::Any(inner) => {
                inner.iter().for_each(|inner| self.gather(inner, of, moves, positive));
            }
            Condition::Not(inner) => self.gather(inner, of, moves, !positive),
            _ => {}
        }
    }
}

impl Drawing<'_> {
    /// What feeds an indicator: a number of its own, and perhaps what its guest misses.
    pub(super) fn feed(&self, id: IndicatorId, lasts: Span, dice: &mut Dice) -> FeedForm {
        let mut thresholds = Thresholds::default();
        for (_, rule) in self.policy.rules().iter() {
            thresholds.gather(&rule.when, id, rule.action == Action::Move, true);
        }
        let indicator = &self.policy.indicators()[id];
        let (per_s, counts) = scale(indicator);
        let levels: Vec<f64> =
            levels(&mut thresholds.all).into_iter().map(|level| rounded(level * per_s)).collect();
        let load = shape(&levels, indicator.every, lasts, dice);
        let reach = levels.last().copied().unwrap_or(1.0);
        let worse = thresholds.breaches.first().map_or(1.0, |(_, above)| if *above { 1.0 } else { -1.0 });
        let strain = if dice.once_in(3) { 0.0 } else { rounded(worse * reach * dice.between(0.5, 4.0)) };
        FeedForm::Follows { load: Located::made(load), strain, counts }
    }
}

/// By what a sample is multiplied to have its reading, and whether that is counted up.
fn scale(indicator: &Indicator) -> (f64, bool) {
    match indicator.read {
        Read::Gauge => (1.0, false),
        Read::Delta => (1.0 / indicator.every.as_secs_f64(), true),
        Read::Rate => (1.0, true),
    }
}

/// Below, at, between and above the thresholds, none below 0; ascending.
fn levels(thresholds: &mut Vec<f64>) -> Vec<f64> {
    thresholds.retain(|threshold| *threshold >= 0.0 && *threshold <= 1e9);
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    let mut levels = vec![0.0];
    let mut below = 0.0;
    for threshold in thresholds.iter().copied() {
        levels.extend([f64::midpoint(below, threshold), threshold]);
        below = threshold;
    }
    levels.extend([below * 1.1 + 0.5, below * 2.0 + 1.0]);
    levels.dedup();
    levels
}

/// A load of one of all forms, between these levels.
fn shape(levels: &[f64], every: Span, lasts: Span, dice: &mut Dice) -> LoadForm {
    let samples =
        |dice: &mut Dice, most: usize| every.times(1 + dice.below(most) as u64).max(Span::from_secs(1));
    let low = levels[dice.below(levels.len().div_ceil(2))];
    let high = levels[levels.len() - 1 - dice.below(levels.len() / 2)];
    match dice.below(9) {
        0 => LoadForm::Constant(dice.one(levels)),
        1 => LoadForm::Constant(high),
        // Between two sides of a threshold, for a few samples each.
        2 | 3 => {
            let (up, down) = (samples(dice, 8), samples(dice, 8));
            let repeat = Span::from_millis(up.millis() + down.millis());
            LoadForm::Steps { rows: vec![(Span::ZERO, high), (up, low)], repeat: Some(repeat) }
        }
        4 | 5 => {
            let mut rows = vec![(Span::ZERO, dice.one(levels))];
            for _ in 0..2 + dice.below(12) {
                let at = Span::from_secs(dice.0.below(lasts.millis() / 1_000 + 1) + 1);
                rows.push((at, dice.one(levels)));
            }
            rows.sort_by_key(|(at, _)| *at);
            rows.dedup_by_key(|(at, _)| *at);
            LoadForm::Steps { rows, repeat: None }
        }
        6 => {
            let bursts = LoadForm::Bursts { gap: samples(dice, 60), length: samples(dice, 12), height: high };
            LoadForm::Sum(vec![Located::made(LoadForm::Constant(low)), Located::made(bursts)])
        }
        7 => LoadForm::Mmpp { rates: [low, high], stays: [samples(dice, 30), samples(dice, 10)] },
        _ => {
            let peak = Span::from_mins(dice.0.below(24 * 60));
            LoadForm::Wave { week: false, low: low.min(high), high: high.max(low), peak }
        }
    }
}

/// A load of a service, or of a guest without one: about this, now less, now more.
pub(super) fn about(middle: f64, lasts: Span, dice: &mut Dice) -> LoadForm {
    let levels: Vec<f64> = [0.0, 0.3, 0.8, 1.0, 1.3, 2.0].iter().map(|part| rounded(middle * part)).collect();
    shape(&levels, Span::from_mins(5), lasts, dice)
}
