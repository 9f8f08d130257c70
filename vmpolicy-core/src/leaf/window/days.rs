//! Days of the week and hours of the day, and the spells that they make together.

use core::fmt;
use core::str::FromStr;

use thiserror::Error;

use super::civil::{Civil, DAY_MS, SECOND_MS, Spell, weekday_of};

const DAY_SECS: u32 = 86_400;

/// A day of the week.
///
/// ```
/// use vmpolicy_core::leaf::window::Weekday;
/// assert_eq!(Weekday::parse("wednesday"), Some(Weekday::Wed));
/// assert_eq!(Weekday::parse("3"), None);
/// assert_eq!(Weekday::Wed.to_string(), "Wed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    /// The week, from Monday.
    ///
    /// ```
    /// use vmpolicy_core::leaf::window::Weekday;
    /// assert_eq!(Weekday::ALL[6], Weekday::Sun);
    /// ```
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The day of this English name, in full or by its usual abbreviations, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "mon" | "monday" => Self::Mon,
            "tue" | "tues" | "tuesday" => Self::Tue,
            "wed" | "weds" | "wednesday" => Self::Wed,
            "thu" | "thur" | "thurs" | "thursday" => Self::Thu,
            "fri" | "friday" => Self::Fri,
            "sat" | "saturday" => Self::Sat,
            "sun" | "sunday" => Self::Sun,
            _ => return None,
        })
    }

    /// The day after.
    const fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % 7]
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mon => "Mon",
            Self::Tue => "Tue",
            Self::Wed => "Wed",
            Self::Thu => "Thu",
            Self::Fri => "Fri",
            Self::Sat => "Sat",
            Self::Sun => "Sun",
        })
    }
}

/// Why a text names no days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WeekdaysError {
    /// No name where one was expected.
    #[error("expected a weekday such as `Mon` or a range such as `Mon-Fri`, found nothing")]
    Missing,
    /// A piece that is no weekday.
    #[error("expected a weekday such as `Mon` or a range such as `Mon-Fri`, found `{piece}`")]
    UnknownDay {
        /// The piece.
        piece: String,
    },
    /// A range of other than two days.
    #[error("expected a range of two weekdays such as `Mon-Fri`, found `{piece}`")]
    NotARange {
        /// The piece.
        piece: String,
    },
}

/// Some days of the week: at least one.
///
/// ```
/// use vmpolicy_core::leaf::window::{Weekday, Weekdays, WeekdaysError};
/// let days = Weekdays::parse("Mon-Thu, Saturday")?;
/// assert!(days.contains(Weekday::Sat) && !days.contains(Weekday::Fri));
/// assert_eq!(days.to_string(), "Mon-Thu,Sat");
/// assert_eq!(Weekdays::parse("fri-mon")?.len(), 4);
/// assert_eq!(Weekdays::parse("every day")?, Weekdays::ALL);
/// assert_eq!(Weekdays::parse("Mon,Fry"), Err(WeekdaysError::UnknownDay { piece: "Fry".to_owned() }));
/// # Ok::<(), WeekdaysError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "String", try_from = "String")
)]
pub struct Weekdays {
    /// Bit 0 is Monday.
    bits: u8,
}

impl Weekdays {
    /// The whole week.
    pub const ALL: Self = Self { bits: 0b111_1111 };

    /// This day alone.
    #[must_use]
    pub const fn only(day: Weekday) -> Self {
        Self { bits: 1 << day as u8 }
    }

    /// From `first` to `last`, both included, round the end of the week where need be.
    ///
    /// ```
    /// use vmpolicy_core::leaf::window::{Weekday, Weekdays};
    /// assert_eq!(Weekdays::range(Weekday::Sat, Weekday::Mon).to_string(), "Sat-Mon");
    /// ```
    #[must_use]
    pub fn range(first: Weekday, last: Weekday) -> Self {
        let mut days = Self::only(first);
        let mut day = first;
        while day != last {
            day = day.next();
            days = days.and(Self::only(day));
        }
        days
    }

