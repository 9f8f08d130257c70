//! From bytes to rows of fields: fast where the file is plain, right where it is not.
//!
//! Nearly every trace is lines of fields without a quote. Those are split here. From the first record on
//! that has a quote, or a carriage return within the line, the `csv` crate takes over: whether a comma
//! or a line end counts depends on quotes, so there is no way back.

use super::error::TraceError;
use std::io::{self, Read};

/// No line of a trace is longer.
const LONGEST_LINE: usize = 1 << 20;
/// What some editors put before UTF-8 text.
const BOM: &[u8] = b"\xEF\xBB\xBF";
/// How much is read at once.
const CHUNK: usize = 1 << 18;

/// What is told of each record: its line, counted from 1, and its fields.
pub(super) trait Take {
    /// Takes one record.
    fn record(&mut self, line: u64, fields: &Fields<'_>) -> Result<(), TraceError>;
}

/// The fields of one record.
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    /// Where each field ends.
    ends: &'a [usize],
    /// How many bytes stand between two fields.
    gap: usize,
}

impl<'a> Fields<'a> {
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> &'a [u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] + self.gap };
        &self.bytes[start..self.ends[index]]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// How reading failed: the input, or what is in it.
#[derive(Debug)]
pub(super) enum Failed {
    Input(io::Error),
    Content(TraceError),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Input(error)
    }
}

impl From<TraceError> for Failed {
    fn from(error: TraceError) -> Self {
        Self::Content(error)
    }
}

/// Reads everything and hands over one record after the other; blank lines are passed over.
pub(super) fn read(mut input: impl Read, take: &mut impl Take) -> Result<(), Failed> {
    let mut plain = Plain { line: 1, ends: Vec::new() };
    let mut buffer = vec![0; CHUNK];
    let (mut filled, mut first) = (0, true);
    loop {
        if filled == buffer.len() {
            if filled > LONGEST_LINE {
                return Err(TraceError::LongLine { line: plain.line, limit: LONGEST_LINE }.into());
            }
            buffer.resize(filled * 2, 0);
        }
        let read = match input.read(&mut buffer[filled..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        filled += read;
        if first && filled < BOM.len() && read > 0 {
            continue;
        }
        let start =
            if std::mem::take(&mut first) && buffer[..filled].starts_with(BOM) { BOM.len() } else { 0 };
        if read == 0 && filled > start && buffer[filled - 1] != b'\n' {
            // There is room: a full buffer has grown above.
            buffer[filled] = b'\n';
            filled += 1;
        }
        let (done, odd) = plain.lines(&buffer[start..filled], take)?;
        let rest = start + done..filled;
        match odd {
            None => {}
            Some(Odd::Quote) => return quoted(buffer[rest].chain(input), plain.line, take),
            Some(Odd::Return) => return returns(buffer[rest].chain(input), plain.line, take),
        }
        if read == 0 {
            return Ok(());
        }
        filled = rest.len();
        buffer.copy_within(rest, 0);
    }
}

/// What makes a line more than plain.
#[derive(Clone, Copy, Debug)]
enum Odd {
    /// A quote.
    Quote,
    /// A carriage return that is not before a line feed.
    Return,
}

/// Lines without quotes.
struct Plain {
    line: u64,
    ends: Vec<usize>,
}

impl Plain {
    /// Takes every whole line, up to the first that is not plain: how many bytes were taken, and what is odd about the
    /// next line, where that is why.
    fn lines(&mut self, bytes: &[u8], take: &mut impl Take) -> Result<(usize, Option<Odd>), TraceError> {
        let mut start = 0;
        self.ends.clear();
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                b',' => self.ends.push(at - start),
                b'\n' => {
                    let end = if at > start && bytes[at - 1] == b'\r' { at - 1 } else { at };
                    let text = &bytes[start..end];
                    if !(self.ends.is_empty() && text.trim_ascii().is_empty()) {
                        self.ends.push(text.len());
                        take.record(self.line, &Fields { bytes: text, ends: &self.ends, gap: 1 })?;
                    }
                    self.ends.clear();
                    self.line += 1;
                    start = at + 1;
                }
                b'"' => return Ok((start, Some(Odd::Quote))),
                b'\r' if bytes.get(at + 1).is_some_and(|&next| next != b'\n') => {
                    return Ok((start, Some(Odd::Return)));
                }
                _ => {}
            }
        }
        Ok((start, None))
    }
}

/// The rest of the input, by the rules of RFC 4180; it begins with this line.
fn quoted(rest: impl Read, first_line: u64, take: &mut impl Take) -> Result<(), Failed> {
    // The reader counts line feeds, and knows after a record how many there were up to its end. So each
    // record must have one at its end, and those within it are taken off.
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(rest.chain(&b"\n"[..]));
    let (mut record, mut ends) = (csv::ByteRecord::new(), Vec::new());
    loop {
        let start = first_line + reader.position().line().saturating_sub(1);
        if !reader.read_byte_record(&mut record).map_err(io::Error::from)? {
            return Ok(());
        }
        let within = record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
        let line = first_line + reader.position().line().saturating_sub(2 + within);
        if within > 0 {
            // No name, time or number has more than one line: rows would be lost in it without a word.
            return Err(TraceError::OpenQuote(start).into());
        }
        hand_over(&record, &mut ends, line, take)?;
    }
}

/// The rest of the input, whose lines end with carriage returns; it begins with this line.
fn returns(rest: impl Read, first_line: u64, take: &mut impl Take) -> Result<(), Failed> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(rest);
    let (mut record, mut ends) = (csv::ByteRecord::new(), Vec::new());
    for line in first_line.. {
        if !reader.read_byte_record(&mut record).map_err(io::Error::from)? {
            break;
        }
        hand_over(&record, &mut ends, line, take)?;
    }
    Ok(())
}

fn hand_over(
    record: &csv::ByteRecord,
    ends: &mut Vec<usize>,
    line: u64,
    take: &mut impl Take,
) -> Result<(), TraceError> {
    let mut bytes = record.as_slice();
    ends.clear();
    ends.extend((0..record.len()).filter_map(|index| record.range(index)).map(|range| range.end));
    if let (Some(end), Some(shorter)) = (ends.last_mut(), bytes.strip_suffix(b"\r")) {
        (*end, bytes) = (shorter.len(), shorter);
    }
    if ends.len() == 1 && bytes.trim_ascii().is_empty() {
        return Ok(());
    }
    take.record(line, &Fields { bytes, ends, gap: 0 })
}
