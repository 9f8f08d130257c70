//! Writing inputs down. It never holds up the loop for long, and no decision waits for it: what can't be
//! written is lost, and said once.

use super::{Begin, Entry, FORM};
use crate::agent::Identity;
use serde_json::value::RawValue;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use vmpolicy_core::time::Now;
use vmpolicy_core::{Engine, Input};

/// What is written at once, where nothing asks for it earlier.
const WAITING_BYTES: usize = 8 * 1024;

/// The inputs of a guest, and the file that they go to.
#[derive(Debug)]
pub struct InputLog {
    path: PathBuf,
    file: File,
    /// Whether the file says what the engine began with.
    begun: bool,
    waiting: Vec<u8>,
    failed: bool,
}

impl InputLog {
    /// At the end of this file, which is made where it is not there.
    ///
    /// # Errors
    ///
    /// Where it can't be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = append_to(path)?;
        Ok(Self { path: path.to_path_buf(), file, begun: false, waiting: Vec::new(), failed: false })
    }

    /// The engine is about to take an input.
    pub fn heard(&mut self, identity: &Identity, engine: &Engine, now: Now, input: &Input) {
        // A policy that waits is not in the saved state: a beginning there could not be replayed.
        if !self.begun && !engine.has_waiting_policy() {
            let begin = Begin {
                form: FORM,
                vmpolicy: env!("CARGO_PKG_VERSION").to_owned(),
                guest: identity.guest.clone(),
                dry_run: identity.dry_run,
                policy: engine.policy().clone(),
                saved: engine.save(),
            };
            self.begun = true;
            self.add(&Entry::Begin(Box::new(begin)));
        }
        if self.begun {
            self.add(&Entry::In { now, input: input.clone() });
        }
        if self.waiting.len() >= WAITING_BYTES || matches!(input, Input::Start(_)) {
            self.write();
        }
    }

    /// Record lines came of the input before.
    pub fn recorded(&mut self, lines: &[u8]) {
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let raw =
                std::str::from_utf8(line).ok().and_then(|text| RawValue::from_string(text.to_owned()).ok());
            if let Some(raw) = raw.filter(|_| self.begun) {
                self.add(&Entry::Record(raw));
            }
        }
        self.write();
    }

    fn add(&mut self, entry: &Entry) {
        let start = self.waiting.len();
        match serde_json::to_writer(&mut self.waiting, entry) {
            Ok(()) => self.waiting.push(b'\n'),
            Err(error) => {
                self.waiting.truncate(start);
                self.lose(&error.into());
            }
        }
    }

    /// Writes what waits. A file that was put aside gets the rest of its own, and another one is begun.
    pub fn write(&mut self) {
        if let Err(error) = self.file.write_all(&self.waiting) {
            return self.lose(&error);
        }
        self.waiting.clear();
        let there = fs::metadata(&self.path).and_then(|there| Ok((there, self.file.metadata()?)));
        if there.is_ok_and(|(there, ours)| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
            self.failed = false;
            return;
        }
        match append_to(&self.path) {
            Ok(file) => (self.file, self.begun) = (file, false),
            Err(error) => self.lose(&error),
        }
    }

    /// What waits is gone; what comes begins anew.
    fn lose(&mut self, error: &io::Error) {
        if !self.failed {
            tracing::warn!("inputs are lost: can't write {}: {error}", self.path.display());
        }
        self.waiting.clear();
        (self.begun, self.failed) = (false, true);
    }
}

impl Drop for InputLog {
    fn drop(&mut self) {
        self.write();
    }
}

/// Opens a file for lines at its end. One that a crash has left in the middle of a line is given its end.
fn append_to(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o640).open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.is_file() && file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(file)
}
