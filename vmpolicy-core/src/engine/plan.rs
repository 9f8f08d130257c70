//! What follows from a policy and is wanted at every step: who reads what, and at what pace.

use crate::id::{Id, IndicatorId, QueueId, RuleId, Table};
use crate::leaf::tarry::Tarry;
use crate::policy::{Action, Policy};
use crate::time::Span;

/// The pace of a policy without indicators.
const DEFAULT_PACE: Span = Span::from_mins(1);

/// Derived from a policy, shared by all guests that run it.
#[derive(Debug)]
pub(super) struct Plan {
    /// Which rules read an indicator, as bits.
    pub(super) readers: Table<IndicatorId, u64>,
    /// Which rules read more than one indicator, as bits.
    pub(super) several: u64,
    /// Which rules read a queue's batches, as bits.
    pub(super) queue_readers: Table<QueueId, u64>,
    /// Which rules read only the clock, as bits.
    pub(super) clock_rules: u64,
    /// Which rules can rest, as bits.
    pub(super) rest_rules: u64,
    /// The shortest polling interval.
    pace: Span,
}

impl Plan {
    pub(super) fn of(policy: &Policy) -> Self {
        let rules_where = |wanted: &dyn Fn(RuleId) -> bool| {
            policy.rules.ids().filter(|&rule| wanted(rule)).fold(0, |bits, rule| bits | bit(rule))
        };
        Self {
            readers: Table::new(
                policy
                    .indicators
                    .ids()
                    .map(|indicator| rules_where(&|rule| policy.rules[rule].reads(indicator)))
                    .collect(),
            ),
            several: rules_where(&|rule| policy.rules[rule].indicators.count_ones() > 1),
            queue_readers: Table::new(
                policy
                    .queues
                    .ids()
                    .map(|queue| rules_where(&|rule| policy.rules[rule].queue == Some(queue)))
                    .collect(),
            ),
            clock_rules: rules_where(&|rule| policy.rules[rule].is_clock_only()),
            rest_rules: rules_where(&|rule| matches!(policy.rules[rule].action, Action::Rest(_))),
            pace: policy.indicators.iter().map(|(_, i)| i.every).min().unwrap_or(DEFAULT_PACE),
        }
    }

    /// The tarry that a rule is held to. A rule that reads only the clock has no samples to count: `n` in
    /// a row last as long as n-1 polling intervals.
    pub(super) fn tarry(&self, policy: &Policy, rule: RuleId) -> Tarry {
        let written = policy.rules[rule].tarry;
        if self.clock_rules & bit(rule) == 0 {
            return written;
        }
        let samples = match written {
            Tarry::Lasting(_) => return written,
            Tarry::Consecutive(samples) => samples,
            Tarry::Of { hits, .. } => hits.into(),
        };
        Tarry::Lasting(self.pace.times(u64::from(samples.saturating_sub(1))))
    }
}

/// The bit of an id in a set; ids of rules, indicators and windows are below 64.
#[inline]
pub(super) fn bit<I: Id>(id: I) -> u64 {
    1_u64.wrapping_shl(id.index() as u32)
}

/// The ids of a set, the lowest first.
#[inline]
pub(super) fn bits<I: Id>(mut set: u64) -> impl Iterator<Item = I> {
    core::iter::from_fn(move || {
        let index = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (index < u64::BITS).then(|| I::from_index(index as usize))
    })
}
