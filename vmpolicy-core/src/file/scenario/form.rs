//! `ScenarioFile`: what a scenario file says, with its places, before anyone judged it.
//!
//! It is made by the reader, or by a program that wants to write a scenario down; [`ScenarioFile::build`] turns it
//! into a [`Scenario`](crate::sim::scenario::Scenario) or into all that is wrong with it, and
//! [`ScenarioFile::to_yaml`] into a file that is read back as the same. Numbers are in the units of
//! [`sim::scenario`](crate::sim::scenario): bytes, bytes a second, GHz. What is left out has the default that
//! `docs/scenario-file.md` names.

use super::super::shell::ProbeSpec;
use crate::input::Absence;
use crate::leaf::window::Civil;
use crate::policy::{Located, PolicyFile, PriceForm};
use crate::sim::load::Then;
use crate::sim::scenario::ManagerKind;
use crate::sim::service::ServiceSpec;
use crate::time::{Span, Wall};

/// A whole scenario as written.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioFile {
    /// `start:`
    pub start: Option<Located<StartForm>>,
    /// `zone:`
    pub zone: Option<Located<String>>,
    /// `lasts:`
    pub lasts: Located<Span>,
    /// `step:`
    pub step: Option<Located<Span>>,
    /// `seed:`
    pub seed: Option<Located<u64>>,
    /// `arrays:`
    pub arrays: Vec<ArrayForm>,
    /// `queues:`
    pub queues: Vec<QueueForm>,
    /// `guests:`
    pub guests: Vec<GuestForm>,
    /// `faults:`
    pub faults: Vec<FaultForm>,
    /// `management:`
    pub management: Option<ManagementForm>,
}

impl ScenarioFile {
    /// A scenario of this length with nothing in it yet.
    #[must_use]
    pub const fn new(lasts: Span) -> Self {
        Self {
            start: None,
            zone: None,
            lasts: Located::made(lasts),
            step: None,
            seed: None,
            arrays: Vec::new(),
            queues: Vec::new(),
            guests: Vec::new(),
            faults: Vec::new(),
            management: None,
        }
    }
}

/// When a scenario begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartForm {
    /// At this instant: `2009-05-06T12:00:00Z`.
    Instant(Wall),
    /// When the clock of the scenario's zone shows this: `2009-05-06T14:00`.
    Local(Civil),
}

/// `NAME: { hosts: [...], base: HOST, each: {...}, but: {...}, ... }`
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayForm {
    /// Its name.
    pub name: Located<String>,
    /// The ring: names, or ranges of names such as `host[1-800]`.
    pub hosts: Located<Vec<Located<String>>>,
    /// The base.
    pub base: Option<Located<String>>,
    /// Prices per hour.
    pub price: Option<Located<PriceForm>>,
    /// What its hosts are like, the base too.
    pub each: HostForm,
    /// Names or ranges of those that are otherwise, and how.
    pub but: Vec<(Located<String>, HostForm)>,
    /// What live migration costs.
    pub live: Option<LiveForm>,
    /// What it takes to leave for another array.
    pub leaving: Option<LeavingForm>,
    /// How the provider behaves.
    pub provider: ProviderForm,
}

/// `{ cores: 2, clock: 2.6GHz, memory: 8GiB, power: ..., price: 0.12 }`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostForm {
    /// Processor cores.
    pub cores: Option<Located<u32>>,
    /// The clock of each, in GHz.
    pub clock: Option<Located<f64>>,
    /// Bytes of memory.
    pub memory: Option<Located<f64>>,
    /// What it draws.
    pub power: Option<Located<PowerForm>>,
    /// Price an hour; in `but` only.
    pub price: Option<Located<f64>>,
}

