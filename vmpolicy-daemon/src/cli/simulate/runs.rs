//! The world, once for each case, on as many processors as there are; what comes out does not depend on how many.
//!
//! A case falls into [islands](Island): arrays that have nothing to do with each other, each run by itself. Where records
//! or a page are wanted all of them go on from one stretch of time to the next, and after each what they have told is put in
//! order. So no more waits in memory than one stretch holds.

use super::case::Case;
use super::events::{Events, Lines};
use super::page::{Eyes, Meters};
use super::watching::Watching;
use crate::cli::backtest::progress::Bar;
use rayon::prelude::*;
use std::io::{self, Write};
use vmpolicy_core::sim::scenario::Scenario;
use vmpolicy_core::sim::world::{Island, Options, Outcome, Part, Running, Violated};
use vmpolicy_core::time::Mono;

/// So many steps of guests take a moment: from here on there is a bar.
const STEPS_WORTH_A_BAR: u64 = 300_000;

/// So many steps of guests are in a stretch of time, or one of each guest where there are more: some megabytes of
/// records where every step has one.
const STEPS_IN_A_STRETCH: u64 = 65_536;

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
    pub seen: Option<Seen>,
}

/// What was seen of a run.
#[derive(Debug)]
pub(super) struct Seen {
    /// Of the guests, in their order.
    pub eyes: Eyes,
    /// Of the hosts together.
    pub meters: Meters,
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
        let count = cases.len();
        let steps = lasts.div_ceil(step).saturating_mul(scenario.guests.len() as u64);
        let steps = steps.saturating_mul(count as u64);
        let bar = Bar::work(steps, "steps of guests", STEPS_WORTH_A_BAR);
        let islands = Island::all(scenario);
        let mut events = events.map(Events::new);
        let runs = cases.into_iter().map(|case| Run {
            scenario,
            islands: &islands,
            case,
            options: Options { checks, deciding: case.deciding(scenario) },
            bar: &bar,
            events: if case == Case::Own { events.take() } else { None },
            shown_beside: is_shown.then_some(count),
        });
        let done: Vec<_> = runs.collect::<Vec<_>>().into_par_iter().map(Run::go).collect();
        done.into_iter().collect()
    }
}

/// One case.
struct Run<'a, 'e> {
    scenario: &'a Scenario,
    islands: &'a [Island],
    case: Case,
    options: Options,
    bar: &'a Bar,
    events: Option<Events<'e>>,
    /// How many cases a page shows; none where there is no page.
    shown_beside: Option<usize>,
}

