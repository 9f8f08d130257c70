use super::*;
use crate::disk::SystemDisk;
use proptest::prelude::*;
use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

const ROOM: Room = Room { bytes_max: 1 << 20, drops: false };

fn open(folder: &TempDir) -> Spool {
    Spool::open(Arc::new(SystemDisk), folder.path(), ROOM).unwrap()
}

fn line(n: u64) -> Vec<u8> {
    format!("{{\"n\":{n}}}\n").into_bytes()
}

/// All that is to be delivered, with its numbers, as it is delivered.
fn deliver(rest: &Rest, bytes_max: usize) -> Vec<(u64, u64)> {
    let mut all = Vec::new();
    while let Some(batch) = rest.next(bytes_max).unwrap() {
        all.extend(read(&batch));
        rest.delivered(&batch).unwrap();
    }
    all
}

/// A batch's numbers, and what was written.
fn read(batch: &Batch) -> Vec<(u64, u64)> {
    let text = std::str::from_utf8(&batch.lines).unwrap();
    let records: Vec<_> = text
        .lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["log"], batch.log.as_str());
            (value["number"].as_u64().unwrap(), value["n"].as_u64().unwrap())
        })
        .collect();
    assert_eq!((records[0].0, records[records.len() - 1].0), (batch.first, batch.last));
    records
}

#[test]
fn records_are_delivered_once_each_and_in_order_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(&folder);
    let log = spool.rest().log().to_owned();
    spool.append(&[line(1), line(2)].concat()).unwrap();
    spool.append(&line(3)).unwrap();
    let batch = spool.rest().next(1).unwrap().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&batch.lines),
        format!("{{\"n\":1,\"log\":\"{log}\",\"number\":1}}\n")
    );
    assert_eq!(deliver(&spool.rest(), 1_000), [(1, 1), (2, 2), (3, 3)]);
    spool.append(&line(4)).unwrap();
    assert!(matches!(Spool::open(Arc::new(SystemDisk), folder.path(), ROOM), Err(SpoolError::Locked(_))));
    drop(spool);
    let mut spool = open(&folder);
    assert_eq!(spool.rest().log(), log);
    assert_eq!(spool.rest().level().waiting(), 1);
    spool.append(&line(5)).unwrap();
    assert_eq!(deliver(&spool.rest(), 1_000), [(4, 4), (5, 5)]);
    drop(spool);
    let mut spool = open(&folder);
    assert!(deliver(&spool.rest(), 1_000).is_empty());
    spool.append(&line(6)).unwrap();
    assert_eq!(deliver(&spool.rest(), 1_000), [(6, 6)]);
}

#[test]
fn a_segment_that_was_cut_off_anywhere_costs_nothing_that_was_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(&folder);
    for n in 1..=3 {
        spool.append(&line(n)).unwrap();
    }
    drop(spool);
    let path = segment::path(folder.path(), 1);
    let whole = std::fs::read(&path).unwrap();
    let mut seen = [false; 4];
    for length in 0..=whole.len() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(segment::path(folder.path(), 1), &whole[..length]).unwrap();
        let kept = segment::records(&whole[..length], 0).count() as u64;
        let mut spool = open(&folder);
        spool.append(&line(9)).unwrap();
        let expected: Vec<_> = (1..=kept).map(|n| (n, n)).chain([(kept + 1, 9)]).collect();
        assert_eq!(deliver(&spool.rest(), 1_000), expected, "{length} bytes");
        seen[usize::try_from(kept).unwrap()] = true;
    }
    assert_eq!(seen, [true; 4]);
}

#[test]
fn a_damaged_record_is_counted_and_those_round_it_are_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(&folder);
    for n in 1..=3 {
        spool.append(&line(n)).unwrap();
    }
    let path = segment::path(folder.path(), 1);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(5).position(|part| part == b"\"n\":2").unwrap();
    bytes[at + 4] = b'7';
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(deliver(&spool.rest(), 1_000), [(1, 1), (3, 3)]);
    assert_eq!(spool.rest().level().lost, 1);
}

#[test]
fn a_cursor_that_is_damaged_costs_doubles_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(&folder);
    spool.append(&line(1)).unwrap();
    deliver(&spool.rest(), 1_000);
    drop(spool);
    let path = folder.path().join("cursor");
    let whole = std::fs::read(&path).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(open(&folder).rest().level().waiting(), 1, "bit {bit}");
    }
    std::fs::write(&path, whole).unwrap();
    assert_eq!(open(&folder).rest().level().waiting(), 0);
}

#[test]
fn a_full_spool_takes_no_more_until_some_is_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room { bytes_max: 4_000, drops: false };
    let mut spool = Spool::open(Arc::new(SystemDisk), folder.path(), room).unwrap();
    let taken = (1..).find(|n| spool.append(&line(*n)).is_err()).unwrap() - 1;
    assert!(taken > 50, "{taken}");
    let level = spool.rest().level();
    assert!(level.waiting() == taken && level.bytes <= 4_000, "{level:?}");
    assert_eq!(spool.append(&line(0)).unwrap_err().kind(), io::ErrorKind::StorageFull);
    let all = deliver(&spool.rest(), 100);
    assert_eq!(all, (1..=taken).map(|n| (n, n)).collect::<Vec<_>>());
    spool.append(&line(7)).unwrap();
    assert_eq!(deliver(&spool.rest(), 100), [(taken + 1, 7)]);
}

