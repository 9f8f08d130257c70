//! Time as data: milliseconds that somebody else has read.
//!
//! The core never reads a clock. Spans are measured on the monotonic clock ([`Mono`]), windows are
//! looked up on the wall clock ([`Wall`]), and every input of the engine comes with both ([`Now`]).
//! All arithmetic saturates: a time can be absurd (it comes from outside), it cannot overflow.

use chrono::{Datelike as _, Timelike as _};
use core::fmt;

/// A length of time in whole milliseconds; never negative.
///
/// ```
/// use vmpolicy_core::time::Span;
/// assert_eq!(Span::from_secs(90).to_string(), "1m30s");
/// assert_eq!(Span::from_millis(1_250).to_string(), "1.25s");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many milliseconds.
    #[must_use]
    #[inline]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// So many seconds (saturating).
    #[must_use]
    #[inline]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// So many minutes (saturating).
    #[must_use]
    #[inline]
    pub const fn from_mins(mins: u64) -> Self {
        Self(mins.saturating_mul(60_000))
    }

    /// So many hours (saturating).
    #[must_use]
    #[inline]
    pub const fn from_hours(hours: u64) -> Self {
        Self(hours.saturating_mul(3_600_000))
    }

    /// The length in milliseconds.
    #[must_use]
    #[inline]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// The length in seconds, as a number with a fraction.
    #[must_use]
    #[inline]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// Whether this is no time at all.
    #[must_use]
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self` times `factor`, saturating.
    #[must_use]
    #[inline]
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0 / 86_400_000, self.0 % 86_400_000);
        let (hours, rest) = (rest / 3_600_000, rest % 3_600_000);
        let (mins, rest) = (rest / 60_000, rest % 60_000);
        let (secs, millis) = (rest / 1_000, rest % 1_000);
        if days > 0 {
            write!(f, "{days}d")?;
        }
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if mins > 0 {
            write!(f, "{mins}m")?;
        }
        match (secs, millis) {
            (0, 0) if self.0 == 0 => write!(f, "0s"),
            (0, 0) => Ok(()),
            (_, 0) => write!(f, "{secs}s"),
            (0, _) => write!(f, "{millis}ms"),
            _ => {
                let fraction = format!("{millis:03}");
                write!(f, "{secs}.{}s", fraction.trim_end_matches('0'))
            }
        }
    }
}

/// A reading of a monotonic clock: milliseconds since an origin that only the caller knows
/// (boot, as a rule). It does not step; after a reboot it begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Mono(pub i64);

impl Mono {
    /// This moment and `span` more.
    #[must_use]
    #[inline]
    pub const fn plus(self, span: Span) -> Self {
        Self(sum(self.0, clamp(span.0)))
    }

    /// This moment and so many milliseconds more or, where negative, fewer.
    #[must_use]
    #[inline]
    pub const fn shifted(self, millis: i64) -> Self {
        Self(sum(self.0, millis))
    }

    /// How long ago `earlier` was; zero where it was not earlier.
    #[must_use]
    #[inline]
    pub const fn since(self, earlier: Self) -> Span {
        let gone = difference(self.0, earlier.0);
        if gone > 0 { Span(gone.unsigned_abs()) } else { Span::ZERO }
    }
}

/// A reading of the wall clock: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// ```
/// use vmpolicy_core::time::Wall;
/// assert_eq!(Wall::from_secs(1_241_613_860).to_string(), "2009-05-06T12:44:20Z");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Wall(pub i64);

impl Wall {
    /// So many seconds after the epoch (saturating).
    #[must_use]
    #[inline]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// This moment and `span` more.
    #[must_use]
    #[inline]
    pub const fn plus(self, span: Span) -> Self {
        Self(sum(self.0, clamp(span.0)))
    }

    /// This moment and so many milliseconds more or, where negative, fewer.
    #[must_use]
    #[inline]
    pub const fn shifted(self, millis: i64) -> Self {
        Self(sum(self.0, millis))
    }

    /// How long ago `earlier` was; zero where it was not earlier.
    #[must_use]
    #[inline]
    pub const fn since(self, earlier: Self) -> Span {
        let gone = difference(self.0, earlier.0);
        if gone > 0 { Span(gone.unsigned_abs()) } else { Span::ZERO }
    }
}

impl fmt::Display for Wall {
    /// RFC 3339 in UTC, with milliseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match chrono::DateTime::from_timestamp_millis(self.0) {
            Some(at) => write_civil(f, at.naive_utc()).and_then(|()| f.write_str("Z")),
            None => write!(f, "@{}ms", self.0),
        }
    }
}

/// Date and time as ISO 8601 has them, with milliseconds only where there are any.
///
/// By hand: chrono's own formatter, which takes any pattern, is a hundredth of the daemon.
pub(crate) fn write_civil(f: &mut fmt::Formatter<'_>, at: chrono::NaiveDateTime) -> fmt::Result {
    match at.year() {
        year @ 0..=9_999 => write!(f, "{year:04}")?,
        year => write!(f, "{year:+05}")?,
    }
    write!(f, "-{:02}-{:02}T{:02}:{:02}:{:02}", at.month(), at.day(), at.hour(), at.minute(), at.second())?;
    match at.nanosecond() / 1_000_000 {
        0 => Ok(()),
        millis => write!(f, ".{millis:03}"),
    }
}

/// The two clocks, read together: what every input of the engine carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Now {
    /// The monotonic clock, for spans.
    pub mono: Mono,
    /// The wall clock, for windows and for the dates in records.
    pub wall: Wall,
}

impl Now {
    /// Both clocks, `span` later.
    #[must_use]
    #[inline]
    pub const fn plus(self, span: Span) -> Self {
        Self { mono: self.mono.plus(span), wall: self.wall.plus(span) }
    }
}

/// `left + right`, saturating. It never comes to that with the times of a real clock, so what it takes is out of
/// the way.
#[inline]
pub(crate) const fn sum(left: i64, right: i64) -> i64 {
    match left.checked_add(right) {
        Some(sum) => sum,
        None => farthest(left < 0),
    }
}

/// `left - right`, saturating.
#[inline]
pub(crate) const fn difference(left: i64, right: i64) -> i64 {
    match left.checked_sub(right) {
        Some(difference) => difference,
        None => farthest(left < 0),
    }
}

#[cold]
#[inline(never)]
const fn farthest(past: bool) -> i64 {
    if past { i64::MIN } else { i64::MAX }
}

const fn clamp(millis: u64) -> i64 {
    if millis > i64::MAX as u64 { i64::MAX } else { millis as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_wall_time_reads_as_chrono_writes_it(
            at in prop_oneof![
                (-8_400_000_000_000_000_i64..8_400_000_000_000_000).prop_map(|at| at / 1_000 * 1_000),
                -8_400_000_000_000_000_i64..8_400_000_000_000_000,
                0_i64..4_000_000_000_000,
                any::<i64>(),
            ],
        ) {
            let expected = chrono::DateTime::from_timestamp_millis(at).map(|date| {
                let pattern = if at.rem_euclid(1_000) == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.3fZ" };
                date.format(pattern).to_string()
            });
            prop_assert_eq!(Wall(at).to_string(), expected.unwrap_or_else(|| format!("@{at}ms")));
        }
    }
}
