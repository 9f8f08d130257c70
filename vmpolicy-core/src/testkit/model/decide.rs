//! Whether to act, and for which rule.

use super::target::Plan;
use super::{End, Model, Said, Tried};
use crate::id::{HostId, Id as _, IndicatorId, RuleId};
use crate::leaf::logic::Truth;
use crate::leaf::tarry::Tarry;
use crate::output::{Because, Event, Hold, Origin, Output, Seen, Verdict};
use crate::policy::{Action, Monitor, Tour};
use crate::time::{Mono, Span};
use std::collections::BTreeSet;

/// No span doubles beyond a day.
const LONGEST: Span = Span::from_hours(24);

/// When to decide again, though nothing else happens.
#[derive(Debug, Default)]
pub(super) struct Waits {
    pub(super) rules: Vec<(RuleId, Mono)>,
    pub(super) drain: Option<Mono>,
}

/// What became of an attempt to act.
enum Attempt {
    Acted,
    /// Stopped, until then where that is known.
    Stopped(Option<Mono>),
}

impl Model {
    /// Step 6.
    pub(super) fn decide(&mut self, out: &mut Output) -> Waits {
        let mut waits = Waits::default();
        if self.open.is_some() {
            return waits;
        }
        waits.drain = self.leave_draining(out);
        if self.open.is_some() || self.settle_until.is_some() {
            return waits;
        }
        self.wake(out);
        for rule in self.policy.rules.ids() {
            if self.policy.rules[rule].is_clock_only() {
                self.look_at_the_clock(rule);
            }
        }
        if let Some(rule) = self.rest {
            if self.truth(rule, &BTreeSet::new()) == Truth::Breach {
                self.try_rule(rule, out, &mut waits);
            }
            return waits;
        }
        for rule in self.policy.rules.ids() {
            if !self.is_ready(rule, &mut waits) {
                continue;
            }
            if let Action::Rest(monitor) = self.policy.rules[rule].action {
                waits.rules.clear();
                self.begin_rest(rule, monitor, out, &mut waits);
                return waits;
            }
            if self.try_rule(rule, out, &mut waits) {
                waits.rules.clear();
                return waits;
            }
        }
        waits
    }

    /// Whether the rule is ready in this step; a clock that has not run for long enough is waited for.
    fn is_ready(&self, id: RuleId, waits: &mut Waits) -> bool {
        if !self.policy.rules[id].is_clock_only() {
            return self.ready.contains(&id);
        }
        let ruled = &self.rules[id.index()];
        let Some(since) = ruled.since.filter(|_| !ruled.done) else { return false };
        let ripe = since.plus(self.clock_tarry(id));
        if self.t < ripe {
            waits.rules.push((id, ripe));
        }
        self.t >= ripe
    }

    /// Attempts the rule's move, and notes when to try again where only time is in the way. Whether it acted.
    fn try_rule(&mut self, rule: RuleId, out: &mut Output, waits: &mut Waits) -> bool {
        match self.attempt(rule, out) {
            Attempt::Acted => true,
            Attempt::Stopped(until) => {
                let again = self.policy.rules[rule].is_clock_only() || self.rest == Some(rule);
                waits.rules.extend(until.filter(|_| again).map(|until| (rule, until)));
                false
            }
        }
    }

    fn begin_rest(&mut self, rule: RuleId, monitor: Monitor, out: &mut Output, waits: &mut Waits) {
        self.record(Event::Rest { rule }, out);
        self.rest = Some(rule);
        self.try_rule(rule, out, waits);
        self.counters_start_again();
        if monitor == Monitor::Off {
            let reads = |id: &IndicatorId| self.policy.rules[rule].reads(*id);
            for id in self.policy.indicators.ids().filter(|id| !reads(id)) {
                self.indicators[id.index()].forget();
            }
        }
    }

    /// The condition of a rule that reads only the clock.
    fn look_at_the_clock(&mut self, id: RuleId) {
        let truth = self.truth(id, &BTreeSet::new());
        let t = self.t;
        let ruled = &mut self.rules[id.index()];
        if truth == Truth::Breach {
            ruled.since = ruled.since.or(Some(t));
            return;
        }
        ruled.since = None;
        ruled.done = false;
        ruled.not_ready();
    }

    /// How long a rule that reads only the clock must be true.
    fn clock_tarry(&self, id: RuleId) -> Span {
        let shortest = self.policy.indicators.iter().map(|(_, indicator)| indicator.every).min();
        let shortest = shortest.unwrap_or(Span::from_mins(1));
        match self.policy.rules[id].tarry {
            Tarry::Consecutive(need) => shortest.times(u64::from(need) - 1),
            Tarry::Of { hits, .. } => shortest.times(u64::from(hits) - 1),
            Tarry::Lasting(span) => span,
        }
    }

