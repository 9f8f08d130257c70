//! The engine's own monotone time, kept across pauses, steps of a clock and reboots.
//!
//! A guest's monotonic clock stands still while the hypervisor pauses it, its wall clock does not, and
//! after a reboot the monotonic clock begins anew. So spans are measured on a time of the engine's own,
//! which only ever advances, and the two clocks are compared at every input.

use crate::time::{Mono, Now, Span, Wall, difference};

/// How far the two clocks may drift apart between two inputs before the samples are void (contract,
/// rule 12).
pub const TOLERANCE: Span = Span::from_secs(2);

/// The clocks as last read, and how the caller's monotonic clock relates to the engine's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Clock {
    last: Option<Now>,
    /// Engine time less the caller's monotonic time.
    offset_ms: i64,
}

/// What comparing the clocks gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The engine's time.
    pub time: Mono,
    /// By how many milliseconds the wall clock went further than the monotonic one, where that is more
    /// than [`TOLERANCE`] either way.
    pub jump_ms: Option<i64>,
}

impl Clock {
    /// Takes the two clocks of an input.
    ///
    /// ```
    /// use vmpolicy_core::leaf::clock::Clock;
    /// use vmpolicy_core::time::{Mono, Now, Wall};
    /// let mut clock = Clock::default();
    /// clock.observe(Now { mono: Mono(5_000), wall: Wall(0) });
    /// let resumed = clock.observe(Now { mono: Mono(6_000), wall: Wall(600_000) });
    /// assert_eq!(resumed.jump_ms, Some(599_000));
    /// ```
    #[inline]
    pub fn observe(&mut self, now: Now) -> Observed {
        let Some(last) = self.last.replace(now) else {
            return Observed { time: self.engine_time(now.mono), jump_ms: None };
        };
        let mono = difference(now.mono.0, last.mono.0);
        let wall = difference(now.wall.0, last.wall.0);
        if mono < 0 {
            // A clock that promised not to step has stepped; our time stands still.
            self.offset_ms = difference(self.offset_ms, mono);
        }
        let apart = difference(wall, mono);
        let jump_ms = (apart.unsigned_abs() > TOLERANCE.millis()).then_some(apart);
        Observed { time: self.engine_time(now.mono), jump_ms }
    }

    /// Takes the two clocks of the first input after the caller was started again, perhaps after a
    /// reboot. What passed is taken as little as either clock allows, so that no guard opens early.
    pub fn resume(&mut self, now: Now) -> Observed {
        let Some(last) = self.last else { return self.observe(now) };
        let mono = difference(now.mono.0, last.mono.0);
        let wall = difference(now.wall.0, last.wall.0);
        let apart = difference(wall, mono);
        let gone = if mono < 0 { wall.max(0) } else { mono.min(wall.max(0)) };
        let jump_ms = (mono < 0 || apart.unsigned_abs() > TOLERANCE.millis()).then_some(apart);
        if jump_ms.is_some() {
            let time = self.engine_time(last.mono).shifted(gone);
            self.offset_ms = difference(time.0, now.mono.0);
        }
        self.last = Some(now);
        Observed { time: self.engine_time(now.mono), jump_ms }
    }

    /// A moment of the caller's monotonic clock in the engine's time.
    #[must_use]
    #[inline]
    pub const fn engine_time(&self, mono: Mono) -> Mono {
        mono.shifted(self.offset_ms)
    }

    /// A moment of the engine's time on the caller's monotonic clock.
    #[must_use]
    #[inline]
    pub const fn callers_time(&self, time: Mono) -> Mono {
        Mono(difference(time.0, self.offset_ms))
    }

    /// The engine's time at which the wall clock will read `edge`, if neither clock steps.
    #[must_use]
    #[inline]
    pub fn when_wall_reads(&self, edge: Wall) -> Mono {
        match self.last {
            Some(last) => self.engine_time(last.mono).shifted(difference(edge.0, last.wall.0)),
            None => Mono(i64::MAX),
        }
    }

    /// The clocks as last read.
    #[must_use]
    pub const fn last(&self) -> Option<Now> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn engine_time_never_goes_back(
            steps in prop::collection::vec((any::<i32>(), any::<i32>(), any::<bool>()), 1..50),
        ) {
            let mut clock = Clock::default();
            let mut now = Now { mono: Mono(0), wall: Wall(0) };
            let mut before = clock.observe(now).time;
            for (mono, wall, restart) in steps {
                now = Now { mono: now.mono.shifted(mono.into()), wall: now.wall.shifted(wall.into()) };
                let seen = if restart { clock.resume(now) } else { clock.observe(now) };
                prop_assert!(seen.time >= before);
                prop_assert_eq!(clock.callers_time(seen.time), now.mono);
                before = seen.time;
            }
        }

        #[test]
        fn a_constant_shift_of_the_wall_clock_changes_nothing(
            steps in prop::collection::vec((0_i64..100_000, -100_000_i64..100_000), 1..50),
            shift in any::<i32>(),
        ) {
            let (mut one, mut other) = (Clock::default(), Clock::default());
            let mut now = Now::default();
            for (mono, wall) in steps {
                now = Now { mono: now.mono.shifted(mono), wall: now.wall.shifted(wall) };
                let shifted = Now { mono: now.mono, wall: now.wall.shifted(shift.into()) };
                prop_assert_eq!(one.observe(now), other.observe(shifted));
            }
        }
    }

    #[test]
    fn a_reboot_keeps_what_the_wall_clock_says_has_passed() {
        let mut clock = Clock::default();
        let before = clock.observe(Now { mono: Mono(1_000_000), wall: Wall(0) }).time;
        let seen = clock.resume(Now { mono: Mono(4_000), wall: Wall(90_000) });
        assert_eq!(seen.time.since(before), Span::from_secs(90));
        assert!(seen.jump_ms.is_some());
    }
}
