//! Spans that double: how long a target is barred, how long a guest stays put after a tour in vain.

use crate::time::Span;

/// No span grows beyond a day: by then the world is another one.
pub const LONGEST: Span = Span::from_hours(24);

/// `first`, doubled `times` times, and at most [`LONGEST`] (or `first`, where that is longer).
///
/// ```
/// use vmpolicy_core::{leaf::guard::backoff::doubled, time::Span};
/// let bars = [0, 1, 2, 30].map(|failures| doubled(Span::from_mins(5), failures).to_string());
/// assert_eq!(bars, ["5m", "10m", "20m", "1d"]);
/// ```
#[must_use]
pub fn doubled(first: Span, times: u32) -> Span {
    let factor = 1_u64.checked_shl(times).unwrap_or(u64::MAX);
    first.times(factor).min(LONGEST.max(first))
}
