//! What a life begins with: the state on disk, or what is done where that can't be used.

use super::has_locator;
use crate::config::Config;
use crate::kept::Kept;
use crate::store::{Found, Kind};
use std::sync::Arc;
use vmpolicy_core::Engine;
use vmpolicy_core::id::RequestId;
use vmpolicy_core::input::{Setup, Word};
use vmpolicy_core::time::Wall;

/// Whether the state that was found may be built upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It is sound, or there is none yet.
    Sound,
    /// It can't be used: where the guest is, and whether a request is open, only a locator can tell.
    Lost,
}

impl Trust {
    /// Whether the guest is held because its state is lost, whatever an operator has said.
    #[must_use]
    pub fn holds(self, said: Option<Word>, kind: Kind) -> bool {
        self == Self::Lost && kind == Kind::Live && said != Some(Word::Hold(None))
    }

    /// What an operator has said, or a hold for as long as a request may be open that nobody knows of, where the state is
    /// lost and that is longer.
    #[must_use]
    pub fn or_longer(self, said: Option<Word>, config: &Config, kind: Kind) -> Option<Word> {
        let confirm_within = config.policy.moves().confirm_within;
        match said {
            // Of a dry run nothing can be open.
            said if self == Self::Sound || kind == Kind::Dry => said,
            Some(Word::Hold(None)) => said,
            Some(Word::Hold(Some(lasts))) => Some(Word::Hold(Some(lasts.max(confirm_within)))),
            _ => Some(Word::Hold(Some(confirm_within))),
        }
    }
}

/// The engine as it was when it was last saved, or a new one. `wall` is the time, which no request that was ever made can be
/// numbered above: there are fewer than one a second, on average.
pub fn restore(config: &Config, store: &mut Kept, wall: Wall) -> (Engine, Trust) {
    let why = match store.load() {
        Found::Fresh => return (Engine::new(Arc::clone(&config.policy), Setup::default()), Trust::Sound),
        Found::Known(saved) => match Engine::load(Arc::clone(&config.policy), saved) {
            Ok(engine) => return (engine, Trust::Sound),
            Err(error) => error.to_string(),
        },
        Found::Damaged(damage) => damage.to_string(),
    };
    tracing::error!("the state in {} can't be used: {why}", store.path().display());
    let mut engine = Engine::new(Arc::clone(&config.policy), Setup::default());
    let last = wall.since(Wall(0)).millis() / 1_000;
    engine.number_after(RequestId(last));
    if has_locator(config) {
        match store.set_aside() {
            Ok(aside) => tracing::warn!("it is kept as {}; the locator is asked", aside.display()),
            Err(error) => tracing::warn!("it can't be kept: {error}; the locator is asked"),
        }
        if store.kind() == Kind::Live {
            tracing::warn!(
                "a request may be open that nobody knows of: no move is asked for before it would have expired, in {} \
                 (`vmpolicy resume` ends that); the next one is number {}",
                config.policy.moves().confirm_within,
                last.saturating_add(1)
            );
        }
    } else {
        store.seal();
    }
    (engine, Trust::Lost)
}

pub(super) fn say_lost(trust: Trust, store: &Kept) {
    match trust {
        Trust::Sound => tracing::warn!(
            "nobody knows where the guest is, so no move is asked for: give the policy file a `locator`, \
             such as `locator: {{ assume: HOST }}`"
        ),
        Trust::Lost => tracing::error!(
            "no move is asked for: the state is lost, and the policy file has no locator that sees where the guest is. \
             Find out where it is and whether a move is under way, say so with `locator: {{ assume: HOST }}`, \
             remove {} and start again",
            store.path().display()
        ),
    }
}
