//! What can be wrong with a trace, and what is merely worth saying.

#[cfg(feature = "parquet")]
use super::parquet::ParquetError;
#[cfg(feature = "prometheus")]
use super::prometheus::QueryError;
use super::time::BadTime;
use crate::cli::Exit;
use std::fmt;
use std::io;

/// Why a trace can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file can't be opened or read.
    #[error("can't read it: {0}")]
    Read(#[source] io::Error),
    /// The compressed stream is torn or damaged.
    #[error("the gzip stream {what} after {rows} rows{}", upto.as_deref().map(|at| format!(" (up to {at})")).unwrap_or_default())]
    Gzip {
        /// What is the matter with it.
        what: &'static str,
        /// How many rows could be read before.
        rows: u64,
        /// The time of the last one, as written.
        upto: Option<String>,
    },
    /// A file of another kind.
    #[error("this is {0}, not CSV: unpack or convert it first")]
    NotCsv(&'static str),
    /// Parquet, in a program that was built without it.
    #[error("this is Parquet, and this program was built without the feature `parquet`: convert it to CSV")]
    NoParquet,
    /// Something that is called Parquet, and is something else.
    #[error("its name says Parquet, but it does not begin with `PAR1`; as CSV: {0}")]
    NotParquet(#[source] Box<TraceError>),
    /// What is the matter with a Parquet file.
    #[cfg(feature = "parquet")]
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// What is the matter with a range query.
    #[cfg(feature = "prometheus")]
    #[error(transparent)]
    Prometheus(#[from] QueryError),
    /// Nothing in it.
    #[error("it is empty: a trace begins with the header `timestamp,value` or `series,timestamp,value`")]
    Empty,
    /// A header and nothing else.
    #[error("there is no row in it")]
    NoRows,
    /// The first line is data.
    #[error("line 1: a header is missing: put `timestamp,value` or `series,timestamp,value` before the data")]
    NoHeader,
    /// A column that a trace needs is not in the header.
    #[error("there is no column `{column}`; there are {}{}", list(found), hint(near))]
    MissingColumn {
        /// The column.
        column: String,
        /// Those that there are.
        found: Vec<String>,
        /// What might have been meant, or how the file might be separated.
        near: Option<String>,
    },
    /// A column that a trace needs is there twice.
    #[error("there are two columns `{0}`")]
    DoubleColumn(String),
    /// A line with more or fewer fields than the header.
    #[error("line {line}: {found} {} where the header has {expected}{}", if *found == 1 { "field" } else { "fields" }, if *found == *expected + 1 { " (a decimal comma? write a point)" } else { "" })]
    FieldCount {
        /// The line, counted from 1.
        line: u64,
        /// How many fields it has.
        found: usize,
        /// How many the header has.
        expected: usize,
    },
    /// A row whose time can't be told.
    #[error("{place}: {}{why}", if text.is_empty() { String::new() } else { format!("`{text}`: ") })]
    Time {
        /// Which row.
        place: Place,
        /// What was written.
        text: String,
        /// Why it is no timestamp.
        why: BadTime,
    },
    /// Bytes that are not text.
    #[error("{0}: not UTF-8")]
    NotUtf8(Place),
    /// A series without a name.
    #[error("{0}: the name of the series is empty")]
    NoName(Place),
    /// A line that no trace has.
    #[error("line {line}: longer than {limit} bytes")]
    LongLine {
        /// The line, counted from 1.
        line: u64,
        /// What is allowed.
        limit: usize,
    },
    /// A quote that swallows lines.
    #[error("line {0}: a quoted field goes on over the end of the line; is a `\"` missing?")]
    OpenQuote(u64),
    /// Not one number in any row.
    #[error("no row has a number that can be used{}", example.as_ref().map(|(place, text)| format!(": {place} has `{text}`")).unwrap_or_default())]
    NoNumbers {
        /// The first thing that is none.
        example: Option<(Place, String)>,
    },
    /// No series of the name that was asked for.
    #[error("there is no series `{name}`{}{}", hint(near), if some.is_empty() { String::new() } else { format!("; there are {}", list(some)) })]
    NoSuchSeries {
        /// What was asked for.
        name: String,
        /// What might have been meant.
        near: Option<String>,
        /// Some of those that there are.
        some: Vec<String>,
    },
    /// A series was asked for, and the trace has no names.
    #[error("there is no column `series` to look for `{0}` in")]
    NoSeriesColumn(String),
}

impl TraceError {
    /// How a command ends that could not use the trace.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Read(_) => Exit::Outside,
            #[cfg(feature = "prometheus")]
            Self::Prometheus(error) => error.exit(),
            Self::NoSuchSeries { .. } | Self::NoSeriesColumn(_) => Exit::Usage,
            _ => Exit::No,
        }
    }
}

/// At most so many names are listed in a message.
const MOST_NAMES: usize = 8;

fn list(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &more
}

fn hint(near: &Option<String>) -> String {
    near.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default()
}

/// Where a row stands in its file, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// In a text.
    Line {
        /// Its line.
        line: u64,
    },
    /// In a table.
    Row {
        /// Its number in the file.
        row: u64,
        /// The group of rows that it is in.
        row_group: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { line } => write!(f, "line {line}"),
            Self::Row { row, row_group } => write!(f, "row {row} (row group {row_group})"),
        }
    }
}

