//! The daemon's control sockets: how things stand, why nothing happens, an operator's word.
//!
//! A thread for each socket speaks with the clients (`serve`) and asks the loop one [`Question`] at a time. The loop answers
//! between two inputs from what it has at hand, and never waits for anybody. `docs/operating.md` describes the protocol.

mod client;
mod desk;
mod history;
mod serve;
mod sockets;
mod status;
#[cfg(test)]
mod tests;
mod why;
mod wire;
mod work;

pub use client::{Client, ClientError, Told};
pub use desk::{Changed, Desk, Moving, Said, Standing};
pub use history::Remembered;
pub use serve::{Limits, Listener, Protocol, Reply, Server};
pub use sockets::{CONTROL, STATUS, SocketError, Sockets, default_dir};
pub use status::{Collecting, Held, Indicator, Next, NotTaken, Open, PolicyInForce, Status};
pub use why::{Candidate, ConditionNow, HostNow, RuleNow, Why};
pub use wire::{ErrorCode, Hello, Refusal, Request, VERSION};
pub use work::{Batch, Failing, HookNow, LastFailed, LastRun, Ports, Queue, RunningJob, Runs};

use crate::agent::Event;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::time::Duration;

/// How long the loop may take to answer: it waits for a disk at times, and for a reader of the records up to a quarter of a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// What somebody wants of the loop, and where the answer goes.
#[derive(Debug)]
pub struct Question {
    /// What is wanted.
    pub ask: Ask,
    reply: SyncSender<Vec<u8>>,
}

/// What can be wanted of the loop.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A request of the control protocol. The answer is its lines.
    Request {
        /// Which.
        request: Request,
        /// The user who asks, where the system can tell.
        uid: Option<u32>,
    },
    /// The metrics, as text.
    Metrics,
}

impl Question {
    /// A question, and where its answer will be found.
    #[must_use]
    pub fn new(ask: Ask) -> (Self, Receiver<Vec<u8>>) {
        // Room for the one answer: the loop never waits for whoever asked.
        let (reply, answer) = sync_channel(1);
        (Self { ask, reply }, answer)
    }

    /// Answers it. One who does not wait any more is not missed.
    pub fn answer(self, bytes: Vec<u8>) {
        let _ = self.reply.try_send(bytes);
    }
}

/// Asks the loop.
#[derive(Clone, Debug)]
pub struct Asker {
    events: Sender<Event>,
}

/// Why the loop did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// It waits for something.
    #[error("the daemon's loop has not answered for {} s", PATIENCE.as_secs())]
    Late,
    /// It has ended.
    #[error("the daemon ends")]
    Ended,
}

impl Asker {
    /// Asks the loop that hears these events.
    #[must_use]
    pub const fn new(events: Sender<Event>) -> Self {
        Self { events }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn ask(&self, ask: Ask) -> Result<Vec<u8>, Unanswered> {
        let (question, answer) = Question::new(ask);
        self.events.send(Event::Asked(question)).map_err(|_| Unanswered::Ended)?;
        answer.recv_timeout(PATIENCE).map_err(|error| match error {
            RecvTimeoutError::Timeout => Unanswered::Late,
            RecvTimeoutError::Disconnected => Unanswered::Ended,
        })
    }
}
