//! A small place to put guests in, and what happened there as lines that read as a document.

use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::leaf::window::Zone;
use vmpolicy_core::output::{Event, Output};
use vmpolicy_core::policy::ActionForm;
use vmpolicy_core::sim::load::LoadSpec;
use vmpolicy_core::sim::power::Power;
use vmpolicy_core::sim::scenario::{
    Array, ArrayIx, Fault, Feed, Guest, GuestIx, GuestSet, Host, HostIx, Kind, KindIx, LiveMoves, Managed,
    PolicyIx, Provider, Relocations, Scenario, Signal, What,
};
use vmpolicy_core::sim::service::{DatabaseSpec, ServiceSpec};
use vmpolicy_core::sim::world::{Options, Outcome, Watch, run};
use vmpolicy_core::testkit::sketch::{Sketch, above, below};
use vmpolicy_core::time::{Mono, Span, Wall};

pub(crate) const MINUTE: Span = Span::from_secs(60);

/// Three hosts and a base; moves on above 50, three samples in a row, and to the base below 1, twenty in a row.
pub(crate) fn base_aware() -> Arc<Policy> {
    sketch().keep_going().at_most(1_000, Span::from_hours(1)).build()
}

pub(crate) fn sketch() -> Sketch {
    Sketch::default()
        .array("oslo", &["mln1", "mln2", "mln3"])
        .base("mln6")
        .gauge("load", MINUTE)
        .rule("overloaded", above("load", 50.0), Tarry::Consecutive(3), ActionForm::Move)
        .rule("idle", below("load", 1.0), Tarry::Consecutive(20), ActionForm::MoveToBase)
}

/// The policy's hosts, two cores of 2 GHz each, and one guest that follows `load`; moves take no time.
pub(crate) fn place(policy: &Arc<Policy>, load: LoadSpec) -> Scenario {
    let arrays = policy.arrays().rows().iter().map(|array| Array {
        name: array.name.clone(),
        live: LiveMoves::Take(Span::ZERO),
        leaving: Relocations::Take(vec![Span::from_mins(5)]),
        provider: Provider::default(),
    });
    let hosts = policy.hosts().rows().iter().map(|host| Host {
        name: host.name.clone(),
        array: ArrayIx::from_index(vmpolicy_core::id::Id::index(host.array)),
        is_base: host.is_base,
        cores: 2,
        clock_ghz: 2.0,
        memory: 8e9,
        price: if host.is_base { 0.03 } else { 0.12 },
        power: Power::HP_ML110_G4,
    });
    let mut scenario = Scenario {
        start: Wall::from_secs(1_241_568_000),
        zone: Zone::utc(),
        lasts: Span::from_hours(2),
        step: MINUTE,
        seed: 1,
        arrays: arrays.collect(),
        hosts: hosts.collect(),
        policies: vec![Arc::clone(policy)],
        kinds: Vec::new(),
        guests: Vec::new(),
        queues: Vec::new(),
        management: None,
        faults: Vec::new(),
    };
    let signal = Signal { load, strain: 0.0, counts: false };
    let managed = Managed {
        policy: PolicyIx(0),
        feeds: policy.indicators().ids().map(|_| Some(Feed::Follows(signal.clone()))).collect(),
        queues: Vec::new(),
        locates: true,
        probe_takes: Span::ZERO,
    };
    scenario.add("nii1", plain(Some(managed)), HostIx(0));
    scenario
}

/// A guest of one processor that wants nothing of it.
pub(crate) fn plain(managed: Option<Managed>) -> Kind {
    Kind {
        vcpus: 1,
        memory: 512e6,
        dirties: 5e6,
        working_set: 32e6,
        disk: 1e9,
        shutdown: Span::from_secs(20),
        boot: Span::from_secs(40),
        load: LoadSpec::Constant(0.0),
        service: ServiceSpec::Plain,
        managed,
    }
}

/// A database whose queries take 50 ms on a core of 2 GHz.
pub(crate) fn database(load: LoadSpec, managed: Option<Managed>) -> Kind {
    Kind { load, service: ServiceSpec::Database(DatabaseSpec::default()), ..plain(managed) }
}

