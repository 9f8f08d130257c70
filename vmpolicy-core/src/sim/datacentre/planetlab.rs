//! PlanetLab's traces as Beloglazov and Buyya published them: a file a guest, a whole percent a line.
//!
//! Park and Pai, "CoMon: a mostly-scalable monitoring system for PlanetLab", ACM SIGOPS OSR 40(1), 2006.

use thiserror::Error;

/// A line that is no whole percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {line}: expected a whole number from 0 to 100, the percent of the processor in use")]
pub struct BadPercent {
    /// The line, from 1.
    pub line: usize,
}

/// Adds the percents of a file to `samples`, and says how many there were. Lines end as on Unix or Windows; empty lines
/// at the end don't count.
///
/// ```
/// use vmpolicy_core::sim::datacentre::percents;
/// let mut samples = Vec::new();
/// assert_eq!(percents(b"24\n34\n100\n", &mut samples), Ok(3));
/// assert_eq!(samples, [24, 34, 100]);
/// assert_eq!(percents(b"24\nload\n", &mut samples).unwrap_err().line, 2);
/// ```
///
/// # Errors
///
/// Where a line is no whole number from 0 to 100. `samples` then holds those before it.
pub fn percents(text: &[u8], samples: &mut Vec<u8>) -> Result<usize, BadPercent> {
    let before = samples.len();
    let end = text.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |last| last + 1);
    if end > 0 {
        for (index, line) in text[..end].split(|byte| *byte == b'\n').enumerate() {
            samples.push(percent(line).ok_or(BadPercent { line: index + 1 })?);
        }
    }
    Ok(samples.len() - before)
}

fn percent(line: &[u8]) -> Option<u8> {
    let digits = line.strip_suffix(b"\r").unwrap_or(line);
    if digits.is_empty() || digits.len() > 3 {
        return None;
    }
    let mut value = 0_u16;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).ok().filter(|value| *value <= 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_percent_is_told_with_its_line() {
        for (text, line) in [
            (&b"1\n\n2\n"[..], 2),
            (b"101\n", 1),
            (b"5\n-1\n", 2),
            (b"5\n5.5\n", 2),
            (b"0005\n", 1),
            (b"5\n 6\n", 2),
            (b"\xff\n", 1),
        ] {
            assert_eq!(percents(text, &mut Vec::new()), Err(BadPercent { line }), "{text:?}");
        }
        assert_eq!(percents(b"", &mut Vec::new()), Ok(0));
        assert_eq!(percents(b"\n\n", &mut Vec::new()), Ok(0));
    }

    proptest! {
        #[test]
        fn reads_what_was_written(values in prop::collection::vec(0..=100_u8, 0..300), windows: bool, ends: bool) {
            let newline = if windows { "\r\n" } else { "\n" };
            let mut text = values.iter().map(u8::to_string).collect::<Vec<_>>().join(newline);
            if ends {
                text.push_str(newline);
            }
            let mut samples = vec![7];
            prop_assert_eq!(percents(text.as_bytes(), &mut samples), Ok(values.len()));
            prop_assert_eq!(&samples[1..], &values[..]);
        }
    }
}
