//! Tables of text, and how numbers stand in them.

use std::fmt::{self, Write as _};
use vmpolicy_core::time::{Span, Wall};

/// Names of guests are cut to this in a table.
const NAME_MAX: usize = 36;

/// Columns, the first `left` of them and the last, where it holds words, flush left.
pub(in crate::cli) fn table(out: &mut String, rows: &[Vec<String>], left: usize) -> fmt::Result {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let words = |column: usize| {
        rows.iter().skip(1).all(|row| !row[column].starts_with(|c: char| c.is_ascii_digit() || c == '-'))
    };
    let last_is_words =
        rows.len() > 1 && (words(columns - 1) || rows[0].last().is_some_and(|name| name == "else"));
    let empty = |column: usize| rows.iter().skip(1).all(|row| row[column].is_empty());
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            if empty(column) {
                continue;
            }
            let pad = widths[column].saturating_sub(cell.chars().count());
            let flush_left = column < left || (column + 1 == columns && last_is_words);
            let (before, after) = if flush_left { (0, pad) } else { (pad, 0) };
            write!(line, "  {:before$}{cell}{:after$}", "", "")?;
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// `2009-05-06 12:44:20`.
pub(in crate::cli) fn day(at: Wall) -> String {
    at.to_string().replace('T', " ").trim_end_matches('Z').to_owned()
}

/// A span in two units at most.
pub(in crate::cli) fn rough(span: Span) -> String {
    let millis = span.millis();
    let unit = match millis {
        0..60_000 => 1,
        60_000..3_600_000 => 1_000,
        3_600_000..86_400_000 => 60_000,
        _ => 3_600_000,
    };
    Span::from_millis(millis.saturating_add(unit / 2) / unit * unit).to_string()
}

/// `12,345`.
pub(in crate::cli) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

pub(in crate::cli) fn percent(share: Option<f64>) -> String {
    match share.map(|share| share * 100.0) {
        None => "-".to_owned(),
        Some(0.0) => "0%".to_owned(),
        Some(tiny) if tiny < 0.05 => "<0.1%".to_owned(),
        Some(percent) => format!("{percent:.1}%"),
    }
}

/// Two figures behind the point, or what it takes to see anything.
pub(in crate::cli) fn figure(number: f64) -> String {
    if number == 0.0 || number >= 0.1 { format!("{number:.2}") } else { format!("{number:.4}") }
}

pub(in crate::cli) fn money(amount: f64) -> String {
    if amount == 0.0 || amount >= 1.0 { format!("{amount:.2}") } else { format!("{amount:.4}") }
}

/// A name that fits into a table: what is cut is its middle, as series differ in their ends.
pub(in crate::cli) fn shortened(name: &str) -> String {
    let clean: Vec<char> =
        name.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if clean.len() <= NAME_MAX {
        return clean.into_iter().collect();
    }
    let (head, tail) = (NAME_MAX / 3, NAME_MAX - NAME_MAX / 3 - 1);
    clean[..head].iter().chain(&['…']).chain(&clean[clean.len() - tail..]).collect()
}
