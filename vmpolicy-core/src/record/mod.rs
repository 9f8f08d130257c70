//! Records with their names: as JSON (contract, section 5) and as a line for people.
//!
//! A [`Record`] holds ids and points into the [`Output`] that it came with. A [`View`] borrows both, and
//! the policy for the names; it copies nothing. `docs/records.md` shows one of each event.

#[cfg(feature = "serde")]
mod json;
mod line;
mod names;
#[cfg(test)]
mod tests;

pub use line::Line;

use crate::Policy;
use crate::output::{Origin, Output, Record};
use crate::policy::Rule;

/// A record with everything that it takes to print it.
///
/// With the feature `serde` it serialises to the JSON of the contract, keys always in the same order.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The policy in force when the record was made.
    pub policy: &'a Policy,
    /// The guest's name.
    pub guest: &'a str,
    /// The output that the record came with: its reasons stand there.
    pub output: &'a Output,
    /// The record.
    pub record: &'a Record,
}

impl<'a> View<'a> {
    /// Every record of an output, in order.
    pub fn all(policy: &'a Policy, guest: &'a str, output: &'a Output) -> impl Iterator<Item = Self> {
        output.records.iter().map(move |record| View { policy, guest, output, record })
    }

    /// The same for people: see [`Line`].
    #[must_use]
    pub const fn line(self) -> Line<'a> {
        Line::of(self)
    }

    fn rule(self, origin: Origin) -> Option<&'a Rule> {
        match origin {
            Origin::Rule(rule) => Some(&self.policy.rules()[rule]),
            Origin::Drain | Origin::Operator => None,
        }
    }

    fn origin(self, origin: Origin) -> &'a str {
        match origin {
            Origin::Rule(rule) => &self.policy.rules()[rule].name,
            Origin::Drain => "drain",
            Origin::Operator => "operator",
        }
    }
}

/// Whether a rule's counter is a time (in milliseconds) and not a number of samples.
pub(crate) fn counts_time(rule: &Rule) -> bool {
    matches!(rule.tarry, crate::leaf::tarry::Tarry::Lasting(_)) || rule.is_clock_only()
}
