//! When a rule is true: comparisons and windows under Kleene's connectives.

use crate::id::{ArrayId, IndicatorId, QueueId, WindowId};
use core::fmt;

/// How a sample is compared with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Compare {
    /// `>`
    #[cfg_attr(feature = "serde", serde(rename = ">"))]
    Above,
    /// `>=`
    #[cfg_attr(feature = "serde", serde(rename = ">="))]
    AtLeast,
    /// `<`
    #[cfg_attr(feature = "serde", serde(rename = "<"))]
    Below,
    /// `<=`
    #[cfg_attr(feature = "serde", serde(rename = "<="))]
    AtMost,
}

impl Compare {
    /// Whether `left` stands so to `right`; false where either is not a number.
    #[must_use]
    #[inline]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Above => left > right,
            Self::AtLeast => left >= right,
            Self::Below => left < right,
            Self::AtMost => left <= right,
        }
    }

    /// The sign, as written in a policy file.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sign())
    }
}

/// A condition over samples, windows and the batch at hand.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Condition {
    /// `INDICATOR > N`, in the indicator's own unit; N is finite.
    Indicator {
        /// The indicator.
        indicator: IndicatorId,
        /// The sign.
        compare: Compare,
        /// The threshold.
        threshold: f64,
    },
    /// `inside WINDOW` and, where `inside` is false, `outside WINDOW`.
    Window {
        /// The window.
        window: WindowId,
        /// Which of the two.
        inside: bool,
    },
    /// `count(QUEUE, "CLASS") >= N`.
    Count {
        /// The queue.
        queue: QueueId,
        /// The class, by its place in the queue's list.
        class: u16,
        /// The sign.
        compare: Compare,
        /// The threshold.
        threshold: f64,
    },
    /// `gain(QUEUE, ARRAY) >= R`, equation 3.5.
    Gain {
        /// The queue.
        queue: QueueId,
        /// The away array.
        array: ArrayId,
        /// The sign.
        compare: Compare,
        /// The threshold.
        threshold: f64,
    },
    /// All of these; not empty.
    All(Vec<Condition>),
    /// Any of these; not empty.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
}
