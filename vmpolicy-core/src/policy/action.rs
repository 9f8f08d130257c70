//! What a rule does, by the names that the thesis gives them (3.11).

use crate::id::{ArrayId, HostId};
use core::fmt;

/// Whether a resting guest goes on probing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Monitor {
    /// No probe runs, except those that the rest's own condition reads.
    #[default]
    Off,
    /// Probing goes on; nothing is done about it.
    On,
}

/// What a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Action {
    /// To the next eligible host of the ring.
    Move,
    /// One step up the ring (towards its first host), without wrapping.
    MoveUp,
    /// One step down the ring (towards its last host), without wrapping.
    MoveDown,
    /// To the base of the current array or, where it has none, of home.
    MoveToBase,
    /// As [`MoveToBase`](Action::MoveToBase), and be quiet until the condition ends.
    Rest(Monitor),
    /// Relocation to an away array.
    MoveFromHome(ArrayId),
    /// Relocation back.
    MoveToHome,
    /// To this host.
    MoveTo(HostId),
}

impl Action {
    /// The name that the policy file has for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Move => "move",
            Self::MoveUp => "move-up",
            Self::MoveDown => "move-down",
            Self::MoveToBase => "move-to-base",
            Self::Rest(_) => "rest",
            Self::MoveFromHome(_) => "move-from-home",
            Self::MoveToHome => "move-to-home",
            Self::MoveTo(_) => "move-to",
        }
    }

    /// Whether the target depends on where the guest is (`move`, `move-up`, `move-down`); the others
    /// name a place to be.
    #[must_use]
    pub const fn is_relative(self) -> bool {
        matches!(self, Self::Move | Self::MoveUp | Self::MoveDown)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
