//! A thread with a job at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

/// The number of the thread that was started last, of all hands of this process.
static LAST_WORKER: AtomicU64 = AtomicU64::new(0);

/// A thread, by its number; a thread of a policy that is gone is not mistaken for one of today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerId(u64);

impl WorkerId {
    /// One that nobody had.
    pub(super) fn next() -> Self {
        Self(LAST_WORKER.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// The last one that somebody has.
    pub(super) fn last() -> Self {
        Self(LAST_WORKER.load(Ordering::Relaxed))
    }

    /// Whether it was there when `last` was the last one.
    pub(super) const fn is_of(self, last: Self) -> bool {
        self.0 <= last.0
    }

    #[cfg(test)]
    pub(super) const fn of_test() -> Self {
        Self(u64::MAX)
    }
}

/// A thread, and the way to it.
pub(super) struct Worker<J> {
    id: WorkerId,
    jobs: SyncSender<J>,
    busy: bool,
}

impl<J: Send + 'static> Worker<J> {
    pub(super) fn spawn(id: WorkerId, name: &str, work: impl FnOnce(Receiver<J>) + Send + 'static) -> Self {
        // Capacity 1, and one job at a time: sending never waits.
        let (jobs, queue) = sync_channel(1);
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || work(queue));
        if let Err(error) = spawned {
            // The worker's queue is closed then, and each job is answered as one that can't be done.
            tracing::error!("can't start a thread for {name}: {error}");
        }
        Self { id, jobs, busy: false }
    }

    /// Hands over a job, unless the last one is not done.
    pub(super) fn give(&mut self, job: J) -> Result<(), Busy> {
        if self.busy {
            return Err(Busy::Working);
        }
        match self.jobs.try_send(job) {
            Ok(()) => {
                self.busy = true;
                Ok(())
            }
            Err(TrySendError::Full(_)) => Err(Busy::Working),
            Err(TrySendError::Disconnected(_)) => Err(Busy::Gone),
        }
    }

    pub(super) const fn id(&self) -> WorkerId {
        self.id
    }

    pub(super) const fn is_busy(&self) -> bool {
        self.busy
    }

    /// It has answered.
    pub(super) const fn rest(&mut self) {
        self.busy = false;
    }
}

/// Why a job is not taken.
pub(super) enum Busy {
    /// The last one is not done.
    Working,
    /// There is no thread.
    Gone,
}

/// A panic is a fault of the program; it must not end the thread, or the loop would wait for it for ever.
pub(super) fn unpanicked<T>(what: &str, otherwise: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        tracing::error!("{what} panicked; this is a fault of vmpolicyd");
        otherwise
    })
}
