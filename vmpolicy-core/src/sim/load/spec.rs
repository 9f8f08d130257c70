//! What a load is, as a scenario says it, and whether that is sound.

use std::sync::Arc;

use thiserror::Error;

use super::clock::{DAY_MS, WEEK_MS};
use super::recorded::{Then, Trace};
use crate::leaf::window::Zone;
use crate::time::Span;

/// What a load is: the simple ones, and sums and products of loads.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LoadSpec {
    /// Always the same.
    Constant(f64),
    /// A sinusoid over a day or a week.
    Wave(Wave),
    /// A number for each weekday, as a rule a factor in a product.
    Weekdays(Weekdays),
    /// Bursts at random times, and nothing between them.
    Bursts(Bursts),
    /// A two-state Markov-modulated Poisson process.
    Mmpp(Mmpp),
    /// A recording, or a list of steps.
    Trace(Arc<Trace>),
    /// All of these together.
    Sum(Vec<LoadSpec>),
    /// These multiplied: a load and what scales it.
    Product(Vec<LoadSpec>),
}

/// After how long a [`Wave`] comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A day of civil time.
    Day,
    /// A week of civil time.
    Week,
}

impl Period {
    /// Its length by the clock on the wall.
    #[must_use]
    pub const fn length(self) -> Span {
        Span::from_millis(match self {
            Self::Day => DAY_MS.unsigned_abs(),
            Self::Week => WEEK_MS.unsigned_abs(),
        })
    }
}

/// A sinusoid in civil time: low + (high − low) · (1 + cos 2πx) / 2, x periods after the peak.
///
/// It goes by the clock on the wall, as people do: where that is put forward or back, the sinusoid jumps with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Wave {
    /// Its least value, half a period from the peak.
    pub low: f64,
    /// Its largest value.
    pub high: f64,
    /// When that is: the time since midnight, or since Monday's midnight where it is a week.
    pub peak: Span,
    /// Whether it is over a day or a week.
    pub period: Period,
    /// Whose midnight.
    pub zone: Arc<Zone>,
}

/// A number for each weekday, from Monday on; from midnight to midnight of a zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Weekdays {
    /// Monday's to Sunday's.
    pub factors: [f64; 7],
    /// Whose midnight.
    pub zone: Arc<Zone>,
}

/// Bursts at random times: gaps and lengths are exponentially distributed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// The mean time from the end of one to the beginning of the next.
    pub gap: Span,
    /// The mean length.
    pub length: Span,
    /// The value while there is one.
    pub height: f64,
}

/// A two-state Markov-modulated Poisson process (Fischer and Meier-Hellstern 1993): which rate holds is a Markov chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mmpp {
    /// The two rates.
    pub rates: [f64; 2],
    /// How long it stays at each, in the mean.
    pub stays: [Span; 2],
}

impl Mmpp {
    /// The mean rate over a long time: (r₁s₁ + r₂s₂) / (s₁ + s₂).
    #[must_use]
    pub fn mean(&self) -> f64 {
        let [one, two] = self.stays.map(Span::as_secs_f64);
        (self.rates[0] * one + self.rates[1] * two) / (one + two)
    }
}

/// Why a description makes no load.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A number that is negative, not finite or too large.
    #[error("`{what}` of a load must be a number from 0 to {:e}", LoadSpec::MOST)]
    NotALoad {
        /// Which number.
        what: &'static str,
    },
    /// A span that may not be zero.
    #[error("`{what}` of a load must be longer than nothing")]
    NoTime {
        /// Which span.
        what: &'static str,
    },
    /// A span that is too short to be followed: less than a second.
    #[error("`{what}` of a load must be at least a second in the mean")]
    TooShort {
        /// Which span.
        what: &'static str,
    },
    /// A low that is above the high.
    #[error("`low` is above `high`")]
    LowAboveHigh,
    /// A peak outside the period.
    #[error("`peak` must lie within the {}: from 0s to less than {}", name_of(*.period), .period.length())]
    PeakOutside {
        /// The period.
        period: Period,
    },
    /// A list without entries.
    #[error("a {what} of a load needs at least one entry")]
    Empty {
        /// Which list.
        what: &'static str,
    },
    /// A row that is not later than the one before it.
    #[error("row {row} is not later than the row before it")]
    NotLater {
        /// Which row, from 1.
        row: usize,
    },
    /// A trace that begins again before its last row.
    #[error("it repeats after {lasts}, but its last row comes at {last}")]
    RepeatsTooEarly {
        /// After how long.
        lasts: Span,
        /// When the last row comes.
        last: Span,
    },
    /// Sums and products in each other deeper than that.
    #[error("sums and products are nested more than {} deep", LoadSpec::DEEPEST)]
    TooDeep,
    /// More parts than that.
    #[error("a load of more than {} parts", LoadSpec::PARTS_MOST)]
    TooManyParts,
    /// Each part is sound, but together they can exceed the largest load.
    #[error("sum or product can exceed {:e}", LoadSpec::MOST)]
    TooLarge,
}

const fn name_of(period: Period) -> &'static str {
    match period {
        Period::Day => "day",
        Period::Week => "week",
    }
}

