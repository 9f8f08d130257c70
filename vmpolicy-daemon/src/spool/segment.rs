//! A segment: a file of some of a spool's records, in lines.
//!
//! ```text
//! vmpolicy-spool 1 <the log's id>
//! <CRC-32 of the rest> <number> <record>
//! ```
//!
//! A line that is not exactly so is no record: a crash has cut it off, or a disk has changed it. The records of a
//! segment end where the next one begins, which its name says; what stands there of a higher number was never taken in.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const HEAD: &str = "vmpolicy-spool 1 ";

/// How a segment's name ends.
const ENDING: &str = ".spool";

/// The digits of the first number in a segment's name: names sort as numbers do.
const DIGITS: usize = 20;

/// The name of the segment that begins with this number.
pub(super) fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:0DIGITS$}{ENDING}"))
}

/// With which number the segment of this name begins; none, if it is no segment.
pub(super) fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(ENDING)?;
    (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

/// The first line of a segment.
pub(super) fn head(log: &str) -> String {
    format!("{HEAD}{log}\n")
}

/// The log's id, from a segment's first line.
pub(super) fn log_of(bytes: &[u8]) -> Option<String> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let id = std::str::from_utf8(line).ok()?.strip_prefix(HEAD)?;
    (id.len() == 16
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && bytes.get(line.len()) == Some(&b'\n'))
    .then(|| id.to_owned())
}

/// Appends a record's line.
pub(super) fn add(number: u64, record: &[u8], to: &mut Vec<u8>) {
    let mut rest = format!("{number} ").into_bytes();
    rest.extend_from_slice(record);
    let mut crc = String::with_capacity(9);
    // Writing to a text never fails.
    let _ = write!(crc, "{:08x} ", crc32fast::hash(&rest));
    to.extend_from_slice(crc.as_bytes());
    to.append(&mut rest);
    to.push(b'\n');
}

/// The sound records of a segment from this number on, each with its number; no bytes make it panic.
pub(super) fn records(bytes: &[u8], from: u64) -> impl Iterator<Item = (u64, &[u8])> {
    // What has no end is cut off.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut last = None;
    bytes[..whole].split(|byte| *byte == b'\n').filter_map(move |line| {
        let rest = line.get(9..).filter(|_| line[8] == b' ')?;
        let space = rest.iter().take(21).position(|byte| *byte == b' ')?;
        let number: u64 = std::str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
        if number < from || last.is_some_and(|last| number <= last) {
            return None;
        }
        // Written anew and compared: then no other spelling passes.
        if line[..8] != *format!("{:08x}", crc32fast::hash(rest)).as_bytes() {
            return None;
        }
        last = Some(number);
        Some((number, &rest[space + 1..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn three() -> Vec<u8> {
        let mut bytes = head("0123456789abcdef").into_bytes();
        for number in 7..10 {
            add(number, format!("{{\"n\":{number}}}").as_bytes(), &mut bytes);
        }
        bytes
    }

    fn numbers(bytes: &[u8]) -> Vec<u64> {
        records(bytes, 0).map(|(number, _)| number).collect()
    }

    #[test]
    fn names_say_where_a_segment_begins() {
        let path = path(Path::new("/x"), 42);
        assert_eq!(path.to_str(), Some("/x/00000000000000000042.spool"));
        assert_eq!(first_of("00000000000000000042.spool"), Some(42));
        for name in ["42.spool", "cursor", "00000000000000000042.spool.new", "99999999999999999999.spool"] {
            assert_eq!(first_of(name), None, "{name}");
        }
    }

    #[test]
    fn what_was_written_is_read_and_a_prefix_gives_whole_records_only() {
        let bytes = three();
        assert_eq!(log_of(&bytes).as_deref(), Some("0123456789abcdef"));
        let read: Vec<_> = records(&bytes, 8).collect();
        assert_eq!(read, [(8, &b"{\"n\":8}"[..]), (9, b"{\"n\":9}")]);
        for length in 0..bytes.len() {
            let part = &bytes[..length];
            let ends = part.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(numbers(part).len(), ends.saturating_sub(1), "{length}");
        }
    }

    #[test]
    fn a_changed_bit_costs_the_records_that_it_is_in() {
        let bytes = three();
        let start = head("0123456789abcdef").len();
        for bit in start * 8..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let left = records(&flipped, 0).collect::<Vec<_>>();
            assert!(!left.is_empty() && left.len() < 3, "bit {bit}");
            for (number, record) in left {
                assert_eq!(record, format!("{{\"n\":{number}}}").as_bytes(), "bit {bit}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = log_of(&bytes);
            prop_assert_eq!(records(&bytes, 0).count(), 0);
        }
    }
}
