//! A zone as data: a name and the table of its offsets.

use thiserror::Error;

use super::REACH_MS;
use super::civil::{Civil, HOUR_MS, SECOND_MS};
use crate::time::Wall;

/// No offset is larger: zoneinfo files (RFC 9636, section 3.2) stay within -25 h and +26 h.
const OFFSET_MS_MAX: i64 = 26 * HOUR_MS;

/// Twice the reach, so that what goes on at its end is still told apart.
fn clamped(ms: i64) -> i64 {
    ms.clamp(-2 * REACH_MS, 2 * REACH_MS)
}

/// Why a table of offsets is no zone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ZoneError {
    /// An offset of more than 26 hours.
    #[error("the offset of {offset_secs} s is more than 26 hours from UTC")]
    OffsetTooLarge {
        /// The offset in seconds, positive east of Greenwich.
        offset_secs: i32,
    },
    /// A transition that is not later than the one before it.
    #[error("the transition at {at_secs} s is not later than the one before it")]
    NotAscending {
        /// The transition, in seconds since the epoch.
        at_secs: i64,
    },
    /// A transition millions of years away.
    #[error("the transition at {at_secs} s is out of reach")]
    OutOfReach {
        /// The transition, in seconds since the epoch.
        at_secs: i64,
    },
}

/// The instants at which the clock of a zone shows one civil time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readings {
    /// Never: the clock skipped it. `next` is the first instant after the gap.
    Never {
        /// The first instant after the gap.
        next: Wall,
    },
    /// Once, as nearly always.
    Once(Wall),
    /// Twice, because the clock was put back: the first and the last time.
    Twice(Wall, Wall),
}

/// A named zone: its offset from UTC at every instant.
///
/// The table is made outside, from a zone database; this type only looks things up in it. Before the first transition
/// the first offset holds, after the last one the last does, so let the table reach as far as it will be used.
///
/// ```
/// use vmpolicy_core::leaf::window::{Civil, Readings, Zone};
/// use vmpolicy_core::time::Wall;
///
/// // Oslo, 2026: summer time from 29 March to 25 October, 01:00 UTC.
/// let oslo = Zone::new("Europe/Oslo", 3_600, vec![(1_774_746_000, 7_200), (1_792_890_000, 3_600)])?;
/// assert_eq!(oslo.offset_secs_at(Wall::from_secs(1_774_745_999)), 3_600);
/// assert_eq!(oslo.offset_secs_at(Wall::from_secs(1_774_746_000)), 7_200);
///
/// let skipped = Civil::new(2026, 3, 29, 2, 30, 0).expect("a date that exists");
/// assert_eq!(oslo.readings(skipped), Readings::Never { next: Wall::from_secs(1_774_746_000) });
/// let twice = Civil::new(2026, 10, 25, 2, 30, 0).expect("a date that exists");
/// assert_eq!(
///     oslo.readings(twice),
///     Readings::Twice(Wall::from_secs(1_792_888_200), Wall::from_secs(1_792_891_800)),
/// );
/// # Ok::<(), vmpolicy_core::leaf::window::ZoneError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "RawZone"))]
pub struct Zone {
    name: String,
    first_offset_secs: i32,
    /// From this second of UTC on, this offset; strictly ascending.
    transitions: Vec<(i64, i32)>,
}

impl Zone {
    /// A zone of this name: its first offset, and from each listed second of UTC on another one.
    /// Offsets are seconds to add to UTC.
    ///
    /// ```
    /// use vmpolicy_core::leaf::window::{Zone, ZoneError};
    /// assert!(Zone::new("Asia/Kathmandu", 20_700, Vec::new()).is_ok());
    /// assert_eq!(
    ///     Zone::new("nowhere", 0, vec![(10, 3_600), (10, 0)]),
    ///     Err(ZoneError::NotAscending { at_secs: 10 }),
    /// );
    /// ```
    ///
    /// # Errors
    /// Where the transitions don't ascend strictly or lie out of reach, or an offset exceeds 26 hours.
    pub fn new(
        name: impl Into<String>,
        first_offset_secs: i32,
        transitions: Vec<(i64, i32)>,
    ) -> Result<Self, ZoneError> {
        for offset_secs in core::iter::once(first_offset_secs).chain(transitions.iter().map(|&(_, o)| o)) {
            if i64::from(offset_secs).abs() * SECOND_MS > OFFSET_MS_MAX {
                return Err(ZoneError::OffsetTooLarge { offset_secs });
            }
        }
        let mut before = None;
        for &(at_secs, _) in &transitions {
            if before.is_some_and(|before| before >= at_secs) {
                return Err(ZoneError::NotAscending { at_secs });
            }
            if !(-REACH_MS / SECOND_MS..=REACH_MS / SECOND_MS).contains(&at_secs) {
                return Err(ZoneError::OutOfReach { at_secs });
            }
            before = Some(at_secs);
        }
        Ok(Self { name: name.into(), first_offset_secs, transitions })
    }

