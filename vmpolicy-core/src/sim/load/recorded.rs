//! Loads from a list: a recording, or steps that somebody wrote down.

use std::sync::Arc;

use super::When;
use super::spec::LoadError;
use crate::time::Span;

/// What comes after the end of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// The last value, for good.
    #[default]
    Hold,
    /// The same again from the beginning.
    Repeat,
    /// Nothing: 0.
    End,
}

/// Values with times, each of which holds until the next. Before the first one it is 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    times: Times,
    values: Box<[f64]>,
    lasts: Span,
    then: Then,
}

#[derive(Clone, Debug, PartialEq)]
enum Times {
    Every(Span),
    /// Strictly ascending, as many as there are values.
    At(Box<[Span]>),
}

impl Trace {
    /// A value every so often, the first one at the beginning.
    ///
    /// ```
    /// use vmpolicy_core::sim::load::{LoadError, Then, Trace};
    /// use vmpolicy_core::time::Span;
    /// assert!(Trace::every(Span::from_mins(5), vec![24.0, 31.0], Then::Repeat).is_ok());
    /// assert_eq!(Trace::every(Span::ZERO, vec![24.0], Then::Hold), Err(LoadError::NoTime { what: "every" }));
    /// ```
    ///
    /// # Errors
    /// Where there is no value or no time between them, or a value is not a load.
    pub fn every(every: Span, values: Vec<f64>, then: Then) -> Result<Self, LoadError> {
        if every.is_zero() {
            return Err(LoadError::NoTime { what: "every" });
        }
        let lasts = every.times(values.len() as u64);
        Self::new(Times::Every(every), values, lasts, then)
    }

    /// Values at times since the beginning. With [`Then::Repeat`] the last one holds until `lasts`, which otherwise may be left
    /// at zero.
    ///
    /// ```
    /// use vmpolicy_core::sim::load::{Then, Trace};
    /// use vmpolicy_core::time::Span;
    /// let rows = [(Span::ZERO, 20.0), (Span::from_hours(16), 50.0)];
    /// assert!(Trace::rows(&rows, Span::from_hours(24), Then::Repeat).is_ok());
    /// ```
    ///
    /// # Errors
    /// Where there is no row, a time is not later than the one before it, a value is not a load, or it is to be repeated or to
    /// end before its last row.
    pub fn rows(rows: &[(Span, f64)], lasts: Span, then: Then) -> Result<Self, LoadError> {
        if let Some(at) = rows.windows(2).position(|pair| pair[0].0 >= pair[1].0) {
            return Err(LoadError::NotLater { row: at + 2 });
        }
        let last = rows.last().map_or(Span::ZERO, |row| row.0);
        if then == Then::Repeat && lasts <= last {
            return Err(LoadError::RepeatsTooEarly { lasts, last });
        }
        let (times, values) = rows.iter().copied().unzip::<_, _, Vec<_>, Vec<_>>();
        // Without a length of its own, a trace that ends does so with its last row: a row of 0, as a rule.
        Self::new(Times::At(times.into()), values, lasts.max(last), then)
    }

    fn new(times: Times, values: Vec<f64>, lasts: Span, then: Then) -> Result<Self, LoadError> {
        if values.is_empty() {
            return Err(LoadError::Empty { what: "trace" });
        }
        for &value in &values {
            super::spec::is_load("trace", value)?;
        }
        Ok(Self { times, values: values.into(), lasts, then })
    }

    /// How long it is, without what comes after.
    #[must_use]
    pub const fn lasts(&self) -> Span {
        self.lasts
    }

    /// The values in their order.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The value at this time, and from when until just before when it is the same.
    fn piece(&self, since_ms: u64) -> Piece {
        let lasts_ms = self.lasts.millis();
        let (base_ms, end) = match self.then {
            Then::Repeat => (since_ms / lasts_ms * lasts_ms, None),
            _ if since_ms < lasts_ms => (0, None),
            Then::Hold => (0, Some(self.values.last().copied().unwrap_or(0.0))),
            Then::End => (0, Some(0.0)),
        };
        if let Some(value) = end {
            return Piece { from_ms: lasts_ms, until_ms: u64::MAX, value };
        }
        let into_ms = since_ms - base_ms;
        let next = match &self.times {
            Times::Every(every) => {
                usize::try_from(into_ms / every.millis()).unwrap_or(usize::MAX).saturating_add(1)
            }
            Times::At(times) => times.partition_point(|time| time.millis() <= into_ms),
        };
        let time_ms = |index: usize| match &self.times {
            Times::Every(every) if index < self.values.len() => every.times(index as u64).millis(),
            Times::At(times) if index < times.len() => times[index].millis(),
            _ => lasts_ms,
        };
        Piece {
            from_ms: base_ms + next.checked_sub(1).map_or(0, time_ms),
            until_ms: base_ms.saturating_add(time_ms(next)),
            value: next.checked_sub(1).and_then(|at| self.values.get(at)).copied().unwrap_or(0.0),
        }
    }
}

/// A stretch of time with one value: from `from_ms` until just before `until_ms`.
#[derive(Clone, Copy, Debug)]
struct Piece {
    from_ms: u64,
    until_ms: u64,
    value: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Player {
    trace: Arc<Trace>,
    piece: Piece,
}

impl Player {
    pub(super) fn new(trace: &Arc<Trace>) -> Self {
        Self { piece: trace.piece(0), trace: Arc::clone(trace) }
    }

    #[inline]
    pub(super) fn at(&mut self, when: When) -> f64 {
        let since_ms = when.since.millis();
        if since_ms < self.piece.from_ms || since_ms >= self.piece.until_ms {
            self.piece = self.trace.piece(since_ms);
        }
        self.piece.value
    }
}
