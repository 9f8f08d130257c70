//! Which rule acts, and what holds it back.
//!
//! Here all the branching between the leaves takes place. What a target is stands in `target`, what
//! becomes of a request in `request`.

use super::plan::{bit, bits};
use super::state::{DrainState, OperatorHold, Said};
use super::step::Step;
use super::target::Aim;
use crate::id::{ArrayId, HostId, RuleId};
use crate::leaf::guard::backoff::doubled;
use crate::leaf::logic::Truth;
use crate::output::{Because, Event, Hold, Origin, Verdict};
use crate::policy::{Action, Monitor, Tour};
use crate::time::Mono;

impl Step<'_> {
    #[inline]
    pub(super) fn decide(&mut self) {
        if self.state.open.is_some() {
            return;
        }
        if self.leave_draining_host() || self.state.settle_until.is_some() {
            return;
        }
        if self.plan.clock_rules | self.plan.rest_rules != 0 {
            self.wake();
            self.read_the_clock();
        }
        if let Some(resting) = self.state.rest {
            // What is not known holds the rest up and asks for nothing.
            if self.truth(&self.policy.rules[resting].when, 0) == Truth::Breach {
                self.pursue(resting);
            } else {
                self.state.rules[resting].retry_at = None;
            }
        } else if self.ready != 0 {
            self.act();
        }
    }

    /// The first ready rule that is not held back acts.
    fn act(&mut self) {
        for rule in bits::<RuleId>(self.ready) {
            if let Action::Rest(monitor) = self.policy.rules[rule].action {
                return self.rest(rule, monitor);
            }
            if self.pursue(rule) {
                return;
            }
        }
    }

    fn rest(&mut self, rule: RuleId, monitor: Monitor) {
        self.state.rest = Some(rule);
        self.record(Event::Rest { rule });
        self.pursue(rule);
        let retry_at = self.state.rules[rule].retry_at;
        self.recount_all();
        self.state.rules[rule].retry_at = retry_at;
        if monitor == Monitor::Off {
            for id in self.policy.indicators.ids() {
                if !self.policy.rules[rule].reads(id) {
                    let due = self.state.indicators[id].due;
                    self.state.indicators[id].begin(due);
                }
            }
        }
    }

    /// Ends a rest whose condition is Clear.
    fn wake(&mut self) {
        let Some(resting) = self.state.rest else { return };
        let rule = &self.policy.rules[resting];
        if self.truth(&rule.when, 0) != Truth::Clear {
            return;
        }
        self.state.rest = None;
        self.record(Event::Wake { rule: resting });
        if rule.action == Action::Rest(Monitor::On) {
            self.recount_all();
            return;
        }
        self.forget_samples();
        for (_, indicator) in self.state.indicators.iter_mut() {
            indicator.begin(self.t);
        }
    }

    /// Asks for what the rule wants, unless something holds it back. True where it has acted.
    fn pursue(&mut self, rule: RuleId) -> bool {
        let action = self.policy.rules[rule].action;
        let mark = self.out.verdicts.len();
        let Some(from) = self.current() else {
            self.held(rule, Hold::LocationUnknown, None, mark);
            return false;
        };
        let aim = self.aim(action, from);
        let Some(array) = aim.array() else {
            self.already_there(rule, from);
            return false;
        };
        if let Some((by, until)) = self.guard(from, array) {
            self.held(rule, by, until, mark);
            return false;
        }
        if action == Action::Move && self.tour_stops(rule, from) {
            return false;
        }
        let Some(to) = self.choose(aim, from, Some(rule)) else {
            let until = self.eligible_again(mark);
            self.held(rule, Hold::NoEligibleHost, until, mark);
            return false;
        };
        let because = self.because(rule, mark);
        self.ask(Origin::Rule(rule), action, from, to, because);
        let state = &mut self.state.rules[rule];
        (state.said, state.retry_at) = (Said::Nothing, None);
        state.done = action.is_relative() && self.policy.rules[rule].is_clock_only();
        true
    }

    /// What holds every rule back, and until when.
    pub(super) fn guard(&self, from: HostId, to: ArrayId) -> Option<(Hold, Option<Mono>)> {
        if let Some(held) = self.operators_hold() {
            return Some(held);
        }
        let moves = &self.policy.moves;
        if let Some(ends) = self.state.moved_at.map(|moved_at| moved_at.plus(moves.dwell))
            && ends > self.t
        {
            return Some((Hold::Dwell, Some(ends)));
        }
        let at_most = moves.at_most;
        if let Some(opens) = self.state.budget.opens_at(at_most.count, at_most.per, self.t) {
            return Some((Hold::AtMost, Some(opens)));
        }
        let relocates = self.policy.hosts[from].array != to;
        let working = self.state.queues.iter().any(|(_, queue)| queue.running);
        (relocates && working).then_some((Hold::JobRunning, None))
    }

    fn operators_hold(&self) -> Option<(Hold, Option<Mono>)> {
        match self.state.hold {
            OperatorHold::Until(end) if end > self.t => Some((Hold::Operator, Some(end))),
            OperatorHold::Off | OperatorHold::Until(_) => None,
            OperatorHold::On => Some((Hold::Operator, None)),
        }
    }

    /// A ready rule is held back: said once, and again when the reason changes.
    fn held(&mut self, rule: RuleId, by: Hold, until: Option<Mono>, mark: usize) {
        let state = &mut self.state.rules[rule];
        state.retry_at = until;
        if state.said == Said::Held(by) {
            self.out.verdicts.truncate(mark);
            return;
        }
        state.said = Said::Held(by);
        let because = self.because(rule, mark);
        let lasts = until.map(|until| until.since(self.t));
        self.record(Event::Held { origin: Origin::Rule(rule), by, lasts, because });
    }

    fn already_there(&mut self, rule: RuleId, at_host: HostId) {
        let state = &mut self.state.rules[rule];
        state.retry_at = None;
        if state.said != Said::AlreadyThere {
            state.said = Said::AlreadyThere;
            self.record(Event::AlreadyThere { origin: Origin::Rule(rule), at_host });
        }
    }

    /// The reasons of a rule: its counter, what it saw, and the verdicts since `mark`.
    pub(super) fn because(&mut self, rule: RuleId, mark: usize) -> Because {
        let because = Because::begin(self.out, self.progress(rule), mark);
        self.see(rule);
        because.end(self.out)
    }

    /// Whether `move` stays put because every host of the ring was tried in vain.
    pub(super) fn tour_stops(&mut self, rule: RuleId, from: HostId) -> bool {
        let here = &self.policy.hosts[from];
        if let Some(until) = self.state.rules[rule].pause_until
            && until > self.t
        {
            self.state.rules[rule].retry_at = Some(until);
            return true;
        }
        if here.is_base || self.policy.arrays[here.array].ring_len < 2 {
            return false;
        }
        if !self.state.rules[rule].good_here {
            self.state.hosts[from].tried |= bit(rule);
            self.state.rules[rule].touring = true;
        }
        let others = || self.policy.ring(here.array).filter(|&other| other != from);
        let tried = |other: HostId| self.state.hosts[other].tried & bit(rule) != 0;
        let in_vain =
            others().all(|other| tried(other) || !self.is_eligible(other, from)) && others().any(tried);
        if !in_vain {
            return false;
        }
        if self.policy.moves.tour == Tour::KeepGoing {
            self.unmark_tour(rule);
            return false;
        }
        let mark = self.out.verdicts.len();
        for other in self.policy.ring(here.array) {
            let verdict = self.verdict(other, from, Some(rule));
            self.out.verdicts.push((other, verdict));
        }
        let because = self.because(rule, mark);
        self.unmark_tour(rule);
        let state = &mut self.state.rules[rule];
        let pause = doubled(self.policy.moves.tour_pause, state.tour_level);
        state.tour_level = state.tour_level.saturating_add(1);
        state.pause_until = Some(self.t.plus(pause));
        state.recount();
        state.retry_at = state.pause_until;
        self.record(Event::NoBetterHost { rule, pause, because });
        true
    }

    /// Leaves a host that will drain, before any rule does anything. True where it asked for that.
    #[inline]
    fn leave_draining_host(&mut self) -> bool {
        match self.current() {
            Some(from) if self.state.hosts[from].drain_until > self.t => self.leave(from),
            _ => {
                self.state.drain = DrainState::default();
                false
            }
        }
    }

    fn leave(&mut self, from: HostId) -> bool {
        let array = self.policy.hosts[from].array;
        let mark = self.out.verdicts.len();
        let (by, until) = match self.operators_hold() {
            Some(held) => held,
            None => {
                let ring = Aim::Ring { array, from: self.starting_point(from) };
                let mut to = self.choose(ring, from, None);
                let mut action = Action::Move;
                if let Some(base) = self.policy.arrays[array].base
                    && to.is_none()
                    && base != from
                {
                    to = self.choose(Aim::Host { host: base, array }, from, None);
                    action = Action::MoveToBase;
                }
                if let Some(to) = to {
                    let because = Because::begin(self.out, 0, mark).end(self.out);
                    self.ask(Origin::Drain, action, from, to, because);
                    return true;
                }
                (Hold::NoEligibleHost, self.eligible_again(mark))
            }
        };
        self.state.drain.retry_at = until;
        if self.state.drain.said == Some(by) {
            self.out.verdicts.truncate(mark);
        } else {
            self.state.drain.said = Some(by);
            let because = Because::begin(self.out, 0, mark).end(self.out);
            let lasts = until.map(|until| until.since(self.t));
            self.record(Event::Held { origin: Origin::Drain, by, lasts, because });
        }
        false
    }

    /// An operator's move: whatever the rules say and whatever would hold them back.
    pub(super) fn told_to_move(&mut self, to: HostId) {
        if !self.has_host(to) || self.state.open.is_some() {
            return;
        }
        let mark = self.out.verdicts.len();
        let Some(from) = self.current() else {
            let because = Because::begin(self.out, 0, mark).end(self.out);
            let (origin, by) = (Origin::Operator, Hold::LocationUnknown);
            return self.record(Event::Held { origin, by, lasts: None, because });
        };
        if from == to {
            self.record(Event::AlreadyThere { origin: Origin::Operator, at_host: to });
            return;
        }
        self.out.verdicts.push((to, Verdict::Chosen));
        let because = Because::begin(self.out, 0, mark).end(self.out);
        self.ask(Origin::Operator, Action::MoveTo(to), from, to, because);
    }
}
