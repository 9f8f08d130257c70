//! A disk in memory that keeps apart what a process sees and what a power cut leaves, and on which any single operation can
//! fail, or be the last before the end.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use vmpolicy_daemon::disk::{Disk, DiskFile, Hold};

/// What an operation does; with the last part of its path it names a place in the write path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Op {
    CreateFolder,
    Hold,
    Names,
    Read,
    Create,
    Append,
    Last,
    Write,
    Sync,
    Rename,
    Remove,
    SyncFolder,
    /// The actuator is asked: no operation of the disk, but what all the others are about.
    Ask,
}

/// When in an operation the end comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    Before,
    /// Half of the bytes are written.
    Midway,
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errno {
    /// `ENOSPC`
    Full = 28,
    /// `EIO`
    Broken = 5,
}

impl Errno {
    fn error(self) -> io::Error {
        io::Error::from_raw_os_error(self as i32)
    }
}

/// What goes wrong. Operations are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    Nothing,
    /// The process ends.
    Crash(usize, Moment),
    /// This operation fails.
    Once(usize, Errno),
    /// This one takes half of the bytes, and the next write fails.
    Short(usize, Errno),
    /// This one fails, and all after it until the disk is mended.
    Lasting(usize, Errno),
}

/// What a power cut leaves of bytes that were written and not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bytes {
    Nothing,
    Half,
    All,
    /// The file has its length, and zeros where they were.
    Zeros,
}

pub(crate) const BYTES: [Bytes; 4] = [Bytes::Nothing, Bytes::Half, Bytes::All, Bytes::Zeros];

#[derive(Clone, Debug, Default)]
struct Inode {
    /// What a process reads.
    live: Vec<u8>,
    /// What a power cut leaves for sure: as much of `live` as was synced, with zeros for what could not be.
    durable: Vec<u8>,
}

/// A name that is given to a file, or taken away.
type Naming = (PathBuf, Option<usize>);

#[derive(Clone, Debug)]
struct Inside {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    /// Changes of names that no sync has made safe, in their order; each as a whole or not at all.
    pending: Vec<Vec<Naming>>,
    folders: BTreeSet<PathBuf>,
    held: bool,
    plan: Plan,
    /// Writes that are to fail, after a short one.
    fails_next_write: Option<Errno>,
    done: usize,
    dead: bool,
    trace: Vec<(Op, String)>,
    keeps_trace: bool,
    /// It says that it has synced, and has not.
    lies: bool,
}

/// The disk; clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Fallible(Arc<Mutex<Inside>>);

/// Whether an operation is done as a whole.
#[derive(PartialEq, Eq)]
enum Pass {
    Whole,
    Half,
}

impl Fallible {
    pub(crate) fn new(plan: Plan) -> Self {
        Self(Arc::new(Mutex::new(Inside {
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
            pending: Vec::new(),
            folders: BTreeSet::new(),
            held: false,
            plan,
            fails_next_write: None,
            done: 0,
            dead: false,
            trace: Vec::new(),
            keeps_trace: false,
            lies: false,
        })))
    }

