//! Several files that make one policy: the first one with what a policy must have, and others that add sections to it.
//!
//! They are read as one file. Places count through all of them, as if they stood one after the other with a byte
//! between; [`Parts`] says which of them a place is in. So whatever judges a policy knows nothing of files.

use super::node::{self, Node, Value};
use super::problem::{Problem, ReadErrorKind as Kind};
use super::reader::Reader;
use crate::policy::Place;
use std::collections::BTreeMap;

/// The sections of named things. Each file may add some; a name stands in one file only.
const SPREAD: [&str; 4] = ["arrays", "indicators", "windows", "queues"];

/// Where each of several files begins, for places that count through all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    starts: Vec<u32>,
}

impl Parts {
    /// Of files with these texts, in their order.
    ///
    /// ```
    /// use vmpolicy_core::file::Parts;
    /// use vmpolicy_core::policy::Place;
    /// let parts = Parts::of(["version: 1\n".as_bytes(), b"mode: act\n"]);
    /// assert_eq!(parts.find(Place { start: 9, end: 10 }), (0, Place { start: 9, end: 10 }));
    /// assert_eq!(parts.find(Place { start: 18, end: 21 }), (1, Place { start: 6, end: 9 }));
    /// ```
    #[must_use]
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> Self {
        let mut next = 0_u32;
        let starts = texts.into_iter().map(|text| {
            let start = next;
            next = after(start, text);
            start
        });
        Self { starts: starts.collect() }
    }

    /// The file that a place is in, by its number from 0, and the place in that file's own text.
    #[must_use]
    pub fn find(&self, place: Place) -> (usize, Place) {
        let at = self.starts.partition_point(|&start| start <= place.start).saturating_sub(1);
        let start = self.starts.get(at).copied().unwrap_or_default();
        (at, Place { start: place.start.saturating_sub(start), end: place.end.saturating_sub(start) })
    }
}

/// Where the text after this one begins. A byte between them keeps the end of one apart from the next one's beginning.
fn after(start: u32, text: &[u8]) -> u32 {
    start.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX)).saturating_add(1)
}

/// Files read into the keys at the top of one.
#[derive(Default)]
struct Gathered {
    pairs: Vec<(Node, Node)>,
    /// Where a key stands among the pairs, and the last file that had it.
    seen: BTreeMap<String, (usize, usize)>,
    /// Where the first file has its keys.
    place: Option<Place>,
    /// A file could not be read: what it defines is not known.
    broken: bool,
}

impl Reader {
    /// Reads all files as one. None where there is nothing to look at, which was said.
    pub(super) fn gather(&mut self, texts: &[&[u8]]) -> Option<Node> {
        let parts = Parts::of(texts.iter().copied());
        let mut gathered = Gathered::default();
        for (number, (text, &start)) in texts.iter().zip(&parts.starts).enumerate() {
            let before = self.problems.len();
            match self.part(text, start) {
                // Of one file, a list in the place of keys is told by whoever wants the keys.
                Some(node) if texts.len() == 1 && !node.is_null() => return Some(node),
                Some(Node { place, value: Value::Map(pairs) }) => {
                    gathered.place = gathered.place.or(Some(place));
                    for (key, value) in pairs {
                        self.add(&mut gathered, number, key, value);
                    }
                }
                Some(node) if !node.is_null() => {
                    gathered.broken = true;
                    self.wrong_type("the keys of a policy file", &node);
                }
                // Nothing, or comments only.
                _ if self.problems.len() == before => {
                    if number == 0 {
                        gathered.broken = true;
                        self.nothing("`version: 1` and `arrays:`");
                    }
                }
                _ => gathered.broken = true,
            }
        }
        if gathered.broken {
            self.doubt_all();
            self.doubts.home = true;
            self.doubts.indicators = true;
            self.doubts.windows = true;
            self.doubts.queues = true;
        }
        let Gathered { mut pairs, seen, place, broken } = gathered;
        let place = place?;
        // What must be there may stand in a file that can't be read.
        let blamed = ["version", "arrays"].into_iter().filter(|&key| broken && !seen.contains_key(key));
        pairs.extend(blamed.map(|key| (word(key, place), Node { place, value: Value::Blamed })));
        Some(Node { place, value: Value::Map(pairs) })
    }

