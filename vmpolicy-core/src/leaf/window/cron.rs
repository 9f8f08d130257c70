//! Pairs of cron expressions: one opens a window, the other closes it.
//!
//! The `cron` crate reads the fields and says which numbers they hold; the search for times is our own. The crate's
//! own search stops at the year 2100, goes wrong beyond it when it searches backwards, and panics at chrono's limits.
//! Asked in a zone it is wrong across clock changes, too; so all here is civil time, and the zone comes later.

use core::fmt;
use core::str::FromStr;

use ::cron::{Schedule, TimeUnitSpec};
use thiserror::Error;

use super::civil::{
    Civil, DAY_MS, HOUR_MS, MINUTE_MS, Spell, days_in_month_max, month_and_day_of, weekday_of,
};
use super::days::{Weekdays, WeekdaysError};

/// No date of a month falls on a given weekday less than once in 40 years: 29 February across a century
/// that is no leap year. (A test goes through the calendar's whole period.)
const SEARCH_DAYS: i64 = 41 * 366;

/// A field of a cron expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CronField {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31.
    DayOfMonth,
    /// 1 to 12, or a name.
    Month,
    /// A name.
    Weekday,
}

impl CronField {
    /// What may stand in it, in words.
    ///
    /// ```
    /// use vmpolicy_core::leaf::window::CronField;
    /// assert_eq!(CronField::Weekday.expected(), "weekdays by name such as `Mon-Fri` or `Sat,Sun`, or `*`");
    /// ```
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Minute => "minutes from 0 to 59 such as `0`, `0,30` or `*/15`, or `*`",
            Self::Hour => "hours from 0 to 23 such as `9`, `9-16` or `*/2`, or `*`",
            Self::DayOfMonth => "days from 1 to 31 such as `1`, `1,15` or `1-7`, or `*`",
            Self::Month => "months from 1 to 12 or by name such as `Jan`, `6-8` or `Jun-Aug`, or `*`",
            Self::Weekday => "weekdays by name such as `Mon-Fri` or `Sat,Sun`, or `*`",
        }
    }
}

impl fmt::Display for CronField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of the month",
            Self::Month => "month",
            Self::Weekday => "weekday",
        })
    }
}

/// Why a text is no cron expression.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CronError {
    /// Not five fields.
    #[error("expected five fields (minute, hour, day of the month, month, weekday), found {found}")]
    FieldCount {
        /// How many there are.
        found: usize,
    },
    /// A field that can't be read.
    #[error("expected {}, found `{piece}` as the {field}", field.expected())]
    BadField {
        /// Which field.
        field: CronField,
        /// What stands there.
        piece: String,
    },
    /// A weekday by number.
    #[error(
        "expected weekdays by name such as `Mon-Fri`, found `{piece}`: \
        dialects of cron count weekdays differently, so a number could mean either of two days"
    )]
    NumberedWeekday {
        /// What stands there.
        piece: String,
    },
    /// A weekday by a name that there isn't.
    #[error(transparent)]
    Weekday(#[from] WeekdaysError),
    /// No date fits.
    #[error("`{text}` never comes: no month named has such a day")]
    NeverFires {
        /// The expression.
        text: String,
    },
}

/// A cron expression of five fields (minute, hour, day of the month, month, weekday) that fires now and then.
///
/// Fields hold `*`, numbers, lists `1,15`, ranges `9-16` and steps `*/15`, `0-30/10`; months may go by name. Weekdays
/// go **by name only**, since some dialects count from 0 and others from 1; their ranges may go round the end
/// of the week. `?` is `*` for the days. There are no `@daily`, `L`, `W` or `#`.
///
/// Where both the day of the month and the weekday are restricted, **both must fit**: `0 9 1-7 * Mon` is the first
/// Monday of each month. (Unix cron fires where either fits.)
///
/// ```
/// use vmpolicy_core::leaf::window::{CronError, CronExpr};
/// let opening = CronExpr::parse("0 9 * * Mon-Fri")?;
/// assert_eq!(opening.text(), "0 9 * * Mon-Fri");
/// assert!(matches!(CronExpr::parse("0 9 * * 1-5"), Err(CronError::NumberedWeekday { .. })));
/// assert!(matches!(CronExpr::parse("0 9 31 Feb *"), Err(CronError::NeverFires { .. })));
/// # Ok::<(), CronError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "String", try_from = "String")
)]
pub struct CronExpr {
    text: String,
    /// In each of these, bit `n` stands for the number `n`.
    minutes: u64,
    hours: u32,
    days: u32,
    months: u32,
    weekdays: Weekdays,
}

