//! What an indicator's probe reads over time, and the notation for it.

use crate::input::Absence;
use crate::time::Span;
use core::ops::Range;

/// No item has more values; one a second, they would last thirty years.
const MOST_VALUES: u32 = 1_000_000_000;

/// A run of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item {
    /// Numbers: the first, what each has more than the one before, and how many.
    Numbers {
        /// The first.
        first: f64,
        /// What each has more than the one before.
        step: f64,
        /// How many; not zero.
        count: u32,
    },
    /// No numbers: why, and how often.
    Absent {
        /// Why.
        why: Absence,
        /// How often; not zero.
        count: u32,
    },
}

impl Item {
    /// How many values it has.
    #[must_use]
    pub const fn count(&self) -> u32 {
        match *self {
            Self::Numbers { count, .. } | Self::Absent { count, .. } => count,
        }
    }

    /// The value of this number, from 0.
    fn value(&self, index: u64) -> Result<f64, Absence> {
        match *self {
            Self::Numbers { first, step, .. } => Ok(first + step * index as f64),
            Self::Absent { why, .. } => Err(why),
        }
    }

    fn last_number(&self) -> Option<f64> {
        match *self {
            Self::Numbers { count, .. } => self.value(u64::from(count) - 1).ok(),
            Self::Absent { .. } => None,
        }
    }
}

/// What a probe reads when the written values are over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// The last one again.
    #[default]
    Hold,
    /// Nothing.
    Missing,
}

/// Values from some time on.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Since the start of the case.
    pub from: Span,
    /// How far the values are apart; not zero.
    pub every: Span,
    /// The values; not empty.
    pub items: Vec<Item>,
    /// What comes after them.
    pub then: Then,
}

impl Segment {
    /// When the last written value begins to hold; since the start of the case.
    #[must_use]
    pub fn last(&self) -> Span {
        let count: u64 = self.items.iter().map(|item| u64::from(item.count())).sum();
        let within = self.every.times(count.saturating_sub(1));
        Span::from_millis(self.from.millis().saturating_add(within.millis()))
    }

    fn value(&self, at: Span) -> Result<f64, Absence> {
        let mut index = at.millis().saturating_sub(self.from.millis()) / self.every.millis().max(1);
        for item in &self.items {
            let count = u64::from(item.count());
            if index < count {
                return item.value(index);
            }
            index -= count;
        }
        match (self.then, self.items.last()) {
            (Then::Hold, Some(last)) => last.value(u64::from(last.count()) - 1),
            _ => Err(Absence::Missing),
        }
    }
}

/// What one indicator's probe reads. A value belongs to a time, not to a poll: it holds until the next one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// In the order of their beginnings; each holds until the next begins.
    pub segments: Vec<Segment>,
}

impl Series {
    /// What a probe reads then. Before the first segment there is nothing to read.
    ///
    /// # Errors
    ///
    /// Why there is no number.
    pub fn value(&self, at: Span) -> Result<f64, Absence> {
        let before = self.segments.partition_point(|segment| segment.from <= at);
        before.checked_sub(1).map_or(Err(Absence::Missing), |index| self.segments[index].value(at))
    }
}

/// Why a text is no values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesError {
    /// The bytes of the text that can't be read.
    pub at: Range<usize>,
    /// Why.
    pub why: String,
    /// What to write.
    pub hint: Option<String>,
}

