//! Names looked up in the policies of a test: the one that is tested, and those that it is reloaded with.

use super::super::node::{Node, short};
use super::super::reader::Reader;
use super::problem::TrialErrorKind as Kind;
use crate::policy::Policy;
use crate::policy::error::nearest;
use std::sync::Arc;

/// The policies whose names are known; none where one of them can't be used, and nothing is said of names then.
pub(super) struct Known {
    pub(super) policies: Option<Vec<Arc<Policy>>>,
}

/// A kind of thing that a policy names.
#[derive(Clone, Copy)]
pub(super) enum Named {
    Host,
    Array,
    Indicator,
    Rule,
    Queue,
}

impl Named {
    const fn what(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Array => "array",
            Self::Indicator => "indicator",
            Self::Rule => "rule",
            Self::Queue => "queue",
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::Host => "the name of a host",
            Self::Array => "the name of an array",
            Self::Indicator => "the name of an indicator",
            Self::Rule => "the name of a rule",
            Self::Queue => "the name of a queue",
        }
    }

    fn names(self, policy: &Policy) -> Vec<&str> {
        match self {
            Self::Host => policy.hosts().rows().iter().map(|row| row.name.as_str()).collect(),
            Self::Array => policy.arrays().rows().iter().map(|row| row.name.as_str()).collect(),
            Self::Indicator => policy.indicators().rows().iter().map(|row| row.name.as_str()).collect(),
            Self::Rule => policy.rules().rows().iter().map(|row| row.name.as_str()).collect(),
            Self::Queue => policy.queues().rows().iter().map(|row| row.name.as_str()).collect(),
        }
    }
}

impl Known {
    pub(super) fn policies(&self) -> &[Arc<Policy>] {
        self.policies.as_deref().unwrap_or_default()
    }

    /// The first policy that has this rule.
    pub(super) fn with_rule(&self, name: &str) -> Option<&Policy> {
        self.policies().iter().map(Arc::as_ref).find(|policy| policy.rule_named(name).is_some())
    }
}

impl Reader {
    /// A name that one of the policies has, or one of these words.
    pub(super) fn known_or(
        &mut self,
        node: &Node,
        named: Named,
        known: &Known,
        words: &[&str],
    ) -> Option<String> {
        let text = self.text(node, named.expected())?;
        self.look_up(text, node, named, known, words);
        Some(text.to_owned())
    }

    pub(super) fn known(&mut self, node: &Node, named: Named, known: &Known) -> Option<String> {
        self.known_or(node, named, known, &[])
    }

    /// Blames a name that nothing has.
    pub(super) fn look_up(&mut self, text: &str, node: &Node, named: Named, known: &Known, words: &[&str]) {
        let Some(policies) = &known.policies else { return };
        let mut names: Vec<&str> = policies.iter().flat_map(|policy| named.names(policy)).collect();
        names.extend(words);
        if names.contains(&text) {
            return;
        }
        let hint = match nearest(text, names.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if names.is_empty() => None,
            None => Some(listed(named.what(), &names)),
        };
        self.blame_trial(Kind::Undefined { what: named.what(), name: short(text) }, node.place, hint);
    }

    /// One of a few words that mean something here.
    pub(super) fn word<'n>(&mut self, node: &'n Node, what: &'static str, words: &[&str]) -> Option<&'n str> {
        let text = self.text(node, "one of a few words")?;
        if words.contains(&text) {
            return Some(text);
        }
        let hint = match nearest(text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => listed(what, words),
        };
        self.blame_trial(Kind::NoSuchWord { what, name: short(text) }, node.place, Some(hint));
        None
    }
}

/// All there is to choose from, up to a dozen.
fn listed(what: &str, names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > 12 { ", ..." } else { "" };
    let s = if names.len() == 1 { " is" } else { "s are" };
    format!("the {what}{s} {}{more}", shown.join(", "))
}
