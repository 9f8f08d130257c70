//! What can be wrong with an expectation file besides what can be wrong with any file.

use super::super::problem::{Problem, Severity};
use crate::policy::Place;

/// What keeps expectations from being used. Each kind has a stable [code](Self::code).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpectErrorKind {
    /// A name that nothing in the policy has.
    #[error("the policy has no {what} named `{name}`")]
    Undefined {
        /// What was expected.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A file without an expectation.
    #[error("nothing is expected")]
    NothingExpected,
    /// An item without an expectation.
    #[error("this item expects nothing")]
    NothingSaid,
    /// Two expectations of one name.
    #[error("there are two expectations named `{name}`")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A span in which nothing can be done.
    #[error("`{key}` must be longer than nothing")]
    ZeroSpan {
        /// The key.
        key: &'static str,
    },
    /// A policy without a base.
    #[error("the policy has no base")]
    NoBase,
    /// A policy without a rule that moves.
    #[error("the policy has no rule with the action `move`, so nothing is a breach")]
    NoBreach,
    /// A policy without prices.
    #[error("the policy has no prices, so nothing costs anything")]
    NoPrice,
    /// A cost that is none.
    #[error("`{text}` is no cost: it must be a number that is 0 or more")]
    NoCost {
        /// As written.
        text: String,
    },
    /// A list of hosts with none in it.
    #[error("no host is named that it must never be on")]
    NoHost,
    /// A name with nothing in it.
    #[error("the name is empty")]
    NoName,
}

impl ExpectErrorKind {
    /// The stable code, explained in `docs/errors.md`. A code is never given to another kind.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Undefined { .. } => "VE0001",
            Self::NothingExpected => "VE0002",
            Self::NothingSaid => "VE0003",
            Self::Duplicate { .. } => "VE0004",
            Self::ZeroSpan { .. } => "VE0005",
            Self::NoBase => "VE0006",
            Self::NoBreach => "VE0007",
            Self::NoPrice => "VE0008",
            Self::NoCost { .. } => "VE0009",
            Self::NoHost => "VE0010",
            Self::NoName => "VE0011",
        }
    }

    pub(super) fn at(self, place: Option<Place>, path: String, hint: Option<String>) -> Problem {
        let (code, message) = (self.code(), self.to_string());
        Problem { code, severity: Severity::Error, message, place, path, labels: Vec::new(), hint }
    }
}
