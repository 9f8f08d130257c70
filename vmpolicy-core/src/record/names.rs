//! What records call things that have no name of their own elsewhere.

use crate::leaf::logic::Truth;
use crate::output::{Failure, Verdict};
use crate::time::Span;

impl Failure {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::WentElsewhere => "went-elsewhere",
            Self::Abandoned => "abandoned",
        }
    }
}

impl Truth {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Breach => "breach",
            Self::Clear => "clear",
            Self::Unknown => "unknown",
        }
    }
}

impl Verdict {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Eligible => "eligible",
            Self::Current => "current",
            Self::Barred(_) => "barred",
            Self::Draining(_) => "draining",
            Self::Down(_) => "down",
            Self::TriedInVain => "tried-in-vain",
        }
    }

    /// For how much longer, where it is a matter of time.
    #[must_use]
    pub const fn lasts(self) -> Option<Span> {
        match self {
            Self::Barred(lasts) | Self::Draining(lasts) | Self::Down(lasts) => Some(lasts),
            _ => None,
        }
    }
}
