//! Conditions and actions in the words of the policy file.

use super::{Action, Condition, Policy};
use core::fmt;

/// A condition with the names of its policy, written as the policy file has it.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    policy: &'a Policy,
    condition: &'a Condition,
}

/// An action with the names of its policy, written as the policy file has it.
#[derive(Clone, Copy, Debug)]
pub struct ShownAction<'a> {
    policy: &'a Policy,
    action: Action,
}

impl Policy {
    /// A condition of this policy, to print: `slow_queries > 50`, `{ all: [load > 4, inside night] }`.
    #[must_use]
    pub const fn show<'a>(&'a self, condition: &'a Condition) -> Shown<'a> {
        Shown { policy: self, condition }
    }

    /// An action of this policy, to print: `move`, `{ move-to: mln4 }`.
    #[must_use]
    pub const fn show_action(&self, action: Action) -> ShownAction<'_> {
        ShownAction { policy: self, action }
    }
}

impl Condition {
    /// The comparisons and windows of the condition, in the order in which they are written: what
    /// [`Seen::leaf`](crate::output::Seen::leaf) counts.
    pub fn leaves(&self) -> impl Iterator<Item = &Self> {
        let mut open = vec![self];
        core::iter::from_fn(move || {
            loop {
                match open.pop()? {
                    Self::All(all) | Self::Any(all) => open.extend(all.iter().rev()),
                    Self::Not(not) => open.push(not),
                    leaf => return Some(leaf),
                }
            }
        })
    }

    /// The comparison or window of this number, counted from 0 as they are written.
    #[must_use]
    pub fn leaf(&self, number: u16) -> Option<&Self> {
        self.leaves().nth(usize::from(number))
    }
}

impl<'a> Shown<'a> {
    const fn inner(self, condition: &'a Condition) -> Self {
        Self { policy: self.policy, condition }
    }

    fn list(self, f: &mut fmt::Formatter<'_>, name: &str, all: &[Condition]) -> fmt::Result {
        write!(f, "{{ {name}: [")?;
        for (index, one) in all.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}", self.inner(one))?;
        }
        f.write_str("] }")
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = self.policy;
        match self.condition {
            Condition::Indicator { indicator, compare, threshold } => {
                let indicator = &policy.indicators()[*indicator];
                let unit = indicator.unit.as_deref().unwrap_or_default();
                write!(f, "{} {compare} {threshold}{unit}", indicator.name)
            }
            Condition::Window { window, inside } => {
                let side = if *inside { "inside" } else { "outside" };
                write!(f, "{side} {}", policy.windows()[*window].name)
            }
            Condition::Count { queue, class, compare, threshold } => {
                let queue = &policy.queues()[*queue];
                let class = queue.classes.get(usize::from(*class)).map_or("", |class| &class.name);
                write!(f, "count({}, {class:?}) {compare} {threshold}", queue.name)
            }
            Condition::Gain { queue, array, compare, threshold } => {
                let (queue, array) = (&policy.queues()[*queue].name, &policy.arrays()[*array].name);
                write!(f, "gain({queue}, {array}) {compare} {threshold}")
            }
            Condition::All(all) => self.list(f, "all", all),
            Condition::Any(any) => self.list(f, "any", any),
            Condition::Not(not) => write!(f, "{{ not: {} }}", self.inner(not)),
        }
    }
}

impl fmt::Display for ShownAction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.action.name();
        match self.action {
            Action::Rest(super::Monitor::On) => f.write_str("{ rest: { monitor: true } }"),
            Action::MoveFromHome(array) => write!(f, "{{ {name}: {} }}", self.policy.arrays()[array].name),
            Action::MoveTo(host) => write!(f, "{{ {name}: {} }}", self.policy.hosts()[host].name),
            _ => f.write_str(name),
        }
    }
}
