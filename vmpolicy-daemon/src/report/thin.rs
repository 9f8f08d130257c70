//! Less to draw, and nothing of note lost: samples by bucket with the least and the greatest kept, spans that never
//! shrink, stays put together.

use super::model::{Points, Stay, StayState};
use super::number::{Drawn, Offset};

/// Samples as they come: each of them as long as they fit, then the least and the greatest of each bucket. What
/// comes out depends on the samples only, not on when they were given.
#[derive(Clone, Debug)]
pub(super) struct Thin {
    lasts_ms: i64,
    cells_max: usize,
    each: Vec<(i64, f64)>,
    buckets: Vec<Bucket>,
    bucket_ms: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    seen: bool,
    /// Least and greatest; none where nothing was known.
    ends: Option<(f64, f64)>,
}

impl Thin {
    /// Of a range so long, in at most so many numbers.
    pub(super) const fn new(lasts: Offset, cells_max: usize) -> Self {
        Self { lasts_ms: lasts.0, cells_max, each: Vec::new(), buckets: Vec::new(), bucket_ms: 0 }
    }

    /// A sample, or that nothing is known from here on (NaN). Times do not fall.
    pub(super) fn add(&mut self, at: Offset, value: f64) {
        if self.buckets.is_empty() {
            self.each.push((at.0, value));
            if self.each.len() > self.cells_max {
                self.fold();
            }
        } else {
            self.put(at.0, value);
        }
    }

    fn fold(&mut self) {
        // A bucket has two numbers and its time; it takes the room of three, as two samples with theirs take four.
        let count = (self.cells_max / 3).max(1);
        self.bucket_ms = bucket_ms(self.lasts_ms, count);
        self.buckets = vec![Bucket::default(); count];
        for (at, value) in std::mem::take(&mut self.each) {
            self.put(at, value);
        }
    }

    fn put(&mut self, at: i64, value: f64) {
        let last = self.buckets.len() - 1;
        let index = usize::try_from(at / self.bucket_ms).unwrap_or(0).min(last);
        let bucket = &mut self.buckets[index];
        bucket.seen = true;
        if value.is_finite() {
            let (low, high) = bucket.ends.unwrap_or((value, value));
            bucket.ends = Some((low.min(value), high.max(value)));
        }
    }

    pub(super) fn finish(self) -> Points {
        if self.buckets.is_empty() {
            let (at, low) = self.each.into_iter().map(|(at, value)| (Offset(at), Drawn(value))).unzip();
            return Points { bucket_s: None, at, low, high: Vec::new() };
        }
        let mut points = Points { bucket_s: Some(Offset(self.bucket_ms)), ..Points::default() };
        let mut line_ends = false;
        for (index, bucket) in self.buckets.iter().enumerate() {
            // A bucket that saw nothing holds what came before it, as between two polls.
            if !bucket.seen {
                continue;
            }
            let (low, high) = bucket.ends.unwrap_or((f64::NAN, f64::NAN));
            if bucket.ends.is_none() && line_ends {
                continue;
            }
            line_ends = bucket.ends.is_none();
            points.at.push(Offset(index as i64 * self.bucket_ms));
            points.low.push(Drawn(low));
            points.high.push(Drawn(high));
        }
        points
    }
}

/// How long a bucket is so that so many cover the range; at least a millisecond.
pub(super) fn bucket_ms(lasts_ms: i64, count: usize) -> i64 {
    let count = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
    (lasts_ms / count + 1).max(1)
}

/// How many each of several may have so that all together have no more than this: those that have few leave their
/// part to the others. At least one.
pub(super) fn part(counts: impl Iterator<Item = usize>, all: usize) -> usize {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_unstable();
    let (mut left, mut others) = (all, counts.len());
    for count in counts {
        let part = left / others;
        if count > part {
            return part.max(1);
        }
        left -= count;
        others -= 1;
    }
    all.max(1)
}