impl CronExpr {
    /// Reads an expression of five fields.
    ///
    /// # Errors
    /// Which field is wrong and what was expected there; or that no date fits.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(CronError::FieldCount { found: fields.len() });
        };
        let minutes = numbers(CronField::Minute, minute)?;
        let hours = numbers(CronField::Hour, hour)?;
        let days = numbers(CronField::DayOfMonth, day)?;
        let months = numbers(CronField::Month, month)?;
        let weekdays = weekdays(weekday)?;
        let low = |bits: u64| u32::try_from(bits).expect("hours, days and months are below 32");
        let (hours, days, months) = (low(hours), low(days), low(months));
        let expr = Self { text: fields.join(" "), minutes, hours, days, months, weekdays };
        // Every date that its month ever has comes on every weekday in time, 29 February too.
        if expr.dates().next().is_none() { Err(CronError::NeverFires { text: expr.text }) } else { Ok(expr) }
    }

    /// The expression, with single spaces between its fields.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `other` fires whenever this one does.
    pub(super) fn within(&self, other: &Self) -> bool {
        self.minutes & !other.minutes == 0
            && self.hours & !other.hours == 0
            && self.weekdays.within(other.weekdays)
            && self.dates().all(|(month, day)| other.has(month, day))
    }

    /// Month and day of every date that fits, whatever the weekday.
    fn dates(&self) -> impl Iterator<Item = (u32, u32)> {
        let all = (1..=12).flat_map(|month| (1..=days_in_month_max(month)).map(move |day| (month, day)));
        all.filter(|&(month, day)| self.has(month, day))
    }

    const fn has(&self, month: u32, day: u32) -> bool {
        self.months & (1 << month) != 0 && self.days & (1 << day) != 0
    }
}

impl FromStr for CronExpr {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        Self::parse(text)
    }
}

impl fmt::Display for CronExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<CronExpr> for String {
    fn from(expr: CronExpr) -> Self {
        expr.text
    }
}

impl TryFrom<String> for CronExpr {
    type Error = CronError;

    fn try_from(text: String) -> Result<Self, CronError> {
        Self::parse(&text)
    }
}

/// The numbers that a field names, as bits.
fn numbers(field: CronField, piece: &str) -> Result<u64, CronError> {
    let bad = || CronError::BadField { field, piece: piece.to_owned() };
    // The crate doesn't insist on blanks between fields: it takes `1*` for two of them. And each field goes
    // to it alone, for its errors don't say which one is wrong.
    if !is_field(field, piece) {
        return Err(bad());
    }
    let alone = |text: String| text.parse::<Schedule>().map_err(|_| bad());
    Ok(match field {
        CronField::Minute => bits(alone(format!("0 {piece} * * * *"))?.minutes()),
        CronField::Hour => bits(alone(format!("0 * {piece} * * *"))?.hours()),
        CronField::DayOfMonth => bits(alone(format!("0 * * {piece} * *"))?.days_of_month()),
        CronField::Month => bits(alone(format!("0 * * * {piece} *"))?.months()),
        CronField::Weekday => return Err(bad()),
    })
}

fn bits(numbers: &impl TimeUnitSpec) -> u64 {
    numbers.iter().fold(0, |bits, number| bits | 1 << number)
}

