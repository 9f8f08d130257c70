//! How far a collector has got, on disk. A cursor that is lost or damaged costs doubles, no records.

use crate::disk::{Disk, replace};
use std::io;
use std::path::Path;

const NAME: &str = "cursor";
const HEAD: &str = "vmpolicy-cursor 1";

/// It is a line.
const BYTES_MAX: u64 = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) delivered: u64,
}

impl Cursor {
    fn line(self, log: &str) -> String {
        let text = format!("{HEAD} {log} {}", self.delivered);
        format!("{text} {:08x}\n", crc32fast::hash(text.as_bytes()))
    }

    /// None where there is none for this log.
    pub(super) fn read(disk: &dyn Disk, folder: &Path, log: &str) -> Option<Self> {
        let bytes = disk.read(&folder.join(NAME), BYTES_MAX).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let delivered = text.strip_prefix(HEAD)?.split(' ').nth(2)?.parse().ok()?;
        let cursor = Self { delivered };
        // Written anew and compared: nothing else passes.
        (text == cursor.line(log)).then_some(cursor)
    }

    pub(super) fn write(self, disk: &dyn Disk, folder: &Path, log: &str) -> io::Result<()> {
        replace(disk, &folder.join(NAME), self.line(log).as_bytes(), 0o600)
    }
}
