//! From rows to series, whatever the rows were written in.

use super::columns::nearest;
use super::error::{NoteKind, Notes, Place, TraceError, excerpt};
use super::{Pick, Series, Traces};
use std::collections::HashMap;
use vmpolicy_core::backtest::{Row, Trace};
use vmpolicy_core::input::Absence;
use vmpolicy_core::time::Wall;

/// One series as it comes in.
#[derive(Debug, Default)]
struct Draft {
    name: Option<String>,
    rows: Vec<Row>,
    unsorted: bool,
}

/// Takes rows, and what there is to say about them.
pub(super) struct Drafts<'a> {
    pick: Pick<'a>,
    drafts: Vec<Draft>,
    by_name: HashMap<Box<[u8]>, Option<usize>>,
    /// The name of the last row's series, and its draft: rows of a series mostly stand together.
    last: (Vec<u8>, Option<usize>),
    rows: u64,
    pub(super) notes: Notes,
}

impl<'a> Drafts<'a> {
    pub(super) fn new(pick: Pick<'a>) -> Self {
        Self {
            pick,
            drafts: Vec::new(),
            by_name: HashMap::new(),
            last: (Vec::new(), None),
            rows: 0,
            notes: Notes::default(),
        }
    }

    /// Whether the recording has names. If not, all rows are of one series, and none can be picked.
    pub(super) fn has_names(&mut self, names: bool) -> Result<(), TraceError> {
        match (self.pick, names) {
            (_, true) => {}
            (Pick::One(name), false) => return Err(TraceError::NoSeriesColumn(name.to_owned())),
            (Pick::All, false) => {
                self.drafts.push(Draft::default());
                self.last.1 = Some(0);
            }
        }
        Ok(())
    }

    /// How many rows were taken, and the time of the last one.
    pub(super) fn reached(&self) -> (u64, Option<String>) {
        let last = self.drafts.iter().filter_map(|draft| draft.rows.last()).map(|row| row.at).max();
        (self.rows, last.map(|at| at.to_string()))
    }

    /// The rows that follow are of the series of this name.
    #[inline]
    pub(super) fn turn_to(&mut self, name: &[u8], place: Place) -> Result<(), TraceError> {
        if name != self.last.0 || self.rows == 0 {
            self.turn(name, place)?;
        }
        Ok(())
    }

    #[cold]
    fn turn(&mut self, name: &[u8], place: Place) -> Result<(), TraceError> {
        let known = match self.by_name.get(name) {
            Some(known) => *known,
            None => {
                let text = std::str::from_utf8(name).map_err(|_| TraceError::NotUtf8(place))?;
                if text.trim().is_empty() {
                    return Err(TraceError::NoName(place));
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

    /// Counts a row, and says whether anybody wants it.
    #[inline]
    pub(super) const fn counts(&mut self) -> bool {
        self.rows += 1;
        self.last.1.is_some()
    }

    /// Takes a row of the series at hand. Where it stands, and its time as it is written there, is asked only where
    /// there is something to say about it.
    #[inline]
    pub(super) fn push(
        &mut self,
        at: Wall,
        value: Result<f64, Absence>,
        whence: impl FnOnce() -> (Place, Option<Vec<u8>>),
    ) {
        let Some(index) = self.last.1 else { return };
        if self.drafts[index].rows.last().is_some_and(|before| at <= before.at) {
            self.not_later(index, at, whence());
        }
        self.drafts[index].rows.push(Row { at, value });
    }

    /// A row comes that is not later than the one before it.
    #[cold]
    fn not_later(&mut self, index: usize, at: Wall, (place, written): (Place, Option<Vec<u8>>)) {
        let draft = &mut self.drafts[index];
        let kind = if draft.rows.last().is_some_and(|before| at < before.at) {
            draft.unsorted = true;
            NoteKind::Unsorted
        } else if draft.unsorted {
            // It is found when they are sorted.
            return;
        } else {
            draft.rows.pop();
            NoteKind::Doubled
        };
        let shown = written.unwrap_or_else(|| at.to_string().into_bytes());
        self.notes.add(kind, Some(place), Some(&shown));
    }

    /// All series, once everything is read.
    pub(super) fn finish(mut self) -> Result<Traces, TraceError> {
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
