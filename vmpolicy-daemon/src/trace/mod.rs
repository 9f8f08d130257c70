//! Recordings to backtest on: CSV, plain or gzip (contract, section 5), Parquet, and what a Prometheus server
//! answers.
//!
//! What can't be used is an error with its line; what can be used after some mending is used, and a
//! [`Note`] says so. Nothing is passed over in silence.

mod collect;
mod columns;
mod drafts;
mod error;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "prometheus")]
pub mod prometheus;
mod rows;
#[cfg(test)]
mod tests;
mod time;

pub use columns::Columns;
pub use error::{Note, NoteKind, Place, TraceError};
#[cfg(feature = "parquet")]
pub use parquet::ParquetError;
pub use time::BadTime;

pub(crate) use columns::nearest;
pub(crate) use time::parse as parse_time;

use crate::cli::Exit;
use collect::Collector;
use flate2::bufread::MultiGzDecoder;
use rows::Failed;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use vmpolicy_core::backtest::Trace;

/// Everything that a file has.
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// The series, in the order in which the file first names them; at least one.
    pub series: Vec<Series>,
    /// What was mended, by kind.
    pub notes: Vec<Note>,
}

/// One recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name, where the file has a column `series`.
    pub name: Option<String>,
    /// Its rows.
    pub trace: Trace,
}

/// Which series to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick<'a> {
    /// All.
    All,
    /// The one of this name. The rows of the others are only counted.
    One(&'a str),
}

/// Reads a file; `-` is standard input.
///
/// # Errors
///
/// Why it can't be used.
pub fn read_path(path: &Path, pick: Pick<'_>) -> Result<Traces, TraceError> {
    read_path_with(path, pick, &Columns::default())
}

/// As [`read_path`], with other names of columns.
///
/// # Errors
///
/// Why it can't be used.
pub fn read_path_with(path: &Path, pick: Pick<'_>, columns: &Columns) -> Result<Traces, TraceError> {
    if path == Path::new("-") {
        return read_with(io::stdin().lock(), pick, columns);
    }
    let says_parquet = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("parquet"));
    match read_any(File::open(path).map_err(TraceError::Read)?, pick, columns) {
        (Kind::Text, Err(error)) if says_parquet && error.exit() != Exit::Outside => {
            Err(TraceError::NotParquet(Box::new(error)))
        }
        (_, read) => read,
    }
}

/// Reads a trace from anywhere. What kind of file it is, its first bytes tell.
///
/// ```
/// use vmpolicy_daemon::trace::{Pick, read};
/// let text = "timestamp,value\n2009-05-06T12:44:20Z,76\n1241613920,12\n";
/// let traces = read(text.as_bytes(), Pick::All).unwrap();
/// assert_eq!(traces.series[0].trace.len(), 2);
/// ```
///
/// # Errors
///
/// Why it can't be used.
pub fn read(input: impl Read, pick: Pick<'_>) -> Result<Traces, TraceError> {
    read_with(input, pick, &Columns::default())
}

/// As [`read`], with other names of columns.
///
/// # Errors
///
/// Why it can't be used.
pub fn read_with(input: impl Read, pick: Pick<'_>, columns: &Columns) -> Result<Traces, TraceError> {
    read_any(input, pick, columns).1
}

/// What a file is, by its first bytes.
enum Kind {
    Text,
    Gzip,
    Parquet,
}

fn read_any(mut input: impl Read, pick: Pick<'_>, columns: &Columns) -> (Kind, Result<Traces, TraceError>) {
    let mut start = Vec::new();
    if let Err(error) = input.by_ref().take(8).read_to_end(&mut start) {
        return (Kind::Text, Err(TraceError::Read(error)));
    }
    if start.starts_with(b"PAR1") {
        (Kind::Parquet, read_parquet(start, input, pick, columns))
    } else if let Some(kind) = known_kind(&start) {
        (Kind::Text, Err(TraceError::NotCsv(kind)))
    } else if start.starts_with(b"\x1f\x8b") {
        (Kind::Gzip, read_csv(start, input, true, pick, columns))
    } else {
        (Kind::Text, read_csv(start, input, false, pick, columns))
    }
}

fn read_csv(
    start: Vec<u8>,
    input: impl Read,
    gzip: bool,
    pick: Pick<'_>,
    columns: &Columns,
) -> Result<Traces, TraceError> {
    let whole = io::Cursor::new(start).chain(input);
    let mut collector = Collector::new(pick, columns);
    let read = if gzip {
        rows::read(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, whole)), &mut collector)
    } else {
        rows::read(whole, &mut collector)
    };
    match read {
        Ok(()) => collector.finish(),
        Err(Failed::Content(error)) => Err(error),
        Err(Failed::Input(error)) => match (gzip, error.kind()) {
            (true, io::ErrorKind::UnexpectedEof) => Err(damaged("ends early", &collector)),
            (true, io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other) => {
                Err(damaged("is damaged", &collector))
            }
            _ => Err(TraceError::Read(error)),
        },
    }
}

#[cfg(feature = "parquet")]
fn read_parquet(
    mut start: Vec<u8>,
    mut rest: impl Read,
    pick: Pick<'_>,
    columns: &Columns,
) -> Result<Traces, TraceError> {
    rest.read_to_end(&mut start).map_err(TraceError::Read)?;
    parquet::read(start, pick, columns)
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(_: Vec<u8>, _: impl Read, _: Pick<'_>, _: &Columns) -> Result<Traces, TraceError> {
    Err(TraceError::NoParquet)
}

fn damaged(what: &'static str, collector: &Collector<'_>) -> TraceError {
    let (rows, upto) = collector.reached();
    TraceError::Gzip { what, rows, upto }
}

/// What a file is that is certainly no CSV, by its first bytes.
fn known_kind(start: &[u8]) -> Option<&'static str> {
    const KINDS: &[(&[u8], &str)] = &[
        (b"\x28\xB5\x2F\xFD", "zstd"),
        (b"\xFD7zXZ", "xz"),
        (b"BZh", "bzip2"),
        (b"PK\x03\x04", "a zip archive"),
        (b"PARE", "encrypted Parquet"),
        (b"ARROW1", "an Arrow file"),
        (b"\xFF\xFE", "UTF-16 text"),
        (b"\xFE\xFF", "UTF-16 text"),
        (b"SQLite ", "an SQLite database"),
    ];
    KINDS.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, kind)| *kind)
}
