//! A slow, obvious model of the engine, written from `docs/ENGINE.md` and from nothing else.
//!
//! It keeps what has happened (samples, requests, failures, places) and looks back over it where the
//! engine keeps a counter. It shares the engine's types and none of its logic: where the two disagree, one
//! of them is wrong, or the page is silent.

mod condition;
mod decide;
mod due;
mod reading;
mod reload;
mod request;
mod target;

use crate::Policy;
use crate::id::{HostId, Id as _, IndicatorId, QueueId, RequestId, RuleId};
use crate::input::{Absence, Hooked, Input, Notice, Setup, Sighting, Word};
use crate::leaf::logic::Truth;
use crate::leaf::window::View;
use crate::output::{Discontinuity, Event, Hold, Origin, Output, Record, Request};
use crate::policy::{Action, Monitor};
use crate::time::{Mono, Now, Span, Wall};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The model: what the engine should be, without any haste.
#[derive(Clone, Debug)]
pub struct Model {
    policy: Arc<Policy>,
    /// A policy that waits for the end of the open request.
    pending: Option<Arc<Policy>>,
    setup: Setup,

    /// The clocks at the last input.
    last: Option<Now>,
    /// The engine's own time.
    t: Mono,
    wall: Wall,

    place: Place,
    /// For each array the ring host that the guest left last.
    left: Vec<Option<HostId>>,
    settle_until: Option<Mono>,
    rest: Option<RuleId>,
    /// None: no hold. Some(None): until told otherwise.
    hold: Option<Option<Mono>>,
    locate_due: Mono,
    drain_said: Option<Hold>,

    indicators: Vec<Polled>,
    rules: Vec<Ruled>,
    hosts: Vec<Noted>,
    rankings: Vec<Option<Ranked>>,
    queues: Vec<Queued>,
    /// What the windows are at this step's wall time.
    windows: Vec<View>,

    /// Every request that was ever made.
    requests: Vec<Asked>,
    /// The one that is open, which is the last of them.
    open: Option<Open>,
    /// Every request that came to nothing and barred its target.
    failures: Vec<Failed>,
    /// Every host that a rule tried in vain on its present tour.
    tried: Vec<Tried>,

    /// Whether something was said in this step that must not be forgotten.
    told: bool,

    /// Rules evaluated in this step to be ready.
    ready: BTreeSet<RuleId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Unknown,
    Elsewhere,
    At(HostId),
}

#[derive(Clone, Debug, Default)]
struct Polled {
    due: Mono,
    asked: Option<Mono>,
    /// When the last poll was taken or, late, asked for.
    last_poll: Option<Mono>,
    baseline: Option<(f64, Mono)>,
    value: Option<f64>,
    missing: u32,
    /// The last poll timed out, which is declared to be a breach.
    timed_out: bool,
    said: Option<Absence>,
}

impl Polled {
    /// As if it had never been polled; when it is due, and what was said of it, stays.
    fn forget(&mut self) {
        *self = Self { due: self.due, said: self.said, ..Self::default() };
    }
}

#[derive(Clone, Debug, Default)]
struct Ruled {
    /// All known samples since the counter last started: when, and whether it was a breach.
    samples: Vec<(Mono, bool)>,
    /// When each Clear was since the clear run last started.
    clears: Vec<Mono>,
    /// Whether the clear run has reached the tarry in this stay.
    good_here: bool,
    fresh: BTreeSet<IndicatorId>,
    /// For a rule that reads only the clock: since when it has been true.
    since: Option<Mono>,
    done: bool,
    said: Option<Said>,
    tour_level: u32,
    pause_until: Option<Mono>,
    /// What the rule's condition said when it was evaluated last.
    truth: Option<Truth>,
}

