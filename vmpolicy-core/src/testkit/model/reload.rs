//! A changed policy: taken whole, or when the open request has ended.
//!
//! Everything that the model remembers is told again in the new policy's numbers, by name.

use super::{End, Model, Noted, Place, Polled, Queued, Ranked, Ruled, completed};
use crate::Policy;
use crate::id::{ArrayId, HostId, Id as _, IndicatorId, QueueId, RuleId};
use crate::output::{Event, Origin, Output, Record};
use crate::policy::{Action, Condition};
use crate::time::Now;
use std::collections::BTreeSet;
use std::sync::Arc;

/// From the old policy's numbers to the new one's.
struct Names {
    old: Arc<Policy>,
    new: Arc<Policy>,
}

impl Names {
    fn host(&self, id: HostId) -> Option<HostId> {
        self.new.host_named(&self.old.hosts.row(id)?.name)
    }

    fn array(&self, id: ArrayId) -> Option<ArrayId> {
        self.new.array_named(&self.old.arrays[id].name)
    }

    fn rule(&self, id: RuleId) -> Option<RuleId> {
        self.new.rule_named(&self.old.rules.row(id)?.name)
    }

    fn place(&self, place: Place) -> Place {
        match place {
            Place::At(host) => self.host(host).map_or(Place::Elsewhere, Place::At),
            other => other,
        }
    }

    fn action(&self, action: Action) -> Option<Action> {
        Some(match action {
            Action::MoveFromHome(array) => Action::MoveFromHome(self.array(array)?),
            Action::MoveTo(host) => Action::MoveTo(self.host(host)?),
            other => other,
        })
    }

    fn indicator_is_same(&self, old: IndicatorId, new: IndicatorId) -> bool {
        self.old.indicators[old] == self.new.indicators[new]
    }

    /// The rule of the same name, where it says the same of the same things.
    fn same_rule(&self, new: RuleId) -> Option<RuleId> {
        let rule = &self.new.rules[new];
        let id = self.old.rule_named(&rule.name)?;
        let old = &self.old.rules[id];
        let same = old.tarry == rule.tarry
            && self.action(old.action) == Some(rule.action)
            && self.says_the_same(&old.when, &rule.when);
        same.then_some(id)
    }

    fn says_the_same(&self, old: &Condition, new: &Condition) -> bool {
        match (old, new) {
            (
                Condition::Indicator { indicator: a, compare, threshold },
                Condition::Indicator { indicator: b, compare: compare_b, threshold: threshold_b },
            ) => {
                let named = self.old.indicators[*a].name == self.new.indicators[*b].name;
                named && self.indicator_is_same(*a, *b) && compare == compare_b && threshold == threshold_b
            }
            (Condition::Window { window: a, inside }, Condition::Window { window: b, inside: inside_b }) => {
                self.old.windows[*a] == self.new.windows[*b] && inside == inside_b
            }
            (
                Condition::Count { queue: a, class, compare, threshold },
                Condition::Count { queue: b, class: class_b, compare: compare_b, threshold: threshold_b },
            ) => {
                let (old, new) = (&self.old.queues[*a], &self.new.queues[*b]);
                let named = old.name == new.name
                    && old.classes[usize::from(*class)].name == new.classes[usize::from(*class_b)].name;
                named && compare == compare_b && threshold == threshold_b
            }
            (
                Condition::Gain { queue: a, array, compare, threshold },
                Condition::Gain { queue: b, array: array_b, compare: compare_b, threshold: threshold_b },
            ) => {
                let same_array = self.array(*array) == Some(*array_b);
                self.queue_is_same(*a, *b) && same_array && compare == compare_b && threshold == threshold_b
            }
            (Condition::All(old), Condition::All(new)) | (Condition::Any(old), Condition::Any(new)) => {
                old.len() == new.len() && old.iter().zip(new).all(|(old, new)| self.says_the_same(old, new))
            }
            (Condition::Not(old), Condition::Not(new)) => self.says_the_same(old, new),
            _ => false,
        }
    }

    fn queue_is_same(&self, old: QueueId, new: QueueId) -> bool {
        self.old.queues[old] == self.new.queues[new]
    }
}

impl Model {
    /// Takes the policy that waits, unless the open request needs the old one.
    pub(super) fn take_pending(&mut self, now: Now, out: &mut Output) {
        let Some(new) = self.pending.take() else { return };
        let names = Names { old: Arc::clone(&self.policy), new };
        if let Some(open) = &mut self.open {
            let request = &mut open.request;
            let (Some(from), Some(to)) = (names.host(request.from), names.host(request.to)) else {
                self.pending = Some(names.new);
                return;
            };
            (request.from, request.to) = (from, to);
            request.action = names.action(request.action).unwrap_or(Action::MoveTo(to));
        }
        self.tell_history_again(&names);
        // A budget that is larger now can't know more than the smaller one remembered.
        let remembered = self.policy.moves.at_most.count as usize + 1;
        let mut spent = self.requests.iter_mut().rev().filter(|request| request.end != Some(End::InVain));
        spent.by_ref().take(remembered).for_each(drop);
        spent.for_each(|request| request.remembered = false);
        let kept = self.tell_state_again(&names, now);
        self.policy = Arc::clone(&names.new);
        out.records.push(Record { at: now.wall, event: Event::Reload { rules_kept: kept } });
    }

