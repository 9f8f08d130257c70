//! Actuators: how a move is asked for.
//!
//! Whether this daemon acts at all is said in one place, [`Gate`]: where it does not, no actuator is made,
//! so that there is nothing to ask by mistake.

mod dry;
mod embedded;
mod exec;
mod table;
#[cfg(feature = "http")]
mod webhook;

pub use dry::{DryActuator, DryLocator, Shadow};
pub use embedded::{Embedded, EmbeddedActuator, EmbeddedLocator};
pub use exec::ExecActuator;
pub use table::{make, resends};
#[cfg(feature = "http")]
pub use webhook::WebhookActuator;

use std::time::Duration;
use vmpolicy_core::file::{ActuatorSpec, Mode, Shell};

/// Whether moves are asked for, and if not, why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// They are.
    Open,
    /// The command line says `--dry-run`.
    DryRun,
    /// The policy file says `mode: observe`.
    Observe,
    /// The policy file has no actuator.
    NoActuator,
}

impl Gate {
    /// What the command line and the policy file say together.
    #[must_use]
    pub const fn of(dry_run: bool, mode: Mode, actuator: Option<&ActuatorSpec>) -> Self {
        match actuator {
            _ if dry_run => Self::DryRun,
            _ if matches!(mode, Mode::Observe) => Self::Observe,
            None => Self::NoActuator,
            Some(_) => Self::Open,
        }
    }

    /// What the command line and a policy file's shell say together.
    #[must_use]
    pub fn of_file(dry_run: bool, shell: &Shell) -> Self {
        Self::of(dry_run, shell.mode(), shell.actuator.as_ref().map(|located| &located.value))
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub const fn is_dry(self) -> bool {
        !matches!(self, Self::Open)
    }

    /// The word for it: `act`, `observe` or `dry-run`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "act",
            Self::Observe => "observe",
            Self::DryRun | Self::NoActuator => "dry-run",
        }
    }

    /// Why nothing is asked for, where that is so.
    #[must_use]
    pub const fn why(self) -> Option<&'static str> {
        match self {
            Self::Open => None,
            Self::Observe => Some("the policy file says `mode: observe`"),
            Self::DryRun => Some("the daemon was started with `--dry-run`"),
            Self::NoActuator => Some("the policy file has no `actuator`"),
        }
    }
}

/// How long a move takes in the demonstration's array.
pub const EMBEDDED_MOVE: Duration = Duration::from_secs(2);

#[cfg(test)]
pub(crate) use exec::tests::request as test_request;
