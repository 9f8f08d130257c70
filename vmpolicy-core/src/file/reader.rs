//! The tools with which sections are read: keys looked up, types checked, everything wrong noted down.

use super::node::{Node, Value, short};
use super::problem::{Problem, ReadErrorKind as Kind};
use super::scalar;
use crate::policy::build::{Doubts, MOST_SUGGESTIONS};
use crate::policy::error::{Label, PolicyErrorKind, nearest};
use crate::policy::{Located, Place};
use crate::time::Span;
use std::collections::BTreeMap;

pub(super) struct Reader {
    pub(super) problems: Vec<Problem>,
    pub(super) doubts: Doubts,
    path: Vec<String>,
}

/// A map whose keys were checked.
pub(super) struct Fields<'n> {
    pub(super) place: Place,
    entries: BTreeMap<&'static str, &'n Node>,
    /// Keys that were perhaps meant by others: they are not missing.
    meant: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// No keys at all.
    pub(super) const fn none(place: Place) -> Self {
        Self { place, entries: BTreeMap::new(), meant: Vec::new() }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.get(key).copied()
    }

    /// Whether the key is not there because it is written wrong.
    pub(super) fn is_meant(&self, key: &str) -> bool {
        self.meant.contains(&key)
    }
}

impl Reader {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems, doubts: Doubts::default(), path: Vec::new() }
    }

    /// Does something one step further down.
    pub(super) fn inside<T>(&mut self, key: &str, what: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(short(key));
        let result = what(self);
        self.path.pop();
        result
    }

    /// Names with dots between them, and places in lists: `rules.busy.when.all[1]`.
    fn way(&self) -> String {
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

    /// The entries of a map, with keys that are texts and stand there once.
    pub(super) fn entries<'n>(
        &mut self,
        node: &'n Node,
        expected: &'static str,
    ) -> Option<Vec<(&'n str, &'n Node, &'n Node)>> {
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
            match seen.get(text.as_str()) {
                Some(&first) => {
                    let label = Label { place: first, text: "first here".to_owned() };
                    self.blame(Kind::DuplicateKey { key: short(text) }, key.place).labels.push(label);
                }
                None => {
                    seen.insert(text, key.place);
                    entries.push((text.as_str(), key, value));
                }
            }
        }
        Some(entries)
    }

    /// The values of a map with these keys and no others.
    pub(super) fn fields<'n>(
        &mut self,
        node: &'n Node,
        expected: &'static str,
        known: &[&'static str],
    ) -> Option<Fields<'n>> {
        let entries = self.entries(node, expected)?;
        let mut fields = Fields { place: node.place, entries: BTreeMap::new(), meant: Vec::new() };
        // A key that is there already is not meant by another one.
        let free = |name: &&&str| !entries.iter().any(|(given, ..)| *given == **name);
        let free: Vec<&'static str> = known.iter().filter(free).copied().collect();
        for (text, key, value) in entries {
            if let Some(&name) = known.iter().find(|&&name| name == text) {
                fields.entries.insert(name, value);
                continue;
            }
            let worth = self.problems.len() < MOST_SUGGESTIONS;
            let near = worth.then(|| nearest(text, free.iter().copied())).flatten();
            let near = near.and_then(|near| free.iter().copied().find(|&name| name == near));
            fields.meant.extend(near);
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                // `days: Sat,Sun` in { } makes a key of `Sun`.
                None if value.is_null() => {
                    "in { } and [ ] a text with a comma needs quotes around all of it".to_owned()
                }
                None => format!("the keys here are {}", list(known)),
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
        if node.is_none() && !fields.is_meant(key) {
            self.blame_hinted(Kind::MissingKey { key }, fields.place, format!("write such as `{example}`"));
        }
        node
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
                let hint = scalar::whole(text).map(|_| format!("seconds are `{text}s`"));
                self.blame(Kind::Span { text: short(text), why }, node.place).hint = hint;
                None
            }
        }
    }

    /// What the judgement says of zero spans, of one that it does not get to see.
    pub(super) fn zero_span(&mut self, key: &'static str, place: Option<Place>) {
        let kind = PolicyErrorKind::ZeroSpan { key };
        let (code, message, path) = (kind.code(), kind.to_string(), self.way());
        let severity = super::Severity::Error;
        self.problems.push(Problem { code, severity, message, place, path, labels: Vec::new(), hint: None });
    }

    /// A span that the shell waits for: none of zero.
    pub(super) fn wait(&mut self, fields: &Fields<'_>, key: &'static str, default: Span) -> Span {
        let Some(node) = fields.get(key) else { return default };
        let Some(span) = self.inside(key, |reader| reader.span(node)) else { return default };
        if span.value.is_zero() {
            self.inside(key, |reader| reader.zero_span(key, span.place));
        }
        span.value
    }
}

/// Words with commas, in backticks.
fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
