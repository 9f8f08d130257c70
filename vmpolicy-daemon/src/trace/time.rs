//! Timestamps of a trace: RFC 3339, or seconds since the epoch.

/// The last second of the year 9999, which is as far as RFC 3339 goes.
const LAST_SECOND: i64 = 253_402_300_799;

/// So many digits make a number that fits, whatever they are.
const NEVER_OVERFLOWS: usize = 18;

/// Why a timestamp is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTime {
    /// Nothing there.
    #[error("the timestamp is empty")]
    Empty,
    /// Neither form.
    #[error("not a timestamp: write RFC 3339, such as 2009-05-06T12:44:20Z, or seconds since the epoch")]
    Neither,
    /// A date and time of day that could be anywhere.
    #[error("no zone: end it with `Z` or an offset such as `+02:00`")]
    NoZone,
    /// A month 13, a 30th of February, an hour 25.
    #[error("there is no such date or time of day")]
    NoSuchTime,
    /// Seconds that only make sense as something smaller.
    #[error("too large for seconds since the epoch: it looks like {0}; divide it first")]
    Smaller(&'static str),
    /// Seconds far beyond any calendar.
    #[error("beyond the year 9999")]
    TooFar,
}

/// Milliseconds since the epoch. Fractions are cut off behind the millisecond.
pub(crate) fn parse(text: &[u8]) -> Result<i64, BadTime> {
    let text = text.trim_ascii();
    match text {
        [] => Err(BadTime::Empty),
        [_, _, _, _, b'-', ..] => rfc3339(text),
        _ => seconds(text),
    }
}

fn seconds(text: &[u8]) -> Result<i64, BadTime> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let whole_len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = digits.split_at(whole_len);
    let fraction = match rest {
        [] => &[][..],
        [b'.', fraction @ ..] if !(whole.is_empty() && fraction.is_empty()) => fraction,
        _ => return scientific(text),
    };
    if !fraction.iter().all(u8::is_ascii_digit) {
        return scientific(text);
    }
    let value = |digit: &u8| i64::from(digit.wrapping_sub(b'0'));
    let whole = if whole.len() <= NEVER_OVERFLOWS {
        whole.iter().fold(0_i64, |sum, digit| sum.wrapping_mul(10).wrapping_add(value(digit)))
    } else {
        whole.iter().fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(value(digit)))
    };
    let millis = plausible(whole)?.saturating_mul(1_000).saturating_add(millis_of(fraction));
    Ok(if negative { -millis } else { millis })
}

/// Milliseconds since the epoch, of whole seconds.
#[cfg(feature = "parquet")]
pub(super) fn of_seconds(seconds: i64) -> Result<i64, BadTime> {
    plausible(seconds.saturating_abs())?;
    Ok(seconds * 1_000)
}

/// Milliseconds since the epoch, of seconds with a fraction, to the nearest.
pub(super) fn of_float(seconds: f64) -> Result<i64, BadTime> {
    if !seconds.is_finite() {
        return Err(BadTime::Neither);
    }
    plausible(seconds.abs() as i64)?;
    Ok((seconds * 1_000.0).round() as i64)
}

/// Milliseconds since the epoch, unless no calendar goes so far.
#[cfg(feature = "parquet")]
pub(super) const fn of_millis(millis: i64) -> Result<i64, BadTime> {
    if millis.saturating_abs() / 1_000 <= LAST_SECOND { Ok(millis) } else { Err(BadTime::TooFar) }
}

/// `1.24e9`, as some programs print large numbers.
fn scientific(text: &[u8]) -> Result<i64, BadTime> {
    let number: f64 =
        std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(BadTime::Neither)?;
    of_float(number)
}

/// Refuses seconds beyond the year 9999, and says what they may be instead.
fn plausible(seconds: i64) -> Result<i64, BadTime> {
    if seconds <= LAST_SECOND {
        return Ok(seconds);
    }
    // As milliseconds, the year 9999 is 15 digits; now is 13, and in micro- and nanoseconds 16 and 19.
    const MILLIS_END: i64 = 100_000_000_000_000;
    const MICROS_END: i64 = MILLIS_END * 1_000;
    Err(if seconds < MILLIS_END {
        BadTime::Smaller("milliseconds")
    } else if seconds < MICROS_END {
        BadTime::Smaller("microseconds")
    } else if seconds < i64::MAX {
        BadTime::Smaller("nanoseconds")
    } else {
        BadTime::TooFar
    })
}

