//! When a host is overloaded: Beloglazov and Buyya 2012, section 4.1.
//!
//! All three compare what a host's guests want with a limit. THR's is fixed. IQR's and MAD's sink with the spread
//! of the host's past: 1 - s · IQR and 1 - s · MAD, so that one whose load varies keeps more in reserve.

use super::history::{LENGTH, Past};

/// So many samples of a host's past make a spread worth having: "12 has been suggested as a safe value" (CloudSim).
pub const SAMPLES_MIN: usize = 12;

/// The limit where there are fewer: CloudSim's `RunnerAbstract`.
const FALLBACK: f64 = 0.7;

/// How the limit is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Detect {
    /// A fixed share of the capacity.
    Threshold(f64),
    /// 1 less so many times the interquartile range of the host's past.
    InterquartileRange(f64),
    /// 1 less so many times the median absolute deviation of the host's past.
    MedianAbsoluteDeviation(f64),
}

impl Detect {
    /// Whether the limit depends on the past.
    #[must_use]
    #[inline]
    pub const fn looks_back(self) -> bool {
        !matches!(self, Self::Threshold(_))
    }

    /// The share of its capacity above which a host with this past is overloaded.
    ///
    /// The past is newest first. Zeros at its old end are taken for a time before the host had guests.
    #[must_use]
    pub fn limit(self, past: &Past) -> f64 {
        let (safety, spread): (f64, fn(&mut [f64]) -> f64) = match self {
            Self::Threshold(limit) => return limit,
            Self::InterquartileRange(safety) => (safety, interquartile_range),
            Self::MedianAbsoluteDeviation(safety) => (safety, median_absolute_deviation),
        };
        let known = past.iter().rposition(|share| *share != 0.0).map_or(0, |last| last + 1);
        if known < SAMPLES_MIN {
            return FALLBACK;
        }
        let mut samples: Past = *past;
        1.0 - safety * spread(&mut samples[..known])
    }
}

/// Sorts numbers that are none of them NaN.
///
/// Batcher's bitonic network (AFIPS 1968): the same comparisons whatever the numbers are, so that no branch is predicted
/// wrong. A decision sorts the past of every host in use, for every guest that might go there.
fn sort(samples: &mut [f64]) {
    const WIRES: usize = LENGTH.next_power_of_two();
    let mut wires = [f64::INFINITY; WIRES];
    wires[..samples.len()].copy_from_slice(samples);
    let mut block = 2;
    while block <= WIRES {
        let mut apart = block / 2;
        while apart > 0 {
            for group in (0..WIRES).step_by(2 * apart) {
                let (low, high) = wires[group..group + 2 * apart].split_at_mut(apart);
                let rising = group & block == 0;
                for (a, b) in low.iter_mut().zip(high) {
                    let (less, more) = (if *b < *a { *b } else { *a }, if *b < *a { *a } else { *b });
                    (*a, *b) = if rising { (less, more) } else { (more, less) };
                }
            }
            apart /= 2;
        }
        block *= 2;
    }
    samples.copy_from_slice(&wires[..samples.len()]);
}

/// The middle of sorted samples, or halfway between the two in the middle. 0 of none.
fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match sorted {
        [] => 0.0,
        _ if sorted.len() % 2 == 1 => sorted[half],
        _ => sorted[half - 1] + 0.5 * (sorted[half] - sorted[half - 1]),
    }
}

/// The distance between the quartiles of at most [`LENGTH`] samples, which are sorted on the way.
///
/// Of several definitions of a quartile it is CloudSim's: of n sorted samples, counted from 1, the one at place
/// (n + 1) · p rounded to the nearest, a half upwards. Type 6 of Hyndman and Fan (The American Statistician 50(4), 1996)
/// has the same place and interpolates.
#[must_use]
pub fn interquartile_range(samples: &mut [f64]) -> f64 {
    sort(samples);
    // (n + 1) / 4 and 3 (n + 1) / 4, rounded in whole numbers: floor(x + 1/2).
    let place = |quarters: usize| (quarters * (samples.len() + 1) + 2) / 4;
    let at = |place: usize| samples.get(place.saturating_sub(1)).or(samples.last()).copied().unwrap_or(0.0);
    at(place(3)) - at(place(1))
}

