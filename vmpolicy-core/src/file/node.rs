//! YAML to a tree of our own, in which every key and every value knows its place.
//!
//! The tree is built from the parser's events and not by serde: serde stops at the first thing that does
//! not fit, and a user wants to see all of them. Keys that are written twice are kept, to be shown.

use super::problem::{Problem, ReadErrorKind as Kind};
use crate::policy::Place;
use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span};

/// A thousand times what a policy of twenty rules takes.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// Room for 60,000 hosts, and an end for what is only brackets and commas.
const MOST_VALUES: usize = 200_000;
/// Values in values; conditions are held to less.
const DEEPEST: usize = 64;

/// A value and where it was written.
#[derive(Debug)]
pub(super) struct Node {
    /// All of a scalar; of what goes over several lines, the first line.
    pub(super) place: Place,
    pub(super) value: Value,
}

/// A value.
#[derive(Debug)]
pub(super) enum Value {
    /// A text, a number, a boolean: YAML leaves open which, and so do we.
    Scalar {
        /// The text, escapes worked out.
        text: String,
        /// Without quotes: what looks like a number may be one.
        plain: bool,
        /// Where the text begins, if it stands in the file as it is here, byte for byte.
        verbatim: Option<u32>,
    },
    /// A list.
    Seq(Vec<Node>),
    /// Keys and values, in their order.
    Map(Vec<(Node, Node)>),
    /// Something that was blamed already.
    Blamed,
}

impl Node {
    /// In words, for "expected ..., found ...".
    pub(super) fn describe(&self) -> String {
        match &self.value {
            Value::Scalar { text, plain: true, .. } if is_null(text) => "nothing".to_owned(),
            Value::Scalar { text, .. } => format!("`{}`", short(text)),
            Value::Seq(_) => "a list".to_owned(),
            Value::Map(_) => "keys and values".to_owned(),
            Value::Blamed => "what can't be read".to_owned(),
        }
    }

    /// All texts in it; whether that is all there is.
    pub(super) fn texts<'n>(&'n self, texts: &mut Vec<&'n str>) -> bool {
        match &self.value {
            Value::Scalar { text, .. } => {
                texts.extend((!self.is_null()).then_some(text.as_str()));
                !self.is_null()
            }
            // No short cut after one that can't be read: the rest has texts, too.
            Value::Seq(items) => items.iter().filter(|item| !item.texts(texts)).count() == 0,
            Value::Map(pairs) => {
                let mut whole = true;
                for (key, value) in pairs {
                    whole &= key.texts(texts) & value.texts(texts);
                }
                whole
            }
            Value::Blamed => false,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true, .. } if is_null(text))
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// A text, cut to what fits in a message.
pub(super) fn short(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

/// A collection that is still open.
enum Open {
    Seq { start: u32, items: Vec<Node> },
    Map { start: u32, pairs: Vec<(Node, Node)>, key: Option<Node> },
}

struct Builder<'t> {
    text: &'t str,
    problems: Vec<Problem>,
    open: Vec<Open>,
    root: Option<Node>,
    values: usize,
}

/// Reads the text as one YAML document.
///
/// What could be read comes first; where the syntax is broken, that is all up to there.
pub(super) fn read(text: &str) -> (Option<Node>, Vec<Problem>) {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.emit_unresolved_aliases = true;
    options.emit_anchor_events = true;
    options.flow_nesting_limit = DEEPEST;
    options.block_nesting_limit = DEEPEST;
    // A flow map on one line may be long: a ring of many hosts.
    options.simple_key_max_lookahead = 1_024;
    let mut builder = Builder { text, problems: Vec::new(), open: Vec::new(), root: None, values: 0 };
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                builder.syntax(&error);
                return (None, builder.problems);
            }
        };
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 {
                let place = builder.place(&span);
                builder.blame(Kind::SecondDocument, place, Some("put it in a file of its own"));
                break;
            }
        }
        if builder.values > MOST_VALUES {
            let place = builder.place(&span);
            builder.blame(Kind::TooManyValues { most: MOST_VALUES }, place, None);
            return (None, builder.problems);
        }
        builder.event(event, &span);
    }
    (builder.root, builder.problems)
}

