//! Zones for tests, and problems as text.

use vmpolicy_core::file::{Problem, line_col, load};
use vmpolicy_core::leaf::window::Zone;
use vmpolicy_core::policy::Zones;

/// Two zones that never change their clocks.
pub(crate) struct TwoZones;

impl Zones for TwoZones {
    fn zone(&self, name: &str) -> Option<Zone> {
        match name {
            "UTC" => Some(Zone::utc()),
            "Europe/Oslo" => Zone::new(name, 3_600, Vec::new()).ok(),
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["UTC".to_owned(), "Europe/Oslo".to_owned()]
    }
}

/// Every problem of a text as a reader would see it, errors or else warnings.
pub(crate) fn told(text: &[u8]) -> String {
    let problems = match load(text, &TwoZones) {
        Ok(loaded) => loaded.warnings.into_iter().map(Problem::from).collect(),
        Err(problems) => problems,
    };
    let shown = String::from_utf8_lossy(text);
    problems.iter().map(|problem| draw(&shown, problem)).collect()
}

fn draw(text: &str, problem: &Problem) -> String {
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

/// A snapshot of a text, without the expression that made it.
macro_rules! assert_document {
    ($text:expr) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!($text) })
    };
}
pub(crate) use assert_document;