/// Whether it looks like one field: pieces between commas, each `*`, a word or two words with a dash, then perhaps
/// a step; a word is digits or letters.
fn is_field(field: CronField, text: &str) -> bool {
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let letters = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic());
    let word = |text: &str| digits(text) || letters(text);
    let base =
        |text: &str| text == "*" || text.split_once('-').map_or(word(text), |(a, b)| word(a) && word(b));
    let piece =
        |text: &str| text.split_once('/').map_or(base(text), |(from, step)| base(from) && digits(step));
    (field == CronField::DayOfMonth && text == "?") || text.split(',').all(piece)
}

/// The crate knows no range round the end of its week, which begins on Sunday (`Sat-Sun`, `Mon-Sun`): so
/// weekdays are read as everywhere else in this leaf.
fn weekdays(piece: &str) -> Result<Weekdays, CronError> {
    match piece {
        "*" | "?" => Ok(Weekdays::ALL),
        _ if piece.bytes().any(|b| b.is_ascii_digit()) => {
            Err(CronError::NumberedWeekday { piece: piece.to_owned() })
        }
        _ => Ok(Weekdays::parse_list(piece)?),
    }
}

/// When `expr` fires and `except` does not.
#[derive(Clone, Copy)]
struct Fires<'a> {
    expr: &'a CronExpr,
    except: Option<&'a CronExpr>,
}

impl Fires<'_> {
    /// The first time after `after`.
    fn next(self, after: Civil) -> Option<Civil> {
        let first_ms = (after.0.div_euclid(MINUTE_MS) + 1) * MINUTE_MS;
        let today = first_ms.div_euclid(DAY_MS);
        let (mut day, mut from_ms) = (today, first_ms.rem_euclid(DAY_MS));
        while day <= today + SEARCH_DAYS {
            let (month, day_of_month) = month_and_day_of(day);
            if let Some(ms) = self.on(day).and_then(|on| on.first(from_ms)) {
                return Some(Civil(day * DAY_MS + ms));
            }
            // No month is shorter than 28 days: what this one still has up to then is skipped with it.
            let skip = if self.expr.months & (1 << month) == 0 { 29 - i64::from(day_of_month) } else { 1 };
            (day, from_ms) = (day + skip.max(1), 0);
        }
        None
    }

    /// The last time that is not after `until`.
    fn last(self, until: Civil) -> Option<Civil> {
        let today = until.day();
        let (mut day, mut until_ms) = (today, until.0.rem_euclid(DAY_MS));
        while day >= today - SEARCH_DAYS {
            let (month, day_of_month) = month_and_day_of(day);
            if let Some(ms) = self.on(day).and_then(|on| on.last(until_ms)) {
                return Some(Civil(day * DAY_MS + ms));
            }
            let skip = if self.expr.months & (1 << month) == 0 { i64::from(day_of_month) } else { 1 };
            (day, until_ms) = (day - skip, DAY_MS - 1);
        }
        None
    }

    /// The times of this day, where the date fits.
    fn on(self, day: i64) -> Option<Times> {
        let (month, day_of_month) = month_and_day_of(day);
        let fits = |expr: &CronExpr| expr.has(month, day_of_month) && expr.weekdays.contains(weekday_of(day));
        fits(self.expr).then(|| Times {
            hours: self.expr.hours,
            minutes: self.expr.minutes,
            // A day on which it does not fire takes no times away.
            except: self
                .except
                .filter(|except| fits(except))
                .map_or((0, 0), |except| (except.hours, except.minutes)),
        })
    }
}

/// Times of one day: these minutes of these hours, without those minutes of those hours.
struct Times {
    hours: u32,
    minutes: u64,
    except: (u32, u64),
}

impl Times {
    /// The minutes of this hour, as bits.
    const fn minutes_of(&self, hour: u32) -> u64 {
        let except = if self.except.0 & (1 << hour) == 0 { 0 } else { self.except.1 };
        if self.hours & (1 << hour) == 0 { 0 } else { self.minutes & !except }
    }

