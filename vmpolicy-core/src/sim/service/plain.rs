//! No service: a guest that wants a share of its virtual CPUs. What it does not get is lost to it.

use super::{Indicator, Vcpus};

/// What it could have in the last step that was taken; it has no other past.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain {
    load: f64,
    vcpus: Vcpus,
    available_ghz: f64,
}

impl Plain {
    /// It has run nowhere yet.
    pub(super) const IDLE: Self =
        Self { load: 0.0, vcpus: Vcpus { count: 0, clock_ghz: 0.0 }, available_ghz: 0.0 };

    #[inline]
    pub(super) fn demand(load: f64, vcpus: Vcpus) -> f64 {
        load.min(1.0) * vcpus.ghz()
    }

    #[inline]
    pub(super) fn advance(&mut self, load: f64, vcpus: Vcpus, available_ghz: f64) -> f64 {
        *self = Self { load, vcpus, available_ghz };
        self.used_ghz()
    }

    #[inline]
    fn used_ghz(&self) -> f64 {
        Self::demand(self.load, self.vcpus).min(self.available_ghz).max(0.0)
    }

    /// What it would read as if it had been advanced until now.
    #[inline]
    pub(super) fn momentary(
        indicator: Indicator,
        load: f64,
        vcpus: Vcpus,
        available_ghz: f64,
    ) -> Option<f64> {
        Self { load, vcpus, available_ghz }.read(indicator)
    }

    #[inline]
    pub(super) fn read(&self, indicator: Indicator) -> Option<f64> {
        let share = |ghz: f64| if self.vcpus.ghz() > 0.0 { ghz / self.vcpus.ghz() } else { 0.0 };
        match indicator {
            Indicator::Cpu => Some(share(self.used_ghz())),
            Indicator::Steal => Some(100.0 * share(Self::demand(self.load, self.vcpus) - self.used_ghz())),
            Indicator::Load => Some(self.load * f64::from(self.vcpus.count)),
            _ => None,
        }
    }
}
