//! The agent: the loop around the engine. It reads, writes and sends; it makes no decision.
//!
//! One turn of the loop, without threads or clocks, is the core's [`Driver`](vmpolicy_core::agent::Driver),
//! which the simulator turns too. [`run`] turns it in a daemon, with a thread for each thing that may take
//! long ([`Hands`]).

mod hands;
mod lines;
mod queues;
mod reporter;
mod run;
mod sensor;
#[cfg(test)]
mod tests;
mod worker;

pub use hands::{Event, Hands, MakeProbe, WiredActuator, WiredArrivals, WiredProbe, Wiring};
pub use lines::{Identity, Lines};
pub use queues::{MakeQueue, Told, WiredQueue};
pub use reporter::Reporter;
pub use run::{Alone, Clock, Desk, SystemClock, run, turn};
pub use worker::WorkerId;

use std::io;
use vmpolicy_core::Engine;
pub use vmpolicy_core::agent::{Effects, StateStore};

/// The core's loop with records as lines.
pub type Driver<S, R, E> = vmpolicy_core::agent::Driver<S, Lines<R>, E>;

/// Keeps the records.
pub trait RecordSink {
    /// Writes whole lines, and removes from `lines` what was written.
    ///
    /// # Errors
    ///
    /// Where not all could be written.
    fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()>;

    /// So many bytes at the front of the lines are given up, whole lines, and so many are left.
    fn shed(&mut self, bytes: usize, left: usize) {
        let _ = (bytes, left);
    }
}

impl StateStore for crate::store::Store {
    type Error = io::Error;

    fn save(&mut self, engine: &Engine) -> io::Result<()> {
        Self::save(self, &engine.save())
    }
}

impl RecordSink for crate::journal::Journal {
    fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        Self::write(self, lines)
    }

    fn shed(&mut self, _: usize, _: usize) {
        self.begin_a_line();
    }
}
