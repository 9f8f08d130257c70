//! How long a move takes: memory copied while the guest runs, or a disk copied while it doesn't.
//!
//! [`PreCopy`] is iterative pre-copy (Clark et al. 2005): a round sends the memory, the next one what was dirtied meanwhile,
//! until little is left or it no longer helps; then the guest is stopped for the rest. [`Relocation`] is the move
//! between arrays, which share no storage: shut down, copy the disk, boot.
//!
//! Both are states that go on with the bandwidth of the moment: a world that lets moves share a link calls
//! [`Move::advance`] with the share until the next change, and asks for the [`eta`](Move::eta) to know when to come back.
//! Formulas and sources are in `docs/models.md`.

mod precopy;
mod relocation;

use thiserror::Error;

#[cfg(test)]
mod tests;

pub use self::precopy::{Copying, PreCopy, Stop};
pub use self::relocation::{Relocating, Relocation};
use crate::time::Span;

/// A move that is going on.
///
/// ```
/// use vmpolicy_core::sim::migration::{Move, PreCopy};
/// use vmpolicy_core::time::Span;
///
/// // 512 MB, of which 5 MB a second are dirtied in a working set of 32 MB, over a link of 50 MB/s.
/// let spec = PreCopy { memory_bytes: 512e6, dirty_bytes_per_s: 5e6, working_set_bytes: 32e6, ..PreCopy::default() };
/// let mut going = Move::live(&spec)?;
/// let eta = going.eta(50e6).expect("it ends");
/// assert!(eta > Span::from_millis(10_900) && eta < Span::from_secs(11));
/// going.advance(Span::from_secs(5), 50e6);
/// assert!(going.is_running() && going.eta(25e6) > Some(Span::from_secs(11)));
/// going.advance(Span::from_mins(1), 25e6);
/// assert!(going.ended().is_some_and(|end| end.downtime < Span::from_secs(1)));
/// # Ok::<(), vmpolicy_core::sim::migration::MoveError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Within an array, while the guest runs.
    Live(Copying),
    /// Between arrays.
    Relocation(Relocating),
}

/// What a move came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct End {
    /// From its beginning to its end.
    pub took: Span,
    /// How long of it the guest did not run.
    pub downtime: Span,
    /// What went over the link.
    pub sent_bytes: f64,
    /// How many rounds there were before the guest was stopped; 0 for a relocation.
    pub rounds: u32,
    /// Why the guest was stopped; None for a relocation.
    pub stop: Option<Stop>,
}

/// Why a description makes no move.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MoveError {
    /// A number that is negative, not finite or absurdly large.
    #[error("`{what}` of a move must be a number from 0 to {MOST:e}")]
    NotAnAmount {
        /// Which number.
        what: &'static str,
    },
    /// Pre-copy without a first round.
    #[error("`rounds_most` of a move must be at least 1")]
    NoRound,
}

/// What takes longer than thirty years does not end.
const LONGEST_S: f64 = 1e9;

/// A phase that is so close to its end has ended: a sum of many short steps need not be exact in its last digits.
const CLOSE_S: f64 = 1e-6;

/// In whole milliseconds, such that what is left after them is within [`CLOSE_S`].
fn rounded_up(seconds: f64) -> Span {
    Span::from_millis(((seconds - CLOSE_S).max(0.0) * 1_000.0).ceil() as u64)
}

/// No memory, disk or rate is larger, in bytes or bytes a second.
const MOST: f64 = 1e18;

fn is_amount(what: &'static str, amount: f64) -> Result<(), MoveError> {
    if (0.0..=MOST).contains(&amount) { Ok(()) } else { Err(MoveError::NotAnAmount { what }) }
}

impl Move {
    /// A move within an array, at its beginning.
    ///
    /// # Errors
    /// Where the description is not sound; see [`MoveError`].
    pub fn live(spec: &PreCopy) -> Result<Self, MoveError> {
        spec.check()?;
        Ok(Self::Live(Copying::new(spec)))
    }

