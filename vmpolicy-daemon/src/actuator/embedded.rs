//! `embedded`: the demonstration's array of hosts, in memory.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vmpolicy_core::input::Outcome;
use vmpolicy_core::ports::{Actuator, Asked, Locator};

/// An array that holds one guest. Its two ends, the [actuator](EmbeddedActuator) and the
/// [locator](EmbeddedLocator), share it.
#[derive(Clone, Debug)]
pub struct Embedded {
    world: Arc<Mutex<World>>,
    move_takes: Duration,
}

#[derive(Debug)]
struct World {
    at: String,
    last_id: Option<String>,
    moves: u64,
}

impl Embedded {
    /// An array with the guest on this host, where a move takes so long.
    #[must_use]
    pub fn new(at: impl Into<String>, move_takes: Duration) -> Self {
        let world = World { at: at.into(), last_id: None, moves: 0 };
        Self { world: Arc::new(Mutex::new(world)), move_takes }
    }

    /// Where the guest is.
    #[must_use]
    pub fn at(&self) -> String {
        self.world.lock().unwrap_or_else(PoisonError::into_inner).at.clone()
    }

    /// How many moves it has carried out.
    #[must_use]
    pub fn moves(&self) -> u64 {
        self.world.lock().unwrap_or_else(PoisonError::into_inner).moves
    }

    /// The end that is asked.
    #[must_use]
    pub fn actuator(&self) -> EmbeddedActuator {
        EmbeddedActuator(self.clone())
    }

    /// The end that tells.
    #[must_use]
    pub fn locator(&self) -> EmbeddedLocator {
        EmbeddedLocator(self.clone())
    }
}

/// Asks an [`Embedded`] array. A request that comes again under its id is answered and not carried out
/// again.
#[derive(Clone, Debug)]
pub struct EmbeddedActuator(Embedded);

impl Actuator for EmbeddedActuator {
    fn resends(&self) -> bool {
        true
    }

    fn request(&mut self, asked: &Asked<'_>) -> Outcome {
        std::thread::sleep(self.0.move_takes);
        let mut world = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
        if world.last_id.as_deref() != Some(asked.id) {
            world.last_id = Some(asked.id.to_owned());
            asked.to.clone_into(&mut world.at);
            world.moves += 1;
        }
        Outcome::Confirmed
    }
}

/// Tells where the guest of an [`Embedded`] array is.
#[derive(Clone, Debug)]
pub struct EmbeddedLocator(Embedded);

impl Locator for EmbeddedLocator {
    fn locate(&mut self) -> Option<String> {
        Some(self.0.at())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_comes_twice_moves_once() {
        let array = Embedded::new("mln1", Duration::ZERO);
        let (mut actuator, mut locator) = (array.actuator(), array.locator());
        assert!(actuator.resends());
        let request = super::super::exec::tests::request();
        let asked = Asked { request, guest: "nii3", from: "mln1", to: "mln2", id: "nii3-7" };
        assert_eq!(actuator.request(&asked), Outcome::Confirmed);
        assert_eq!(actuator.request(&asked), Outcome::Confirmed);
        assert_eq!((locator.locate().as_deref(), array.moves()), (Some("mln2"), 1));
    }
}
