//! What an onlooker knows: the world as it follows from the inputs and from what the engine wrote down.

use super::Step;
use super::evidence::Polls;
use super::queues::Jobs;
use super::time::Time;
use crate::id::{HostId, Id, IndicatorId, RequestId, RuleId};
use crate::input::{Input, Notice, Outcome, Setup, Sighting, Word};
use crate::output::{Discontinuity, Effect, Event, Hold, Origin, Record, Request};
use crate::policy::{Action, Monitor, Policy};
use crate::time::{Mono, Now};
use std::sync::Arc;

/// Where the guest is, to an onlooker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    At(HostId),
    Elsewhere,
    Unknown,
}

/// What is known of a host.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HostFacts {
    pub(super) barred_until: Option<Mono>,
    /// How often it was in vain since a guest last came there.
    pub(super) failures: u32,
    pub(super) drain_until: Option<Mono>,
    pub(super) down_until: Option<Mono>,
}

/// What was last said of a rule in this stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Held(Hold),
    AlreadyThere,
}

/// What is known of a rule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RuleFacts {
    /// Since which step samples count for it.
    pub(super) since_step: u64,
    pub(super) said: Option<Said>,
    /// `already-there` was recorded in this stay.
    pub(super) already_there: bool,
    pub(super) pause_until: Option<Mono>,
}

/// The open request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) id: RequestId,
    pub(super) origin: Origin,
    pub(super) action: Action,
    pub(super) from: HostId,
    pub(super) to: HostId,
    pub(super) confirm_by: Mono,
    /// Times that it has left.
    pub(super) left: u32,
    /// It may leave once more: the caller was started again since.
    pub(super) may_resend: bool,
    /// The actuator has said that it failed.
    pub(super) said_failed: bool,
    /// The limit had passed at the end of the step before.
    pub(super) overdue: bool,
}

/// A request that was asked for, for the budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    pub(super) id: RequestId,
    pub(super) at: Mono,
    pub(super) by_rule: bool,
}

/// Everything that an onlooker knows.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) policy: Arc<Policy>,
    pub(super) pending: Option<Arc<Policy>>,
    pub(super) setup: Setup,
    pub(super) time: Time,
    pub(super) step: u64,
    /// By how much the clocks jumped apart in this step.
    pub(super) jump: Option<i64>,
    pub(super) place: Place,
    /// Where it was when this step began.
    pub(super) place_before: Place,
    /// The ring host that the guest was last seen on, for each array.
    pub(super) left: Vec<Option<HostId>>,
    pub(super) hosts: Vec<HostFacts>,
    /// Until when a ranking holds, for each array.
    pub(super) ranked_until: Vec<Option<Mono>>,
    pub(super) open: Option<Open>,
    pub(super) last_id: u64,
    pub(super) spent: Vec<Spent>,
    pub(super) last_own_move: Option<Mono>,
    /// An operator's hold, and until when.
    pub(super) hold: Option<Option<Mono>>,
    settle_until: Option<Mono>,
    pub(super) resting: Option<RuleId>,
    pub(super) indicators: Vec<Polls>,
    pub(super) rules: Vec<RuleFacts>,
    pub(super) queues: Vec<Jobs>,
    /// Since which step everything is known exactly: no reload since.
    pub(super) exact_since: u64,
    /// The indicator of this step's reading, where it counts for certain.
    pub(super) certain_reading: Option<IndicatorId>,
    /// Indicators whose answer is late in this step.
    pub(super) late: Vec<IndicatorId>,
    /// Rules that by all that an onlooker knows are ready in this step.
    pub(super) ready: Vec<RuleId>,
    /// A request was open when the step began.
    pub(super) was_open: bool,
    /// The guest woke after samples were void last: polls are due at once.
    pub(super) woken_since_void: bool,
    /// A request was recorded in this step.
    pub(super) requested: bool,
    /// A new policy came into force in this step.
    pub(super) reloaded: bool,
    /// A rest began or ended in this step, or samples became void.
    pub(super) started_over: bool,
}

