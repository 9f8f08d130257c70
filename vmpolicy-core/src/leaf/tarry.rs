//! Tarry: how long a condition must hold before the policy acts (thesis 3.4 and 3.5, `tarry` in the
//! configuration of listing 3.8). Prometheus calls it `for`.
//!
//! The thesis's pseudo-code acts when `counter > t`, its scripts when `count == tarry`. Ours is the
//! scripts': the n-th sample acts.

use crate::time::{Mono, Span};

/// The longest `M of N`.
pub const MAX_WINDOW: u8 = 64;

/// How long a condition must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Tarry {
    /// So many samples in a row; not zero.
    Consecutive(u32),
    /// So long, and every sample in it.
    Lasting(Span),
    /// So many of the last so many samples.
    Of {
        /// How many; not zero.
        hits: u8,
        /// Of how many; at least `hits`, at most [`MAX_WINDOW`].
        last: u8,
    },
}

impl Default for Tarry {
    fn default() -> Self {
        Self::Consecutive(1)
    }
}

impl core::fmt::Display for Tarry {
    /// As a policy file has it: `3`, `5m`, `4 of 5`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Consecutive(samples) => write!(f, "{samples}"),
            Self::Lasting(span) => write!(f, "{span}"),
            Self::Of { hits, last } => write!(f, "{hits} of {last}"),
        }
    }
}

/// What has been counted so far towards a [`Tarry`].
///
/// ```
/// use vmpolicy_core::leaf::tarry::{Counter, Tarry};
/// use vmpolicy_core::time::Mono;
/// let tarry = Tarry::Consecutive(3);
/// let mut counter = Counter::new(tarry);
/// let acts = [76.0, 80.0, 12.0, 90.0, 91.0, 92.0].map(|slow_queries| {
///     counter.count(tarry, slow_queries > 50.0, Mono(0))
/// });
/// assert_eq!(acts, [false, false, false, false, false, true]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Counter {
    /// Samples in a row.
    Run(u32),
    /// Since when it holds.
    Since(Mono),
    /// It does not hold; otherwise it would be since when that counts.
    Not,
    /// The last samples, the newest in the lowest bit.
    Bits(u64),
}

impl Counter {
    /// Nothing counted.
    #[must_use]
    pub const fn new(tarry: Tarry) -> Self {
        match tarry {
            Tarry::Consecutive(_) => Self::Run(0),
            Tarry::Lasting(_) => Self::Not,
            Tarry::Of { .. } => Self::Bits(0),
        }
    }

    /// Whether this counter is of the kind that the tarry needs.
    #[must_use]
    pub const fn fits(self, tarry: Tarry) -> bool {
        matches!(
            (self, tarry),
            (Self::Run(_), Tarry::Consecutive(_))
                | (Self::Since(_) | Self::Not, Tarry::Lasting(_))
                | (Self::Bits(_), Tarry::Of { .. })
        )
    }

    /// Counts a sample, taken now, for which the condition was true or not, and says whether the condition
    /// [has held](Self::reached) for long enough. What is Unknown is not counted at all; whether it
    /// [resets](Self::reset) is the caller's to say. A tarry that the counter does not [fit](Self::fits) counts
    /// nothing.
    #[inline]
    pub fn count(&mut self, tarry: Tarry, breach: bool, now: Mono) -> bool {
        match (tarry, self) {
            (Tarry::Consecutive(need), Self::Run(run)) => {
                *run = if breach { run.saturating_add(1) } else { 0 };
                *run >= need
            }
            (Tarry::Lasting(span), Self::Since(since)) if breach => now.since(*since) >= span,
            (Tarry::Lasting(span), state @ (Self::Since(_) | Self::Not)) => {
                *state = if breach { Self::Since(now) } else { Self::Not };
                breach && span.is_zero()
            }
            (Tarry::Of { hits, last }, Self::Bits(bits)) => {
                let kept = if last >= MAX_WINDOW { u64::MAX } else { (1 << last) - 1 };
                *bits = (*bits << 1 | u64::from(breach)) & kept;
                bits.count_ones() >= u32::from(hits)
            }
            _ => false,
        }
    }

