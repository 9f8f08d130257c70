//! A spool: what a collector is still to be given, on disk, in order.
//!
//! Whoever writes ([`Spool`]) returns when the records are on disk; whoever delivers ([`Rest`]) reads them from there, and
//! says how far the collector has them. So they are delivered at least once, in order, whatever ends the daemon. Each has
//! a number, by which a collector knows one that comes twice, and sees where one is missing.

mod cursor;
mod segment;
#[cfg(test)]
mod tests;

use crate::disk::{Disk, DiskFile, Hold, write_all};
use cursor::Cursor;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many segments a full spool has, about: with one of them goes what has been delivered, or what has to go.
const SEGMENTS: u64 = 16;

/// A segment is begun anew at this size at the latest: it is read as a whole.
const SEGMENT_BYTES_MAX: u64 = 1024 * 1024;

/// A segment with a record of any size is no longer than this.
const READ_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How much there may be in a spool, and what happens where that is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// How many bytes at most.
    pub bytes_max: u64,
    /// Whether the oldest records go then. Otherwise none is taken in.
    pub drops: bool,
}

/// Why a spool can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process has it.
    #[error("another vmpolicyd uses {}", .0.display())]
    Locked(PathBuf),
    /// It can't be made or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The end of a spool that records are put in at.
#[derive(Debug)]
pub struct Spool {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    room: Room,
    /// What is written to, where there is something; another one is begun after each fault and at each start.
    file: Option<Box<dyn DiskFile>>,
    rest: Rest,
    _hold: Hold,
}

/// What is still to be delivered: the other end, and how things stand.
#[derive(Clone, Debug)]
pub struct Rest(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    log: String,
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    /// By their first numbers, which rise.
    segments: VecDeque<Segment>,
    /// The number of the next record.
    next: u64,
    /// The collector has all up to this number.
    delivered: u64,
    lost: u64,
    closed: bool,
    /// Somebody waits for the collector: no pause is too short.
    hurried: bool,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    first: u64,
    bytes: u64,
}

/// Some records that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The id of the log that they are of.
    pub log: String,
    /// The number of the first.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
    /// A JSON object for each, in a line, with `log` and `number` at its end.
    pub lines: Vec<u8>,
    /// How many records up to the last are damaged, and not in it.
    pub damaged: u64,
}

/// How a spool stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The number of the last record that was delivered; 0 before the first.
    pub delivered: u64,
    /// The number of the last record that was taken in; 0 before the first.
    pub taken: u64,
    /// How many bytes it takes up on disk.
    pub bytes: u64,
    /// How many records had to go, or were damaged, since the daemon has started.
    pub lost: u64,
}

impl Level {
    /// How many records wait.
    #[must_use]
    pub const fn waiting(&self) -> u64 {
        self.taken.saturating_sub(self.delivered)
    }
}

impl Spool {
    /// Takes a folder, and makes it where it is not there. What is in it is still to be delivered.
    ///
    /// # Errors
    ///
    /// Where another process has it, or it can't be made or read.
    pub fn open(disk: Arc<dyn Disk>, folder: &Path, room: Room) -> Result<Self, SpoolError> {
        let at = |path: &Path| {
            let path = path.to_path_buf();
            move |source| SpoolError::Io { path, source }
        };
        disk.create_folder(folder, 0o750).map_err(at(folder))?;
        let lock = folder.join("lock");
        let hold =
            disk.hold(&lock).map_err(at(&lock))?.ok_or_else(|| SpoolError::Locked(folder.to_path_buf()))?;
        let names = disk.names(folder).map_err(at(folder))?;
        let mut firsts: Vec<u64> =
            names.iter().filter_map(|name| segment::first_of(name.to_str()?)).collect();
        firsts.sort_unstable();
        let (mut segments, mut log, mut next) = (VecDeque::new(), None, 1);
        for first in firsts {
            let path = segment::path(folder, first);
            let bytes = disk.read(&path, READ_BYTES_MAX).map_err(at(&path))?;
            log = segment::log_of(&bytes).or(log);
            let last = segment::records(&bytes, first).last().map_or(first, |(number, _)| number + 1);
            next = last.max(first);
            segments.push_back(Segment { first, bytes: bytes.len() as u64 });
        }
        let log = log.map_or_else(unique, Ok).map_err(at(folder))?;
        let cursor = Cursor::read(&*disk, folder, &log);
        let delivered = cursor.map_or(0, |cursor| cursor.delivered);
        let oldest = segments.front().map_or(next, |segment: &Segment| segment.first);
        let inner = Inner {
            segments,
            // No number is given twice, whatever has become of the segments.
            next: next.max(delivered + 1),
            delivered: delivered.max(oldest.saturating_sub(1)),
            lost: 0,
            closed: false,
            hurried: false,
        };
        let shared = Shared {
            disk: Arc::clone(&disk),
            folder: folder.to_path_buf(),
            log,
            inner: Mutex::new(inner),
            changed: Condvar::new(),
        };
        let rest = Rest(Arc::new(shared));
        Ok(Self { disk, folder: folder.to_path_buf(), room, file: None, rest, _hold: hold })
    }

