//! A fleet for the simulator: arrays of ten hosts and a base, a hundred database guests in each, all with a policy
//! of the thesis.

use crate::policies::{fleet_policy, steal_policy};
use std::sync::Arc;
use vmpolicy_core::leaf::window::Zone;
use vmpolicy_core::sim::load::{LoadSpec, Mmpp, Period, Wave};
use vmpolicy_core::sim::power::Power;
use vmpolicy_core::sim::scenario::{
    Array, ArrayIx, Feed, Guest, Host, HostIx, Kind, KindIx, LiveMoves, Managed, PolicyIx, Provider,
    Relocations, Scenario,
};
use vmpolicy_core::sim::service::{DatabaseSpec, Indicator, ServiceSpec};
use vmpolicy_core::time::{Span, Wall};

/// Hosts of an array's ring.
const RING: usize = 9;
/// Guests of an array.
const GUESTS: usize = 100;

/// What the guests are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// They take a share of their processors; policy: move on where much of it is stolen.
    Processors,
    /// Databases; policy: move on where many queries pile up, to the base where there are next to none.
    Databases,
}

/// So many guests, a tenth as many hosts, for a day of one-minute samples.
#[must_use]
pub fn fleet(guests: usize, service: Service) -> Scenario {
    let arrays = guests.div_ceil(GUESTS);
    let mut scenario = Scenario {
        start: Wall::from_secs(1_241_568_000),
        zone: Zone::utc(),
        lasts: Span::from_hours(24),
        step: Span::from_secs(60),
        seed: 1,
        arrays: Vec::new(),
        hosts: Vec::new(),
        policies: Vec::new(),
        kinds: Vec::new(),
        guests: Vec::new(),
        queues: Vec::new(),
        management: None,
        faults: Vec::new(),
    };
    for array in 0..arrays {
        add_array(&mut scenario, array, service);
    }
    scenario
}

fn add_array(scenario: &mut Scenario, index: usize, service: Service) {
    let array = ArrayIx::from_index(index);
    let first = scenario.hosts.len();
    let names: Vec<String> = (0..=RING).map(|host| format!("a{index}h{host}")).collect();
    for (host, name) in names.iter().enumerate() {
        scenario.hosts.push(Host {
            name: name.clone(),
            array,
            is_base: host == RING,
            // At the peak an array wants nearly all that it has: some of its hosts are too full.
            cores: if service == Service::Processors { 9 } else { 16 },
            clock_ghz: 2.6,
            memory: 64e9,
            price: if host == RING { 0.03 } else { 0.12 },
            power: Power::HP_ML110_G5,
        });
    }
    scenario.arrays.push(Array {
        name: format!("a{index}"),
        live: LiveMoves::Precopy { link: 1.25e9 },
        leaving: Relocations::Copy { link: 1.25e8 },
        provider: Provider::default(),
    });
    let policy = match service {
        Service::Processors => steal_policy(&format!("a{index}"), &names),
        Service::Databases => fleet_policy(&format!("a{index}"), &names),
    };
    scenario.policies.push(Arc::new(policy));
    for day in [true, false] {
        scenario.kinds.push(kind(PolicyIx::from_index(index), day, service));
    }
    for guest in 0..GUESTS {
        scenario.guests.push(Guest {
            name: format!("a{index}g{guest}"),
            kind: KindIx::from_index(2 * index + usize::from(guest % 4 == 0)),
            at: HostIx::from_index(first + guest % RING),
        });
    }
}

/// A guest with a daily wave, or with two states.
fn kind(policy: PolicyIx, is_wave: bool, service: Service) -> Kind {
    // Shares of a processor, or queries a second.
    let scale = match service {
        Service::Processors => 0.068,
        Service::Databases => 1.0,
    };
    let load = if is_wave {
        LoadSpec::Wave(Wave {
            low: 0.5 * scale,
            high: 14.0 * scale,
            peak: Span::from_hours(14),
            period: Period::Day,
            zone: Arc::new(Zone::utc()),
        })
    } else {
        let stays = [Span::from_hours(2), Span::from_mins(20)];
        LoadSpec::Mmpp(Mmpp { rates: [scale, 12.0 * scale], stays })
    };
    let (reads, service) = match service {
        Service::Processors => (Indicator::Steal, ServiceSpec::Plain),
        Service::Databases => (
            Indicator::ThreadsRunning,
            ServiceSpec::Database(DatabaseSpec { work_gcycles: 0.15, ..DatabaseSpec::default() }),
        ),
    };
    Kind {
        vcpus: 1,
        memory: 512e6,
        dirties: 10e6,
        working_set: 64e6,
        disk: 4e9,
        shutdown: Span::from_secs(30),
        boot: Span::from_secs(60),
        load,
        service,
        managed: Some(Managed {
            policy,
            feeds: vec![Some(Feed::Reads(reads))],
            queues: Vec::new(),
            locates: false,
            probe_takes: Span::ZERO,
        }),
    }
}
