//! A recording in memory: what an indicator read, and when.

use crate::input::Absence;
use crate::time::{Span, Wall};

/// One row of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// When it was read.
    pub at: Wall,
    /// What was read, or why there is no number.
    pub value: Result<f64, Absence>,
}

/// Rows in time order, no two at the same time.
///
/// ```
/// use vmpolicy_core::backtest::{Row, Trace};
/// use vmpolicy_core::input::Absence;
/// use vmpolicy_core::time::{Span, Wall};
/// let trace = Trace::new([
///     Row { at: Wall::from_secs(0), value: Ok(3.0) },
///     Row { at: Wall::from_secs(60), value: Err(Absence::Missing) },
///     Row { at: Wall::from_secs(180), value: Ok(f64::NAN) },
/// ])
/// .unwrap();
/// assert_eq!(trace.median_interval(), Some(Span::from_secs(90)));
/// assert_eq!(trace.row(2).unwrap().value, Err(Absence::NotFinite));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Time and number; the number is NaN where there is none.
    pub(super) rows: Vec<(Wall, f64)>,
    /// Why there is no number, by row, in order.
    pub(super) absent: Vec<(usize, Absence)>,
    median: Option<Span>,
}

/// A row that is not later than the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row} is not later than the one before it")]
pub struct OutOfOrder {
    /// Which row, counted from 0.
    pub row: usize,
}

impl Trace {
    /// A trace of these rows.
    ///
    /// # Errors
    ///
    /// The first row that is not later than the one before it.
    pub fn new(rows: impl IntoIterator<Item = Row>) -> Result<Self, OutOfOrder> {
        let rows = rows.into_iter();
        let mut trace = Self { rows: Vec::with_capacity(rows.size_hint().0), ..Self::default() };
        for (index, Row { at, value }) in rows.enumerate() {
            if trace.rows.last().is_some_and(|&(before, _)| before >= at) {
                return Err(OutOfOrder { row: index });
            }
            let value = match value {
                Ok(finite) if finite.is_finite() => finite,
                Ok(_) => trace.leave_out(Absence::NotFinite),
                Err(why) => trace.leave_out(why),
            };
            trace.rows.push((at, value));
        }
        trace.median = median_interval(&trace.rows);
        Ok(trace)
    }

    fn leave_out(&mut self, why: Absence) -> f64 {
        self.absent.push((self.rows.len(), why));
        f64::NAN
    }

    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows have a number.
    #[must_use]
    pub const fn numbers(&self) -> usize {
        self.rows.len() - self.absent.len()
    }

    /// The times of the first and the last row.
    #[must_use]
    pub fn span(&self) -> Option<(Wall, Wall)> {
        Some((self.rows.first()?.0, self.rows.last()?.0))
    }

    /// The row of this number, counted from 0.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Row> {
        let &(at, value) = self.rows.get(index)?;
        Some(Row { at, value: if value.is_finite() { Ok(value) } else { Err(self.why_absent(index)) } })
    }

    /// All rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = Row> {
        (0..self.len()).filter_map(|index| self.row(index))
    }

    /// The median time from one row to the next; none where there are fewer than two rows.
    #[must_use]
    pub const fn median_interval(&self) -> Option<Span> {
        self.median
    }

    /// How often a number is lower than the one before it. Of a counter, these are its resets.
    #[must_use]
    pub fn falls(&self) -> usize {
        let numbers = self.rows.iter().map(|row| row.1).filter(|value| value.is_finite());
        numbers.clone().zip(numbers.skip(1)).filter(|(before, after)| after < before).count()
    }

    #[cold]
    pub(super) fn why_absent(&self, index: usize) -> Absence {
        let found = self.absent.binary_search_by_key(&index, |&(row, _)| row);
        found.map_or(Absence::Missing, |at| self.absent[at].1)
    }
}

/// Row by row: where there is no number, the reasons are compared.
impl PartialEq for Trace {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// With an even number of intervals, the mean of the two in the middle.
fn median_interval(rows: &[(Wall, f64)]) -> Option<Span> {
    let mut gaps: Vec<u64> = rows.windows(2).map(|pair| pair[1].0.since(pair[0].0).millis()).collect();
    let first = *gaps.first()?;
    if gaps.iter().all(|&gap| gap == first) {
        return Some(Span::from_millis(first));
    }
    let (middle, even) = (gaps.len() / 2, gaps.len().is_multiple_of(2));
    let (below, &mut upper, _) = gaps.select_nth_unstable(middle);
    let lower = below.iter().max().copied().filter(|_| even).unwrap_or(upper);
    Some(Span::from_millis(lower.midpoint(upper)))
}