/// `YYYY-MM-DDTHH:MM:SS`, a fraction where there is one, and `Z` or an offset.
fn rfc3339(text: &[u8]) -> Result<i64, BadTime> {
    let shape = |at: usize, of: &[u8]| text.get(at).is_some_and(|byte| of.contains(byte));
    if !(shape(7, b"-") && shape(10, b"Tt ") && shape(13, b":") && shape(16, b":")) {
        return Err(BadTime::Neither);
    }
    let two = |at: usize| number(text.get(at..at + 2)?);
    let parts = (number(&text[..4]), two(5), two(8), two(11), two(14), two(17));
    let (Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)) = parts else {
        return Err(BadTime::Neither);
    };
    // A leap second is taken as the first of the next minute.
    if !(1..=12).contains(&month)
        || day < 1
        || day > days_in(year, month)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return Err(BadTime::NoSuchTime);
    }
    let mut rest = &text[19..];
    let mut millis = 0;
    if let [b'.', after @ ..] = rest {
        let len = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if len == 0 {
            return Err(BadTime::Neither);
        }
        millis = millis_of(&after[..len]);
        rest = &after[len..];
    }
    let local = (days_from_epoch(year, month, day) * 24 + hour) * 60 + minute;
    Ok(((local - offset_minutes(rest)?) * 60 + second) * 1_000 + millis)
}

fn offset_minutes(text: &[u8]) -> Result<i64, BadTime> {
    let sign = match text {
        [] => return Err(BadTime::NoZone),
        [b'Z' | b'z'] => return Ok(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return Err(BadTime::Neither),
    };
    let parts = match text {
        [_, h1, h2, b':', m1, m2] | [_, h1, h2, m1, m2] => (number(&[*h1, *h2]), number(&[*m1, *m2])),
        [_, h1, h2] => (number(&[*h1, *h2]), Some(0)),
        _ => return Err(BadTime::Neither),
    };
    match parts {
        (Some(hours @ 0..=23), Some(minutes @ 0..=59)) => Ok(sign * (hours * 60 + minutes)),
        (Some(_), Some(_)) => Err(BadTime::NoSuchTime),
        _ => Err(BadTime::Neither),
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// The first three digits behind the point.
fn millis_of(fraction: &[u8]) -> i64 {
    let digit = |at: usize| fraction.get(at).map_or(0, |digit| i64::from(digit - b'0'));
    digit(0) * 100 + digit(1) * 10 + digit(2)
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + is_leap(year) as i64,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level
/// date algorithms", `days_from_civil`): years begin in March, so that the leap day is the last.
const fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn timestamps_in_every_form() {
        let cases: &[(&str, Result<i64, BadTime>)] = &[
            ("1241613860", Ok(1_241_613_860_000)),
            (" 1241613860.5 ", Ok(1_241_613_860_500)),
            ("0", Ok(0)),
            ("-1.25", Ok(-1_250)),
            (".5", Ok(500)),
            ("1.241613860e9", Ok(1_241_613_860_000)),
            ("2009-05-06T12:44:20Z", Ok(1_241_613_860_000)),
            ("2009-05-06 14:44:20.123456+02:00", Ok(1_241_613_860_123)),
            ("2009-05-06t07:44:20.1-0500", Ok(1_241_613_860_100)),
            ("2016-12-31T23:59:60Z", Ok(1_483_228_800_000)),
            ("0000-03-01T00:00:00Z", Ok(-62_162_035_200_000)),
            ("2009-05-06T12:44:20", Err(BadTime::NoZone)),
            ("2009-02-29T12:44:20Z", Err(BadTime::NoSuchTime)),
            ("2009-05-06T12:44:20+25:00", Err(BadTime::NoSuchTime)),
            ("2009-05-06", Err(BadTime::Neither)),
            ("2009-05-06T12:44Z", Err(BadTime::Neither)),
            ("2009-05-06T12:44:20.Z", Err(BadTime::Neither)),
            ("06.05.2009", Err(BadTime::Neither)),
            ("nan", Err(BadTime::Neither)),
            (".", Err(BadTime::Neither)),
            ("", Err(BadTime::Empty)),
            ("1241613860000", Err(BadTime::Smaller("milliseconds"))),
            ("1241613860000000", Err(BadTime::Smaller("microseconds"))),
            ("1241613860000000000", Err(BadTime::Smaller("nanoseconds"))),
            ("-1241613860000", Err(BadTime::Smaller("milliseconds"))),
            ("99999999999999999999999", Err(BadTime::TooFar)),
            ("1e300", Err(BadTime::TooFar)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text.as_bytes()), *expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..40), text in "[-+0-9TZ:. e]{0,30}") {
            let _ = (parse(&bytes), parse(text.as_bytes()));
        }

        #[test]
        fn reads_what_is_printed(millis in -62_135_596_800_000_i64..253_402_300_799_000) {
            let printed = vmpolicy_core::time::Wall(millis).to_string();
            prop_assert_eq!(parse(printed.as_bytes()), Ok(millis));
        }
    }
}
