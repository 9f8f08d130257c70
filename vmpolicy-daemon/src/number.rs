//! The first number in a text that somebody else wrote.

use vmpolicy_core::input::Absence;

/// Finds the first number in `text`: an optional sign, digits with or without decimals, an optional
/// exponent. It may follow any character but a letter, digit, underscore or point (so `disk1: 40` holds
/// 40), and a unit may follow it (`42ms`).
///
/// `cut` says that the text goes on where the bytes end; a number that touches the end is no number then.
///
/// ```
/// use vmpolicy_core::input::Absence;
/// use vmpolicy_daemon::number::first_number;
/// assert_eq!(first_number(b"queue length: -1.5e2 jobs\n", false), Ok(-150.0));
/// assert_eq!(first_number(b"load nan", false), Err(Absence::NotFinite));
/// assert_eq!(first_number(b" \n", false), Err(Absence::Missing));
/// assert_eq!(first_number(b"none", false), Err(Absence::Unparsable));
/// ```
///
/// # Errors
///
/// `Missing` where there is nothing but white space, `Unparsable` where there is no number,
/// `NotFinite` for `nan`, `inf` and what is too large.
pub fn first_number(text: &[u8], cut: bool) -> Result<f64, Absence> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(Absence::Missing);
    }
    let mut at = 0;
    while at < text.len() {
        let bound = at == 0 || !is_word(text[at - 1]);
        if !bound {
            at += 1;
            continue;
        }
        let sign = usize::from(matches!(text[at], b'+' | b'-'));
        let rest = &text[at + sign..];
        if let Some(len) = number_len(rest) {
            let end = at + sign + len;
            if cut && end == text.len() || is_hexadecimal(rest) {
                return Err(Absence::Unparsable);
            }
            return parse(&text[at..end]);
        }
        if is_special(rest) {
            return Err(Absence::NotFinite);
        }
        at += 1;
    }
    Err(Absence::Unparsable)
}

/// Reads `text` as one number and nothing else, white space around it aside.
///
/// # Errors
///
/// As [`first_number`].
pub fn only_number(text: &[u8]) -> Result<f64, Absence> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Err(Absence::Missing);
    }
    let sign = usize::from(matches!(text[0], b'+' | b'-'));
    match number_len(&text[sign..]) {
        Some(len) if sign + len == text.len() => parse(text),
        None if is_special(&text[sign..]) => Err(Absence::NotFinite),
        _ => Err(Absence::Unparsable),
    }
}

fn parse(text: &[u8]) -> Result<f64, Absence> {
    match std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()) {
        Some(value) if value.is_finite() => Ok(value),
        Some(_) => Err(Absence::NotFinite),
        None => Err(Absence::Unparsable),
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') || !byte.is_ascii()
}

/// How long the unsigned number is that the text begins with.
fn number_len(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(0);
    let mut len = whole;
    if text.get(len) == Some(&b'.') {
        let decimals = digits(len + 1);
        if whole + decimals == 0 {
            return None;
        }
        if decimals > 0 {
            len += 1 + decimals;
        }
    }
    if len == 0 {
        return None;
    }
    if matches!(text.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        if text.len() > len + 1 + sign {
            let exponent = digits(len + 1 + sign);
            if exponent > 0 {
                len += 1 + sign + exponent;
            }
        }
    }
    Some(len)
}

/// `0x1F` is not the number 0.
fn is_hexadecimal(text: &[u8]) -> bool {
    matches!(text, [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit())
}

fn is_special(text: &[u8]) -> bool {
    let word = text.iter().take_while(|byte| is_word(**byte)).count();
    ["nan", "inf", "infinity"].iter().any(|name| text[..word].eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_grammar() {
        for (text, expected) in [
            ("1", Ok(1.0)),
            ("+1.50\n", Ok(1.5)),
            ("-.5", Ok(-0.5)),
            ("5.", Ok(5.0)),
            ("1e3x", Ok(1_000.0)),
            ("1e", Ok(1.0)),
            ("1e+", Ok(1.0)),
            ("--7", Ok(-7.0)),
            ("disk1: 40", Ok(40.0)),
            ("42ms", Ok(42.0)),
            ("p_9 v1.2 =3", Ok(3.0)),
            ("\u{fffd}9 8", Ok(8.0)),
            ("0.5 0.4 0.3 1/99 1234", Ok(0.5)),
            ("1e999", Err(Absence::NotFinite)),
            ("-Infinity", Err(Absence::NotFinite)),
            ("info 3", Ok(3.0)),
            ("x=NaN", Err(Absence::NotFinite)),
            ("0x1F", Err(Absence::Unparsable)),
            (".", Err(Absence::Unparsable)),
            ("-", Err(Absence::Unparsable)),
            ("", Err(Absence::Missing)),
            (" \t\r\n", Err(Absence::Missing)),
        ] {
            assert_eq!(first_number(text.as_bytes(), false), expected, "{text:?}");
        }
        assert_eq!(first_number(b"12", true), Err(Absence::Unparsable));
        assert_eq!(first_number(b"12 ", true), Ok(12.0));
        assert_eq!(only_number(b" 12\n"), Ok(12.0));
        assert_eq!(only_number(b"12 13"), Err(Absence::Unparsable));
        assert_eq!(only_number(b"ON"), Err(Absence::Unparsable));
        assert_eq!(only_number(b"-inf"), Err(Absence::NotFinite));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(text in prop::collection::vec(any::<u8>(), 0..200), cut in any::<bool>()) {
            if let Ok(value) = first_number(&text, cut) {
                prop_assert!(value.is_finite());
            }
            let _ = only_number(&text);
        }

        #[test]
        fn what_is_printed_is_read(value in -1e300_f64..1e300) {
            prop_assert_eq!(first_number(format!("value {value} s").as_bytes(), true), Ok(value));
            prop_assert_eq!(only_number(format!("{value:e}").as_bytes()), Ok(value));
        }
    }
}
