//! A queue with several servers under processor sharing, and how it fills and empties.
//!
//! One number says how it is: how many are present. In a step it follows dN/dt = λ − cμρ(N), where ρ(N) is the utilisation at
//! which N are present in the mean (the pointwise stationary fluid flow approximation: Wang, Tipper and Banerjee 1996). So it
//! settles where the stationary formula has it, fills when more comes than it can serve, and empties again; nothing jumps
//! where the load crosses what it can serve. The step is an implicit one, N' = N + Δ(λ − cμρ(N')), which no length of step
//! can make unstable.

use super::Vcpus;
use super::erlang::Busy;

/// What does not change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Station {
    pub(super) work_gcycles: f64,
    /// So many at most are worked on in parallel.
    pub(super) servers_most: u32,
    /// How long each is held besides its work.
    pub(super) held_s: f64,
    /// So many have a place inside; the others wait for one.
    pub(super) inside_most: f64,
    /// So many may wait for a place; the others are turned away.
    pub(super) waiting_most: f64,
}

/// What is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Present {
    pub(super) inside: f64,
    pub(super) waiting: f64,
}

/// A step: what came of it, and how things are at its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Flow {
    pub(super) present: Present,
    /// So many were answered in the step.
    pub(super) done: f64,
    /// So many were turned away in the step.
    pub(super) refused: f64,
    /// So much CPU was used, in GHz.
    pub(super) used_ghz: f64,
    /// How many of those inside run or wait for a CPU.
    pub(super) runnable: f64,
    /// How fast a query is worked on that has a server for itself, in queries a second; 0 where nothing is.
    pub(super) rate_alone: f64,
    /// How much faster it would be answered alone than it is among the others: 1 / (1 + C / (c(1 − ρ))).
    pub(super) ease: f64,
    /// How many are answered a second at the end.
    rate: f64,
}

impl Flow {
    /// Nothing there and nothing done.
    pub(super) const IDLE: Self = Self {
        present: Present { inside: 0.0, waiting: 0.0 },
        done: 0.0,
        refused: 0.0,
        used_ghz: 0.0,
        runnable: 0.0,
        rate_alone: 0.0,
        ease: 1.0,
        rate: 0.0,
    };

    /// The mean time from a query's coming to its answer: work and what slows it, what holds it besides, and the wait for a
    /// place, by Little's law. None where nothing is answered.
    pub(super) fn response_s(&self, held_s: f64) -> Option<f64> {
        let waits_s = if self.present.waiting > 0.0 { self.present.waiting / self.rate } else { 0.0 };
        (self.rate_alone > 0.0).then(|| 1.0 / (self.rate_alone * self.ease) + held_s + waits_s)
    }
}

impl Station {
    /// A step of `elapsed_s` at `rate` arrivals a second with `available_ghz` of the guest's virtual CPUs.
    #[inline]
    pub(super) fn flow(
        &self,
        before: Present,
        elapsed_s: f64,
        rate: f64,
        vcpus: Vcpus,
        available_ghz: f64,
    ) -> Flow {
        let servers = vcpus.count.min(self.servers_most).max(1);
        let count = f64::from(servers);
        let all_ghz = (vcpus.clock_ghz * count).min(available_ghz);
        let come = before.inside + before.waiting + rate * elapsed_s;
        if !(all_ghz > 0.0 && elapsed_s > 0.0) {
            return self.standstill(come);
        }
        let full_rate = all_ghz / self.work_gcycles;
        let held = full_rate * self.held_s;
        let servable = full_rate * elapsed_s;

        let at = Level::where_it_holds(servers, held + servable, come);
        let inside = at.busy.present + held * (1.0 - at.idle);
        if inside > self.inside_most {
            return self.full(elapsed_s, come, count, full_rate, all_ghz);
        }
        let used = 1.0 - at.idle;
        let alone = at.idle * count;
        Flow {
            present: Present { inside, waiting: 0.0 },
            done: (come - inside).max(0.0),
            refused: 0.0,
            used_ghz: all_ghz * used,
            runnable: at.busy.present,
            rate_alone: if servers == 1 { full_rate } else { full_rate / count },
            // Little's law, N/X; what is common to N and X is cancelled, so that an idle station has a response time, too.
            ease: if servers == 1 { at.idle } else { alone / (alone + at.busy.all) },
            rate: full_rate * used,
        }
    }

