//! Data centres at random, in whole numbers so that no sum depends on its order.

use crate::sim::balance::{Guests, History, Hosts, Kind, View};
use crate::sim::power::Power;
use proptest::prelude::*;

const KINDS: [Kind; 3] = [
    Kind { capacity: 5320.0, core: 2660.0, memory: 4096.0, power: Power::HP_ML110_G5 },
    Kind { capacity: 3720.0, core: 1860.0, memory: 4096.0, power: Power::HP_ML110_G4 },
    Kind { capacity: 4000.0, core: 1000.0, memory: 2048.0, power: Power::Linear { idle: 40.0, full: 180.0 } },
];

/// A data centre that owns its columns.
#[derive(Clone, Debug)]
pub(super) struct World {
    kind: Vec<u16>,
    used: Vec<f64>,
    open: Vec<bool>,
    size: Vec<f64>,
    demand: Vec<f64>,
    allocated: Vec<f64>,
    memory: Vec<f64>,
    home: Vec<u32>,
    moving: Vec<bool>,
    residents: Vec<Vec<u32>>,
    history: History,
}

impl World {
    /// Hosts of the first kind, and guests by (host, demand), all with the same memory and no history.
    pub(super) fn plain(guests: &[(u32, f64)], hosts: usize) -> Self {
        let rows = guests.iter().map(|(host, demand)| Row {
            home: *host as usize,
            to: None,
            size: 2500.0,
            demand: *demand,
            memory: 100.0,
        });
        Self::new(vec![0; hosts], vec![true; hosts], &rows.collect::<Vec<_>>(), &[])
    }

    /// Of guests with a past: rounds, the oldest first, of percents.
    pub(super) fn new(kind: Vec<u16>, open: Vec<bool>, rows: &[Row], past: &[Vec<u32>]) -> Self {
        let mut residents = vec![Vec::new(); kind.len()];
        for (guest, row) in (0..).zip(rows) {
            residents[row.home].push(guest);
            if let Some(to) = row.to {
                residents[to].push(guest);
            }
        }
        let column = |value: fn(&Row) -> f64| rows.iter().map(value).collect::<Vec<_>>();
        let mut history = History::new(rows.len());
        let size = column(|row| row.size);
        for percents in past {
            let demand: Vec<f64> =
                size.iter().zip(percents).map(|(size, percent)| size / 100.0 * f64::from(*percent)).collect();
            history.record(&demand, &size);
        }
        let mut world = Self {
            used: vec![0.0; kind.len()],
            kind,
            open,
            demand: column(|row| row.demand),
            allocated: vec![0.0; rows.len()],
            memory: column(|row| row.memory),
            home: rows.iter().map(|row| u32::try_from(row.home).expect("few hosts")).collect(),
            moving: rows.iter().map(|row| row.to.is_some()).collect(),
            size,
            residents,
            history,
        };
        world.share();
        world
    }

    /// Each gets what it wants or, where there is too little, the same whole part of it.
    fn share(&mut self) {
        for (host, residents) in self.residents.iter().enumerate() {
            let kind = KINDS[usize::from(self.kind[host])];
            let wants = |guest: &u32| self.demand[*guest as usize].min(kind.core);
            let cut = (kind.capacity / residents.iter().map(wants).sum::<f64>()).min(1.0);
            let mut used = 0.0;
            for guest in residents {
                let gets = (wants(guest) * cut).floor();
                used += gets;
                if self.home[*guest as usize] as usize == host {
                    self.allocated[*guest as usize] = gets;
                }
            }
            self.used[host] = (used / kind.capacity).min(1.0);
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            hosts: Hosts { kinds: &KINDS, kind: &self.kind, used: &self.used, open: &self.open },
            guests: Guests {
                size: &self.size,
                demand: &self.demand,
                allocated: &self.allocated,
                memory: &self.memory,
                home: &self.home,
                moving: &self.moving,
            },
            residents: &self.residents,
            history: &self.history,
        }
    }
}

/// A guest: where it is and where it goes, what it could use and what it wants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) home: usize,
    pub(super) to: Option<usize>,
    pub(super) size: f64,
    pub(super) demand: f64,
    pub(super) memory: f64,
}

/// A guest by where it is, where it goes, its kind, how many percent it wants.
fn rows(hosts: usize) -> impl Strategy<Value = Vec<Row>> {
    const SIZES: [(f64, f64); 4] = [(2500.0, 870.0), (2000.0, 1740.0), (1000.0, 1740.0), (500.0, 613.0)];
    // Few hosts in use and many empty ones.
    let home = prop_oneof![3 => 0..hosts.div_ceil(2), 1 => 0..hosts];
    let to = prop::option::weighted(0.1, 0..hosts);
    let percent = prop_oneof![1 => Just(0_u32), 3 => 1..=100_u32, 4 => 1..=30_u32, 2 => Just(40)];
    let row = (home, to, 0..4_usize, percent).prop_map(|(home, to, kind, percent)| {
        let (size, memory) = SIZES[kind];
        let to = to.filter(|to| *to != home);
        Row { home, to, size, demand: size / 100.0 * f64::from(percent), memory }
    });
    prop::collection::vec(row, 0..40)
}

/// Data centres of 1 to 14 hosts and up to 39 guests.
pub(super) fn worlds() -> impl Strategy<Value = World> {
    let hosts = prop_oneof![1 => 1..=14_usize, 1 => 3..=6_usize];
    let rounds = prop_oneof![1 => 0..12_usize, 3 => 12..=34_usize];
    (hosts, rounds).prop_flat_map(|(hosts, rounds)| {
        let kind = prop::collection::vec(0..3_u16, hosts);
        let open = prop::collection::vec(prop::bool::weighted(0.9), hosts);
        let past = prop::collection::vec(prop::collection::vec(0..=60_u32, 40), rounds);
        (kind, open, rows(hosts), past)
            .prop_map(|(kind, open, rows, past)| World::new(kind, open, &rows, &past))
    })
}
