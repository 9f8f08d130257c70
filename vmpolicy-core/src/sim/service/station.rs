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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
    /// How likely all servers are busy.
    pub(super) all_busy: f64,
    /// The mean response time at the end; infinite where nothing was served.
    pub(super) response_s: f64,
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
        let each_ghz = vcpus.clock_ghz.min(available_ghz / f64::from(servers));
        let come = before.inside + before.waiting + rate * elapsed_s;
        if !(each_ghz > 0.0 && elapsed_s > 0.0) {
            return self.standstill(come);
        }
        let each_rate = each_ghz / self.work_gcycles;
        let full_rate = each_rate * f64::from(servers);
        let held = full_rate * self.held_s;
        let servable = full_rate * elapsed_s;

        let mut idle = idle_where(servers, held + servable, come);
        let mut busy = Busy::at(servers, idle);
        let mut inside = busy.present + held * (1.0 - idle);
        let (mut waiting, mut refused) = (0.0, 0.0);
        let mut left = inside;
        if inside > self.inside_most {
            // All places are taken: it serves as fast as it does with so many.
            idle = idle_where(servers, held, self.inside_most);
            busy = Busy::at(servers, idle);
            inside = self.inside_most;
            let beyond = (come - servable * (1.0 - idle) - inside).max(0.0);
            waiting = beyond.min(self.waiting_most);
            refused = beyond - waiting;
            left = inside + waiting;
        }
        let done = (come - left - refused).clamp(0.0, servable);
        let rate_now = full_rate * (1.0 - idle);
        // Little's law, N/X; what is common to N and X is cancelled, so that an idle station has a response time, too.
        let response_s = (1.0 + busy.all / (idle * f64::from(servers))) / each_rate + self.held_s;
        Flow {
            present: Present { inside, waiting },
            done,
            refused,
            used_ghz: done / elapsed_s * self.work_gcycles,
            runnable: busy.present,
            all_busy: busy.all,
            response_s: if waiting > 0.0 { response_s + waiting / rate_now } else { response_s },
        }
    }

    /// Nothing is served: what comes stays, as far as there is room.
    #[cold]
    fn standstill(&self, come: f64) -> Flow {
        let inside = come.min(self.inside_most);
        let waiting = (come - inside).min(self.waiting_most);
        Flow {
            present: Present { inside, waiting },
            refused: come - inside - waiting,
            runnable: inside,
            all_busy: 1.0,
            response_s: f64::INFINITY,
            ..Flow::default()
        }
    }
}

/// The idle share 1 − ρ at which N(ρ) + `per_use`·ρ = `come`.
///
/// Newton's method, from the answer for one server as fast as all together: that one holds fewer at each utilisation, so the
/// start lies on one side of the root, and as the function is convex every step stays there and comes closer.
#[inline]
fn idle_where(servers: u32, per_use: f64, come: f64) -> f64 {
    let spare = 1.0 + per_use - come;
    let root = (spare * spare + 4.0 * come).sqrt();
    // The positive root of N² + (1 + e − a)N − a = 0, without cancellation.
    let alone = if spare > 0.0 { 2.0 * come / (root + spare) } else { 0.5 * (root - spare) };
    let mut idle = 1.0 / (1.0 + alone);
    if servers == 1 {
        return idle;
    }
    for _ in 0..STEPS_MOST {
        let busy = Busy::at(servers, idle);
        let excess = busy.present + per_use * (1.0 - idle) - come;
        let change = excess / (busy.slope + per_use);
        idle = (idle + change).min(1.0);
        if change <= EXACT * idle {
            break;
        }
    }
    idle
}

/// Newton's method doubles the digits with each step near the root.
const STEPS_MOST: usize = 24;

/// The next step's change would be of the order of its square.
const EXACT: f64 = 1e-7;