    /// The first that is not before `from_ms`, in milliseconds after midnight.
    fn first(&self, from_ms: i64) -> Option<i64> {
        (0..24).find_map(|hour| {
            let start_ms = i64::from(hour) * HOUR_MS;
            let minutes = self.minutes_of(hour);
            let times =
                (0..60).filter(|minute| minutes & (1 << minute) != 0).map(|m| start_ms + m * MINUTE_MS);
            if start_ms + HOUR_MS <= from_ms { None } else { times.into_iter().find(|&ms| ms >= from_ms) }
        })
    }

    /// The last that is not after `until_ms`, in milliseconds after midnight.
    fn last(&self, until_ms: i64) -> Option<i64> {
        (0..24).rev().find_map(|hour| {
            let start_ms = i64::from(hour) * HOUR_MS;
            let minutes = self.minutes_of(hour);
            let times =
                (0..60).filter(|minute| minutes & (1 << minute) != 0).map(|m| start_ms + m * MINUTE_MS);
            if start_ms > until_ms { None } else { times.rev().find(|&ms| ms <= until_ms) }
        })
    }
}

/// The first spell that ends after `after`: from the first opening after a closing to the next closing.
///
/// A closing at the minute of an opening ends one spell where the next begins, so it is none.
pub(super) fn spell_after(open: &CronExpr, close: &CronExpr, after: Civil) -> Option<Spell> {
    let opening = Fires { expr: open, except: None };
    let closing = Fires { expr: close, except: Some(open) };
    let from = opening.next(closing.last(after)?)?;
    Some(Spell { from, to: closing.next(from)? })
}

#[cfg(test)]
mod tests {
    use ::chrono::{DateTime, Utc};
    use proptest::prelude::*;

    use super::*;

    fn expr(text: &str) -> CronExpr {
        CronExpr::parse(text).expect("a sound expression")
    }

