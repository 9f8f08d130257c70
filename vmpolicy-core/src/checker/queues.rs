//! What an onlooker saw of one job queue.

use crate::input::Input;

/// A queue, as seen from outside.
#[derive(Clone, Debug, Default)]
pub(super) struct Jobs {
    /// The batch at hand.
    pub(super) batch: Option<Input>,
    /// A job is running.
    pub(super) running: bool,
    /// A new policy may count its classes otherwise.
    pub(super) vague: bool,
    /// How many jobs of the batch have ended.
    pub(super) done: u64,
}

impl Jobs {
    /// How many jobs the batch at hand has.
    pub(super) fn size(&self) -> u64 {
        self.batch.as_ref().map_or(0, size)
    }

    /// A batch came. The one at hand is finished first, and an empty one is none.
    pub(super) fn take(&mut self, batch: &Input, classes_known: usize) {
        let fits = matches!(batch, Input::Batch { classes, .. } if classes.len() == classes_known);
        if self.batch.is_none() && fits && size(batch) > 0 {
            *self = Self { batch: Some(batch.clone()), ..Self::default() };
        }
    }

    /// The running job has ended.
    pub(super) fn done(&mut self) {
        if std::mem::take(&mut self.running) {
            self.done += 1;
            if self.done >= self.size() {
                self.batch = None;
            }
        }
    }

    /// The caller was started again: what was running is lost.
    pub(super) fn restart(&mut self) {
        self.running = false;
    }
}

fn size(batch: &Input) -> u64 {
    match batch {
        Input::Batch { classes, others, .. } => {
            classes.iter().map(|count| u64::from(*count)).sum::<u64>() + u64::from(*others)
        }
        _ => 0,
    }
}
