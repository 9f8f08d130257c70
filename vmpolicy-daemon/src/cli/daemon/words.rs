//! Spans, times and numbers for people.

use std::fmt::Write as _;
use vmpolicy_core::time::Span;

/// A span as a person wants it: to a second, and to a millisecond below one.
pub(super) fn about(span: Span) -> String {
    let millis = span.millis();
    if millis < 1_000 {
        return span.to_string();
    }
    // What is left of a day is no matter of seconds.
    let unit = if millis < 86_400_000 { 1_000 } else { 60_000 };
    Span::from_millis(millis / unit * unit).to_string()
}

/// A number with its unit.
pub(super) fn number(value: f64, unit: Option<&str>) -> String {
    let rounded = (value * 1e4).round() / 1e4;
    let unit = unit.unwrap_or_default();
    if value.is_finite() && value.abs() < 1e15 {
        format!("{rounded}{unit}")
    } else {
        format!("{value:e}{unit}")
    }
}

/// A user, by name where the system has one.
pub(super) fn user(uid: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    });
    name.map_or_else(|| format!("user {uid}"), str::to_owned)
}

/// Columns that line up, two spaces apart. The last one is as wide as it is.
pub(super) fn table(rows: &[Vec<String>], indent: &str) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = indent.to_owned();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell}{:1$}", "", width - cell.chars().count() + 2);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_people() {
        assert_eq!(about(Span::from_millis(250)), "250ms");
        assert_eq!(about(Span::from_millis(61_999)), "1m1s");
        assert_eq!(about(Span::from_secs(90_061)), "1d1h1m");
        assert_eq!(number(3.0, None), "3");
        assert_eq!(number(0.123_456, Some("ms")), "0.1235ms");
        assert_eq!(number(f64::NAN, None), "NaN");
        assert_eq!(user(0), "root");
        assert_eq!(user(4_000_000_000), "user 4000000000");
        let rows = [vec!["a".to_owned(), "x".to_owned()], vec!["åbc".to_owned()]];
        assert_eq!(table(&rows, "  "), "  a    x\n  åbc\n");
    }
}
