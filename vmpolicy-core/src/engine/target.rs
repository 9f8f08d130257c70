//! Where an action leads: the candidates, who of them is eligible, and why not.

use super::plan::bit;
use super::state::State;
use super::step::Step;
use crate::id::{ArrayId, HostId, RuleId};
use crate::leaf::ring::{Ring, reranked};
use crate::output::Verdict;
use crate::policy::Action;
use crate::time::Mono;

/// What an action aims at from where the guest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// What it wants is so already, or there is nothing to do at the end of the ring.
    Nothing,
    /// There is no such place: neither the current array nor home has a base.
    Nowhere {
        /// The current array.
        array: ArrayId,
    },
    /// A host of the ring: by the ranking, else the one after `from`, and so on.
    Ring {
        /// Whose ring.
        array: ArrayId,
        /// The ring host to start after; none: begin with the first.
        from: Option<HostId>,
    },
    /// This host and no other.
    Host {
        /// Which.
        host: HostId,
        /// The array that it belongs to.
        array: ArrayId,
    },
}

impl Aim {
    pub(super) const fn array(self) -> Option<ArrayId> {
        match self {
            Self::Nothing => None,
            Self::Nowhere { array } | Self::Ring { array, .. } | Self::Host { array, .. } => Some(array),
        }
    }
}

impl Step<'_> {
    /// What an action aims at from `from`.
    pub(super) fn aim(&self, action: Action, from: HostId) -> Aim {
        let here = &self.policy.hosts[from];
        let array = here.array;
        match action {
            Action::Move => Aim::Ring { array, from: self.starting_point(from) },
            Action::MoveUp => self.neighbour(from, Ring::up),
            Action::MoveDown => self.neighbour(from, Ring::down),
            Action::MoveToBase | Action::Rest(_) => {
                let home = self.policy.home;
                match self.policy.arrays[array].base.or(self.policy.arrays[home].base) {
                    Some(base) => self.aim_at(base, from),
                    None => Aim::Nowhere { array },
                }
            }
            Action::MoveFromHome(away) => self.aim_at_array(away, array),
            Action::MoveToHome => self.aim_at_array(self.policy.home, array),
            Action::MoveTo(host) => self.aim_at(host, from),
        }
    }

    /// Where `move` starts: at the current host or, from the base, at the one that was left last.
    pub(super) fn starting_point(&self, from: HostId) -> Option<HostId> {
        let here = &self.policy.hosts[from];
        if here.is_base { self.state.arrays[here.array].left } else { Some(from) }
    }

    fn aim_at(&self, host: HostId, from: HostId) -> Aim {
        if host == from { Aim::Nothing } else { Aim::Host { host, array: self.policy.hosts[host].array } }
    }

    fn aim_at_array(&self, wanted: ArrayId, current: ArrayId) -> Aim {
        if wanted == current { Aim::Nothing } else { Aim::Ring { array: wanted, from: None } }
    }

    /// One step along the ring; from the base, back into it where the guest left it.
    fn neighbour(&self, from: HostId, step: fn(Ring, u16) -> Option<u16>) -> Aim {
        let here = &self.policy.hosts[from];
        let array = &self.policy.arrays[here.array];
        let target = if here.is_base {
            Some(self.starting_point(from).unwrap_or(array.first))
        } else {
            let position = from.0 - array.first.0;
            step(Ring::new(array.ring_len), position).map(|position| HostId(array.first.0 + position))
        };
        target.map_or(Aim::Nothing, |host| Aim::Host { host, array: here.array })
    }

    /// The first eligible candidate. What was thought of each is added to the verdicts; `rule`'s marks
    /// count under a ranking.
    pub(super) fn choose(&mut self, aim: Aim, from: HostId, rule: Option<RuleId>) -> Option<HostId> {
        let mut chosen = None;
        let mut look = |step: &mut Self, host: HostId, rule: Option<RuleId>| {
            let verdict = match step.verdict(host, from, rule) {
                Verdict::Eligible if chosen.is_none() => {
                    chosen = Some(host);
                    Verdict::Chosen
                }
                verdict => verdict,
            };
            step.out.verdicts.push((host, verdict));
        };
        match aim {
            Aim::Nothing | Aim::Nowhere { .. } => {}
            Aim::Host { host, .. } => look(self, host, None),
            Aim::Ring { array, from: start } => {
                let policy = self.policy;
                let (first, len) = (policy.arrays[array].first, policy.arrays[array].ring_len);
                if self.is_ranked(array) {
                    for index in 0..self.state.arrays[array].ranking.len() {
                        let host = self.state.arrays[array].ranking[index];
                        if host != from {
                            look(self, host, rule);
                        }
                    }
                } else {
                    for position in Ring::new(len).after(start.map(|start| start.0 - first.0)) {
                        let host = HostId(first.0 + position);
                        if host != from {
                            look(self, host, None);
                        }
                    }
                    // From the base, the host that was left last is a candidate too: the last one.
                    if let Some(start) = start
                        && start != from
                    {
                        look(self, start, None);
                    }
                }
            }
        }
        chosen
    }

    /// Whether a ranking holds for this array.
    pub(super) fn is_ranked(&self, array: ArrayId) -> bool {
        let array = &self.state.arrays[array];
        array.ranking_until > self.t && !array.ranking.is_empty()
    }

    /// What there is to say of a host, seen from `from`.
    pub(super) fn verdict(&self, host: HostId, from: HostId, rule: Option<RuleId>) -> Verdict {
        self.state.verdict(host, Some(from), rule, self.t)
    }

    /// Rule 9 of the contract, without the ring: that is the candidates' part.
    pub(super) fn is_eligible(&self, host: HostId, from: HostId) -> bool {
        self.verdict(host, from, None) == Verdict::Eligible
    }

    /// When the first of the candidates that the verdicts since `mark` name may be eligible again.
    pub(super) fn eligible_again(&self, mark: usize) -> Option<Mono> {
        self.out.verdicts[mark..]
            .iter()
            .filter(|(_, verdict)| {
                matches!(verdict, Verdict::Barred(_) | Verdict::Draining(_) | Verdict::Down(_))
            })
            .map(|&(host, _)| {
                let state = &self.state.hosts[host];
                state.barred_until.max(state.drain_until).max(state.down_until)
            })
            .min()
    }

    /// A provider's ranking in full: the hosts that it leaves out follow in the ring's order.
    pub(super) fn rank(&mut self, array: ArrayId, order: &[HostId]) {
        let ring = &self.policy.arrays[array];
        let first = ring.first.0;
        let places = order.iter().filter_map(|host| host.0.checked_sub(first));
        let ranking = &mut self.state.arrays[array].ranking;
        ranking.clear();
        ranking.extend(reranked(ring.ring_len, places).map(|place| HostId(first + place)));
    }
}

impl State {
    /// What there is to say of a host at `t`, seen from `from`.
    pub(super) fn verdict(
        &self,
        host: HostId,
        from: Option<HostId>,
        rule: Option<RuleId>,
        t: Mono,
    ) -> Verdict {
        let state = &self.hosts[host];
        let left = |until: Mono| until.since(t);
        if from == Some(host) {
            Verdict::Current
        } else if state.down_until > t {
            Verdict::Down(left(state.down_until))
        } else if state.drain_until > t {
            Verdict::Draining(left(state.drain_until))
        } else if state.barred_until > t {
            Verdict::Barred(left(state.barred_until))
        } else if rule.is_some_and(|rule| state.tried & bit(rule) != 0) {
            Verdict::TriedInVain
        } else {
            Verdict::Eligible
        }
    }
}
