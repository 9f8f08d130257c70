//! Before the guest asks to go to another array, whose disk may be another one, collectors are given what is kept for them.

use crate::spool::Rest;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use vmpolicy_core::Policy;
use vmpolicy_core::input::Outcome;
use vmpolicy_core::ports::{Actuator, Asked};

/// How long a request for another array waits for collectors, at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the end of the daemon waits for them.
const LINGER: Duration = Duration::from_millis(500);

/// No more than this part of the time in which a move has to be confirmed.
const SHARE: u32 = 4;

/// What collectors are still to be given.
#[derive(Clone, Debug, Default)]
pub struct Drains(Vec<(String, Rest, bool)>);

impl Drains {
    pub(super) const fn new(drains: Vec<(String, Rest, bool)>) -> Self {
        Self(drains)
    }

    /// The daemon ends: what is on its way is waited for, for a moment.
    pub fn linger(&self) {
        let _ = self.wait(LINGER);
    }

    /// Waits until all collectors have what was taken in until now. Where one has not, and must: its name.
    fn wait(&self, at_most: Duration) -> Result<(), &str> {
        let until = Instant::now() + at_most;
        for (_, rest, _) in &self.0 {
            rest.wake();
        }
        let mut missing = None;
        for (name, rest, required) in &self.0 {
            if !rest.drained(until.saturating_duration_since(Instant::now())) {
                let waiting = rest.level().waiting();
                tracing::warn!("{name} is still to be given {waiting} records: they stay on this disk");
                missing = missing.or(required.then_some(name.as_str()));
            }
        }
        missing.map_or(Ok(()), Err)
    }
}

/// An actuator that asks for another array once the collectors have everything, or have had their time.
pub struct Delivered {
    inner: Box<dyn Actuator>,
    drains: Drains,
    arrays: BTreeMap<String, usize>,
    patience: Duration,
}

impl Delivered {
    /// This one, for the hosts of this policy.
    #[must_use]
    pub fn before(inner: Box<dyn Actuator>, drains: Drains, policy: &Policy) -> Box<dyn Actuator> {
        if drains.0.is_empty() || policy.arrays().len() < 2 {
            return inner;
        }
        let arrays = policy
            .hosts()
            .iter()
            .map(|(_, host)| (host.name.clone(), vmpolicy_core::id::Id::index(host.array)));
        let arrays = arrays.collect();
        let confirm = Duration::from_millis(policy.moves().confirm_within.millis());
        Box::new(Self { inner, drains, arrays, patience: PATIENCE.min(confirm / SHARE) })
    }
}

impl Actuator for Delivered {
    fn resends(&self) -> bool {
        self.inner.resends()
    }

    fn request(&mut self, asked: &Asked<'_>) -> Outcome {
        if self.arrays.get(asked.from) != self.arrays.get(asked.to)
            && let Err(name) = self.drains.wait(self.patience)
        {
            tracing::error!("{} is not asked for: {name} is required to have all records first", asked.id);
            return Outcome::Refused;
        }
        self.inner.request(asked)
    }
}