/// Reads values as a test file has them.
///
/// | item | values |
/// | --- | --- |
/// | `76` | 76 |
/// | `76x5` | 76, five times |
/// | `0+60x10` | ten values from 0, each 60 more than the one before |
/// | `+60x10` | ten more values, each 60 more than the one before, beginning with the last number |
/// | `missing`, `timed-out x3` | no number, and why; `_` is short for `missing` |
///
/// ```
/// use vmpolicy_core::trial::{Item, parse_items};
/// let items = parse_items("0 +60x3").unwrap();
/// assert_eq!(items[1], Item::Numbers { first: 60.0, step: 60.0, count: 3 });
/// assert!(parse_items("0+60").is_err());
/// ```
///
/// # Errors
///
/// The first item that can't be read.
pub fn parse_items(text: &str) -> Result<Vec<Item>, SeriesError> {
    let mut items: Vec<Item> = Vec::new();
    let mut last = None;
    let mut words = words(text).into_iter().peekable();
    while let Some((start, word)) = words.next() {
        let mut at = start..start + word.len();
        // `timed-out x3` is one item in two words.
        let mut times = None;
        if let Some(&(next, more)) = words.peek()
            && let Some(count) = more.strip_prefix('x')
            && count.starts_with(|c: char| c.is_ascii_digit())
        {
            at.end = next + more.len();
            times = Some(count);
            words.next();
        }
        let item = item(word, times, last).map_err(|(why, hint)| SeriesError { at, why, hint })?;
        last = item.last_number().or(last);
        items.push(item);
    }
    if items.is_empty() {
        let hint = Some("write values with spaces between them, such as `0x3 76x5`".to_owned());
        return Err(SeriesError { at: 0..text.len(), why: "there is no value".to_owned(), hint });
    }
    Ok(items)
}

fn words(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut rest = 0;
    for word in text.split_whitespace() {
        let start = rest + text[rest..].find(word).unwrap_or(0);
        rest = start + word.len();
        found.push((start, word));
    }
    found
}

type Wrong = (String, Option<String>);

fn item(word: &str, times: Option<&str>, last: Option<f64>) -> Result<Item, Wrong> {
    let (body, times) = match times {
        Some(times) => (word, Some(times)),
        None => match word.rsplit_once('x') {
            Some((body, count)) if !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit()) => {
                (body, Some(count))
            }
            _ => (word, None),
        },
    };
    let count = times.map(count).transpose()?;
    if let Some(why) = absence(body)? {
        return Ok(Item::Absent { why, count: count.unwrap_or(1) });
    }
    if let Some(number) = number(body) {
        // `+60` alone goes on by 60; so written, a number has no sign before it but its own.
        if !body.starts_with('+') {
            return Ok(Item::Numbers { first: number, step: 0.0, count: count.unwrap_or(1) });
        }
    }
    if let Some(step) = body.strip_prefix('+') {
        let step = number(step).ok_or_else(|| not_a_value(word))?;
        let Some(last) = last else {
            let hint = format!("begin with a number, such as `0+{step}x5`");
            return Err((format!("`{word}` goes on from the last number, and there is none"), Some(hint)));
        };
        return Ok(Item::Numbers { first: last + step, step, count: count.unwrap_or(1) });
    }
    let (first, step) = ramp(body).ok_or_else(|| not_a_value(word))?;
    match count {
        Some(count) => Ok(Item::Numbers { first, step, count }),
        None => {
            Err((format!("`{word}` does not say how many values it has"), Some(format!("write `{word}x5`"))))
        }
    }
}

fn not_a_value(word: &str) -> Wrong {
    let hint =
        "a value is a number, `76x5`, `0+60x10`, `+60x10`, or the name of an absence such as `missing`";
    (format!("`{}` is no value", word.escape_debug()), Some(hint.to_owned()))
}

fn count(text: &str) -> Result<u32, Wrong> {
    let count = text.parse().ok().filter(|count| (1..=MOST_VALUES).contains(count));
    count.ok_or_else(|| (format!("`x{text}`: a value comes 1 to {MOST_VALUES} times"), None))
}

/// `0+60`, `100-5`: two numbers, of which the second has a sign and may be less than nothing.
fn ramp(body: &str) -> Option<(f64, f64)> {
    let mut signs = body.char_indices().skip(1).filter(|&(_, c)| matches!(c, '+' | '-'));
    signs.find_map(|(at, sign)| {
        let (first, step) = (number(&body[..at])?, number(&body[at + 1..])?);
        Some((first, if sign == '-' { -step } else { step }))
    })
}

