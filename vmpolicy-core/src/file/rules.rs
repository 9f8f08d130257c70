//! Rules: conditions, tarries and actions.

use super::node::{Node, Value, short};
use super::problem::ReadErrorKind as Kind;
use super::reader::{Fields, Reader};
use super::scalar;
use super::when::{self, When, Word};
use crate::policy::error::nearest;
use crate::policy::{ActionForm, ConditionForm, Located, Monitor, Place, RuleForm};
use core::ops::Range;

const ACTIONS: [&str; 8] =
    ["move", "move-up", "move-down", "move-to-base", "rest", "move-from-home", "move-to-home", "move-to"];
const CONDITION: &str = "a condition such as `slow_queries > 50`";

/// A text of the file, and where its bytes are.
struct Source {
    place: Place,
    verbatim: Option<u32>,
}

impl Source {
    /// The place of a part of the text; all of it, where the file does not have it byte for byte.
    fn place(&self, at: &Range<usize>) -> Place {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        match self.verbatim {
            Some(start) => Place {
                start: start.saturating_add(offset(at.start)),
                end: start.saturating_add(offset(at.end)),
            },
            None => self.place,
        }
    }

    fn word(&self, word: Word) -> Located<String> {
        Located::at(word.text, self.place(&word.at))
    }
}

impl Reader {
    pub(super) fn rules(&mut self, top: &Fields<'_>) -> Vec<RuleForm> {
        let Some(node) = top.get("rules").filter(|node| !node.is_null()) else { return Vec::new() };
        self.inside("rules", |reader| {
            let items = reader.list(node, "a list of rules such as `- { name: ..., when: ..., do: ... }`");
            let items = items.unwrap_or_default().iter().enumerate();
            items.filter_map(|(index, item)| reader.rule(index, item)).collect()
        })
    }

    fn rule(&mut self, index: usize, node: &Node) -> Option<RuleForm> {
        let step = name_of(node).map_or_else(|| format!("[{index}]"), str::to_owned);
        self.inside(&step, |reader| {
            let expected = "a rule such as `{ name: busy, when: load > 4, do: move }`";
            let fields = reader.fields(node, expected, &["name", "when", "tarry", "do"])?;
            let name = reader.need(&fields, "name", "name: overloaded");
            let name =
                name.and_then(|node| reader.inside("name", |reader| reader.name(node, "the name of a rule")));
            let when = reader.need(&fields, "when", "when: slow_queries > 50");
            let when = when.and_then(|node| reader.inside("when", |reader| reader.condition(node)));
            let tarry = reader.optional(&fields, "tarry", |reader, node| {
                let text = reader.text(node, "a tarry such as `3`, `5m` or `4 of 5`")?;
                let tarry = scalar::tarry(text);
                if tarry.is_none() {
                    let hint =
                        "write `3` for samples in a row, `5m` for a span, `4 of 5` for four of the last five (of at most 64)";
                    reader.blame_hinted(Kind::Tarry { text: short(text) }, node.place, hint);
                }
                Some(Located::at(tarry?, node.place))
            });
            let action = reader.need(&fields, "do", "do: move");
            let action = action.and_then(|node| reader.inside("do", |reader| reader.action(node)));
            Some(RuleForm { name: name?, when: when?, tarry, action: action? })
        })
    }

    fn condition(&mut self, node: &Node) -> Option<Located<ConditionForm>> {
        match &node.value {
            Value::Map(_) => self.connective(node),
            Value::Scalar { text, verbatim, .. } if !node.is_null() => {
                let source = Source { place: node.place, verbatim: *verbatim };
                let when = when::parse(text).map_err(|error| {
                    let place = source.place(&error.at);
                    self.blame(Kind::Condition { message: error.message }, place).hint = error.hint;
                });
                Some(Located::at(form(when.ok()?, &source), node.place))
            }
            _ => {
                self.wrong_type(CONDITION, node);
                None
            }
        }
    }

