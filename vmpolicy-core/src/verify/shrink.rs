//! From a world that breaks something to a small one that still breaks the same thing.
//!
//! One thing at a time is left out or made plainer, and stays so where the same expectation or invariant is still broken,
//! perhaps at another time or by another guest. What is tried, and in which order, depends on the file alone.

use super::judge::{Broken, Which};
use super::{Study, Tried};
use crate::file::scenario::{
    AtForm, FeedForm, GuestForm, HostForm, LeavingForm, LiveForm, LoadForm, ProviderForm, ScenarioFile,
    StartForm,
};
use crate::policy::Located;
use crate::sim::service::ServiceSpec;
use crate::time::{Span, Wall};

/// More runs than this are not worth what they would save.
const RUNS: u32 = 400;
/// What one round leaves may make room for another.
const ROUNDS: u32 = 4;
const MINUTE: u64 = 60_000;

/// A small world that breaks something.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The world.
    pub file: ScenarioFile,
    /// What it breaks.
    pub broken: Broken,
    /// The last decisions of that guest with their reasons, and the faults between, as lines.
    pub story: Vec<String>,
    /// How many worlds were run for it.
    pub runs: u32,
}

struct Shrinking<'a> {
    study: &'a Study,
    what: Which,
    file: ScenarioFile,
    broken: Broken,
    runs: u32,
}

pub(super) fn shrink(study: &Study, file: &ScenarioFile) -> Option<Shrunk> {
    let broken = study.judge(&study.build(file).ok()?).broken?;
    let what = broken.what.clone();
    let mut shrinking = Shrinking { study, what, file: file.clone(), broken, runs: 1 };
    for _ in 0..ROUNDS {
        let before = shrinking.file.clone();
        shrinking.cut_the_end();
        shrinking.drop_faults();
        shrinking.drop_guests();
        shrinking.calm_providers();
        shrinking.plain_loads();
        shrinking.plain_places();
        shrinking.plain_guests();
        shrinking.plain_faults();
        shrinking.plain_frame();
        if shrinking.file == before {
            break;
        }
    }
    shrinking.cut_the_end();
    let scenario = study.build(&shrinking.file).ok()?;
    let (Tried { broken, .. }, story) = study.tell(&scenario);
    let Shrinking { file, runs, .. } = shrinking;
    Some(Shrunk { file, broken: broken?, story, runs: runs + 1 })
}

