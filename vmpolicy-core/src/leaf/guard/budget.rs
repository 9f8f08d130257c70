//! At most so many in so much time: a sliding window over the last requests.

use crate::time::{Mono, Span};

/// When the last requests were made, the oldest first: as many as the budget allows and one more, so that
/// after the last one was taken back the rest is known. (Leaving a draining host spends without asking.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Budget {
    spent: Vec<Mono>,
}

impl Budget {
    /// Nothing spent, with room for `count` so that spending does not allocate.
    #[must_use]
    pub fn new(count: u32) -> Self {
        Self { spent: Vec::with_capacity(remembered(count)) }
    }

    /// When the next may be spent, where that is later than now.
    ///
    /// ```
    /// use vmpolicy_core::{leaf::guard::budget::Budget, time::{Mono, Span}};
    /// let mut budget = Budget::new(2);
    /// budget.spend(2, Mono(0));
    /// budget.spend(2, Mono(10_000));
    /// assert_eq!(budget.opens_at(2, Span::from_secs(60), Mono(20_000)), Some(Mono(60_000)));
    /// assert_eq!(budget.opens_at(2, Span::from_secs(60), Mono(60_000)), None);
    /// ```
    #[must_use]
    pub fn opens_at(&self, count: u32, per: Span, now: Mono) -> Option<Mono> {
        let index = self.spent.len().checked_sub(count as usize)?;
        let opens = self.spent.get(index)?.plus(per);
        (opens > now).then_some(opens)
    }

    /// Spends one now. Only the last `count` and one more are remembered.
    pub fn spend(&mut self, count: u32, now: Mono) {
        while self.spent.len() >= remembered(count) {
            self.spent.remove(0);
        }
        self.spent.push(now);
    }

    /// Takes the last one back: it came to nothing.
    pub fn refund(&mut self) {
        self.spent.pop();
    }

    /// Keeps only the last `count` and one more, with room for as many.
    pub fn keep(&mut self, count: u32) {
        let surplus = self.spent.len().saturating_sub(remembered(count));
        self.spent.drain(..surplus);
        self.spent.reserve_exact(remembered(count) - self.spent.len());
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spent.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spent.is_empty()
    }
}

const fn remembered(count: u32) -> usize {
    (count as usize).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_taken_back_does_not_make_room_for_another() {
        let (mut budget, minute) = (Budget::new(1), Span::from_secs(60));
        budget.spend(1, Mono(0));
        // A draining host is left without asking; that is refused.
        budget.spend(1, Mono(5_000));
        budget.refund();
        assert_eq!(budget.opens_at(1, minute, Mono(6_000)), Some(Mono(60_000)));
    }

    proptest! {
        #[test]
        fn never_more_than_count_in_any_span(
            steps in prop::collection::vec(0_i64..20_000, 1..200), count in 1_u32..6, secs in 1_u64..100,
        ) {
            let per = Span::from_secs(secs);
            let mut budget = Budget::new(count);
            let (mut now, mut all) = (Mono(0), Vec::new());
            for step in steps {
                now = now.shifted(step);
                if budget.opens_at(count, per, now).is_none() {
                    budget.spend(count, now);
                    all.push(now);
                }
            }
            for &at in &all {
                let within = all.iter().filter(|&&other| other >= at && other < at.plus(per)).count();
                prop_assert!(within <= count as usize);
            }
        }
    }
}
