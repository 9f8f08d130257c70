//! Numbers and moments as a person reads them, and text that is safe in HTML.

use super::model::{Cell, Unit, ZoneTable};
use std::fmt::Write as _;
use vmpolicy_core::time::{Span, Wall};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The first of January 1970 was a Thursday.
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// Text for an element or an attribute in double quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No control character is text; a reader would not see it, and a parser of HTML may stumble.
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// JSON that may stand in a script element: nothing in it ends the element or opens a comment.
pub(super) fn script_safe(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for char in json.chars() {
        match char {
            '<' => out.push_str("\\u003c"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

/// Digits in groups of three, with thin spaces.
fn grouped(digits: &str) -> String {
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |rest| ("\u{2212}", rest));
    let mut out = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        let _ = write!(out, ".{fraction}");
    }
    out
}

/// A number as a person reads it.
pub(super) fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => grouped(&format!("{value:.0}")),
        Unit::PerHour => grouped(&format!("{value:.2}")),
        Unit::Seconds => rough(value),
        Unit::Share => format!("{:.1}\u{2009}%", value * 100.0),
        Unit::Money if value == 0.0 => "0".to_owned(),
        Unit::Money if value.abs() < 1.0 => format!("{value:.4}"),
        Unit::Money => grouped(&format!("{value:.2}")),
        Unit::KilowattHours => format!("{}\u{2009}kWh", grouped(&format!("{value:.2}"))),
        Unit::Plain | Unit::Moment | Unit::Text => plain(value),
    }
}

/// At most four digits behind the point.
pub(super) fn plain(value: f64) -> String {
    let rounded = format!("{value:.4}");
    grouped(rounded.trim_end_matches('0').trim_end_matches('.'))
}

/// A span in its two largest units.
fn rough(seconds: f64) -> String {
    let millis = (seconds * 1_000.0).round().clamp(0.0, 1e15) as u64;
    let unit = match millis {
        0..60_000 => 1,
        60_000..3_600_000 => 1_000,
        3_600_000..86_400_000 => 60_000,
        _ => 3_600_000,
    };
    Span::from_millis((millis + unit / 2) / unit * unit).to_string()
}

/// The civil time at a moment: `2009-05-06`, `14:44:20`, and the name of the day.
pub(super) struct Civil {
    pub date: String,
    pub time: String,
    pub weekday: &'static str,
    pub day: u32,
    pub month: &'static str,
    pub year: String,
    /// Seconds since midnight.
    pub secs: i64,
}

pub(super) fn civil(zone: &ZoneTable, at: Wall) -> Civil {
    let local = at.0.saturating_add(i64::from(zone.offset_s(at)) * 1_000);
    let text = Wall(local).to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    let mut parts = date.rsplitn(3, '-');
    let day = parts.next().and_then(|day| day.parse().ok()).unwrap_or(1);
    let month = parts.next().and_then(|month| month.parse::<usize>().ok()).unwrap_or(1);
    let year = parts.next().unwrap_or("").to_owned();
    Civil {
        time: time.trim_end_matches('Z').to_owned(),
        weekday: DAYS[local.div_euclid(86_400_000).rem_euclid(7) as usize],
        day,
        month: MONTHS[(month - 1).min(11)],
        year,
        secs: local.div_euclid(1_000).rem_euclid(86_400),
        date: date.to_owned(),
    }
}

/// A cell as HTML: the exact value for programs, the words for people.
pub(super) fn cell(cell: &Cell, unit: Unit, zone: &ZoneTable) -> String {
    match cell {
        Cell::Nothing => "<td></td>".to_owned(),
        Cell::Text(text) if text.chars().count() > 28 => format!("<td class=\"wide\">{}</td>", escaped(text)),
        Cell::Text(text) => format!("<td>{}</td>", escaped(text)),
        Cell::Number(ms) if unit == Unit::Moment => {
            let at = Wall(*ms as i64);
            let civil = civil(zone, at);
            format!("<td class=\"t\"><time datetime=\"{at}\">{} {}</time></td>", civil.date, civil.time)
        }
        Cell::Number(value) => {
            format!("<td class=\"n\"><data value=\"{value}\">{}</data></td>", number(*value, unit))
        }
    }
}

/// What all names begin and end with, up to a sign that parts words: a label has no room for it.
#[derive(Debug, Default)]
pub(super) struct Shared {
    before: usize,
    after: usize,
}

impl Shared {
    pub(super) fn of_all(names: &[String]) -> Self {
        let [first, others @ ..] = names else { return Self::default() };
        if others.is_empty() {
            return Self::default();
        }
        let parts = |char: char| "/.:_- ".contains(char);
        let before = first.match_indices(parts).map(|(at, sign)| at + sign.len());
        let after = first.match_indices(parts).map(|(at, _)| first.len() - at);
        let begins = |&at: &usize| names.iter().all(|name| name.len() > at && name.starts_with(&first[..at]));
        let before = before.filter(begins).max().unwrap_or(0);
        let ends = |&length: &usize| {
            let end = &first[first.len() - length..];
            names.iter().all(|name| name.len() > before + length && name.ends_with(end))
        };
        Self { before, after: after.filter(ends).max().unwrap_or(0) }
    }

    pub(super) fn of<'a>(&self, name: &'a str) -> &'a str {
        name.get(self.before..name.len().saturating_sub(self.after)).unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let said = [
            number(12_345_678.0, Unit::Count),
            number(7.999, Unit::PerHour),
            number(0.0281, Unit::Money),
            number(1_234.5, Unit::Money),
            number(0.317, Unit::Share),
            number(285.0, Unit::Seconds),
            number(200_000.0, Unit::Seconds),
            number(1.5, Unit::KilowattHours),
            plain(-0.25),
            plain(76.0),
        ];
        insta::assert_snapshot!(said.join("\n"), @"
        12\u{2009}345\u{2009}678
        8.00
        0.0281
        1\u{2009}234.50
        31.7\u{2009}%
        4m45s
        2d8h
        1.50\u{2009}kWh
        \u{2212}0.25
        76
        ");
    }

    #[test]
    fn labels_leave_out_what_all_names_share() {
        let short = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            let shared = Shared::of_all(&names);
            names.iter().map(|name| shared.of(name).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(short(&["vm1/cpu_mhz", "vm22/cpu_mhz"]), ["vm1", "vm22"]);
        assert_eq!(short(&["a/web-1.se", "a/web-2.se"]), ["1", "2"]);
        assert_eq!(short(&["guest1", "guest2"]), ["guest1", "guest2"]);
        assert_eq!(short(&["a/x", "a/"]), ["a/x", "a/"]);
        assert_eq!(short(&["a/x"]), ["a/x"]);
    }

    #[test]
    fn nothing_gets_out_of_an_element_or_a_script() {
        assert_eq!(escaped("<b a=\"x\">&'\n"), "&lt;b a=&quot;x&quot;&gt;&amp;&#39; ");
        let evil = "</script><!--\u{2028}<script>";
        let json = serde_json::to_string(evil).unwrap();
        let safe = script_safe(&json);
        assert!(!safe.contains('<') && !safe.contains('\u{2028}'), "{safe}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), evil);
    }
}