    fn fires(expr: &CronExpr) -> Fires<'_> {
        Fires { expr, except: None }
    }

    fn civil(year: i32, month: u32, day: u32) -> Civil {
        Civil::new(year, month, day, 0, 0, 0).expect("a date that exists")
    }

    #[test]
    fn errors_say_which_field_and_what_was_expected() {
        let bad = |field, piece: &str| CronError::BadField { field, piece: piece.to_owned() };
        let never = |text: &str| CronError::NeverFires { text: text.to_owned() };
        for (text, error) in [
            ("", CronError::FieldCount { found: 0 }),
            ("@daily", CronError::FieldCount { found: 1 }),
            ("0 0 9 * * Mon", CronError::FieldCount { found: 6 }),
            ("60 9 * * *", bad(CronField::Minute, "60")),
            ("1* 9 * * *", bad(CronField::Minute, "1*")),
            ("1a 9 * * *", bad(CronField::Minute, "1a")),
            ("*/0 9 * * *", bad(CronField::Minute, "*/0")),
            ("99999999999 9 * * *", bad(CronField::Minute, "99999999999")),
            ("0 24 * * *", bad(CronField::Hour, "24")),
            ("0 22-6 * * *", bad(CronField::Hour, "22-6")),
            ("0 ? * * *", bad(CronField::Hour, "?")),
            ("0 9 0 * *", bad(CronField::DayOfMonth, "0")),
            ("0 9 L * *", bad(CronField::DayOfMonth, "L")),
            ("0 9 1 13 *", bad(CronField::Month, "13")),
            ("0 9 1 Foo *", bad(CronField::Month, "Foo")),
            ("0 9 * * 1-5", CronError::NumberedWeekday { piece: "1-5".to_owned() }),
            ("0 9 * * Mon#2", CronError::NumberedWeekday { piece: "Mon#2".to_owned() }),
            ("0 9 * * daily", WeekdaysError::UnknownDay { piece: "daily".to_owned() }.into()),
            ("0 0 31 Feb *", never("0 0 31 Feb *")),
            ("0 0 30 2 *", never("0 0 30 2 *")),
            ("0 0 31 4,jun,September,11 Mon", never("0 0 31 4,jun,September,11 Mon")),
        ] {
            assert_eq!(CronExpr::parse(text), Err(error), "{text}");
        }
        let message = CronExpr::parse("0 25 * * *").expect_err("no such hour").to_string();
        assert_eq!(
            message,
            "expected hours from 0 to 23 such as `9`, `9-16` or `*/2`, or `*`, found `25` as the hour"
        );
    }

    #[test]
    fn what_is_in_the_fields() {
        let bits = |numbers: &[u32]| numbers.iter().fold(0u64, |bits, n| bits | 1 << n);
        let e = expr("  */20   9-11,22 ?  jan,6-8  Sat-Mon ");
        assert_eq!(e.text(), "*/20 9-11,22 ? jan,6-8 Sat-Mon");
        assert_eq!(e.minutes, bits(&[0, 20, 40]));
        assert_eq!(u64::from(e.hours), bits(&[9, 10, 11, 22]));
        assert_eq!(u64::from(e.days), u64::from(u32::MAX) - 1);
        assert_eq!(u64::from(e.months), bits(&[1, 6, 7, 8]));
        assert_eq!(e.weekdays.to_string(), "Sat-Mon");
    }

    #[test]
    fn both_the_day_of_the_month_and_the_weekday_must_fit() {
        let first_monday = expr("0 9 1-7 * Mon");
        let mut at = civil(2026, 1, 1);
        let mut found = Vec::new();
        for _ in 0..3 {
            at = fires(&first_monday).next(at).expect("every month has one");
            found.push(at.to_string());
        }
        assert_eq!(found, ["2026-01-05T09:00:00", "2026-02-02T09:00:00", "2026-03-02T09:00:00"]);
    }

    #[test]
    fn next_is_strictly_after_and_last_is_not() {
        let e = expr("30 9 * * *");
        let at = Civil::new(2026, 5, 6, 9, 30, 0).expect("a time");
        assert_eq!(fires(&e).last(at), Some(at));
        assert_eq!(fires(&e).next(at), Some(Civil(at.0 + DAY_MS)));
        assert_eq!(fires(&e).next(Civil(at.0 - 1)), Some(at));
        assert_eq!(fires(&e).last(Civil(at.0 - 1)), Some(Civil(at.0 - DAY_MS)));
    }

    /// Why the search is our own. Where this fails, the crate has been mended.
    #[test]
    fn the_crate_s_search_is_wrong_beyond_its_last_year() {
        let schedule: Schedule = "0 0 0 31 12 *".parse().expect("sound");
        let march = utc(civil(2150, 3, 10));
        assert_eq!(schedule.after(&march).next(), None);
        let last = schedule.after(&march).next_back();
        assert_eq!(last, Some(utc(civil(2099, 12, 31))), "not even the last one that it has, in 2100");
        assert_eq!(fires(&expr("0 0 31 12 *")).last(civil(2150, 3, 10)), Some(civil(2149, 12, 31)));
    }

    /// The bound of the search: through all 400 years of the calendar, every date on every weekday.
    #[test]
    fn the_search_reaches_as_far_as_the_rarest_date() {
        let end = civil(2500, 1, 1);
        let mut longest_ms = 0;
        for weekday in super::super::Weekday::ALL {
            let e = expr(&format!("0 0 29 Feb {weekday}"));
            let mut at = fires(&e).next(civil(2000, 1, 1)).expect("within the search");
            while at < end {
                let next = fires(&e).next(at).expect("within the search");
                assert_eq!(fires(&e).last(Civil(next.0 - 1)), Some(at));
                longest_ms = longest_ms.max(next.0 - at.0);
                at = next;
            }
        }
        assert_eq!(longest_ms / DAY_MS, 40 * 365 + 9);
    }

    /// A cron expression that fires now and then.
    fn any_expr() -> impl Strategy<Value = CronExpr> {
        let minute = prop_oneof!["\\*", "[0-5]?[0-9]", "\\*/[1-9]", "[0-2][0-9]-[3-5][0-9]/1?[1-9]"];
        let hour = prop_oneof!["\\*", "1?[0-9]", "[0-9]-1[0-9]", "\\*/[1-9]", "0,2[0-3]"];
        let day = prop_oneof![3 => "\\*", 1 => "1?[1-9]", 1 => "2[0-9]-3[01]", 1 => "29", 1 => "\\*/[2-9]"];
        let month =
            prop_oneof![3 => "\\*", 1 => "[1-9]", 1 => "Feb", 1 => "(Jan|March)-(10|Oct)", 1 => "2,12"];
        let weekday = prop_oneof![3 => "\\*", 1 => "Mon-Fri", 1 => "Sat,Sun", 1 => "Wed", 1 => "Sat-Mon"];
        (minute, hour, day, month, weekday).prop_filter_map("it must fire", |(m, h, d, mon, w)| {
            CronExpr::parse(&format!("{m} {h} {d} {mon} {w}")).ok()
        })
    }

    fn utc(civil: Civil) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(civil.0).expect("within chrono's years")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// The crate's own search, where it can be trusted: in UTC, before 2100.
        #[test]
        fn the_search_agrees_with_the_crate(e in any_expr(), secs in 0..3_800_000_000i64, ms in 0..1_000i64) {
            // Weekdays as lists, since the crate has no range round the end of its week.
            let weekdays: Vec<String> = e.weekdays.iter().map(|day| day.to_string()).collect();
            let (fields, _) = e.text().rsplit_once(' ').expect("five fields");
            let schedule: Schedule = format!("0 {fields} {}", weekdays.join(",")).parse().expect("sound");
            let at = Civil(secs * 1_000 + ms);
            let ours = fires(&e).next(at).map(utc).filter(|t| *t < utc(civil(2100, 1, 1)));
            let theirs = schedule.after(&utc(at)).next().filter(|t| *t < utc(civil(2100, 1, 1)));
            prop_assert_eq!(ours, theirs);
            if let Some(last) = fires(&e).last(at) && last >= Civil(0) {
                prop_assert!(schedule.includes(utc(last)));
                prop_assert!(schedule.after(&utc(last)).next().is_none_or(|next| next > utc(at)));
            }
        }

        #[test]
        fn the_pieces_of_a_pair_agree_with_trying_every_minute(
            open in any_expr(), close in any_expr(), minute in 0..40_000_000i64,
        ) {
            prop_assume!(!close.within(&open));
            let fires = |e: &CronExpr, at: i64| {
                let (day, ms) = (at.div_euclid(DAY_MS), at.rem_euclid(DAY_MS));
                fires(e).on(day).and_then(|times| times.first(ms)) == Some(ms)
            };
            let after = Civil(minute * MINUTE_MS);
            let spell = spell_after(&open, &close, after).expect("it closes");
            prop_assert!(after < spell.to && spell.from < spell.to);
            prop_assert!(fires(&open, spell.from.0) && fires(&close, spell.to.0) && !fires(&open, spell.to.0));
            // Within it nothing closes; between `after` and it nothing opens.
            let minutes = |from: i64, to: i64| (from..to).step_by(60_000).take(3_000);
            prop_assert!(minutes(spell.from.0, spell.to.0).all(|t| !fires(&close, t) || fires(&open, t)));
            prop_assert!(minutes(after.0, spell.from.0).all(|t| !fires(&open, t)));
        }

        #[test]
        fn within_means_fires_whenever_the_other_does(a in any_expr(), b in any_expr()) {
            let alone = Fires { expr: &a, except: Some(&b) }.next(Civil(0));
            prop_assert_eq!(a.within(&b), alone.is_none());
            prop_assert!(a.within(&a));
        }

        #[test]
        fn no_text_panics(text in ".*", likely in "([0-9*/,?a-z-]{0,6}[ \t]){4}[a-zA-Z*,?-]{1,7}") {
            for text in [text, likely] {
                let _ = CronExpr::parse(&text);
            }
        }
    }
}
