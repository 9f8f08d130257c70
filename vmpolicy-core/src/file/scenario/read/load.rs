//! Loads: a number, or one kind with its settings.

use super::super::super::node::{Node, Value, short};
use super::super::super::problem::ReadErrorKind as Kind;
use super::super::super::reader::{Entry, Fields, Reader, choices};
use super::super::super::scalar;
use super::super::error::ScenarioErrorKind;
use super::super::form::LoadForm;
use crate::leaf::window::Weekday;
use crate::policy::Located;
use crate::sim::load::{LoadSpec, Then};
use crate::time::Span;

const KINDS: [&str; 11] = [
    "constant",
    "day",
    "week",
    "weekdays",
    "bursts",
    "mmpp",
    "steps",
    "trace",
    "planetlab",
    "sum",
    "product",
];
/// Settings beside a kind, and the kinds that they go with.
const BESIDE: [(&str, &[&str]); 4] = [
    ("series", &["trace"]),
    ("times", &["trace"]),
    ("then", &["trace", "planetlab"]),
    ("repeat", &["steps"]),
];
const LOAD: &str = "a load such as `20` or `{ day: { low: 2, high: 60, peak: 14:00 } }`";
/// Deeper than any load may be nested: what is deeper is told by the judgement, once.
const DEEPEST: usize = LoadSpec::DEEPEST + 2;

impl Reader {
    pub(super) fn load(&mut self, node: &Node) -> Option<Located<LoadForm>> {
        self.load_at(node, 0)
    }

    fn load_at(&mut self, node: &Node, depth: usize) -> Option<Located<LoadForm>> {
        if let Value::Scalar { .. } = node.value
            && !node.is_null()
        {
            let form = LoadForm::Constant(self.load_number(node, "load")?);
            return Some(Located::at(form, node.place));
        }
        let known: Vec<&'static str> = KINDS.into_iter().chain(BESIDE.map(|(key, _)| key)).collect();
        let fields = self.fields(node, LOAD, &known)?;
        let present: Vec<_> = KINDS.into_iter().filter(|kind| fields.get(kind).is_some()).collect();
        if let &[one, other, ..] = present.as_slice() {
            let hint = "for several loads together write `{ sum: [..., ...] }`";
            self.blame_hinted(Kind::Exclusive { one, other }, node.place, hint);
        } else if present.is_empty() && self.unread_entries(node) {
            let kind = Kind::WrongType { expected: LOAD, found: node.describe() };
            self.blame_hinted(kind, node.place, choices(&KINDS));
        }
        for (key, kinds) in BESIDE {
            if let (Some(value), [kind]) = (fields.get(key), present.as_slice())
                && !kinds.contains(kind)
            {
                self.inside(key, |reader| {
                    reader.wrong(&ScenarioErrorKind::Misplaced { key, with: kind }, value);
                });
            }
        }
        let forms: Vec<_> = present.iter().map(|&kind| self.load_of(&fields, kind, depth)).collect();
        let form = forms.into_iter().next().flatten()?;
        Some(Located::at(form, node.place))
    }

    /// Whether there is nothing in a map that was blamed already.
    fn unread_entries(&self, node: &Node) -> bool {
        let Value::Map(pairs) = &node.value else { return true };
        let known = |key: &Node| match &key.value {
            Value::Scalar { text, .. } => BESIDE.iter().any(|(name, _)| name == text),
            _ => false,
        };
        pairs.iter().all(|(key, _)| known(key))
    }

    fn load_of(&mut self, fields: &Fields<'_>, kind: &'static str, depth: usize) -> Option<LoadForm> {
        let mut then = || {
            let words = [("hold", Then::Hold), ("repeat", Then::Repeat), ("end", Then::End)];
            let then = self.optional(fields, "then", |reader, node| {
                reader.choice(node, "`hold`, `repeat`, `end`", &words)
            });
            then.unwrap_or_default()
        };
        match kind {
            "trace" => {
                let then = then();
                let series = self.optional(fields, "series", |reader, node| {
                    Some(reader.name(node, "the name of a series")?.value)
                });
                let times = self.optional(fields, "times", |reader, node| reader.load_number(node, "times"));
                let path = self.load_path(fields, kind);
                Some(LoadForm::Trace { path: path?, series, times, then })
            }
            "planetlab" => {
                let then = then();
                Some(LoadForm::Planetlab { path: self.load_path(fields, kind)?, then })
            }
            "steps" => {
                let repeat = self.optional(fields, "repeat", |reader, node| {
                    Some(reader.above_zero(node, "repeat")?.value)
                });
                let rows = self.optional(fields, "steps", Self::steps);
                Some(LoadForm::Steps { rows: rows?, repeat })
            }
            _ => self.optional(fields, kind, |reader, node| reader.lone_load(node, kind, depth)),
        }
    }