pub(crate) trait Add {
    fn add(&mut self, name: &str, kind: Kind, at: HostIx);
    fn fault(&mut self, at: Span, lasts: Option<Span>, what: What);
    fn one(&self) -> GuestSet;
    fn host(&self, name: &str) -> HostIx;
}

impl Add for Scenario {
    fn add(&mut self, name: &str, kind: Kind, at: HostIx) {
        self.kinds.push(kind);
        let kind = KindIx::from_index(self.kinds.len() - 1);
        self.guests.push(Guest { name: name.to_owned(), kind, at });
    }

    fn fault(&mut self, at: Span, lasts: Option<Span>, what: What) {
        self.faults.push(Fault { at, lasts, what });
    }

    fn one(&self) -> GuestSet {
        GuestSet::These(vec![GuestIx(0)])
    }

    fn host(&self, name: &str) -> HostIx {
        HostIx::from_index(self.hosts.iter().position(|host| host.name == name).expect("a host"))
    }
}

/// What happened, a line each.
pub(crate) struct Story<'a> {
    scenario: &'a Scenario,
    guests: Vec<GuestIx>,
    hosts: Vec<HostIx>,
    pub(crate) lines: Vec<String>,
}

impl<'a> Story<'a> {
    /// Of a part of a scenario, with these guests and hosts.
    pub(crate) fn of(scenario: &'a Scenario, guests: Vec<GuestIx>, hosts: Vec<HostIx>) -> Self {
        Self { scenario, guests, hosts, lines: Vec::new() }
    }

    fn guest(&self, guest: GuestIx) -> &'a str {
        &self.scenario.guests[self.guests[guest.index()].index()].name
    }
}

impl Watch for Story<'_> {
    fn recorded(&mut self, guest: GuestIx, _: Mono, policy: &Policy, output: &Output) {
        let name = |host| &policy.hosts()[host].name;
        for record in &output.records {
            let what = match record.event {
                Event::Request { id, from, to, .. } => format!("request {id} {} -> {}", name(from), name(to)),
                Event::Confirmed { id, at_host } => format!("confirmed {id} at {}", name(at_host)),
                Event::Refused { id, to, .. } => format!("refused {id} {}", name(to)),
                Event::Failed { id, to, why, .. } => format!("failed {id} {} {why:?}", name(to)),
                Event::Expired { id, to, .. } => format!("expired {id} {}", name(to)),
                Event::Unknown { why, .. } => format!("unknown {}", why.name()),
                Event::Void { why } => format!("void {why:?}").replace("Discontinuity::", ""),
                Event::Held { by, .. } => format!("held {}", by.name()),
                ref event => event.name().to_owned(),
            };
            // By the guest's own clock, which a fault may have set back.
            let back = if record.at < self.scenario.start { "-" } else { "" };
            let since = Span::from_millis((record.at.0 - self.scenario.start.0).unsigned_abs());
            self.lines.push(format!("{back}{since} {}: {what}", self.guest(guest)));
        }
    }

    fn placed(&mut self, guest: GuestIx, at: Mono, host: Option<HostIx>) {
        if at > Mono(0) {
            let host =
                host.map_or("nowhere", |host| &self.scenario.hosts[self.hosts[host.index()].index()].name);
            let since = Span::from_millis(at.0.unsigned_abs());
            self.lines.push(format!("{since} {} is on {host}", self.guest(guest)));
        }
    }
}

/// Runs a scenario with the onlooker, and tells what happened.
pub(crate) fn story(scenario: &Scenario) -> (Vec<String>, Outcome) {
    story_with(scenario, Options::default())
}

pub(crate) fn story_with(scenario: &Scenario, options: Options) -> (Vec<String>, Outcome) {
    let guests = (0..scenario.guests.len()).map(GuestIx::from_index).collect();
    let hosts = (0..scenario.hosts.len()).map(HostIx::from_index).collect();
    let mut story = Story::of(scenario, guests, hosts);
    let outcome = run(scenario, options, &mut story).unwrap_or_else(|violated| panic!("{violated}"));
    (story.lines, outcome)
}
