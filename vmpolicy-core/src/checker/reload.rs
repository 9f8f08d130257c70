//! How what an onlooker knows carries over to a new policy: by names.

use super::facts::{Facts, Place, RuleFacts};
use crate::id::{HostId, Id, RuleId};
use crate::output::Origin;
use crate::policy::{Action, Condition, Policy};
use std::sync::Arc;

impl Facts {
    /// A new policy is in force.
    pub(super) fn adopt(&mut self, new: Arc<Policy>) {
        let old = std::mem::replace(&mut self.policy, Arc::clone(&new));
        let host = |of: HostId| new.host_named(&old.hosts()[of].name);
        self.place = match self.place {
            Place::At(at) => host(at).map_or(Place::Elsewhere, Place::At),
            other => other,
        };
        // Where the guest was when the step began means nothing in the new policy's numbers.
        self.place_before = self.place;
        if let Some(open) = &mut self.open
            && let (Some(from), Some(to)) = (host(open.from), host(open.to))
        {
            (open.from, open.to) = (from, to);
            // A request whose rule is gone goes on as the operator's.
            open.origin = match open.origin {
                Origin::Rule(rule) => {
                    new.rule_named(&old.rules()[rule].name).map_or(Origin::Operator, Origin::Rule)
                }
                other => other,
            };
            open.action = match open.action {
                Action::MoveTo(_) => Action::MoveTo(to),
                Action::MoveFromHome(_) => Action::MoveFromHome(new.hosts()[to].array),
                other => other,
            };
        }
        self.hosts = by_name(&old, &new, &self.hosts, |p| p.hosts().rows().iter().map(|h| &h.name).collect());
        if old.moves().at_most != new.moves().at_most {
            self.spent.clear();
        }
        let arrays = |p: &Arc<Policy>| p.arrays().rows().iter().map(|a| a.name.clone()).collect::<Vec<_>>();
        let (old_arrays, new_arrays) = (arrays(&old), arrays(&new));
        let kept = |index: usize| old_arrays.iter().position(|name| *name == new_arrays[index]);
        let in_ring =
            |of: HostId, array: usize| !new.hosts()[of].is_base && new.hosts()[of].array.index() == array;
        let left = |at: usize| kept(at).and_then(|at| self.left[at]).and_then(host);
        self.left = (0..new_arrays.len()).map(|at| left(at).filter(|host| in_ring(*host, at))).collect();
        self.ranked_until =
            (0..new_arrays.len()).map(|at| kept(at).and_then(|at| self.ranked_until[at])).collect();
        self.indicators = by_name(&old, &new, &self.indicators, |p| {
            p.indicators().rows().iter().map(|indicator| &indicator.name).collect()
        });
        for (id, indicator) in new.indicators().iter() {
            let was = old.indicator_named(&indicator.name).map(|was| &old.indicators()[was]);
            if was.is_some_and(|was| was != indicator) {
                self.indicators[id.index()].void(self.step, false);
            }
        }
        self.queues =
            by_name(&old, &new, &self.queues, |p| p.queues().rows().iter().map(|q| &q.name).collect());
        // Its classes may stand in another order now: its numbers are not compared any more.
        self.queues.iter_mut().for_each(|jobs| jobs.vague = jobs.batch.is_some());
        self.rules = by_name(&old, &new, &self.rules, |p| p.rules().rows().iter().map(|r| &r.name).collect());
        for (id, rule) in new.rules().iter() {
            let same = old.rule_named(&rule.name).is_some_and(|was| told(&old, was) == told(&new, id));
            let facts = &mut self.rules[id.index()];
            // Another ring may make another place of it: it may be said again.
            facts.already_there = false;
            if !same {
                *facts = RuleFacts { since_step: self.step, ..RuleFacts::default() };
            }
        }
        // A rest whose rule is gone, or another one now, is over.
        let same = |was: RuleId| {
            new.rule_named(&old.rules()[was].name).filter(|id| told(&old, was) == told(&new, *id))
        };
        self.resting = self.resting.and_then(same);
        self.exact_since = self.step + 1;
        self.late.clear();
        self.ready.clear();
        self.certain_reading = None;
    }
}

/// A column carried over to a new policy by the names of its rows.
fn by_name<T: Clone + Default>(
    old: &Policy,
    new: &Policy,
    column: &[T],
    names: impl Fn(&Policy) -> Vec<&String>,
) -> Vec<T> {
    let before = names(old);
    let row = |name: &String| before.iter().position(|other| *other == name).map(|at| column[at].clone());
    names(new).into_iter().map(|name| row(name).unwrap_or_default()).collect()
}

/// All that a rule says, with names for numbers, as text.
fn told(policy: &Policy, rule: RuleId) -> String {
    let rule = &policy.rules()[rule];
    let action = match rule.action {
        Action::MoveTo(host) => format!("to {}", policy.hosts()[host].name),
        Action::MoveFromHome(array) => format!("from home to {}", policy.arrays()[array].name),
        other => format!("{other:?}"),
    };
    format!("{} for {}: {action}", told_when(policy, &rule.when), rule.tarry)
}

fn told_when(policy: &Policy, when: &Condition) -> String {
    let list =
        |parts: &[Condition]| parts.iter().map(|part| told_when(policy, part)).collect::<Vec<_>>().join(", ");
    match when {
        Condition::Indicator { indicator, compare, threshold } => {
            format!("{:?} {compare} {threshold}", policy.indicators()[*indicator])
        }
        Condition::Window { window, inside } => format!("{inside} {:?}", policy.windows()[*window]),
        Condition::Count { queue, class, compare, threshold } => {
            let queue = &policy.queues()[*queue];
            let class = queue.classes.get(usize::from(*class)).map(|class| &class.name);
            format!("{} {class:?} {compare} {threshold}", queue.name)
        }
        Condition::Gain { queue, array, compare, threshold } => {
            let (queue, array) = (&policy.queues()[*queue], &policy.arrays()[*array].name);
            format!("{queue:?} {array} {compare} {threshold}")
        }
        Condition::All(parts) => format!("all ({})", list(parts)),
        Condition::Any(parts) => format!("any ({})", list(parts)),
        Condition::Not(part) => format!("not ({})", told_when(policy, part)),
    }
}
