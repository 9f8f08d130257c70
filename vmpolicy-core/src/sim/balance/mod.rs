//! The conventional case: the infrastructure decides where guests run, by what it measures from outside.
//!
//! What vmpolicy's guests are compared with: Beloglazov and Buyya, "Optimal online deterministic algorithms and
//! adaptive heuristics for energy and performance efficient dynamic consolidation of virtual machines in Cloud data
//! centers", Concurrency and Computation: Practice and Experience 24(13), 2012. A [`Manager`] is called at each
//! interval with a [`View`] and answers with moves. It knows no policy, no indicator and no engine.
//!
//! ```
//! use vmpolicy_core::sim::balance::{self, Rules};
//! let manager = balance::by_name("thr-mmt", Rules::default()).expect("a known name");
//! assert_eq!(manager.name(), "thr-mmt");
//! ```

mod consolidate;
pub mod detect;
pub mod history;
pub mod place;
pub mod select;
mod view;

#[cfg(test)]
mod tests;

pub use consolidate::{Consolidation, Rules};
pub use detect::Detect;
pub use history::History;
pub use view::{Guests, Hosts, Kind, View};

/// A guest is to move. All three are rows of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The guest.
    pub guest: u32,
    /// The host that it is on.
    pub from: u32,
    /// The host that it is to go to.
    pub to: u32,
}

/// What a manager wants. The caller owns it and hands in the same one each time, so that nothing is allocated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an answer that nobody reads moves nobody"]
pub struct Answer {
    /// The moves, in the order in which they are to begin.
    pub moves: Vec<Move>,
    /// Hosts that nothing is left on once the moves are done: they can be switched off then.
    pub off: Vec<u32>,
}

impl Answer {
    /// Empties it.
    pub fn clear(&mut self) {
        self.moves.clear();
        self.off.clear();
    }
}

/// Decides where guests run, from outside.
pub trait Manager {
    /// What it is called in scenarios and tables, such as `thr-mmt`.
    fn name(&self) -> &str;

    /// What is to be done now. The answer is emptied first. The same calls give the same answers.
    fn balance(&mut self, view: &View<'_>, answer: &mut Answer);
}

/// The manager that leaves every guest where it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Idle;

impl Manager for Idle {
    fn name(&self) -> &str {
        "none"
    }

    fn balance(&mut self, _: &View<'_>, answer: &mut Answer) {
        answer.clear();
    }
}

/// The names that [`by_name`] knows.
pub const NAMES: [&str; 4] = ["none", "thr-mmt", "iqr-mmt", "mad-mmt"];

/// The manager of this name, with the parameters that its authors found best: a threshold of 0.8 (the example that
/// CloudSim ships), IQR 1.5 and MAD 2.5. None where nothing is called so.
#[must_use]
pub fn by_name(name: &str, rules: Rules) -> Option<Box<dyn Manager + Send>> {
    let detect = match name {
        "none" => return Some(Box::new(Idle)),
        "thr-mmt" => Detect::Threshold(0.8),
        "iqr-mmt" => Detect::InterquartileRange(1.5),
        "mad-mmt" => Detect::MedianAbsoluteDeviation(2.5),
        _ => return None,
    };
    Some(Box::new(Consolidation::new(detect, rules)))
}