/// The median distance of at most [`LENGTH`] samples from their median. They are sorted on the way.
#[must_use]
pub fn median_absolute_deviation(samples: &mut [f64]) -> f64 {
    sort(samples);
    let median = middle(samples);
    // From the middle outwards the distances rise on either side: the nearest half of them is met in order.
    let (mut below, mut above) = samples.split_at(samples.len() / 2);
    let (mut before, mut last) = (0.0, 0.0);
    for _ in 0..samples.len() / 2 + 1 {
        let left = below.last().map_or(f64::INFINITY, |sample| median - sample);
        let right = above.first().map_or(f64::INFINITY, |sample| sample - median);
        if left.min(right) == f64::INFINITY {
            break;
        }
        before = last;
        if left < right {
            (last, below) = (left, &below[..below.len() - 1]);
        } else {
            (last, above) = (right, &above[1..]);
        }
    }
    if samples.len() % 2 == 1 { last } else { before + 0.5 * (last - before) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn past(samples: &[f64]) -> Past {
        let mut past = [0.0; LENGTH];
        past[..samples.len()].copy_from_slice(samples);
        past
    }

    #[test]
    fn quartiles_by_hand() {
        // 30 samples: places round(7.75) = 8 and round(23.25) = 23.
        let mut thirty: Vec<f64> = (1..=30).rev().map(f64::from).collect();
        assert_eq!(interquartile_range(&mut thirty), 23.0 - 8.0);
        // 12: round(3.25) = 3 and round(9.75) = 10. 13: round(3.5) = 4 and round(10.5) = 11.
        let mut twelve: Vec<f64> = (1..=12).map(f64::from).collect();
        assert_eq!(interquartile_range(&mut twelve), 10.0 - 3.0);
        let mut thirteen: Vec<f64> = (1..=13).map(f64::from).collect();
        assert_eq!(interquartile_range(&mut thirteen), 11.0 - 4.0);
    }

    #[test]
    fn deviations_by_hand() {
        // Rousseeuw and Croux (1993): one outlier moves it little.
        assert_eq!(median_absolute_deviation(&mut [1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]), 1.0);
        // Median 2.5; distances 0.5, 0.5, 1.5, 1.5.
        assert_eq!(median_absolute_deviation(&mut [4.0, 1.0, 2.0, 3.0]), 1.0);
        assert_eq!(median_absolute_deviation(&mut [3.0]), 0.0);
        assert_eq!(median_absolute_deviation(&mut []), 0.0);
    }

    #[test]
    fn a_short_past_falls_back() {
        let eleven = past(&[0.5; 11]);
        let twelve = past(&[0.5; 12]);
        for detect in [Detect::InterquartileRange(1.5), Detect::MedianAbsoluteDeviation(2.5)] {
            assert_eq!(detect.limit(&[0.0; LENGTH]), 0.7);
            assert_eq!(detect.limit(&eleven), 0.7);
            assert_eq!(detect.limit(&twelve), 1.0, "a steady load needs no reserve");
        }
        assert_eq!(Detect::Threshold(0.8).limit(&eleven), 0.8);
    }

    #[test]
    fn zeros_at_the_old_end_are_before_its_time_those_between_are_not() {
        let mut samples = [0.6; 14];
        samples[3] = 0.0;
        let detect = Detect::InterquartileRange(1.0);
        assert_eq!(detect.limit(&past(&samples)), 1.0, "14 samples, one of them 0");
        samples[5..].fill(0.0);
        assert_eq!(detect.limit(&past(&samples)), 0.7, "5 samples");
    }

    proptest! {
        #[test]
        fn sorts(samples in prop::collection::vec(-1.0..1.0_f64, 0..=30)) {
            let (mut ours, mut std) = (samples.clone(), samples);
            sort(&mut ours);
            std.sort_by(f64::total_cmp);
            prop_assert_eq!(ours, std);
        }

        #[test]
        fn deviations_as_one_would_write_them(samples in prop::collection::vec(0.0..1.0_f64, 1..=30)) {
            let mut sorted = samples.clone();
            sort(&mut sorted);
            let median = middle(&sorted);
            let mut distances: Vec<f64> = samples.iter().map(|sample| (median - sample).abs()).collect();
            sort(&mut distances);
            prop_assert_eq!(median_absolute_deviation(&mut samples.clone()), middle(&distances));
        }

        #[test]
        fn the_order_of_the_past_does_not_matter(
            samples in prop::collection::vec(0.01..1.0_f64, 12..=30), turn in 0..30_usize, safety in 0.0..3.0_f64,
        ) {
            let mut turned = samples.clone();
            turned.rotate_left(turn % samples.len());
            for detect in [Detect::InterquartileRange(safety), Detect::MedianAbsoluteDeviation(safety)] {
                prop_assert_eq!(detect.limit(&past(&samples)), detect.limit(&past(&turned)));
                prop_assert!(detect.limit(&past(&samples)) <= 1.0);
            }
        }

        #[test]
        fn spreads_scale_and_do_not_shift(samples in prop::collection::vec(0.0..1.0_f64, 2..=30)) {
            for spread in [interquartile_range, median_absolute_deviation] {
                let plain = spread(&mut samples.clone());
                let doubled = spread(&mut samples.iter().map(|sample| 2.0 * sample).collect::<Vec<_>>());
                let shifted = spread(&mut samples.iter().map(|sample| sample + 4.0).collect::<Vec<_>>());
                prop_assert!((doubled - 2.0 * plain).abs() < 1e-12);
                prop_assert!((shifted - plain).abs() < 1e-12);
            }
        }
    }
}