impl Shrinking<'_> {
    /// Whether the world still breaks the same thing after this change; then it stays so.
    fn stays(&mut self, change: impl FnOnce(&mut ScenarioFile)) -> bool {
        if self.runs >= RUNS {
            return false;
        }
        let mut file = self.file.clone();
        change(&mut file);
        if file == self.file {
            return false;
        }
        // What can't be built was no idea.
        let Ok(scenario) = self.study.build(&file) else { return false };
        self.runs += 1;
        match self.study.judge(&scenario).broken {
            Some(broken) if broken.what == self.what => {
                (self.file, self.broken) = (file, broken);
                true
            }
            _ => false,
        }
    }

    /// What comes after it need not be there.
    fn cut_the_end(&mut self) {
        let step = self.file.step.as_ref().map_or(Span::from_secs(60), |step| step.value);
        let end = self.broken.at.millis() + step.millis() + 1_000;
        let end = Span::from_millis(end.next_multiple_of(MINUTE));
        if end < self.file.lasts.value {
            self.stays(|file| {
                file.lasts = Located::made(end);
                file.faults.retain(|fault| fault.at.value < end);
            });
        }
    }

    /// In halves, then in smaller parts, then one by one.
    fn drop_faults(&mut self) {
        let mut part = self.file.faults.len().div_ceil(2);
        while part > 0 {
            let mut at = 0;
            while at < self.file.faults.len() {
                let end = (at + part).min(self.file.faults.len());
                if !self.stays(|file| drop(file.faults.drain(at..end))) {
                    at = end;
                }
            }
            part /= 2;
        }
    }

    fn drop_guests(&mut self) {
        // The whole background at once, then one by one.
        self.stays(|file| file.guests.retain(|guest| guest.policy.is_some()));
        for at in (0..self.file.guests.len()).rev() {
            self.stays(|file| {
                let gone = file.guests.remove(at);
                forget(file, &gone.name.value);
            });
        }
        // One of a range is enough.
        for at in 0..self.file.guests.len() {
            let name = self.file.guests[at].name.value.clone();
            let Some((stem, rest)) = name.split_once("[1-") else { continue };
            let last: usize = rest.trim_end_matches(']').parse().unwrap_or(1);
            for number in 1..=last {
                let one = format!("{stem}{number}");
                if self.stays(|file| only_one(file, at, &one, number - 1)) {
                    break;
                }
            }
        }
        self.stays(|file| file.queues.clear());
        for at in (0..self.file.queues.len()).rev() {
            self.stays(|file| drop(file.queues.remove(at)));
        }
    }

    fn calm_providers(&mut self) {
        self.stays(|file| file.arrays.iter_mut().for_each(|array| array.provider = ProviderForm::default()));
        for at in 0..self.file.arrays.len() {
            if self.stays(|file| file.arrays[at].provider = ProviderForm::default()) {
                continue;
            }
            let calm: [fn(&mut ProviderForm); 13] = [
                |form| form.answers_in = None,
                |form| form.ranking = None,
                |form| form.at_once = None,
                |form| form.confirms = None,
                |form| form.deduplicates = None,
                |form| form.checks_memory = None,
                |form| form.loses_requests = None,
                |form| form.loses_answers = None,
                |form| form.doubles = None,
                |form| form.delays = None,
                |form| form.refuses = None,
                |form| form.ignores = None,
                |form| form.fails = None,
            ];
            for change in calm {
                self.stays(|file| change(&mut file.arrays[at].provider));
            }
        }
    }

    fn plain_loads(&mut self) {
        for at in 0..self.file.guests.len() {
            if !self.stays(|file| (file.guests[at].load, file.guests[at].service) = (None, None)) {
                self.stays(|file| file.guests[at].service = None);
                self.plain_load(|file| file.guests[at].load.as_mut().map(|load| &mut load.value));
            }
            for feed in 0..self.file.guests[at].feeds.len() {
                self.stays(|file| {
                    if let FeedForm::Follows { strain, .. } = &mut file.guests[at].feeds[feed].1.value {
                        *strain = 0.0;
                    }
                });
                self.plain_load(|file| match &mut file.guests[at].feeds[feed].1.value {
                    FeedForm::Follows { load, .. } => Some(&mut load.value),
                    FeedForm::Gauge(_) => None,
                });
            }
        }
    }

    /// A load made constant, or else fewer steps.
    fn plain_load(&mut self, of: impl Fn(&mut ScenarioFile) -> Option<&mut LoadForm>) {
        let Some(load) = of(&mut self.file).cloned() else { return };
        if let LoadForm::Constant(_) = load {
            return;
        }
        let mut values = values(&load);
        values.sort_by(f64::total_cmp);
        values.dedup();
        for value in [values.first(), values.last()].into_iter().flatten() {
            let constant = |file: &mut ScenarioFile| {
                if let Some(load) = of(file) {
                    *load = LoadForm::Constant(*value);
                }
            };
            if self.stays(constant) {
                return;
            }
        }
        if let LoadForm::Steps { rows, .. } = load {
            for row in (0..rows.len()).rev() {
                self.stays(|file| {
                    if let Some(LoadForm::Steps { rows, repeat: None }) = of(file)
                        && rows.len() > 1
                        && row < rows.len()
                    {
                        rows.remove(row);
                    }
                });
            }
        }
    }

    fn plain_places(&mut self) {
        for at in 0..self.file.arrays.len() {
            self.stays(|file| {
                file.arrays[at].but.clear();
                file.arrays[at].each = HostForm::default();
            });
            for but in (0..self.file.arrays[at].but.len()).rev() {
                self.stays(|file| drop(file.arrays[at].but.remove(but)));
            }
            let at_once = |span| Located::made(span);
            self.stays(|file| file.arrays[at].live = Some(LiveForm::Takes(at_once(Span::ZERO))));
            self.stays(|file| file.arrays[at].live = Some(LiveForm::Takes(at_once(Span::from_mins(1)))));
            self.stays(|file| {
                file.arrays[at].leaving = Some(LeavingForm::Takes(Located::made(vec![Span::from_mins(10)])));
            });
        }
    }

    fn plain_guests(&mut self) {
        for at in 0..self.file.guests.len() {
            let plain: [fn(&mut GuestForm); 8] = [
                |form| (form.vcpus, form.memory, form.dirties, form.disk) = (None, None, None, None),
                |form| (form.shutdown, form.boot) = (None, None),
                |form| form.vcpus = None,
                |form| form.memory = None,
                |form| form.dirties = None,
                |form| form.disk = None,
                |form| form.probe_takes = None,
                |form| form.locates = None,
            ];
            for change in plain {
                self.stays(|file| change(&mut file.guests[at]));
            }
            let service = self.file.guests[at].service.as_ref();
            if service.is_some_and(|service| service.value == ServiceSpec::default()) {
                self.stays(|file| file.guests[at].service = None);
            }
        }
    }

    fn plain_faults(&mut self) {
        for at in 0..self.file.faults.len() {
            for round in [60 * MINUTE, 10 * MINUTE, MINUTE, 1_000] {
                let lasts = self.file.faults[at].lasts.as_ref().map(|lasts| lasts.value.millis());
                if let Some(lasts) = lasts {
                    let shorter = Span::from_millis((lasts / 2).next_multiple_of(round));
                    if shorter.millis() < lasts {
                        self.stays(|file| file.faults[at].lasts = Some(Located::made(shorter)));
                    }
                }
                let whole = self.file.faults[at].at.value.millis() / round * round;
                if self.stays(|file| file.faults[at].at = Located::made(Span::from_millis(whole))) {
                    break;
                }
            }
            self.stays(|file| (file.faults[at].guests, file.faults[at].array) = (None, None));
        }
    }

    fn plain_frame(&mut self) {
        self.stays(|file| file.step = None);
        self.stays(|file| file.seed = None);
        if let Some(Located { value: StartForm::Instant(Wall(start)), .. }) = self.file.start {
            for round in [24 * 60 * MINUTE, 60 * MINUTE, MINUTE] {
                let round = i64::try_from(round).unwrap_or(1);
                let start = Wall(start.div_euclid(round) * round);
                if self.stays(|file| file.start = Some(Located::made(StartForm::Instant(start)))) {
                    break;
                }
            }
        }
    }
}

