//! What a policy would have done on a recording (contract, section 5).
//!
//! The engine is the one that the daemon runs; only the world is recorded. A trace is polled as a daemon
//! polls a service: at its first timestamp, then whenever the engine wants a number. The answer is the newest
//! row, if it is not too old. The other indicators of the policy answer that nothing feeds them. Moves
//! succeed, so long after the asking as [`Options::move_takes`] says.
//!
//! A recording does not react: the load stays what it was, wherever the guest goes. So a backtest shows when a
//! policy would have acted and what it would have cost, not whether a move would have helped.

mod run;
mod summary;
mod tally;
#[cfg(test)]
mod tests;
mod trace;

pub use run::{BacktestError, MOST_POLLS, Options, Run, Sink, default_stale, polls_at_most, run};
pub use summary::{HostSummary, RuleSummary, Summary};
pub use trace::{OutOfOrder, Row, Trace};

/// The Rust of the page about backtests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/backtest.md")]
struct Page;