    /// The days of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits }
    }

    /// Days and ranges of days, parted by commas, or `daily`, `every day` or `*`. Upper and lower case are alike.
    /// A range may go round the end of the week: `Fri-Mon` is four days.
    ///
    /// # Errors
    /// The first piece that is neither a day nor a range.
    pub fn parse(text: &str) -> Result<Self, WeekdaysError> {
        let words = || text.split_whitespace();
        let is = |wanted: &[&str]| {
            words().count() == wanted.len() && words().zip(wanted).all(|(w, &t)| w.eq_ignore_ascii_case(t))
        };
        if is(&["daily"]) || is(&["every", "day"]) || is(&["*"]) {
            Ok(Self::ALL)
        } else {
            Self::parse_list(text)
        }
    }

    /// As [`parse`](Self::parse), but days and ranges only.
    pub(super) fn parse_list(text: &str) -> Result<Self, WeekdaysError> {
        let mut days: Option<Self> = None;
        for piece in text.split(',').map(str::trim) {
            let more = Self::parse_piece(piece)?;
            days = Some(days.map_or(more, |days| days.and(more)));
        }
        days.ok_or(WeekdaysError::Missing)
    }

    fn parse_piece(piece: &str) -> Result<Self, WeekdaysError> {
        let day = |name: &str| {
            let name = name.trim();
            Weekday::parse(name).ok_or_else(|| WeekdaysError::UnknownDay { piece: name.to_owned() })
        };
        match piece.split_once('-') {
            None if piece.is_empty() => Err(WeekdaysError::Missing),
            None => Ok(Self::only(day(piece)?)),
            Some((first, last))
                if first.trim().is_empty() || last.trim().is_empty() || last.contains('-') =>
            {
                Err(WeekdaysError::NotARange { piece: piece.to_owned() })
            }
            Some((first, last)) => Ok(Self::range(day(first)?, day(last)?)),
        }
    }

    /// Whether `day` is one of them.
    #[must_use]
    pub const fn contains(self, day: Weekday) -> bool {
        self.bits & (1 << day as u8) != 0
    }

    /// Whether every one of these days is one of the others, too.
    #[must_use]
    pub const fn within(self, others: Self) -> bool {
        self.bits & !others.bits == 0
    }

    /// How many days there are: one to seven.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub const fn len(self) -> usize {
        self.bits.count_ones() as usize
    }

    /// The days, from Monday.
    ///
    /// ```
    /// use vmpolicy_core::leaf::window::{Weekday, Weekdays};
    /// let days: Vec<Weekday> = Weekdays::range(Weekday::Sat, Weekday::Mon).iter().collect();
    /// assert_eq!(days, [Weekday::Mon, Weekday::Sat, Weekday::Sun]);
    /// ```
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        Weekday::ALL.into_iter().filter(move |&day| self.contains(day))
    }
}

impl FromStr for Weekdays {
    type Err = WeekdaysError;

    fn from_str(text: &str) -> Result<Self, WeekdaysError> {
        Self::parse(text)
    }
}

impl fmt::Display for Weekdays {
    /// In the form that [`parse`](Self::parse) reads: `daily`, or days and ranges.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("daily");
        }
        let mut comma = "";
        for first in Weekday::ALL {
            let before = Weekday::ALL[(first as usize + 6) % 7];
            if !self.contains(first) || self.contains(before) {
                continue;
            }
            let (mut last, mut days) = (first, 1);
            while self.contains(last.next()) {
                (last, days) = (last.next(), days + 1);
            }
            match days {
                1 => write!(f, "{comma}{first}")?,
                2 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
            comma = ",";
        }
        Ok(())
    }
}

impl fmt::Debug for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weekdays({self})")
    }
}

impl From<Weekdays> for String {
    fn from(days: Weekdays) -> Self {
        days.to_string()
    }
}

impl TryFrom<String> for Weekdays {
    type Error = WeekdaysError;

    fn try_from(text: String) -> Result<Self, WeekdaysError> {
        Self::parse(&text)
    }
}

/// Why a text names no hours of the day.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HoursError {
    /// Not two times with a dash between them.
    #[error("expected two times such as `09:00-16:00`, found `{text}`")]
    NotTwoTimes {
        /// The text.
        text: String,
    },
    /// A piece that is no time of the day.
    #[error("expected a time of the day such as `09:00`, found `{piece}`")]
    BadTime {
        /// The piece.
        piece: String,
    },
    /// The last instant of a day as the opening time.
    #[error("`24:00` can only close a window; what opens at midnight opens at `00:00`")]
    OpensAtEnd,
    /// Opening and closing at the same time.
    #[error("zero length: it would open and close at the same time; the whole day is `00:00-24:00`")]
    ZeroLength,
}

/// A stretch of the civil day, possibly past midnight; neither empty nor longer than a day.
///
/// ```
/// use vmpolicy_core::leaf::window::{Hours, HoursError};
/// let office = Hours::parse("9:00-16:00")?;
/// assert_eq!((office.from_secs(), office.to_secs()), (9 * 3_600, 16 * 3_600));
/// assert_eq!(office.to_string(), "09:00-16:00");
/// assert!(Hours::parse("22:00-06:00")?.wraps());
/// assert_eq!(Hours::parse("09:00-09:00"), Err(HoursError::ZeroLength));
/// # Ok::<(), HoursError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "String", try_from = "String")
)]
pub struct Hours {
    /// 0 to 86,399.
    from_secs: u32,
    /// 1 to 86,400; smaller than `from_secs` where it lies on the next day.
    to_secs: u32,
}

