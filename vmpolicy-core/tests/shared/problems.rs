//! Problems as text, and where they are.

use proptest::prelude::*;
use vmpolicy_core::file::{Problem, line_col};

/// A problem as a reader would see it.
pub(crate) fn draw(text: &str, problem: &Problem) -> String {
    let mut drawn = format!("{}: {}\n", problem.code, problem.message);
    if let Some(place) = problem.place {
        let (line, column) = line_col(text, place.start);
        let source = text.lines().nth(line as usize - 1).unwrap_or("");
        let source: String = source.chars().take(120).collect();
        let bytes = text.get(place.start as usize..place.end as usize).unwrap_or("");
        let width = bytes.lines().next().unwrap_or("").chars().count().clamp(1, 120);
        let margin = format!("{line}:{column}");
        drawn += &format!("  {margin} | {source}\n");
        drawn += &format!(
            "  {} | {}{}\n",
            " ".repeat(margin.len()),
            " ".repeat(column as usize - 1),
            "^".repeat(width)
        );
    }
    for label in &problem.labels {
        let (line, column) = line_col(text, label.place.start);
        drawn += &format!("  {line}:{column}: {}\n", label.text);
    }
    if !problem.path.is_empty() {
        drawn += &format!("  at {}\n", problem.path);
    }
    if let Some(hint) = &problem.hint {
        drawn += &format!("  hint: {hint}\n");
    }
    drawn
}

/// Every place is in the text.
pub(crate) fn are_in(text: &[u8], problems: &[Problem]) {
    for problem in problems {
        for place in problem.place.iter().chain(problem.labels.iter().map(|label| &label.place)) {
            assert!(place.start <= place.end && place.end as usize <= text.len(), "{problem:?}");
        }
    }
}

/// One of these texts with a few slips of the keyboard.
pub(crate) fn with_slips(texts: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let slip = (any::<prop::sample::Index>(), 0_usize..12, "[a-z0-9:,{}\\[\\]'\" \n-]{0,3}");
    (prop::sample::select(texts), prop::collection::vec(slip, 1..5)).prop_map(|(text, slips)| {
        let mut text = text.as_bytes().to_vec();
        for (at, removed, added) in slips {
            let at = at.index(text.len().max(1)).min(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, added.into_bytes());
        }
        text
    })
}
