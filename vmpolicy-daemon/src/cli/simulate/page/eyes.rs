//! What a page shows of a run, written down while it happens.

use super::{INDICATORS_MAX, indicators, looked_at, skeleton};
use crate::report::GuestLog;
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::engine::Engine;
use vmpolicy_core::id::IndicatorId;
use vmpolicy_core::record::View;
use vmpolicy_core::sim::scenario::{GuestIx, HostIx, PolicyIx, Scenario};
use vmpolicy_core::sim::world::{Island, Snapshot};
use vmpolicy_core::time::Mono;

/// A log for each guest of an island, and what its hosts do; guests and hosts by the island's numbers.
#[derive(Debug)]
pub(in crate::cli::simulate) struct Eyes {
    pub(super) logs: Vec<GuestLog>,
    guests: Vec<Known>,
    /// The page's number of each host.
    hosts: Vec<usize>,
    /// By the scenario's policies.
    policies: Arc<[Shown]>,
    /// What the hosts did at each step since somebody asked.
    pub(super) ticks: Vec<Tick>,
}

/// What is shown of a policy: the page's numbers of its hosts, and an indicator.
type Shown = (Arc<[usize]>, Option<IndicatorId>);

/// What the hosts of an island do during a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: Mono,
    /// Hosts with guests.
    pub(super) used: f64,
    /// The sum of the parts of them that are busy.
    pub(super) busy: f64,
    /// The part of the busiest that is busy.
    pub(super) busiest: f64,
    pub(super) overloaded: f64,
    pub(super) watts: f64,
}

/// What is known of a guest.
#[derive(Clone, Copy, Debug)]
struct Known {
    policy: Option<PolicyIx>,
    /// What its rules saw when it was last written down.
    value: Option<f64>,
    in_breach: bool,
    /// Whether its indicator has been polled since.
    polled: bool,
}

impl Eyes {
    /// For each island; a page shows so many variants.
    pub(in crate::cli::simulate) fn all(
        scenario: &Scenario,
        variants: usize,
        islands: &[Island],
    ) -> Vec<Self> {
        // Each indicator has lines of its own, and a page is bounded.
        let figures = indicators(scenario).len().clamp(1, INDICATORS_MAX);
        let (mut page, hosts) = skeleton(scenario, "", variants * figures);
        let policies = scenario.policies.iter();
        let policies: Vec<_> = policies.map(|policy| (page.hosts_of(policy), looked_at(policy))).collect();
        let policies: Arc<[Shown]> = policies.into();
        let none: Arc<[usize]> = Arc::new([]);
        let of_island = |island: &Island| {
            let (mut logs, mut guests) = (Vec::new(), Vec::new());
            for number in island.guests() {
                let guest = &scenario.guests[number.index()];
                let managed = scenario.kinds[guest.kind.index()].managed.as_ref();
                let policy = managed.map(|managed| managed.policy);
                let of = policy
                    .map_or_else(|| Arc::clone(&none), |policy| Arc::clone(&policies[policy.index()].0));
                let mut log = page.log(number.index(), of, Some(hosts[guest.at.index()]));
                log.seen();
                logs.push(log);
                guests.push(Known { policy, value: None, in_breach: false, polled: false });
            }
            let hosts = island.hosts().iter().map(|host| hosts[host.index()]).collect();
            Self { logs, guests, hosts, policies: Arc::clone(&policies), ticks: Vec::new() }
        };
        islands.iter().map(of_island).collect()
    }

    /// What was seen of all islands, their runs at their ends; by the scenario's numbers.
    pub(in crate::cli::simulate) fn together<'a>(
        scenario: &Scenario,
        parts: impl Iterator<Item = (&'a Island, Self)>,
    ) -> Self {
        let end = scenario.start.plus(scenario.lasts);
        let mut guests = Vec::new();
        let mut policies: Arc<[Shown]> = Arc::new([]);
        for (island, part) in parts {
            policies = part.policies;
            let logs = part.logs.into_iter().zip(part.guests);
            guests.extend(island.guests().iter().zip(logs).map(|(number, (mut log, known))| {
                log.finish(end);
                (number.index(), log, known)
            }));
        }
        guests.sort_by_key(|(number, ..)| *number);
        let (logs, guests) = guests.into_iter().map(|(_, log, known)| (log, known)).unzip();
        Self { logs, guests, hosts: Vec::new(), policies, ticks: Vec::new() }
    }

