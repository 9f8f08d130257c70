//! What the host program provides: probes, actuators, job queues and locators.
//!
//! All are blocking and object-safe. The core defines what they mean and implements none of them.

use crate::input::{Absence, Outcome};
use crate::output::Request;

/// Reads one indicator's number.
pub trait Probe: Send {
    /// Reads it now, within a time limit of the probe's own.
    ///
    /// # Errors
    ///
    /// Why there is no number.
    fn read(&mut self) -> Result<f64, Absence>;
}

/// Asks a provider for moves.
pub trait Actuator: Send {
    /// Whether one request may be sent twice under one id without starting two moves.
    fn resends(&self) -> bool;

    /// Asks for one move, within a time limit of the actuator's own.
    fn request(&mut self, request: &Asked<'_>) -> Outcome;
}

/// A request with its names, as an actuator needs it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The request.
    pub request: Request,
    /// The guest's name.
    pub guest: &'a str,
    /// The name of the host that it leaves.
    pub from: &'a str,
    /// The name of the host that it goes to.
    pub to: &'a str,
    /// The id as the outside knows it: guest and number, such as `nii3-7`.
    pub id: &'a str,
}

/// Finds out where the guest is.
pub trait Locator: Send {
    /// The name of the host that the guest is on; None where that cannot be told.
    fn locate(&mut self) -> Option<String>;
}

/// A queue of jobs that come in batches.
pub trait JobQueue: Send {
    /// Claims a batch, or the one that was claimed before and not finished: what is known of each job before it
    /// runs, by which [`Grades`](crate::policy::Grades) finds its class. Empty where there is nothing to do.
    ///
    /// # Errors
    ///
    /// Why the queue could not be asked.
    fn claim(&mut self) -> Result<Vec<String>, Absence>;

    /// Runs the next job of the claimed batch that has not come to its end, to its end; `true` where it went well.
    /// `job` is how many of the batch the engine knows to have ended. After the last job of a batch the batch
    /// is finished.
    fn run(&mut self, job: u32) -> bool;
}
