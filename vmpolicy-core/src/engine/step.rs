//! One step, in its fixed order; `docs/ENGINE.md` is the specification.

use super::plan::{Plan, bit, bits};
use super::state::{DrainState, Location, OperatorHold, Said, State, known};
use crate::id::{HostId, Id, WindowId};
use crate::input::{Hooked, Input, Setup, Word};
use crate::output::{Cause, Deadline, Discontinuity, Effect, Event, Output, Record};
use crate::policy::Policy;
use crate::time::{Mono, Now, Wall};

/// A step under way: the policy, the state, the time, and the caller's buffer.
pub(super) struct Step<'a> {
    pub(super) policy: &'a Policy,
    pub(super) plan: &'a Plan,
    pub(super) state: &'a mut State,
    pub(super) out: &'a mut Output,
    pub(super) now: Now,
    /// The engine's own time.
    pub(super) t: Mono,
    /// Which rules are ready in this step, as bits.
    pub(super) ready: u64,
}

/// The earliest of what was offered.
#[derive(Clone, Copy)]
pub(super) struct Earliest {
    at: Mono,
    cause: Option<Cause>,
}

impl Earliest {
    pub(super) const NONE: Self = Self { at: Mono(i64::MAX), cause: None };

    /// Offers what gives way to an earlier offer for the same moment.
    #[inline]
    pub(super) fn offer(&mut self, at: Mono, cause: Cause) {
        if at < self.at || self.cause.is_none() {
            *self = Self { at, cause: Some(cause) };
        }
    }

    /// Offers what wins over all earlier offers for the same moment.
    #[inline]
    fn offer_first(&mut self, at: Mono, cause: Cause) {
        if at <= self.at {
            *self = Self { at, cause: Some(cause) };
        }
    }
}

impl<'a> Step<'a> {
    /// One step: the clocks, what passes by itself, the input, and what follows from all that.
    #[inline]
    pub(super) fn run(
        policy: &'a Policy,
        plan: &'a Plan,
        state: &'a mut State,
        out: &'a mut Output,
        now: Now,
        input: &Input,
    ) {
        let first = state.clock.last().is_none();
        let seen = match input {
            Input::Start(_) => state.clock.resume(now),
            _ => state.clock.observe(now),
        };
        // Made once and never moved: what follows works on it in place.
        let mut step = Self { policy, plan, state, out, now, t: seen.time, ready: 0 };
        if first {
            step.first();
        }
        if let Some(apart_ms) = seen.jump_ms {
            step.jumped(apart_ms);
        }
        step.elapse();
        step.take(input);
        step.request_limits();
        step.finish();
    }

    #[inline]
    fn take(&mut self, input: &Input) {
        match input {
            Input::Reading(reading) => self.reading(reading),
            Input::Tick => {}
            other => self.take_other(other),
        }
    }

    /// What seldom comes, out of the way of what comes all the time.
    #[inline(never)]
    fn take_other(&mut self, input: &Input) {
        match input {
            Input::Reading(_) | Input::Tick | Input::Policy(_) => {}
            Input::Start(setup) => self.started(*setup),
            Input::Location(sighting) => self.sighted(*sighting),
            Input::Outcome { id, outcome } => self.outcome(*id, *outcome),
            Input::Ranking { array, order, lasts } => self.ranked(*array, order, *lasts),
            Input::Notice { host, notice, lasts } => self.noticed(*host, *notice, *lasts),
            Input::Batch { queue, classes, others } => self.batch(*queue, classes, *others),
            Input::JobDone { queue } => self.job_done(*queue),
            Input::Hook(hooked) => self.hooked(*hooked),
            Input::Operator(word) => self.told(*word),
        }
    }

    /// Decides, says what is due, and when to come back.
    #[inline]
    fn finish(&mut self) {
        self.settled();
        self.decide();
        let polls = self.probe_what_is_due();
        self.locate_if_due();
        self.work();
        self.out.deadline = self.deadline(polls);
        self.out.save |= !self.out.records.is_empty();
    }

