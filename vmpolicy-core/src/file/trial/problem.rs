//! What can be wrong with a test file besides what can be wrong with any file.

use super::super::problem::{Problem, Severity};
use crate::policy::Place;
use crate::time::Span;

/// What keeps a test file from being run. Each kind has a stable [code](Self::code).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrialErrorKind {
    /// A name that nothing in the policy has.
    #[error("the policy has no {what} named `{name}`")]
    Undefined {
        /// What was expected.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A word that means nothing here.
    #[error("there is no {what} `{name}`")]
    NoSuchWord {
        /// What was expected.
        what: &'static str,
        /// The word.
        name: String,
    },
    /// A field that an event does not have.
    #[error("the event `{event}` has no `{field}`")]
    NotAField {
        /// The event.
        event: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A time that is none.
    #[error("`{text}` is no time: {why}")]
    Time {
        /// As written.
        text: String,
        /// Why not.
        why: String,
    },
    /// A stretch of time that ends before it begins.
    #[error("`{text}` ends before it begins")]
    Backwards {
        /// As written.
        text: String,
    },
    /// A time that does not belong to the test.
    #[error("{at} is after the end of the test, which lasts {lasts}")]
    AfterTheEnd {
        /// The time, from the start.
        at: Span,
        /// How long the test lasts.
        lasts: Span,
    },
    /// Values of one indicator that overlap.
    #[error("these values begin at {from}, and those before them end at {before}")]
    Overlap {
        /// When they begin.
        from: Span,
        /// When the last value before them begins.
        before: Span,
    },
    /// Values that are none.
    #[error("{why}")]
    Values {
        /// Why not.
        why: String,
    },
    /// A policy file that can't be read.
    #[error("can't read the policy `{path}`: {why}")]
    NoPolicy {
        /// As written.
        path: String,
        /// Why not.
        why: String,
    },
    /// A policy file that has errors.
    #[error("the policy `{path}` has {errors} error{}", if *errors == 1 { "" } else { "s" })]
    BadPolicy {
        /// As written.
        path: String,
        /// How many.
        errors: usize,
    },
    /// A file without a test.
    #[error("there is no test")]
    NoTests,
    /// Two tests with one name.
    #[error("there are two tests named `{name}`")]
    DuplicateTest {
        /// The name.
        name: String,
    },
    /// A time, and nothing that is to be then.
    #[error("this says when, and not what")]
    NothingSaid,
    /// A counter of the other kind.
    #[error("`{rule}` counts {}, not {}", if *time { "time" } else { "samples" }, if *time { "samples" } else { "time" })]
    CounterKind {
        /// The rule.
        rule: String,
        /// Whether it counts time.
        time: bool,
    },
}

impl TrialErrorKind {
    /// The stable code, explained in `docs/errors.md`. A code is never given to another kind.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Undefined { .. } => "VT0001",
            Self::NoSuchWord { .. } => "VT0002",
            Self::NotAField { .. } => "VT0003",
            Self::Time { .. } => "VT0004",
            Self::Backwards { .. } => "VT0005",
            Self::AfterTheEnd { .. } => "VT0006",
            Self::Overlap { .. } => "VT0007",
            Self::Values { .. } => "VT0008",
            Self::NoPolicy { .. } => "VT0009",
            Self::BadPolicy { .. } => "VT0010",
            Self::NoTests => "VT0011",
            Self::DuplicateTest { .. } => "VT0012",
            Self::NothingSaid => "VT0013",
            Self::CounterKind { .. } => "VT0014",
        }
    }

    pub(super) fn at(self, place: Option<Place>, path: String, hint: Option<String>) -> Problem {
        let (code, message) = (self.code(), self.to_string());
        Problem { code, severity: Severity::Error, message, place, path, labels: Vec::new(), hint }
    }
}
