//! The queues that a policy file names.

use super::{Directory, Source, Work, Working};
use crate::agent::WiredQueue;
use crate::config::Config;
use std::path::PathBuf;
use vmpolicy_core::file::{QueueSource, WorkSpec};
use vmpolicy_core::policy::Grades;

/// Where jobs are run.
#[derive(Clone, Debug)]
pub struct Shop {
    /// A folder on the guest's own disk.
    pub local: PathBuf,
    /// The program that is the helper.
    pub helper: PathBuf,
}

impl Shop {
    /// Beside this state, with this program as its own helper.
    #[must_use]
    pub fn beside(state: &std::path::Path) -> Self {
        // The program that runs, though another one may stand at its path by now.
        Self { local: state.join("jobs"), helper: PathBuf::from("/proc/self/exe") }
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
        let make = Box::new(move || -> Box<dyn vmpolicy_core::ports::JobQueue> {
            let source: Box<dyn Source> = match source {
                QueueSource::Directory { path } => Box::new(Directory::new(path, &with.guest, by)),
                _ => unreachable!("the file's reader knows no other source"),
            };
            Box::new(Work::new(source, with))
        });
        Some(WiredQueue { key, name: queue.name.clone(), grades, make })
    });
    wired.collect()
}
