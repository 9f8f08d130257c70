//! `--events`: records in the order of the world's time, and at the same time in the order of the guests.

use std::io::{self, Write};
use vmpolicy_core::record::View;
use vmpolicy_core::time::Mono;

/// Lines on their way to a file. Those of one instant wait for each other.
pub(super) struct Events<'a> {
    to: &'a mut (dyn Write + Send),
    at: Mono,
    bytes: Vec<u8>,
    /// Of each record of this instant: its guest, and where its line begins and ends.
    lines: Vec<(u32, usize, usize)>,
    failed: Option<io::Error>,
}

impl<'a> Events<'a> {
    pub(super) fn new(to: &'a mut (dyn Write + Send)) -> Self {
        Self { to, at: Mono(0), bytes: Vec::new(), lines: Vec::new(), failed: None }
    }

    /// A record of this guest. Times do not fall.
    pub(super) fn push(&mut self, guest: u32, at: Mono, view: &View<'_>) {
        if at > self.at {
            self.flush();
            self.at = at;
        }
        let begins = self.bytes.len();
        // Memory takes everything, and every key of a record is text.
        let written = serde_json::to_writer(&mut self.bytes, view);
        debug_assert!(written.is_ok(), "{written:?}");
        self.bytes.push(b'\n');
        self.lines.push((guest, begins, self.bytes.len()));
    }

    fn flush(&mut self) {
        // Stable: a guest's own records keep their order.
        self.lines.sort_by_key(|line| line.0);
        for (_, begins, ends) in self.lines.drain(..) {
            if self.failed.is_none() {
                self.failed = self.to.write_all(&self.bytes[begins..ends]).err();
            }
        }
        self.bytes.clear();
    }

    /// Whether all could be written so far.
    pub(super) const fn is_well(&self) -> bool {
        self.failed.is_none()
    }

    /// The last lines, and whether all could be written.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush();
        self.failed.map_or(Ok(()), Err)
    }
}