    fn tell_history_again(&mut self, names: &Names) {
        if self.location().is_some_and(|here| names.host(here).is_none()) {
            self.drain_said = None;
        }
        self.place = names.place(self.place);
        let still = |array: ArrayId| {
            let before = names.old.array_named(&names.new.arrays[array].name)?;
            let left = names.host(self.left[before.index()]?)?;
            names.new.ring(array).any(|host| host == left).then_some(left)
        };
        self.left = names.new.arrays.ids().map(still).collect();
        for request in &mut self.requests {
            // A host that is gone can't be asked about again; any will do.
            request.to = names.host(request.to).unwrap_or(HostId(u16::MAX));
            if let Origin::Rule(rule) = &mut request.origin {
                match names.rule(*rule) {
                    Some(new) => *rule = new,
                    // A rule that is gone; that it was a rule's move still counts.
                    None if request.end.is_some() => *rule = RuleId(u16::MAX),
                    None => request.origin = Origin::Operator,
                }
            }
        }
        self.failures.retain_mut(|failed| {
            let host = names.host(failed.host);
            failed.host = host.unwrap_or(failed.host);
            host.is_some()
        });
        let same: Vec<_> = names.new.rules.ids().map(|rule| (names.same_rule(rule), rule)).collect();
        self.tried.retain_mut(|tried| {
            let rule = same.iter().find(|(old, _)| *old == Some(tried.rule)).map(|(_, new)| *new);
            let (Some(rule), Some(host)) = (rule, names.host(tried.host)) else { return false };
            (tried.rule, tried.host) = (rule, host);
            true
        });
    }

    /// Returns how many rules kept their counters.
    fn tell_state_again(&mut self, names: &Names, now: Now) -> u32 {
        let (old, new) = (&names.old, &names.new);
        let noted = |(_, host): (HostId, &crate::policy::Host)| {
            old.host_named(&host.name).map_or(Noted::default(), |id| self.hosts[id.index()])
        };
        self.hosts = new.hosts.iter().map(noted).collect();
        let ranked = |(_, array): (ArrayId, &crate::policy::Array)| {
            let ranking = self.rankings[old.array_named(&array.name)?.index()].as_ref()?;
            let ring: Vec<_> = new.array_named(&array.name).map(|id| new.ring(id).collect())?;
            let order = ranking.order.iter().filter_map(|&host| names.host(host));
            let order: Vec<_> = order.filter(|host| ring.contains(host)).collect();
            (!order.is_empty()).then(|| Ranked { order: completed(&order, &ring), until: ranking.until })
        };
        self.rankings = new.arrays.iter().map(ranked).collect();
        // What is new is due now.
        let gone = self.last.map_or(0, |last| now.mono.0 - last.mono.0);
        let t = self.t.shifted(gone.max(0));
        let kept_indicator = |id: IndicatorId| {
            let before = old.indicator_named(&new.indicators[id].name)?;
            names.indicator_is_same(before, id).then_some(before)
        };
        let polled = |id: IndicatorId| match kept_indicator(id) {
            Some(before) => self.indicators[before.index()].clone(),
            None => Polled { due: t, ..Polled::default() },
        };
        let indicators = new.indicators.ids().map(polled).collect();
        let mut kept = 0;
        let mut rest = None;
        let ruled = |id: RuleId| {
            let Some(before) = names.same_rule(id) else { return Ruled::default() };
            kept += 1;
            if self.rest == Some(before) {
                rest = Some(id);
            }
            let mut ruled = self.rules[before.index()].clone();
            let fresh = ruled.fresh.iter();
            ruled.fresh =
                fresh.filter_map(|&i| new.indicator_named(&old.indicators[i].name)).collect::<BTreeSet<_>>();
            ruled
        };
        let rules = new.rules.ids().map(ruled).collect();
        let queued = |id: QueueId| {
            let Some(before) = old.queue_named(&new.queues[id].name) else {
                return Queued { claim_due: t, ..Queued::default() };
            };
            let mut queued = self.queues[before.index()].clone();
            if let Some(batch) = &mut queued.batch {
                let counts = std::mem::take(&mut batch.classes);
                batch.classes = vec![0; new.queues[id].classes.len()];
                for (count, class) in counts.iter().zip(&old.queues[before].classes) {
                    match new.queues[id].classes.iter().position(|other| other.name == class.name) {
                        Some(place) => batch.classes[place] = *count,
                        None => batch.others = batch.others.saturating_add(*count),
                    }
                }
            }
            queued
        };
        let queues = new.queues.ids().map(queued).collect();
        self.indicators = indicators;
        self.rules = rules;
        self.queues = queues;
        self.rest = rest;
        kept
    }
}