    /// A step at whose end all places are taken: what can't be served waits for a place, as far as there is room.
    ///
    /// With so many inside all the time it is a closed network: c servers, and a delay between two visits to them. Its throughput
    /// is that of Schweitzer's approximate mean value analysis, with several servers as a faster one and a delay (Seidmann,
    /// Schweitzer and Shalev-Oren 1987).
    fn full(&self, elapsed_s: f64, come: f64, count: f64, full_rate: f64, all_ghz: f64) -> Flow {
        let inside = self.inside_most;
        let served_s = 1.0 / full_rate;
        let away_s = self.held_s + (count - 1.0) * served_s;
        let more_s = inside * served_s - away_s;
        let there_s = 0.5 * (more_s + (more_s * more_s + 4.0 * served_s * away_s).sqrt());
        let most = elapsed_s * inside / (away_s + there_s);
        // Where it has just become full, it serves what it may for all places to be taken.
        let done = (come - inside).min(most);
        let beyond = come - inside - done;
        let waiting = beyond.min(self.waiting_most);
        let rate = done / elapsed_s;
        let runnable = inside - rate * self.held_s;
        let rate_alone = full_rate / count;
        Flow {
            present: Present { inside, waiting },
            done,
            refused: beyond - waiting,
            used_ghz: all_ghz * (rate * served_s).min(1.0),
            runnable,
            rate_alone,
            ease: (rate / (runnable * rate_alone)).min(1.0),
            rate,
        }
    }

    /// Nothing is served: what comes stays, as far as there is room.
    #[cold]
    fn standstill(&self, come: f64) -> Flow {
        let inside = come.min(self.inside_most);
        let waiting = (come - inside).min(self.waiting_most);
        let refused = come - inside - waiting;
        Flow { present: Present { inside, waiting }, refused, runnable: inside, ..Flow::IDLE }
    }
}

/// How busy the servers are.
#[derive(Clone, Copy, Debug)]
struct Level {
    /// The share 1 − ρ of their time in which they have nothing to do.
    idle: f64,
    busy: Busy,
}

/// Newton's method doubles the digits with each step near the root.
const STEPS_MOST: usize = 24;

/// The relative error of the result. After a change by δ it is δ²N″ / (2(N′ + e)), and N″ is at most 2N′ / (1 − ρ).
const EXACT: f64 = 1e-10;

impl Level {
    /// The level at which N(ρ) + `per_use`·ρ = `come`.
    ///
    /// Newton's method, from the answer for one server as fast as all together: that one holds fewer at each utilisation, so
    /// the start lies on one side of the root, and as the function is convex every step stays there and comes closer.
    #[inline]
    fn where_it_holds(servers: u32, per_use: f64, come: f64) -> Self {
        let spare = 1.0 + per_use - come;
        let root = (spare * spare + 4.0 * come).sqrt();
        // The positive root of N² + (1 + e − a)N − a = 0, without cancellation.
        let alone = if spare > 0.0 { 2.0 * come / (root + spare) } else { 0.5 * (root - spare) };
        let mut idle = 1.0 / (1.0 + alone);
        if servers == 1 {
            return Self { idle, busy: Busy { all: 1.0 - idle, present: alone, slope: 0.0 } };
        }
        let mut busy = Busy::at(servers, idle);
        for _ in 0..STEPS_MOST {
            let excess = busy.present + per_use * (1.0 - idle) - come;
            let slope = busy.slope + per_use;
            let change = excess / slope;
            let next_error = change * change * busy.slope;
            idle = (idle + change).min(1.0);
            busy = Busy::at(servers, idle);
            if next_error <= EXACT * idle * idle * slope {
                break;
            }
        }
        Self { idle, busy }
    }
}
