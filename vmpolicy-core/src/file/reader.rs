//! The tools with which sections are read: keys looked up, types checked, everything wrong noted down.

use super::node::{Node, Value, short};
use super::problem::{Problem, ReadErrorKind as Kind};
use super::scalar;
use crate::policy::build::{Doubts, MOST_SUGGESTIONS};
use crate::policy::error::{Label, PolicyErrorKind, nearest};
use crate::policy::{Located, Place};
use crate::time::Span;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Reader {
    pub(super) problems: Vec<Problem>,
    pub(super) doubts: Doubts,
    /// The doubts of the policies that stand in a scenario, by their places.
    #[cfg(feature = "sim")]
    pub(super) inner: BTreeMap<Place, Doubts>,
    path: Vec<String>,
}

/// A map whose keys were checked.
pub(super) struct Fields<'n> {
    pub(super) place: Place,
    entries: BTreeMap<&'static str, &'n Node>,
    /// Values of keys that were there already: the first one counts, these are only looked at.
    again: Vec<(&'static str, &'n Node)>,
}

/// A key with its value.
pub(super) struct Entry<'n> {
    pub(super) text: &'n str,
    pub(super) key: &'n Node,
    pub(super) value: &'n Node,
    /// The same key stands before it.
    pub(super) again: bool,
}

impl<'n> Fields<'n> {
    /// No keys at all.
    pub(super) const fn none(place: Place) -> Self {
        Self { place, entries: BTreeMap::new(), again: Vec::new() }
    }

    fn put(&mut self, key: &'static str, value: &'n Node) {
        if self.entries.contains_key(key) {
            self.again.push((key, value));
        } else {
            self.entries.insert(key, value);
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.get(key).copied()
    }

    /// What stands there under a key that was there already.
    pub(super) fn again(&self, key: &str) -> impl Iterator<Item = &'n Node> {
        self.again.iter().filter(move |(name, _)| *name == key).map(|&(_, node)| node)
    }

    /// All that stands there under the key.
    pub(super) fn all(&self, key: &str) -> impl Iterator<Item = &'n Node> {
        self.get(key).into_iter().chain(self.again(key))
    }
}

