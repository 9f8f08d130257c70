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
    /// The last step that was taken: what indicators show.
    flow: Flow,
    /// What was worked out last, and for what. A guest on an idle host gets what it demands; one with a constant load does
    /// the same again.
    asked: Option<Asked>,
    found: Flow,
    /// How often a step was worked out, and not known already.
    worked_out: u64,
    /// What it would have used in the last step with all of its virtual CPUs.
    wanted_ghz: f64,
    whole_ghz: f64,
    /// Answered and turned away since the start.
    done: f64,
    refused: f64,
    /// The most answers that were shown. A glance ahead and the step as it turned out may differ, and no counter falls.
    shown: f64,
    /// How long nothing has been answered.
    stood_s: f64,
}

impl Meter {
    pub(super) fn new(station: Station) -> Self {
        Self {
            station,
            flow: Flow::IDLE,
            asked: None,
            found: Flow::IDLE,
            worked_out: 0,
            wanted_ghz: 0.0,
            whole_ghz: 0.0,
            done: 0.0,
            refused: 0.0,
            shown: 0.0,
            stood_s: 0.0,
        }
    }

    pub(super) fn restart(&mut self) {
        *self = Self::new(self.station);
    }

    pub(super) fn places(&self) -> f64 {
        self.station.inside_most
    }

    /// A number that changes whenever the last step was another one than the step before.
    pub(super) fn worked_out(&self) -> u64 {
        self.worked_out
    }

    pub(super) fn inside(&self) -> f64 {
        self.flow.present.inside
    }

    #[inline]
    pub(super) fn demand(&mut self, elapsed: Span, load: f64, vcpus: Vcpus) -> f64 {
        self.look(elapsed, load, vcpus, vcpus.ghz());
        self.found.used_ghz
    }

    #[inline]
    pub(super) fn advance(&mut self, elapsed: Span, load: f64, vcpus: Vcpus, available_ghz: f64) -> Flow {
        self.whole_ghz = vcpus.ghz();
        self.wanted_ghz = self.demand(elapsed, load, vcpus);
        if available_ghz < self.whole_ghz {
            self.look(elapsed, load, vcpus, available_ghz);
        }
        self.flow = self.found;
        self.done += self.flow.done;
        self.refused += self.flow.refused;
        let stands = self.flow.rate_alone == 0.0;
        self.stood_s = if stands { self.stood_s + elapsed.as_secs_f64() } else { 0.0 };
        self.flow
    }

    #[inline]
    fn look(&mut self, elapsed: Span, rate: f64, vcpus: Vcpus, available_ghz: f64) {
        let asked = Asked { before: self.flow.present, elapsed, rate, vcpus, available_ghz };
        if self.asked != Some(asked) {
            self.found = self.station.flow(asked.before, elapsed.as_secs_f64(), rate, vcpus, available_ghz);
            self.asked = Some(asked);
            self.worked_out += 1;
        }
    }

    /// The indicators that both have.
    pub(super) fn read(&self, indicator: Indicator) -> Option<f64> {
        let share = |ghz: f64| if self.whole_ghz > 0.0 { ghz / self.whole_ghz } else { 0.0 };
        Some(match indicator {
            Indicator::Cpu => share(self.flow.used_ghz),
            Indicator::Steal => 100.0 * share((self.wanted_ghz - self.flow.used_ghz).max(0.0)),
            Indicator::Load => self.flow.runnable,
            // Who asks while nobody is answered waits as long as that lasts.
            Indicator::ResponseMs => {
                1_000.0 * self.flow.response_s(self.station.held_s).unwrap_or(self.stood_s)
            }
            Indicator::Refused => self.refused.floor(),
            _ => return None,
        })
    }

    /// How many were answered in the last step.
    pub(super) fn answered_in_last(&self) -> f64 {
        self.flow.done
    }

    /// How many were answered since the start: a whole number.
    pub(super) fn answered(&self) -> f64 {
        self.done.max(self.shown).floor()
    }

    /// What the step that begins now will come to, where the guest gets all that it can use.
    #[inline]
    pub(super) fn ahead(&mut self, step: Span, load: f64, vcpus: Vcpus) -> &Flow {
        self.look(step, load, vcpus, vcpus.ghz());
        &self.found
    }

    /// How many will have been answered when this part of that step has passed.
    #[inline]
    pub(super) fn answered_ahead(&mut self, part: f64) -> f64 {
        self.shown = self.shown.max(self.done + self.found.done * part);
        self.shown.floor()
    }
}