    /// `{ all: [...] }`, `{ any: [...] }`, `{ not: ... }`.
    fn connective(&mut self, node: &Node) -> Option<Located<ConditionForm>> {
        let words = ["all", "any", "not"];
        // Without its quotes, `{ when: count(q, "c") >= 2 }` is torn at the comma; that is no connective.
        let fields = self.fields(node, CONDITION, &words)?;
        let mut present = words.into_iter().filter(|word| fields.get(word).is_some());
        let Some(word) = present.next() else {
            if !words.iter().any(|word| fields.is_meant(word)) && fields_empty(node) {
                self.wrong_type(CONDITION, node);
            }
            return None;
        };
        if let Some(other) = present.next() {
            let kind = Kind::Exclusive { one: word, other };
            self.blame_hinted(
                kind,
                node.place,
                "put one into the other, such as `{ all: [..., { not: ... }] }`",
            );
            return None;
        }
        let inner = fields.get(word)?;
        self.inside(word, |reader| {
            let form = if word == "not" {
                ConditionForm::Not(Box::new(reader.condition(inner)?))
            } else {
                let items = reader.list(inner, "a list of conditions")?;
                let read = |(index, item): (usize, &Node)| {
                    reader.inside(&format!("[{index}]"), |r| r.condition(item))
                };
                // All are looked at before one that can't be read ends it.
                let parts: Vec<_> = items.iter().enumerate().map(read).collect();
                let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
                if word == "all" { ConditionForm::All(parts) } else { ConditionForm::Any(parts) }
            };
            Some(Located::at(form, node.place))
        })
    }

    fn action(&mut self, node: &Node) -> Option<Located<ActionForm>> {
        let at = |form| Some(Located::at(form, node.place));
        let Value::Map(_) = node.value else {
            let text = self.text(node, "an action such as `move`")?;
            return match text {
                "move" => at(ActionForm::Move),
                "move-up" => at(ActionForm::MoveUp),
                "move-down" => at(ActionForm::MoveDown),
                "move-to-base" => at(ActionForm::MoveToBase),
                "rest" => at(ActionForm::Rest(Monitor::Off)),
                "move-from-home" => at(ActionForm::MoveFromHome(None)),
                "move-to-home" => at(ActionForm::MoveToHome),
                "move-to" => {
                    self.blame_hinted(Kind::NoTarget, node.place, "write `{ move-to: HOST }`");
                    None
                }
                _ => {
                    self.no_action(text, node.place);
                    None
                }
            };
        };
        let entries = self.entries(node, "an action")?;
        let [(word, key, value)] = entries[..] else {
            self.blame_hinted(
                Kind::WrongType { expected: "one action", found: format!("{} of them", entries.len()) },
                node.place,
                "write such as `{ move-to: HOST }`",
            );
            return None;
        };
        match word {
            "move-to" => at(ActionForm::MoveTo(self.name(value, "the name of a host")?)),
            "move-from-home" => at(ActionForm::MoveFromHome(Some(self.name(value, "the name of an array")?))),
            "rest" => {
                let fields = self.fields(value, "`{ monitor: true }`", &["monitor"])?;
                let monitor = self.optional(&fields, "monitor", Self::truth);
                at(ActionForm::Rest(if monitor == Some(true) { Monitor::On } else { Monitor::Off }))
            }
            _ if ACTIONS.contains(&word) => {
                let found = format!("`{word}` with a value");
                let hint = format!("write `{word}` alone");
                self.blame_hinted(Kind::WrongType { expected: "an action", found }, node.place, hint);
                None
            }
            _ => {
                self.no_action(word, key.place);
                None
            }
        }
    }

    fn no_action(&mut self, text: &str, place: Place) {
        let hint = match nearest(text, ACTIONS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the actions are {}", ACTIONS.map(|action| format!("`{action}`")).join(", ")),
        };
        self.blame_hinted(Kind::Action { text: short(text) }, place, hint);
    }
}

fn fields_empty(node: &Node) -> bool {
    matches!(&node.value, Value::Map(pairs) if pairs.is_empty())
}

/// The name of a rule, for the path of its problems.
fn name_of(node: &Node) -> Option<&str> {
    let Value::Map(pairs) = &node.value else { return None };
    pairs.iter().find_map(|(key, value)| match (&key.value, &value.value) {
        (Value::Scalar { text: key, .. }, Value::Scalar { text, .. })
            if key == "name" && !text.is_empty() =>
        {
            Some(text.as_str())
        }
        _ => None,
    })
}

fn form(when: When, source: &Source) -> ConditionForm {
    let at = |threshold, at: &Range<usize>| Located::at(threshold, source.place(at));
    match when {
        When::Indicator { indicator, compare, threshold, at: range, unit } => ConditionForm::Indicator {
            indicator: source.word(indicator),
            compare,
            threshold: at(threshold, &range),
            unit: unit.map(|unit| source.word(unit)),
        },
        When::Window { window, inside } => ConditionForm::Window { window: source.word(window), inside },
        When::Count { queue, class, compare, threshold, at: range } => ConditionForm::Count {
            queue: source.word(queue),
            class: source.word(class),
            compare,
            threshold: at(threshold, &range),
        },
        When::Gain { queue, array, compare, threshold, at: range } => ConditionForm::Gain {
            queue: source.word(queue),
            array: source.word(array),
            compare,
            threshold: at(threshold, &range),
        },
    }
}
