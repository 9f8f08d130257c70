//! `readings:`, what the probes read.

use super::super::node::{Node, Value, short};
use super::super::problem::ReadErrorKind;
use super::super::reader::{Entry, Reader};
use super::moment::Start;
use super::names::{Known, Named};
use super::problem::TrialErrorKind as Kind;
use crate::policy::Place;
use crate::time::Span;
use crate::trial::{Item, Segment, Series, Then, parse_items};

const VALUES: &str = "values such as `0x3 76x5`, or a list of `{ from: 1h, values: 76x5 }`";
const KEYS: &[&str] = &["from", "every", "values", "then"];
const MAP: &str = "values such as `{ every: 30s, values: 0x3 76x5 }`";

impl Reader {
    pub(super) fn readings(
        &mut self,
        node: &Node,
        start: &Start,
        known: &Known,
    ) -> Option<Vec<(String, Series)>> {
        let mut readings = Vec::new();
        for Entry { text, key, value, again } in self.entries(node, "readings such as `load: 1x5 9x3`")? {
            self.look_up(text, key, Named::Indicator, known, &[]);
            let every = known
                .policies()
                .iter()
                .find_map(|policy| policy.indicator_named(text).map(|id| policy.indicators()[id].every));
            let series = self.inside(text, |reader| reader.series(value, every, start));
            if !again && let Some(series) = series {
                readings.push((text.to_owned(), series));
            }
        }
        Some(readings)
    }

    fn series(&mut self, node: &Node, every: Option<Span>, start: &Start) -> Option<Series> {
        let nodes = match &node.value {
            Value::Seq(items) if items.iter().any(|item| matches!(item.value, Value::Map(_))) => {
                items.as_slice()
            }
            Value::Seq(_) => {
                let found = node.describe();
                let hint = "write them in one text with spaces between them: `0x3 76x5`";
                self.blame_hinted(ReadErrorKind::WrongType { expected: VALUES, found }, node.place, hint);
                return None;
            }
            _ => core::slice::from_ref(node),
        };
        let mut segments: Vec<(Segment, Place)> = Vec::new();
        let mut whole = true;
        for (index, node) in nodes.iter().enumerate() {
            let step = if nodes.len() > 1 { format!("[{index}]") } else { String::new() };
            let read = |reader: &mut Self| reader.segment(node, every, start);
            let segment = if step.is_empty() { read(self) } else { self.inside(&step, read) };
            match segment {
                Some(segment) => segments.push((segment, node.place)),
                None => whole = false,
            }
        }
        for pair in segments.windows(2) {
            let ((one, _), (next, place)) = (&pair[0], &pair[1]);
            if next.from <= one.last() {
                let hint = "let them begin later, or write fewer values before them".to_owned();
                let kind = Kind::Overlap { from: next.from, before: one.last() };
                self.blame_trial(kind, *place, Some(hint));
            }
        }
        whole.then(|| Series { segments: segments.into_iter().map(|(segment, _)| segment).collect() })
    }

    fn segment(&mut self, node: &Node, every: Option<Span>, start: &Start) -> Option<Segment> {
        // Where nothing is known of the indicator, that was said.
        let stand_in = Span::from_mins(1);
        match &node.value {
            Value::Map(_) => {
                let fields = self.fields(node, MAP, KEYS)?;
                let from = self.optional(&fields, "from", |reader, node| reader.moment(node, start));
                let spaced = self.optional(&fields, "every", |reader, node| {
                    let span = reader.span(node)?;
                    if span.value.is_zero() {
                        reader.zero_span("every", span.place);
                        return None;
                    }
                    Some(span.value)
                });
                let then = self.optional(&fields, "then", |reader, node| {
                    reader.choice(
                        node,
                        "`hold`, `missing`",
                        &[("hold", Then::Hold), ("missing", Then::Missing)],
                    )
                });
                let items = self.required(&fields, "values", "values: 0x3 76x5", Self::items)?;
                Some(Segment {
                    from: from.unwrap_or_default(),
                    every: spaced.or(every).unwrap_or(stand_in),
                    items,
                    then: then.unwrap_or_default(),
                })
            }
            _ => Some(Segment {
                from: Span::ZERO,
                every: every.unwrap_or(stand_in),
                items: self.items(node)?,
                then: Then::default(),
            }),
        }
    }

    fn items(&mut self, node: &Node) -> Option<Vec<Item>> {
        let text = self.text(node, VALUES)?;
        match parse_items(text) {
            Ok(items) => Some(items),
            Err(error) => {
                let place = match &node.value {
                    Value::Scalar { verbatim: Some(at), .. } => Place {
                        start: at.saturating_add(offset(error.at.start)),
                        end: at.saturating_add(offset(error.at.end)),
                    },
                    _ => node.place,
                };
                self.blame_trial(Kind::Values { why: short_of(&error.why) }, place, error.hint);
                None
            }
        }
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A message may hold what was written, however long that is.
fn short_of(why: &str) -> String {
    if why.chars().nth(200).is_some() { short(why) } else { why.to_owned() }
}
