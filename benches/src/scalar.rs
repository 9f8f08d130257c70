//! The decision of `base_aware` as a loop by hand has it: thresholds and counters in locals, and nothing of what
//! makes it safe to leave alone (no clocks, no missing readings, no requests under way, no reasons).

use crate::policies::{HIGH, LOW, TARRY_HIGH, TARRY_LOW};

/// The two counters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scalar {
    high: u32,
    low: u32,
}

/// What the loop by hand decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Stay,
    /// To the next host.
    Move,
    /// To the base.
    MoveToBase,
}

impl Scalar {
    /// Counts a sample and decides.
    #[inline]
    pub fn decide(&mut self, value: f64) -> Decision {
        self.high = if value > HIGH { self.high + 1 } else { 0 };
        self.low = if value < LOW { self.low + 1 } else { 0 };
        if self.high >= TARRY_HIGH {
            *self = Self::default();
            Decision::Move
        } else if self.low >= TARRY_LOW {
            *self = Self::default();
            Decision::MoveToBase
        } else {
            Decision::Stay
        }
    }
}
