//! What a page shows of a run, written down while it happens.

use super::gauge::Gauge;
use super::{INDICATORS_MAX, indicators, looked_at, skeleton};
use crate::report::{Figure, GuestLog, Meter, Panel, Unit};
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::engine::Engine;
use vmpolicy_core::id::IndicatorId;
use vmpolicy_core::record::View;
use vmpolicy_core::sim::scenario::{GuestIx, HostIx, PolicyIx, Scenario};
use vmpolicy_core::sim::world::Snapshot;
use vmpolicy_core::time::Mono;

/// A log for each guest, and the hosts' quantities.
#[derive(Debug)]
pub(in crate::cli::simulate) struct Eyes {
    pub(super) logs: Vec<GuestLog>,
    guests: Vec<Known>,
    /// The page's number of each host.
    hosts: Vec<usize>,
    /// By policy: the page's numbers of its hosts, and the indicator that is shown.
    policies: Vec<(Arc<[usize]>, Option<IndicatorId>)>,
    busy: Gauge,
    busiest: Gauge,
    in_use: Gauge,
    overloaded: Gauge,
    kilowatts: Gauge,
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
    pub(in crate::cli::simulate) fn new(scenario: &Scenario, variants: usize) -> Self {
        // Each indicator has lines of its own, and a page is bounded.
        let figures = indicators(scenario).len().clamp(1, INDICATORS_MAX);
        let (mut page, hosts) = skeleton(scenario, "", variants * figures);
        let policies: Vec<_> =
            scenario.policies.iter().map(|policy| (page.hosts_of(policy), looked_at(policy))).collect();
        let none: Arc<[usize]> = Arc::new([]);
        let (mut logs, mut guests) = (Vec::new(), Vec::new());
        for (index, guest) in scenario.guests.iter().enumerate() {
            let managed = scenario.kinds[guest.kind.index()].managed.as_ref();
            let policy = managed.map(|managed| managed.policy);
            let of =
                policy.map_or_else(|| Arc::clone(&none), |policy| Arc::clone(&policies[policy.index()].0));
            let mut log = page.log(index, of, Some(hosts[guest.at.index()]));
            log.seen();
            logs.push(log);
            guests.push(Known { policy, value: None, in_breach: false, polled: false });
        }
        let gauge = Gauge::new(scenario.lasts, scenario.step);
        Self {
            logs,
            guests,
            hosts,
            policies,
            busy: gauge.clone(),
            busiest: gauge.clone(),
            in_use: gauge.clone(),
            overloaded: gauge.clone(),
            kilowatts: gauge,
        }
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
        at: Mono,
        snapshot: &Snapshot<'_>,
    ) {
        let (mut used, mut sum, mut most, mut overloaded, mut watts) = (0.0, 0.0, 0.0_f64, 0.0, 0.0);
        for (index, row) in scenario.hosts.iter().enumerate() {
            let host = HostIx::from_index(index);
            if snapshot.guests_on(host) > 0 {
                let busy = snapshot.busy(host);
                used += 1.0;
                sum += busy;
                most = most.max(busy);
                watts += row.power.watts(busy);
                overloaded += f64::from(u8::from(snapshot.is_overloaded(host)));
            }
        }
        self.busy.is(at, if used > 0.0 { sum / used } else { 0.0 });
        self.busiest.is(at, most);
        self.in_use.is(at, used);
        self.overloaded.is(at, overloaded);
        self.kilowatts.is(at, watts / 1_000.0);
    }

    /// The run has ended.
    pub(in crate::cli::simulate) fn finish(&mut self, scenario: &Scenario) {
        let end = scenario.start.plus(scenario.lasts);
        self.logs.iter_mut().for_each(|log| log.finish(end));
    }

    /// What the hosts did.
    pub(super) fn panels(&self, scenario: &Scenario) -> Vec<Panel> {
        let panel = |id: &str, title: &str, about: &str, unit, lines: &[(&str, &Gauge)]| {
            let lines = lines.iter().map(|(name, gauge)| ((*name).to_owned(), gauge.points())).collect();
            Panel {
                id: id.to_owned(),
                title: title.to_owned(),
                about: about.to_owned(),
                figure: Figure::Meter(Meter { unit, lines }),
            }
        };
        let mut panels = vec![panel(
            "use",
            "How busy hosts were",
            "The part of their processors that was busy, of hosts that had guests.",
            Unit::Share,
            &[("mean", &self.busy), ("busiest", &self.busiest)],
        )];
        if scenario.hosts.len() > 1 {
            panels.push(panel(
                "in-use",
                "Hosts in use",
                "Hosts that had guests, and those of them that could not meet all that was demanded.",
                Unit::Plain,
                &[("in use", &self.in_use), ("overloaded", &self.overloaded)],
            ));
        }
        panels.push(panel(
            "energy",
            "Energy an hour (kWh)",
            "What all hosts that had guests drew; a host without any is off.",
            Unit::KilowattHours,
            &[("all hosts", &self.kilowatts)],
        ));
        panels
    }
}
