//! `file`: a file that holds the host's name.

use super::{Told, first_word};
use crate::probe::read_head;
use std::path::PathBuf;
use vmpolicy_core::ports::Locator;

/// The first word of a file. Write it by renaming: a file that is read while it is being written may
/// hold half a name.
#[derive(Clone, Debug)]
pub struct FileLocator {
    path: PathBuf,
    told: Told,
}

impl FileLocator {
    /// A locator that reads this file.
    pub fn new(path: impl Into<PathBuf>, told: Told) -> Self {
        Self { path: path.into(), told }
    }
}

impl Locator for FileLocator {
    fn locate(&mut self) -> Option<String> {
        let path = self.path.display();
        let found = match read_head(&self.path, 4 * 1024) {
            Ok(head) => first_word(&head.bytes).ok_or_else(|| format!("{path} holds no name")),
            Err(error) => Err(format!("{path}: {error}")),
        };
        self.told.note(found)
    }
}
