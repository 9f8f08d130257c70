//! From records of CSV to rows.

use super::columns::{Columns, Found};
use super::drafts::Drafts;
use super::error::{NoteKind, Notes, Place, TraceError, excerpt};
use super::rows::{Fields, Take};
use super::{Pick, Traces, time};
use vmpolicy_core::input::Absence;
use vmpolicy_core::time::Wall;

/// Takes records, the header first.
pub(super) struct Collector<'a> {
    columns: &'a Columns,
    /// Which columns hold what, and how many there are.
    found: Option<(Found, usize)>,
    drafts: Drafts<'a>,
}

impl Take for Collector<'_> {
    #[inline]
    fn record(&mut self, line: u64, fields: &Fields<'_>) -> Result<(), TraceError> {
        match self.found {
            Some((found, count)) => self.row(found, count, line, fields),
            None => {
                self.found = Some((self.header(line, fields)?, fields.len()));
                Ok(())
            }
        }
    }
}

impl<'a> Collector<'a> {
    pub(super) fn new(pick: Pick<'a>, columns: &'a Columns) -> Self {
        Self { columns, found: None, drafts: Drafts::new(pick) }
    }

    /// How many rows were taken, and the time of the last one.
    pub(super) fn reached(&self) -> (u64, Option<String>) {
        self.drafts.reached()
    }

    fn header(&mut self, line: u64, fields: &Fields<'_>) -> Result<Found, TraceError> {
        let mut names = Vec::new();
        for field in fields.iter() {
            let name = std::str::from_utf8(field).map_err(|_| TraceError::NotUtf8(Place::Line { line }))?;
            names.push(name.trim().to_owned());
        }
        let is_header = |name: &String| {
            [&self.columns.timestamp, &self.columns.value].iter().any(|one| name.eq_ignore_ascii_case(one))
        };
        if !names.iter().any(is_header) && names.iter().any(|name| time::parse(name.as_bytes()).is_ok()) {
            return Err(TraceError::NoHeader);
        }
        let found = self.columns.find(&names)?;
        self.drafts.has_names(found.series.is_some())?;
        for (index, name) in names.iter().enumerate() {
            if ![Some(found.timestamp), Some(found.value), found.series].contains(&Some(index)) {
                let place = Some(Place::Line { line });
                self.drafts.notes.add(NoteKind::ExtraColumns, place, Some(name.as_bytes()));
            }
        }
        Ok(found)
    }

    #[inline]
    fn row(
        &mut self,
        columns: Found,
        count: usize,
        line: u64,
        fields: &Fields<'_>,
    ) -> Result<(), TraceError> {
        if fields.len() != count {
            return Err(TraceError::FieldCount { line, found: fields.len(), expected: count });
        }
        if let Some(series) = columns.series {
            self.drafts.turn_to(fields.get(series), Place::Line { line })?;
        }
        if !self.drafts.counts() {
            return Ok(());
        }
        let stamp = fields.get(columns.timestamp);
        let at = Wall(time::parse(stamp).map_err(|why| bad_time(line, stamp, why))?);
        let value = number(fields.get(columns.value), line, &mut self.drafts.notes)?;
        self.drafts.push(at, value, || (Place::Line { line }, Some(stamp.to_vec())));
        Ok(())
    }

    /// All series, once everything is read.
    pub(super) fn finish(self) -> Result<Traces, TraceError> {
        if self.found.is_none() {
            return Err(TraceError::Empty);
        }
        self.drafts.finish()
    }
}

fn bad_time(line: u64, text: &[u8], why: time::BadTime) -> TraceError {
    let place = Place::Line { line };
    if std::str::from_utf8(text).is_err() {
        return TraceError::NotUtf8(place);
    }
    TraceError::Time { place, text: excerpt(text), why }
}

#[inline]
fn number(field: &[u8], line: u64, notes: &mut Notes) -> Result<Result<f64, Absence>, TraceError> {
    let place = Place::Line { line };
    let text = std::str::from_utf8(field).map_err(|_| TraceError::NotUtf8(place))?.trim_ascii();
    let (kind, why) = match text.parse::<f64>() {
        Ok(number) if number.is_finite() => return Ok(Ok(number)),
        Ok(_) => (NoteKind::NotFinite, Absence::NotFinite),
        Err(_) if text.is_empty() => (NoteKind::Empty, Absence::Missing),
        Err(_) => (NoteKind::NotANumber, Absence::Unparsable),
    };
    notes.add(kind, Some(place), (!text.is_empty()).then_some(field));
    Ok(Err(why))
}
