//! A quantity over time, in few numbers.

use crate::report::{Drawn, Offset, Points};
use vmpolicy_core::time::{Mono, Span};

/// No page has more numbers of one line.
const BUCKETS_MAX: u64 = 480;

/// What a quantity came to in each stretch of time.
#[derive(Clone, Debug)]
pub(super) struct Gauge {
    bucket_ms: u64,
    sums: Vec<(f64, u32)>,
}

impl Gauge {
    /// Of a run so long, looked at so often.
    pub(super) fn new(lasts: Span, step: Span) -> Self {
        let step = step.millis().max(1);
        let steps = lasts.millis().div_ceil(step).max(1);
        let bucket_ms = steps.div_ceil(BUCKETS_MAX).saturating_mul(step);
        let count = lasts.millis().div_ceil(bucket_ms).max(1);
        Self { bucket_ms, sums: vec![(0.0, 0); usize::try_from(count).unwrap_or(1)] }
    }

    /// What it is from now on. What it is at the very end lasts no longer, and is left out.
    pub(super) fn is(&mut self, at: Mono, value: f64) {
        let bucket = usize::try_from(at.0.unsigned_abs() / self.bucket_ms).unwrap_or(usize::MAX);
        if let Some((sum, count)) = self.sums.get_mut(bucket) {
            *sum += value;
            *count += 1;
        }
    }

    /// The mean of each stretch.
    pub(super) fn points(&self) -> Points {
        let at = |index: usize| Offset::from(Span::from_millis(index as u64 * self.bucket_ms));
        let seen = self.sums.iter().enumerate().filter(|(_, (_, count))| *count > 0);
        let (at, low) = seen.map(|(index, (sum, count))| (at(index), Drawn(sum / f64::from(*count)))).unzip();
        Points { bucket_s: None, at, low, high: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_has_the_mean_and_a_long_run_has_few() {
        let mut gauge = Gauge::new(Span::from_secs(180), Span::from_secs(60));
        for (at, value) in [(0, 1.0), (60_000, 2.0), (120_000, 6.0), (180_000, 9.0)] {
            gauge.is(Mono(at), value);
        }
        let points = gauge.points();
        assert_eq!(points.low, [Drawn(1.0), Drawn(2.0), Drawn(6.0)]);
        let mut week = Gauge::new(Span::from_hours(168), Span::from_secs(60));
        for minute in 0..=168 * 60 {
            week.is(Mono(minute * 60_000), 0.5);
        }
        let points = week.points();
        assert!(points.low.len() <= 480 && points.low.iter().all(|one| *one == Drawn(0.5)), "{points:?}");
    }
}
