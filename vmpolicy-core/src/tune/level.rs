//! The values that a parameter may take, as a short list: what is tried is what a person would write.

use crate::file::{parse_number, parse_span, parse_tarry};
use crate::leaf::tarry::{MAX_WINDOW, Tarry};
use crate::time::Span;
use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

/// No parameter has more levels: steps so small tell nothing apart.
const LEVELS_MAX: usize = 400;
/// A range of numbers has about so many levels.
const STEPS_OF_A_RANGE: f64 = 60.0;
/// How many levels of a threshold lie between the quantiles of what was seen.
const QUANTILES: usize = 48;
/// Samples in a row that a rule waits for by default; the present value is always among the levels.
pub(super) const TARRY_MAX: u32 = 30;
/// Rare samples matter most to a threshold: these quantiles are levels, too.
const TAILS: [f64; 6] = [0.001, 0.005, 0.01, 0.99, 0.995, 0.999];

/// Spans of time that a person would write.
const LADDER_SECS: [u64; 26] = [
    0, 1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 450, 600, 900, 1_200, 1_800, 2_700, 3_600, 5_400,
    7_200, 10_800, 14_400, 21_600,
];

/// A value, as it stands in a policy file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// A threshold, in the unit in which it is written.
    Number(f64),
    /// A tarry.
    Tarry(Tarry),
    /// A settling time or a dwell.
    Span(Span),
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Tarry(tarry) => write!(f, "{tarry}"),
            Self::Span(span) => write!(f, "{span}"),
        }
    }
}

impl Level {
    /// Levels of a parameter are of one kind, and stand in this order.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> (u8, u64, u64) {
        match *self {
            Self::Number(_) => (0, 0, 0),
            Self::Tarry(Tarry::Consecutive(count)) => (1, u64::from(count), 0),
            Self::Tarry(Tarry::Of { hits, last }) => (2, u64::from(last), u64::from(hits)),
            Self::Tarry(Tarry::Lasting(span)) | Self::Span(span) => (3, span.millis(), 0),
        }
    }
}

/// Values to choose from, as a user gives them: `20..80`, `0s..5m`, `1..30`, or a list such as `1,2,5`.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// From the first to the last.
    Between(String, String),
    /// These.
    List(Vec<String>),
}

/// Why a text gives no values for a parameter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Nothing there.
    #[error("expected values, such as `20..80` or `1,2,5`")]
    Empty,
    /// Not of the parameter's kind.
    #[error("`{text}` is no {expected}")]
    Kind {
        /// What was written.
        text: String,
        /// What the parameter takes.
        expected: &'static str,
    },
    /// Legal nowhere.
    #[error("`{text}` is not allowed there: {why}")]
    Illegal {
        /// What was written.
        text: String,
        /// Why.
        why: &'static str,
    },
    /// From high to low, or two kinds.
    #[error(
        "`{from}..{to}` holds nothing: it goes from the lower to the higher, both written in the same way"
    )]
    Backwards {
        /// Where it begins.
        from: String,
        /// Where it ends.
        to: String,
    },
    /// Too many.
    #[error("that is {count} values, and a parameter has at most {LEVELS_MAX}")]
    TooMany {
        /// How many.
        count: usize,
    },
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let part = |text: &str| {
            let text = text.trim();
            if text.is_empty() { Err(RangeError::Empty) } else { Ok(text.to_owned()) }
        };
        match text.split_once("..") {
            Some((from, to)) => Ok(Self::Between(part(from)?, part(to)?)),
            None => Ok(Self::List(text.split(',').map(part).collect::<Result<_, _>>()?)),
        }
    }
}

impl Range {
    /// The levels of this range for a parameter whose present value is of this kind.
    pub(super) fn levels(&self, like: Level) -> Result<Vec<Level>, RangeError> {
        let mut levels = match self {
            Self::List(all) => all.iter().map(|text| read(text, like)).collect::<Result<_, _>>()?,
            Self::Between(from, to) => {
                let backwards = || RangeError::Backwards { from: from.clone(), to: to.clone() };
                between(read(from, like)?, read(to, like)?).ok_or_else(backwards)?
            }
        };
        tidy(&mut levels);
        if levels.len() > LEVELS_MAX { Err(RangeError::TooMany { count: levels.len() }) } else { Ok(levels) }
    }
}

