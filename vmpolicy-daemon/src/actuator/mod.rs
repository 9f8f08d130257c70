//! Actuators: how a move is asked for.
//!
//! Whether this daemon acts at all is said in one place, [`Gate`]: where it does not, no actuator is made,
//! so that there is nothing to ask by mistake.

mod dry;
mod embedded;
mod exec;

pub use dry::{DryActuator, DryLocator, Shadow};
pub use embedded::{Embedded, EmbeddedActuator, EmbeddedLocator};
pub use exec::ExecActuator;

use std::time::Duration;
use vmpolicy_core::file::ActuatorSpec;

/// Whether moves are asked for, and if not, why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// They are.
    Open,
    /// The command line says `--dry-run`.
    DryRun,
    /// The policy file has no actuator.
    NoActuator,
}

impl Gate {
    /// What the command line and the policy file say together.
    #[must_use]
    pub const fn of(dry_run: bool, actuator: Option<&ActuatorSpec>) -> Self {
        match actuator {
            _ if dry_run => Self::DryRun,
            None => Self::NoActuator,
            Some(_) => Self::Open,
        }
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub const fn is_dry(self) -> bool {
        !matches!(self, Self::Open)
    }
}

/// How long a move takes in the demonstration's array.
pub const EMBEDDED_MOVE: Duration = Duration::from_secs(2);

#[cfg(test)]
pub(crate) use exec::tests::request as test_request;
