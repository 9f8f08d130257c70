//! The onlooker's own time: what has passed at most as the two clocks allow it to be said.

use crate::time::{Mono, Now};

/// How far the clocks may drift apart between two inputs (contract, rule 12), in milliseconds.
const APART_MS: i64 = 2_000;

/// A time that only advances, and how to get back to the caller's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Time {
    last: Option<Now>,
    /// The time now.
    pub(super) t: Mono,
    ahead_ms: i64,
}

impl Time {
    /// The next input's clocks; gives by how much the wall clock went further where that is too much.
    pub(super) fn pass(&mut self, now: Now, start: bool) -> Option<i64> {
        let Some(last) = self.last.replace(now) else {
            self.t = now.mono;
            return None;
        };
        let mono = now.mono.0.saturating_sub(last.mono.0);
        let wall = now.wall.0.saturating_sub(last.wall.0);
        let apart = wall.saturating_sub(mono);
        let rebooted = start && mono < 0;
        let jumped = apart.unsigned_abs() > APART_MS.unsigned_abs() || rebooted;
        let passed = match (start && jumped, mono < 0) {
            (true, true) => wall.max(0),
            (true, false) => mono.min(wall.max(0)),
            (false, _) => mono.max(0),
        };
        self.t = self.t.shifted(passed);
        self.ahead_ms = self.t.0.saturating_sub(now.mono.0);
        jumped.then_some(apart)
    }

    /// A moment of the caller's clock in this time.
    pub(super) fn of_caller(&self, mono: Mono) -> Mono {
        mono.shifted(self.ahead_ms)
    }

    /// The clocks as last shown.
    pub(super) fn last(&self) -> Option<Now> {
        self.last
    }
}
