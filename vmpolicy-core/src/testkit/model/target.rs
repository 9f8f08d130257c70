//! Where a move would go, and what is thought of each host.

use super::Model;
use super::decide::doubled;
use crate::id::{ArrayId, HostId, Id as _, RuleId};
use crate::output::Verdict;
use crate::policy::Action;
use crate::time::{Mono, Span};

/// What an action amounts to from where the guest is.
pub(super) enum Plan {
    /// The guest is there, or at the end of the ring.
    There,
    /// To one of these, the first first.
    To(Vec<HostId>),
}

impl Model {
    pub(super) fn plan(&self, action: Action, here: HostId) -> Plan {
        let host = &self.policy.hosts[here];
        let ring: Vec<_> = self.policy.ring(host.array).collect();
        let at = ring.iter().position(|&other| other == here);
        match action {
            Action::Move => Plan::To(self.ring_candidates(here)),
            Action::MoveUp | Action::MoveDown if at.is_none() => {
                let back = self.left[host.array.index()].or(ring.first().copied());
                Plan::To(back.into_iter().collect())
            }
            Action::MoveUp => match at {
                None => Plan::There,
                Some(0) => Plan::There,
                Some(at) => Plan::To(vec![ring[at - 1]]),
            },
            Action::MoveDown => match at {
                None => Plan::There,
                Some(at) => ring.get(at + 1).map_or(Plan::There, |&next| Plan::To(vec![next])),
            },
            Action::MoveToBase | Action::Rest(_) => match self.base_to_be() {
                Some(base) if base == here => Plan::There,
                base => Plan::To(base.into_iter().collect()),
            },
            Action::MoveFromHome(array) => self.plan_array(array, here),
            Action::MoveToHome => self.plan_array(self.policy.home, here),
            Action::MoveTo(to) if to == here => Plan::There,
            Action::MoveTo(to) => Plan::To(vec![to]),
        }
    }

    fn plan_array(&self, array: ArrayId, here: HostId) -> Plan {
        if self.policy.hosts[here].array == array {
            return Plan::There;
        }
        let ring: Vec<_> = self.policy.ring(array).collect();
        Plan::To(self.ranked(array).unwrap_or(ring))
    }

    /// The base that `move-to-base` means from here.
    pub(super) fn base_to_be(&self) -> Option<HostId> {
        let here = self.location()?;
        let own = self.policy.arrays[self.policy.hosts[here].array].base;
        own.or(self.policy.arrays[self.policy.home].base)
    }

    /// The other hosts of the ring, in the order in which `move` tries them.
    pub(super) fn ring_candidates(&self, here: HostId) -> Vec<HostId> {
        let array = self.policy.hosts[here].array;
        let mut ring: Vec<_> = self.policy.ring(array).collect();
        if let Some(ranked) = self.ranked(array) {
            ring = ranked;
        } else {
            let after = if ring.contains(&here) { Some(here) } else { self.left[array.index()] };
            if let Some(at) = ring.iter().position(|&host| Some(host) == after) {
                ring.rotate_left(at + 1);
            }
        }
        ring.retain(|&host| host != here);
        ring
    }

    /// The hosts of a ring as they are ranked, where a ranking holds.
    fn ranked(&self, array: ArrayId) -> Option<Vec<HostId>> {
        let ranking = self.rankings[array.index()].as_ref().filter(|ranking| ranking.until > self.t)?;
        Some(ranking.order.clone())
    }

    /// The first eligible of the candidates, and what was thought of each. A tour passes over those that it
    /// tried in vain since the ranking came.
    pub(super) fn choose(
        &self,
        candidates: &[HostId],
        tour: Option<RuleId>,
    ) -> (Option<HostId>, Vec<(HostId, Verdict)>) {
        let (mut chosen, mut verdicts) = (None, Vec::new());
        for &host in candidates {
            let array = self.policy.hosts[host].array;
            let in_vain = self.ranked(array).is_some() && tour.is_some_and(|rule| self.was_tried(rule, host));
            let verdict = match self.barrier(host) {
                Some(barrier) => barrier,
                None if in_vain => Verdict::TriedInVain,
                None if chosen.is_some() => Verdict::Eligible,
                None => {
                    chosen = Some(host);
                    Verdict::Chosen
                }
            };
            verdicts.push((host, verdict));
        }
        (chosen, verdicts)
    }

    pub(super) fn was_tried(&self, rule: RuleId, host: HostId) -> bool {
        self.tried.iter().any(|tried| tried.rule == rule && tried.host == host)
    }

    /// What makes a host not eligible.
    pub(super) fn barrier(&self, host: HostId) -> Option<Verdict> {
        let noted = &self.hosts[host.index()];
        let left =
            |until: Option<Mono>| until.filter(|&until| until > self.t).map(|until| until.since(self.t));
        left(noted.down_until)
            .map(Verdict::Down)
            .or(left(noted.drain_until).map(Verdict::Draining))
            .or(left(self.barred_until(host)).map(Verdict::Barred))
    }

    /// When a host that is not eligible will be, if nothing else is said of it.
    pub(super) fn eligible_at(&self, host: HostId) -> Option<Mono> {
        let noted = &self.hosts[host.index()];
        let ends = [self.barred_until(host), noted.drain_until, noted.down_until];
        ends.into_iter().flatten().filter(|&until| until > self.t).max()
    }

    fn barred_until(&self, host: HostId) -> Option<Mono> {
        self.failures
            .iter()
            .rev()
            .find(|failed| failed.host == host)
            .map(|failed| failed.at.plus(failed.barred))
    }

    /// For how long a host is barred after one failure more.
    pub(super) fn next_bar(&self, host: HostId) -> Span {
        let failures = self.failures.iter().filter(|failed| failed.host == host && failed.counts).count();
        doubled(self.policy.moves.bar, failures)
    }
}