impl Ruled {
    /// That it was held back is forgotten: there is nothing to hold back any more.
    fn not_ready(&mut self) {
        if let Some(Said::Held(_)) = self.said {
            self.said = None;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Held(Hold),
    AlreadyThere,
}

#[derive(Clone, Copy, Debug, Default)]
struct Noted {
    drain_until: Option<Mono>,
    down_until: Option<Mono>,
}

#[derive(Clone, Debug)]
struct Ranked {
    /// All hosts of the ring.
    order: Vec<HostId>,
    until: Mono,
}

#[derive(Clone, Debug, Default)]
struct Queued {
    batch: Option<Batch>,
    running: bool,
    claim_due: Mono,
}

#[derive(Clone, Debug)]
struct Batch {
    classes: Vec<u32>,
    others: u32,
    next: u32,
}

impl Batch {
    fn jobs(&self) -> u32 {
        self.classes.iter().fold(self.others, |sum, count| sum.saturating_add(*count))
    }
}

#[derive(Clone, Debug)]
struct Asked {
    id: RequestId,
    at: Mono,
    origin: Origin,
    to: HostId,
    end: Option<End>,
    /// Not forgotten by a budget that was smaller.
    remembered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Confirmed(Mono),
    /// Without a move: the budget gets it back.
    InVain,
    /// Given up, or the guest went elsewhere.
    Unknown,
}

#[derive(Clone, Debug)]
struct Open {
    request: Request,
    confirm_by: Mono,
    phase: Phase,
    /// To be sent again when the guest is seen at the source.
    resend: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Asked,
    Accepted,
    Unclear { after_failed: bool },
    Overdue,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    host: HostId,
    at: Mono,
    barred: Span,
    /// No move to this host was confirmed since.
    counts: bool,
}

#[derive(Clone, Copy, Debug)]
struct Tried {
    rule: RuleId,
    host: HostId,
}

impl Model {
    /// A guest about which nothing is known but what `setup` says.
    #[must_use]
    pub fn new(policy: Arc<Policy>, setup: Setup) -> Self {
        let at = setup.at.filter(|&at| policy.hosts.row(at).is_some());
        Self {
            pending: None,
            setup,
            last: None,
            t: Mono(0),
            wall: Wall(0),
            place: at.map_or(Place::Unknown, Place::At),
            left: vec![None; policy.arrays.len()],
            settle_until: None,
            rest: None,
            hold: None,
            locate_due: Mono(0),
            drain_said: None,
            indicators: vec![Polled::default(); policy.indicators.len()],
            rules: vec![Ruled::default(); policy.rules.len()],
            hosts: vec![Noted::default(); policy.hosts.len()],
            rankings: vec![None; policy.arrays.len()],
            queues: vec![Queued::default(); policy.queues.len()],
            windows: Vec::new(),
            requests: Vec::new(),
            open: None,
            failures: Vec::new(),
            tried: Vec::new(),
            told: false,
            ready: BTreeSet::new(),
            policy,
        }
    }

    /// One step, as `docs/ENGINE.md` has it.
    pub fn step(&mut self, now: Now, input: &Input, out: &mut Output) {
        out.clear();
        self.ready.clear();
        if let Input::Policy(policy) = input {
            self.pending = Some(Arc::clone(policy));
        }
        if matches!(input, Input::Policy(_) | Input::Tick) {
            self.take_pending(now, out);
        }
        let place = self.place;
        self.told = false;
        self.clock(now, input, out);
        self.by_itself(out);
        self.take(input, out);
        self.limits(out);
        self.settled();
        let waits = self.decide(out);
        self.due(out);
        out.deadline = self.deadline(now.mono, &waits);
        out.save = self.told
            || place != self.place
            || !out.records.is_empty()
            || out.effects.iter().any(due::must_be_saved);
    }

    /// Where the guest is, as far as is known.
    #[must_use]
    pub fn location(&self) -> Option<HostId> {
        match self.place {
            Place::At(host) => Some(host),
            Place::Unknown | Place::Elsewhere => None,
        }
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The open request.
    #[must_use]
    pub fn open_request(&self) -> Option<Request> {
        self.open.as_ref().map(|open| open.request)
    }

    fn record(&self, event: Event, out: &mut Output) {
        out.records.push(Record { at: self.wall, event });
    }

    /// Step 1.
    fn clock(&mut self, now: Now, input: &Input, out: &mut Output) {
        self.wall = now.wall;
        let Some(last) = self.last.replace(now) else {
            self.t = now.mono;
            self.locate_due = self.t;
            for indicator in &mut self.indicators {
                indicator.due = self.t;
            }
            for queue in &mut self.queues {
                queue.claim_due = self.t;
            }
            return;
        };
        let mono = now.mono.0 - last.mono.0;
        let wall = now.wall.0 - last.wall.0;
        let apart = wall - mono;
        let (gone, jump) = if matches!(input, Input::Start(_)) {
            // As little as either clock allows; a monotonic clock that went back has begun anew.
            let jump = mono < 0 || apart.abs() > 2_000;
            let gone = match (jump, mono < 0) {
                (false, _) => mono,
                (true, true) => wall.max(0),
                (true, false) => mono.min(wall.max(0)),
            };
            (gone, jump)
        } else {
            (mono.max(0), apart.abs() > 2_000)
        };
        self.t = self.t.shifted(gone);
        if jump {
            self.void(Discontinuity::Clock { apart_ms: apart }, out);
            self.locate_due = self.t;
        }
    }

    /// Step 2.
    fn by_itself(&mut self, out: &mut Output) {
        self.windows = self.policy.windows.iter().map(|(_, form)| form.window.at(self.wall)).collect();
        self.settled();
        for id in self.policy.indicators.ids() {
            self.late(id, out);
        }
        if let Some(Some(until)) = self.hold
            && self.t >= until
        {
            self.hold = None;
        }
    }

    fn settled(&mut self) {
        let Some(until) = self.settle_until.filter(|&until| self.t >= until) else { return };
        self.settle_until = None;
        for (polled, (_, indicator)) in self.indicators.iter_mut().zip(self.policy.indicators.iter()) {
            polled.asked = None;
            polled.due = if indicator.read.needs_baseline() { until } else { until.plus(indicator.every) };
        }
        for queue in &mut self.queues {
            queue.claim_due = queue.claim_due.max(until);
        }
    }

    /// Step 3.
    fn take(&mut self, input: &Input, out: &mut Output) {
        match input {
            Input::Start(setup) => self.start(*setup, out),
            Input::Tick => {}
            Input::Reading(reading) => self.reading(*reading, out),
            Input::Location(sighting) => match *sighting {
                Sighting::At(host) if self.policy.hosts.row(host).is_some() => {
                    self.seen_at(Place::At(host), out)
                }
                Sighting::At(_) | Sighting::Elsewhere => self.seen_at(Place::Elsewhere, out),
                Sighting::Unknown => {}
            },
            Input::Outcome { id, outcome } => self.outcome(*id, *outcome, out),
            Input::Ranking { array, order, lasts } => {
                if let Some(ranking) = self.rankings.get_mut(array.index()) {
                    self.told = true;
                    let ring: Vec<_> = self.policy.ring(*array).collect();
                    let ranked = Ranked { order: completed(order, &ring), until: self.t.plus(*lasts) };
                    *ranking = (!order.is_empty()).then_some(ranked);
                    // It says anew who is good.
                    self.tried.retain(|tried| !ring.contains(&tried.host));
                }
            }
            Input::Notice { host, notice, lasts } => {
                let until = Some(self.t.plus(*lasts));
                if let Some(noted) = self.hosts.get_mut(host.index()) {
                    self.told = true;
                    match notice {
                        Notice::Drain => noted.drain_until = until,
                        Notice::Down => noted.down_until = until,
                        Notice::Up => *noted = Noted::default(),
                        Notice::Withdrawn => noted.drain_until = None,
                    }
                }
            }
            Input::Batch { queue, classes, others } => self.batch(*queue, classes, *others),
            Input::JobDone { queue } => self.job_done(*queue),
            Input::Hook(hooked) => {
                let listed = |&host: &HostId| self.policy.hosts.row(host).is_some();
                let hooked = Hooked { host: hooked.host.filter(listed), ..*hooked };
                self.record(Event::Hook(hooked), out);
            }
            Input::Operator(word) => {
                self.told = true;
                match *word {
                    Word::Hold(lasts) => self.hold = Some(lasts.map(|lasts| self.t.plus(lasts))),
                    Word::Resume => self.hold = None,
                    Word::Move(host) => self.told_to_move(host, out),
                    Word::Abandon => self.abandon(out),
                }
            }
            Input::Policy(_) => {}
        }
    }

    fn start(&mut self, setup: Setup, out: &mut Output) {
        self.setup = setup;
        let at = setup.at.filter(|&at| self.policy.hosts.row(at).is_some());
        if let (Place::Unknown, Some(at)) = (self.place, at) {
            self.place = Place::At(at);
        }
        for polled in &mut self.indicators {
            polled.asked = None;
        }
        for queue in &mut self.queues {
            queue.running = false;
        }
        self.locate_due = self.t;
        self.restarted_with_open_request(out);
    }

    fn batch(&mut self, queue: QueueId, classes: &[u32], others: u32) {
        let Some(form) = self.policy.queues.row(queue) else { return };
        let batch = Batch { classes: classes.to_vec(), others, next: 0 };
        let queued = &mut self.queues[queue.index()];
        if queued.batch.is_some() || batch.jobs() == 0 || classes.len() != form.classes.len() {
            return;
        }
        queued.batch = Some(batch);
        self.told = true;
        for rule in self.policy.rules.ids() {
            if self.policy.rules[rule].queue == Some(queue) {
                self.evaluate(rule, &BTreeSet::new());
            }
        }
    }

    fn job_done(&mut self, queue: QueueId) {
        let Some(queued) = self.queues.get_mut(queue.index()) else { return };
        let Some(batch) = queued.batch.as_mut().filter(|_| queued.running) else { return };
        self.told = true;
        queued.running = false;
        batch.next += 1;
        if batch.next >= batch.jobs() {
            queued.batch = None;
            queued.claim_due = self.t;
            let policy = &self.policy;
            self.ready.retain(|&rule| policy.rules[rule].queue != Some(queue));
            return;
        }
        for rule in self.policy.rules.ids() {
            if self.policy.rules[rule].queue == Some(queue) && self.still_ready(rule) {
                self.ready.insert(rule);
            }
        }
    }

    /// The guest is somewhere new: what was said of here is forgotten.
    fn arrive(&mut self, place: Place) {
        if let Some(host) = self.location()
            && !self.policy.hosts[host].is_base
        {
            self.left[self.policy.hosts[host].array.index()] = Some(host);
        }
        self.place = place;
        self.drain_said = None;
        for rule in &mut self.rules {
            rule.said = None;
            rule.good_here = false;
        }
    }

    fn void(&mut self, why: Discontinuity, out: &mut Output) {
        self.record(Event::Void { why }, out);
        self.begin_again();
    }

    /// All samples are void, and the guest settles.
    fn begin_again(&mut self) {
        self.samples_are_void();
        self.settle_until = Some(self.t.plus(self.policy.moves.settle));
    }

    fn samples_are_void(&mut self) {
        self.counters_start_again();
        for rule in &mut self.rules {
            rule.clears.clear();
            rule.truth = None;
            rule.not_ready();
        }
        for polled in &mut self.indicators {
            polled.forget();
        }
    }

    fn counters_start_again(&mut self) {
        self.ready.clear();
        for rule in &mut self.rules {
            rule.samples.clear();
            rule.since = None;
            rule.fresh.clear();
        }
    }

    /// A rest ends when its condition is Clear.
    fn wake(&mut self, out: &mut Output) {
        let Some(rule) = self.rest else { return };
        if self.truth(rule, &BTreeSet::new()) != Truth::Clear {
            return;
        }
        self.rest = None;
        self.record(Event::Wake { rule }, out);
        if self.policy.rules[rule].action == Action::Rest(Monitor::On) {
            self.counters_start_again();
            return;
        }
        self.samples_are_void();
        for polled in &mut self.indicators {
            polled.due = self.t;
        }
    }

    fn probing(&self, indicator: IndicatorId) -> bool {
        let awake = match self.rest.map(|rule| &self.policy.rules[rule]) {
            None => true,
            Some(rule) => rule.action == Action::Rest(Monitor::On) || rule.reads(indicator),
        };
        awake && self.settle_until.is_none() && self.open.is_none()
    }

    fn jobs_may_run(&self) -> bool {
        self.settle_until.is_none() && self.open.is_none() && self.rest.is_none()
    }
}

/// The hosts of a ring: those that a ranking names in its order, then the others in theirs.
fn completed(ranking: &[HostId], ring: &[HostId]) -> Vec<HostId> {
    let mut order = Vec::new();
    for &host in ranking.iter().chain(ring) {
        if ring.contains(&host) && !order.contains(&host) {
            order.push(host);
        }
    }
    order
}
