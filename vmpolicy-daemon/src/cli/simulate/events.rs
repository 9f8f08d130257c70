//! `--events`: records in the order of the world's time, and at the same time in the order of the guests.

use std::io::{self, Write};
use vmpolicy_core::record::View;
use vmpolicy_core::time::Mono;

/// The records of a part of the world, as lines, until those of the other parts are there too.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    lines: Vec<Line>,
}

/// Where a record is.
#[derive(Clone, Copy, Debug)]
struct Line {
    at: Mono,
    /// The scenario's number of its guest.
    guest: u32,
    begins: usize,
    ends: usize,
}

impl Lines {
    /// A record of this guest. Times do not fall.
    pub(super) fn push(&mut self, guest: u32, at: Mono, view: &View<'_>) {
        let begins = self.bytes.len();
        // Memory takes everything, and every key of a record is text.
        let written = serde_json::to_writer(&mut self.bytes, view);
        debug_assert!(written.is_ok(), "{written:?}");
        self.bytes.push(b'\n');
        self.lines.push(Line { at, guest, begins, ends: self.bytes.len() });
    }
}

/// Lines on their way to a file.
pub(super) struct Events<'a> {
    to: &'a mut (dyn Write + Send),
    failed: Option<io::Error>,
}

impl<'a> Events<'a> {
    pub(super) fn new(to: &'a mut (dyn Write + Send)) -> Self {
        Self { to, failed: None }
    }

    /// Writes what the parts, each with guests of its own, have recorded in the same stretch of time, and empties them.
    pub(super) fn merge(&mut self, parts: &mut [&mut Lines]) {
        let of = |(part, lines): (usize, &&mut Lines)| {
            lines.lines.iter().map(move |line| (part, *line)).collect::<Vec<_>>()
        };
        let mut all: Vec<(usize, Line)> = parts.iter().enumerate().flat_map(of).collect();
        // Stable: a guest's own records keep their order.
        all.sort_by_key(|(_, line)| (line.at, line.guest));
        for (part, line) in all {
            if self.failed.is_none() {
                self.failed = self.to.write_all(&parts[part].bytes[line.begins..line.ends]).err();
            }
        }
        for part in parts {
            part.bytes.clear();
            part.lines.clear();
        }
    }

    /// Whether all could be written so far.
    pub(super) const fn is_well(&self) -> bool {
        self.failed.is_none()
    }

    /// Whether all could be written.
    pub(super) fn finish(self) -> io::Result<()> {
        self.failed.map_or(Ok(()), Err)
    }
}