impl<'a> Run<'a, '_> {
    fn go(self) -> Result<Ran, Failed> {
        let (scenario, islands, case) = (self.scenario, self.islands, self.case);
        let (parts, seen) = if self.events.is_none() && self.shown_beside.is_none() {
            (self.apart()?, None)
        } else {
            self.in_stretches()?
        };
        Ok(Ran { case, outcome: Island::outcome(scenario, islands, parts), seen })
    }

    fn watching(&self, island: &'a Island, eyes: Option<Eyes>) -> Watching<'a> {
        let lines = self.events.is_some().then(Lines::default);
        Watching { scenario: self.scenario, island, bar: self.bar, lines, eyes }
    }

    /// Nobody wants to see it happen: each island from its beginning to its end, and then it is forgotten.
    fn apart(&self) -> Result<Vec<Part>, Failed> {
        let (scenario, bar, options) = (self.scenario, self.bar, self.options);
        let one = |island: &'a Island| {
            let mut watching = Watching { scenario, island, bar, lines: None, eyes: None };
            let mut running = island.begin(options, &mut watching);
            running.advance(Mono(i64::MAX)).map(|()| running.finish())
        };
        let (mut parts, mut violated) = (Vec::new(), Vec::new());
        for done in self.islands.par_iter().map(one).collect::<Vec<_>>() {
            match done {
                Ok(part) => parts.push(part),
                Err(one) => violated.push(one),
            }
        }
        self.all_well(violated).map(|()| parts)
    }

    /// All islands, stretch by stretch.
    fn in_stretches(mut self) -> Result<(Vec<Part>, Option<Seen>), Failed> {
        let (scenario, islands, options) = (self.scenario, self.islands, self.options);
        let eyes: Vec<Option<Eyes>> = match self.shown_beside {
            Some(count) => Eyes::all(scenario, count, islands).into_iter().map(Some).collect(),
            None => islands.iter().map(|_| None).collect(),
        };
        let mut meters = self.shown_beside.map(|_| Meters::new(scenario));
        let watching = islands.iter().zip(eyes).map(|(island, eyes)| self.watching(island, eyes));
        let mut watching: Vec<_> = watching.collect();
        let begin = |(island, watching): (&'a Island, _)| -> Running<'_, Watching<'a>> {
            island.begin(options, watching)
        };
        let mut running: Vec<_> = islands.par_iter().zip(watching.par_iter_mut()).map(begin).collect();
        let (stretch, mut upto) = (stretch(scenario), Mono(0));
        while running.iter().any(|one| !one.has_ended()) {
            upto = Mono(upto.0.saturating_add(stretch));
            let went: Vec<_> = running.par_iter_mut().map(|one| one.advance(upto)).collect();
            if let Some(events) = &mut self.events {
                let lines = running.iter_mut().filter_map(|one| one.watch().lines.as_mut());
                events.merge(&mut lines.collect::<Vec<_>>());
                if !events.is_well() {
                    break;
                }
            }
            self.all_well(went.into_iter().filter_map(Result::err).collect())?;
            if let Some(meters) = &mut meters {
                let eyes = running.iter_mut().filter_map(|one| one.watch().eyes.as_mut());
                meters.add(&mut eyes.collect::<Vec<_>>());
            }
        }
        if let Some(events) = self.events {
            events.finish().map_err(Failed::Write)?;
        }
        let parts = running.into_iter().map(Running::finish).collect();
        let seen = meters.map(|meters| {
            let eyes = watching.into_iter().filter_map(|one| one.eyes.map(|eyes| (one.island, eyes)));
            Seen { eyes: Eyes::together(scenario, eyes), meters }
        });
        Ok((parts, seen))
    }

    /// Of several things that must never happen, and have, the first is told.
    fn all_well(&self, violated: Vec<Violated>) -> Result<(), Failed> {
        let first = violated.into_iter().min_by_key(|one| one.violation.now.wall);
        first.map_or(Ok(()), |violated| Err(Failed::Violated { case: self.case, violated }))
    }
}

/// So many milliseconds of the world's time are in a stretch: whole steps, so that each of its records comes before
/// those of the next one.
fn stretch(scenario: &Scenario) -> i64 {
    let steps = (STEPS_IN_A_STRETCH / (scenario.guests.len() as u64).max(1)).max(1);
    let millis = scenario.step.millis().max(1).saturating_mul(steps);
    i64::try_from(millis).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::simulate::files::Folder;
    use crate::zones::SystemZones;
    use std::path::Path;
    use vmpolicy_core::file::scenario::load;

    #[test]
    fn a_stretch_is_of_whole_steps_and_of_one_at_least() {
        let of = |guests: &str| {
            let text = format!(
                "version: 1\nlasts: 8h\nstep: 7s\narrays: {{ oslo: {{ hosts: [h1], each: {{ memory: 8000GiB }} }} }}\n\
                 guests: {{ '{guests}': {{ at: h1, memory: 64MiB }} }}\n"
            );
            let loaded = load(text.as_bytes(), &SystemZones::default(), &mut Folder::of(Path::new("")));
            stretch(&loaded.map_err(|faulty| faulty.problems).unwrap().scenario)
        };
        assert_eq!(of("g"), 65_536 * 7_000);
        assert_eq!(of("g[00001-60000]"), 7_000);
        assert_eq!(of("g[00001-70000]"), 7_000);
    }
}
