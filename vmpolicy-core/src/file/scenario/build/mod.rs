//! From what was written to a [`Scenario`]: names looked up, ranges written out, policies read.
//!
//! Everything is looked at, whatever was found before; what is broken in one place is told once.

mod arrays;
mod fault;
mod feeds;
mod guests;
mod load;
mod policies;
mod queues;

use super::super::problem::Problem;
use super::error::{ScenarioErrorKind as Kind, ScenarioWarningKind as Warning, error, of_policy, warning};
use super::form::{ScenarioFile, StartForm};
use super::names::expand;
use super::{Built, Faulty, Files, Told};
use crate::leaf::window::{Civil, Readings, Zone};
use crate::policy::build::{Doubts, MOST_SUGGESTIONS, is_name};
use crate::policy::error::{Label, Noun, PolicyErrorKind, nearest};
use crate::policy::{Located, Place, Policy, Zones};
use crate::sim::scenario::{Array, ArrayIx, Guest, GuestIx, Host, HostIx, Management, Queue, Scenario};
use crate::time::{Span, Wall};
use std::collections::BTreeMap;
use std::sync::Arc;

/// When a scenario begins that does not say so: 2026-01-05, a Monday and no holiday.
const START: StartForm = StartForm::Local(Civil(1_767_571_200_000));
/// How often the world is looked at.
const STEP: Span = Span::from_secs(60);
/// How long a probe takes to answer.
const PROBE_TAKES: Span = Span::from_millis(100);
/// More than anybody waits for.
const MOST_STEPS: usize = 100_000_000;
const MOST_HOSTS: usize = 1_000_000;
const MOST_GUESTS: usize = 1_000_000;

struct Builder<'a> {
    zones: &'a dyn Zones,
    files: &'a mut dyn Files,
    doubts: Doubts,
    inner: &'a BTreeMap<Place, Doubts>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    told: Vec<Told>,
    zone: Arc<Zone>,
    arrays: Vec<Array>,
    /// The hosts of each array: the ring first, then the base.
    rings: Vec<Vec<HostIx>>,
    hosts: Vec<Host>,
    /// Whether the scenario names prices, by array.
    priced: Vec<bool>,
    array_named: BTreeMap<String, ArrayIx>,
    host_named: BTreeMap<String, (HostIx, Option<Place>)>,
    /// What ranges that can't be read begin with: whatever begins so may be one of them.
    vague_hosts: Vec<String>,
    vague_guests: Vec<String>,
    queues: Vec<Queue>,
    policies: Vec<Arc<Policy>>,
    by_path: BTreeMap<String, Option<Arc<policies::Known>>>,
    guests: Vec<Guest>,
    guest_named: BTreeMap<String, (GuestIx, Option<Place>)>,
    loads: load::Loads,
}

pub(super) fn build(
    file: &ScenarioFile,
    zones: &dyn Zones,
    files: &mut dyn Files,
    (doubts, inner): (Doubts, &BTreeMap<Place, Doubts>),
    problems: Vec<Problem>,
) -> Result<Built, Faulty> {
    let mut builder = Builder {
        zones,
        files,
        doubts,
        inner,
        problems,
        warnings: Vec::new(),
        told: Vec::new(),
        zone: Arc::new(Zone::utc()),
        arrays: Vec::new(),
        rings: Vec::new(),
        hosts: Vec::new(),
        priced: Vec::new(),
        array_named: BTreeMap::new(),
        host_named: BTreeMap::new(),
        vague_hosts: Vec::new(),
        vague_guests: Vec::new(),
        queues: Vec::new(),
        policies: Vec::new(),
        by_path: BTreeMap::new(),
        guests: Vec::new(),
        guest_named: BTreeMap::new(),
        loads: load::Loads::default(),
    };
    let scenario = builder.scenario(file);
    let Builder { problems, warnings, told, .. } = builder;
    let (faulty, told): (Vec<Told>, Vec<Told>) =
        told.into_iter().partition(|told| told.problems.iter().any(Problem::is_error));
    if problems.is_empty() && faulty.is_empty() {
        return Ok(Built { scenario, warnings, policies: told });
    }
    Err(Faulty { problems, policies: faulty })
}

