//! The world, once for each case, on as many processors as there are; what comes out does not depend on how many.

use super::case::Case;
use super::events::Events;
use super::page::Eyes;
use crate::cli::backtest::progress::Bar;
use rayon::prelude::*;
use std::io::{self, Write};
use vmpolicy_core::engine::Engine;
use vmpolicy_core::id::IndicatorId;
use vmpolicy_core::input::Absence;
use vmpolicy_core::record::View;
use vmpolicy_core::sim::scenario::{GuestIx, HostIx, Scenario};
use vmpolicy_core::sim::world::{Options, Outcome, Snapshot, Violated, Watch, run};
use vmpolicy_core::time::{Mono, Wall};
use vmpolicy_core::{Output, Policy};

/// So many steps of guests take a moment: from here on there is a bar.
const STEPS_WORTH_A_BAR: u64 = 300_000;

/// What to run.
pub(super) struct Runs<'a> {
    scenario: &'a Scenario,
    cases: Vec<Case>,
    checks: bool,
    /// Whether a page will show it.
    is_shown: bool,
}

/// What came of a case.
#[derive(Debug)]
pub(super) struct Ran {
    pub case: Case,
    pub outcome: Outcome,
    /// What a page shows of it.
    pub seen: Option<Eyes>,
}

/// Why there is nothing to show.
#[derive(Debug)]
pub(super) enum Failed {
    /// What must never happen has.
    Violated { case: Case, violated: Violated },
    /// The events can't be written.
    Write(io::Error),
}

impl<'a> Runs<'a> {
    pub(super) const fn new(scenario: &'a Scenario, cases: Vec<Case>, checks: bool, is_shown: bool) -> Self {
        Self { scenario, cases, checks, is_shown }
    }

    /// Runs all; the records of the scenario as it is written go to `events`.
    pub(super) fn go(self, events: Option<&mut (dyn Write + Send)>) -> Result<Vec<Ran>, Failed> {
        let Self { scenario, cases, checks, is_shown } = self;
        let (lasts, step) = (scenario.lasts.millis(), scenario.step.millis().max(1));
        let steps = lasts.div_ceil(step).saturating_mul(scenario.guests.len() as u64);
        let worth = if steps.saturating_mul(cases.len() as u64) < STEPS_WORTH_A_BAR { u64::MAX } else { 0 };
        let bar = Bar::work(lasts.saturating_mul(cases.len() as u64), "simulated", worth);
        let count = cases.len();
        let mut events = events.map(Events::new);
        let watching = cases.into_iter().map(|case| Watching {
            scenario,
            case,
            bar: &bar,
            reached: 0,
            events: if case == Case::Own { events.take() } else { None },
            eyes: is_shown.then(|| Eyes::new(scenario, count)),
        });
        let done: Vec<_> = watching.collect::<Vec<_>>().into_par_iter().map(|one| one.run(checks)).collect();
        done.into_iter().collect()
    }
}

/// One run, and who looks at it.
struct Watching<'a, 'e> {
    scenario: &'a Scenario,
    case: Case,
    bar: &'a Bar,
    /// How far the bar knows it to be, in the world's milliseconds.
    reached: u64,
    events: Option<Events<'e>>,
    eyes: Option<Eyes>,
}

impl Watching<'_, '_> {
    fn run(mut self, checks: bool) -> Result<Ran, Failed> {
        let (scenario, case) = (self.scenario, self.case);
        let options = Options { checks, deciding: case.deciding(scenario) };
        let outcome =
            run(scenario, options, &mut self).map_err(|violated| Failed::Violated { case, violated })?;
        if let Some(events) = self.events {
            events.finish().map_err(Failed::Write)?;
        }
        let seen = self.eyes.map(|mut eyes| {
            eyes.finish(scenario);
            eyes
        });
        Ok(Ran { case, outcome, seen })
    }
}

impl Watch for Watching<'_, '_> {
    fn recorded(&mut self, guest: GuestIx, at: Mono, policy: &Policy, output: &Output) {
        let name = &self.scenario.guests[guest.index()].name;
        for view in View::all(policy, name, output) {
            if let Some(events) = &mut self.events {
                events.push(guest.0, at, &view);
            }
            if let Some(eyes) = &mut self.eyes {
                eyes.recorded(self.scenario, guest, at, &view);
            }
        }
    }

    fn polled(&mut self, guest: GuestIx, _: Wall, indicator: IndicatorId, _: Result<f64, Absence>) {
        if let Some(eyes) = &mut self.eyes {
            eyes.polled(guest, indicator);
        }
    }

    #[inline]
    fn turned(&mut self, guest: GuestIx, at: Mono, in_breach: bool, engine: &Engine) {
        if let Some(eyes) = &mut self.eyes {
            eyes.turned(self.scenario, guest, at, in_breach, engine);
        }
    }

    fn powered(&mut self, guest: GuestIx, at: Mono, on: bool) {
        if let Some(eyes) = &mut self.eyes {
            eyes.powered(self.scenario, guest, at, on);
        }
    }

    fn placed(&mut self, guest: GuestIx, at: Mono, host: Option<HostIx>) {
        if let Some(eyes) = &mut self.eyes {
            eyes.placed(self.scenario, guest, at, host);
        }
    }

    fn moving(&mut self, guest: GuestIx, at: Mono, to: Option<HostIx>) {
        if let Some(eyes) = &mut self.eyes {
            eyes.moving(self.scenario, guest, at, to);
        }
    }

    fn stepped(&mut self, at: Mono, snapshot: &Snapshot<'_>) {
        if let Some(eyes) = &mut self.eyes {
            eyes.stepped(self.scenario, at, snapshot);
        }
    }

    fn goes_on(&mut self, at: Mono, _: Mono) -> bool {
        let reached = at.0.unsigned_abs();
        self.bar.more(reached.saturating_sub(self.reached));
        self.reached = reached;
        self.events.as_ref().is_none_or(Events::is_well)
    }
}
