//! What database and web server have in common: a station, its counters, and a step that need not be worked out twice.

use super::station::{Flow, Present, Station};
use super::{Indicator, Vcpus};
use crate::time::Span;

/// All that a step depends on, but for what was present before it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Asked {
    before: Present,
    elapsed: Span,
    rate: f64,
    vcpus: Vcpus,
    available_ghz: f64,
}

/// A station that runs.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    station: Station,
    /// The last step.
    pub(super) flow: Flow,
    /// Answered and turned away since the start.
    done: f64,
    refused: f64,
    /// Of the last step, as shares of the virtual CPUs.
    used: f64,
    stolen: f64,
    /// What was worked out last. A guest on an idle host gets what it demands; one with a constant load does the same again.
    known: Option<(Asked, Flow)>,
}

impl Meter {
    pub(super) fn new(station: Station) -> Self {
        Self { station, flow: Flow::default(), done: 0.0, refused: 0.0, used: 0.0, stolen: 0.0, known: None }
    }

    pub(super) fn restart(&mut self) {
        *self = Self::new(self.station);
    }

    pub(super) fn places(&self) -> f64 {
        self.station.inside_most
    }

    #[inline]
    pub(super) fn demand(&mut self, elapsed: Span, load: f64, vcpus: Vcpus) -> f64 {
        self.look(elapsed, load, vcpus, vcpus.ghz()).used_ghz
    }

    #[inline]
    pub(super) fn advance(&mut self, elapsed: Span, load: f64, vcpus: Vcpus, available_ghz: f64) -> Flow {
        let wanted_ghz = self.demand(elapsed, load, vcpus);
        let waited_s = self.flow.response_s;
        let available_ghz = available_ghz.min(vcpus.ghz());
        let mut flow = self.look(elapsed, load, vcpus, available_ghz);
        if flow.response_s == f64::INFINITY {
            // Nobody is answered; a probe that asks would wait as long as it has stood still.
            flow.response_s = if waited_s.is_finite() { waited_s + elapsed.as_secs_f64() } else { 0.0 };
        }
        self.done += flow.done;
        self.refused += flow.refused;
        let whole_ghz = vcpus.ghz();
        self.used = if whole_ghz > 0.0 { flow.used_ghz / whole_ghz } else { 0.0 };
        self.stolen = if whole_ghz > 0.0 { ((wanted_ghz - flow.used_ghz) / whole_ghz).max(0.0) } else { 0.0 };
        self.flow = flow;
        flow
    }

    #[inline]
    fn look(&mut self, elapsed: Span, rate: f64, vcpus: Vcpus, available_ghz: f64) -> Flow {
        let asked = Asked { before: self.flow.present, elapsed, rate, vcpus, available_ghz };
        if let Some((known, flow)) = self.known
            && known == asked
        {
            return flow;
        }
        let flow = self.station.flow(asked.before, elapsed.as_secs_f64(), rate, vcpus, available_ghz);
        self.known = Some((asked, flow));
        flow
    }

    /// The indicators that both have.
    pub(super) fn read(&self, indicator: Indicator) -> Option<f64> {
        Some(match indicator {
            Indicator::Cpu => self.used,
            Indicator::Steal => 100.0 * self.stolen,
            Indicator::Load => self.flow.runnable,
            Indicator::ResponseMs => 1_000.0 * self.flow.response_s,
            Indicator::Refused => self.refused.floor(),
            _ => return None,
        })
    }

    /// How many were answered since the start: a whole number.
    pub(super) fn answered(&self) -> f64 {
        self.done.floor()
    }
}
