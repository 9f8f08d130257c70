//! Kleene's strong three-valued logic: true, false, and not known.
//!
//! Source: S. C. Kleene, Introduction to Metamathematics (1952), section 64. The thesis has no third
//! value; its scripts read a missing number as 0 (listings B.1 and C.1), which counts as "idle".

/// What a condition says of a sample.
///
/// ```
/// use vmpolicy_core::leaf::logic::Truth::{Breach, Clear, Unknown};
/// assert_eq!(Clear.and(Unknown), Clear);
/// assert_eq!(Breach.or(Unknown), Breach);
/// assert_eq!(Unknown.not(), Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Truth {
    /// The condition is true.
    Breach,
    /// The condition is false.
    Clear,
    /// Nobody knows.
    Unknown,
}

impl Truth {
    /// True only where both are; false where either is.
    #[must_use]
    #[inline]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Clear, _) | (_, Self::Clear) => Self::Clear,
            (Self::Breach, Self::Breach) => Self::Breach,
            _ => Self::Unknown,
        }
    }

    /// True where either is; false only where both are.
    #[must_use]
    #[inline]
    pub const fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    /// The opposite; of Unknown, Unknown.
    #[must_use]
    #[inline]
    pub const fn not(self) -> Self {
        match self {
            Self::Breach => Self::Clear,
            Self::Clear => Self::Breach,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    #[inline]
    fn from(known: bool) -> Self {
        if known { Self::Breach } else { Self::Clear }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, Breach, Clear, Unknown};

    const ALL: [Truth; 3] = [Breach, Clear, Unknown];

    #[test]
    fn and_is_the_minimum_and_or_the_maximum_of_clear_unknown_breach() {
        let rank = |truth| [Clear, Unknown, Breach].iter().position(|&t| t == truth).unwrap();
        for a in ALL {
            for b in ALL {
                assert_eq!(rank(a.and(b)), rank(a).min(rank(b)));
                assert_eq!(rank(a.or(b)), rank(a).max(rank(b)));
            }
            assert_eq!(a.not().not(), a);
        }
    }
}