    /// The first input of all: everything is due.
    #[cold]
    fn first(&mut self) {
        for (_, indicator) in self.state.indicators.iter_mut() {
            indicator.begin(self.t);
        }
        for (_, queue) in self.state.queues.iter_mut() {
            queue.claim_due = self.t;
        }
        if self.state.setup.locates {
            self.state.locate_due = Some(self.t);
        }
    }

    #[cold]
    fn jumped(&mut self, apart_ms: i64) {
        self.void(Discontinuity::Clock { apart_ms });
        if self.state.setup.locates {
            self.state.locate_due = Some(self.t);
        }
    }

    #[inline]
    fn elapse(&mut self) {
        let wall = self.now.wall;
        if wall >= self.state.windows.until || wall < self.state.windows.from {
            self.look_at_windows();
        }
        self.settled();
        self.late_polls();
        if let OperatorHold::Until(end) = self.state.hold
            && end <= self.t
        {
            self.state.hold = OperatorHold::Off;
        }
    }

    /// Looks up every window, and until when that holds.
    #[cold]
    fn look_at_windows(&mut self) {
        let wall = self.now.wall;
        let windows = &mut self.state.windows;
        (windows.open, windows.from, windows.until, windows.next) = (0, wall, Wall(i64::MAX), None);
        for (id, named) in self.policy.windows.iter() {
            let view = named.window.at(wall);
            if view.open {
                windows.open |= bit(id);
            }
            if let Some(edge) = view.next_edge
                && edge < windows.until
            {
                (windows.until, windows.next) = (edge, Some(id));
            }
        }
    }

    #[inline]
    fn settled(&mut self) {
        if let Some(until) = self.state.settle_until
            && until <= self.t
        {
            self.end_settling(until);
        }
    }

    /// Settling ends when its time has come.
    #[cold]
    fn end_settling(&mut self, until: Mono) {
        self.state.settle_until = None;
        for (id, indicator) in self.policy.indicators.iter() {
            let state = &mut self.state.indicators[id];
            state.asked = None;
            state.polled = None;
            state.due = if indicator.read.needs_baseline() { until } else { until.plus(indicator.every) };
        }
        for (_, queue) in self.state.queues.iter_mut() {
            queue.claim_due = queue.claim_due.max(until);
        }
    }

    /// The host program has started again: what was out is lost.
    fn started(&mut self, setup: Setup) {
        self.state.setup = setup;
        if self.state.location == Location::Unknown {
            self.state.location = known(self.policy, setup);
            self.out.save |= self.state.location != Location::Unknown;
        }
        for (_, indicator) in self.state.indicators.iter_mut() {
            indicator.asked = None;
        }
        for (_, queue) in self.state.queues.iter_mut() {
            queue.running = false;
        }
        self.state.locate_due = setup.locates.then_some(self.t);
        self.reopen();
    }

    fn told(&mut self, word: Word) {
        match word {
            Word::Hold(None) => self.state.hold = OperatorHold::On,
            Word::Hold(Some(span)) => self.state.hold = OperatorHold::Until(self.t.plus(span)),
            Word::Resume => self.state.hold = OperatorHold::Off,
            Word::Move(host) => self.told_to_move(host),
            Word::Abandon => self.abandon(),
        }
        self.out.save = true;
    }

    /// Discards all samples, says why, and settles.
    pub(super) fn void(&mut self, why: Discontinuity) {
        self.record(Event::Void { why });
        self.forget_samples();
        self.settle();
    }

    /// Forgets all that was read and counted.
    pub(super) fn forget_samples(&mut self) {
        for (_, rule) in self.state.rules.iter_mut() {
            rule.forget();
            rule.not_ready();
        }
        for (_, indicator) in self.state.indicators.iter_mut() {
            let due = indicator.due;
            indicator.begin(due);
        }
        self.ready = 0;
    }

    pub(super) fn settle(&mut self) {
        self.state.settle_until = Some(self.t.plus(self.policy.moves.settle));
        for (_, indicator) in self.state.indicators.iter_mut() {
            indicator.asked = None;
        }
    }

