//! A changed policy, taken whole or not at all (contract, rule 15).
//!
//! Things are matched by name. What says the same as before keeps its state; the open request, the sequence
//! and every deadline stay as they are. Where the new policy lacks a host of the open request, it waits for
//! the request's end.

use super::Engine;
use super::plan::{Plan, bit, bits};
use super::state::{HostState, Location, Open, State, Windows};
use crate::id::{ArrayId, HostId, Id, IndicatorId, QueueId, RuleId};
use crate::leaf::ring::reranked;
use crate::output::{Event, Origin, Output, Record, Request};
use crate::policy::{Action, Condition, Policy};
use crate::time::{Now, Wall};
use std::sync::Arc;

impl Engine {
    /// Takes the waiting policy, if it can be taken now.
    pub(super) fn adopt(&mut self, now: Now, out: &mut Output) {
        let Some(new) = self.waiting.take() else { return };
        let plan = Plan::of(&new);
        let fresh = State::new(&new, &plan, self.state.setup);
        let both = Both { old: &self.policy, new: &new };
        match both.carry_over(&self.state, fresh, now) {
            Some((state, rules_kept)) => {
                self.state = state;
                self.plan = Arc::new(plan);
                self.policy = new;
                out.records.push(Record { at: now.wall, event: Event::Reload { rules_kept } });
                out.save = true;
            }
            None => self.waiting = Some(new),
        }
    }
}

/// The policy in force and the one to come.
struct Both<'a> {
    old: &'a Policy,
    new: &'a Policy,
}