impl Builder<'_> {
    fn scenario(&mut self, file: &ScenarioFile) -> Scenario {
        self.zone(file);
        let start = self.start(file);
        let (lasts, step) = self.steps(file);
        self.arrays(file);
        self.queues(file);
        let groups = self.guests(file);
        let faults = self.faults(file, &groups);
        if file.guests.is_empty() {
            self.warn(&Warning::NoGuests, None, "guests".to_owned());
        }
        Scenario {
            start,
            zone: Zone::clone(&self.zone),
            lasts,
            step,
            seed: file.seed.as_ref().map_or(1, |seed| seed.value),
            arrays: core::mem::take(&mut self.arrays),
            hosts: core::mem::take(&mut self.hosts),
            policies: core::mem::take(&mut self.policies),
            queues: core::mem::take(&mut self.queues),
            kinds: groups.kinds,
            guests: core::mem::take(&mut self.guests),
            management: management(file),
            faults,
        }
    }

    fn zone(&mut self, file: &ScenarioFile) {
        let Some(name) = &file.zone else { return };
        match self.zones.zone(&name.value) {
            Some(zone) => self.zone = Arc::new(zone),
            None => {
                let kind = PolicyErrorKind::UnknownZone { zone: name.value.clone() };
                let known = self.zones.names();
                let near = nearest(&name.value, known.iter().map(String::as_str)).map(str::to_owned);
                let mut problem = of_policy(&kind, name.place, "zone".to_owned());
                problem.hint = near.map(|near| format!("did you mean `{near}`?")).or(problem.hint);
                self.problems.push(problem);
            }
        }
    }

    /// Where the clock skips that time, the first instant after it; where it comes twice, the first one.
    fn start(&self, file: &ScenarioFile) -> Wall {
        match file.start.as_ref().map_or(START, |start| start.value) {
            StartForm::Instant(wall) => wall,
            StartForm::Local(civil) => match self.zone.readings(civil) {
                Readings::Never { next } => next,
                Readings::Once(wall) | Readings::Twice(wall, _) => wall,
            },
        }
    }

    fn steps(&mut self, file: &ScenarioFile) -> (Span, Span) {
        let step = file.step.as_ref().map_or(STEP, |step| step.value);
        let lasts = file.lasts.value;
        for (key, span) in [("lasts", Some(&file.lasts)), ("step", file.step.as_ref())] {
            if let Some(span) = span
                && span.value.is_zero()
                && !self.doubts.stands_in(span)
            {
                let found = "0s".to_owned();
                let kind = Kind::BadValue { key, found, expected: "one that is longer than nothing" };
                self.blame(&kind, span.place, key.to_owned());
            }
        }
        if lasts.millis() / step.millis().max(1) > MOST_STEPS as u64 {
            let place = file.step.as_ref().and_then(|step| step.place).or(file.lasts.place);
            self.blame(&Kind::TooMuch { what: "steps", most: MOST_STEPS }, place, "step".to_owned());
        }
        (lasts, step)
    }

    fn blame(&mut self, kind: &Kind, place: Option<Place>, path: String) {
        self.problems.push(error(kind, place, path));
    }

    fn hinted(&mut self, kind: &Kind, place: Option<Place>, path: String, hint: Option<String>) {
        let problem = error(kind, place, path);
        let hint = hint.or_else(|| problem.hint.clone());
        self.problems.push(Problem { hint, ..problem });
    }

    fn warn(&mut self, kind: &Warning, place: Option<Place>, path: String) {
        self.warnings.push(warning(kind, place, path));
    }

    /// As the judgement of a policy says it.
    fn blame_as_policy(&mut self, kind: &PolicyErrorKind, place: Option<Place>, path: String) {
        self.problems.push(of_policy(kind, place, path));
    }

    /// A name that nothing has, with the one that was perhaps meant.
    fn undefined<'n>(
        &mut self,
        what: Noun,
        name: &Located<String>,
        path: String,
        known: impl Iterator<Item = &'n str>,
    ) {
        let kind = PolicyErrorKind::Undefined { what, name: name.value.clone() };
        let worth = self.problems.len() < MOST_SUGGESTIONS;
        let near = worth.then(|| nearest(&name.value, known)).flatten();
        let mut problem = of_policy(&kind, name.place, path);
        problem.hint = near.map(|near| format!("did you mean `{near}`?"));
        self.problems.push(problem);
    }

    /// The same thing is there twice.
    fn twice(&mut self, kind: &PolicyErrorKind, place: Option<Place>, path: String, first: Option<Place>) {
        let mut problem = of_policy(kind, place, path);
        problem.labels.extend(first.map(|place| Label { place, text: "first here".to_owned() }));
        self.problems.push(problem);
    }

    /// Blames what can't be a name.
    fn named(&mut self, what: Noun, name: &Located<String>, path: impl FnOnce() -> String) {
        if !is_name(&name.value) && !self.doubts.stands_in(name) {
            let kind = PolicyErrorKind::BadName { what, name: name.value.clone() };
            self.blame_as_policy(&kind, name.place, path());
        }
    }

    /// The names that a text stands for.
    fn names(&mut self, text: &Located<String>, path: impl FnOnce() -> String) -> Option<Vec<String>> {
        match expand(&text.value) {
            Ok(names) => Some(names),
            Err(why) => {
                let kind = Kind::BadRange { text: text.value.clone(), why };
                self.blame(&kind, text.place, path());
                None
            }
        }
    }

    /// The number of an array.
    fn find_array(&mut self, name: &Located<String>, path: String) -> Option<ArrayIx> {
        if self.doubts.stands_in(name) {
            return None;
        }
        let found = self.array_named.get(&name.value).copied();
        if found.is_none() && !self.doubts.arrays {
            let known: Vec<String> = self.array_named.keys().cloned().collect();
            self.undefined(Noun::Array, name, path, known.iter().map(String::as_str));
        }
        found
    }

    /// The number of a host.
    fn find_host(&mut self, name: &Located<String>, path: String) -> Option<HostIx> {
        if self.doubts.stands_in(name) {
            return None;
        }
        let found = self.host_named.get(&name.value).map(|&(host, _)| host);
        if found.is_none() && !self.doubts.hosts && !is_vague(&self.vague_hosts, &name.value) {
            let known: Vec<String> = self.host_named.keys().take(2_000).cloned().collect();
            self.undefined(Noun::Host, name, path, known.iter().map(String::as_str));
        }
        found
    }
}

fn management(file: &ScenarioFile) -> Option<Management> {
    let form = file.management.as_ref()?;
    let every = form.every.as_ref().map_or(Management::EVERY, |every| every.value);
    form.kind.value.map(|kind| Management { kind, every })
}

/// What a range begins with that can't be read.
fn beginning(text: &str) -> String {
    text.split(['[', ']']).next().unwrap_or("").to_owned()
}

fn is_vague(beginnings: &[String], name: &str) -> bool {
    beginnings.iter().any(|beginning| name.starts_with(beginning.as_str()))
}
