//! What an onlooker saw of one job queue.

use crate::id::QueueId;
use crate::input::Input;

/// A queue, as seen from outside.
#[derive(Clone, Debug, Default)]
pub(super) struct Jobs {
    /// The last batch that came.
    pub(super) batch: Option<Input>,
    /// A claim is out.
    pub(super) claimed: bool,
    /// A job is running.
    pub(super) running: bool,
    /// The job that was started last, of this batch.
    pub(super) last_job: Option<u32>,
}

impl Jobs {
    /// How many jobs the last batch has.
    pub(super) fn size(&self) -> u64 {
        match &self.batch {
            Some(Input::Batch { classes, others, .. }) => {
                classes.iter().map(|count| u64::from(*count)).sum::<u64>() + u64::from(*others)
            }
            _ => 0,
        }
    }

    /// A batch came.
    pub(super) fn take(&mut self, batch: &Input) {
        self.claimed = false;
        // One that nobody asked for while another is at hand may be taken or not.
        self.last_job = None;
        self.batch = Some(batch.clone());
    }

    /// The caller was started again: what was out is lost.
    pub(super) fn restart(&mut self) {
        self.claimed = false;
        self.running = false;
        self.last_job = None;
    }
}

/// The queue that an input is about.
pub(super) fn queue_of(input: &Input) -> Option<QueueId> {
    match input {
        Input::Batch { queue, .. } | Input::JobDone { queue } => Some(*queue),
        _ => None,
    }
}
