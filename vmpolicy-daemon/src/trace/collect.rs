//! From rows of fields to series.

use super::error::{NoteKind, Notes, TraceError, excerpt};
use super::rows::{Fields, Take};
use super::{Pick, Series, Traces, time};
use std::collections::HashMap;
use vmpolicy_core::backtest::{Row, Trace};
use vmpolicy_core::input::Absence;
use vmpolicy_core::time::Wall;

/// Which column holds what.
#[derive(Clone, Copy, Debug)]
struct Columns {
    series: Option<usize>,
    timestamp: usize,
    value: usize,
    count: usize,
}

/// One series as it comes in.
#[derive(Debug, Default)]
struct Draft {
    name: Option<String>,
    rows: Vec<Row>,
    unsorted: bool,
}

/// Takes records, the header first.
pub(super) struct Collector<'a> {
    pick: Pick<'a>,
    columns: Option<Columns>,
    drafts: Vec<Draft>,
    by_name: HashMap<Box<[u8]>, Option<usize>>,
    /// The name of the last row's series, and its draft: rows of a series mostly stand together.
    last: (Vec<u8>, Option<usize>),
    notes: Notes,
    rows: u64,
}

impl Take for Collector<'_> {
    #[inline]
    fn record(&mut self, line: u64, fields: &Fields<'_>) -> Result<(), TraceError> {
        match self.columns {
            Some(columns) => self.row(columns, line, fields),
            None => {
                self.columns = Some(self.header(line, fields)?);
                Ok(())
            }
        }
    }
}

impl<'a> Collector<'a> {
    pub(super) fn new(pick: Pick<'a>) -> Self {
        Self {
            pick,
            columns: None,
            drafts: Vec::new(),
            by_name: HashMap::new(),
            last: (Vec::new(), None),
            notes: Notes::default(),
            rows: 0,
        }
    }

    /// How many rows were taken, and the time of the last one.
    pub(super) fn reached(&self) -> (u64, Option<String>) {
        let last = self.drafts.iter().filter_map(|draft| draft.rows.last()).map(|row| row.at).max();
        (self.rows, last.map(|at| at.to_string()))
    }

