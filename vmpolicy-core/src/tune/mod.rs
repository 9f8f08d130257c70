//! The search for better thresholds, tarries, settling times and dwells of a policy, on recordings.
//!
//! A [`Space`] says which values of a policy may vary and which levels each may take. A candidate is one level
//! for each; it is a sound [`Policy`](crate::Policy), because the levels are. An [`Island`] proposes
//! candidates and learns what they came to, a [`Trial`] finds that out by the very
//! [`backtest::run`](crate::backtest::run) that users call, and a [`Front`] keeps those that nothing beats in moves, cost and breach
//! time at once.
//!
//! Nothing here runs in parallel, and nothing needs to: islands know nothing of each other, and a batch of
//! candidates can be tried in any order. So the result is the same for one thread, for sixteen, and for islands
//! on as many machines.
//!
//! ```
//! use std::sync::Arc;
//! use vmpolicy_core::backtest::{Options, Row, Trace};
//! use vmpolicy_core::file::load;
//! use vmpolicy_core::policy::UtcOnly;
//! use vmpolicy_core::time::Wall;
//! use vmpolicy_core::tune::{Front, Island, Plan, Space, Trial, Yardstick};
//! let text = "version: 1\narrays: { oslo: { hosts: [mln1, mln2] } }\n\
//!     indicators: { load: { probe: { load: {} }, every: 60s } }\n\
//!     rules: [{ name: busy, when: load > 50, tarry: 3, do: move }]\n";
//! let loaded = load(text.as_bytes(), &UtcOnly).unwrap();
//! let (file, policy) = (loaded.file, Arc::new(loaded.policy));
//! let rows = (0..2_000).map(|minute| Row { at: Wall::from_secs(60 * minute), value: Ok((minute % 97) as f64) });
//! let load = policy.indicator_named("load").unwrap();
//! let yardstick = Yardstick::present(&policy, load).unwrap();
//! let traces = [Trace::new(rows).unwrap()];
//! let trial = Trial::new(&policy, Options::new(&policy, load), &yardstick, &traces, 0.3).unwrap();
//! let space = Space::derive(&file, &policy, load, &trial.samples());
//! let plan = Plan { seed: 1, candidates: 200, islands: 2 };
//! let mut front = Front::default();
//! for index in 0..plan.islands {
//!     let mut island = Island::new(&space, &plan, index);
//!     while let Some(batch) = island.ask() {
//!         let worths: Vec<_> =
//!             batch.iter().map(|one| Some(trial.tuned_on(&Arc::new(space.policy(&policy, one))).worth())).collect();
//!         island.tell(&worths);
//!     }
//!     front.join(island.finish().front);
//! }
//! assert!(front.members().len() > 1);
//! ```

mod front;
mod level;
mod search;
mod space;
#[cfg(test)]
mod tests;
mod trial;
mod write;
mod yardstick;

pub use front::{Front, Member, Worth};
pub use level::{Level, Range, RangeError};
pub use search::{Found, Island, Plan};
pub use space::{Candidate, Caution, Parameter, Space, SpaceError, cautions, unfed};
pub use trial::{CostIn, Figures, Trial, TrialError};
pub use write::{WriteError, write};
pub use yardstick::{Yardstick, YardstickError};
