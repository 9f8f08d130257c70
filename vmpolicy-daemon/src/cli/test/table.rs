//! The timeline round what is not as expected: what was expected and what came, side by side.

use super::words;
use vmpolicy_core::time::Span;
use vmpolicy_core::trial::{Case, Difference, Report, Want};

/// The column of what was expected is no wider.
const EXPECTED_MAX: usize = 44;
/// More rows nobody reads.
const ROWS_MAX: usize = 60;

struct Row {
    at: Span,
    expected: String,
    got: String,
    differs: bool,
}

/// The timeline as lines. What differs has a `>` before it; a line of dots stands for a while
/// in which nothing differs, which is longer than `apart`.
pub(super) fn lines(case: &Case, report: &Report, apart: Span) -> Vec<String> {
    let rows = rows(case, report);
    let width = rows.iter().map(|row| row.expected.chars().count()).max().unwrap_or(0).clamp(8, EXPECTED_MAX);
    let clock = rows.first().map_or(8, |row| words::clock(case, row.at).chars().count()).max(8);
    let head = format!("  {:<8} {:<clock$}  {:<width$}  came", "after", "clock", "expected");
    let mut lines = vec![head];
    let mut shown = 0;
    let mut last = None;
    for row in &rows {
        if shown >= ROWS_MAX && !row.differs {
            continue;
        }
        shown += 1;
        if last.replace(row.at).is_some_and(|last| row.at.millis() - last.millis() > apart.millis()) {
            lines.push("  ...".to_owned());
        }
        let mark = if row.differs { '>' } else { ' ' };
        let (at, by) = (row.at.to_string(), words::clock(case, row.at));
        let line = format!("{mark} {at:<8} {by:<clock$}  {:<width$}  {}", row.expected, row.got);
        lines.push(line.trim_end().to_owned());
    }
    if shown < rows.len() {
        lines.push(format!("  and {} rows more", rows.len() - shown));
    }
    lines
}

fn rows(case: &Case, report: &Report) -> Vec<Row> {
    let wanted = |index: usize| words::wanted(&case.expectations[index]);
    let differs = |said: usize| {
        report.differences.iter().any(|one| match one {
            Difference::Unexpected { said: other } | Difference::Forbidden { said: other, .. } => {
                *other == said
            }
            Difference::Missing { near, .. } => *near == Some(said),
            Difference::State { .. } => false,
        })
    };
    let mut rows: Vec<Row> = Vec::new();
    for frame in &report.frames {
        let (mut expected, mut mark) = (String::new(), false);
        if let vmpolicy_core::trial::Frame::Said { index, .. } = frame {
            mark = differs(*index);
            if let Some(met) = report.meets.get(*index).copied().flatten() {
                expected = wanted(met);
            }
            for one in &report.differences {
                if let Difference::Forbidden { expected: index_of, said } = one
                    && said == index
                {
                    expected = wanted(*index_of);
                }
            }
        }
        rows.push(Row {
            at: frame.at(),
            expected,
            got: words::frame(case, frame, &report.said),
            differs: mark,
        });
    }
    for one in &report.differences {
        let row = match one {
            Difference::Missing { expected, near } => {
                let at = one.at(case, &report.said);
                // One that came then with other fields stands beside it.
                if let Some(row) = near.and_then(|near| beside(&mut rows, report, near, at)) {
                    row.expected = wanted(*expected);
                    continue;
                }
                Row { at, expected: wanted(*expected), got: String::new(), differs: true }
            }
            Difference::State { expected, fact, at, got } => {
                let Want::State(facts) = &case.expectations[*expected].want else { continue };
                let what = &facts[*fact];
                let got = format!("{} = {got}", what.what());
                Row { at: *at, expected: what.to_string(), got, differs: true }
            }
            Difference::Unexpected { .. } | Difference::Forbidden { .. } => continue,
        };
        let place = rows.partition_point(|other| other.at <= row.at);
        rows.insert(place, row);
    }
    rows
}

/// The row of a record, where it is of that time.
fn beside<'r>(rows: &'r mut [Row], report: &Report, said: usize, at: Span) -> Option<&'r mut Row> {
    let one = report.said.get(said).filter(|one| one.at == at)?;
    let text = words::said(one);
    rows.iter_mut().find(|row| row.at == at && row.got == text && row.expected.is_empty())
}
