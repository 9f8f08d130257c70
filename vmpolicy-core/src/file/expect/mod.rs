//! Expectation files: YAML to what `vmpolicy verify` holds worlds against, or to everything that is wrong with them.
//!
//! Names are looked up in the policy. What could never have anything to judge, such as costs without prices, is an error.
//!
//! ```
//! use vmpolicy_core::file::{expect::load_expectations, load};
//! use vmpolicy_core::policy::UtcOnly;
//! let policy = "
//! version: 1
//! arrays: { oslo: { hosts: [mln1, mln2] } }
//! indicators: { slow: { every: 60s } }
//! rules: [{ name: overloaded, when: slow > 50, tarry: 3, do: move }]
//! ";
//! let policy = load(policy.as_bytes(), &UtcOnly).unwrap().policy;
//! let text = "version: 1\nexpect: [{ moves: { at_most: 4, per: 1h } }]\n";
//! let expectations = load_expectations(text.as_bytes(), &policy).unwrap();
//! assert_eq!(expectations[0].name, "moves: at most 4 per 1h");
//!
//! let wrong = load_expectations(b"version: 1\nexpect: [{ never_on: mln3 }]\n", &policy).unwrap_err();
//! assert_eq!(wrong[0].message, "the policy has no host named `mln3`");
//! ```

mod problem;

pub use problem::ExpectErrorKind;

use super::node::{self, Node, Value, short};
use super::problem::{Problem, ReadErrorKind};
use super::reader::Reader;
use super::{checked, sort};
use crate::id::WindowId;
use crate::policy::error::{Label, nearest};
use crate::policy::{Action, Place, Policy};
use crate::time::Span;
use crate::verify::{Claim, Expectation};
use problem::ExpectErrorKind as Kind;
use std::collections::BTreeMap;

const TOP: &[&str] = &["version", "expect"];
const CLAIMS: [&str; 8] = [
    "moves",
    "requests",
    "never_at_base",
    "rests_at_base",
    "leaves_draining",
    "breach_ends",
    "cost",
    "never_on",
];
const KEYS: &[&str] = &[
    "name",
    "moves",
    "requests",
    "never_at_base",
    "rests_at_base",
    "leaves_draining",
    "breach_ends",
    "cost",
    "never_on",
];
const EXAMPLE: &str = "expect: [{ moves: { at_most: 6, per: 1h } }]";

/// Reads what is expected of a policy.
///
/// # Errors
///
/// Everything that is wrong, in one run.
pub fn load_expectations(text: &[u8], policy: &Policy) -> Result<Vec<Expectation>, Vec<Problem>> {
    let (node, problems) = match checked(text) {
        Ok(text) => node::read(text),
        Err(problem) => (None, vec![*problem]),
    };
    let mut reader = Reader::new(problems);
    let found = match node {
        Some(node) if !node.is_null() => reader.expect_file(&node, policy),
        _ => {
            if reader.problems.is_empty() {
                let hint = Some(format!("begin with `version: 1` and `{EXAMPLE}`"));
                reader.problems.push(ReadErrorKind::Empty.at(None, String::new(), hint));
            }
            None
        }
    };
    let mut problems = reader.problems;
    match found {
        Some(found) if problems.is_empty() => Ok(found),
        _ => {
            sort(&mut problems);
            Err(problems)
        }
    }
}

impl Reader {
    fn blame_expected(&mut self, kind: Kind, place: Place, hint: Option<String>) -> &mut Problem {
        let problem = kind.at(Some(place), self.way(), hint);
        self.problems.push(problem);
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    fn expect_file(&mut self, node: &Node, policy: &Policy) -> Option<Vec<Expectation>> {
        let top = self.fields(node, "the keys of an expectation file", TOP)?;
        if top.get("version").is_none() {
            let hint = Some("begin the file with `version: 1`".to_owned());
            let kind = ReadErrorKind::MissingKey { key: "version" };
            self.problems.push(kind.at(None, "version".to_owned(), hint));
        }
        self.optional(&top, "version", |reader, node| reader.choice(node, "`1`", &[("1", ())]));
        self.required(&top, "expect", EXAMPLE, |reader, node| {
            let items = reader.list(node, "a list of expectations")?;
            if items.is_empty() {
                let hint = Some("for example `- moves: { at_most: 6, per: 1h }`".to_owned());
                reader.blame_expected(Kind::NothingExpected, node.place, hint);
            }
            let mut names: BTreeMap<String, Place> = BTreeMap::new();
            let mut found = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let before = reader.problems.len();
                let read = reader.inside(&format!("[{index}]"), |reader| reader.expected(item, policy));
                let Some(expectation) = read else { continue };
                // What stands in for something wrong was written by nobody.
                if reader.problems.len() > before {
                    continue;
                }
                if let Some(first) = names.insert(expectation.name.clone(), item.place) {
                    let label = Label { place: first, text: "first here".to_owned() };
                    let kind = Kind::Duplicate { name: short(&expectation.name) };
                    let hint = Some("give one of them a `name`, or leave it out".to_owned());
                    reader.blame_expected(kind, item.place, hint).labels.push(label);
                }
                found.push(expectation);
            }
            Some(found)
        })
    }