impl Hours {
    /// From midnight to midnight.
    pub const WHOLE_DAY: Self = Self { from_secs: 0, to_secs: DAY_SECS };

    /// From one civil time to another, both in seconds after midnight; past midnight where `to_secs` is the smaller.
    /// A window that goes past midnight belongs to the day on which it opens. Midnight as the end may be written as 0 or
    /// as 86,400.
    ///
    /// # Errors
    /// Where a number is no time of the day, or both are the same time.
    pub fn new(from_secs: u32, to_secs: u32) -> Result<Self, HoursError> {
        if let Some(secs) = [from_secs, to_secs].into_iter().find(|&secs| secs > DAY_SECS) {
            return Err(HoursError::BadTime { piece: format!("{secs} s") });
        }
        if from_secs == DAY_SECS {
            return Err(HoursError::OpensAtEnd);
        }
        if from_secs == to_secs {
            return Err(HoursError::ZeroLength);
        }
        Ok(Self { from_secs, to_secs: if to_secs == 0 { DAY_SECS } else { to_secs } })
    }

    /// Two times of the day with a dash between: `09:00-16:00`, `9:00-16:30:15`, `22:00-06:00`, `18:00-24:00`.
    ///
    /// # Errors
    /// What is wrong with it, and with which piece.
    pub fn parse(text: &str) -> Result<Self, HoursError> {
        match text.split_once('-') {
            Some((from, to)) if !to.contains('-') => Self::new(parse_time(from)?, parse_time(to)?),
            _ => Err(HoursError::NotTwoTimes { text: text.trim().to_owned() }),
        }
    }

    /// When it opens, in civil seconds after midnight: 0 to 86,399.
    #[must_use]
    pub const fn from_secs(self) -> u32 {
        self.from_secs
    }

    /// When it closes, in civil seconds after midnight, of the next day where it [wraps](Self::wraps): 1 to 86,400.
    #[must_use]
    pub const fn to_secs(self) -> u32 {
        self.to_secs
    }

    /// Whether it closes on the day after.
    #[must_use]
    pub const fn wraps(self) -> bool {
        self.to_secs < self.from_secs
    }

    /// The spell that opens on this day, in days since 1970-01-01.
    fn spell_on(self, day: i64) -> Spell {
        let midnight_ms = day * DAY_MS;
        let to_ms = midnight_ms + i64::from(self.to_secs) * SECOND_MS;
        Spell {
            from: Civil(midnight_ms + i64::from(self.from_secs) * SECOND_MS),
            to: Civil(if self.wraps() { to_ms + DAY_MS } else { to_ms }),
        }
    }
}

fn parse_time(text: &str) -> Result<u32, HoursError> {
    let piece = text.trim();
    let bad = || HoursError::BadTime { piece: piece.to_owned() };
    let mut parts = piece.split(':');
    let mut part = |max: u32, short: bool| match parts.next() {
        Some(part) if part.len() == 2 || (short && part.len() == 1) => part
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse::<u32>().ok())
            .flatten()
            .filter(|&n| n <= max),
        _ => None,
    };
    let (hours, minutes) = (part(24, true).ok_or_else(bad)?, part(59, false).ok_or_else(bad)?);
    let seconds = if piece.matches(':').count() < 2 { 0 } else { part(59, false).ok_or_else(bad)? };
    let secs = hours * 3_600 + minutes * 60 + seconds;
    if parts.next().is_some() || secs > DAY_SECS { Err(bad()) } else { Ok(secs) }
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        Self::parse(text)
    }
}

impl fmt::Display for Hours {
    /// In the form that [`parse`](Self::parse) reads, with seconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dash = "";
        for secs in [self.from_secs, self.to_secs] {
            write!(f, "{dash}{:02}:{:02}", secs / 3_600, secs / 60 % 60)?;
            if secs % 60 != 0 {
                write!(f, ":{:02}", secs % 60)?;
            }
            dash = "-";
        }
        Ok(())
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}

impl TryFrom<String> for Hours {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Self, HoursError> {
        Self::parse(&text)
    }
}

/// Whether these days and hours leave no time out.
pub(super) fn is_always(days: Weekdays, hours: Hours) -> bool {
    days == Weekdays::ALL && hours == Hours::WHOLE_DAY
}