    /// Coordinated universal time, by the name `UTC`.
    ///
    /// ```
    /// use vmpolicy_core::{leaf::window::Zone, time::Wall};
    /// assert_eq!(Zone::utc().offset_secs_at(Wall(0)), 0);
    /// ```
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), first_offset_secs: 0, transitions: Vec::new() }
    }

    /// The name that it was given, such as `Europe/Oslo`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What to add to UTC at this instant, in seconds.
    #[must_use]
    pub fn offset_secs_at(&self, wall: Wall) -> i32 {
        self.offset_secs(self.segment_at(wall.0))
    }

    /// The first instant after `wall` at which the table says something new; none after its last row.
    /// Until then [`offset_secs_at`](Self::offset_secs_at) stays the same, so the caller may keep it.
    ///
    /// ```
    /// use vmpolicy_core::{leaf::window::Zone, time::Wall};
    /// let zone = Zone::new("summer", 0, vec![(360_000, 3_600)])?;
    /// assert_eq!(zone.next_change_after(Wall(0)), Some(Wall::from_secs(360_000)));
    /// assert_eq!(zone.next_change_after(Wall::from_secs(360_000)), None);
    /// # Ok::<(), vmpolicy_core::leaf::window::ZoneError>(())
    /// ```
    #[must_use]
    pub fn next_change_after(&self, wall: Wall) -> Option<Wall> {
        self.end_ms(self.segment_at(wall.0)).map(Wall)
    }

    /// What the clock shows at this instant.
    ///
    /// ```
    /// use vmpolicy_core::{leaf::window::Zone, time::Wall};
    /// let kathmandu = Zone::new("Asia/Kathmandu", 20_700, Vec::new())?;
    /// assert_eq!(kathmandu.civil_at(Wall(0)).to_string(), "1970-01-01T05:45:00");
    /// # Ok::<(), vmpolicy_core::leaf::window::ZoneError>(())
    /// ```
    #[must_use]
    pub fn civil_at(&self, wall: Wall) -> Civil {
        Civil(wall.0.saturating_add(self.offset_ms(self.segment_at(wall.0))))
    }

    /// The instants at which the clock shows this.
    #[must_use]
    pub fn readings(&self, civil: Civil) -> Readings {
        let (first, last) = (self.first_instant(civil), self.last_instant(civil));
        if self.civil_at(first) != civil {
            Readings::Never { next: first }
        } else if first == last {
            Readings::Once(first)
        } else {
            Readings::Twice(first, last)
        }
    }

    /// The first instant at which the clock shows `civil` or has just skipped it.
    pub(super) fn first_instant(&self, civil: Civil) -> Wall {
        let civil_ms = clamped(civil.0);
        // What ends 26 hours before `civil` in UTC never showed it.
        let mut segment = self.segment_at(civil_ms - OFFSET_MS_MAX);
        while let Some(end_ms) = self.end_ms(segment)
            && end_ms + self.offset_ms(segment) <= civil_ms
        {
            segment += 1;
        }
        let at_ms = civil_ms - self.offset_ms(segment);
        Wall(self.start_ms(segment).map_or(at_ms, |start_ms| at_ms.max(start_ms)))
    }

    /// The last instant at which the clock shows `civil`; where it skips it, the first one after the gap.
    pub(super) fn last_instant(&self, civil: Civil) -> Wall {
        let civil_ms = clamped(civil.0);
        let mut segment = self.segment_at(civil_ms + OFFSET_MS_MAX);
        while let Some(start_ms) = self.start_ms(segment)
            && start_ms + self.offset_ms(segment) > civil_ms
        {
            segment -= 1;
        }
        let at_ms = civil_ms - self.offset_ms(segment);
        Wall(self.end_ms(segment).map_or(at_ms, |end_ms| at_ms.min(end_ms)))
    }

    /// The civil time that is over for good: the latest one whose [last instant](Self::last_instant)
    /// is not after `wall`. It is earlier than the clock's reading only where the clock is about to be put back.
    pub(super) fn over_at(&self, wall: Wall) -> Civil {
        let wall_ms = clamped(wall.0);
        let here = self.segment_at(wall_ms);
        let mut over_ms = wall_ms + self.offset_ms(here);
        for segment in here + 1..=self.transitions.len() {
            match self.start_ms(segment) {
                // A change puts the clock back by no more than the whole span of offsets.
                Some(start_ms) if start_ms <= wall_ms + 2 * OFFSET_MS_MAX => {
                    over_ms = over_ms.min(start_ms + self.offset_ms(segment) - 1);
                }
                _ => break,
            }
        }
        Civil(over_ms)
    }

    /// Segment 0 lies before the first transition, segment `n` begins with the `n`-th one.
    fn segment_at(&self, wall_ms: i64) -> usize {
        self.transitions.partition_point(|&(at_secs, _)| at_secs * SECOND_MS <= wall_ms)
    }

    fn start_ms(&self, segment: usize) -> Option<i64> {
        self.end_ms(segment.checked_sub(1)?)
    }

    fn end_ms(&self, segment: usize) -> Option<i64> {
        self.transitions.get(segment).map(|&(at_secs, _)| at_secs * SECOND_MS)
    }

    fn offset_ms(&self, segment: usize) -> i64 {
        i64::from(self.offset_secs(segment)) * SECOND_MS
    }

    fn offset_secs(&self, segment: usize) -> i32 {
        match segment.checked_sub(1) {
            None => self.first_offset_secs,
            Some(transition) => self.transitions[transition].1,
        }
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
#[serde(rename = "Zone")]
struct RawZone {
    name: String,
    first_offset_secs: i32,
    transitions: Vec<(i64, i32)>,
}

#[cfg(feature = "serde")]
impl TryFrom<RawZone> for Zone {
    type Error = ZoneError;

    fn try_from(raw: RawZone) -> Result<Self, ZoneError> {
        Self::new(raw.name, raw.first_offset_secs, raw.transitions)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One hour forward at 100 h, one hour back at 200 h.
    fn summer() -> Zone {
        Zone::new("summer", 0, vec![(360_000, 3_600), (720_000, 0)]).expect("a sound table")
    }

    const HOUR: i64 = HOUR_MS;

    #[test]
    fn the_edges_of_gap_and_fold() {
        let zone = summer();
        let at = |hours: i64| Wall(hours * HOUR);
        let readings = |hours: i64| zone.readings(Civil(hours * HOUR));
        assert_eq!(readings(99), Readings::Once(at(99)));
        assert_eq!(readings(100), Readings::Never { next: at(100) });
        assert_eq!(readings(101), Readings::Once(at(100)));
        assert_eq!(readings(199), Readings::Once(at(198)));
        assert_eq!(readings(200), Readings::Twice(at(199), at(200)));
        assert_eq!(readings(201), Readings::Once(at(201)));
        assert_eq!(zone.readings(Civil(200 * HOUR - 1)), Readings::Once(Wall(199 * HOUR - 1)));
        assert_eq!(
            zone.readings(Civil(201 * HOUR - 1)),
            Readings::Twice(Wall(200 * HOUR - 1), Wall(201 * HOUR - 1))
        );
    }

    #[test]
    fn unsound_tables_are_refused() {
        let zone = |first, transitions| Zone::new("x", first, transitions);
        assert_eq!(zone(93_601, vec![]), Err(ZoneError::OffsetTooLarge { offset_secs: 93_601 }));
        assert_eq!(zone(0, vec![(0, i32::MIN)]), Err(ZoneError::OffsetTooLarge { offset_secs: i32::MIN }));
        assert_eq!(zone(0, vec![(5, 0), (4, 0)]), Err(ZoneError::NotAscending { at_secs: 4 }));
        assert_eq!(zone(0, vec![(i64::MAX, 0)]), Err(ZoneError::OutOfReach { at_secs: i64::MAX }));
        assert_eq!(zone(0, vec![(i64::MIN, 0)]), Err(ZoneError::OutOfReach { at_secs: i64::MIN }));
    }

    proptest! {
        /// The definitions, stated by trying every second, against tables wilder than any real one.
        #[test]
        fn first_last_and_over_are_as_defined(
            first in -20..20i32,
            changes in prop::collection::vec((1..15i64, -20..20i32), 0..6),
            probe in -50..120i64,
        ) {
            let mut at = 0;
            let transitions = changes.into_iter().map(|(after, offset)| { at += after; (at, offset) }).collect();
            let zone = Zone::new("wild", first, transitions).expect("ascending");
            let reading = |wall: i64| zone.civil_at(Wall(wall)).0;
            let all_ms = -200_000..300_000i64;
            let civil = Civil(probe * SECOND_MS);
            let earliest = all_ms.clone().step_by(1_000).find(|&u| reading(u) >= civil.0);
            prop_assert_eq!(Some(zone.first_instant(civil).0), earliest);
            // At the last instant the clock shows `civil` or has just skipped it; after it, no more.
            let last = zone.last_instant(civil).0;
            prop_assert!(reading(last) == civil.0 || (reading(last - 1) < civil.0 && civil.0 < reading(last)));
            prop_assert!((last + 1..300_000).step_by(100).all(|u| reading(u) > civil.0));
            prop_assert!(zone.first_instant(civil) <= zone.last_instant(civil));
            // `over_at` is the inverse of `last_instant`.
            let wall = Wall(probe * SECOND_MS);
            let over = zone.over_at(wall);
            prop_assert!(zone.last_instant(over) <= wall);
            prop_assert!(zone.last_instant(Civil(over.0 + 1)) > wall);
        }

        #[test]
        fn nothing_panics_at_any_time(ms in any::<i64>()) {
            for zone in [summer(), Zone::utc()] {
                for ms in [ms, i64::MIN, i64::MAX] {
                    let _ = (zone.civil_at(Wall(ms)), zone.readings(Civil(ms)), zone.over_at(Wall(ms)));
                }
            }
        }
    }
}