    fn expected(&mut self, node: &Node, policy: &Policy) -> Option<Expectation> {
        let fields = self.fields(node, "an expectation, such as `moves: { at_most: 6, per: 1h }`", KEYS)?;
        let name = self.optional(&fields, "name", |reader, node| {
            let text = reader.text(node, "a name")?;
            if text.trim().is_empty() {
                reader.blame_expected(Kind::NoName, node.place, None);
            }
            Some(text.to_owned())
        });
        let present: Vec<_> = CLAIMS.into_iter().filter(|key| fields.get(key).is_some()).collect();
        let claim = match present.as_slice() {
            [] => {
                // A misspelt key was told.
                if fields.get("name").is_some()
                    || matches!(&node.value, Value::Map(pairs) if pairs.is_empty())
                {
                    let hint = Some(super::reader::choices(&CLAIMS));
                    self.blame_expected(Kind::NothingSaid, node.place, hint);
                }
                None
            }
            [one, other, ..] => {
                let hint = "write each of them as an item of its own";
                self.blame_hinted(ReadErrorKind::Exclusive { one, other }, node.place, hint);
                None
            }
            [key] => self.optional(&fields, key, |reader, node| reader.claim(key, node, policy)),
        }?;
        let name = name.unwrap_or_else(|| claim.shown(policy).to_string());
        Some(Expectation { name, claim })
    }

    fn claim(&mut self, key: &'static str, node: &Node, policy: &Policy) -> Option<Claim> {
        match key {
            "moves" => self.limit(node).map(|(count, per)| Claim::MovesAtMost { count, per }),
            "requests" => self.limit(node).map(|(count, per)| Claim::RequestsAtMost { count, per }),
            "never_at_base" => self.never_at_base(node, policy),
            "rests_at_base" => self.rests_at_base(node, policy),
            "leaves_draining" => {
                let fields = self.fields(node, "`within`", &["within"])?;
                let within = self.within_span(&fields)?;
                Some(Claim::LeavesDraining { within })
            }
            "breach_ends" => self.breach_ends(node, policy),
            "cost" => self.cost(node, policy),
            _ => {
                let nodes = match &node.value {
                    Value::Seq(items) => items.as_slice(),
                    _ => core::slice::from_ref(node),
                };
                if nodes.is_empty() {
                    let hint = Some("for example `never_on: [HOST]`".to_owned());
                    self.blame_expected(Kind::NoHost, node.place, hint);
                }
                let names: Vec<_> = policy.hosts().rows().iter().map(|host| host.name.as_str()).collect();
                let hosts: Vec<_> = nodes
                    .iter()
                    .map(|node| {
                        let text = self.known_name(node, "host", &names)?;
                        policy.host_named(&text)
                    })
                    .collect();
                hosts.into_iter().collect::<Option<Vec<_>>>().map(|hosts| Claim::NeverOn { hosts })
            }
        }
    }

    /// So many in so long.
    fn limit(&mut self, node: &Node) -> Option<(u32, Span)> {
        let fields = self.fields(node, "`at_most` and `per`", &["at_most", "per"])?;
        let count = self.required(&fields, "at_most", "at_most: 6", |reader, node| {
            reader.whole(node, "a whole number such as `6`")
        });
        let per = self.required(&fields, "per", "per: 1h", |reader, node| reader.some_span("per", node));
        Some((count?, per?))
    }

