//! What is asked of every guest.

use super::islands::Numbers;
use crate::sim::chance::Seed;
use crate::sim::load::{Load, When};
use crate::sim::scenario::{GuestIx, Scenario};

/// The load of every guest. Where no chance is in it, it is the same for all guests of a kind, and is worked out once.
#[derive(Debug)]
pub(super) struct Loads {
    loads: Vec<Load>,
    /// By load: its value when it was last looked at.
    values: Vec<f64>,
    /// By guest: which load is its own.
    own: Vec<u32>,
}

impl Loads {
    pub(super) fn new(scenario: &Scenario, numbers: &Numbers, seed: Seed) -> Self {
        let (mut loads, mut by_kind) = (Vec::new(), vec![None; scenario.kinds.len()]);
        let own = scenario.guests.iter().zip(&numbers.guests).map(|(guest, number)| {
            let spec = &scenario.kinds[guest.kind.index()].load;
            let shared = by_kind[guest.kind.index()].filter(|_| !spec.draws());
            shared.unwrap_or_else(|| {
                let index = u32::try_from(loads.len()).expect("there are no more loads than guests");
                loads.push(Load::new(spec, seed, number.0).expect("a sound scenario's loads are sound"));
                by_kind[guest.kind.index()] = Some(index);
                index
            })
        });
        let own = own.collect();
        Self { values: vec![0.0; loads.len()], loads, own }
    }

    /// Looks at all of them.
    pub(super) fn look(&mut self, when: When) {
        for (load, value) in self.loads.iter_mut().zip(&mut self.values) {
            *value = load.at(when);
        }
    }

    /// What was asked of a guest when all were last looked at.
    #[inline]
    pub(super) fn seen(&self, guest: usize) -> f64 {
        self.values[self.own[guest] as usize]
    }

    /// What is asked of a guest now, whenever all will be looked at again.
    pub(super) fn now(&mut self, guest: GuestIx, when: When) -> f64 {
        self.loads[self.own[guest.index()] as usize].at(when)
    }
}
