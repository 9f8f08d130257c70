//! Numbers as the page's data has them: short, and the same on every machine.

use serde::ser::{Serialize, Serializer};
use vmpolicy_core::time::Span;

/// Beyond this, not every whole number is a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A moment, as the milliseconds since the page's time range began; a JSON number of seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offset(pub i64);

impl Offset {
    /// In seconds.
    #[must_use]
    pub fn secs(self) -> f64 {
        self.0 as f64 / 1_000.0
    }
}

impl From<Span> for Offset {
    fn from(span: Span) -> Self {
        Self(i64::try_from(span.millis()).unwrap_or(i64::MAX))
    }
}

impl Serialize for Offset {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 % 1_000 {
            0 => to.serialize_i64(self.0 / 1_000),
            _ => to.serialize_f64(self.secs()),
        }
    }
}

/// A number that is drawn: seven significant digits unless it is whole, and `null` where it is none.
#[derive(Clone, Copy, Debug)]
pub struct Drawn(pub f64);

/// Nothing (not a number) equals nothing.
impl PartialEq for Drawn {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || (self.0.is_nan() && other.0.is_nan())
    }
}

impl Drawn {
    /// The number as it is written, where there is one.
    ///
    /// ```
    /// use vmpolicy_daemon::report::Drawn;
    /// assert_eq!(Drawn(1.0 / 3.0).shown(), Some(0.3333333));
    /// assert_eq!(Drawn(1234567890.0).shown(), Some(1234567890.0));
    /// assert_eq!(Drawn(f64::NAN).shown(), None);
    /// ```
    #[must_use]
    pub fn shown(self) -> Option<f64> {
        let value = self.0;
        if !value.is_finite() {
            return None;
        }
        if value.fract() == 0.0 && value.abs() <= EXACT {
            return Some(value);
        }
        format!("{value:.6e}").parse().ok()
    }
}

impl Serialize for Drawn {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.shown() {
            None => to.serialize_none(),
            Some(value) => exact(value, to),
        }
    }
}

/// A number of a table: all its digits, without `.0` where it is whole.
fn exact<S: Serializer>(value: f64, to: S) -> Result<S::Ok, S::Error> {
    if value.fract() == 0.0 && value.abs() <= EXACT {
        to.serialize_i64(value as i64)
    } else {
        to.serialize_f64(value)
    }
}

/// A number of a table as JSON.
pub(super) fn figure<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    exact(*value, to)
}

/// Several of them, `null` where there is none.
pub(super) fn figures<S: Serializer>(values: &[Option<f64>], to: S) -> Result<S::Ok, S::Error> {
    struct One(Option<f64>);
    impl Serialize for One {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                Some(value) if value.is_finite() => exact(value, to),
                _ => to.serialize_none(),
            }
        }
    }
    to.collect_seq(values.iter().map(|value| One(*value)))
}
