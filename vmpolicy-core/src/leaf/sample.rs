//! From readings to samples: gauge, delta and rate (thesis 3.9.3, listings B.1 and C.1).
//!
//! The thesis's script subtracts the last counter from this one and takes 0 where there is no last one;
//! after a restart of the server its difference is negative and counts as idle. Here a first reading is a
//! baseline, a lower one is a reset, and both are Unknown.

use crate::time::{Mono, Span};

/// How a reading becomes a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Read {
    /// The reading is the sample.
    #[default]
    Gauge,
    /// The sample is how much a counter has grown since the poll before.
    Delta,
    /// The sample is how much a counter has grown in a second.
    Rate,
}

impl Read {
    /// Whether a sample needs a reading before it.
    #[must_use]
    pub const fn needs_baseline(self) -> bool {
        !matches!(self, Self::Gauge)
    }

    /// The name in a policy file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Delta => "delta",
            Self::Rate => "rate",
        }
    }
}

/// What a reading gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// A finite number.
    Known(f64),
    /// The first reading of a counter: nothing to compare it with yet.
    Baseline,
    /// A counter that went back: the service has started again.
    Reset,
    /// A number that is none: NaN, or infinite (the reading, or the difference of two huge ones).
    NotFinite,
}

/// The reading before this one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Baseline {
    before: Option<(f64, Mono)>,
}

impl Baseline {
    /// Turns a reading, taken then, into a sample, and keeps it for the next one.
    ///
    /// `every` is the polling interval. A delta is held against a threshold *per interval*, so its
    /// predecessor must be the poll before: where that is two intervals ago or more, the reading is a
    /// baseline. A rate is per second whatever the distance, so any predecessor will do.
    ///
    /// ```
    /// use vmpolicy_core::leaf::sample::{Baseline, Read, Sample};
    /// use vmpolicy_core::time::{Mono, Span};
    /// let minute = Span::from_secs(60);
    /// let mut slow_queries = Baseline::default();
    /// assert_eq!(slow_queries.sample(Read::Delta, minute, 1_000.0, Mono(0)), Sample::Baseline);
    /// assert_eq!(slow_queries.sample(Read::Delta, minute, 1_076.0, Mono(60_000)), Sample::Known(76.0));
    /// assert_eq!(slow_queries.sample(Read::Delta, minute, 3.0, Mono(120_000)), Sample::Reset);
    /// ```
    #[inline]
    pub fn sample(&mut self, read: Read, every: Span, value: f64, taken: Mono) -> Sample {
        if !value.is_finite() {
            if matches!(read, Read::Delta) {
                self.before = None;
            }
            return Sample::NotFinite;
        }
        if let Read::Gauge = read {
            return Sample::Known(value);
        }
        let Some((before, then)) = self.before.replace((value, taken)) else {
            return Sample::Baseline;
        };
        if value < before {
            return Sample::Reset;
        }
        let gone = taken.since(then);
        let sample = match read {
            Read::Delta if gone >= every.times(2) => return Sample::Baseline,
            Read::Rate if gone.is_zero() => return Sample::Baseline,
            Read::Rate => (value - before) / gone.as_secs_f64(),
            Read::Gauge | Read::Delta => value - before,
        };
        if sample.is_finite() { Sample::Known(sample) } else { Sample::NotFinite }
    }

    /// A poll gave nothing: a delta has no predecessor any more.
    pub fn missed(&mut self, read: Read) {
        if let Read::Delta = read {
            self.before = None;
        }
    }

    /// Forgets the reading before.
    pub fn clear(&mut self) {
        self.before = None;
    }

    /// Whether there is a reading to compare with.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.before.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Span = Span::from_secs(60);

    #[test]
    fn a_gauge_needs_no_predecessor_and_knows_no_reset() {
        let mut baseline = Baseline::default();
        assert_eq!(baseline.sample(Read::Gauge, MINUTE, 5.0, Mono(0)), Sample::Known(5.0));
        assert_eq!(baseline.sample(Read::Gauge, MINUTE, 4.0, Mono(0)), Sample::Known(4.0));
    }

    #[test]
    fn a_rate_is_per_second_over_the_time_that_really_passed() {
        let mut baseline = Baseline::default();
        baseline.sample(Read::Rate, MINUTE, 100.0, Mono(0));
        assert_eq!(baseline.sample(Read::Rate, MINUTE, 400.0, Mono(150_000)), Sample::Known(2.0));
    }

    #[test]
    fn a_delta_over_a_missed_poll_would_be_too_large_so_it_is_a_baseline() {
        let mut baseline = Baseline::default();
        baseline.sample(Read::Delta, MINUTE, 100.0, Mono(0));
        assert_eq!(baseline.sample(Read::Delta, MINUTE, 160.0, Mono(120_000)), Sample::Baseline);
        baseline.missed(Read::Delta);
        assert_eq!(baseline.sample(Read::Delta, MINUTE, 190.0, Mono(180_000)), Sample::Baseline);
        assert_eq!(baseline.sample(Read::Delta, MINUTE, 220.0, Mono(240_000)), Sample::Known(30.0));
    }

    proptest! {
        #[test]
        fn a_known_sample_is_finite_and_a_counters_sample_is_never_negative(
            values in prop::collection::vec((any::<f64>(), 0_i64..200_000), 0..40),
            read in prop_oneof![Just(Read::Gauge), Just(Read::Delta), Just(Read::Rate)],
        ) {
            let mut baseline = Baseline::default();
            let mut at = 0;
            for (value, step) in values {
                at += step;
                if let Sample::Known(sample) = baseline.sample(read, MINUTE, value, Mono(at)) {
                    prop_assert!(sample.is_finite());
                    prop_assert!(sample >= 0.0 || read == Read::Gauge);
                }
            }
        }
    }
}
