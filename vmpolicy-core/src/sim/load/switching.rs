//! Loads with two states: the two-state Markov-modulated Poisson process, and bursts at random times.
//!
//! Both stay in each state for an exponentially distributed time. The process modulates a rate; that the arrivals at this
//! rate are a Poisson process is what the services assume.

use super::When;
use super::spec::{Bursts, Mmpp};
use crate::sim::chance::Chance;

#[derive(Clone, Debug)]
pub(super) struct Switching {
    value: [f64; 2],
    stay_ms_mean: [f64; 2],
    state: usize,
    /// With a fraction: rounding each stay would shift the mean of short ones.
    until_ms: f64,
    chance: Chance,
}

impl Switching {
    /// It begins as if it had been running for ever: in a state with the state's share of the time.
    pub(super) fn mmpp(mmpp: &Mmpp, mut chance: Chance) -> Self {
        let stay_ms_mean = mmpp.stays.map(|stay| stay.millis() as f64);
        let state = usize::from(chance.happens(stay_ms_mean[1] / (stay_ms_mean[0] + stay_ms_mean[1])));
        Self::new(mmpp.rates, stay_ms_mean, state, chance)
    }

    /// It begins between two bursts.
    pub(super) fn bursts(bursts: &Bursts, chance: Chance) -> Self {
        let stay_ms_mean = [bursts.gap, bursts.length].map(|span| span.millis() as f64);
        Self::new([0.0, bursts.height], stay_ms_mean, 0, chance)
    }

    fn new(value: [f64; 2], stay_ms_mean: [f64; 2], state: usize, mut chance: Chance) -> Self {
        let until_ms = chance.exponential(stay_ms_mean[state]);
        Self { value, stay_ms_mean, state, until_ms, chance }
    }

    #[inline]
    pub(super) fn at(&mut self, when: When) -> f64 {
        let now_ms = when.since.millis() as f64;
        while now_ms >= self.until_ms {
            self.state = 1 - self.state;
            self.until_ms += self.chance.exponential(self.stay_ms_mean[self.state]);
        }
        self.value[self.state]
    }
}
