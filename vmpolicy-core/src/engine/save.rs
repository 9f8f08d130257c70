//! A state that outlives its process.

use super::Engine;
use super::plan::Plan;
use super::state::State;
use crate::output::Output;
use crate::policy::Policy;
use std::sync::Arc;

/// The version of [`Saved`]; one that is not ours is not read.
const VERSION: u32 = 1;

/// A saved engine: the policy that it ran under, and its state. What is in it is the engine's own affair;
/// with feature `serde` it can be written and read in any format that keeps floating-point numbers exact.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Saved {
    version: u32,
    policy: Arc<Policy>,
    state: State,
}

/// Why a saved state cannot be used. The guest's location and whether a request is open are not known then:
/// ask for nothing until they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Another version has written it.
    #[error("the saved state is of version {found}; this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It contradicts itself.
    #[error("the saved state contradicts the policy that was saved with it")]
    Inconsistent,
}

impl Engine {
    /// All that has to outlive the process.
    #[must_use]
    pub fn save(&self) -> Saved {
        Saved { version: VERSION, policy: Arc::clone(&self.policy), state: self.state.clone() }
    }

    /// Goes on where a saved engine stopped. Under the same policy nothing changes; under another one, the state
    /// is carried over as with a reload (so it may have to wait for the end of an open request). The next input should be a [`Start`](crate::Input::Start), if the
    /// process was another.
    ///
    /// # Errors
    ///
    /// Where the saved state can't be used.
    pub fn load(policy: Arc<Policy>, saved: Saved) -> Result<Self, LoadError> {
        let Saved { version, policy: before, state } = saved;
        if version != VERSION {
            return Err(LoadError::Version { found: version });
        }
        let plan = Plan::of(&before);
        if !before.is_consistent() || !state.fits(&before, &plan) {
            return Err(LoadError::Inconsistent);
        }
        let mut engine = Self { policy: before, plan: plan.into(), state, waiting: None };
        engine.state.budget.keep(engine.policy.moves.at_most.count);
        if engine.policy != policy {
            engine.waiting = Some(policy);
            let now = engine.state.clock.last().unwrap_or_default();
            engine.adopt(now, &mut Output::default());
        }
        Ok(engine)
    }
}
