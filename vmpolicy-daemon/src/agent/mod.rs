//! The agent: the loop around the engine. It reads, writes and sends; it makes no decision.
//!
//! [`Driver`] is one turn of the loop without threads or clocks: step, then state, then records, then
//! effects. A simulator drives it by hand. [`run`] turns it in a daemon, with a thread for each thing that
//! may take long ([`Hands`]).

mod driver;
mod hands;
mod run;
#[cfg(test)]
mod tests;

pub use driver::{Driver, Identity};
pub use hands::{Event, Hands, MakeProbe, WiredProbe, Wiring, WorkerId};
pub use run::{Clock, SystemClock, run};

use std::io;
use std::sync::Arc;
use vmpolicy_core::engine::Saved;
use vmpolicy_core::time::Now;
use vmpolicy_core::{Effect, Policy};

/// Keeps the state.
pub trait StateStore {
    /// Writes it; when this returns it survives a crash of the machine.
    ///
    /// # Errors
    ///
    /// Where it could not be written; what was written before is still there.
    fn save(&mut self, saved: &Saved) -> io::Result<()>;
}

/// Keeps the records.
pub trait RecordSink {
    /// Writes whole lines, and removes from `lines` what was written.
    ///
    /// # Errors
    ///
    /// Where not all could be written.
    fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()>;
}

/// Carries out what the engine wants done, without waiting for it.
pub trait Effects {
    /// Begins it. What comes of it is an input later.
    fn carry_out(&mut self, now: Now, policy: &Policy, effect: Effect);

    /// From now on the ids in effects are those of another policy. The engine may take a new policy some
    /// time after it was handed in: when a request has ended that the new one does not know.
    fn adopted(&mut self, policy: &Arc<Policy>) {
        let _ = policy;
    }
}

impl StateStore for crate::store::Store {
    fn save(&mut self, saved: &Saved) -> io::Result<()> {
        Self::save(self, saved)
    }
}

impl RecordSink for crate::journal::Journal {
    fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        Self::write(self, lines)
    }
}