/// Sorted, each once.
pub(super) fn tidy(levels: &mut Vec<Level>) {
    levels.sort_by(Level::order);
    levels.dedup();
}

fn read(text: &str, like: Level) -> Result<Level, RangeError> {
    let kind = |expected| RangeError::Kind { text: text.to_owned(), expected };
    let illegal = |why| RangeError::Illegal { text: text.to_owned(), why };
    match like {
        Level::Number(_) => match parse_number(text) {
            Some(number) if number.is_finite() => Ok(Level::Number(number)),
            Some(_) => Err(illegal("a threshold is a finite number")),
            None => Err(kind("number")),
        },
        Level::Span(_) => {
            parse_span(text).map(Level::Span).map_err(|_| kind("span of time, such as `45s` or `5m`"))
        }
        Level::Tarry(_) => match parse_tarry(text) {
            Some(Tarry::Consecutive(0) | Tarry::Of { hits: 0, .. } | Tarry::Lasting(Span::ZERO)) => {
                Err(illegal("a tarry is one sample at least"))
            }
            Some(Tarry::Of { hits, last }) if hits > last || last > MAX_WINDOW => {
                Err(illegal("of at most 64 samples, and not more than there are"))
            }
            Some(tarry) => Ok(Level::Tarry(tarry)),
            None => Err(kind("tarry, such as `3`, `5m` or `4 of 5`")),
        },
    }
}

fn between(from: Level, to: Level) -> Option<Vec<Level>> {
    match (from, to) {
        (Level::Number(from), Level::Number(to)) if from <= to => Some(numbers(from, to)),
        (Level::Span(from), Level::Span(to)) if from <= to => Some(spans(from, to, Level::Span)),
        (Level::Tarry(Tarry::Consecutive(from)), Level::Tarry(Tarry::Consecutive(to))) if from <= to => {
            let step = ((to - from) as usize).div_ceil(LEVELS_MAX - 2).max(1);
            let all = (from..=to).step_by(step).chain([to]);
            Some(all.map(|count| Level::Tarry(Tarry::Consecutive(count))).collect())
        }
        (Level::Tarry(Tarry::Lasting(from)), Level::Tarry(Tarry::Lasting(to))) if from <= to => {
            Some(spans(from, to, |span| Level::Tarry(Tarry::Lasting(span))))
        }
        (Level::Tarry(Tarry::Of { hits, last }), Level::Tarry(Tarry::Of { hits: to, last: of }))
            if hits <= to && last == of =>
        {
            Some((hits..=to).map(|hits| Level::Tarry(Tarry::Of { hits, last })).collect())
        }
        _ => None,
    }
}

/// Steps of 1, 2 or 5 times a power of ten, and both ends.
fn numbers(from: f64, to: f64) -> Vec<Level> {
    let least = (to - from) / STEPS_OF_A_RANGE;
    let mut step = 1.0;
    while step < least {
        step *= 10.0;
    }
    while step / 10.0 >= least && least > 0.0 {
        step /= 10.0;
    }
    for finer in [step / 5.0, step / 2.0] {
        if finer >= least {
            step = finer;
            break;
        }
    }
    let mut all = vec![Level::Number(from), Level::Number(to)];
    if least > 0.0 {
        // Whole multiples of the step, so that levels look as a person would write them.
        let mut multiple = (from / step).ceil();
        while multiple * step < to && all.len() < LEVELS_MAX {
            all.push(Level::Number(rounded(multiple * step, 12)));
            multiple += 1.0;
        }
    }
    all
}

fn spans(from: Span, to: Span, level: impl Fn(Span) -> Level) -> Vec<Level> {
    let inner =
        LADDER_SECS.iter().map(|&secs| Span::from_secs(secs)).filter(|span| (from..to).contains(span));
    [from, to].into_iter().chain(inner).map(level).collect()
}