/// What a host draws.
#[derive(Clone, Debug, PartialEq)]
pub enum PowerForm {
    /// `{ idle: 93.7, full: 135 }`, in watts.
    Linear {
        /// With nothing to do.
        idle: f64,
        /// With all cores busy.
        full: f64,
    },
    /// Eleven numbers: watts at 0, 10, ... 100 % of its capacity.
    Table(Vec<f64>),
    /// A machine whose table is known.
    Model(String),
}

/// What live migration costs.
#[derive(Clone, Debug, PartialEq)]
pub enum LiveForm {
    /// `{ takes: 0s }`
    Takes(Located<Span>),
    /// `{ link: 1Gbit/s }`, in bytes a second.
    Link(Located<f64>),
}

/// What a relocation away takes.
#[derive(Clone, Debug, PartialEq)]
pub enum LeavingForm {
    /// `{ takes: [1324s, 574s] }`: a guest's first, its second, and so on.
    Takes(Located<Vec<Span>>),
    /// `{ link: 100Mbit/s }`, in bytes a second.
    Link(Located<f64>),
}

/// `{ answers_in: [1s, 5s], refuses: 0.05, ... }`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderForm {
    /// The shortest and the longest time until it answers.
    pub answers_in: Option<Located<(Span, Span)>>,
    /// Whether it says when a move is done.
    pub confirms: Option<bool>,
    /// Whether a request that comes twice is carried out once.
    pub deduplicates: Option<bool>,
    /// Whether it refuses where the memory is taken.
    pub checks_memory: Option<bool>,
    /// Moves at once; 0 for no limit.
    pub at_once: Option<Located<u32>>,
    /// The chance that a request is lost.
    pub loses_requests: Option<Located<f64>>,
    /// The chance that an answer is lost.
    pub loses_answers: Option<Located<f64>>,
    /// The chance that an answer comes twice.
    pub doubles: Option<Located<f64>>,
    /// The chance that an answer takes ten times as long.
    pub delays: Option<Located<f64>>,
    /// The chance that it refuses.
    pub refuses: Option<Located<f64>>,
    /// The chance that it accepts and does nothing.
    pub ignores: Option<Located<f64>>,
    /// The chance that a move fails on its way.
    pub fails: Option<Located<f64>>,
    /// `{ every: 60s, late: 10s }`: a published order of hosts.
    pub ranking: Option<Located<RankingForm>>,
}

/// `{ every: 60s, late: 10s }`
#[derive(Clone, Debug, PartialEq)]
pub struct RankingForm {
    /// How often it is published.
    pub every: Located<Span>,
    /// How old it is when it arrives.
    pub late: Option<Located<Span>>,
}

/// `NAME: { at: HOST, policy: PATH, service: ..., load: ..., ... }`
#[derive(Clone, Debug, PartialEq)]
pub struct GuestForm {
    /// Its name, or a range of names such as `nii[1-1000]`.
    pub name: Located<String>,
    /// Where it starts.
    pub at: Option<Located<AtForm>>,
    /// Virtual processors.
    pub vcpus: Option<Located<u32>>,
    /// Bytes of memory.
    pub memory: Option<Located<f64>>,
    /// Bytes of memory that it dirties a second.
    pub dirties: Option<Located<f64>>,
    /// Bytes that it dirties again and again.
    pub working_set: Option<Located<f64>>,
    /// Bytes of its disk that are used.
    pub disk: Option<Located<f64>>,
    /// How long it takes to shut down.
    pub shutdown: Option<Located<Span>>,
    /// How long it takes to boot.
    pub boot: Option<Located<Span>>,
    /// Its service.
    pub service: Option<Located<ServiceSpec>>,
    /// What is asked of it.
    pub load: Option<Located<LoadForm>>,
    /// Its policy; none for a guest of the background.
    pub policy: Option<Located<PolicyForm>>,
    /// Indicators, and what of the service feeds them.
    pub feeds: Vec<(Located<String>, Located<FeedForm>)>,
    /// Whether it can look up where it is.
    pub locates: Option<bool>,
    /// How long each probe takes.
    pub probe_takes: Option<Located<Span>>,
}

