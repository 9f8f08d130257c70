//! Numbers, spans and lists in English.

use vmpolicy_core::time::Span;

/// The units of a span, from the largest.
const UNITS: [(u64, &str); 5] =
    [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"), (1, "millisecond")];

/// `2 minutes`, `1 day`; what is no whole number of one unit stays as a policy file has it: `1m30s`.
pub(super) fn span(span: Span) -> String {
    match whole(span) {
        Some((number, unit)) => many(number, unit),
        None => span.to_string(),
    }
}

/// `a minute`, `every 45 seconds`: after "one".
pub(super) fn rate(every: Span) -> String {
    match whole(every) {
        Some((1, "hour")) => "an hour".to_owned(),
        Some((1, unit)) => format!("a {unit}"),
        _ => format!("every {}", span(every)),
    }
}

/// `every minute`, `every 45 seconds`.
pub(super) fn every(every: Span) -> String {
    match whole(every) {
        Some((1, unit)) => format!("every {unit}"),
        _ => format!("every {}", span(every)),
    }
}

/// A span as seconds, for sums that the reader may want to follow: `225 s`.
pub(super) fn seconds(span: Span) -> String {
    if span.millis() < 1_000 { span.to_string() } else { format!("{} s", span.as_secs_f64()) }
}

/// The largest unit of which a span is a whole number, but for 90 seconds and the like.
fn whole(span: Span) -> Option<(u64, &'static str)> {
    let millis = span.millis();
    if millis == 0 {
        return Some((0, "seconds"));
    }
    let (size, _) = UNITS.iter().find(|(size, _)| millis >= *size)?;
    UNITS.iter().find(|(unit, _)| millis.is_multiple_of(*unit)).and_then(|(unit, name)| {
        // 90 minutes are not easier than 1h30m, 36 hours are easier than 1d12h.
        (unit == size || (*size == 86_400_000 && *unit == 3_600_000)).then_some((millis / unit, *name))
    })
}

/// `1 sample`, `3 samples`.
pub(super) fn many(number: u64, what: &str) -> String {
    let s = if number == 1 || what.ends_with('s') { "" } else { "s" };
    format!("{number} {what}{s}")
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<S: AsRef<str>>(items: &[S], and: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<_> = most.iter().map(AsRef::as_ref).collect();
            format!("{} {and} {}", most.join(", "), last.as_ref())
        }
    }
}

/// A number in its unit: `250 ms`, `20%`, `2 GiB`.
pub(super) fn number(value: f64, unit: Option<&str>) -> String {
    match unit {
        None => value.to_string(),
        Some("%") => format!("{value}%"),
        Some("B") => {
            let sizes = [
                (1_099_511_627_776.0, "TiB"),
                (1_073_741_824.0, "GiB"),
                (1_048_576.0, "MiB"),
                (1_024.0, "KiB"),
            ];
            let round = sizes.iter().find(|(size, _)| value >= *size && value % size == 0.0);
            round.map_or_else(|| format!("{value} B"), |(size, name)| format!("{} {name}", value / size))
        }
        Some(unit) => format!("{value} {unit}"),
    }
}

/// An amount of money, or a share, without figures that nobody wants.
pub(super) fn rounded(value: f64) -> String {
    format!("{}", (value * 1e4).round() / 1e4)
}

/// With a capital, as a sentence begins; a name in the file's own spelling does not come first.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_as_people_say_them() {
        let cases = [
            (0, "0 seconds", "every 0 seconds"),
            (1, "1 millisecond", "a millisecond"),
            (250, "250 milliseconds", "every 250 milliseconds"),
            (1_000, "1 second", "a second"),
            (1_500, "1.5s", "every 1.5s"),
            (45_000, "45 seconds", "every 45 seconds"),
            (90_000, "1m30s", "every 1m30s"),
            (120_000, "2 minutes", "every 2 minutes"),
            (3_600_000, "1 hour", "an hour"),
            (5_400_000, "1h30m", "every 1h30m"),
            (86_400_000, "1 day", "a day"),
            (129_600_000, "36 hours", "every 36 hours"),
        ];
        for (millis, said, each) in cases {
            let span_ = Span::from_millis(millis);
            assert_eq!((span(span_).as_str(), rate(span_).as_str()), (said, each));
        }
        assert_eq!(seconds(Span::from_millis(225_000)), "225 s");
        assert_eq!(seconds(Span::from_millis(1_250)), "1.25 s");
        assert_eq!(seconds(Span::from_millis(250)), "250ms");
        let _ = span(Span::from_millis(u64::MAX));
    }

    #[test]
    fn numbers_and_lists() {
        assert_eq!(number(2_147_483_648.0, Some("B")), "2 GiB");
        assert_eq!(number(1_500.0, Some("B")), "1500 B");
        assert_eq!(number(20.0, Some("%")), "20%");
        assert_eq!(number(-0.5, None), "-0.5");
        assert_eq!(rounded(0.1 + 0.2), "0.3");
        assert_eq!(list(&["a", "b", "c"], "and"), "a, b and c");
        assert_eq!(list(&["a"], "or"), "a");
        assert_eq!(list::<&str>(&[], "or"), "");
        assert_eq!(sentence("outside it"), "Outside it");
    }
}
