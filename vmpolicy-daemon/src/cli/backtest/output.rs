//! A file that is there whole or not at all, whenever the program ends.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// A file on its way. Until [`Output::done`], its name holds what it held before.
#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    end: End,
}

/// What becomes of it.
#[derive(Debug)]
enum End {
    /// A pipe or a device: what was written has gone.
    Gone,
    /// A file without a name, which vanishes with the program, is to have this one.
    Unnamed(PathBuf),
    /// The same where the file system has no such files: its name for now, and the one that it is to have.
    Named(PathBuf, PathBuf),
}

impl Output {
    /// Begins to write. What can't be written is known at once, not after the work.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        // Through a link, so that the link stays one.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
            let file = OpenOptions::new().write(true).open(&path)?;
            return Ok(Self { file, end: End::Gone });
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        if let Some(file) = unnamed(folder) {
            return Ok(Self { file, end: End::Unnamed(path) });
        }
        let for_now = beside(&path)?;
        let file = OpenOptions::new().write(true).create_new(true).open(&for_now)?;
        Ok(Self { file, end: End::Named(for_now, path) })
    }

    /// Writes a file whole, or not at all.
    pub(crate) fn whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut output = Self::create(path)?;
        output.write_all(bytes)?;
        output.done()
    }

    /// Whether it could be written; nothing is. A pipe is left alone: who reads it would take the end of the attempt
    /// for the end of the file.
    pub(crate) fn attempt(path: &Path) -> io::Result<()> {
        match fs::metadata(path) {
            Ok(there) if !there.is_file() && !there.is_dir() => Ok(()),
            _ => Self::create(path).map(drop),
        }
    }

    /// Gives the file its name. A crash of the machine leaves the old file or the new one.
    pub(crate) fn done(mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.end, End::Gone) {
            End::Gone => Ok(()),
            End::Unnamed(path) => {
                self.file.sync_all()?;
                let for_now = beside(&path)?;
                link(&self.file, &for_now)?;
                rename(&for_now, &path)
            }
            End::Named(for_now, path) => {
                self.file.sync_all().and_then(|()| rename(&for_now, &path)).inspect_err(|_| {
                    // The first error is the one to tell.
                    let _ = fs::remove_file(&for_now);
                })
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let End::Named(for_now, _) = &self.end {
            // Nobody is there to hear that it stays.
            let _ = fs::remove_file(for_now);
        }
    }
}

fn rename(for_now: &Path, path: &Path) -> io::Result<()> {
    fs::rename(for_now, path).inspect_err(|_| {
        let _ = fs::remove_file(for_now);
    })
}

/// A name in the same folder that nobody else uses.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no file name"))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(hidden))
}

#[cfg(target_os = "linux")]
fn unnamed(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = open(folder, flags, Mode::from_raw_mode(0o666)).ok().map(File::from)?;
    // It gets its name by way of /proc.
    Path::new("/proc/self/fd").is_dir().then_some(file)
}

#[cfg(target_os = "linux")]
fn link(file: &File, to: &Path) -> io::Result<()> {
    use rustix::fd::AsRawFd;
    use rustix::fs::{AtFlags, CWD, linkat};
    let from = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    Ok(linkat(CWD, from, CWD, to, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_that_is_not_done_leaves_nothing_and_the_old_one_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut output = Output::create(&path).unwrap();
        output.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(output);
        assert_eq!(names(folder.path()), [""; 0]);
        fs::write(&path, "old").unwrap();
        let mut output = Output::create(&path).unwrap();
        output.write_all(b"half").unwrap();
        drop(output);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let mut output = Output::create(&path).unwrap();
        output.write_all(b"whole").unwrap();
        output.done().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(names(folder.path()), ["events.jsonl"]);
    }

    #[test]
    fn without_unnamed_files_it_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (for_now, path) = (folder.path().join(".x.1"), folder.path().join("x"));
        let begin = || Output {
            file: File::create(&for_now).unwrap(),
            end: End::Named(for_now.clone(), path.clone()),
        };
        drop(begin());
        assert_eq!(names(folder.path()), [""; 0]);
        begin().done().unwrap();
        assert_eq!(names(folder.path()), ["x"]);
    }

    #[test]
    fn a_link_stays_one_and_a_device_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (real, alias) = (folder.path().join("real"), folder.path().join("alias"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &alias).unwrap();
        let mut output = Output::create(&alias).unwrap();
        output.write_all(b"new").unwrap();
        output.done().unwrap();
        assert!(alias.is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        Output::create(Path::new("/dev/null")).unwrap().done().unwrap();
        assert!(Output::create(&folder.path().join("no/such")).is_err());
        assert!(Output::create(folder.path()).is_err());
        Output::attempt(Path::new("/dev/null")).unwrap();
        assert!(Output::attempt(&folder.path().join("no/such")).is_err());
        assert!(Output::attempt(folder.path()).is_err());
        Output::attempt(&folder.path().join("new")).unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert!(!folder.path().join("new").exists());
    }
}
