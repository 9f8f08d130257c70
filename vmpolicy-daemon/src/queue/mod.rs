//! Job queues: claimed in batches, run one job after the other by a program, each at least once.
//!
//! A [`Source`] knows where jobs lie and who has claimed them; [`Work`] runs them; a helper process of its own
//! ([`helper`]) stands between the daemon and each job, so that no job outlives the daemon by surprise. Which
//! class a job is of, and when a batch is claimed and run, the core decides.

mod directory;
pub mod helper;
#[cfg(feature = "http")]
mod http;
mod ledger;
mod name;
mod redis;
mod run;
mod wire;
mod work;

pub use directory::Directory;
#[cfg(feature = "http")]
pub use http::Http;
pub use redis::Redis;
pub use run::{Order, Ran, Stdin};
pub use wire::{Shop, wired};
pub use work::{Work, Working};

/// A job as its source knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name, in its batch.
    pub name: String,
    /// The name of its batch.
    pub batch: String,
    /// What its program is told that it is: a path, an element, a number.
    pub told: String,
    /// What is known of it before it runs, by which its class is found.
    pub known: String,
    /// What its program reads.
    pub stdin: Stdin,
}

/// What becomes of a job that has been run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It went well.
    Done,
    /// It did not, and is put aside.
    Failed,
}

/// Why a source can't be used now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

/// Where jobs come from.
///
/// What is claimed stays claimed by this guest until each of its jobs has come to an end, whatever happens to the
/// daemon in between: a source forgets nothing, and nothing of it is in the daemon's memory only.
pub trait Source: Send {
    /// The jobs at hand, in the order in which they are run: those of the batch that was claimed before and still
    /// has some, else of a new one. None where there is nothing to do.
    ///
    /// # Errors
    ///
    /// Where it can't be told.
    fn claim(&mut self) -> Result<Vec<String>, Fault>;

    /// The first job at hand; none where no batch is claimed.
    ///
    /// # Errors
    ///
    /// Where it can't be told.
    fn first(&mut self) -> Result<Option<Job>, Fault>;

    /// A job has come to its end, and is not to be at hand any more. Saying so twice is as good as once.
    ///
    /// # Errors
    ///
    /// Where that could not be put down.
    fn finish(&mut self, job: &Job, end: End) -> Result<(), Fault>;
}
