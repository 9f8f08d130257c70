//! Recordings in Parquet: as pandas, pyarrow, DuckDB and Spark write them.
//!
//! No type of Arrow or of the `parquet` crate leaves this room. A file is hostile until it is read: no length
//! that stands in it is believed before the bytes are there.

mod column;
mod error;
mod guarded;
mod kind;

pub use error::ParquetError;

use super::columns::Columns;
use super::drafts::Drafts;
use super::error::{NoteKind, Place, excerpt};
use super::{Pick, TraceError, Traces};
use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError as Fault;
use ::parquet::file::reader::{ChunkReader, FileReader, Length, RowGroupReader, SerializedFileReader};
use bytes::{Buf, Bytes};
use column::Source;
use guarded::guarded;
use kind::{Names, Numbers, Times};
use vmpolicy_core::input::Absence;
use vmpolicy_core::time::Wall;

/// So many rows are decoded at a time.
const BATCH: usize = 8_192;

/// Reads a file that is in memory.
pub(super) fn read(bytes: Vec<u8>, pick: Pick<'_>, columns: &Columns) -> Result<Traces, TraceError> {
    guarded(|| read_unguarded(bytes, pick, columns))
}

fn read_unguarded(bytes: Vec<u8>, pick: Pick<'_>, columns: &Columns) -> Result<Traces, TraceError> {
    let file = SerializedFileReader::new(Whole(bytes.into())).map_err(ParquetError::whole)?;
    let schema = file.metadata().file_metadata().schema_descr_ptr();
    // Of a structure, each leaf has the name of the whole: what is in it is of no use.
    let name = |index| schema.column(index).path().parts().first().cloned().unwrap_or_default();
    let names: Vec<_> = (0..schema.num_columns()).map(name).collect();
    let found = columns.find(&names)?;
    let mut drafts = Drafts::new(pick);
    drafts.has_names(found.series.is_some())?;
    let times = Times::of(&schema.column(found.timestamp))?;
    let numbers = Numbers::of(&schema.column(found.value))?;
    let series = found.series.map(|series| Names::of(&schema.column(series))).transpose()?;
    if times.lack_a_zone() {
        drafts.notes.add(NoteKind::NoZone, None, Some(names[found.timestamp].as_bytes()));
    }
    for (index, name) in names.iter().enumerate() {
        if ![Some(found.timestamp), Some(found.value), found.series].contains(&Some(index)) {
            drafts.notes.add(NoteKind::ExtraColumns, None, Some(name.as_bytes()));
        }
    }
    let mut before = 0;
    for index in 0..file.num_row_groups() {
        let at = |column: usize| Where { group: index + 1, column: names[column].clone(), before };
        let group = file.get_row_group(index).map_err(|fault| at(found.timestamp).damaged(0, fault))?;
        let open = |column: usize| {
            check(&*group, column, &names[column])?;
            group.get_column_reader(column).map_err(|fault| at(column).damaged(0, fault))
        };
        let mut group = Group {
            times: Part::new(times.source(open(found.timestamp)?), at(found.timestamp)),
            numbers: Part::new(numbers.source(open(found.value)?), at(found.value)),
            series: match (&series, found.series) {
                (Some(names), Some(column)) => Some(Part::new(names.source(open(column)?), at(column))),
                _ => None,
            },
            rows: rows_of(&*group, index + 1)?,
        };
        group.read(before, &mut drafts)?;
        before += group.rows;
    }
    drafts.finish()
}

/// What the crate takes for granted, or says less plainly.
fn check(group: &dyn RowGroupReader, column: usize, name: &str) -> Result<(), ParquetError> {
    let chunk = group.metadata().column(column);
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    if start < 0 || chunk.compressed_size() < 0 {
        return Err(ParquetError::Whole {
            detail: format!("column `{name}` begins or ends before the file"),
        });
    }
    match chunk.compression() {
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) | Compression::ZSTD(_) => {
            Ok(())
        }
        other => {
            // Its level, in brackets, says nothing to a reader.
            let codec = other.to_string().split('(').next().unwrap_or_default().to_owned();
            Err(ParquetError::Codec { column: name.to_owned(), codec })
        }
    }
}

fn rows_of(group: &dyn RowGroupReader, index: usize) -> Result<u64, ParquetError> {
    u64::try_from(group.metadata().num_rows()).map_err(|_| ParquetError::Whole {
        detail: format!("row group {index} has a negative number of rows"),
    })
}

