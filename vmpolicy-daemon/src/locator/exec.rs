//! `exec`: a program that prints the host's name.

use super::{Told, first_word};
use crate::process::run;
use std::time::Duration;
use vmpolicy_core::ports::Locator;

/// The first word that a program prints, run by its argv and without a shell; nothing where it fails.
#[derive(Clone, Debug)]
pub struct ExecLocator {
    argv: Vec<String>,
    limit: Duration,
    told: Told,
}

impl ExecLocator {
    /// A locator that runs this.
    #[must_use]
    pub const fn new(argv: Vec<String>, limit: Duration, told: Told) -> Self {
        Self { argv, limit, told }
    }
}

impl Locator for ExecLocator {
    fn locate(&mut self) -> Option<String> {
        let mut printed = String::new();
        let found = match run(&self.argv, self.limit) {
            Ok(finished) if finished.status.success() => {
                first_word(&finished.stdout).ok_or_else(|| "it printed no name".to_owned())
            }
            Ok(finished) => {
                printed = finished.complaint;
                Err(finished.status.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        self.told.note_printed(found, &printed)
    }
}