impl Facts {
    pub(super) fn new(policy: Arc<Policy>, setup: Setup) -> Self {
        Self {
            pending: None,
            setup,
            time: Time::default(),
            step: 0,
            jump: None,
            place: match setup.at {
                Some(at) if at.index() < policy.hosts().len() => Place::At(at),
                _ => Place::Unknown,
            },
            place_before: Place::Unknown,
            left: vec![None; policy.arrays().len()],
            hosts: vec![HostFacts::default(); policy.hosts().len()],
            ranked_until: vec![None; policy.arrays().len()],
            open: None,
            last_id: 0,
            spent: Vec::new(),
            last_own_move: None,
            hold: None,
            settle_until: None,
            resting: None,
            indicators: vec![Polls::default(); policy.indicators().len()],
            rules: vec![RuleFacts::default(); policy.rules().len()],
            queues: vec![Jobs::default(); policy.queues().len()],
            exact_since: 0,
            certain_reading: None,
            late: Vec::new(),
            ready: Vec::new(),
            was_open: false,
            woken_since_void: false,
            requested: false,
            reloaded: false,
            started_over: false,
            policy,
        }
    }

    pub(super) fn now(&self) -> Now {
        self.time.last().unwrap_or_default()
    }

    pub(super) const fn t(&self) -> Mono {
        self.time.t
    }

    /// Whether the guest settles after a move or a void.
    pub(super) fn settling(&self) -> bool {
        self.settle_until.is_some_and(|until| self.t() < until)
    }

    /// When it has settled.
    pub(super) const fn settle_until(&self) -> Option<Mono> {
        self.settle_until
    }

    pub(super) fn holding(&self) -> bool {
        self.hold.is_some_and(|until| until.is_none_or(|until| self.t() < until))
    }

    pub(super) const fn current(&self) -> Option<HostId> {
        match self.place {
            Place::At(host) => Some(host),
            Place::Elsewhere | Place::Unknown => None,
        }
    }

    pub(super) fn barred(&self, host: HostId) -> bool {
        self.hosts[host.index()].barred_until.is_some_and(|until| self.t() < until)
    }

    pub(super) fn draining(&self, host: HostId) -> bool {
        self.hosts[host.index()].drain_until.is_some_and(|until| self.t() < until)
    }

    pub(super) fn down(&self, host: HostId) -> bool {
        self.hosts[host.index()].down_until.is_some_and(|until| self.t() < until)
    }

    /// Whether a guest may go there (contract, rule 9).
    pub(super) fn eligible(&self, host: HostId) -> bool {
        self.current() != Some(host) && !self.barred(host) && !self.draining(host) && !self.down(host)
    }

    /// Where a locator saw the guest, if it could tell.
    pub(super) fn place_of(&self, sighting: Sighting) -> Option<Place> {
        match sighting {
            Sighting::At(host) if host.index() < self.hosts.len() => Some(Place::At(host)),
            Sighting::At(_) | Sighting::Elsewhere => Some(Place::Elsewhere),
            Sighting::Unknown => None,
        }
    }

    /// Whether the order of an array's hosts is the provider's now.
    pub(super) fn ranked(&self, array: crate::id::ArrayId) -> bool {
        self.ranked_until[array.index()].is_some_and(|until| self.t() < until)
    }

    /// Whether this indicator may be probed now.
    pub(super) fn may_probe(&self, indicator: IndicatorId) -> bool {
        let quiet = self.resting.is_some_and(|rule| {
            let rule = &self.policy.rules()[rule];
            !matches!(rule.action, Action::Rest(Monitor::On)) && !rule.reads(indicator)
        });
        !self.settling() && self.open.is_none() && !quiet
    }

    /// What was promised and will not come.
    pub(super) fn unended(&self) -> Option<String> {
        let open = self.open?;
        (!self.setup.locates && self.t() >= open.confirm_by)
            .then(|| format!("request {} is open though its limit has passed", open.id))
    }

    /// The time and the input of a step.
    pub(super) fn begin(&mut self, step: &Step<'_>) {
        self.step += 1;
        if let Input::Policy(policy) = step.input {
            self.pending = Some(Arc::clone(policy));
        }
        self.reloaded = false;
        let reloads = step.output.records.iter().any(|record| matches!(record.event, Event::Reload { .. }));
        if let Some(policy) = self.pending.take_if(|_| reloads) {
            self.reloaded = true;
            self.adopt(policy);
        }
        self.certain_reading = None;
        self.late.clear();
        self.ready.clear();
        self.requested = false;
        self.started_over = false;
        self.was_open = self.open.is_some();
        self.place_before = self.place;
        if let Some(open) = &mut self.open {
            open.overdue = self.time.t >= open.confirm_by;
        }
        self.jump = self.time.pass(step.now, matches!(step.input, Input::Start(_)));
        let t = self.t();
        if let Some(Some(until)) = self.hold
            && t >= until
        {
            self.hold = None;
        }
        if self.jump.is_some() {
            // The engine will say so; what was asked before does not count from now on.
            self.void(true);
        }
        self.note_late();
        self.take_input(step);
        self.note_ready();
    }

