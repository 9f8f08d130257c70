//! Texts of one value each: spans of time, amounts of data, tarries, budgets, numbers.

use crate::leaf::tarry::Tarry;
use crate::policy::{AtMost, units};
use crate::time::Span;

/// Longer than any machine runs; what is longer is a slip.
const LONGEST_MS: u64 = 36_500 * 86_400_000;

const NO_UNIT: &str = "it has no unit; write such as `60s`, `5m`, `1h30m` or `250ms`";
const NO_SPAN: &str = "expected numbers with units, such as `60s`, `5m`, `1h30m` or `250ms`";

/// Reads a span of time as a policy file has it: numbers with the units `d`, `h`, `m`, `s` and `ms`, the
/// larger before the smaller, to a millisecond.
///
/// ```
/// use vmpolicy_core::{file::parse_span, time::Span};
/// assert_eq!(parse_span("1h30m"), Ok(Span::from_mins(90)));
/// assert_eq!(parse_span("1.5s"), Ok(Span::from_millis(1_500)));
/// assert!(parse_span("45").is_err());
/// ```
///
/// # Errors
///
/// Why the text is no span.
pub fn parse_span(text: &str) -> Result<Span, &'static str> {
    if text.starts_with('-') {
        return Err("it can't be negative");
    }
    if text.is_empty() {
        return Err(NO_SPAN);
    }
    if text.parse::<f64>().is_ok() {
        return Err(NO_UNIT);
    }
    let (mut rest, mut total, mut before) = (text, 0_u64, u64::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(NO_UNIT)?;
        let (number, tail) = rest.split_at(digits);
        let unit_len = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_len);
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "us" | "µs" | "ns" => return Err("a millisecond is the least"),
            "w" | "y" => return Err("the units are `d`, `h`, `m`, `s` and `ms`"),
            _ => return Err(NO_SPAN),
        };
        if unit_ms >= before {
            return Err("the larger unit comes first, and each of them once");
        }
        before = unit_ms;
        if number.contains('.') && !tail.is_empty() {
            return Err("only the last number may have a fraction");
        }
        total = total.checked_add(millis(number, unit_ms)?).ok_or("it is longer than a hundred years")?;
        rest = tail;
    }
    if total > LONGEST_MS { Err("it is longer than a hundred years") } else { Ok(Span::from_millis(total)) }
}

/// A decimal number of a unit in milliseconds, exactly.
fn millis(number: &str, unit_ms: u64) -> Result<u64, &'static str> {
    let too_long = "it is longer than a hundred years";
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let shaped = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !shaped(fraction) || (number.contains('.') && fraction.is_empty()) {
        return Err(NO_SPAN);
    }
    let whole: u64 = whole.parse().map_err(|_| too_long)?;
    let mut total = whole.checked_mul(unit_ms).ok_or(too_long)?;
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        let too_fine = "a millisecond is the least";
        // A day has 86,400,000 ms = 2^10 · 3^3 · 5^5: no longer fraction of a unit is whole.
        if fraction.len() > 10 {
            return Err(too_fine);
        }
        let scale = 10_u64.pow(u32::try_from(fraction.len()).map_err(|_| too_fine)?);
        let parts: u64 = fraction.parse().map_err(|_| too_fine)?;
        let parts = parts.checked_mul(unit_ms).ok_or(too_fine)?;
        if parts % scale != 0 {
            return Err(too_fine);
        }
        total = total.checked_add(parts / scale).ok_or(too_long)?;
    }
    Ok(total)
}

/// `3`, `5m`, `4 of 5`.
pub(crate) fn tarry(text: &str) -> Option<Tarry> {
    if let Some((hits, last)) = text.split_once(" of ") {
        let number = |text: &str| whole(text.trim()).and_then(|number| u8::try_from(number).ok());
        return Some(Tarry::Of { hits: number(hits)?, last: number(last)? });
    }
    whole(text).map(Tarry::Consecutive).or_else(|| parse_span(text).ok().map(Tarry::Lasting))
}

/// `12 per 1h`.
pub(super) fn budget(text: &str) -> Option<AtMost> {
    let (count, per) = text.split_once(" per ")?;
    Some(AtMost { count: whole(count.trim())?, per: parse_span(per.trim()).ok()? })
}

/// Digits only: no sign, no fraction, no exponent.
pub(super) fn whole(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A decimal number, perhaps with an exponent; YAML's `.nan` and `.inf` are numbers here, for the
/// judgement to refuse.
pub(crate) fn number(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        ".nan" | "nan" => return Some(f64::NAN),
        ".inf" | "+.inf" | "inf" | "+inf" => return Some(f64::INFINITY),
        "-.inf" | "-inf" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let shaped = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    shaped.then(|| text.parse().ok()).flatten()
}

/// `4GiB`, and `3MiB/s` where it is per second; in bytes.
pub(super) fn data(text: &str, per_second: bool) -> Option<f64> {
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit);
    let unit = unit.trim();
    let unit = if per_second { unit.strip_suffix("/s").unwrap_or(unit) } else { unit };
    units::convert(self::number(number)?, unit, "B")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_of_time() {
        let cases = [
            ("0s", Ok(0)),
            ("45s", Ok(45_000)),
            ("1h30m", Ok(5_400_000)),
            ("250ms", Ok(250)),
            ("1.5s", Ok(1_500)),
            ("0.25h", Ok(900_000)),
            ("1d2h3m4s5ms", Ok(93_784_005)),
            ("45", Err(NO_UNIT)),
            ("-1s", Err("it can't be negative")),
            ("1m1h", Err("the larger unit comes first, and each of them once")),
            ("1s1s", Err("the larger unit comes first, and each of them once")),
            ("1.5h30m", Err("only the last number may have a fraction")),
            ("1.0005s", Err("a millisecond is the least")),
            ("10us", Err("a millisecond is the least")),
            ("1 h", Err(NO_SPAN)),
            ("", Err(NO_SPAN)),
            ("s", Err(NO_SPAN)),
            (".5s", Err(NO_SPAN)),
            ("1.s", Err(NO_SPAN)),
            ("99999999999999999999d", Err("it is longer than a hundred years")),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_span(text).map(Span::millis), expected, "{text}");
        }
    }

    #[test]
    fn amounts_of_data() {
        assert_eq!(data("4GiB", false), Some(4_294_967_296.0));
        assert_eq!(data("24Mbit/s", true), Some(3_000_000.0));
        assert_eq!(data("4GiB/s", false), None);
        assert_eq!(data("4", false), None);
        assert_eq!(data("4 furlongs", false), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(millis in 0_u64..LONGEST_MS, of in (1_u8..=64, 1_u8..=64), count in 0_u32..) {
            let span = Span::from_millis(millis);
            prop_assert_eq!(parse_span(&span.to_string()), Ok(span));
            for written in [Tarry::Lasting(span), Tarry::Consecutive(count), Tarry::Of { hits: of.0, last: of.1 }] {
                prop_assert_eq!(tarry(&written.to_string()), Some(written));
            }
        }

        #[test]
        fn no_text_is_too_much(text in "\\PC{0,20}") {
            let _ = (parse_span(&text), tarry(&text), budget(&text), number(&text), data(&text, true));
        }
    }
}