    /// Steps 1 to 7 for a ready rule.
    fn attempt(&mut self, rule: RuleId, out: &mut Output) -> Attempt {
        let origin = Origin::Rule(rule);
        let action = self.policy.rules[rule].action;
        let mut why = Reasons { counter: self.progress(rule), ..Reasons::default() };
        why.seen = self.seen(rule);
        let Some(here) = self.location() else {
            return self.held(origin, Hold::LocationUnknown, None, &why, out);
        };
        let candidates = match self.plan(action, here) {
            Plan::There => {
                if self.rules[rule.index()].said.replace(Said::AlreadyThere) != Some(Said::AlreadyThere) {
                    self.record(Event::AlreadyThere { origin, at_host: here }, out);
                }
                return Attempt::Stopped(None);
            }
            Plan::To(candidates) => candidates,
        };
        if let Some((by, until)) = self.guarded() {
            return self.held(origin, by, until, &why, out);
        }
        let away = |host: &HostId| self.policy.hosts[*host].array != self.policy.hosts[here].array;
        if candidates.iter().any(away) && self.queues.iter().any(|queue| queue.running) {
            return self.held(origin, Hold::JobRunning, None, &why, out);
        }
        if action == Action::Move {
            if let Some(until) = self.rules[rule.index()].pause_until.filter(|&until| until > self.t) {
                return Attempt::Stopped(Some(until));
            }
            self.mark_tried(rule, here);
            if self.tour_in_vain(rule, here) {
                return self.no_better_host(rule, here, why, out);
            }
        }
        let tour = (action == Action::Move).then_some(rule);
        let (chosen, verdicts) = self.choose(&candidates, tour);
        why.verdicts = verdicts;
        let Some(to) = chosen else {
            let until = candidates.iter().filter_map(|&host| self.eligible_at(host)).min();
            return self.held(origin, Hold::NoEligibleHost, until, &why, out);
        };
        self.rules[rule.index()].said = None;
        self.rules[rule.index()].done = self.policy.rules[rule].is_clock_only() && action.is_relative();
        self.request(origin, action, here, to, &why, out);
        Attempt::Acted
    }

    /// A notice that the current host will drain goes before any rule. When to try again, if it is held.
    fn leave_draining(&mut self, out: &mut Output) -> Option<Mono> {
        let draining =
            |host: &HostId| self.hosts[host.index()].drain_until.is_some_and(|until| until > self.t);
        let Some(here) = self.location().filter(draining) else {
            self.drain_said = None;
            return None;
        };
        let mut why = Reasons::default();
        if let Some(hold) = self.hold.filter(|hold| hold.is_none_or(|until| self.t < until)) {
            let Attempt::Stopped(until) = self.held(Origin::Drain, Hold::Operator, hold, &why, out) else {
                return None;
            };
            return until;
        }
        let array = &self.policy.arrays[self.policy.hosts[here].array];
        let base = array.base;
        let mut candidates = self.ring_candidates(here);
        let (mut chosen, verdicts) = self.choose(&candidates, None);
        why.verdicts = verdicts;
        if let (None, Some(base)) = (chosen, base.filter(|&base| base != here)) {
            candidates.push(base);
            let (base, verdict) = self.choose(&[base], None);
            chosen = base;
            why.verdicts.extend(verdict);
        }
        let Some(to) = chosen else {
            let until = candidates.iter().filter_map(|&host| self.eligible_at(host)).min();
            self.held(Origin::Drain, Hold::NoEligibleHost, until, &why, out);
            return until;
        };
        let action = if Some(to) == base { Action::MoveToBase } else { Action::Move };
        self.request(Origin::Drain, action, here, to, &why, out);
        None
    }

    /// An operator's move: at once, whatever holds.
    pub(super) fn told_to_move(&mut self, to: HostId, out: &mut Output) {
        if self.open.is_some() || self.policy.hosts.row(to).is_none() {
            return;
        }
        let origin = Origin::Operator;
        let Some(here) = self.location() else {
            self.held(origin, Hold::LocationUnknown, None, &Reasons::default(), out);
            return;
        };
        if here == to {
            self.record(Event::AlreadyThere { origin, at_host: here }, out);
            return;
        }
        let why = Reasons { verdicts: vec![(to, Verdict::Chosen)], ..Reasons::default() };
        self.request(origin, Action::MoveTo(to), here, to, &why, out);
    }