/// At most so many spans: those closer together than a gap become one. Returns the gap too, 0 where all are as
/// they were. No moment of any span is lost.
pub(super) fn spans(all: &[(Offset, Offset)], most: usize) -> (Vec<(Offset, Offset)>, Offset) {
    let mut gap = 0;
    loop {
        let mut merged: Vec<(Offset, Offset)> = Vec::new();
        for &(from, to) in all {
            match merged.last_mut() {
                Some(last) if gap > 0 && from.0 - last.1.0 < gap => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        if merged.len() <= most.max(1) {
            return (merged, Offset(gap));
        }
        gap = (gap * 2).max(1_000);
    }
}

/// At most so many stays: neighbours that are shorter than a length become one, [`StayState::Several`]. Returns
/// the length too, 0 where all are as they were.
pub(super) fn stays(all: &[Stay], most: usize) -> (Vec<Stay>, Offset) {
    let mut shortest = 0;
    loop {
        let mut merged: Vec<Stay> = Vec::new();
        let mut open = false;
        for &stay in all {
            let short = stay.to.0 - stay.from.0 < shortest;
            match merged.last_mut() {
                Some(last) if short && open => {
                    (last.host, last.state, last.to) = (None, StayState::Several, stay.to);
                }
                _ => merged.push(stay),
            }
            open = short;
        }
        if merged.len() <= most.max(1) {
            return (merged, Offset(shortest));
        }
        shortest = (shortest * 2).max(1_000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn thinned(samples: &[(i64, f64)], lasts: i64, most: usize) -> Points {
        let mut thin = Thin::new(Offset(lasts), most);
        for &(at, value) in samples {
            thin.add(Offset(at), value);
        }
        thin.finish()
    }

    fn any_samples() -> impl Strategy<Value = Vec<(i64, f64)>> {
        let value = prop_oneof![9 => -1e6..1e6, 1 => Just(f64::NAN)];
        prop::collection::vec((1_i64..100_000, value), 1..400).prop_map(|steps| {
            let mut at = 0;
            let gone = |(gap, value)| {
                at += gap;
                (at, value)
            };
            steps.into_iter().map(gone).collect()
        })
    }

    proptest! {
        #[test]
        fn no_extreme_is_lost_and_the_number_is_bounded(samples in any_samples(), most in 2_usize..100) {
            let lasts = samples.last().unwrap().0;
            let points = thinned(&samples, lasts, most);
            prop_assert!(points.low.len() + points.high.len() <= most.max(samples.len().min(most)) + 1);
            let high = if points.high.is_empty() { &points.low } else { &points.high };
            let known = |all: &[Drawn]| all.iter().map(|one| one.0).filter(|one| one.is_finite()).collect::<Vec<_>>();
            let (low, high) = (known(&points.low), known(high));
            let numbers: Vec<_> = samples.iter().map(|one| one.1).filter(|one| one.is_finite()).collect();
            let least = |of: &[f64]| of.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = |of: &[f64]| of.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert_eq!(least(&low), least(&numbers));
            prop_assert_eq!(greatest(&high), greatest(&numbers));
            // Each number is within its bucket's ends.
            if let Some(bucket) = points.bucket_s {
                for &(at, value) in samples.iter().filter(|one| one.1.is_finite()) {
                    let index = points.at.partition_point(|one| one.0 <= at) - 1;
                    prop_assert!(at - points.at[index].0 < bucket.0 || index + 1 == points.at.len());
                    prop_assert!(points.low[index].0 <= value && value <= points.high[index].0);
                }
            }
        }

        #[test]
        fn no_breach_vanishes(gaps in prop::collection::vec((1_i64..5_000, 1_i64..5_000), 1..200), most in 1_usize..50) {
            let mut at = 0;
            let all: Vec<_> = gaps.into_iter().map(|(gap, lasts)| {
                let from = at + gap;
                at = from + lasts;
                (Offset(from), Offset(at))
            }).collect();
            let (merged, gap) = spans(&all, most);
            prop_assert!(merged.len() <= most);
            prop_assert_eq!(gap.0 == 0, merged.len() == all.len() && merged == all);
            for &(from, to) in &all {
                prop_assert!(merged.iter().any(|span| span.0 <= from && to <= span.1));
            }
        }

        #[test]
        fn stays_follow_each_other_without_a_gap(lengths in prop::collection::vec(1_i64..10_000, 1..300), most in 1_usize..50) {
            let mut at = 0;
            let all: Vec<_> = lengths.iter().enumerate().map(|(index, lasts)| {
                let from = Offset(at);
                at += lasts;
                Stay { from, to: Offset(at), host: Some(index % 5), state: StayState::Runs }
            }).collect();
            let (merged, _) = stays(&all, most);
            prop_assert!(merged.len() <= most);
            prop_assert_eq!((merged[0].from, merged[merged.len() - 1].to), (Offset(0), Offset(at)));
            for pair in merged.windows(2) {
                prop_assert_eq!(pair[0].to, pair[1].from);
            }
        }
    }

    #[test]
    fn few_leave_their_part_to_the_others() {
        assert_eq!(part([1, 500, 2, 700].into_iter(), 1_000), 498);
        assert_eq!(part([10, 20, 30].into_iter(), 1_000), 1_000);
        assert_eq!(part([10; 5_000].into_iter(), 1_000), 1);
        assert_eq!(part([].into_iter(), 7), 7);
    }

    #[test]
    fn a_line_that_ends_stays_ended_when_thinned() {
        let mut samples: Vec<_> = (0..100).map(|at| (at * 1_000, 1.0)).collect();
        samples.extend((100..200).map(|at| (at * 1_000, f64::NAN)));
        let points = thinned(&samples, 200_000, 40);
        assert_eq!(points.low.last(), Some(&Drawn(f64::NAN)));
        assert_eq!(points.low.iter().filter(|one| one.0.is_nan()).count(), 1);
    }
}