    /// The guest is somewhere else now.
    pub(super) fn arrive(&mut self, location: Location) {
        if let Some(from) = self.state.location.host() {
            self.left(from);
        }
        self.state.location = location;
        self.state.drain = DrainState::default();
        for (_, rule) in self.state.rules.iter_mut() {
            rule.said = Said::Nothing;
            rule.good_here = false;
        }
    }

    fn left(&mut self, from: HostId) {
        let host = &self.policy.hosts[from];
        if !host.is_base {
            self.state.arrays[host.array].left = Some(from);
        }
    }

    pub(super) fn record(&mut self, event: Event) {
        self.out.records.push(Record { at: self.now.wall, event });
    }

    /// A hook was run: that is written down, and no more.
    fn hooked(&mut self, hooked: Hooked) {
        let host = hooked.host.filter(|&host| self.has_host(host));
        self.record(Event::Hook(Hooked { host, ..hooked }));
    }

    #[inline]
    fn locate_if_due(&mut self) {
        if let Some(due) = self.state.locate_due
            && due <= self.t
        {
            self.out.effects.push(Effect::Locate);
            self.state.locate_due = Some(self.t.plus(self.look_up_every()));
        }
    }

    /// The earliest moment at which something happens by itself; `earliest` is that of the polls. Those before the
    /// polls in the order of causes come from the last to the first, so that the first wins.
    #[inline]
    fn deadline(&self, mut earliest: Earliest) -> Option<Deadline> {
        let state = &*self.state;
        if let Some(due) = state.locate_due {
            earliest.offer_first(due, Cause::Locate);
        }
        if let Some(open) = &state.open
            && open.confirm_by > self.t
        {
            earliest.offer_first(open.confirm_by, Cause::Confirm);
        }
        if let Some(until) = state.settle_until {
            earliest.offer_first(until, Cause::Settled);
        }
        if let Some(window) = state.windows.next {
            earliest.offer(state.clock.when_wall_reads(state.windows.until), Cause::Window(window));
        }
        if self.plan.clock_rules | self.plan.rest_rules != 0 {
            self.offer_clock_rules(&mut earliest);
        }
        if let Some(retry_at) = state.drain.retry_at
            && state.open.is_none()
        {
            earliest.offer(retry_at, Cause::Drain);
        }
        if !state.queues.is_empty() && self.may_work() {
            self.offer_claims(&mut earliest);
        }
        earliest.cause.map(|cause| Deadline { at: state.clock.callers_time(earliest.at), cause })
    }

    #[inline(never)]
    fn offer_clock_rules(&self, earliest: &mut Earliest) {
        if !self.is_free() {
            return;
        }
        let rules = match self.state.rest {
            Some(resting) => bit(resting),
            None => self.plan.clock_rules | self.plan.rest_rules,
        };
        for rule in bits(rules) {
            let state = &self.state.rules[rule];
            if let Some(retry_at) = state.retry_at {
                earliest.offer(retry_at, Cause::Rule(rule));
            } else if let Some(ripe) = state.counter.ripens_at(self.plan.tarry(self.policy, rule))
                && ripe > self.t
                && self.policy.rules[rule].is_clock_only()
                && self.state.rest.is_none()
                && !state.done
            {
                earliest.offer(ripe, Cause::Rule(rule));
            }
        }
    }

    #[inline(never)]
    fn offer_claims(&self, earliest: &mut Earliest) {
        for (id, queue) in self.state.queues.iter() {
            if !queue.has_batch() {
                earliest.offer(queue.claim_due, Cause::Claim(id));
            }
        }
    }

    /// Whether this window is open.
    #[inline]
    pub(super) fn is_open(&self, window: WindowId) -> bool {
        self.state.windows.open & bit(window) != 0
    }

    /// Whether the policy has this host.
    pub(super) fn has_host(&self, host: HostId) -> bool {
        host.index() < self.policy.hosts.len()
    }
}
