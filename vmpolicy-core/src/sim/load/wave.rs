//! Loads that follow the calendar: a sinusoid over a day or a week, and a number for each weekday.

use core::f64::consts::TAU;

use super::When;
use super::clock::{Clock, DAY_MS, WEEK_MS};
use super::spec::{Period, Wave, Weekdays};

#[derive(Clone, Debug)]
pub(super) struct WaveState {
    clock: Clock,
    low: f64,
    high: f64,
    peak_ms: i64,
    period: Period,
}

impl WaveState {
    pub(super) fn new(wave: &Wave) -> Self {
        Self {
            clock: Clock::new(&wave.zone),
            low: wave.low,
            high: wave.high,
            peak_ms: i64::try_from(wave.peak.millis()).expect("checked: less than a period"),
            period: wave.period,
        }
    }

    /// low + (high − low) · (1 + cos 2πx) / 2, where x is the time since the peak in periods.
    #[inline]
    pub(super) fn at(&mut self, when: When) -> f64 {
        let since_peak_ms = self.clock.since_a_monday_ms(when.wall).saturating_sub(self.peak_ms);
        // Two constants, so that no division is left.
        let cosine = match self.period {
            Period::Day => cosine::<DAY_MS>(since_peak_ms),
            Period::Week => cosine::<WEEK_MS>(since_peak_ms),
        };
        let share = 0.5 + 0.5 * cosine;
        self.low + (self.high - self.low) * share
    }
}

/// cos(2π · `ms` / `PERIOD_MS`), folded in whole milliseconds to an eighth of a turn, where it takes no reduction.
#[inline]
fn cosine<const PERIOD_MS: i64>(ms: i64) -> f64 {
    let angle = |ms: i64| ms as f64 * (TAU / PERIOD_MS as f64);
    let ms = ms.rem_euclid(PERIOD_MS);
    let half = ms.min(PERIOD_MS - ms);
    let (quarter, sign) = if 4 * half <= PERIOD_MS { (half, 1.0) } else { (PERIOD_MS / 2 - half, -1.0) };
    let magnitude = match 8 * quarter <= PERIOD_MS {
        true => libm::cos(angle(quarter)),
        false => libm::sin(angle(PERIOD_MS / 4 - quarter)),
    };
    sign * magnitude
}

#[derive(Clone, Debug)]
pub(super) struct WeekdaysState {
    clock: Clock,
    factors: [f64; 7],
}

impl WeekdaysState {
    pub(super) fn new(weekdays: &Weekdays) -> Self {
        Self { clock: Clock::new(&weekdays.zone), factors: weekdays.factors }
    }

    #[inline]
    pub(super) fn at(&mut self, when: When) -> f64 {
        let day = self.clock.since_a_monday_ms(when.wall).rem_euclid(WEEK_MS) / DAY_MS;
        self.factors[usize::try_from(day).expect("a remainder is not negative")]
    }
}
