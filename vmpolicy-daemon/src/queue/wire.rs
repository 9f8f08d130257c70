//! The queues that a policy file names.

#[cfg(feature = "http")]
use super::Http;
use super::{Directory, End, Fault, Job, Redis, Source, Work, Working};
use crate::agent::WiredQueue;
use crate::board::Board;
use crate::config::Config;
use crate::redis::Server;
use std::path::{Path, PathBuf};
use vmpolicy_core::file::{GradedBy, QueueSource, WorkSpec};
use vmpolicy_core::policy::Grades;

/// A batch of a list is no more than this.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Where jobs are run.
#[derive(Clone, Debug)]
pub struct Shop {
    /// A folder on the guest's own disk.
    pub local: PathBuf,
    /// The program that is the helper.
    pub helper: PathBuf,
    /// Where is told how it goes.
    pub board: Board,
}

impl Shop {
    /// Beside this state, with this program as its own helper.
    #[must_use]
    pub fn beside(state: &Path, board: Board) -> Self {
        // The program that runs, though another one may stand at its path by now.
        Self { local: state.join("jobs"), helper: PathBuf::from("/proc/self/exe"), board }
    }
}

/// For each queue of the policy, in its order, who works at it; nobody, where the file does not say how.
#[must_use]
pub fn wired(config: &Config, shop: &Shop) -> Vec<Option<WiredQueue>> {
    let queues = config.policy.queues().iter().zip(&config.shell.sources).zip(&config.shell.work);
    let wired = queues.map(|(((_, queue), source), WorkSpec { grade, run })| {
        let (source, run) = (source.as_ref()?.value.clone(), run.as_ref()?.value.clone());
        let grades = Grades::new(queue, &grade.patterns);
        let with = Working {
            queue: queue.name.clone(),
            guest: config.guest.clone(),
            source: format!("{source:?}"),
            grades: grades.clone(),
            classes: queue.classes.iter().map(|class| class.name.clone()).collect(),
            run,
            local: shop.local.clone(),
            helper: shop.helper.clone(),
        };
        let by = grade.by;
        let key = format!("{by:?} {with:?}");
        let board = shop.board.queue(&queue.name);
        let make = Box::new(move || -> Box<dyn vmpolicy_core::ports::JobQueue> {
            Box::new(Work::new(made(&source, &with.guest, by), with, board))
        });
        Some(WiredQueue { key, name: queue.name.clone(), grades, make })
    });
    wired.collect()
}

/// The source that a policy file names.
fn made(source: &QueueSource, guest: &str, by: GradedBy) -> Box<dyn Source> {
    match source {
        QueueSource::Directory { path } => Box::new(Directory::new(path, guest, by)),
        QueueSource::Redis { list, batch, server } => match Server::new(server, BATCH_BYTES_MAX) {
            Ok(server) => Box::new(Redis::new(server, list, *batch, guest, by)),
            Err(error) => Box::new(Nowhere(error.to_string())),
        },
        #[cfg(feature = "http")]
        QueueSource::Http(spec) => match Http::new(spec, guest, by) {
            Ok(source) => Box::new(source),
            Err(fault) => Box::new(Nowhere(fault.to_string())),
        },
        _ => Box::new(Nowhere("this program was built without such sources".to_owned())),
    }
}

/// A source that can't be had.
struct Nowhere(String);

impl Source for Nowhere {
    fn claim(&mut self) -> Result<Vec<String>, Fault> {
        Err(Fault(self.0.clone()))
    }

    fn first(&mut self) -> Result<Option<Job>, Fault> {
        Err(Fault(self.0.clone()))
    }

    fn finish(&mut self, _job: &Job, _end: End) -> Result<(), Fault> {
        Err(Fault(self.0.clone()))
    }
}
