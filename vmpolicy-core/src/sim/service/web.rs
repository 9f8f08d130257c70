//! A web server: requests that hold a worker while they are worked on and while they wait for something else.

use super::meter::Meter;
use super::station::Station;
use super::{Indicator, Vcpus, WebSpec};
use crate::time::Span;

#[derive(Clone, Debug)]
pub(super) struct Web {
    meter: Meter,
    elapsed: Span,
}

impl Web {
    pub(super) fn new(spec: &WebSpec) -> Self {
        Self {
            meter: Meter::new(Station {
                work_gcycles: spec.work_gcycles,
                servers_most: u32::MAX,
                held_s: spec.held.as_secs_f64(),
                inside_most: f64::from(spec.max_workers),
                waiting_most: f64::from(spec.listen_backlog),
            }),
            elapsed: Span::ZERO,
        }
    }

    pub(super) fn restart(&mut self) {
        self.meter.restart();
        self.elapsed = Span::ZERO;
    }

    #[inline]
    pub(super) fn demand(&mut self, elapsed: Span, load: f64, vcpus: Vcpus) -> f64 {
        self.meter.demand(elapsed, load, vcpus)
    }

    #[inline]
    pub(super) fn advance(&mut self, elapsed: Span, load: f64, vcpus: Vcpus, available_ghz: f64) -> f64 {
        self.elapsed = elapsed;
        self.meter.advance(elapsed, load, vcpus, available_ghz).used_ghz
    }

    #[inline]
    pub(super) fn glance(
        &mut self,
        indicator: Indicator,
        part: f64,
        step: Span,
        load: f64,
        vcpus: Vcpus,
    ) -> Option<f64> {
        let busy = self.meter.ahead(step, load, vcpus).present.inside;
        match indicator {
            Indicator::BusyWorkers => Some(busy),
            Indicator::IdleWorkers => Some(self.meter.places() - busy),
            Indicator::Requests => Some(self.meter.answered_ahead(part)),
            _ => None,
        }
    }

    pub(super) fn read(&self, indicator: Indicator) -> Option<f64> {
        let busy = self.meter.inside();
        match indicator {
            Indicator::BusyWorkers => Some(busy),
            Indicator::IdleWorkers => Some(self.meter.places() - busy),
            Indicator::Requests => Some(self.meter.answered()),
            Indicator::RequestsPerS => {
                Some(self.meter.answered_in_last() / self.elapsed.as_secs_f64().max(0.001))
            }
            _ => self.meter.read(indicator),
        }
    }
}
