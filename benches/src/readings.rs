//! What the indicators read: made up, the same on every machine and in every run.

use crate::policies::{HIGH, LOW, TARRY_HIGH, TARRY_LOW};

/// How many readings there are before they begin anew; a power of two.
pub const PERIOD: usize = 4_096;

/// A gauge of a guest that is neither overloaded nor idle for most of the time, and now and then is either for a
/// few samples, but not long enough for a rule of `base_aware` to act: what a guest does nearly all of its life.
#[must_use]
pub fn calm() -> Vec<f64> {
    gauge(32)
}

/// The same, but half of all samples go to and fro between idle and overloaded without a pattern that a branch
/// predictor could learn: as hard as an indicator can make it.
#[must_use]
pub fn erratic() -> Vec<f64> {
    gauge(1)
}

/// One sample in `4 * seldom` is high, as many are low.
fn gauge(seldom: u64) -> Vec<f64> {
    let mut random = Xorshift(0x9E37_79B9_7F4A_7C15);
    let (mut highs, mut lows) = (0, 0);
    (0..PERIOD)
        .map(|index| {
            let value = match random.next() % (4 * seldom) {
                0 if highs + 1 < TARRY_HIGH => HIGH + 1.0 + (random.next() % 30) as f64,
                1 if lows + 1 < TARRY_LOW => 0.25,
                _ => LOW + 1.0 + (random.next() % 40) as f64,
            };
            // The last one joins the first without a run across the seam.
            let value = if index + 1 == PERIOD { 10.0 } else { value };
            highs = if value > HIGH { highs + 1 } else { 0 };
            lows = if value < LOW { lows + 1 } else { 0 };
            value
        })
        .collect()
}

/// Marsaglia's xorshift64 (Journal of Statistical Software 8, 2003): a few lines, and the same stream everywhere.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
