//! Draws of the kinds that worlds are made of.

use crate::sim::chance::Chance;
use crate::time::Span;

/// A stream of chance, by what it is used for.
pub(super) struct Dice(pub(super) Chance);

impl Dice {
    /// One of these; the list is not empty.
    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A number below this.
    pub(super) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.0.below(most as u64)).unwrap_or(0)
    }

    /// Whether something comes about, once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times.max(1)) == 0
    }

    /// A whole number of seconds from `least` to `most`.
    pub(super) fn secs(&mut self, least: Span, most: Span) -> Span {
        let drawn = self.0.span(least, most).millis() / 1_000;
        Span::from_secs(drawn.max(least.millis().div_ceil(1_000)))
    }

    /// A span that a person would write: short, middling or long.
    pub(super) fn some_time(&mut self) -> Span {
        let span = [(1, 60), (60, 900), (60, 900), (900, 10_800)][self.below(4)];
        self.secs(Span::from_secs(span.0), Span::from_secs(span.1))
    }

    /// A number from `low` to `high`, with three digits after the point at most.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        rounded(low + (high - low) * self.0.uniform())
    }
}

/// To three digits after the point; what is smaller than that stays as it is.
pub(super) fn rounded(number: f64) -> f64 {
    let rounded = libm::round(number * 1_000.0) / 1_000.0;
    if rounded == 0.0 { number } else { rounded }
}