/// Whether a number of a description can be a load.
pub(super) fn is_load(what: &'static str, value: f64) -> Result<(), LoadError> {
    if (0.0..=LoadSpec::MOST).contains(&value) { Ok(()) } else { Err(LoadError::NotALoad { what }) }
}

/// Shorter stays than a second can't be told apart by anybody who looks every few seconds, and take time to follow.
fn is_stay(what: &'static str, span: Span) -> Result<(), LoadError> {
    if span < Span::from_secs(1) { Err(LoadError::TooShort { what }) } else { Ok(()) }
}

impl LoadSpec {
    /// No load is larger, whatever it is made of.
    pub const MOST: f64 = 1e12;

    /// Sums and products may be nested so deep.
    pub const DEEPEST: usize = 8;

    /// A load may have so many parts, sums and products not counted.
    pub const PARTS_MOST: usize = 64;

    /// The values of a list, each of which holds from its time on: `(Span::from_hours(16), 50.0)`. Before the first it is 0.
    ///
    /// # Errors
    /// As [`Trace::rows`].
    pub fn steps(steps: &[(Span, f64)]) -> Result<Self, LoadError> {
        Ok(Self::Trace(Arc::new(Trace::rows(steps, Span::ZERO, Then::Hold)?)))
    }

    /// Bursts of one height and length at given times since the beginning, in any order; two that overlap are one.
    ///
    /// # Errors
    /// Where there is none, the length is zero, or the height is not a load.
    pub fn bursts_at(times: &[Span], length: Span, height: f64) -> Result<Self, LoadError> {
        if length.is_zero() {
            return Err(LoadError::NoTime { what: "length" });
        }
        is_load("height", height)?;
        let mut times = times.to_vec();
        times.sort_unstable();
        let mut rows: Vec<(Span, f64)> = Vec::new();
        for from in times {
            let until = Span::from_millis(from.millis().saturating_add(length.millis()));
            match rows.last_mut() {
                Some(end) if end.0 >= from => end.0 = until,
                _ => rows.extend([(from, height), (until, 0.0)]),
            }
        }
        Self::steps(&rows)
    }

    /// The same, so many times as high.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self::Product(vec![Self::Constant(factor), self])
    }

    /// Whether chance is in it. Where none is, two loads of the same description have the same values at all times.
    #[must_use]
    pub fn draws(&self) -> bool {
        match self {
            Self::Bursts(_) | Self::Mmpp(_) => true,
            Self::Constant(_) | Self::Wave(_) | Self::Weekdays(_) | Self::Trace(_) => false,
            Self::Sum(of) | Self::Product(of) => of.iter().any(Self::draws),
        }
    }

    /// Whether it is sound.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), LoadError> {
        let mut parts = 0;
        let most = self.most(0, &mut parts)?;
        if most > Self::MOST { Err(LoadError::TooLarge) } else { Ok(()) }
    }

    /// A bound that it can't exceed: the sum or product of its parts' largest values.
    fn most(&self, depth: usize, parts: &mut usize) -> Result<f64, LoadError> {
        if depth > Self::DEEPEST {
            return Err(LoadError::TooDeep);
        }
        if !matches!(self, Self::Sum(_) | Self::Product(_)) {
            *parts += 1;
            if *parts > Self::PARTS_MOST {
                return Err(LoadError::TooManyParts);
            }
        }
        match self {
            Self::Constant(value) => is_load("constant", *value).map(|()| *value),
            Self::Wave(wave) => {
                is_load("low", wave.low)?;
                is_load("high", wave.high)?;
                if wave.low > wave.high {
                    return Err(LoadError::LowAboveHigh);
                }
                if wave.peak >= wave.period.length() {
                    return Err(LoadError::PeakOutside { period: wave.period });
                }
                Ok(wave.high)
            }
            Self::Weekdays(weekdays) => {
                weekdays.factors.iter().try_for_each(|&factor| is_load("weekdays", factor))?;
                Ok(largest(&weekdays.factors))
            }
            Self::Bursts(bursts) => {
                is_stay("gap", bursts.gap)?;
                is_stay("length", bursts.length)?;
                is_load("height", bursts.height).map(|()| bursts.height)
            }
            Self::Mmpp(mmpp) => {
                mmpp.stays.iter().try_for_each(|&stay| is_stay("stay", stay))?;
                mmpp.rates.iter().try_for_each(|&rate| is_load("rate", rate))?;
                Ok(largest(&mmpp.rates))
            }
            Self::Trace(trace) => Ok(largest(trace.values())),
            Self::Sum(of) if of.is_empty() => Err(LoadError::Empty { what: "sum" }),
            Self::Product(of) if of.is_empty() => Err(LoadError::Empty { what: "product" }),
            Self::Sum(of) => of.iter().try_fold(0.0, |sum, one| Ok(sum + one.most(depth + 1, parts)?)),
            // A factor below 1 must not hide that the others overflow on the way.
            Self::Product(of) => {
                of.iter().try_fold(1.0, |product, one| Ok(product * one.most(depth + 1, parts)?.max(1.0)))
            }
        }
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, &value| most.max(value))
}