/// A finite decimal number.
fn number(text: &str) -> Option<f64> {
    let shaped = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if !shaped {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The absences that a probe can give. The others are what the engine makes of a reading.
fn absence(word: &str) -> Result<Option<Absence>, Wrong> {
    let word = if word == "_" { "missing" } else { word };
    match Absence::ALL.into_iter().find(|absence| absence.name() == word) {
        Some(Absence::CounterReset) => Err((
            "no probe reads `counter-reset`: it is what a counter that went back comes to".to_owned(),
            Some("write a lower number".to_owned()),
        )),
        Some(Absence::NotFed) => Err((
            "no probe reads `not-fed`: it is what an indicator without readings comes to".to_owned(),
            Some("leave the indicator out of `readings`".to_owned()),
        )),
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> Vec<Result<f64, Absence>> {
        let items = parse_items(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        items.iter().flat_map(|item| (0..u64::from(item.count())).map(|at| item.value(at))).collect()
    }

    #[test]
    fn the_notation() {
        let missing = Err(Absence::Missing);
        assert_eq!(values("76"), [Ok(76.0)]);
        assert_eq!(values("0x2 76x3"), [0.0, 0.0, 76.0, 76.0, 76.0].map(Ok));
        assert_eq!(values("0+60x3"), [0.0, 60.0, 120.0].map(Ok));
        assert_eq!(values("10-2.5x3"), [10.0, 7.5, 5.0].map(Ok));
        assert_eq!(values("5 +0x2 +10x2 +-1"), [5.0, 5.0, 5.0, 15.0, 25.0, 24.0].map(Ok));
        assert_eq!(values("-5x2 -1+1x2"), [-5.0, -5.0, -1.0, 0.0].map(Ok));
        assert_eq!(values("1e3 1e-1x2"), [1_000.0, 0.1, 0.1].map(Ok));
        assert_eq!(values("1e3+1e2x2"), [1_000.0, 1_100.0].map(Ok));
        assert_eq!(values("1 _ missing x2 +1"), [Ok(1.0), missing, missing, missing, Ok(2.0)]);
        assert_eq!(values("timed-outx2"), [Err(Absence::TimedOut); 2]);
    }

    #[test]
    fn what_is_none_says_why() {
        let told = |text: &str| {
            let error = parse_items(text).expect_err(text);
            (text[error.at].to_owned(), error.why)
        };
        assert_eq!(told("1 gone 2").0, "gone");
        assert_eq!(told("1 2+3").0, "2+3");
        assert_eq!(told("+3x2").0, "+3x2");
        assert_eq!(told("7 x0").0, "7 x0");
        assert_eq!(told("nan").0, "nan");
        assert!(told("1 counter-reset").1.contains("went back"));
        assert!(told("not-fed x2").1.contains("without readings"));
        assert!(told("  ").1.contains("no value"));
    }

    #[test]
    fn a_value_belongs_to_a_time() {
        let segment = |from, text, then| Segment {
            from: Span::from_secs(from),
            every: Span::from_secs(60),
            items: parse_items(text).expect("values"),
            then,
        };
        let series =
            Series { segments: vec![segment(60, "1 2", Then::Missing), segment(600, "0+5x3", Then::Hold)] };
        let at = |secs| series.value(Span::from_secs(secs));
        let missing = Err(Absence::Missing);
        assert_eq!([at(0), at(59), at(60), at(119), at(120)], [missing, missing, Ok(1.0), Ok(1.0), Ok(2.0)]);
        assert_eq!(
            [at(180), at(599), at(600), at(725), at(9_999)],
            [missing, missing, Ok(0.0), Ok(10.0), Ok(10.0)]
        );
        assert_eq!(series.segments[1].last(), Span::from_secs(720));
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "\\PC{0,30}") {
            if let Err(error) = parse_items(&text) {
                prop_assert!(text.get(error.at.clone()).is_some(), "{error:?}");
            }
        }

        #[test]
        fn what_looks_like_values_is_read_or_blamed(text in "[-+x0-9. e_]{0,20}") {
            if let Ok(items) = parse_items(&text) {
                prop_assert!(items.iter().all(|item| item.count() > 0));
            }
        }
    }
}