    /// The other end.
    #[must_use]
    pub fn rest(&self) -> Rest {
        self.rest.clone()
    }

    /// There is more or less room from now on.
    pub const fn set_room(&mut self, room: Room) {
        self.room = room;
    }

    /// Takes whole lines in: all of them, and when this returns they are on disk; or none.
    ///
    /// # Errors
    ///
    /// Where they can't be written, or there is no room.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let records = || lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let (mut number, mut bytes) = (self.rest.lock().next, Vec::with_capacity(lines.len() + 64));
        for record in records() {
            segment::add(number, record, &mut bytes);
            number += 1;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        // A segment may have to be begun.
        let head = segment::head(&self.rest.0.log);
        self.make_room((bytes.len() + head.len()) as u64)?;
        if let Err(error) = self.write(&bytes) {
            // What has come of it is not known. The next records stand in another segment, whose name says that
            // these were never taken in.
            self.file = None;
            return Err(error);
        }
        let mut inner = self.rest.lock();
        inner.next = number;
        if let Some(segment) = inner.segments.back_mut() {
            segment.bytes += bytes.len() as u64;
        }
        drop(inner);
        self.rest.0.changed.notify_all();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let size_max = (self.room.bytes_max / SEGMENTS).min(SEGMENT_BYTES_MAX);
        if self.rest.lock().segments.back().is_none_or(|segment| segment.bytes >= size_max) {
            self.file = None;
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let first = self.rest.lock().next;
                let path = segment::path(&self.folder, first);
                // One of that name holds no record that was taken in, or it would end later.
                let mut file = self.disk.create(&path, 0o600)?;
                let head = segment::head(&self.rest.0.log);
                {
                    let mut inner = self.rest.lock();
                    if inner.segments.back().is_some_and(|last| last.first == first) {
                        inner.segments.pop_back();
                    }
                    inner.segments.push_back(Segment { first, bytes: head.len() as u64 });
                }
                write_all(&mut *file, head.as_bytes())?;
                file.sync()?;
                self.disk.sync_folder(&self.folder)?;
                none.insert(file)
            }
        };
        write_all(&mut **file, bytes)?;
        file.sync()
    }

    /// Makes room for so many bytes more.
    fn make_room(&self, bytes: u64) -> io::Result<()> {
        let mut inner = self.rest.lock();
        let fits = |inner: &Inner| inner.bytes() + bytes <= self.room.bytes_max;
        if fits(&inner) {
            return Ok(());
        }
        self.rest.sweep(&mut inner);
        let before = inner.lost;
        while self.room.drops && !fits(&inner) && inner.segments.len() > 1 {
            let end = inner.segments[1].first;
            let gone = end.saturating_sub(inner.delivered + 1);
            (inner.delivered, inner.lost) = (inner.delivered + gone, inner.lost + gone);
            self.rest.sweep(&mut inner);
        }
        if inner.lost > before {
            let gone = inner.lost - before;
            tracing::error!(
                "{}: full; {gone} records that were not delivered are gone",
                self.folder.display()
            );
        }
        if fits(&inner) || self.room.drops && inner.segments.len() <= 1 {
            return Ok(());
        }
        let words = format!(
            "{} holds {} bytes for a collector that does not take them, and there is no room for more (`keep`)",
            self.folder.display(),
            inner.bytes()
        );
        Err(io::Error::new(io::ErrorKind::StorageFull, words))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.rest.close();
    }
}

impl Inner {
    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }
}

impl Rest {
    /// Nothing in it panics half way.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it stands.
    #[must_use]
    pub fn level(&self) -> Level {
        let inner = self.lock();
        Level { delivered: inner.delivered, taken: inner.next - 1, bytes: inner.bytes(), lost: inner.lost }
    }

    /// Whether nothing more will come: the daemon ends, or the collector is not wanted any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Nothing more will come; what waits stays on disk.
    pub fn close(&self) {
        self.lock().closed = true;
        self.0.changed.notify_all();
    }

    /// Ends the pause that is under way.
    pub fn wake(&self) {
        self.lock().hurried = true;
        self.0.changed.notify_all();
    }

    /// The log's id, which no other has.
    #[must_use]
    pub fn log(&self) -> &str {
        &self.0.log
    }