impl Builder<'_> {
    fn blame(&mut self, kind: Kind, place: Place, hint: Option<&str>) {
        self.problems.push(kind.at(Some(place), String::new(), hint.map(str::to_owned)));
    }

    fn syntax(&mut self, error: &ScanError) {
        let mut at = error.marker().byte_offset().unwrap_or(0).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let place = self.to_end_of_line(number(at));
        let message = error.info();
        let line = self.text[..place.start as usize].rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[line..].lines().next().unwrap_or("");
        let hint = if message.contains("tab") && line.contains('\t') {
            Some("indent with spaces")
        } else if line.contains("count(") || line.contains("gain(") {
            Some("in { } and [ ] a text with a comma needs quotes around all of it")
        } else {
            None
        };
        self.blame(Kind::Yaml { message }, place, hint);
    }

    fn place(&self, span: &Span) -> Place {
        let end = number(self.text.len());
        let start = span.start.byte_offset().map_or(0, number).min(end);
        let end = span.end.byte_offset().map_or(start, number).min(end);
        Place { start, end: end.max(start) }
    }

    /// From there to the end of its line.
    fn to_end_of_line(&self, start: u32) -> Place {
        let rest = self.text.get(start as usize..).unwrap_or("");
        let line = rest.split(['\n', '\r']).next().unwrap_or("").trim_end();
        Place { start, end: start + number(line.len()) }
    }

    fn event(&mut self, event: Event<'_>, span: &Span) {
        let place = self.place(span);
        if let Some(tag) = event.tag() {
            let place = span.tag_start().and_then(|mark| mark.byte_offset()).map_or(place, |start| Place {
                start: number(start),
                end: number(start + tag.original().len()).min(number(self.text.len())),
            });
            self.blame(Kind::NotRead { what: "tags" }, place, None);
        }
        match event {
            Event::Scalar(text, style, ..) => {
                let (place, verbatim) = self.scalar_place(&text, style, place);
                let value =
                    Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain, verbatim };
                self.push(Node { place, value });
            }
            Event::Anchor(..) => {
                self.blame(Kind::NotRead { what: "anchors" }, place, Some("write the value out"));
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.blame(Kind::NotRead { what: "aliases" }, place, Some("write the value out"));
                self.push(Node { place, value: Value::Blamed });
            }
            Event::SequenceStart(..) => self.open.push(Open::Seq { start: place.start, items: Vec::new() }),
            Event::MappingStart(..) => {
                self.open.push(Open::Map { start: place.start, pairs: Vec::new(), key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::Seq { start, items }) => self.close(start, place.end, Value::Seq(items)),
                Some(Open::Map { start, pairs, .. }) => self.close(start, place.end, Value::Map(pairs)),
                None => {}
            },
            _ => {}
        }
    }

    fn close(&mut self, start: u32, end: u32, value: Value) {
        let line = self.to_end_of_line(start);
        let place = Place { start, end: line.end.min(end).max(start) };
        self.push(Node { place, value });
    }

    /// The place of a scalar without what the parser counts to it (line ends, quotes stay), and where its
    /// text begins if it stands there as it is.
    fn scalar_place(&self, text: &str, style: ScalarStyle, place: Place) -> (Place, Option<u32>) {
        let written = self.text.get(place.start as usize..place.end as usize).unwrap_or("");
        match style {
            ScalarStyle::Plain => {
                let same = written.starts_with(text);
                let end = if same { place.start + number(text.len()) } else { place.end };
                (Place { end, ..place }, same.then_some(place.start))
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let inner = written.get(1..).unwrap_or("");
                let same = inner.len() == text.len() + 1 && inner.starts_with(text);
                (place, same.then_some(place.start + 1))
            }
            ScalarStyle::Literal | ScalarStyle::Folded => (self.to_end_of_line(place.start), None),
        }
    }

    fn push(&mut self, node: Node) {
        self.values += 1;
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::Seq { items, .. }) => items.push(node),
            Some(Open::Map { pairs, key, .. }) => match key.take() {
                None => *key = Some(node),
                Some(key) => pairs.push((key, node)),
            },
        }
    }
}

/// Offsets fit: a file has at most [`MOST_BYTES`].
fn number(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
