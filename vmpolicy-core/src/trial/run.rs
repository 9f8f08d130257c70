//! A case from start to end, and what came of it.

use super::case::{Case, Want};
use super::compare::{Compared, Difference, compare};
use super::fact::Got;
use super::world::{Onlooker, World, rules};
use crate::Engine;
use crate::checker::Violation;
use crate::engine::{LoadError, RuleView, View};
use crate::id::IndicatorId;
use crate::input::{Absence, Input};
use crate::output::{Event, Origin, Output, Record, Request};
use crate::policy::Policy;
use crate::record;
use crate::time::{Now, Span, Wall};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use super::world::MOST_STEPS;

/// More frames than anybody reads.
const MOST_FRAMES: usize = 400;
/// Of so many differences, from the first on, it is told what was round them.
const MOST_EXPLAINED: usize = 10;

/// Why a case has no result. The first two are faults of this program, not of a policy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// The engine did what must never happen.
    #[error(transparent)]
    Invariant(#[from] Violation),
    /// What the engine saved can't be loaded.
    #[error("what the engine has saved can't be loaded: {0}")]
    Unloadable(#[from] LoadError),
    /// The case takes too long.
    #[error("the case takes more than {MOST_STEPS} steps, up to {at} after its start")]
    TooLong {
        /// How far it came.
        at: Span,
    },
}

/// A record of a run, with what it takes to print it.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Since the start.
    pub at: Span,
    /// The policy in force.
    pub policy: Arc<Policy>,
    /// What the record came with.
    pub output: Arc<Output>,
    /// Which record of it.
    pub index: usize,
}

impl Said {
    /// The record.
    ///
    /// # Panics
    ///
    /// Where the index is none of the output's.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.output.records[self.index]
    }

    /// What has happened.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.record().event
    }

    /// The record with its names, as JSON or as a line.
    #[must_use]
    pub fn view<'a>(&'a self, guest: &'a str) -> record::View<'a> {
        record::View { policy: &self.policy, guest, output: &self.output, record: self.record() }
    }
}

/// Something that is worth showing where a case has failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// A probe was read.
    Sampled {
        /// Since the start.
        at: Span,
        /// The policy in force.
        policy: Arc<Policy>,
        /// Which indicator.
        indicator: IndicatorId,
        /// What was read.
        read: Result<f64, Absence>,
        /// What sample it made: for a counter, what it rose by.
        value: Option<f64>,
        /// How the rules stand after it, in their order.
        rules: Vec<RuleView>,
    },
    /// Something of [`Case::happenings`] has happened.
    Happened {
        /// Since the start.
        at: Span,
        /// Which one.
        index: usize,
    },
    /// Something was recorded.
    Said {
        /// Since the start.
        at: Span,
        /// Which of [`Report::said`].
        index: usize,
    },
}

impl Frame {
    /// Since the start.
    #[must_use]
    pub const fn at(&self) -> Span {
        match self {
            Self::Sampled { at, .. } | Self::Happened { at, .. } | Self::Said { at, .. } => *at,
        }
    }
}

/// How everything stood at some moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Since the start.
    pub at: Span,
    /// On the wall clock.
    pub wall: Wall,
    /// The policy in force.
    pub policy: Arc<Policy>,
    /// Where the guest is, whether it settles or rests.
    pub view: View,
    /// The open request.
    pub open: Option<Request>,
    /// Each rule, in their order.
    pub rules: Vec<RuleView>,
    /// The last sample of each indicator, in their order.
    pub values: Vec<Option<f64>>,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub struct Report {
    /// Everything that was recorded.
    pub said: Vec<Said>,
    /// Which of the [expectations](Case::expectations) each of them meets.
    pub meets: Vec<Option<usize>>,
    /// What is not as expected, in the order of time; the case has passed where there is nothing.
    pub differences: Vec<Difference>,
    /// What happened round the first differences.
    pub frames: Vec<Frame>,
    /// How everything stood at the [times](Difference::at) of the first differences.
    pub standings: Vec<Standing>,
    /// The rules that asked, rested, or found nothing to ask for.
    pub acted: BTreeSet<String>,
    /// How many steps the engine took.
    pub steps: u64,
}