    /// The ring that a tour goes round, where the guest is in one.
    fn tour(&self, here: HostId) -> Vec<HostId> {
        let host = &self.policy.hosts[here];
        let ring: Vec<_> = self.policy.ring(host.array).collect();
        if host.is_base || ring.len() < 2 { Vec::new() } else { ring }
    }

    /// Marks where the guest is as tried in vain, unless it was good here.
    fn mark_tried(&mut self, rule: RuleId, here: HostId) {
        let good = self.rules[rule.index()].good_here;
        if !good && !self.tour(here).is_empty() {
            self.tried.push(Tried { rule, host: here });
        }
    }

    /// Whether the whole ring was tried in vain.
    fn tour_in_vain(&mut self, rule: RuleId, here: HostId) -> bool {
        let others: Vec<_> = self.tour(here).into_iter().filter(|&host| host != here).collect();
        let exhausted =
            others.iter().all(|&host| self.was_tried(rule, host) || self.eligible_at(host).is_some());
        if !exhausted || !others.iter().any(|&host| self.was_tried(rule, host)) {
            return false;
        }
        if self.policy.moves.tour == Tour::KeepGoing {
            self.tried.retain(|tried| tried.rule != rule);
            return false;
        }
        true
    }

    fn no_better_host(&mut self, rule: RuleId, here: HostId, mut why: Reasons, out: &mut Output) -> Attempt {
        let verdict = |&host: &HostId| {
            if host == here { Verdict::Current } else { self.barrier(host).unwrap_or(Verdict::TriedInVain) }
        };
        why.verdicts = self.tour(here).iter().map(|host| (*host, verdict(host))).collect();
        let pause = doubled(self.policy.moves.tour_pause, self.rules[rule.index()].tour_level as usize);
        let until = self.t.plus(pause);
        let because = why.put(out);
        self.record(Event::NoBetterHost { rule, pause, because }, out);
        self.tried.retain(|tried| tried.rule != rule);
        self.start_again(rule);
        let ruled = &mut self.rules[rule.index()];
        ruled.tour_level += 1;
        ruled.pause_until = Some(until);
        ruled.since = None;
        ruled.fresh.clear();
        Attempt::Stopped(Some(until))
    }

    /// Operator's hold, dwell and budget, in this order.
    fn guarded(&self) -> Option<(Hold, Option<Mono>)> {
        if let Some(hold) = self.hold.filter(|hold| hold.is_none_or(|until| self.t < until)) {
            return Some((Hold::Operator, hold));
        }
        let moves = &self.policy.moves;
        let own = self.requests.iter().rev().find_map(|request| match (request.origin, request.end) {
            (Origin::Rule(_), Some(End::Confirmed(at))) => Some(at.plus(moves.dwell)),
            _ => None,
        });
        if let Some(until) = own.filter(|&until| until > self.t) {
            return Some((Hold::Dwell, Some(until)));
        }
        let spent =
            self.requests.iter().filter(|request| request.remembered && request.end != Some(End::InVain));
        let ends: Vec<_> = spent.map(|r| r.at.plus(moves.at_most.per)).filter(|&end| end > self.t).collect();
        let over = ends.len().checked_sub(moves.at_most.count as usize)?;
        Some((Hold::AtMost, ends.get(over).copied()))
    }

    fn held(
        &mut self,
        origin: Origin,
        by: Hold,
        until: Option<Mono>,
        why: &Reasons,
        out: &mut Output,
    ) -> Attempt {
        let said = match origin {
            Origin::Rule(rule) => {
                self.rules[rule.index()].said.replace(Said::Held(by)) == Some(Said::Held(by))
            }
            Origin::Drain => self.drain_said.replace(by) == Some(by),
            Origin::Operator => false,
        };
        if !said {
            let because = why.put(out);
            let lasts = until.map(|until| until.since(self.t));
            self.record(Event::Held { origin, by, lasts, because }, out);
        }
        Attempt::Stopped(until)
    }
}

/// Why something is done or not, before it is written into the buffer.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    counter: u64,
    seen: Vec<Seen>,
    verdicts: Vec<(HostId, Verdict)>,
}

impl Reasons {
    pub(super) fn put(&self, out: &mut Output) -> Because {
        let because = Because::begin(out, self.counter, out.verdicts.len());
        out.seen.extend_from_slice(&self.seen);
        out.verdicts.extend_from_slice(&self.verdicts);
        because.end(out)
    }
}

/// `first`, doubled so often, and at most a day.
pub(super) fn doubled(first: Span, times: usize) -> Span {
    let longest = LONGEST.max(first);
    (0..times.min(64)).fold(first, |span, _| span.times(2).min(longest))
}