/// Where in a file one is.
#[derive(Clone)]
struct Where {
    /// The row group, counted from 1.
    group: usize,
    column: String,
    /// Rows before this group.
    before: u64,
}

impl Where {
    fn damaged(&self, rows: u64, fault: Fault) -> ParquetError {
        ParquetError::Group {
            group: self.group,
            column: self.column.clone(),
            rows: self.before + rows,
            detail: error::said(&fault),
        }
    }
}

/// A column of one row group.
struct Part<'a, V> {
    source: Box<dyn Source<V> + 'a>,
    at: Where,
    batch: Vec<Option<V>>,
}

impl<'a, V> Part<'a, V> {
    fn new(source: Box<dyn Source<V> + 'a>, at: Where) -> Self {
        Self { source, at, batch: Vec::new() }
    }

    /// The next rows: as many as are wanted, or the file is damaged.
    fn fill(&mut self, wanted: usize, done: u64) -> Result<(), ParquetError> {
        self.batch.clear();
        self.source.fill(wanted, &mut self.batch).map_err(|fault| self.at.damaged(done, fault))?;
        if self.batch.len() == wanted {
            return Ok(());
        }
        let rows = done + self.batch.len() as u64;
        Err(self.at.damaged(rows, Fault::EOF("the column ends before the row group does".to_owned())))
    }
}

/// The columns of one row group.
struct Group<'a> {
    times: Part<'a, kind::Stamp>,
    numbers: Part<'a, f64>,
    series: Option<Part<'a, ::parquet::data_type::ByteArray>>,
    rows: u64,
}

impl Group<'_> {
    fn read(&mut self, before: u64, drafts: &mut Drafts<'_>) -> Result<(), TraceError> {
        let mut done = 0;
        while done < self.rows {
            let wanted = usize::try_from(self.rows - done).map_or(BATCH, |left| left.min(BATCH));
            self.times.fill(wanted, done)?;
            self.numbers.fill(wanted, done)?;
            if let Some(series) = &mut self.series {
                series.fill(wanted, done)?;
            }
            for index in 0..wanted {
                let row = before + done + index as u64 + 1;
                let place = Place::Row { row, row_group: self.times.at.group };
                self.row(index, place, drafts)?;
            }
            done += wanted as u64;
        }
        Ok(())
    }

    fn row(&self, index: usize, place: Place, drafts: &mut Drafts<'_>) -> Result<(), TraceError> {
        if let Some(series) = &self.series {
            let name = series.batch[index].as_ref().map_or(&b""[..], |name| name.data());
            drafts.turn_to(name, place)?;
        }
        if !drafts.counts() {
            return Ok(());
        }
        let at = match &self.times.batch[index] {
            Some(Ok(millis)) => Wall(*millis),
            Some(Err((why, text))) => {
                return Err(TraceError::Time { place, text: excerpt(text), why: *why });
            }
            None => {
                let why = super::BadTime::Empty;
                return Err(TraceError::Time { place, text: String::new(), why });
            }
        };
        let value = match self.numbers.batch[index] {
            Some(number) if number.is_finite() => Ok(number),
            Some(_) => {
                drafts.notes.add(NoteKind::NotFinite, Some(place), None);
                Err(Absence::NotFinite)
            }
            None => {
                drafts.notes.add(NoteKind::Empty, Some(place), None);
                Err(Absence::Missing)
            }
        };
        drafts.push(at, value, || (place, None));
        Ok(())
    }
}

/// A file in memory, of which no more can be had than there is.
struct Whole(Bytes);

impl Length for Whole {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

impl ChunkReader for Whole {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, Fault> {
        let start = usize::try_from(start).ok().filter(|&start| start <= self.0.len());
        let start = start.ok_or_else(|| Fault::EOF("a place behind the end of the file".to_owned()))?;
        Ok(self.0.slice(start..).reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, Fault> {
        let range = usize::try_from(start).ok().and_then(|start| Some((start, start.checked_add(length)?)));
        match range {
            Some((start, end)) if end <= self.0.len() => Ok(self.0.slice(start..end)),
            _ => Err(Fault::EOF(format!(
                "bytes {start} to {} of a file of {}",
                start.saturating_add(length as u64),
                self.0.len()
            ))),
        }
    }
}