    /// Waits for records that are to be delivered, for so long at most; whether there are some.
    #[must_use]
    pub fn wait(&self, at_most: Duration) -> bool {
        let inner = self.lock();
        let idle = |inner: &mut Inner| !inner.closed && inner.delivered + 1 >= inner.next;
        let waited = self.0.changed.wait_timeout_while(inner, at_most, idle);
        let (inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        inner.delivered + 1 < inner.next
    }

    /// Sleeps, but no longer than until it is closed or woken.
    pub fn pause(&self, at_most: Duration) {
        let mut inner = self.lock();
        inner.hurried = false;
        let idle = |inner: &mut Inner| !inner.closed && !inner.hurried;
        drop(self.0.changed.wait_timeout_while(inner, at_most, idle));
    }

    /// Waits until the collector has everything that has been taken in until now; whether it has.
    #[must_use]
    pub fn drained(&self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let mut inner = self.lock();
        let all = inner.next - 1;
        while inner.delivered < all {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || inner.closed {
                return false;
            }
            (inner, _) = self.0.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    /// The records that come next, of at most so many bytes, or one; none where all is delivered.
    ///
    /// # Errors
    ///
    /// Where they can't be read.
    pub fn next(&self, bytes_max: usize) -> io::Result<Option<Batch>> {
        loop {
            let (from, segment, end) = {
                let inner = self.lock();
                let from = inner.delivered + 1;
                if from >= inner.next {
                    return Ok(None);
                }
                let after = inner.segments.iter().position(|segment| segment.first > from);
                let at = after.unwrap_or(inner.segments.len()).saturating_sub(1);
                let Some(segment) = inner.segments.get(at) else { return Ok(None) };
                let end = inner.segments.get(at + 1).map_or(inner.next, |next| next.first);
                (from, segment.first, end)
            };
            let bytes = self.0.disk.read(&segment::path(&self.0.folder, segment), READ_BYTES_MAX)?;
            let mut batch =
                Batch { log: self.0.log.clone(), first: 0, last: 0, lines: Vec::new(), damaged: 0 };
            let mut count = 0;
            for (number, record) in segment::records(&bytes, from).take_while(|(number, _)| *number < end) {
                if batch.first == 0 {
                    batch.first = number;
                } else if batch.lines.len() + record.len() > bytes_max {
                    break;
                }
                batch.add(number, record);
                count += 1;
            }
            if batch.first != 0 {
                batch.damaged = batch.last + 1 - from - count;
                return Ok(Some(batch));
            }
            // Nothing sound is left in it.
            tracing::error!("{}: {} records are damaged", self.0.folder.display(), end - from);
            let mut inner = self.lock();
            inner.lost += end - from;
            inner.delivered = inner.delivered.max(end - 1);
        }
    }

    /// The collector has these, and all before them.
    ///
    /// # Errors
    ///
    /// Where that can't be written down: it will be delivered again after a restart.
    pub fn delivered(&self, batch: &Batch) -> io::Result<()> {
        let mut inner = self.lock();
        if inner.delivered < batch.last {
            inner.delivered = batch.last;
            inner.lost += batch.damaged;
        }
        self.sweep(&mut inner);
        let (delivered, closed) = (inner.delivered, inner.closed);
        drop(inner);
        self.0.changed.notify_all();
        // After the end it may be another's.
        if closed { Ok(()) } else { Cursor { delivered }.write(&*self.0.disk, &self.0.folder, &self.0.log) }
    }

    /// Removes the segments that were delivered. The last one stays: it knows the next number.
    fn sweep(&self, inner: &mut Inner) {
        while let (Some(oldest), Some(next)) = (inner.segments.front(), inner.segments.get(1)) {
            if next.first > inner.delivered + 1 {
                break;
            }
            let path = segment::path(&self.0.folder, oldest.first);
            match self.0.disk.remove(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!("{} can't be removed: {error}", path.display());
                    break;
                }
                _ => drop(inner.segments.pop_front()),
            }
        }
    }
}

impl Batch {
    /// A record is an object; its number stands at its end.
    fn add(&mut self, number: u64, record: &[u8]) {
        let body = record.strip_suffix(b"}").unwrap_or(record);
        self.lines.extend_from_slice(body);
        let comma = if body == b"{" { "" } else { "," };
        self.lines
            .extend_from_slice(format!("{comma}\"log\":\"{}\",\"number\":{number}}}\n", self.log).as_bytes());
        self.last = number;
    }
}

/// An id that no other log has.
pub(crate) fn unique() -> io::Result<String> {
    let mut bytes = [0; 8];
    let mut urandom = std::fs::File::open("/dev/urandom")?;
    io::Read::read_exact(&mut urandom, &mut bytes)?;
    Ok(format!("{:016x}", u64::from_le_bytes(bytes)))
}
