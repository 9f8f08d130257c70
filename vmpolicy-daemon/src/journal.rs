//! Records as JSON lines, on standard output or in a file.

use crate::disk::{Disk, DiskFile, SystemDisk, SystemFile, append_lines};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::Serialize;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use vmpolicy_core::record::View;
use vmpolicy_core::{Output, Policy};

/// How much is written at once: what a pipe takes without waiting once it is ready (`PIPE_BUF`).
const CHUNK_BYTES: usize = 4 * 1024;

/// Who may read the file: the daemon's group as well.
const MODE: u32 = 0o640;

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
    file: Box<dyn DiskFile>,
    /// Where the file is to be found, so that one that was moved away is noticed.
    place: Option<(Arc<dyn Disk>, PathBuf)>,
    /// Whether the file may end in the middle of a line: what was written last will be written again.
    torn: bool,
    /// The beginning of a line whose rest still waits.
    half: Vec<u8>,
}

impl Journal {
    /// Standard output.
    ///
    /// # Errors
    ///
    /// Where it can't be duplicated.
    pub fn stdout() -> io::Result<Self> {
        let file = SystemFile::of(io::stdout().as_fd().try_clone_to_owned()?.into())?;
        Ok(Self { file: Box::new(file), place: None, torn: false, half: Vec::new() })
    }

    /// The end of this file, which is made where it is not there.
    ///
    /// # Errors
    ///
    /// Where it can't be opened.
    pub fn file(path: &Path) -> io::Result<Self> {
        Self::file_on(Arc::new(SystemDisk), path)
    }

    /// The same on this disk.
    ///
    /// # Errors
    ///
    /// Where it can't be opened.
    pub fn file_on(disk: Arc<dyn Disk>, path: &Path) -> io::Result<Self> {
        let file = append_lines(&*disk, path, MODE)?;
        Ok(Self { file, place: Some((disk, path.to_path_buf())), torn: false, half: Vec::new() })
    }

    /// The line that was begun is given up: what comes next is another one.
    pub fn begin_a_line(&mut self) {
        self.torn |= !self.half.is_empty();
        self.half.clear();
    }