    fn note_late(&mut self) {
        let (step, t) = (self.step, self.t());
        for index in 0..self.indicators.len() {
            let id = IndicatorId::from_index(index);
            let every = self.policy.indicators()[id].every;
            if self.may_probe(id) && self.indicators[index].late(step, t, every) {
                self.late.push(id);
            }
        }
    }

    fn take_input(&mut self, step: &Step<'_>) {
        let t = self.t();
        match step.input {
            Input::Start(setup) => {
                self.setup = *setup;
                if self.place == Place::Unknown
                    && let Some(at) = setup.at.filter(|at| at.index() < self.hosts.len())
                {
                    self.place = Place::At(at);
                }
                self.indicators.iter_mut().for_each(Polls::forget_asked);
                self.queues.iter_mut().for_each(Jobs::restart);
                if let Some(open) = &mut self.open {
                    open.may_resend = true;
                }
            }
            Input::Tick => {}
            Input::Reading(reading) => {
                let taken = self.time.of_caller(reading.taken);
                let settled = self.settle_until.is_none_or(|until| taken >= until);
                let listed = reading.indicator.index() < self.indicators.len();
                if listed && self.may_probe(reading.indicator) && settled && taken <= t {
                    let number = self.step;
                    let polls = &mut self.indicators[reading.indicator.index()];
                    if polls.read(number, taken, reading) {
                        self.certain_reading = Some(reading.indicator);
                    }
                }
            }
            Input::Location(sighting) => {
                if let Some(place) = self.place_of(*sighting) {
                    if place != self.place {
                        self.new_stay();
                    }
                    self.go(place);
                }
            }
            Input::Outcome { id, outcome } => {
                if let Some(open) = &mut self.open
                    && open.id == *id
                {
                    open.said_failed = matches!(outcome, Outcome::Failed | Outcome::Refused);
                }
            }
            Input::Ranking { array, order, lasts } => {
                if let Some(until) = self.ranked_until.get_mut(array.index()) {
                    *until = (!order.is_empty()).then(|| t.plus(*lasts));
                }
            }
            Input::Notice { host, notice, lasts } => {
                let Some(host) = self.hosts.get_mut(host.index()) else { return };
                match notice {
                    Notice::Drain => host.drain_until = Some(t.plus(*lasts)),
                    Notice::Down => host.down_until = Some(t.plus(*lasts)),
                    Notice::Up => (host.drain_until, host.down_until) = (None, None),
                    Notice::Withdrawn => host.drain_until = None,
                }
            }
            Input::Batch { queue, .. } => {
                if let Some(about) = self.policy.queues().row(*queue) {
                    self.queues[queue.index()].take(step.input, about.classes.len());
                }
            }
            Input::JobDone { queue } => {
                if let Some(jobs) = self.queues.get_mut(queue.index()) {
                    jobs.done();
                }
            }
            Input::Operator(Word::Hold(span)) => self.hold = Some(span.map(|span| t.plus(span))),
            Input::Operator(Word::Resume) => self.hold = None,
            Input::Operator(Word::Move(_) | Word::Abandon) => {}
            Input::Policy(_) | Input::Hook(_) => {}
        }
    }