impl Reader {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self {
            problems,
            doubts: Doubts::default(),
            #[cfg(feature = "sim")]
            inner: BTreeMap::new(),
            path: Vec::new(),
        }
    }

    /// Does something one step further down.
    pub(super) fn inside<T>(&mut self, key: &str, what: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(short(key));
        let result = what(self);
        self.path.pop();
        result
    }

    /// Names with dots between them, and places in lists: `rules.busy.when.all[1]`.
    pub(super) fn way(&self) -> String {
        self.path.iter().fold(String::new(), |mut path, step| {
            if !path.is_empty() && !step.starts_with('[') {
                path.push('.');
            }
            path.push_str(step);
            path
        })
    }

    pub(super) fn blame(&mut self, kind: Kind, place: Place) -> &mut Problem {
        let problem = kind.at(Some(place), self.way(), None);
        self.problems.push(problem);
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    pub(super) fn blame_hinted(&mut self, kind: Kind, place: Place, hint: impl Into<String>) {
        self.blame(kind, place).hint = Some(hint.into());
    }

    pub(super) fn wrong_type(&mut self, expected: &'static str, node: &Node) {
        if !matches!(node.value, Value::Blamed) {
            self.blame(Kind::WrongType { expected, found: node.describe() }, node.place);
        }
    }

    /// The entries of a map whose keys are texts, in their order.
    pub(super) fn entries<'n>(&mut self, node: &'n Node, expected: &'static str) -> Option<Vec<Entry<'n>>> {
        let Value::Map(pairs) = &node.value else {
            self.wrong_type(expected, node);
            return None;
        };
        let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
        let mut entries = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let Value::Scalar { text, plain, .. } = &key.value else {
                self.wrong_type("a key", key);
                continue;
            };
            if *plain && text == "<<" {
                self.blame_hinted(Kind::NotRead { what: "merge keys" }, key.place, "write the values out");
                continue;
            }
            let first = seen.get(text.as_str()).copied();
            if let Some(first) = first {
                let label = Label { place: first, text: "first here".to_owned() };
                self.blame(Kind::DuplicateKey { key: short(text) }, key.place).labels.push(label);
            } else {
                seen.insert(text, key.place);
            }
            entries.push(Entry { text, key, value, again: first.is_some() });
        }
        Some(entries)
    }

    /// The values of a map with these keys and no others.
    ///
    /// What stands under a misspelt key is read as that of the key which was probably meant: it may have
    /// errors of its own, and what it defines is not undefined.
    pub(super) fn fields<'n>(
        &mut self,
        node: &'n Node,
        expected: &'static str,
        known: &[&'static str],
    ) -> Option<Fields<'n>> {
        let entries = self.entries(node, expected)?;
        let mut fields = Fields::none(node.place);
        let given: BTreeSet<&str> = entries.iter().map(|entry| entry.text).collect();
        // A key that is there already is not meant by another one.
        let free: Vec<&'static str> = known.iter().filter(|&name| !given.contains(name)).copied().collect();
        for Entry { text, key, value, again } in entries {
            if let Some(&name) = known.iter().find(|&&name| name == text) {
                fields.put(name, value);
                continue;
            }
            if again {
                continue;
            }
            let worth = self.problems.len() < MOST_SUGGESTIONS;
            let near = worth.then(|| nearest(text, free.iter().copied())).flatten();
            let near = near.and_then(|near| free.iter().copied().find(|&name| name == near));
            if let Some(near) = near {
                fields.put(near, value);
            }
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                // `days: Sat,Sun` in { } makes a key of `Sun`.
                None if value.is_null() => {
                    "in { } and [ ] a text with a comma needs quotes around all of it".to_owned()
                }
                None => match known {
                    [only] => format!("the only key here is `{only}`"),
                    _ => format!("the keys here are {}", list(known)),
                },
            };
            self.blame_hinted(Kind::UnknownKey { key: short(text) }, key.place, hint);
        }
        Some(fields)
    }

    /// The value of a key that must be there.
    pub(super) fn need<'n>(
        &mut self,
        fields: &Fields<'n>,
        key: &'static str,
        example: &str,
    ) -> Option<&'n Node> {
        let node = fields.get(key);
        if node.is_none() {
            self.blame_hinted(Kind::MissingKey { key }, fields.place, format!("for example `{example}`"));
        }
        node
    }

    /// A key that must be there; what is there and can't be read is blamed by `read`.
    pub(super) fn required<'n, T>(
        &mut self,
        fields: &Fields<'n>,
        key: &'static str,
        example: &str,
        read: impl FnMut(&mut Self, &'n Node) -> Option<T>,
    ) -> Option<T> {
        self.need(fields, key, example)?;
        self.optional(fields, key, read)
    }

    /// As [`required`](Self::required), of a key that may be left out.
    pub(super) fn optional<'n, T>(
        &mut self,
        fields: &Fields<'n>,
        key: &'static str,
        mut read: impl FnMut(&mut Self, &'n Node) -> Option<T>,
    ) -> Option<T> {
        let node = fields.get(key)?;
        self.inside(key, |reader| {
            let value = read(reader, node);
            for node in fields.again(key) {
                drop(read(reader, node));
            }
            value
        })
    }

    pub(super) fn list<'n>(&mut self, node: &'n Node, expected: &'static str) -> Option<&'n [Node]> {
        match &node.value {
            Value::Seq(items) => Some(items),
            _ => {
                self.wrong_type(expected, node);
                None
            }
        }
    }

    /// A text, with or without quotes; an empty one only with them.
    pub(super) fn text<'n>(&mut self, node: &'n Node, expected: &'static str) -> Option<&'n str> {
        match &node.value {
            Value::Scalar { text, .. } if !node.is_null() => Some(text),
            _ => {
                self.wrong_type(expected, node);
                None
            }
        }
    }

    pub(super) fn name(&mut self, node: &Node, expected: &'static str) -> Option<Located<String>> {
        self.text(node, expected).map(|text| Located::at(text.to_owned(), node.place))
    }

    pub(super) fn number(&mut self, node: &Node, expected: &'static str) -> Option<Located<f64>> {
        let text = self.text(node, expected)?;
        let number = scalar::number(text);
        if number.is_none() {
            self.blame(Kind::Number { text: short(text), expected }, node.place);
        }
        number.map(|number| Located::at(number, node.place))
    }

    pub(super) fn whole(&mut self, node: &Node, expected: &'static str) -> Option<u32> {
        let text = self.text(node, expected)?;
        let number = scalar::whole(text);
        if number.is_none() {
            self.blame(Kind::Number { text: short(text), expected }, node.place);
        }
        number
    }

    /// `true` or `false`; YAML 1.1's `yes` and `on` are not among them.
    pub(super) fn truth(&mut self, node: &Node) -> Option<bool> {
        self.choice(node, "`true`, `false`", &[("true", true), ("false", false)])
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        node: &Node,
        choices: &'static str,
        known: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(node, "one of a few words")?;
        let found = known.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            // One number is no misspelling of another.
            let words =
                known.iter().map(|(word, _)| *word).filter(|word| word.starts_with(char::is_alphabetic));
            let near = nearest(text, words);
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            self.blame(Kind::Choice { text: short(text), choices }, node.place).hint = hint;
        }
        found.map(|&(_, value)| value)
    }

    pub(super) fn span(&mut self, node: &Node) -> Option<Located<Span>> {
        let text = self.text(node, "a span of time such as `60s`")?;
        match scalar::parse_span(text) {
            Ok(span) => Some(Located::at(span, node.place)),
            Err(why) => {
                let hint = scalar::whole(text).map(|_| format!("for seconds write `{text}s`"));
                self.blame(Kind::Span { text: short(text), why }, node.place).hint = hint;
                None
            }
        }
    }

    /// What the judgement says of zero spans, of one that it does not get to see.
    pub(super) fn zero_span(&mut self, key: &'static str, place: Option<Place>) {
        self.judged(&PolicyErrorKind::ZeroSpan { key }, place, None);
    }

    /// What the judgement would say, of something that it does not get to see.
    pub(super) fn judged(&mut self, kind: &PolicyErrorKind, place: Option<Place>, hint: Option<String>) {
        let (code, message, path) = (kind.code(), kind.to_string(), self.way());
        let severity = super::Severity::Error;
        self.problems.push(Problem { code, severity, message, place, path, labels: Vec::new(), hint });
    }

    /// A span that the shell waits for: none of zero.
    pub(super) fn wait(&mut self, fields: &Fields<'_>, key: &'static str, default: Span) -> Span {
        let span = self.optional(fields, key, |reader, node| {
            let span = reader.span(node)?;
            if span.value.is_zero() {
                reader.zero_span(key, span.place);
            }
            Some(span.value)
        });
        span.unwrap_or(default)
    }
}

/// What there is to choose from, for a hint.
pub(super) fn choices(words: &[&str]) -> String {
    match words {
        [only] => format!("the only one here is `{only}`"),
        _ => format!("choose one of {}", list(words)),
    }
}

/// Words with commas, in backticks.
fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