    /// The indicator of a guest's policy that is shown.
    pub(super) fn looks_at<'a>(&self, scenario: &'a Scenario, guest: usize) -> Option<&'a str> {
        let policy = self.guests[guest].policy?.index();
        let shown = self.policies[policy].1?;
        Some(&scenario.policies[policy].indicators()[shown].name)
    }

    /// A guest may have been given another policy.
    fn follow(&mut self, scenario: &Scenario, guest: GuestIx, policy: &Policy) {
        let known = &mut self.guests[guest.index()];
        let same = |at: PolicyIx| std::ptr::eq(&*scenario.policies[at.index()], policy);
        if known.policy.is_some_and(same) {
            return;
        }
        let found = (0..scenario.policies.len()).map(PolicyIx::from_index).find(|&at| same(at));
        if let Some(found) = found {
            known.policy = Some(found);
            self.logs[guest.index()].reload(Arc::clone(&self.policies[found.index()].0));
        }
    }

    pub(in crate::cli::simulate) fn recorded(
        &mut self,
        scenario: &Scenario,
        guest: GuestIx,
        at: Mono,
        view: &View<'_>,
    ) {
        self.follow(scenario, guest, view.policy);
        self.logs[guest.index()].record_at(scenario.start.shifted(at.0), view);
    }

    pub(in crate::cli::simulate) fn polled(&mut self, guest: GuestIx, indicator: IndicatorId) {
        let known = &mut self.guests[guest.index()];
        let shown = known.policy.and_then(|policy| self.policies[policy.index()].1);
        known.polled |= shown == Some(indicator);
    }

    #[inline]
    pub(in crate::cli::simulate) fn turned(
        &mut self,
        scenario: &Scenario,
        guest: GuestIx,
        at: Mono,
        in_breach: bool,
        engine: &Engine,
    ) {
        self.follow(scenario, guest, engine.policy());
        let known = &mut self.guests[guest.index()];
        let Some(shown) = known.policy.and_then(|policy| self.policies[policy.index()].1) else { return };
        let value = engine.value(shown);
        if known.polled || value != known.value || in_breach != known.in_breach {
            (known.value, known.in_breach, known.polled) = (value, in_breach, false);
            self.logs[guest.index()].sample(scenario.start.shifted(at.0), value, in_breach);
        }
    }

    pub(in crate::cli::simulate) fn placed(
        &mut self,
        scenario: &Scenario,
        guest: GuestIx,
        at: Mono,
        host: Option<HostIx>,
    ) {
        let host = host.map(|host| self.hosts[host.index()]);
        self.logs[guest.index()].placed(scenario.start.shifted(at.0), host);
    }

    pub(in crate::cli::simulate) fn moving(
        &mut self,
        scenario: &Scenario,
        guest: GuestIx,
        at: Mono,
        to: Option<HostIx>,
    ) {
        self.logs[guest.index()].moving(scenario.start.shifted(at.0), to.is_some());
    }

    pub(in crate::cli::simulate) fn powered(
        &mut self,
        scenario: &Scenario,
        guest: GuestIx,
        at: Mono,
        on: bool,
    ) {
        let known = &mut self.guests[guest.index()];
        (known.value, known.in_breach) = (None, false);
        self.logs[guest.index()].powered(scenario.start.shifted(at.0), on);
    }

    pub(in crate::cli::simulate) fn stepped(
        &mut self,
        scenario: &Scenario,
        island: &Island,
        at: Mono,
        snapshot: &Snapshot<'_>,
    ) {
        let mut tick = Tick { at, used: 0.0, busy: 0.0, busiest: 0.0, overloaded: 0.0, watts: 0.0 };
        for (index, number) in island.hosts().iter().enumerate() {
            let host = HostIx::from_index(index);
            if snapshot.guests_on(host) > 0 {
                let busy = snapshot.busy(host);
                tick.used += 1.0;
                tick.busy += busy;
                tick.busiest = tick.busiest.max(busy);
                tick.watts += scenario.hosts[number.index()].power.watts(busy);
                tick.overloaded += f64::from(u8::from(snapshot.is_overloaded(host)));
            }
        }
        self.ticks.push(tick);
    }
}