    /// Forgets all that was counted.
    #[inline]
    pub fn reset(&mut self) {
        match self {
            Self::Run(run) => *run = 0,
            Self::Since(_) => *self = Self::Not,
            Self::Not => {}
            Self::Bits(bits) => *bits = 0,
        }
    }

    /// Whether the condition has held for long enough.
    #[must_use]
    #[inline]
    pub fn reached(self, tarry: Tarry, now: Mono) -> bool {
        match (tarry, self) {
            (Tarry::Consecutive(need), Self::Run(run)) => run >= need,
            (Tarry::Lasting(span), Self::Since(since)) => now.since(since) >= span,
            (Tarry::Of { hits, .. }, Self::Bits(bits)) => bits.count_ones() >= u32::from(hits),
            _ => false,
        }
    }

    /// When a span will have lasted long enough if nothing changes; None where it is not held, or where
    /// it is samples that count.
    #[must_use]
    pub fn ripens_at(self, tarry: Tarry) -> Option<Mono> {
        match (self, tarry) {
            (Self::Since(since), Tarry::Lasting(span)) => Some(since.plus(span)),
            _ => None,
        }
    }

    /// How far it is: samples counted, or milliseconds held.
    #[must_use]
    pub fn progress(self, now: Mono) -> u64 {
        match self {
            Self::Run(run) => u64::from(run),
            Self::Since(since) => now.since(since).millis(),
            Self::Not => 0,
            Self::Bits(bits) => u64::from(bits.count_ones()),
        }
    }

    /// Whether nothing is counted.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        matches!(self, Self::Run(0) | Self::Not | Self::Bits(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn truths() -> impl Strategy<Value = Vec<bool>> {
        prop::collection::vec(any::<bool>(), 0..80)
    }

    proptest! {
        #[test]
        fn consecutive_is_reached_when_the_last_n_known_samples_are_breaches(all in truths(), need in 1_u32..6) {
            let tarry = Tarry::Consecutive(need);
            let mut counter = Counter::new(tarry);
            let mut known = Vec::new();
            for truth in all {
                let reached = counter.count(tarry, truth, Mono(0));
                prop_assert_eq!(counter.reached(tarry, Mono(0)), reached);
                known.push(truth);
                let tail = known.iter().rev().take_while(|&&t| t).count();
                prop_assert_eq!(reached, tail >= need as usize);
            }
        }

        #[test]
        fn m_of_n_looks_at_the_last_n_known_samples(all in truths(), last in 1_u8..=64, hits in 1_u8..=64) {
            prop_assume!(hits <= last);
            let tarry = Tarry::Of { hits, last };
            let mut counter = Counter::new(tarry);
            let mut known = Vec::new();
            for truth in all {
                let reached = counter.count(tarry, truth, Mono(0));
                prop_assert_eq!(counter.reached(tarry, Mono(0)), reached);
                known.push(truth);
                let seen = known.iter().rev().take(usize::from(last)).filter(|&&t| t).count();
                prop_assert_eq!(reached, seen >= usize::from(hits));
            }
        }

        #[test]
        fn lasting_needs_every_sample_in_the_span(all in truths(), secs in 0_u64..300) {
            let tarry = Tarry::Lasting(Span::from_secs(secs));
            let mut counter = Counter::new(tarry);
            let mut since = None;
            for (index, truth) in all.into_iter().enumerate() {
                let now = Mono(60_000 * index as i64);
                let reached = counter.count(tarry, truth, now);
                prop_assert_eq!(counter.reached(tarry, now), reached);
                since = if truth { since.or(Some(now)) } else { None };
                let long = since.is_some_and(|since| now.since(since) >= Span::from_secs(secs));
                prop_assert_eq!(reached, long);
            }
        }
    }
}