/// Faults of a guest that is gone are gone too.
fn forget(file: &mut ScenarioFile, name: &str) {
    let stem = name.split('[').next().unwrap_or(name);
    file.faults.retain(|fault| {
        fault
            .guests
            .as_ref()
            .is_none_or(|guests| !guests.value.iter().any(|guest| guest.value.starts_with(stem)))
    });
}

/// A range becomes one of its guests, where that one was.
fn only_one(file: &mut ScenarioFile, at: usize, one: &str, place: usize) {
    let range = core::mem::replace(&mut file.guests[at].name.value, one.to_owned());
    if let Some(Located { value: AtForm::Hosts(hosts), .. }) = &mut file.guests[at].at
        && !hosts.is_empty()
    {
        *hosts = vec![hosts[place % hosts.len()].clone()];
    }
    let stem = range.split('[').next().unwrap_or_default().to_owned();
    let is_other = |guest: &str| guest != one && guest != range && guest.starts_with(&stem);
    file.faults.retain(|fault| {
        let guests = fault.guests.as_ref();
        guests.is_none_or(|guests| !guests.value.iter().any(|guest| is_other(&guest.value)))
    });
    for fault in &mut file.faults {
        for guest in fault.guests.iter_mut().flat_map(|guests| &mut guests.value) {
            if guest.value == range {
                guest.value = one.to_owned();
            }
        }
    }
}

/// The values that a load takes, as far as it names them.
fn values(load: &LoadForm) -> Vec<f64> {
    match load {
        LoadForm::Constant(value) => vec![*value],
        LoadForm::Wave { low, high, .. } => vec![*low, *high],
        LoadForm::Weekdays(factors) => factors.to_vec(),
        LoadForm::Bursts { height, .. } | LoadForm::BurstsAt { height, .. } => vec![0.0, *height],
        LoadForm::Mmpp { rates, .. } => rates.to_vec(),
        LoadForm::Steps { rows, .. } => rows.iter().map(|(_, value)| *value).collect(),
        LoadForm::Trace { .. } | LoadForm::Planetlab { .. } => vec![0.0],
        LoadForm::Sum(parts) | LoadForm::Product(parts) => {
            parts.iter().flat_map(|part| values(&part.value)).collect()
        }
    }
}