impl Both<'_> {
    /// The state under the new policy, and how many rules kept their counters.
    fn carry_over(&self, old: &State, mut state: State, now: Now) -> Option<(State, u32)> {
        state.open = match old.open {
            Some(open) => Some(self.open(open)?),
            None => None,
        };
        state.setup.at = old.setup.at.and_then(|at| self.old.hosts.row(at).and_then(|_| self.host(at)));
        state.clock = old.clock;
        state.settle_until = old.settle_until;
        state.hold = old.hold;
        state.locate_due = old.locate_due;
        state.moved_at = old.moved_at;
        state.sequence = old.sequence;
        state.budget = old.budget.clone();
        state.budget.keep(self.new.moves.at_most.count);
        state.last = old.last.and_then(|(id, to)| Some((id, self.host(to)?)));
        state.location = match old.location {
            Location::At(host) => self.host(host).map_or(Location::Elsewhere, Location::At),
            location => location,
        };
        if state.location == old.location || state.location != Location::Elsewhere {
            state.drain = old.drain;
        }
        let kept: Vec<(RuleId, RuleId)> =
            self.old.rules.ids().filter_map(|id| Some((id, self.rule(id)?))).collect();
        state.rest = old.rest.and_then(|resting| Some(kept.iter().find(|(from, _)| *from == resting)?.1));
        state.windows = Windows { from: Wall(i64::MAX), until: Wall(i64::MIN), ..state.windows };
        // What is new is due now; an answer from before was an answer to something else.
        if let Some(last) = old.clock.last() {
            let t = old.clock.engine_time(now.mono.max(last.mono));
            state.indicators.iter_mut().for_each(|(_, indicator)| indicator.begin(t));
            state.queues.iter_mut().for_each(|(_, queue)| queue.claim_due = t);
        }
        for id in self.old.indicators.ids() {
            if let Some(to) = self.indicator(id) {
                state.indicators[to] = old.indicators[id];
            }
        }
        for &(from, to) in &kept {
            state.rules[to] = old.rules[from];
            state.rules[to].fresh = bits::<IndicatorId>(old.rules[from].fresh)
                .filter_map(|id| self.indicator(id))
                .fold(0, |set, id| set | bit(id));
        }
        for id in self.old.hosts.ids() {
            if let Some(to) = self.host(id) {
                let tried = kept
                    .iter()
                    .filter(|&&(from, _)| old.hosts[id].tried & bit(from) != 0)
                    .fold(0, |set, &(_, to)| set | bit(to));
                state.hosts[to] = HostState { tried, ..old.hosts[id] };
            }
        }
        for id in self.old.arrays.ids() {
            self.array(id, old, &mut state);
        }
        for id in self.old.queues.ids() {
            self.queue(id, old, &mut state);
        }
        Some((state, u32::try_from(kept.len()).unwrap_or(u32::MAX)))
    }

    /// The open request, unless the new policy lacks one of its hosts. One whose rule is gone goes on as
    /// the operator's: nobody else would want it.
    fn open(&self, open: Open) -> Option<Open> {
        let Request { id, action, from, to, resent } = open.request;
        let (from, to) = (self.host(from)?, self.host(to)?);
        let action = self.action(action).unwrap_or(Action::MoveTo(to));
        let origin = match open.origin {
            Origin::Rule(rule) => self.named_rule(rule).map_or(Origin::Operator, Origin::Rule),
            origin => origin,
        };
        Some(Open { request: Request { id, action, from, to, resent }, origin, ..open })
    }

    fn array(&self, id: ArrayId, old: &State, state: &mut State) {
        let Some(to) = self.new.array_named(&self.old.arrays[id].name) else { return };
        let in_ring = |host: HostId| {
            self.host(host).filter(|&host| {
                let host = &self.new.hosts[host];
                host.array == to && !host.is_base
            })
        };
        state.arrays[to].left = old.arrays[id].left.and_then(in_ring);
        state.arrays[to].ranking_until = old.arrays[id].ranking_until;
        let array = &self.new.arrays[to];
        let ranking = old.arrays[id].ranking.iter().copied().filter_map(in_ring);
        let places: Vec<u16> = ranking.map(|host| host.0 - array.first.0).collect();
        if !places.is_empty() {
            let hosts =
                reranked(array.ring_len, places.into_iter()).map(|place| HostId(array.first.0 + place));
            state.arrays[to].ranking.extend(hosts);
        }
    }

    fn queue(&self, id: QueueId, old: &State, state: &mut State) {
        let Some(to) = self.new.queue_named(&self.old.queues[id].name) else { return };
        let (before, after) = (&old.queues[id], &mut state.queues[to]);
        (after.claim_due, after.total, after.next, after.running, after.others) =
            (before.claim_due, before.total, before.next, before.running, before.others);
        for (class, &count) in self.old.queues[id].classes.iter().zip(before.classes.iter()) {
            match self.new.queues[to].classes.iter().position(|other| other.name == class.name) {
                Some(position) => after.classes[position] = count,
                None => after.others = after.others.saturating_add(count),
            }
        }
    }

    fn host(&self, id: HostId) -> Option<HostId> {
        self.new.host_named(&self.old.hosts[id].name)
    }

    /// The indicator that says the same in the new policy.
    fn indicator(&self, id: IndicatorId) -> Option<IndicatorId> {
        let old = &self.old.indicators[id];
        self.new.indicator_named(&old.name).filter(|&to| self.new.indicators[to] == *old)
    }

    fn named_rule(&self, id: RuleId) -> Option<RuleId> {
        self.new.rule_named(&self.old.rules[id].name)
    }

    /// The rule that says the same in the new policy.
    fn rule(&self, id: RuleId) -> Option<RuleId> {
        let to = self.named_rule(id)?;
        let (old, new) = (&self.old.rules[id], &self.new.rules[to]);
        let same = old.tarry == new.tarry
            && self.action(old.action) == Some(new.action)
            && self.same_condition(&old.when, &new.when);
        same.then_some(to)
    }

    /// An action of the old policy in the new one's ids.
    fn action(&self, action: Action) -> Option<Action> {
        Some(match action {
            Action::MoveTo(host) => Action::MoveTo(self.host(host)?),
            Action::MoveFromHome(array) => {
                Action::MoveFromHome(self.new.array_named(&self.old.arrays[array].name)?)
            }
            action => action,
        })
    }

    fn same_condition(&self, old: &Condition, new: &Condition) -> bool {
        let same_class = |old_queue: QueueId, old_class: u16, new_queue: QueueId, new_class: u16| {
            let (old, new) = (&self.old.queues[old_queue], &self.new.queues[new_queue]);
            let name = |classes: &[crate::policy::Class], class: u16| {
                classes.get(usize::from(class)).map(|class| class.name.clone())
            };
            old.name == new.name && name(&old.classes, old_class) == name(&new.classes, new_class)
        };
        match (old, new) {
            (
                Condition::Indicator { indicator, compare, threshold },
                Condition::Indicator { indicator: to, compare: other, threshold: limit },
            ) => self.indicator(*indicator) == Some(*to) && compare == other && threshold == limit,
            (Condition::Window { window, inside }, Condition::Window { window: to, inside: other }) => {
                self.old.windows[*window] == self.new.windows[*to] && inside == other
            }
            (
                Condition::Count { queue, class, compare, threshold },
                Condition::Count { queue: to, class: kind, compare: other, threshold: limit },
            ) => same_class(*queue, *class, *to, *kind) && compare == other && threshold == limit,
            (
                Condition::Gain { queue, array, compare, threshold },
                Condition::Gain { queue: to, array: away, compare: other, threshold: limit },
            ) => {
                self.old.queues[*queue] == self.new.queues[*to]
                    && self.old.arrays[*array].name == self.new.arrays[*away].name
                    && compare == other
                    && threshold == limit
            }
            (Condition::All(old), Condition::All(new)) | (Condition::Any(old), Condition::Any(new)) => {
                old.len() == new.len() && old.iter().zip(new).all(|(old, new)| self.same_condition(old, new))
            }
            (Condition::Not(old), Condition::Not(new)) => self.same_condition(old, new),
            _ => false,
        }
    }
}