    fn load_path(&mut self, fields: &Fields<'_>, kind: &'static str) -> Option<String> {
        self.optional(fields, kind, |reader, node| Some(reader.text(node, "a path")?.to_owned()))
    }

    /// A kind without settings beside it.
    fn lone_load(&mut self, node: &Node, kind: &'static str, depth: usize) -> Option<LoadForm> {
        match kind {
            "constant" => Some(LoadForm::Constant(self.load_number(node, "constant")?)),
            "day" | "week" => self.wave(node, kind == "week"),
            "weekdays" => {
                let expected = "seven numbers, Monday's to Sunday's";
                Some(LoadForm::Weekdays(self.load_numbers(node, "weekdays", expected)?))
            }
            "bursts" => self.bursts(node),
            "mmpp" => {
                let fields =
                    self.fields(node, "`{ rates: [5, 40], stays: [30m, 5m] }`", &["rates", "stays"])?;
                let rates = self.required(&fields, "rates", "rates: [5, 40]", |reader, node| {
                    reader.load_numbers(node, "rates", "two rates such as `[5, 40]`")
                });
                let stays = self.required(&fields, "stays", "stays: [30m, 5m]", |reader, node| {
                    let expected = "two spans of time such as `[30m, 5m]`";
                    let items = reader.list(node, expected)?;
                    let spans: Vec<_> = items.iter().map(|item| reader.load_span(item, "stays")).collect();
                    let spans: Option<Vec<Span>> = spans.into_iter().collect();
                    let pair = <[Span; 2]>::try_from(spans?).ok();
                    if pair.is_none() {
                        reader.wrong_type(expected, node);
                    }
                    pair
                });
                Some(LoadForm::Mmpp { rates: rates?, stays: stays? })
            }
            _ => {
                let items = self.list(node, "a list of loads")?;
                if items.is_empty() {
                    self.empty("a list of loads", node);
                    return None;
                }
                if depth >= DEEPEST {
                    let why = format!("sums and products are nested more than {} deep", LoadSpec::DEEPEST);
                    self.wrong(&ScenarioErrorKind::BadLoad { why }, node);
                    return None;
                }
                let read = |(index, item): (usize, &Node)| {
                    self.inside(&format!("[{index}]"), |reader| reader.load_at(item, depth + 1))
                };
                let parts: Vec<_> = items.iter().enumerate().map(read).collect();
                let parts = parts.into_iter().collect::<Option<_>>()?;
                Some(if kind == "sum" { LoadForm::Sum(parts) } else { LoadForm::Product(parts) })
            }
        }
    }

    fn wave(&mut self, node: &Node, week: bool) -> Option<LoadForm> {
        let expected = "a sinusoid such as `{ low: 2, high: 60, peak: 14:00 }`";
        let fields = self.fields(node, expected, &["low", "high", "peak"])?;
        let low = self.optional(&fields, "low", |reader, node| reader.load_number(node, "low"));
        let high =
            self.required(&fields, "high", "high: 60", |reader, node| reader.load_number(node, "high"));
        let example = if week { "peak: Wed 14:00" } else { "peak: 14:00" };
        let peak = self.required(&fields, "peak", example, |reader, node| {
            let expected = if week {
                "a time of the week such as `Wed 14:00` or `2d14h`"
            } else {
                "a time of the day such as `14:00` or `14h`"
            };
            let text = reader.text(node, expected)?;
            let Some(peak) = peak(text, week) else {
                reader.bad_value("peak", node, expected);
                return None;
            };
            Some(peak)
        });
        // A `low` that can't be read is none that is too high.
        let low = if fields.get("low").is_some() { low? } else { 0.0 };
        let high = high?;
        if low > high {
            self.wrong(&ScenarioErrorKind::BadLoad { why: "`low` is above `high`".to_owned() }, node);
            return None;
        }
        Some(LoadForm::Wave { week, low, high, peak: peak? })
    }

