//! How often the job at hand was begun, on the guest's own disk: one that takes the guest down with it each time must
//! not do so for ever.

use crate::disk::{SystemDisk, replace};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::PathBuf;

/// The count of one queue.
#[derive(Debug)]
pub(super) struct Ledger(PathBuf);

#[derive(Serialize, Deserialize)]
struct Begun {
    job: String,
    times: u32,
}

impl Ledger {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// How often this job was begun without coming to an end. A file that can't be read counts nothing: it is no
    /// reason to put a job aside.
    pub(super) fn times(&self, job: &str) -> u32 {
        let read = fs::read(&self.0).ok().and_then(|bytes| serde_json::from_slice::<Begun>(&bytes).ok());
        read.filter(|begun| begun.job == job).map_or(0, |begun| begun.times)
    }

    /// Writes down that a job is begun for the `times`th time; when this returns, it is on disk.
    pub(super) fn begin(&self, job: &str, times: u32) -> io::Result<()> {
        let begun = serde_json::to_vec(&Begun { job: job.to_owned(), times })?;
        replace(&SystemDisk, &self.0, &begun, 0o600)
    }

    /// The job has come to an end.
    pub(super) fn end(&self) {
        // One that stays is of a job that does not come again.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_one_job_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("begun");
        let ledger = Ledger::new(path.clone());
        assert_eq!(ledger.times("a"), 0);
        ledger.begin("a", 1).unwrap();
        ledger.begin("a", 2).unwrap();
        assert_eq!((ledger.times("a"), ledger.times("b")), (2, 0));
        ledger.end();
        assert_eq!(ledger.times("a"), 0);
        fs::write(path, "{").unwrap();
        assert_eq!(ledger.times("a"), 0);
    }
}
