//! The loop around the engine, one turn at a time: step, then state, then records, then effects.
//!
//! A [`Driver`] has no thread and no clock. The daemon turns it with real ones, the simulator with simulated
//! ones: what holds back an effect until the state that knows of it is safe is the same code in both. It
//! makes no decision about moves.

mod driver;

pub use driver::{Driver, Trouble, Unfinished};

use crate::engine::Engine;
use crate::input::Input;
use crate::output::{Effect, Output};
use crate::policy::Policy;
use crate::time::Now;
use core::fmt::Display;
use std::sync::Arc;

/// Keeps the state.
pub trait StateStore {
    /// Why it could not be kept.
    type Error: Display;

    /// Keeps what [`Engine::save`] gives; when this returns, it survives a crash of the machine.
    ///
    /// # Errors
    ///
    /// Where it could not be written; what was written before is still there.
    fn save(&mut self, engine: &Engine) -> Result<(), Self::Error>;
}

/// Keeps the records.
pub trait Journal {
    /// Why they could not be kept.
    type Error: Display;

    /// The engine is about to take this input. Whoever keeps inputs can have every decision made again from them.
    #[inline]
    fn heard(&mut self, engine: &Engine, now: Now, input: &Input) {
        let _ = (engine, now, input);
    }

    /// Takes the records of an output in; they are to be kept by the next [`write`](Journal::write).
    fn take(&mut self, policy: &Policy, output: &Output);

    /// Whether records were taken in that are not kept yet.
    fn is_waiting(&self) -> bool;

    /// Keeps what was taken in.
    ///
    /// # Errors
    ///
    /// Where not all could be written; the rest still waits.
    fn write(&mut self) -> Result<(), Self::Error>;

    /// Lets go of the oldest of what waits, where it is more than there is room for. How many records are lost.
    fn shed(&mut self) -> usize {
        0
    }
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

    /// State or records can't be written, so that nothing that acts on the world is carried out: said each time that it was
    /// tried; or, with none, they are written again.
    fn troubled(&mut self, trouble: Option<Trouble<'_>>) {
        let _ = trouble;
    }
}
