//! Rules: conditions, tarries and actions.

use super::node::{Node, Value, short};
use super::problem::ReadErrorKind as Kind;
use super::reader::{Entry, Fields, Reader};
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
        let expected = "a list of rules such as `- { name: ..., when: ..., do: ... }`";
        self.inside("rules", |reader| {
            let mut rules = Vec::new();
            for node in top.all("rules").filter(|node| !node.is_null()) {
                for item in reader.list(node, expected).unwrap_or_default() {
                    rules.push(reader.rule(rules.len(), item));
                }
            }
            rules
        })
    }

    /// A rule; what of it can't be read has a stand-in, so that all else of it is judged.
    fn rule(&mut self, index: usize, node: &Node) -> RuleForm {
        let step = name_of(node).map_or_else(|| format!("[{index}]"), str::to_owned);
        self.inside(&step, |reader| {
            let expected = "a rule such as `{ name: busy, when: load > 4, do: move }`";
            let Some(fields) = reader.fields(node, expected, &["name", "when", "tarry", "do"]) else {
                let name = Located::made(String::new());
                return RuleForm { name, when: unread(), tarry: None, action: unread_action() };
            };
            let name = reader.required(&fields, "name", "name: overloaded", |reader, node| {
                reader.name(node, "the name of a rule")
            });
            let when = reader.required(&fields, "when", "when: slow_queries > 50", Self::condition);
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
            let action = reader.required(&fields, "do", "do: move", Self::action);
            RuleForm {
                name: name.unwrap_or(Located::made(String::new())),
                when: when.unwrap_or_else(unread),
                tarry,
                action: action.unwrap_or_else(unread_action),
            }
        })
    }

    fn condition(&mut self, node: &Node) -> Option<Located<ConditionForm>> {
        match &node.value {
            Value::Map(_) => self.connective(node),
            Value::Scalar { text, verbatim, .. } if !node.is_null() => {
                let source = Source { place: node.place, verbatim: *verbatim };
                let (when, error) = when::parse(text);
                if let Some(error) = error {
                    let place = source.place(&error.at);
                    self.blame(Kind::Condition { message: error.message }, place).hint = error.hint;
                }
                Some(Located::at(form(when?, &source), node.place))
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
        let present: Vec<_> = words.into_iter().filter(|word| fields.get(word).is_some()).collect();
        if present.is_empty() && fields_empty(node) {
            self.wrong_type(CONDITION, node);
        }
        if let &[one, other, ..] = present.as_slice() {
            let hint = "put one into the other, such as `{ all: [..., { not: ... }] }`";
            self.blame_hinted(Kind::Exclusive { one, other }, node.place, hint);
        }
        let mut read = |word| {
            let form = self.optional(&fields, word, |reader, inner| reader.connected(word, inner));
            form.map_or_else(unread, |form| Located::at(form, node.place))
        };
        let mut forms: Vec<_> = present.iter().map(|&word| read(word)).collect();
        match forms.len() {
            0 | 1 => forms.pop(),
            // Which one holds is not known, so each is judged.
            _ => Some(Located::at(ConditionForm::All(forms), node.place)),
        }
    }

    /// What follows one of these words.
    fn connected(&mut self, word: &'static str, inner: &Node) -> Option<ConditionForm> {
        if word == "not" {
            return Some(ConditionForm::Not(Box::new(self.condition(inner).unwrap_or_else(unread))));
        }
        let items = self.list(inner, "a list of conditions")?;
        let read = |(index, item): (usize, &Node)| {
            self.inside(&format!("[{index}]"), |reader| reader.condition(item).unwrap_or_else(unread))
        };
        let parts = items.iter().enumerate().map(read).collect();
        Some(if word == "all" { ConditionForm::All(parts) } else { ConditionForm::Any(parts) })
    }

    fn action(&mut self, node: &Node) -> Option<Located<ActionForm>> {
        let at = |form| Some(Located::at(form, node.place));
        let Value::Map(_) = node.value else {
            let text = self.text(node, "an action such as `move`")?;
            match text {
                "move-to" => self.blame_hinted(Kind::NoTarget, node.place, "write `{ move-to: HOST }`"),
                _ if !ACTIONS.contains(&text) => self.no_action(text, node.place),
                _ => {}
            }
            return at(alone(text)?);
        };
        let entries = self.entries(node, "an action")?;
        let known = entries.iter().find(|entry| ACTIONS.contains(&entry.text));
        if entries.len() != 1 {
            self.blame_hinted(
                Kind::WrongType { expected: "one action", found: format!("{} of them", entries.len()) },
                node.place,
                "for example `{ move-to: HOST }`",
            );
        } else if let (None, Some(Entry { text, key, .. })) = (known, entries.first()) {
            self.no_action(text, key.place);
        }
        let &Entry { text: word, value, .. } = known?;
        let unread = || Located::made(String::new());
        let named = |reader: &mut Self, expected| {
            reader.inside(word, |reader| reader.name(value, expected)).unwrap_or_else(unread)
        };
        match word {
            "move-to" => at(ActionForm::MoveTo(named(self, "the name of a host"))),
            "move-from-home" => at(ActionForm::MoveFromHome(Some(named(self, "the name of an array")))),
            "rest" => {
                let fields = self.fields(value, "`{ monitor: true }`", &["monitor"]);
                let monitor = fields.and_then(|fields| self.optional(&fields, "monitor", Self::truth));
                at(ActionForm::Rest(if monitor == Some(true) { Monitor::On } else { Monitor::Off }))
            }
            _ => {
                if entries.len() == 1 {
                    let found = format!("`{word}` with a value");
                    let hint = format!("write `{word}` alone");
                    self.blame_hinted(Kind::WrongType { expected: "an action", found }, node.place, hint);
                }
                alone(word).map(|form| Located::at(form, node.place))
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

/// An action that is one word.
fn alone(word: &str) -> Option<ActionForm> {
    Some(match word {
        "move" => ActionForm::Move,
        "move-up" => ActionForm::MoveUp,
        "move-down" => ActionForm::MoveDown,
        "move-to-base" => ActionForm::MoveToBase,
        "rest" => ActionForm::Rest(Monitor::Off),
        "move-from-home" => ActionForm::MoveFromHome(None),
        "move-to-home" => ActionForm::MoveToHome,
        _ => return None,
    })
}

/// What stands for a condition that can't be read. It has no place, and no policy may have it.
fn unread() -> Located<ConditionForm> {
    Located::made(ConditionForm::All(Vec::new()))
}

/// The same for an action.
fn unread_action() -> Located<ActionForm> {
    Located::made(ActionForm::MoveTo(Located::made(String::new())))
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
    // A threshold that can't be read has no stretch of the text.
    let at = |threshold, at: &Range<usize>| match at.is_empty() {
        true => Located::made(threshold),
        false => Located::at(threshold, source.place(at)),
    };
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