    /// The beginning of a line whose rest still waits, for another place to have it as a whole.
    pub fn take_half(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.half)
    }

    /// A file that was moved away, or removed, gets no more lines: another one is begun under its name.
    fn follow_the_name(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        let Some((disk, path)) = &self.place else { return Ok(()) };
        if !self.file.is_named(path) {
            self.file = append_lines(&**disk, path, MODE)?;
            self.torn = false;
            lines.splice(0..0, self.half.drain(..));
        }
        Ok(())
    }

    /// Writes lines, and removes from `lines` what was written and is on disk.
    ///
    /// # Errors
    ///
    /// Where not all could be written; the rest is still in `lines`, so that the next attempt goes on
    /// in the middle of a line where this one stopped. What a disk has taken and then can't keep is still there
    /// as a whole: it is written again, and may stand in the file twice.
    pub fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.follow_the_name(lines)?;
        let mut written = 0;
        let done = loop {
            let rest = &lines[written..];
            let chunk = if self.torn { b"\n" } else { &rest[..rest.len().min(CHUNK_BYTES)] };
            if rest.is_empty() {
                break Ok(());
            }
            match self.write_some(chunk) {
                Ok(_) if self.torn => self.torn = false,
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        if written > 0 {
            if let Err(error) = self.file.sync() {
                // What the file has there now may be no line: zeros, after a power cut.
                self.torn = true;
                // All of it again, from the beginning of a line.
                lines.splice(0..0, self.half.drain(..));
                return Err(error);
            }
            if let Some(end) = lines[..written].iter().rposition(|byte| *byte == b'\n') {
                self.half = lines[end + 1..written].to_vec();
            } else {
                self.half.extend_from_slice(&lines[..written]);
            }
            lines.drain(..written);
        }
        done
    }

    fn write_some(&mut self, chunk: &[u8]) -> io::Result<usize> {
        if let Some(stream) = self.file.stream() {
            let timeout = Timespec { tv_sec: 0, tv_nsec: PATIENCE.subsec_nanos().into() };
            match poll(&mut [PollFd::new(&stream, PollFlags::OUT)], Some(&timeout)) {
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

    fn to_pipe(writer: io::PipeWriter) -> Journal {
        to(Box::new(SystemFile::of(std::os::fd::OwnedFd::from(writer).into()).unwrap()))
    }

    fn to(file: Box<dyn DiskFile>) -> Journal {
        Journal { file, place: None, torn: false, half: Vec::new() }
    }

    #[test]
    fn a_full_pipe_holds_nobody_up_and_loses_nothing() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut journal = to_pipe(writer);
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
        let mut journal = to_pipe(writer);
        drop(reader);
        let mut lines = b"x\n".to_vec();
        assert_eq!(journal.write(&mut lines).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(lines, b"x\n");
        let mut full = Journal::file(Path::new("/dev/full")).unwrap();
        assert!(full.write(&mut lines).is_err());
        assert_eq!(lines, b"x\n");
    }

    #[test]
    fn records_that_a_disk_took_and_can_t_keep_wait_and_are_written_again() {
        let mut journal = to(Box::new(Forgetful::default()));
        let mut lines = b"a\n".to_vec();
        assert!(journal.write(&mut lines).is_err());
        assert_eq!(lines, b"a\n", "what waits for the record must not leave");
        journal.write(&mut lines).unwrap();
        assert!(lines.is_empty());
        lines.extend_from_slice(b"0123456789abc\n");
        assert_eq!(journal.write(&mut lines).unwrap_err().kind(), io::ErrorKind::InvalidInput, "of the sync");
        assert_eq!(lines, b"0123456789abc\n");
        // What was cut off gets its end, and the line is written again. A full disk alone leaves it whole.
        assert_eq!(journal.write(&mut lines).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(lines, b"789abc\n");
        assert_eq!(format!("{:?}", journal.file), r#"Forgetful("a\n\na\n01234567\n0123456")"#);
    }

    /// Takes eight bytes, then is full for once; keeps what it took at every second attempt.
    #[derive(Default)]
    struct Forgetful {
        taken: Vec<u8>,
        since: usize,
        syncs: usize,
    }

    impl std::fmt::Debug for Forgetful {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "Forgetful({:?})", String::from_utf8_lossy(&self.taken))
        }
    }

    impl DiskFile for Forgetful {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(8 - self.since);
            self.since += count;
            self.taken.extend_from_slice(&bytes[..count]);
            if count > 0 { Ok(count) } else { Err(io::ErrorKind::StorageFull.into()) }
        }

        fn sync(&mut self) -> io::Result<()> {
            (self.since, self.syncs) = (0, self.syncs + 1);
            if self.syncs % 2 == 1 { Err(io::ErrorKind::InvalidInput.into()) } else { Ok(()) }
        }

        fn last(&mut self) -> io::Result<Option<u8>> {
            Ok(self.taken.last().copied())
        }

        fn is_named(&self, _: &Path) -> bool {
            true
        }
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
    #[test]
    fn a_file_that_is_moved_away_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("records"), folder.path().join("records.1"));
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        let mut journal = Journal::file(&path).unwrap();
        journal.write(&mut b"a\n".to_vec()).unwrap();
        std::fs::rename(&path, &aside).unwrap();
        journal.write(&mut b"b\n".to_vec()).unwrap();
        assert_eq!((read(&aside), read(&path)), ("a\n".to_owned(), "b\n".to_owned()));
        std::fs::remove_file(&path).unwrap();
        journal.write(&mut b"c\n".to_vec()).unwrap();
        assert_eq!(read(&path), "c\n");
        // As logrotate does it with `create`.
        std::fs::rename(&path, &aside).unwrap();
        std::fs::write(&path, "").unwrap();
        journal.write(&mut b"d\n".to_vec()).unwrap();
        assert_eq!((read(&aside), read(&path)), ("c\n".to_owned(), "d\n".to_owned()));
    }

    #[test]
    fn a_line_that_was_begun_in_a_file_that_is_gone_is_whole_in_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        let mut journal = Journal::file(&path).unwrap();
        journal.file = Box::new(Forgetful { syncs: 1, ..Forgetful::default() });
        let mut lines = b"0123456789abc\n".to_vec();
        assert!(journal.write(&mut lines).is_err());
        assert_eq!(lines, b"89abc\n");
        journal.file = SystemDisk.append(&folder.path().join("another"), 0o600).unwrap();
        journal.write(&mut lines).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "0123456789abc\n");
    }

    #[test]
    fn a_line_that_is_given_up_half_way_spoils_no_other() {
        let mut journal = to(Box::new(Forgetful { syncs: 1, ..Forgetful::default() }));
        let mut lines = b"0123456789abc\n".to_vec();
        assert!(journal.write(&mut lines).is_err());
        journal.begin_a_line();
        let mut lines = b"x\n".to_vec();
        assert!(journal.write(&mut lines).is_err(), "of the sync");
        journal.write(&mut lines).unwrap();
        assert_eq!(format!("{:?}", journal.file), r#"Forgetful("01234567\nx\n\nx\n")"#);
    }
}