    /// From now on it says that it has synced, and has not.
    pub(crate) fn lies(self) -> Self {
        self.inside().lies = true;
        self
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    /// Remembers each operation from now on.
    pub(crate) fn keep_trace(&self) {
        self.inside().keeps_trace = true;
    }

    pub(crate) fn trace(&self) -> Vec<(Op, String)> {
        self.inside().trace.clone()
    }

    /// How many operations there were.
    pub(crate) fn done(&self) -> usize {
        self.inside().done
    }

    pub(crate) fn set_plan(&self, plan: Plan) {
        self.inside().plan = plan;
    }

    /// Whether the process has ended.
    pub(crate) fn is_dead(&self) -> bool {
        self.inside().dead
    }

    /// The same disk, for another try.
    pub(crate) fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.inside().clone())))
    }

    /// The actuator is asked, if the process lives on to do so.
    pub(crate) fn asks(&self) -> bool {
        self.inside().gate(Op::Ask, Path::new("")).is_ok()
    }

    /// After the end of a process: nothing is held any more, and all that it has written is there.
    pub(crate) fn killed(&self) {
        let mut inside = self.inside();
        (inside.dead, inside.held, inside.plan, inside.fails_next_write) =
            (false, false, Plan::Nothing, None);
    }

    /// How many changes of names a power cut may leave or not.
    pub(crate) fn pending(&self) -> usize {
        self.inside().pending.len()
    }

    /// After a power cut: the first changes of names are there, and so much of what was not synced.
    pub(crate) fn powered_off(&self, names: usize, bytes: Bytes) {
        self.killed();
        let mut inside = self.inside();
        let inside = &mut *inside;
        for change in inside.pending.drain(..).take(names) {
            apply(&mut inside.durable, &change);
        }
        inside.names = inside.durable.clone();
        for inode in &mut inside.inodes {
            let safe = inode.durable.len();
            let mut rest = inode.live.split_off(safe.min(inode.live.len()));
            match bytes {
                Bytes::Nothing => rest.clear(),
                Bytes::Half => rest.truncate(rest.len() / 2),
                Bytes::All => {}
                Bytes::Zeros => rest.fill(0),
            }
            inode.durable.append(&mut rest);
            inode.live = inode.durable.clone();
        }
    }

    /// The files with their bytes, as a process reads them and as a power cut leaves them.
    pub(crate) fn image(&self) -> Vec<(PathBuf, Vec<u8>, Vec<u8>, bool)> {
        let inside = self.inside();
        let file = |(path, index): (&PathBuf, &usize)| {
            let inode = &inside.inodes[*index];
            let is_safe = inside.durable.get(path) == Some(index);
            (path.clone(), inode.live.clone(), inode.durable.clone(), is_safe)
        };
        inside.names.iter().map(file).collect()
    }

    /// A file's bytes, without counting as an operation.
    pub(crate) fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        let inside = self.inside();
        inside.names.get(Path::new(path)).map(|index| inside.inodes[*index].live.clone())
    }

    /// Puts a file there, safe.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let mut inside = self.inside();
        inside.inodes.push(Inode { live: bytes.to_vec(), durable: bytes.to_vec() });
        let index = inside.inodes.len() - 1;
        inside.names.insert(path.into(), index);
        inside.durable.insert(path.into(), index);
    }

    fn open(&self, op: Op, path: &Path, empty: bool) -> io::Result<Box<dyn DiskFile>> {
        let mut inside = self.inside();
        inside.gate(op, path)?;
        let index = match inside.names.get(path) {
            Some(index) => *index,
            None => {
                inside.inodes.push(Inode::default());
                let index = inside.inodes.len() - 1;
                inside.rename(vec![(path.to_path_buf(), Some(index))]);
                index
            }
        };
        if empty {
            inside.inodes[index] = Inode::default();
        }
        Ok(Box::new(Handle { disk: self.clone(), index, path: path.to_path_buf() }))
    }
}

fn apply(names: &mut BTreeMap<PathBuf, usize>, change: &[Naming]) {
    for (path, index) in change {
        match index {
            Some(index) => names.insert(path.clone(), *index),
            None => names.remove(path),
        };
    }
}

impl Inside {
    /// Counts an operation; whether it is done, and how.
    fn gate(&mut self, op: Op, path: &Path) -> io::Result<Pass> {
        if self.dead {
            return Err(io::Error::other("the process has ended"));
        }
        let number = self.done;
        self.done += 1;
        if self.keeps_trace {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            self.trace.push((op, name.unwrap_or_default()));
        }
        if op == Op::Write
            && let Some(errno) = self.fails_next_write.take()
        {
            return Err(errno.error());
        }
        match self.plan {
            Plan::Crash(at, moment) if at == number => {
                self.dead = true;
                match moment {
                    Moment::Before => Err(io::Error::other("the process ends here")),
                    Moment::Midway => Ok(Pass::Half),
                    Moment::After => Ok(Pass::Whole),
                }
            }
            // The actuator is no disk.
            Plan::Once(at, errno) if at == number && op != Op::Ask => Err(errno.error()),
            Plan::Lasting(from, errno) if from <= number && op != Op::Ask => Err(errno.error()),
            Plan::Short(at, errno) if at == number && op == Op::Write => {
                self.fails_next_write = Some(errno);
                Ok(Pass::Half)
            }
            _ => Ok(Pass::Whole),
        }
    }