    fn never_at_base(&mut self, node: &Node, policy: &Policy) -> Option<Claim> {
        let fields = self.fields(node, "`inside` and `for`", &["inside", "for"])?;
        self.has_base(node, policy);
        let inside = self.required(&fields, "inside", "inside: working_hours", |reader, node| {
            reader.window_of(node, policy)
        });
        let grace = self.optional(&fields, "for", |reader, node| reader.span(node));
        Some(Claim::NeverAtBase { inside: inside?, grace: grace.map_or(Span::ZERO, |span| span.value) })
    }

    fn rests_at_base(&mut self, node: &Node, policy: &Policy) -> Option<Claim> {
        let fields = self.fields(node, "`outside` and `within`", &["outside", "within"])?;
        self.has_base(node, policy);
        let outside = self.required(&fields, "outside", "outside: working_hours", |reader, node| {
            reader.window_of(node, policy)
        });
        let within = self.within_span(&fields);
        Some(Claim::RestsAtBase { outside: outside?, within: within? })
    }

    fn breach_ends(&mut self, node: &Node, policy: &Policy) -> Option<Claim> {
        let fields = self.fields(node, "`within` and `rule`", &["within", "rule"])?;
        let names: Vec<_> = policy.rules().rows().iter().map(|rule| rule.name.as_str()).collect();
        let rule = self.optional(&fields, "rule", |reader, node| {
            let text = reader.known_name(node, "rule", &names)?;
            policy.rule_named(&text)
        });
        let moves = policy.rules().rows().iter().any(|rule| rule.action == Action::Move);
        if fields.get("rule").is_none() && !moves {
            let hint = Some("say which rule's condition is meant: `rule: NAME`".to_owned());
            self.blame_expected(Kind::NoBreach, node.place, hint);
        }
        let within = self.within_span(&fields)?;
        Some(Claim::BreachEnds { rule, within })
    }

    fn cost(&mut self, node: &Node, policy: &Policy) -> Option<Claim> {
        let fields = self.fields(node, "`at_most`", &["at_most"])?;
        let priced = policy.arrays().rows().iter().any(|array| array.price.is_some());
        if !priced {
            let hint = Some("give its arrays a `price`".to_owned());
            self.blame_expected(Kind::NoPrice, node.place, hint);
        }
        let a_day = self.required(&fields, "at_most", "at_most: 2.5", |reader, node| {
            let number = reader.number(node, "a number such as `2.5`")?.value;
            if !(number >= 0.0 && number.is_finite()) {
                let text = reader.text(node, "a number").map(short).unwrap_or_default();
                reader.blame_expected(Kind::NoCost { text }, node.place, None);
            }
            Some(number)
        })?;
        Some(Claim::CostAtMost { a_day })
    }

    fn within_span(&mut self, fields: &super::reader::Fields<'_>) -> Option<Span> {
        self.required(fields, "within", "within: 30m", |reader, node| reader.some_span("within", node))
    }

    /// A span of some length.
    fn some_span(&mut self, key: &'static str, node: &Node) -> Option<Span> {
        let span = self.span(node)?.value;
        if span.is_zero() {
            self.blame_expected(Kind::ZeroSpan { key }, node.place, None);
        }
        Some(span)
    }

    fn has_base(&mut self, node: &Node, policy: &Policy) {
        if policy.arrays().rows().iter().all(|array| array.base.is_none()) {
            let hint = Some("give one of its arrays a `base`".to_owned());
            self.blame_expected(Kind::NoBase, node.place, hint);
        }
    }

    fn window_of(&mut self, node: &Node, policy: &Policy) -> Option<WindowId> {
        let names: Vec<_> = policy.windows().rows().iter().map(|named| named.name.as_str()).collect();
        let text = self.known_name(node, "window", &names)?;
        policy.windows().iter().find(|(_, named)| named.name == text).map(|(id, _)| id)
    }

    /// A name that the policy has.
    fn known_name(&mut self, node: &Node, what: &'static str, names: &[&str]) -> Option<String> {
        let text = self.text(node, "a name")?;
        if names.contains(&text) {
            return Some(text.to_owned());
        }
        let hint = match nearest(text, names.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if names.is_empty() => Some(format!("the policy has no {what}s")),
            None => Some(super::reader::choices(names)),
        };
        self.blame_expected(Kind::Undefined { what, name: short(text) }, node.place, hint);
        None
    }
}
