//! What the infrastructure does by itself.

use crate::time::Span;

/// Infrastructure-side balancing, within each array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Management {
    /// By whom.
    pub kind: ManagerKind,
    /// How often it looks.
    pub every: Span,
}

impl Management {
    /// How often the managers of Beloglazov and Buyya (2012) look.
    pub const EVERY: Span = Span::from_secs(300);
}

/// The managers that there are: Beloglazov and Buyya 2012.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ManagerKind {
    /// A host is overloaded above a fixed threshold.
    ThrMmt,
    /// Above one that follows the interquartile range of its past.
    IqrMmt,
    /// Above one that follows the median absolute deviation of its past.
    MadMmt,
}

impl ManagerKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ThrMmt, Self::IqrMmt, Self::MadMmt];

    /// Its name in files and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ThrMmt => "thr-mmt",
            Self::IqrMmt => "iqr-mmt",
            Self::MadMmt => "mad-mmt",
        }
    }
}