/// The first spell that ends after `after`; whole days that adjoin make one spell.
/// For days and hours that leave some time out.
pub(super) fn spell_after(days: Weekdays, hours: Hours, after: Civil) -> Spell {
    let on = |day: i64| days.contains(weekday_of(day));
    // A spell that goes past midnight may have begun yesterday; then a week has them all.
    let mut day = after.day() - 1;
    while !on(day) || hours.spell_on(day).to <= after {
        day += 1;
    }
    let mut spell = hours.spell_on(day);
    if hours == Hours::WHOLE_DAY {
        let before = (1..7).take_while(|&n| on(day - n)).count() as i64;
        let behind = (1..7).take_while(|&n| on(day + n)).count() as i64;
        spell =
            Spell { from: Civil(spell.from.0 - before * DAY_MS), to: Civil(spell.to.0 + behind * DAY_MS) };
    }
    spell
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_as_people_write_them() {
        for (text, days) in [
            ("Mon-Fri", "Mon-Fri"),
            (" mon - FRIDAY ", "Mon-Fri"),
            ("Sat,Sun", "Sat,Sun"),
            ("Fri-Mon", "Fri-Mon"),
            ("Mon-Fri,Sun", "Sun-Fri"),
            ("mon,tuesday,Wed,weds", "Mon-Wed"),
            ("Mon-Mon", "Mon"),
            ("Tue-Mon", "daily"),
            ("daily", "daily"),
            ("Every  Day", "daily"),
            ("*", "daily"),
        ] {
            assert_eq!(Weekdays::parse(text).map(|days| days.to_string()).as_deref(), Ok(days), "{text}");
        }
    }

    #[test]
    fn days_that_are_none_say_which_piece() {
        let unknown = |piece: &str| WeekdaysError::UnknownDay { piece: piece.to_owned() };
        let range = |piece: &str| WeekdaysError::NotARange { piece: piece.to_owned() };
        for (text, error) in [
            ("", WeekdaysError::Missing),
            ("Mon,,Tue", WeekdaysError::Missing),
            ("Mon-Fir", unknown("Fir")),
            ("1-5", unknown("1")),
            ("Mon, daily", unknown("daily")),
            ("every night", unknown("every night")),
            ("Mon-", range("Mon-")),
            ("Mon-Tue-Wed", range("Mon-Tue-Wed")),
        ] {
            assert_eq!(Weekdays::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn hours_as_people_write_them() {
        for (text, hours) in [
            ("09:00-16:00", "09:00-16:00"),
            (" 9:00 - 16:00:30 ", "09:00-16:00:30"),
            ("00:00-24:00", "00:00-24:00"),
            ("22:00-00:00", "22:00-24:00"),
            ("22:00-06:00", "22:00-06:00"),
        ] {
            assert_eq!(Hours::parse(text).map(|hours| hours.to_string()).as_deref(), Ok(hours), "{text}");
        }
    }

    #[test]
    fn hours_that_are_none_say_which_piece() {
        let bad = |piece: &str| HoursError::BadTime { piece: piece.to_owned() };
        let not_two = |text: &str| HoursError::NotTwoTimes { text: text.to_owned() };
        for (text, error) in [
            ("", not_two("")),
            ("09:00", not_two("09:00")),
            ("09:00-10:00-11:00", not_two("09:00-10:00-11:00")),
            ("9-16", bad("9")),
            ("09:00-16:60", bad("16:60")),
            ("09:00-24:01", bad("24:01")),
            ("09:00-24:00:01", bad("24:00:01")),
            ("09:0-10:00", bad("09:0")),
            ("009:00-10:00", bad("009:00")),
            ("+9:00-10:00", bad("+9:00")),
            ("09:00-10:00:00:00", bad("10:00:00:00")),
            ("24:00-06:00", HoursError::OpensAtEnd),
            ("24:00-24:00", HoursError::OpensAtEnd),
            ("00:00-00:00", HoursError::ZeroLength),
            ("09:00-9:00:00", HoursError::ZeroLength),
        ] {
            assert_eq!(Hours::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*", likely in "[0-9MmonFriSat:,* -]{0,20}") {
            for text in [text, likely] {
                let _ = (Weekdays::parse(&text), Hours::parse(&text));
            }
        }

        #[test]
        fn what_is_shown_can_be_read(bits in 1..128u8, from in 0..DAY_SECS, to in 0..=DAY_SECS) {
            let days = Weekdays { bits };
            prop_assert_eq!(Weekdays::parse(&days.to_string()), Ok(days));
            if let Ok(hours) = Hours::new(from, to) {
                prop_assert_eq!(Hours::parse(&hours.to_string()), Ok(hours));
            }
        }
    }
}
