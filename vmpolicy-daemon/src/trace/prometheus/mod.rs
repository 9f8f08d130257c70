//! Recordings from a Prometheus server, or from what answers as one does (Thanos, Mimir, VictoriaMetrics), by its
//! range query: <https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries>.
//!
//! A long range is asked for in parts. Either all of them come whole, or there is no recording.

mod answer;
mod client;
mod error;
#[cfg(test)]
mod tests;

pub use crate::http::Auth;
pub use client::{BadUrl, Server, Url};
pub use error::QueryError;

use super::error::{NoteKind, Notes, TraceError};
use super::{Pick, Series, Traces, nearest};
use answer::{Labels, Matrix};
use std::collections::BTreeMap;
use std::ops::Range as Steps;
use vmpolicy_core::backtest::{Row, Trace};
use vmpolicy_core::input::Absence;
use vmpolicy_core::time::{Span, Wall};

/// So many steps a Prometheus evaluates in one query; it refuses more.
const STEPS_AT_ONCE: u64 = 11_000;

/// More is a mistake in a time or in the step: it would be thousands of queries.
const MOST_STEPS: u64 = 20_000_000;

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// A PromQL expression; each series of its result is a guest of its own.
    pub query: String,
    /// When it is first evaluated.
    pub start: Wall,
    /// When it is last evaluated, at most.
    pub end: Wall,
    /// How far apart.
    pub step: Span,
    /// The label that names the guests; all labels do where there is none.
    pub label: Option<String>,
}

impl Range {
    /// How many times the query is evaluated.
    fn steps(&self) -> Result<u64, QueryError> {
        if self.step.is_zero() {
            return Err(QueryError::NoStep);
        }
        if self.end < self.start {
            return Err(QueryError::Backwards { start: self.start, end: self.end });
        }
        let steps = self.end.since(self.start).millis() / self.step.millis() + 1;
        if steps > MOST_STEPS {
            return Err(QueryError::TooLong { steps, most: MOST_STEPS });
        }
        Ok(steps)
    }

    /// The parts that are asked for one after the other, as steps.
    fn parts(&self) -> Result<Vec<Steps<u64>>, QueryError> {
        let steps = self.steps()?;
        let part = |from: u64| from..steps.min(from + STEPS_AT_ONCE);
        Ok((0..steps.div_ceil(STEPS_AT_ONCE)).map(|index| part(index * STEPS_AT_ONCE)).collect())
    }

    fn at(&self, step: u64) -> Wall {
        self.start.plus(self.step.times(step))
    }
}

/// One series of the result as it comes in: the steps at which it has a value.
type Drafts = BTreeMap<Labels, Vec<(u64, f64)>>;

/// Asks a server. `told` hears how many parts of how many have come.
///
/// # Errors
///
/// What went wrong; nothing of what came before is of use then.
pub fn read(
    server: &Server,
    range: &Range,
    pick: Pick<'_>,
    mut told: impl FnMut(usize, usize),
) -> Result<Traces, TraceError> {
    let parts = range.parts()?;
    let client = client::Client::new(server)?;
    let mut drafts = Drafts::new();
    let mut notes = Notes::default();
    for (index, part) in parts.iter().enumerate() {
        let answer = client.range(&range.query, range.at(part.start), range.at(part.end - 1), range.step)?;
        for warning in &answer.warnings {
            notes.add(NoteKind::Warning, None, Some(warning.as_bytes()));
        }
        take(answer.matrix, range, part, &mut drafts)?;
        told(index + 1, parts.len());
    }
    finish(drafts, range, pick, notes)
}

/// Adds a part of the result to what there is.
fn take(matrix: Matrix, range: &Range, part: &Steps<u64>, drafts: &mut Drafts) -> Result<(), QueryError> {
    for series in matrix {
        if series.histograms {
            return Err(QueryError::Histograms(series.labels.to_string()));
        }
        let rows = drafts.entry(series.labels).or_default();
        for answer::Point(at, value) in series.values {
            // The server evaluates at these times and no others.
            let gone = u64::try_from(at.0.saturating_sub(range.start.0)).ok();
            let step = gone
                .filter(|gone| gone.is_multiple_of(range.step.millis()))
                .map(|gone| gone / range.step.millis())
                .filter(|step| part.contains(step))
                .filter(|step| rows.last().is_none_or(|(before, _)| before < step));
            rows.push((step.ok_or(QueryError::NotAsked(at))?, value));
        }
    }
    Ok(())
}

fn finish(drafts: Drafts, range: &Range, pick: Pick<'_>, mut notes: Notes) -> Result<Traces, TraceError> {
    if drafts.is_empty() {
        return Err(QueryError::Nothing { start: range.start, end: range.at(range.steps()? - 1) }.into());
    }
    let alone = drafts.len() == 1;
    let mut series: Vec<Series> = Vec::new();
    let mut others = Vec::new();
    for (labels, rows) in drafts {
        let name = match &range.label {
            None if alone && labels.is_empty() => None,
            None => Some(labels.to_string()),
            Some(label) => match labels.get(label) {
                Some(value) => Some(value.to_owned()),
                None => {
                    return Err(
                        QueryError::NoLabel { label: label.clone(), series: labels.to_string() }.into()
                    );
                }
            },
        };
        if let Some(other) = series.iter().find(|other| other.name == name) {
            let name = other.name.clone().unwrap_or_default();
            return Err(QueryError::SameName { name, label: range.label.clone().unwrap_or_default() }.into());
        }
        match (pick, name) {
            (Pick::One(one), Some(name)) if one != name => others.push(name),
            (Pick::One(one), None) => return Err(TraceError::NoSeriesColumn(one.to_owned())),
            (_, name) => series.push(Series { name, trace: trace(&rows, range, &mut notes) }),
        }
    }
    if let (Pick::One(name), true) = (pick, series.is_empty()) {
        let near = nearest(name, &others).map(|near| format!("`{near}`"));
        return Err(TraceError::NoSuchSeries { name: name.to_owned(), near, some: others });
    }
    for one in series.iter().filter(|one| one.trace.numbers() == 0) {
        notes.add(NoteKind::SeriesWithoutNumbers, None, one.name.as_deref().map(str::as_bytes));
    }
    Ok(Traces { series, notes: notes.sorted() })
}

/// From the first value of a series to its last: before it and after it there was no such series.
fn trace(rows: &[(u64, f64)], range: &Range, notes: &mut Notes) -> Trace {
    let mut all = Vec::with_capacity(rows.len());
    let mut next = rows.first().map_or(0, |row| row.0);
    for &(step, value) in rows {
        for gap in next..step {
            all.push(absent(range.at(gap), Absence::Missing, NoteKind::Gaps, notes));
        }
        next = step + 1;
        let at = range.at(step);
        all.push(if value.is_finite() {
            Row { at, value: Ok(value) }
        } else if value.is_nan() {
            // PromQL's way to say that there is nothing, such as a share of no requests.
            absent(at, Absence::Missing, NoteKind::Gaps, notes)
        } else {
            absent(at, Absence::NotFinite, NoteKind::NotFinite, notes)
        });
    }
    Trace::new(all).unwrap_or_else(|error| unreachable!("steps were taken in order: {error}"))
}

fn absent(at: Wall, why: Absence, kind: NoteKind, notes: &mut Notes) -> Row {
    notes.add(kind, None, Some(at.to_string().as_bytes()));
    Row { at, value: Err(why) }
}