impl State {
    /// Whether this can be the state of a guest with this policy: every id in it is one of the policy's.
    pub(super) fn fits(&self, policy: &Policy, plan: &Plan) -> bool {
        let host = |id: HostId| id.index() < policy.hosts.len();
        let rule = |id: RuleId| id.index() < policy.rules.len();
        let ring_host = |id: HostId, array: ArrayId| {
            host(id) && policy.hosts[id].array == array && !policy.hosts[id].is_base
        };
        let action = |action: Action| match action {
            Action::MoveTo(to) => host(to),
            Action::MoveFromHome(array) => array.index() < policy.arrays.len(),
            _ => true,
        };
        let tables = self.indicators.len() == policy.indicators.len()
            && self.rules.len() == policy.rules.len()
            && self.hosts.len() == policy.hosts.len()
            && self.arrays.len() == policy.arrays.len()
            && self.queues.len() == policy.queues.len();
        tables
            && self.location.host().is_none_or(host)
            && self.rest.is_none_or(|id| rule(id) && plan.rest_rules & bit(id) != 0)
            && self.last.is_none_or(|(id, to)| host(to) && id.0 <= self.sequence)
            && self.open.is_none_or(|open| {
                let Request { id, action: asked, from, to, .. } = open.request;
                let origin = if let Origin::Rule(id) = open.origin { rule(id) } else { true };
                host(from) && host(to) && from != to && action(asked) && origin && id.0 <= self.sequence
            })
            && self.windows.next.is_none_or(|id| id.index() < policy.windows.len())
            && self.rules.iter().all(|(id, state)| {
                let tarry = plan.tarry(policy, id);
                // A reload looks these indicators up by their numbers.
                let fresh = state.fresh & !policy.rules[id].indicators == 0;
                fresh && state.counter.fits(tarry) && state.clear_run.fits(tarry)
            })
            && self.arrays.iter().all(|(id, state)| {
                state.left.is_none_or(|left| ring_host(left, id))
                    && state.ranking.iter().all(|&ranked| ring_host(ranked, id))
            })
            && self.queues.iter().all(|(id, state)| {
                state.classes.len() == policy.queues[id].classes.len()
                    && state.next <= state.total
                    && (state.total > 0 || !state.running)
            })
    }
}