#[test]
fn where_the_oldest_may_go_they_are_counted_and_their_numbers_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room { bytes_max: 4_000, drops: true };
    let mut spool = Spool::open(Arc::new(SystemDisk), folder.path(), room).unwrap();
    for n in 1..=500 {
        spool.append(&line(n)).unwrap();
        assert!(spool.rest().level().bytes <= 4_000);
    }
    let lost = spool.rest().level().lost;
    assert!(lost > 300 && lost < 500, "{lost}");
    drop(spool);
    let spool = Spool::open(Arc::new(SystemDisk), folder.path(), room).unwrap();
    assert_eq!(deliver(&spool.rest(), 1_000), (lost + 1..=500).map(|n| (n, n)).collect::<Vec<_>>());
}

/// The system's disk, on which one operation fails: the one that this many others come before.
#[derive(Debug, Default)]
struct Faulty {
    left: Arc<AtomicU64>,
}

impl Faulty {
    fn try_once(left: &AtomicU64) -> io::Result<()> {
        match left.fetch_sub(1, Ordering::Relaxed) {
            1 => Err(io::Error::other("injected")),
            _ => Ok(()),
        }
    }

    fn op(&self) -> io::Result<()> {
        Self::try_once(&self.left)
    }
}

#[derive(Debug)]
struct FaultyFile {
    left: Arc<AtomicU64>,
    file: Box<dyn DiskFile>,
}

impl DiskFile for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = Faulty::try_once(&self.left) {
            // Some of it may be there.
            let _ = self.file.write(&bytes[..bytes.len() / 2]);
            return Err(error);
        }
        self.file.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        Faulty::try_once(&self.left)?;
        self.file.sync()
    }

    fn last(&mut self) -> io::Result<Option<u8>> {
        self.file.last()
    }

    fn is_named(&self, path: &Path) -> bool {
        self.file.is_named(path)
    }

    fn stream(&self) -> Option<BorrowedFd<'_>> {
        self.file.stream()
    }
}

impl Disk for Faulty {
    fn create_folder(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.op()?;
        SystemDisk.create_folder(path, mode)
    }

    fn hold(&self, path: &Path) -> io::Result<Option<Hold>> {
        self.op()?;
        SystemDisk.hold(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        self.op()?;
        SystemDisk.names(folder)
    }

    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        self.op()?;
        SystemDisk.read(path, bytes_max)
    }

    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>> {
        self.op()?;
        let file = SystemDisk.create(path, mode)?;
        Ok(Box::new(FaultyFile { left: Arc::clone(&self.left), file }))
    }

    fn append(&self, path: &Path, mode: u32) -> io::Result<Box<dyn DiskFile>> {
        self.op()?;
        let file = SystemDisk.append(path, mode)?;
        Ok(Box::new(FaultyFile { left: Arc::clone(&self.left), file }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.op()?;
        SystemDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.op()?;
        SystemDisk.remove(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.op()?;
        SystemDisk.sync_folder(path)
    }
}

#[derive(Clone, Debug)]
enum Op {
    /// So many records are taken in.
    Append(u64),
    /// A batch is handed over; whether the collector's word is heard.
    Deliver { heard: bool },
    /// The daemon is killed and starts again.
    Restart,
    /// The operation of the disk after so many more fails.
    Fault(u64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (1_u64..4).prop_map(Op::Append),
        3 => any::<bool>().prop_map(|heard| Op::Deliver { heard }),
        1 => Just(Op::Restart),
        3 => (1_u64..8).prop_map(Op::Fault),
    ];
    prop::collection::vec(op, 1..60)
}

proptest! {
    /// Whatever fails and whenever the daemon is killed: what was taken in is delivered at least once, in order, and a
    /// number stands for one record.
    #[test]
    fn at_least_once_and_in_order(ops in ops()) {
        let folder = tempfile::tempdir().unwrap();
        let disk = Arc::new(Faulty::default());
        let room = Room { bytes_max: 8_000, drops: false };
        let open = || (0..10).find_map(|_| Spool::open(Arc::clone(&disk) as _, folder.path(), room).ok()).unwrap();
        let mut spool = open();
        let (mut taken, mut given, mut n) = (Vec::new(), Vec::new(), 0);
        for op in ops {
            match op {
                Op::Append(count) => {
                    let lines: Vec<u64> = (n + 1..=n + count).collect();
                    let bytes: Vec<u8> = lines.iter().flat_map(|n| line(*n)).collect();
                    n += count;
                    // What is not taken is tried again, as the loop does it.
                    while let Err(error) = spool.append(&bytes) {
                        if error.kind() == io::ErrorKind::StorageFull {
                            while let Some(batch) = spool.rest().next(500).unwrap_or_default() {
                                given.extend(read(&batch));
                                let _ = spool.rest().delivered(&batch);
                            }
                        }
                    }
                    taken.extend(lines);
                }
                Op::Deliver { heard } => {
                    if let Ok(Some(batch)) = spool.rest().next(100) {
                        given.extend(read(&batch));
                        if heard {
                            let _ = spool.rest().delivered(&batch);
                        }
                    }
                }
                Op::Restart => {
                    drop(spool);
                    spool = open();
                }
                Op::Fault(after) => disk.left.store(after, Ordering::Relaxed),
            }
        }
        disk.left.store(0, Ordering::Relaxed);
        given.extend(deliver(&spool.rest(), 300));
        let level = spool.rest().level();
        prop_assert_eq!((level.waiting(), level.lost), (0, 0));
        let mut by_number = std::collections::BTreeMap::new();
        for (number, n) in &given {
            let before = *by_number.entry(*number).or_insert(*n);
            prop_assert_eq!(before, *n, "number {} stands for two records", number);
        }
        let numbers: Vec<u64> = by_number.keys().copied().collect();
        prop_assert_eq!(&numbers, &(1..=numbers.len() as u64).collect::<Vec<_>>(), "no number is missing");
        let mut seen: Vec<u64> = Vec::new();
        for n in by_number.values() {
            if !seen.contains(n) {
                seen.push(*n);
            }
        }
        prop_assert_eq!(seen, taken);
    }
}