/// Something about a trace that a careful user wants to know.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Note {
    /// What.
    pub kind: NoteKind,
    /// How many rows (columns, series) it is about.
    pub count: u64,
    /// The first place where it is so, where that is known.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// What stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// Columns that were left aside.
    ExtraColumns,
    /// Rows earlier than one before them: they were put in order.
    Unsorted,
    /// Rows at the same time as another one of their series: the last one counts.
    Doubled,
    /// Rows without a value.
    Empty,
    /// Rows whose value is not a number.
    NotANumber,
    /// Rows whose value is NaN or infinite.
    NotFinite,
    /// Series without any usable value.
    SeriesWithoutNumbers,
    /// Times of a column that has no zone.
    NoZone,
    /// Times at which a range query has no result, between two at which it has one.
    Gaps,
    /// What the server had to say about its answer.
    Warning,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, many, then) = match self.kind {
            NoteKind::ExtraColumns => ("column is", "columns are", "not used"),
            NoteKind::Unsorted => ("row was", "rows were", "out of order, and sorted"),
            NoteKind::Doubled => ("row has", "rows have", "the time of a later one, which counts instead"),
            NoteKind::Empty => ("row has", "rows have", "no value: unknown at that time"),
            NoteKind::NotANumber => {
                ("row has", "rows have", "a value that is not a number: unknown at that time")
            }
            NoteKind::NotFinite => {
                ("row has", "rows have", "a value that is not finite: unknown at that time")
            }
            NoteKind::SeriesWithoutNumbers => ("series has", "series have", "no usable value at all"),
            NoteKind::NoZone => ("column has", "columns have", "times without a zone: taken as UTC"),
            NoteKind::Gaps => ("step has", "steps have", "no result: unknown at that time"),
            NoteKind::Warning => ("warning", "warnings", "of the server"),
        };
        write!(f, "{} {} {then}", self.count, if self.count == 1 { one } else { many })?;
        let first = if self.count == 1 { "" } else { "the first: " };
        match (self.place, &self.example) {
            (Some(place), Some(example)) => write!(f, " ({first}{place}, `{example}`)"),
            (Some(place), None) => write!(f, " ({first}{place})"),
            (None, Some(example)) => write!(f, " ({first}`{example}`)"),
            (None, None) => Ok(()),
        }
    }
}

/// Notes of one kind become one, with a count and the first place.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Note>);

impl Notes {
    #[cold]
    pub(super) fn add(&mut self, kind: NoteKind, place: Option<Place>, example: Option<&[u8]>) {
        if let Some(note) = self.0.iter_mut().find(|note| note.kind == kind) {
            note.count += 1;
        } else {
            self.0.push(Note { kind, count: 1, place, example: example.map(excerpt) });
        }
    }

    pub(super) fn example(&self, kind: NoteKind) -> Option<(Place, String)> {
        let note = self.0.iter().find(|note| note.kind == kind)?;
        Some((note.place?, note.example.clone()?))
    }

    pub(super) fn sorted(mut self) -> Vec<Note> {
        self.0.sort_by_key(|note| note.kind);
        self.0
    }
}

/// What was written, cut short where it is long, with nothing that upsets a terminal.
pub(super) fn excerpt(text: &[u8]) -> String {
    const LONGEST: usize = 60;
    let text = String::from_utf8_lossy(text);
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