    /// One file, its places moved to where it begins.
    fn part(&mut self, text: &[u8], start: u32) -> Option<Node> {
        let (mut node, mut problems) = match super::checked(text) {
            Ok(text) => node::read(text),
            Err(problem) => (None, vec![*problem]),
        };
        if start > 0 {
            node.iter_mut().for_each(|node| moved(node, start));
            for problem in &mut problems {
                // One of a whole file is at its beginning: without a place it would be the first file's.
                let place = problem.place.unwrap_or(Place { start: 0, end: 0 });
                problem.place = Some(later(place, start));
            }
        }
        self.problems.append(&mut problems);
        node
    }

    /// Adds a key of a file's top.
    fn add(&mut self, gathered: &mut Gathered, number: usize, key: Node, value: Node) {
        let Value::Scalar { text, .. } = &key.value else {
            gathered.pairs.push((key, value));
            return;
        };
        // The first file's stands for all.
        if number > 0 && text == "version" {
            self.inside("version", |reader| reader.version_word(&value));
            return;
        }
        let before = gathered.seen.get(text).copied();
        match before {
            Some((at, file)) if file < number && SPREAD.contains(&text.as_str()) => {
                gathered.seen.insert(text.clone(), (at, number));
                let (_, there) = &mut gathered.pairs[at];
                if there.is_null() {
                    *there = value;
                } else if !value.is_null() {
                    let text = text.clone();
                    self.inside(&text, |reader| reader.join(there, value));
                }
            }
            // Twice, which is told where the keys are looked at.
            Some(_) => gathered.pairs.push((key, value)),
            None => {
                gathered.seen.insert(text.clone(), (gathered.pairs.len(), number));
                gathered.pairs.push((key, value));
            }
        }
    }

    /// The names of both, one after the other.
    fn join(&mut self, there: &mut Node, more: Node) {
        let place = there.place;
        let first = std::mem::replace(&mut there.value, Value::Blamed);
        let mut pairs = self.definitions(Node { place, value: first });
        pairs.extend(self.definitions(more));
        there.value = Value::Map(pairs);
    }

    fn definitions(&mut self, node: Node) -> Vec<(Node, Node)> {
        if !matches!(node.value, Value::Map(_)) {
            self.wrong_type("names with their definitions", &node);
        }
        let Node { place, value } = node;
        let blamed = || Node { place, value: Value::Blamed };
        match value {
            Value::Map(pairs) => pairs,
            // What they would have been is not known.
            _ => vec![(blamed(), blamed())],
        }
    }

    /// Says of what stands in two files why that is wrong.
    pub(super) fn hint_at_files(&mut self, texts: &[&[u8]]) {
        let parts = Parts::of(texts.iter().copied());
        let file = |place: Place| parts.find(place).0;
        let code = Kind::DuplicateKey { key: String::new() }.code();
        for problem in self.problems.iter_mut().filter(|problem| problem.code == code) {
            let Problem { place: Some(place), labels, hint, path, .. } = problem else { continue };
            if labels.iter().any(|label| file(label.place) != file(*place)) {
                *hint = Some(if path.is_empty() {
                    let spread = SPREAD.map(|name| format!("`{name}`")).join(", ");
                    format!("one file has it; only {spread} may be spread over several")
                } else {
                    "a name is defined in one file".to_owned()
                });
            }
        }
    }
}

fn word(text: &str, place: Place) -> Node {
    Node { place, value: Value::Scalar { text: text.to_owned(), plain: true, verbatim: None } }
}

const fn later(place: Place, by: u32) -> Place {
    Place { start: place.start.saturating_add(by), end: place.end.saturating_add(by) }
}

fn moved(node: &mut Node, by: u32) {
    node.place = later(node.place, by);
    match &mut node.value {
        Value::Scalar { verbatim, .. } => *verbatim = verbatim.map(|start| start.saturating_add(by)),
        Value::Seq(items) => items.iter_mut().for_each(|item| moved(item, by)),
        Value::Map(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            moved(key, by);
            moved(value, by);
        }),
        Value::Blamed => {}
    }
}