    fn header(&mut self, line: u64, fields: &Fields<'_>) -> Result<Columns, TraceError> {
        let mut names = Vec::new();
        for field in fields.iter() {
            let name = std::str::from_utf8(field).map_err(|_| TraceError::NotUtf8(line))?;
            names.push(name.trim().to_owned());
        }
        let find = |column: &'static str| {
            let mut found = names.iter().enumerate().filter(|(_, name)| name.eq_ignore_ascii_case(column));
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => Err(TraceError::DoubleColumn(column)),
                (first, _) => Ok(first.map(|(index, _)| index)),
            }
        };
        let (series, timestamp, value) = (find("series")?, find("timestamp")?, find("value")?);
        let columns = match (timestamp, value) {
            (Some(timestamp), Some(value)) => Columns { series, timestamp, value, count: names.len() },
            (None, None) if names.iter().any(|name| time::parse(name.as_bytes()).is_ok()) => {
                return Err(TraceError::NoHeader);
            }
            (timestamp, _) => {
                let column = if timestamp.is_some() { "value" } else { "timestamp" };
                return Err(TraceError::MissingColumn {
                    column,
                    near: near_column(column, &names),
                    found: names,
                });
            }
        };
        if let (Pick::One(name), None) = (self.pick, series) {
            return Err(TraceError::NoSeriesColumn(name.to_owned()));
        }
        for (index, name) in names.iter().enumerate() {
            if ![Some(columns.timestamp), Some(columns.value), series].contains(&Some(index)) {
                self.notes.add(NoteKind::ExtraColumns, Some(line), Some(name.as_bytes()));
            }
        }
        if series.is_none() {
            self.drafts.push(Draft::default());
            self.last.1 = Some(0);
        }
        Ok(columns)
    }

    #[inline]
    fn row(&mut self, columns: Columns, line: u64, fields: &Fields<'_>) -> Result<(), TraceError> {
        if fields.len() != columns.count {
            return Err(TraceError::FieldCount { line, found: fields.len(), expected: columns.count });
        }
        if let Some(series) = columns.series {
            let name = fields.get(series);
            if name != self.last.0 || self.rows == 0 {
                self.turn_to(name, line)?;
            }
        }
        self.rows += 1;
        let Some(draft) = self.last.1 else { return Ok(()) };
        let stamp = fields.get(columns.timestamp);
        let at = Wall(time::parse(stamp).map_err(|why| bad_time(line, stamp, why))?);
        let value = number(fields.get(columns.value), line, &mut self.notes)?;
        let draft = &mut self.drafts[draft];
        if let Some(before) = draft.rows.last() {
            if at < before.at {
                draft.unsorted = true;
                self.notes.add(NoteKind::Unsorted, Some(line), Some(stamp));
            } else if at == before.at && !draft.unsorted {
                self.notes.add(NoteKind::Doubled, Some(line), Some(stamp));
                draft.rows.pop();
            }
        }
        draft.rows.push(Row { at, value });
        Ok(())
    }

    /// The rows that follow are of this series.
    #[cold]
    fn turn_to(&mut self, name: &[u8], line: u64) -> Result<(), TraceError> {
        let known = match self.by_name.get(name) {
            Some(known) => *known,
            None => {
                let text = std::str::from_utf8(name).map_err(|_| TraceError::NotUtf8(line))?;
                if text.trim().is_empty() {
                    return Err(TraceError::NoName(line));
                }
                let wanted = match self.pick {
                    Pick::All => true,
                    Pick::One(one) => one == text,
                };
                let draft = wanted.then_some(self.drafts.len());
                if wanted {
                    self.drafts.push(Draft { name: Some(text.to_owned()), ..Draft::default() });
                }
                self.by_name.insert(name.into(), draft);
                draft
            }
        };
        self.last.0.clear();
        self.last.0.extend_from_slice(name);
        self.last.1 = known;
        Ok(())
    }

    /// All series, once everything is read.
    pub(super) fn finish(mut self) -> Result<Traces, TraceError> {
        if self.columns.is_none() {
            return Err(TraceError::Empty);
        }
        if self.rows == 0 {
            return Err(TraceError::NoRows);
        }
        if let (Pick::One(name), true) = (self.pick, self.drafts.is_empty()) {
            return Err(self.no_such_series(name));
        }
        let mut series = Vec::with_capacity(self.drafts.len());
        for draft in std::mem::take(&mut self.drafts) {
            series.push(self.finish_one(draft));
        }
        // Nothing but gaps is a recording of a service that was down; nothing but words is another column.
        let words = self.notes.example(NoteKind::NotANumber);
        if words.is_some() && series.iter().all(|series| series.trace.numbers() == 0) {
            return Err(TraceError::NoNumbers { example: words });
        }
        Ok(Traces { series, notes: self.notes.sorted() })
    }

    fn finish_one(&mut self, draft: Draft) -> Series {
        let Draft { name, mut rows, unsorted } = draft;
        if unsorted {
            // A stable sort keeps the order of the file among equals, so the last of them is the last one.
            rows.sort_by_key(|row| row.at);
            let mut kept: Vec<Row> = Vec::with_capacity(rows.len());
            for row in rows {
                if kept.last().is_some_and(|before| before.at == row.at) {
                    self.notes.add(NoteKind::Doubled, None, Some(row.at.to_string().as_bytes()));
                    kept.pop();
                }
                kept.push(row);
            }
            rows = kept;
        }
        let trace = Trace::new(rows).unwrap_or_else(|error| unreachable!("rows were put in order: {error}"));
        if trace.numbers() == 0 {
            self.notes.add(NoteKind::SeriesWithoutNumbers, None, name.as_deref().map(str::as_bytes));
        }
        Series { name, trace }
    }

    fn no_such_series(&self, name: &str) -> TraceError {
        let mut some: Vec<_> = self.by_name.keys().map(|name| excerpt(name)).collect();
        some.sort_unstable();
        let near = nearest(name, &some).map(|near| format!("`{near}`"));
        TraceError::NoSuchSeries { name: name.to_owned(), near, some }
    }
}

fn bad_time(line: u64, text: &[u8], why: time::BadTime) -> TraceError {
    if std::str::from_utf8(text).is_err() {
        return TraceError::NotUtf8(line);
    }
    TraceError::Time { line, text: excerpt(text), why }
}

#[inline]
fn number(field: &[u8], line: u64, notes: &mut Notes) -> Result<Result<f64, Absence>, TraceError> {
    let text = std::str::from_utf8(field).map_err(|_| TraceError::NotUtf8(line))?.trim_ascii();
    let (kind, why) = match text.parse::<f64>() {
        Ok(number) if number.is_finite() => return Ok(Ok(number)),
        Ok(_) => (NoteKind::NotFinite, Absence::NotFinite),
        Err(_) if text.is_empty() => (NoteKind::Empty, Absence::Missing),
        Err(_) => (NoteKind::NotANumber, Absence::Unparsable),
    };
    notes.add(kind, Some(line), (!text.is_empty()).then_some(field));
    Ok(Err(why))
}

fn near_column(column: &str, names: &[String]) -> Option<String> {
    if let [only] = names {
        for (separator, name) in [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")] {
            if only.contains(separator) {
                return Some(format!("commas in place of {name}"));
            }
        }
    }
    let aliases: &[&str] = match column {
        "timestamp" => &["time", "ts", "date", "datetime", "epoch", "t"],
        _ => &["val", "values", "reading", "sample", "v", "y"],
    };
    let alias = names.iter().find(|name| aliases.iter().any(|alias| name.eq_ignore_ascii_case(alias)));
    alias.map(String::as_str).or_else(|| nearest(column, names)).map(|near| format!("`{near}` (rename it)"))
}

/// The name that is most like this one, where any is.
pub(crate) fn nearest<'n>(name: &str, names: &'n [String]) -> Option<&'n str> {
    let (score, best) = names
        .iter()
        .map(|other| (strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase()), other))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (score >= 0.8).then_some(best)
}
