//! One test of a file.

use super::super::node::{Node, Value};
use super::super::reader::{Entry, Fields, Reader};
use super::super::scalar;
use super::Book;
use super::moment::Start;
use super::names::{Known, Named};
use crate::input::Outcome;
use crate::policy::Policy;
use crate::time::Span;
use crate::trial::{Answer, Answers, Case, DECISIVE, EVENTS, Expectation, Happening};
use std::sync::Arc;

const KEYS: &[&str] =
    &["name", "start", "at", "locates", "for", "readings", "moves", "happens", "expect", "complete"];

/// What a provider can make of a request, by the names that a test file has for it.
const OUTCOMES: [(&str, Outcome); 5] = [
    ("confirmed", Outcome::Confirmed),
    ("refused", Outcome::Refused),
    ("failed", Outcome::Failed),
    ("unanswered", Outcome::Unanswered),
    ("accepted", Outcome::Accepted),
];

/// What a test is read with.
pub(super) struct Setting<'a> {
    pub(super) start: Start,
    pub(super) known: &'a Known,
    /// How long the test lasts, where the file says so.
    pub(super) lasts: Option<Span>,
}

impl Reader {
    pub(super) fn case(
        &mut self,
        index: usize,
        node: &Node,
        policy: Option<&Arc<Policy>>,
        book: &mut Book<'_, '_>,
    ) -> Option<Case> {
        self.inside(&format!("[{index}]"), |reader| {
            let fields =
                reader.fields(node, "a test such as `{ name: ..., readings: ..., expect: ... }`", KEYS)?;
            let name =
                reader.required(&fields, "name", "name: three slow minutes move it", |reader, node| {
                    reader.name(node, "the name of a test")
                });
            let start = reader.optional(&fields, "start", |reader, node| reader.start(node, book.zones));
            let known = reader.known_policies(&fields, policy, book);
            let lasts = reader.optional(&fields, "for", Self::span).map(|span| span.value);
            let setting = Setting { start: start.unwrap_or_default(), known: &known, lasts };
            let at = reader.optional(&fields, "at", |reader, node| reader.known(node, Named::Host, &known));
            let locates = reader.optional(&fields, "locates", Self::truth);
            let readings = reader
                .optional(&fields, "readings", |reader, node| reader.readings(node, &setting.start, &known));
            let answers = reader.optional(&fields, "moves", |reader, node| reader.answers(node, &known));
            let happens =
                reader.optional(&fields, "happens", |reader, node| reader.happenings(node, &setting, book));
            let expect =
                reader.required(&fields, "expect", "expect: [{ at: 2m, event: request }]", |reader, node| {
                    reader.expectations(node, &setting)
                });
            let complete = reader.optional(&fields, "complete", Self::complete);

            let (readings, happenings) = (readings.unwrap_or_default(), happens.unwrap_or_default());
            let expectations = expect?;
            let series = readings.iter().flat_map(|(_, series)| &series.segments);
            let named = series
                .map(crate::trial::Segment::last)
                .chain(happenings.iter().map(|(at, _): &(Span, Happening)| *at))
                .chain(expectations.iter().map(|one: &Expectation| one.when.to));
            let lasts = lasts.unwrap_or_else(|| named.max().unwrap_or_default());
            let name = name?;
            let first =
                || policy.map(|policy| policy.hosts()[policy.arrays()[policy.home()].first].name.clone());
            Some(Case {
                place: name.place,
                name: name.value,
                start: setting.start.wall,
                zone: setting.start.zone,
                at: at.or_else(first).unwrap_or_default(),
                locates: locates.unwrap_or(false),
                lasts,
                readings,
                answers: answers.unwrap_or_default(),
                happenings,
                expectations,
                complete: complete.unwrap_or_else(|| DECISIVE.to_vec()),
            })
        })
    }

    /// The policy and all that it is reloaded with; they are blamed where they stand.
    fn known_policies(
        &mut self,
        fields: &Fields<'_>,
        policy: Option<&Arc<Policy>>,
        book: &mut Book<'_, '_>,
    ) -> Known {
        let mut policies = policy.cloned().map(|policy| vec![policy]);
        for happens in fields.all("happens") {
            let Value::Seq(items) = &happens.value else { continue };
            for item in items {
                let Value::Map(pairs) = &item.value else { continue };
                for (key, value) in pairs {
                    let (Value::Scalar { text: key, .. }, Value::Scalar { text: path, .. }) =
                        (&key.value, &value.value)
                    else {
                        continue;
                    };
                    if key == "reload" && !value.is_null() {
                        let read = self.policy_file(path, value.place, book);
                        policies = policies.zip(read).map(|(mut policies, policy)| {
                            policies.push(policy);
                            policies
                        });
                    }
                }
            }
        }
        Known { policies }
    }

    /// `confirmed after 10s`, a list of such, or one or the other for each host.
    fn answers(&mut self, node: &Node, known: &Known) -> Option<Answers> {
        let Value::Map(_) = node.value else {
            return Some(Answers { hosts: Vec::new(), others: self.answer_list(node)? });
        };
        let mut answers = Answers::default();
        for Entry { text, key, value, again } in
            self.entries(node, "hosts and what becomes of moves there")?
        {
            self.look_up(text, key, Named::Host, known, &["others"]);
            let list = self.inside(text, |reader| reader.answer_list(value));
            let (false, Some(list)) = (again, list) else { continue };
            match text {
                "others" => answers.others = list,
                host => answers.hosts.push((host.to_owned(), list)),
            }
        }
        Some(answers)
    }

    fn answer_list(&mut self, node: &Node) -> Option<Vec<Answer>> {
        match &node.value {
            Value::Seq(items) if !items.is_empty() => {
                // Every one is read, so that every one is blamed.
                let read: Vec<Option<Answer>> = items.iter().map(|item| self.answer(item)).collect();
                read.into_iter().collect()
            }
            _ => self.answer(node).map(|answer| vec![answer]),
        }
    }

    fn answer(&mut self, node: &Node) -> Option<Answer> {
        let text = self.text(node, "what becomes of a move, such as `confirmed after 10s`")?;
        let (word, after) = match text.split_once(" after ") {
            Some((word, after)) => (word.trim(), Some(after.trim())),
            None => (text, None),
        };
        let words = OUTCOMES.map(|(word, _)| word);
        let Some((_, outcome)) = OUTCOMES.into_iter().find(|(known, _)| *known == word) else {
            let single = Node {
                place: node.place,
                value: Value::Scalar { text: word.to_owned(), plain: true, verbatim: None },
            };
            self.word(&single, "outcome", &words);
            return None;
        };
        match after.map_or(Ok(Span::ZERO), scalar::parse_span) {
            Ok(after) => Some(Answer { outcome, after }),
            Err(why) => {
                let kind = super::super::problem::ReadErrorKind::Span {
                    text: after.unwrap_or_default().to_owned(),
                    why,
                };
                self.blame(kind, node.place);
                None
            }
        }
    }

    /// `true`, `false`, or the events of which each must be expected.
    fn complete(&mut self, node: &Node) -> Option<Vec<&'static str>> {
        let Value::Seq(items) = &node.value else {
            return Some(if self.truth(node)? { DECISIVE.to_vec() } else { Vec::new() });
        };
        let read: Vec<Option<&'static str>> = items.iter().map(|item| self.event(item)).collect();
        read.into_iter().collect()
    }

    /// The name of an event.
    pub(super) fn event(&mut self, node: &Node) -> Option<&'static str> {
        let names = EVENTS.map(|(name, _)| name);
        let text = self.word(node, "event", &names)?;
        names.into_iter().find(|name| *name == text)
    }
}
