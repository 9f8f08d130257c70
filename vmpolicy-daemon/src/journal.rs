//! Records as JSON lines, on standard output or in a file.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;
use vmpolicy_core::record::View;
use vmpolicy_core::{Output, Policy};

/// How much is written at once: what a pipe takes without waiting once it is ready (`PIPE_BUF`).
const CHUNK_BYTES: usize = 4 * 1024;

/// How long a reader of the records may hold up the loop. Then the records wait, and with them every
/// request, but the loop goes on.
const PATIENCE: Duration = Duration::from_millis(250);

/// Appends the records of an output to `lines`, one JSON object each: the contract's, and in a dry run
/// `"dry_run":true` at the end of each.
pub fn render(policy: &Policy, guest: &str, dry_run: bool, output: &Output, lines: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Line<'a> {
        #[serde(flatten)]
        view: View<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        dry_run: Option<bool>,
    }
    for view in View::all(policy, guest, output) {
        let start = lines.len();
        let line = Line { view, dry_run: dry_run.then_some(true) };
        match serde_json::to_writer(&mut *lines, &line) {
            Ok(()) => lines.push(b'\n'),
            Err(error) => {
                lines.truncate(start);
                tracing::error!("a record can't be written as JSON: {error}");
            }
        }
    }
}

/// Where record lines go.
#[derive(Debug)]
pub struct Journal {
    file: File,
    is_file: bool,
}

impl Journal {
    /// Standard output.
    ///
    /// # Errors
    ///
    /// Where it can't be duplicated.
    pub fn stdout() -> io::Result<Self> {
        Self::of(io::stdout().as_fd().try_clone_to_owned()?.into())
    }

    /// The end of this file, which is made where it is not there.
    ///
    /// # Errors
    ///
    /// Where it can't be opened.
    pub fn file(path: &Path) -> io::Result<Self> {
        Self::of(OpenOptions::new().create(true).append(true).mode(0o640).open(path)?)
    }

    fn of(file: File) -> io::Result<Self> {
        let is_file = file.metadata()?.is_file();
        Ok(Self { file, is_file })
    }

    /// Writes lines, and removes from `lines` what was written.
    ///
    /// # Errors
    ///
    /// Where not all could be written; the rest is still in `lines`, so that the next attempt goes on
    /// in the middle of a line where this one stopped.
    pub fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        let mut written = 0;
        let done = loop {
            let rest = &lines[written..];
            if rest.is_empty() {
                break if self.is_file { self.file.sync_data() } else { Ok(()) };
            }
            match self.write_some(&rest[..rest.len().min(CHUNK_BYTES)]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        lines.drain(..written);
        done
    }

    fn write_some(&mut self, chunk: &[u8]) -> io::Result<usize> {
        if !self.is_file {
            let timeout = Timespec { tv_sec: 0, tv_nsec: PATIENCE.subsec_nanos().into() };
            match poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], Some(&timeout)) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::WouldBlock, "nobody reads the records")),
                Ok(_) => {}
                Err(Errno::INTR) => return Err(io::ErrorKind::Interrupted.into()),
                Err(error) => return Err(error.into()),
            }
        }
        match self.file.write(chunk) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::time::Instant;

    #[test]
    fn a_full_pipe_holds_nobody_up_and_loses_nothing() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut journal = Journal::of(std::os::fd::OwnedFd::from(writer).into()).unwrap();
        let text: Vec<u8> = (0..40_000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        let mut lines = text.clone();
        let began = Instant::now();
        assert_eq!(journal.write(&mut lines).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(began.elapsed() < Duration::from_secs(2));
        assert!(!lines.is_empty() && lines.len() < text.len());

        let reading = std::thread::spawn(move || {
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            read
        });
        journal.write(&mut lines).unwrap();
        assert!(lines.is_empty());
        drop(journal);
        assert_eq!(reading.join().unwrap(), text);
    }

    #[test]
    fn a_closed_pipe_and_a_full_disk_are_errors() {
        let (reader, writer) = io::pipe().unwrap();
        let mut journal = Journal::of(std::os::fd::OwnedFd::from(writer).into()).unwrap();
        drop(reader);
        let mut lines = b"x\n".to_vec();
        assert_eq!(journal.write(&mut lines).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(lines, b"x\n");
        let mut full = Journal::file(Path::new("/dev/full")).unwrap();
        assert!(full.write(&mut lines).is_err());
        assert_eq!(lines, b"x\n");
    }

    #[test]
    fn a_file_is_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        for line in ["a\n", "b\n"] {
            Journal::file(&path).unwrap().write(&mut line.as_bytes().to_vec()).unwrap();
        }
        assert_eq!(std::fs::read(path).unwrap(), b"a\nb\n");
    }
}
