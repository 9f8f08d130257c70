//! Civil time: what a clock on the wall shows, without saying where the wall is.

use core::fmt;

use chrono::{Datelike as _, NaiveDate};

use super::Weekday;

pub(super) const SECOND_MS: i64 = 1_000;
pub(super) const MINUTE_MS: i64 = 60 * SECOND_MS;
pub(super) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;

/// The Gregorian calendar repeats after 400 years, weekdays included.
const CALENDAR_DAYS: i64 = 146_097;

/// A civil date and time: milliseconds since a clock in the place at hand read 1970-01-01T00:00.
///
/// It is not an instant: on the nights of a clock change one reading may come twice or not at all.
/// A [`Zone`](super::Zone) tells which instants go with it.
///
/// ```
/// use vmpolicy_core::leaf::window::{Civil, Weekday};
/// let noon = Civil::new(2009, 5, 6, 12, 0, 0).expect("a date that exists");
/// assert_eq!(noon.weekday(), Weekday::Wed);
/// assert_eq!(noon.to_string(), "2009-05-06T12:00:00");
/// assert_eq!(Civil::new(2009, 2, 29, 12, 0, 0), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Civil(pub i64);

impl Civil {
    /// This date and time, where the calendar and the clock have them.
    #[must_use]
    pub fn new(year: i32, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Option<Self> {
        let at = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, second)?;
        Some(Self(at.and_utc().timestamp_millis()))
    }

    /// The day of the week.
    ///
    /// ```
    /// use vmpolicy_core::leaf::window::{Civil, Weekday};
    /// assert_eq!(Civil(0).weekday(), Weekday::Thu);
    /// assert_eq!(Civil(-1).weekday(), Weekday::Wed);
    /// ```
    #[must_use]
    pub fn weekday(self) -> Weekday {
        weekday_of(self.day())
    }

    /// Whole days since 1970-01-01.
    pub(super) const fn day(self) -> i64 {
        self.0.div_euclid(DAY_MS)
    }
}

impl fmt::Display for Civil {
    /// ISO 8601 without an offset, with milliseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match chrono::DateTime::from_timestamp_millis(self.0) {
            Some(at) => crate::time::write_civil(f, at.naive_utc()),
            None => write!(f, "civil {}ms", self.0),
        }
    }
}

/// The weekday of the day that lies so many days after 1970-01-01, a Thursday.
pub(super) fn weekday_of(day: i64) -> Weekday {
    Weekday::ALL[usize::try_from((day.rem_euclid(7) + 3) % 7).expect("a remainder of seven is not negative")]
}

/// Month (from 1) and day of the month (from 1) of the day that lies so many days after 1970-01-01.
///
/// It uses the calendar's period, so that no day is out of reach of `chrono`'s years.
pub(super) fn month_and_day_of(day: i64) -> (u32, u32) {
    let date = i32::try_from(day.rem_euclid(CALENDAR_DAYS))
        .ok()
        .and_then(NaiveDate::from_epoch_days)
        .expect("1970 to 2369 lie within chrono's years");
    (date.month(), date.day())
}

/// How many days a month (from 1) can have: 29 for February.
pub(super) const fn days_in_month_max(month: u32) -> u32 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A stretch of civil time in which a window is open: from `from` until just before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spell {
    pub(super) from: Civil,
    pub(super) to: Civil,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_far_outside_chrono_follow_the_calendar_s_period() {
        let day = Civil::new(2024, 2, 29, 0, 0, 0).expect("a leap day").day();
        for cycles in [-1_000_000, -1, 0, 1, 1_000_000] {
            let far = day + cycles * CALENDAR_DAYS;
            assert_eq!(month_and_day_of(far), (2, 29));
            assert_eq!(weekday_of(far), Weekday::Thu);
        }
    }

    #[test]
    fn display_never_panics_at_the_extremes() {
        assert_eq!(Civil(i64::MAX).to_string(), format!("civil {}ms", i64::MAX));
        assert_eq!(Civil(1).to_string(), "1970-01-01T00:00:00.001");
    }
}
