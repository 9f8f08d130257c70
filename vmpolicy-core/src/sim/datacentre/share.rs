//! What each guest of a host gets: CloudSim's `VmSchedulerTimeSharedOverSubscription` and `HostDynamicWorkload`.
//!
//! Where there is enough, each gets what it wants, at most one core. Where there is not, all are cut by the same
//! factor. A guest that moves gets nine tenths where it leaves; where it goes it takes a tenth.

/// Whether a guest of a host is there to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    /// It is there.
    Here,
    /// It is there and on its way to another host.
    Leaving,
    /// It is on its way here.
    Arriving,
}

/// What a host has and how moves cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    pub(super) capacity: f64,
    pub(super) core: f64,
    /// What a move takes of the guest, as a share: 0.1.
    pub(super) move_cost: f64,
    pub(super) whole_units: bool,
}

/// What a host's guests want and use together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Load {
    /// What they want.
    pub(super) asked: f64,
    /// What of the host they occupy: the work of moving is the host's, so that a leaving guest counts in full.
    pub(super) used: f64,
}

impl Shares {
    /// What a guest takes of the host's capacity, were there enough.
    fn takes(&self, demand: f64, stay: Stay) -> f64 {
        let capped = demand.min(self.core);
        if stay == Stay::Arriving { capped * self.move_cost } else { capped }
    }

    /// By how much all guests are cut, or none where there is enough.
    pub(super) fn cut(&self, guests: impl IntoIterator<Item = (f64, Stay)>) -> Option<f64> {
        let wanted: f64 = guests.into_iter().map(|(demand, stay)| self.takes(demand, stay)).sum();
        (wanted > self.capacity).then(|| self.capacity / wanted)
    }

    /// What a guest gets from a host that cuts all so.
    pub(super) fn of(&self, demand: f64, stay: Stay, cut: Option<f64>) -> f64 {
        let capped = demand.min(self.core);
        let kept = 1.0 - self.move_cost;
        match (cut, stay) {
            (None, Stay::Here) => capped,
            (None, Stay::Leaving) => capped * kept,
            (None, Stay::Arriving) => capped * self.move_cost,
            (Some(cut), Stay::Here) => self.whole(capped * cut),
            (Some(cut), Stay::Leaving) => self.whole(capped * cut * kept),
            (Some(cut), Stay::Arriving) => self.whole(capped * self.move_cost * cut),
        }
    }

    fn whole(&self, share: f64) -> f64 {
        if self.whole_units { share.floor() } else { share }
    }

    /// What a guest that gets so much occupies.
    pub(super) fn occupies(&self, gets: f64, stay: Stay) -> f64 {
        if stay == Stay::Leaving { gets / (1.0 - self.move_cost) } else { gets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOST: Shares = Shares { capacity: 3720.0, core: 1860.0, move_cost: 0.1, whole_units: false };

    #[test]
    fn by_hand() {
        assert_eq!(HOST.of(2500.0, Stay::Here, None), 1860.0, "no more than a core");
        assert_eq!(HOST.of(1000.0, Stay::Leaving, None), 900.0);
        assert_eq!(HOST.of(1000.0, Stay::Arriving, None), 100.0);
        assert_eq!(HOST.occupies(900.0, Stay::Leaving), 1000.0);
        let guests = [(2000.0, Stay::Here), (1860.0, Stay::Here), (3000.0, Stay::Arriving)];
        let cut = HOST.cut(guests).expect("too much");
        assert_eq!(cut, 3720.0 / (1860.0 + 1860.0 + 186.0));
        let whole = Shares { whole_units: true, ..HOST };
        assert_eq!(whole.of(2000.0, Stay::Here, Some(cut)), (1860.0 * cut).floor());
    }

    fn stay() -> impl Strategy<Value = Stay> {
        prop_oneof![4 => Just(Stay::Here), 1 => Just(Stay::Leaving), 1 => Just(Stay::Arriving)]
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_it_wants_nor_all_more_than_there_is(
            guests in prop::collection::vec((0.0..3000.0_f64, stay()), 0..12), whole_units: bool,
        ) {
            let host = Shares { whole_units, ..HOST };
            let cut = host.cut(guests.iter().copied());
            let mut occupied = 0.0;
            for (demand, stay) in guests.iter().copied() {
                let gets = host.of(demand, stay, cut);
                prop_assert!((0.0..=demand).contains(&gets));
                occupied += host.occupies(gets, stay);
            }
            prop_assert!(occupied <= host.capacity + 1e-9);
            if cut.is_some() && !whole_units {
                prop_assert!((occupied - host.capacity).abs() < 1e-6, "nothing is left over: {}", occupied);
            }
        }
    }
}
