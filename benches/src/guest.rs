//! A guest that polls: the engine, the time, and the caller's buffer.

use crate::policies::EVERY;
use crate::readings::{PERIOD, calm};
use std::hint::black_box;
use vmpolicy_core::id::{Id, IndicatorId};
use vmpolicy_core::input::{Reading, Setup};
use vmpolicy_core::time::Now;
use vmpolicy_core::{Engine, Input, Output, Policy};

/// One guest under a steady stream of readings.
#[derive(Clone, Debug)]
pub struct Guest {
    engine: Engine,
    out: Output,
    now: Now,
    readings: Vec<f64>,
    polls: usize,
}

impl Guest {
    /// A guest on the first host that has polled once.
    #[must_use]
    pub fn new(policy: Policy, readings: Vec<f64>) -> Self {
        let at = policy.host_named("mln1");
        let mut guest = Self {
            engine: Engine::new(policy.into(), Setup { at, ..Setup::default() }),
            out: Output::default(),
            now: Now::default(),
            readings,
            polls: 0,
        };
        guest.engine.step(guest.now, &Input::Tick, &mut guest.out);
        guest.answer(0, 10.0);
        guest
    }

    /// The engine in its present state.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    fn wait(&mut self) {
        self.now = self.now.plus(EVERY);
        self.polls += 1;
    }

    fn answer(&mut self, indicator: usize, value: f64) {
        let (taken, indicator) = (self.now.mono, IndicatorId::from_index(indicator));
        let reading = Reading { indicator, taken, value: Ok(black_box(value)) };
        self.engine.step(self.now, &Input::Reading(reading), &mut self.out);
    }

    fn reading(&self) -> f64 {
        self.readings[self.polls % PERIOD]
    }

    /// The reading comes when it is due, without a tick before it: one step. This is how backtests and simulations
    /// run, and a host program that knows when to probe.
    #[inline]
    pub fn poll(&mut self) {
        self.wait();
        self.answer(0, self.reading());
    }

    /// As [`poll`](Self::poll), of a counter that grows by so much a second.
    #[inline]
    pub fn poll_rate(&mut self) {
        self.wait();
        let grown = self.polls as f64 * 60.0 * 20.0;
        self.answer(0, grown + self.reading());
    }

    /// A tick that asks for a probe, then its answer: two steps.
    #[inline]
    pub fn tick_and_poll(&mut self) {
        self.wait();
        self.engine.step(self.now, &Input::Tick, &mut self.out);
        self.answer(0, self.reading());
    }

    /// A tick, then the answers of all five indicators of `ten_rules`: six steps.
    #[inline]
    pub fn poll_five(&mut self) {
        self.wait();
        self.engine.step(self.now, &Input::Tick, &mut self.out);
        for indicator in 0..5 {
            let value = self.readings[(self.polls + 97 * indicator) % PERIOD];
            self.answer(indicator, value);
        }
    }

    /// What the last step said.
    pub const fn out(&self) -> &Output {
        &self.out
    }
}

/// A million guests, or any other number, polled at the same moments.
#[derive(Debug)]
pub struct Herd {
    engines: Vec<Engine>,
    out: Output,
    now: Now,
    readings: Vec<f64>,
    round: usize,
}

impl Herd {
    /// So many clones of one guest.
    #[must_use]
    pub fn new(policy: Policy, guests: usize) -> Self {
        let Guest { engine, out, now, readings, .. } = Guest::new(policy, calm());
        Self { engines: vec![engine; guests], out, now, readings, round: 0 }
    }

    /// Every guest takes one reading.
    pub fn round(&mut self) {
        self.now = self.now.plus(EVERY);
        self.round += 1;
        let (taken, indicator) = (self.now.mono, IndicatorId::from_index(0));
        for (index, engine) in self.engines.iter_mut().enumerate() {
            let value = self.readings[(index + self.round) % PERIOD];
            let reading = Reading { indicator, taken, value: Ok(value) };
            engine.step(self.now, &Input::Reading(reading), &mut self.out);
            black_box(&self.out);
        }
    }
}