    fn rename(&mut self, change: Vec<Naming>) {
        apply(&mut self.names, &change);
        self.pending.push(change);
    }
}

impl Disk for Fallible {
    fn create_folder(&self, path: &Path, _mode: u32) -> io::Result<()> {
        let mut inside = self.inside();
        inside.gate(Op::CreateFolder, path)?;
        inside.folders.insert(path.to_path_buf());
        Ok(())
    }

    fn hold(&self, path: &Path) -> io::Result<Option<Hold>> {
        let mut inside = self.inside();
        inside.gate(Op::Hold, path)?;
        let free = !std::mem::replace(&mut inside.held, true);
        Ok(free.then(|| Box::new(Held(self.clone())) as Hold))
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let mut inside = self.inside();
        inside.gate(Op::Names, folder)?;
        let here = inside.names.keys().filter(|path| path.parent() == Some(folder));
        Ok(here.filter_map(|path| Some(path.file_name()?.to_owned())).collect())
    }

    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut inside = self.inside();
        inside.gate(Op::Read, path)?;
        let index = *inside.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        let live = &inside.inodes[index].live;
        let count = usize::try_from(bytes_max).map_or(live.len(), |most| most.min(live.len()));
        Ok(live[..count].to_vec())
    }

    fn create(&self, path: &Path, _mode: u32) -> io::Result<Box<dyn DiskFile>> {
        self.open(Op::Create, path, true)
    }

    fn append(&self, path: &Path, _mode: u32) -> io::Result<Box<dyn DiskFile>> {
        self.open(Op::Append, path, false)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inside = self.inside();
        inside.gate(Op::Rename, to)?;
        let index = *inside.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        inside.rename(vec![(to.to_path_buf(), Some(index)), (from.to_path_buf(), None)]);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inside = self.inside();
        inside.gate(Op::Remove, path)?;
        if !inside.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        inside.rename(vec![(path.to_path_buf(), None)]);
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut inside = self.inside();
        inside.gate(Op::SyncFolder, path)?;
        let inside = &mut *inside;
        if inside.lies {
            return Ok(());
        }
        let (here, elsewhere): (Vec<_>, Vec<_>) = inside
            .pending
            .drain(..)
            .partition(|change| change.iter().all(|(name, _)| name.parent() == Some(path)));
        inside.pending = elsewhere;
        for change in here {
            apply(&mut inside.durable, &change);
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Held(Fallible);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.inside().held = false;
    }
}

#[derive(Debug)]
struct Handle {
    disk: Fallible,
    index: usize,
    path: PathBuf,
}

impl DiskFile for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inside = self.disk.inside();
        let pass = inside.gate(Op::Write, &self.path)?;
        let count = if pass == Pass::Half { bytes.len() / 2 } else { bytes.len() };
        inside.inodes[self.index].live.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut inside = self.disk.inside();
        let passed = inside.gate(Op::Sync, &self.path);
        let was_reached = (!inside.dead || passed.is_ok()) && !inside.lies;
        let Inode { live, durable } = &mut inside.inodes[self.index];
        let safe = durable.len();
        if was_reached {
            durable.extend_from_slice(&live[safe..]);
        }
        if passed.is_err() && was_reached {
            // The system drops what it could not write: no later sync makes it safe.
            durable[safe..].fill(0);
        }
        passed.map(|_| ())
    }

    fn last(&mut self) -> io::Result<Option<u8>> {
        let mut inside = self.disk.inside();
        inside.gate(Op::Last, &self.path)?;
        Ok(inside.inodes[self.index].live.last().copied())
    }

    fn is_named(&self, path: &Path) -> bool {
        self.disk.inside().names.get(path) == Some(&self.index)
    }
}
