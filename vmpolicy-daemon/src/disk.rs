//! The files that must outlive a crash: the state, and the records. All that is done to them goes through [`Disk`], so that
//! a test can let each single operation fail, or the machine stop before or after it.
//!
//! What a power cut leaves is what was synced: a file's bytes by [`DiskFile::sync`], its name by [`Disk::sync_folder`].

use crate::lock;
use std::any::Any;
use std::ffi::OsString;
use std::fmt::Debug;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A name that is held against other processes for as long as this lives.
pub type Hold = Box<dyn Any + Send>;

/// What is asked of a disk.
///
/// Each method is an operation or two of the system: those that read excepted, it is done as a whole or has failed.
pub trait Disk: Debug + Send + Sync {
    /// Makes a folder, and those above it, where they are not there; they survive a power cut.
    ///
    /// # Errors
    ///
    /// Where it can't be made.
    fn create_folder(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Holds a file, which is made where it is not there; none where another process holds it.
    ///
    /// # Errors
    ///
    /// Where it can't be made or held.
    fn hold(&self, path: &Path) -> io::Result<Option<Hold>>;

    /// The names in a folder, in no order.
    ///
    /// # Errors
    ///
    /// Where it can't be read.
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>>;

    /// A file's bytes; of one that has more than `bytes_max`, so many.
    ///
    /// # Errors
    ///
    /// Where it can't be read.
    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>>;

    /// An empty file; one that was there is emptied.
    ///
    /// # Errors
    ///
    /// Where it can't be made.
    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>>;

    /// A file to be written at its end, which is made where it is not there.
    ///
    /// # Errors
    ///
    /// Where it can't be opened.
    fn append(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name; one that had it is gone.
    ///
    /// # Errors
    ///
    /// Where it can't be renamed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// Where it can't be removed.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns when the names in a folder survive a power cut.
    ///
    /// # Errors
    ///
    /// Where that can't be said.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// A file that is open for writing.
pub trait DiskFile: Debug + Send {
    /// Writes some of these bytes at the file's end; how many.
    ///
    /// # Errors
    ///
    /// Where none could be written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Returns when what was written survives a power cut. After an error nobody knows whether what was written since the
    /// last success does, and asking again does not tell: the system may have let go of it.
    ///
    /// # Errors
    ///
    /// Where that can't be said.
    fn sync(&mut self) -> io::Result<()>;

    /// The last byte; none of an empty file, a pipe or a device.
    ///
    /// # Errors
    ///
    /// Where it can't be read.
    fn last(&mut self) -> io::Result<Option<u8>>;

    /// Whether the file has this name still: it may have been put aside.
    fn is_named(&self, path: &Path) -> bool;

    /// What to wait at until it takes more, where this is no file but a pipe, a terminal or a device.
    fn stream(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// Puts these bytes in the place of a file's: the file has the old ones or the new ones at any time. When this returns it
/// has the new ones and keeps them over a power cut; after an error it may have either.
///
/// Nobody else may do so at the same time: see [`Disk::hold`].
///
/// # Errors
///
/// Where an operation failed.
pub fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let new = being_written(path);
    let written = write_synced(disk, &new, bytes, mode).and_then(|()| disk.rename(&new, path));
    if written.is_err() {
        // It takes room where there may be none. What stays is emptied the next time.
        let _ = disk.remove(&new);
    }
    written?;
    disk.sync_folder(folder_of(path))
}

/// The name of a file while it is written, before it takes the place of the one at `path`.
#[must_use]
pub fn being_written(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn write_synced(disk: &dyn Disk, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = disk.create(path, mode)?;
    write_all(&mut *file, bytes)?;
    file.sync()
}

/// Opens a file for lines at its end, and makes it where it is not there. A line that a crash has cut off is given its end,
/// so that it spoils none but itself.
///
/// # Errors
///
/// Where an operation failed.
pub fn append_lines(disk: &dyn Disk, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>> {
    let mut file = disk.append(path, mode)?;
    if file.stream().is_none() {
        match file.last()? {
            // It may be new, and its name has to survive as its lines do. Where we may not read the folder, somebody else
            // has made the file, and before.
            None => match disk.sync_folder(folder_of(path)) {
                Err(error) if error.kind() != io::ErrorKind::PermissionDenied => return Err(error),
                _ => {}
            },
            Some(b'\n') => {}
            Some(_) => write_all(&mut *file, b"\n")?,
        }
    }
    Ok(file)
}

/// Writes all of these bytes at a file's end.
///
/// # Errors
///
/// Where not all could be written; some may have been.
pub fn write_all(file: &mut dyn DiskFile, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn create_folder(&self, path: &Path, mode: u32) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        let above = folder_of(path);
        if above != path {
            self.create_folder(above, mode)?;
        }
        match DirBuilder::new().mode(mode).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => Err(error),
            _ => self.sync_folder(above),
        }
    }

    fn hold(&self, path: &Path) -> io::Result<Option<Hold>> {
        Ok(lock::hold(path)?.map(|file| Box::new(file) as Hold))
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(bytes_max).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
        Ok(Box::new(SystemFile::of(file)?))
    }

    fn append(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>> {
        // Its last byte is read, where that can be: a pipe that is opened to be read, too, never misses its reader.
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(mode);
        let is_file = fs::metadata(path).map_or(true, |there| there.is_file());
        Ok(Box::new(SystemFile::of(options.read(is_file).open(path)?)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

/// One of the system's files.
#[derive(Debug)]
pub struct SystemFile {
    file: File,
    is_file: bool,
}

impl SystemFile {
    /// This one, or what stands in the place of a file: a pipe, a terminal, a device.
    ///
    /// # Errors
    ///
    /// Where the system does not say what it is.
    pub fn of(file: File) -> io::Result<Self> {
        let is_file = file.metadata()?.is_file();
        Ok(Self { file, is_file })
    }
}

impl DiskFile for SystemFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.is_file { self.file.sync_data() } else { Ok(()) }
    }

    fn last(&mut self) -> io::Result<Option<u8>> {
        if !self.is_file || self.file.seek(SeekFrom::End(0))? == 0 {
            return Ok(None);
        }
        self.file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        self.file.read_exact(&mut last)?;
        Ok(Some(last[0]))
    }

    fn is_named(&self, path: &Path) -> bool {
        let there = fs::metadata(path).and_then(|there| Ok((there, self.file.metadata()?)));
        there.is_ok_and(|(there, ours)| (there.dev(), there.ino()) == (ours.dev(), ours.ino()))
    }

    fn stream(&self) -> Option<BorrowedFd<'_>> {
        (!self.is_file).then(|| self.file.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("a/b");
        SystemDisk.create_folder(&dir, 0o700).unwrap();
        SystemDisk.create_folder(&dir, 0o700).unwrap();
        let path = dir.join("file");
        // What a writer before has left, longer than what comes.
        fs::write(being_written(&path), "x".repeat(100)).unwrap();
        for bytes in [&b"one"[..], b"", b"another"] {
            replace(&SystemDisk, &path, bytes, 0o600).unwrap();
            assert_eq!(SystemDisk.read(&path, 100).unwrap(), bytes);
            assert_eq!(SystemDisk.names(&dir).unwrap(), ["file"]);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(SystemDisk.read(&path, 3).unwrap(), b"ano");

        fs::remove_file(&path).unwrap();
        fs::create_dir_all(path.join("not a file")).unwrap();
        assert!(replace(&SystemDisk, &path, b"x", 0o600).is_err());
        assert_eq!(SystemDisk.names(&dir).unwrap(), ["file"], "no litter");
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        for (before, after) in [("", "x\n"), ("a\n", "a\nx\n"), ("a\n{\"ha", "a\n{\"ha\nx\n")] {
            fs::write(&path, before).unwrap();
            let mut file = append_lines(&SystemDisk, &path, 0o640).unwrap();
            write_all(&mut *file, b"x\n").unwrap();
            file.sync().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
            assert!(file.is_named(&path) && file.stream().is_none());
            fs::rename(&path, folder.path().join("aside")).unwrap();
            assert!(!file.is_named(&path));
        }
        let mut null = append_lines(&SystemDisk, Path::new("/dev/null"), 0o640).unwrap();
        assert!(null.stream().is_some() && null.last().unwrap().is_none());
        null.sync().unwrap();
    }
}