impl GuestForm {
    /// A guest of this name of which nothing else is said.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: Located::made(name.into()),
            at: None,
            vcpus: None,
            memory: None,
            dirties: None,
            working_set: None,
            disk: None,
            shutdown: None,
            boot: None,
            service: None,
            load: None,
            policy: None,
            feeds: Vec::new(),
            locates: None,
            probe_takes: None,
        }
    }
}

/// What an indicator reads.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedForm {
    /// `response_ms`: what a probe of the service reads.
    Gauge(String),
    /// `{ follows: LOAD, strain: 300, counts: true }`: a number of its own, whatever the service does.
    Follows {
        /// The number.
        load: Located<LoadForm>,
        /// What is added where the guest gets nothing of the processor time that it wants.
        strain: f64,
        /// Whether it is so much a second, and what is read counts it up.
        counts: bool,
    },
}

/// Where the guests of a group start.
#[derive(Clone, Debug, PartialEq)]
pub enum AtForm {
    /// On this host, or on these in turn: names or ranges.
    Hosts(Vec<Located<String>>),
    /// Over the ring of an array, in turn or where most memory is free.
    Spread {
        /// Which; may be left out where there is one.
        array: Option<Located<String>>,
        /// Where most memory is free.
        by_memory: bool,
    },
}

/// A policy of a guest.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyForm {
    /// A policy file, by its path from the scenario's folder.
    File(String),
    /// The policy itself.
    Inline(Box<InlinePolicy>),
}

/// A policy that stands in the scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct InlinePolicy {
    /// What it says; where it has no arrays, they are the scenario's.
    pub file: PolicyFile,
    /// A probe for each indicator, in their order: it says what feeds them.
    pub probes: Vec<Option<Located<ProbeSpec>>>,
}

/// What is asked of a service.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadForm {
    /// `20`
    Constant(f64),
    /// `{ day: { low: 2, high: 60, peak: 14h } }`, and `week`.
    Wave {
        /// Over a week, not a day.
        week: bool,
        /// Its least value.
        low: f64,
        /// Its largest value.
        high: f64,
        /// When that is, since midnight or Monday's midnight.
        peak: Span,
    },
    /// `{ weekdays: [1, 1, 1, 1, 1, 0.4, 0.2] }`: Monday's to Sunday's.
    Weekdays([f64; 7]),
    /// `{ bursts: { gap: 2h, length: 10m, height: 30 } }`
    Bursts {
        /// Mean time between them.
        gap: Span,
        /// Mean length.
        length: Span,
        /// The value while there is one.
        height: f64,
    },
    /// `{ bursts: { at: [3h, 9h], length: 10m, height: 30 } }`
    BurstsAt {
        /// When.
        at: Vec<Span>,
        /// How long each.
        length: Span,
        /// The value while there is one.
        height: f64,
    },
    /// `{ mmpp: { rates: [5, 40], stays: [30m, 5m] } }`
    Mmpp {
        /// The two rates.
        rates: [f64; 2],
        /// How long it stays at each, in the mean.
        stays: [Span; 2],
    },
    /// `{ steps: { 0s: 20, 16h: 50 } }`, with `repeat: 24h` from the beginning again.
    Steps {
        /// From when on which value.
        rows: Vec<(Span, f64)>,
        /// After how long it begins again.
        repeat: Option<Span>,
    },
    /// `{ trace: FILE, series: NAME, times: 2, then: repeat }`
    Trace {
        /// The file.
        path: String,
        /// Which of its series.
        series: Option<String>,
        /// So many times the recorded value.
        times: Option<f64>,
        /// What comes after its end.
        then: Then,
    },
    /// `{ planetlab: FOLDER }`: the n-th file in name order is the n-th guest's.
    Planetlab {
        /// The folder.
        path: String,
        /// What comes after the end of a file.
        then: Then,
    },
    /// `{ sum: [...] }`
    Sum(Vec<Located<LoadForm>>),
    /// `{ product: [...] }`
    Product(Vec<Located<LoadForm>>),
}

