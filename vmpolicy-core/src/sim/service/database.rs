//! A database: queries under processor sharing, of which some take too long.

use super::meter::Meter;
use super::station::{Flow, Station};
use super::{DatabaseSpec, Indicator, Vcpus};
use crate::time::Span;

#[derive(Clone, Debug)]
pub(super) struct Database {
    meter: Meter,
    long_s: f64,
    slow: f64,
}

impl Database {
    pub(super) fn new(spec: &DatabaseSpec) -> Self {
        Self {
            meter: Meter::new(Station {
                work_gcycles: spec.work_gcycles,
                servers_most: spec.concurrency,
                held_s: 0.0,
                inside_most: f64::from(spec.max_connections),
                waiting_most: 0.0,
            }),
            long_s: spec.long_query_time.as_secs_f64(),
            slow: 0.0,
        }
    }

    pub(super) fn restart(&mut self) {
        self.meter.restart();
        self.slow = 0.0;
    }

    #[inline]
    pub(super) fn demand(&mut self, elapsed: Span, load: f64, vcpus: Vcpus) -> f64 {
        self.meter.demand(elapsed, load, vcpus)
    }

    #[inline]
    pub(super) fn advance(&mut self, elapsed: Span, load: f64, vcpus: Vcpus, available_ghz: f64) -> f64 {
        let flow = self.meter.advance(elapsed, load, vcpus, available_ghz);
        if flow.done > 0.0 {
            let full = flow.present.inside / self.meter.places();
            self.slow += flow.done * longer(self.long_s, &flow, full);
        }
        flow.used_ghz
    }

    pub(super) fn read(&self, indicator: Indicator) -> Option<f64> {
        match indicator {
            Indicator::SlowQueries => Some(self.slow.floor()),
            Indicator::Queries => Some(self.meter.answered()),
            Indicator::ThreadsRunning => Some(self.meter.flow.present.inside),
            _ => self.meter.read(indicator),
        }
    }
}

/// The probability that a query takes longer than `long_s`.
///
/// A response time is the query's own work times a slowdown. With work and slowdown exponential its squared coefficient of
/// variation is 1 + 2v, v being the slowdown's. For one server v = ρ / (2 − ρ) (Coffman, Muntz and Trotter 1970);
/// for several, C stands for ρ. Where nearly all places are taken, hardly anything varies: v falls with the free ones.
/// What has this mean and variance is a hyperexponential distribution with balanced means (Whitt 1982).
#[inline]
fn longer(long_s: f64, flow: &Flow, full: f64) -> f64 {
    let varies = flow.all_busy / (2.0 - flow.all_busy) * (1.0 - full).max(0.0);
    let spread = (varies / (1.0 + varies)).sqrt();
    let (most, least) = (0.5 * (1.0 + spread), 0.5 * (1.0 - spread));
    let means = 2.0 * long_s / flow.response_s;
    // Both terms together are below 10⁻¹³ there.
    if means * least > 30.0 {
        return 0.0;
    }
    most * libm::exp(-most * means) + least * libm::exp(-least * means)
}