    fn bursts(&mut self, node: &Node) -> Option<LoadForm> {
        let expected = "bursts such as `{ gap: 2h, length: 10m, height: 30 }`";
        let fields = self.fields(node, expected, &["gap", "at", "length", "height"])?;
        let gap = self.optional(&fields, "gap", |reader, node| reader.load_span(node, "gap"));
        let at = self.optional(&fields, "at", |reader, node| reader.spans(node, "times such as `[3h, 9h]`"));
        let length =
            self.required(&fields, "length", "length: 10m", |reader, node| reader.load_span(node, "length"));
        let height =
            self.required(&fields, "height", "height: 30", |reader, node| reader.load_number(node, "height"));
        self.one_of_two(&fields, "gap", "at", "gap: 2h")?;
        let (length, height) = (length?, height?);
        match fields.get("gap") {
            Some(_) => Some(LoadForm::Bursts { gap: gap?, length, height }),
            None => Some(LoadForm::BurstsAt { at: at?, length, height }),
        }
    }

    /// `{ 0s: 20, 16h: 50 }`
    fn steps(&mut self, node: &Node) -> Option<Vec<(Span, f64)>> {
        let entries = self.entries(node, "times and values such as `{ 0s: 20, 16h: 50 }`")?;
        if entries.is_empty() {
            self.empty("times and values such as `{ 0s: 20, 16h: 50 }`", node);
            return None;
        }
        let mut rows: Vec<(Span, f64)> = Vec::with_capacity(entries.len());
        let mut whole = true;
        for Entry { text, key, value, again } in entries {
            let at = self.span(key);
            let number = self.inside(text, |reader| reader.load_number(value, "steps"));
            let Some(at) = at else {
                whole = false;
                continue;
            };
            // One that is there already was told.
            if again {
                continue;
            }
            if rows.last().is_some_and(|before| before.0 >= at.value) {
                let why = format!("{} is not later than the step before it", short(text));
                self.wrong(&ScenarioErrorKind::BadLoad { why }, key);
                whole = false;
            }
            whole &= number.is_some();
            rows.push((at.value, number.unwrap_or(0.0)));
        }
        whole.then_some(rows)
    }
}

/// `14:00`, `Wed 14:00`, or a span since midnight or since Monday's.
fn peak(text: &str, week: bool) -> Option<Span> {
    let length = Span::from_hours(if week { 7 * 24 } else { 24 });
    if let Ok(span) = scalar::parse_span(text) {
        return (span < length).then_some(span);
    }
    let (day, time) = match text.split_once(' ') {
        Some((day, time)) if week => (Weekday::parse(day)? as u64, time),
        Some(_) => return None,
        None if week => return None,
        None => (0, text),
    };
    let (hour, minute) = time.split_once(':')?;
    let two = |text: &str| (text.len() == 2).then(|| scalar::whole(text)).flatten().map(u64::from);
    let (hour, minute) = (two(hour)?, two(minute)?);
    (hour < 24 && minute < 60).then(|| Span::from_mins((day * 24 + hour) * 60 + minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks() {
        let cases = [
            ("14:00", false, Some(14 * 60)),
            ("14h", false, Some(14 * 60)),
            ("1h30m", false, Some(90)),
            ("24h", false, None),
            ("24:00", false, None),
            ("Wed 14:00", false, None),
            ("Wed 14:00", true, Some(62 * 60)),
            ("2d14h", true, Some(62 * 60)),
            ("14:00", true, None),
            ("7d", true, None),
            ("2:00", false, None),
            ("noon", false, None),
        ];
        for (text, week, mins) in cases {
            assert_eq!(peak(text, week), mins.map(Span::from_mins), "{text}");
        }
    }
}
