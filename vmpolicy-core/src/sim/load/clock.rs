//! Civil time for somebody who asks for it often: the zone's offset, kept until it changes.

use std::sync::Arc;

use crate::leaf::window::Zone;
use crate::time::Wall;

pub(super) const HOUR_MS: i64 = 3_600_000;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
pub(super) const WEEK_MS: i64 = 7 * DAY_MS;

/// 1970-01-01 was a Thursday: so long before it the week had begun, on Monday.
const THURSDAY_MS: i64 = 3 * DAY_MS;

#[derive(Clone, Debug)]
pub(super) struct Clock {
    zone: Arc<Zone>,
    /// From here until there `offset_ms` holds.
    from_ms: i64,
    until_ms: i64,
    offset_ms: i64,
}

impl Clock {
    pub(super) fn new(zone: &Arc<Zone>) -> Self {
        Self { zone: Arc::clone(zone), from_ms: 0, until_ms: 0, offset_ms: 0 }
    }

    /// Milliseconds of civil time since a Monday at 00:00.
    #[inline]
    pub(super) fn since_a_monday_ms(&mut self, wall: Wall) -> i64 {
        if wall.0 < self.from_ms || wall.0 >= self.until_ms {
            self.look_up(wall);
        }
        wall.0.saturating_add(self.offset_ms + THURSDAY_MS)
    }

    #[cold]
    fn look_up(&mut self, wall: Wall) {
        self.offset_ms = i64::from(self.zone.offset_secs_at(wall)) * 1_000;
        self.from_ms = wall.0;
        self.until_ms = self.zone.next_change_after(wall).map_or(i64::MAX, |change| change.0);
    }
}