/// `NAME: { classes: { grade a: 71 }, batches: [...] }`, or `arrive` for batches at random.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueForm {
    /// Its name, the one that policies know it by.
    pub name: Located<String>,
    /// Classes of jobs, and the work of each of their jobs in gigacycles.
    pub classes: Vec<(Located<String>, Located<f64>)>,
    /// When batches come.
    pub arrivals: Located<ArrivalsForm>,
}

/// When batches come, and what is in them.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrivalsForm {
    /// `batches: [{ at: 10m, jobs: { grade a: 2, grade b: 1 } }, ...]`
    Batches(Vec<BatchForm>),
    /// `arrive: { gap: 30m, jobs: [2, 8], shares: { grade a: 1, grade b: 3 } }`
    Random {
        /// The mean time between two.
        gap: Span,
        /// The least and the largest number of jobs.
        jobs: (u32, u32),
        /// How likely a job is of each class; classes that are left out never come.
        shares: Vec<(Located<String>, f64)>,
    },
}

/// `{ at: 10m, jobs: { grade a: 2, grade b: 1 } }`
#[derive(Clone, Debug, PartialEq)]
pub struct BatchForm {
    /// When it comes, from the beginning.
    pub at: Located<Span>,
    /// Its jobs in their order: so many of a class, then so many of another.
    pub jobs: Vec<(Located<String>, u32)>,
}

/// Something that happens: `{ at: 3h, lasts: 1h, provider: down }`
#[derive(Clone, Debug, PartialEq)]
pub struct FaultForm {
    /// When, from the beginning.
    pub at: Located<Span>,
    /// For how long; for the rest of the scenario, where that is left out.
    pub lasts: Option<Located<Span>>,
    /// To which guests; all where that is left out.
    pub guests: Option<Located<Vec<Located<String>>>>,
    /// To which array; all where that is left out.
    pub array: Option<Located<String>>,
    /// What.
    pub what: Located<WhatForm>,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum WhatForm {
    /// `reload: POLICY`
    Reload(Located<PolicyForm>),
    /// `daemon: crash`
    DaemonCrash,
    /// `guest: pause`
    Pause,
    /// `clock: -1h`: the wall clock is set by so much.
    Clock {
        /// Milliseconds, forward or back.
        by_ms: i64,
    },
    /// `probes: hang`
    ProbesHang,
    /// `probes: { fail: unreachable }`
    ProbesFail(Absence),
    /// `probes: { say: 1e9 }`
    ProbesSay(f64),
    /// `service: restart`
    ServiceRestart,
    /// `locator: fail`
    LocatorFails,
    /// `load_times: 3`
    LoadTimes(f64),
    /// `moved_to: HOST`
    MovedTo(Located<String>),
    /// `operator: hold`, `operator: { hold: 1h }`
    Hold(Option<Span>),
    /// `operator: resume`
    Resume,
    /// `operator: abandon`
    Abandon,
    /// `crash: HOST`
    HostCrash(Located<String>),
    /// `drain: HOST`, with `comes_true: false` where nothing follows.
    Drain {
        /// The host.
        host: Located<String>,
        /// Whether the host is emptied at the end.
        comes_true: bool,
    },
    /// `provider: down`
    ProviderDown,
    /// `provider: { refuses: 0.5 }`: what is left out stays as it was.
    ProviderBehaves(Box<ProviderForm>),
    /// `link_times: 0.1`
    LinkTimes(f64),
}

/// `thr-mmt`, or `{ kind: thr-mmt, every: 300s }`
#[derive(Clone, Debug, PartialEq)]
pub struct ManagementForm {
    /// Which; none for `none`.
    pub kind: Located<Option<ManagerKind>>,
    /// How often it looks.
    pub every: Option<Located<Span>>,
}
