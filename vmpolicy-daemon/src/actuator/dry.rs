//! Deciding without acting: every request is "confirmed" and none is sent.
//!
//! A run that stops at its first decision shows one decision, so in a dry run the guest is taken to be
//! where it would have gone. Where the policy has a locator, that belief ends as soon as the locator
//! sees the guest really move: then the truth counts. What the indicators read is the truth all along,
//! so a dry run shows what a policy asks for, not whether it would have helped.

use std::sync::{Arc, Mutex, PoisonError};
use vmpolicy_core::input::Outcome;
use vmpolicy_core::ports::{Actuator, Asked, Locator};

/// Where a guest would be, shared between what takes requests and what tells the location.
#[derive(Clone, Debug, Default)]
pub struct Shadow {
    believed: Arc<Mutex<Option<String>>>,
}

impl Shadow {
    /// The guest would be on this host, if it is known where.
    #[must_use]
    pub fn at(believed: Option<String>) -> Self {
        Self { believed: Arc::new(Mutex::new(believed)) }
    }

    fn set(&self, at: Option<String>) {
        *self.believed.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    fn get(&self) -> Option<String> {
        self.believed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Takes requests and sends none.
#[derive(Clone, Debug)]
pub struct DryActuator(Shadow);

impl DryActuator {
    /// One that moves this shadow.
    #[must_use]
    pub const fn new(shadow: Shadow) -> Self {
        Self(shadow)
    }
}

impl Actuator for DryActuator {
    fn resends(&self) -> bool {
        true
    }

    fn request(&mut self, asked: &Asked<'_>) -> Outcome {
        tracing::info!(id = asked.id, "dry run: would ask for {} -> {}", asked.from, asked.to);
        self.0.set(Some(asked.to.to_owned()));
        Outcome::Confirmed
    }
}

/// Tells where the shadow is, until the guest itself moves.
pub struct DryLocator {
    shadow: Shadow,
    real: Box<dyn Locator>,
    before: Option<String>,
}

impl DryLocator {
    /// Puts a shadow before a locator.
    #[must_use]
    pub const fn new(shadow: Shadow, real: Box<dyn Locator>) -> Self {
        Self { shadow, real, before: None }
    }
}

impl Locator for DryLocator {
    fn locate(&mut self) -> Option<String> {
        let real = self.real.locate()?;
        if self.before.as_ref().is_some_and(|before| *before != real) {
            self.shadow.set(None);
        }
        self.before = Some(real.clone());
        Some(self.shadow.get().unwrap_or(real))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actuator::Embedded;
    use std::time::Duration;

    #[test]
    fn belief_lasts_until_the_guest_really_moves() {
        let array = Embedded::new("mln1", Duration::ZERO);
        let shadow = Shadow::default();
        let mut locator = DryLocator::new(shadow.clone(), Box::new(array.locator()));
        let mut actuator = DryActuator::new(shadow);
        assert_eq!(locator.locate().as_deref(), Some("mln1"));

        let request = super::super::exec::tests::request();
        let asked = Asked { request, guest: "nii3", from: "mln1", to: "mln2", id: "nii3-7" };
        assert_eq!(actuator.request(&asked), Outcome::Confirmed);
        assert_eq!(locator.locate().as_deref(), Some("mln2"));
        assert_eq!((array.at().as_str(), array.moves()), ("mln1", 0), "a dry run moved something");

        array.actuator().request(&Asked { to: "mln5", id: "other-1", ..asked });
        assert_eq!(locator.locate().as_deref(), Some("mln5"));
    }
}