/// Quantiles of sorted samples as thresholds of three significant digits.
pub(super) fn of_samples(sorted: &[f64], convert: impl Fn(f64) -> Option<f64>) -> Vec<Level> {
    let Some(last) = sorted.len().checked_sub(1) else { return Vec::new() };
    let even = (0..=QUANTILES).map(|at| at as f64 / QUANTILES as f64);
    even.chain(TAILS)
        .map(|quantile| sorted[((quantile * last as f64) as usize).min(last)])
        .filter_map(|sample| convert(sample).filter(|number| number.is_finite()))
        .map(|number| Level::Number(rounded(number, 3)))
        .collect()
}

/// The tarries that are tried by default, of the kind that is written.
pub(super) fn of_tarry(present: Tarry, every: Span) -> Vec<Level> {
    let levels: Vec<Tarry> = match present {
        Tarry::Consecutive(_) => (1..=TARRY_MAX).map(Tarry::Consecutive).collect(),
        Tarry::Lasting(_) => (1..=TARRY_MAX).map(|n| Tarry::Lasting(every.times(u64::from(n)))).collect(),
        Tarry::Of { last, .. } => (1..=last).map(|hits| Tarry::Of { hits, last }).collect(),
    };
    levels.into_iter().chain([present]).map(Level::Tarry).collect()
}

/// A geometric ladder of spans from one to another.
pub(super) fn of_spans(from: Span, to: Span) -> Vec<Level> {
    spans(from, to.max(from), Level::Span)
}

/// So many significant digits. Decimal, so by way of text, which is exact on every machine.
fn rounded(number: f64, digits: usize) -> f64 {
    let rounded: f64 = format!("{number:.*e}", digits.saturating_sub(1)).parse().unwrap_or(number);
    // No `-0`.
    rounded + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(range: &str, like: Level) -> Result<String, String> {
        let levels = range.parse::<Range>().and_then(|range| range.levels(like));
        let show = |levels: Vec<Level>| levels.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        levels.map(show).map_err(|error| error.to_string())
    }

    #[test]
    fn ranges_have_levels_that_a_person_would_write() {
        let number = Level::Number(50.0);
        let tarry = Level::Tarry(Tarry::Consecutive(3));
        let span = Level::Span(Span::from_secs(45));
        let cases = [
            ("20..30", number),
            ("0..1", number),
            ("-3..120", number),
            ("5..5", number),
            ("0.5, 2,1", number),
            ("1e3..1e6", number),
            ("80..20", number),
            ("a..b", number),
            ("..5", number),
            ("inf..5", number),
            ("1..5", tarry),
            ("2m..5m", tarry),
            ("2 of 5..4 of 5", tarry),
            ("0..5", tarry),
            ("3..5m", tarry),
            ("9 of 5", tarry),
            ("0s..5m", span),
            ("40s..50s", span),
            ("45..90", span),
        ];
        let told: Vec<String> = cases
            .iter()
            .map(|&(range, like)| match shown(range, like) {
                Ok(levels) => format!("{range}: {levels}"),
                Err(error) => format!("{range}: error: {error}"),
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn no_range_has_more_levels_than_there_may_be() {
        let tarry = shown("1..100000", Level::Tarry(Tarry::Consecutive(3))).expect("levels");
        assert!(tarry.split(' ').count() <= LEVELS_MAX);
        assert!(tarry.starts_with("1 ") && tarry.ends_with(" 100000"));
    }

    #[test]
    fn quantiles_are_rounded_and_converted() {
        let samples: Vec<f64> = (0..10_000).map(|n| f64::from(n) / 7.0).collect();
        let mut levels = of_samples(&samples, |number| Some(number * 1_000.0));
        tidy(&mut levels);
        assert!(levels.len() > QUANTILES);
        assert_eq!(levels.last().map(ToString::to_string).as_deref(), Some("1430000"));
        assert!(of_samples(&[], Some).is_empty());
    }
}