    /// What a record says.
    pub(super) fn take_record(&mut self, record: &Record) {
        let t = self.t();
        match record.event {
            Event::Request { id, origin, action, from, to, .. } => {
                self.requested = true;
                self.last_id = id.0;
                let by_rule = matches!(origin, Origin::Rule(_));
                self.spent.push(Spent { id, at: t, by_rule });
                let confirm_by = t.plus(self.policy.moves().confirm_within);
                self.open = Some(Open {
                    id,
                    origin,
                    action,
                    from,
                    to,
                    confirm_by,
                    left: 0,
                    may_resend: false,
                    said_failed: false,
                    overdue: false,
                });
                self.indicators.iter_mut().for_each(Polls::forget_asked);
                self.start_counting();
            }
            Event::Confirmed { at_host, .. } => {
                let by_rule = self.open.is_some_and(|open| matches!(open.origin, Origin::Rule(_)));
                if by_rule {
                    self.last_own_move = Some(t);
                }
                self.open = None;
                self.go(Place::At(at_host));
                self.hosts[at_host.index()].failures = 0;
                self.void(false);
                self.new_stay();
            }
            Event::Refused { id, to, barred }
            | Event::Failed { id, to, barred, .. }
            | Event::Expired { id, to, barred } => {
                self.open = None;
                // One that was given up, or went elsewhere, is spent all the same.
                if !barred.is_zero() {
                    self.spent.retain(|spent| spent.id != id);
                    let host = &mut self.hosts[to.index()];
                    host.barred_until = Some(t.plus(barred));
                    host.failures += 1;
                }
            }
            Event::Void { why } => {
                if let Discontinuity::Moved { to, .. } = why {
                    self.go(to.map_or(Place::Elsewhere, Place::At));
                    self.void(false);
                    self.new_stay();
                }
            }
            Event::Rest { rule } => {
                self.resting = Some(rule);
                self.start_over(rule, false);
            }
            Event::Wake { rule } => {
                self.resting = None;
                self.woken_since_void = true;
                self.start_over(rule, true);
            }
            Event::Held { origin: Origin::Rule(rule), by, .. } => {
                self.rules[rule.index()].said = Some(Said::Held(by));
            }
            Event::AlreadyThere { origin: Origin::Rule(rule), .. } => {
                let facts = &mut self.rules[rule.index()];
                facts.said = Some(Said::AlreadyThere);
                facts.already_there = true;
            }
            Event::NoBetterHost { rule, pause, .. } => {
                let since_step = self.step + 1;
                let facts = &mut self.rules[rule.index()];
                facts.pause_until = Some(t.plus(pause));
                facts.since_step = since_step;
            }
            // A new policy was taken in when the step began.
            Event::Reload { .. }
            | Event::Hook(_)
            | Event::Held { .. }
            | Event::AlreadyThere { .. }
            | Event::Unknown { .. } => {}
        }
    }

    /// What an effect sets going.
    pub(super) fn take_effect(&mut self, effect: &Effect) {
        let t = self.t();
        match *effect {
            Effect::Probe(indicator) => self.indicators[indicator.index()].ask(t),
            Effect::Request(Request { .. }) => {
                if let Some(open) = &mut self.open {
                    open.left += 1;
                    open.may_resend = false;
                }
            }
            Effect::Locate | Effect::Claim(_) => {}
            Effect::Run { queue, .. } => self.queues[queue.index()].running = true,
        }
    }

    /// Samples held so far are void, and the guest settles.
    fn void(&mut self, spare_this_step: bool) {
        let (step, t) = (self.step, self.t());
        self.started_over = true;
        self.woken_since_void = false;
        self.settle_until = Some(t.plus(self.policy.moves().settle));
        for polls in &mut self.indicators {
            polls.void(step, spare_this_step);
        }
        let since_step = if spare_this_step { step } else { step + 1 };
        for rule in &mut self.rules {
            rule.since_step = since_step;
        }
    }

    /// Every counter starts again.
    fn start_counting(&mut self) {
        for rule in &mut self.rules {
            rule.since_step = self.step + 1;
        }
    }

    /// A rest of this rule begins or ends: what it does not read has no bearing from here on, unless it
    /// was monitored; at its end, what it reads has none either.
    fn start_over(&mut self, rule: RuleId, ends: bool) {
        self.started_over = true;
        self.start_counting();
        let rule = &self.policy.rules()[rule];
        if rule.action == Action::Rest(Monitor::On) {
            return;
        }
        for (index, polls) in self.indicators.iter_mut().enumerate() {
            if ends || !rule.reads(IndicatorId::from_index(index)) {
                polls.void(self.step, false);
            }
        }
    }

    /// The guest is somewhere else now.
    fn new_stay(&mut self) {
        for rule in &mut self.rules {
            rule.said = None;
            rule.already_there = false;
        }
    }

    /// The guest is there now; the host of a ring that it leaves is kept in mind.
    fn go(&mut self, to: Place) {
        if let Place::At(from) = self.place
            && to != self.place
        {
            let host = &self.policy.hosts()[from];
            if !host.is_base {
                self.left[host.array.index()] = Some(from);
            }
        }
        self.place = to;
    }
}
