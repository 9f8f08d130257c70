//! What a port's own thread can say to the loop, and ask, while the port itself goes on.

use super::hands::Event;
use super::worker::WorkerId;
use crate::hook::Ran;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use vmpolicy_core::id::RequestId;
use vmpolicy_core::input::Outcome;

/// Which request is open, for threads that do something for it.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenRequest(Arc<AtomicU64>);

/// Requests count from 1.
const NONE: u64 = 0;

impl OpenRequest {
    pub(super) fn set(&self, id: Option<RequestId>) {
        self.0.store(id.map_or(NONE, |id| id.0), Ordering::Relaxed);
    }

    fn is(&self, id: RequestId) -> bool {
        self.0.load(Ordering::Relaxed) == id.0
    }
}

/// The way from a port's own thread to the loop. What comes over it from a life of the daemon that has ended is not
/// heard.
#[derive(Clone, Debug)]
pub struct Reporter {
    pub(super) worker: WorkerId,
    pub(super) events: Sender<Event>,
    pub(super) open: OpenRequest,
}

impl Reporter {
    /// Whether the engine still waits for the end of this request.
    #[must_use]
    pub fn is_open(&self, id: RequestId) -> bool {
        self.open.is(id)
    }

    /// What became of a request, after its port has said that it was taken on.
    pub fn tell(&self, id: RequestId, outcome: Outcome) {
        // Where nobody listens any more, the daemon ends.
        let _ = self.events.send(Event::Answered { worker: Some(self.worker), id, outcome });
    }

    /// A hook has been run.
    pub fn hooked(&self, ran: Ran) {
        let _ = self.events.send(Event::Hooked { worker: self.worker, ran });
    }

    /// One for a test, to whom this request is open, and the flag that says so.
    #[cfg(test)]
    pub(crate) fn of_test(events: Sender<Event>, open: Option<RequestId>) -> Self {
        let reporter = Self { worker: WorkerId::of_test(), events, open: OpenRequest::default() };
        reporter.open.set(open);
        reporter
    }

    /// In a test, another request is open, or none.
    #[cfg(all(test, feature = "http"))]
    pub(crate) fn opens(&self, id: Option<RequestId>) {
        self.open.set(id);
    }
}