    /// A move between arrays, at its beginning.
    ///
    /// # Errors
    /// Where the description is not sound; see [`MoveError`].
    pub fn relocation(spec: &Relocation) -> Result<Self, MoveError> {
        spec.check()?;
        Ok(Self::Relocation(Relocating::new(spec)))
    }

    /// Goes on for `elapsed` with this bandwidth, in bytes a second, or until it is at its end. Gives how much of the time it
    /// took: less than `elapsed` only where it ended.
    pub fn advance(&mut self, elapsed: Span, bandwidth: f64) -> Span {
        let elapsed_s = elapsed.as_secs_f64();
        let left_s = self.go(elapsed_s, bandwidth);
        if self.ended().is_some() { rounded_up(elapsed_s - left_s).min(elapsed) } else { elapsed }
    }

    /// How long it still takes with this bandwidth, in bytes a second, rounded up to a millisecond: after as much it
    /// [has ended](Self::ended). None where it never does: there is something to send and no bandwidth.
    #[must_use]
    pub fn eta(&self, bandwidth: f64) -> Option<Span> {
        let mut rest = self.clone();
        let left_s = rest.go(LONGEST_S, bandwidth);
        rest.ended().map(|_| rounded_up(LONGEST_S - left_s))
    }

    /// How long until something changes that others notice, with this bandwidth: whether it [sends](Self::is_sending), whether the
    /// guest [runs](Self::is_running), or that it has ended. So long a shared link can be left as it is shared. None
    /// where nothing ever does.
    #[must_use]
    pub fn turn(&self, bandwidth: f64) -> Option<Span> {
        let seen = |going: &Self| (going.is_sending(), going.is_running(), going.ended().is_some());
        let (mut rest, mut exact_s) = (self.clone(), 0.0);
        while rest.ended().is_none() && seen(&rest) == seen(self) {
            let phase_s = rest.phase_s(bandwidth);
            if phase_s > LONGEST_S {
                return None;
            }
            exact_s += phase_s;
            rest.go(phase_s, bandwidth);
        }
        self.ended().is_none().then(|| rounded_up(exact_s))
    }

    /// How long the present phase, round or copy, still takes.
    fn phase_s(&self, bandwidth: f64) -> f64 {
        match self {
            Self::Live(copying) => copying.phase_s(bandwidth),
            Self::Relocation(relocating) => relocating.phase_s(bandwidth),
        }
    }

    /// Whether the guest runs now.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        match self {
            Self::Live(copying) => copying.is_running(),
            Self::Relocation(relocating) => relocating.is_running(),
        }
    }

    /// Whether it has something to send now, and so takes its share of the link.
    #[must_use]
    pub const fn is_sending(&self) -> bool {
        match self {
            Self::Live(copying) => copying.is_sending(),
            Self::Relocation(relocating) => relocating.is_sending(),
        }
    }

    /// What has gone over the link so far, in bytes.
    #[must_use]
    pub const fn sent_bytes(&self) -> f64 {
        match self {
            Self::Live(copying) => copying.sent_bytes(),
            Self::Relocation(relocating) => relocating.sent_bytes(),
        }
    }

    /// What it came to, once it has ended.
    #[must_use]
    pub fn ended(&self) -> Option<End> {
        match self {
            Self::Live(copying) => copying.ended(),
            Self::Relocation(relocating) => relocating.ended(),
        }
    }

    /// Goes on for so many seconds, and gives how many are left over at the end.
    fn go(&mut self, seconds: f64, bandwidth: f64) -> f64 {
        let bandwidth = if bandwidth > 0.0 { bandwidth } else { 0.0 };
        match self {
            Self::Live(copying) => copying.go(seconds, bandwidth),
            Self::Relocation(relocating) => relocating.go(seconds, bandwidth),
        }
    }
}
