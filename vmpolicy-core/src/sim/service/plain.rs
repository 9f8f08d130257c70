//! No service: a guest that wants a share of its virtual CPUs. What it does not get is lost to it.

use super::{Indicator, Vcpus};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plain {
    used: f64,
    stolen: f64,
    runnable: f64,
}

impl Plain {
    #[inline]
    pub(super) fn demand(load: f64, vcpus: Vcpus) -> f64 {
        load.min(1.0) * vcpus.ghz()
    }

    #[inline]
    pub(super) fn advance(&mut self, load: f64, vcpus: Vcpus, available_ghz: f64) -> f64 {
        let (wanted_ghz, whole_ghz) = (Self::demand(load, vcpus), vcpus.ghz());
        let used_ghz = wanted_ghz.min(available_ghz).max(0.0);
        if whole_ghz > 0.0 {
            self.used = used_ghz / whole_ghz;
            self.stolen = (wanted_ghz - used_ghz) / whole_ghz;
        }
        self.runnable = load * f64::from(vcpus.count);
        used_ghz
    }

    pub(super) fn read(&self, indicator: Indicator) -> Option<f64> {
        match indicator {
            Indicator::Cpu => Some(self.used),
            Indicator::Steal => Some(100.0 * self.stolen),
            Indicator::Load => Some(self.runnable),
            _ => None,
        }
    }
}