impl Report {
    /// Whether all is as expected.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs a case.
///
/// The same policy and case give the same report on every machine.
///
/// # Errors
///
/// Where there is no result, see [`Broken`].
pub fn run(policy: &Arc<Policy>, case: &Case) -> Result<Report, Broken> {
    let mut marks = BTreeSet::new();
    for expectation in &case.expectations {
        if let Want::State(_) = expectation.want {
            marks.extend([expectation.when.from, expectation.when.to]);
        }
    }
    let marks: Vec<Span> = marks.into_iter().filter(|mark| *mark <= case.lasts).collect();
    let look = Look { case, said: Vec::new(), wrong: Wrong::new(), film: None };
    let (Look { said, wrong, .. }, steps) = World::new(policy, case, look).run(&marks)?;
    let Compared { differences, meets } = compare(case, &said, wrong);
    let acted = said.iter().filter_map(acting).collect();
    let (mut frames, mut standings) = (Vec::new(), Vec::new());
    if !differences.is_empty() {
        // The same once more, written down where it matters.
        let explained = &differences[..differences.len().min(MOST_EXPLAINED)];
        let mut times: Vec<Span> =
            explained.iter().map(|one| one.at(case, &said)).filter(|at| *at <= case.lasts).collect();
        times.sort_unstable();
        times.dedup();
        let film = Film::round(policy, case, &said, explained, times.clone());
        let look = Look { case, said: Vec::new(), wrong: Wrong::new(), film: Some(film) };
        if let Some(film) = World::new(policy, case, look).run(&times)?.0.film {
            (frames, standings) = (film.frames, film.standings);
        }
    }
    Ok(Report { said, meets, differences, frames, standings, acted, steps })
}

/// The rule that acted in this.
fn acting(said: &Said) -> Option<String> {
    let rule = match *said.event() {
        Event::Request { origin: Origin::Rule(rule), .. }
        | Event::AlreadyThere { origin: Origin::Rule(rule), .. }
        | Event::Held { origin: Origin::Rule(rule), .. }
        | Event::NoBetterHost { rule, .. }
        | Event::Rest { rule } => rule,
        _ => return None,
    };
    Some(said.policy.rules()[rule].name.clone())
}

/// States that are not as expected: by expectation and fact, when that was first seen, and what it was.
pub(super) type Wrong = BTreeMap<(usize, usize), (Span, Got)>;

struct Look<'a> {
    case: &'a Case,
    said: Vec<Said>,
    wrong: Wrong,
    film: Option<Film>,
}

/// What is written down of the second run.
struct Film {
    windows: Vec<(Span, Span)>,
    times: Vec<Span>,
    frames: Vec<Frame>,
    standings: Vec<Standing>,
    /// How many records there were.
    said: usize,
}

impl Film {
    /// A few polls before and after each difference.
    fn round(
        policy: &Policy,
        case: &Case,
        said: &[Said],
        differences: &[Difference],
        times: Vec<Span>,
    ) -> Self {
        let every = policy.indicators().rows().iter().map(|indicator| indicator.every).max();
        let every = every.unwrap_or(Span::from_mins(1));
        let mut windows = Vec::new();
        for difference in differences {
            for at in difference.times(case, said) {
                let from = at.millis().saturating_sub(every.times(4).millis());
                let to = at.millis().saturating_add(every.times(2).millis());
                windows.push((Span::from_millis(from), Span::from_millis(to)));
            }
        }
        Self { windows, times, frames: Vec::new(), standings: Vec::new(), said: 0 }
    }

    fn wants(&self, at: Span) -> bool {
        self.frames.len() < MOST_FRAMES && self.windows.iter().any(|&(from, to)| from <= at && at <= to)
    }
}

impl Onlooker for Look<'_> {
    fn stepped(&mut self, at: Span, now: Now, input: &Input, engine: &Engine, output: &Output) {
        let policy = engine.policy();
        if let (Some(film), Input::Reading(reading)) = (&mut self.film, input)
            && film.wants(at)
            && reading.taken == now.mono
        {
            film.frames.push(Frame::Sampled {
                at,
                policy: Arc::clone(policy),
                indicator: reading.indicator,
                read: reading.value,
                value: engine.value(reading.indicator),
                rules: rules(engine),
            });
        }
        if output.records.is_empty() {
            return;
        }
        if let Some(film) = &mut self.film {
            for _ in &output.records {
                if film.wants(at) {
                    film.frames.push(Frame::Said { at, index: film.said });
                }
                film.said += 1;
            }
            return;
        }
        let output = Arc::new(output.clone());
        self.said.extend((0..output.records.len()).map(|index| Said {
            at,
            policy: Arc::clone(policy),
            output: Arc::clone(&output),
            index,
        }));
    }

    fn happened(&mut self, at: Span, index: usize) {
        if let Some(film) = &mut self.film
            && film.wants(at)
        {
            film.frames.push(Frame::Happened { at, index });
        }
    }

    fn looks(&mut self, at: Span, now: Now, engine: &Engine) {
        if let Some(film) = &mut self.film {
            if film.times.binary_search(&at).is_ok() && film.standings.last().is_none_or(|last| last.at != at)
            {
                film.standings.push(Standing {
                    at,
                    wall: now.wall,
                    policy: Arc::clone(engine.policy()),
                    view: engine.view(),
                    open: engine.open_request(),
                    rules: rules(engine),
                    values: engine.policy().indicators().ids().map(|id| engine.value(id)).collect(),
                });
            }
            return;
        }
        for (index, expectation) in self.case.expectations.iter().enumerate() {
            let Want::State(facts) = &expectation.want else { continue };
            if !expectation.when.holds(at) {
                continue;
            }
            for (fact, of) in facts.iter().enumerate() {
                if self.wrong.contains_key(&(index, fact)) {
                    continue;
                }
                if let Err(got) = of.check(engine) {
                    self.wrong.insert((index, fact), (at, got));
                }
            }
        }
    }
}
