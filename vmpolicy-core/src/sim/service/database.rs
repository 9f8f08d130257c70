//! A database: queries under processor sharing, of which some take too long.

use super::meter::Meter;
use super::station::{Flow, Station};
use super::{DatabaseSpec, Indicator, Vcpus};
use crate::time::Span;

#[derive(Clone, Debug)]
pub(super) struct Database {
    meter: Meter,
    long_s: f64,
    /// What one query takes of all the places.
    per_place: f64,
    /// None where nobody asks, as it takes two exponentials a step.
    slow: Option<f64>,
    /// The most that were shown; see [`Meter`].
    shown: f64,
    /// The share of slow queries, and in which of the meter's steps it is that.
    slow_share: f64,
    slow_share_of: u64,
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
            per_place: 1.0 / f64::from(spec.max_connections),
            long_s: spec.long_query_time.as_secs_f64(),
            slow: Some(0.0),
            shown: 0.0,
            slow_share: 0.0,
            slow_share_of: 0,
        }
    }

    pub(super) fn restart(&mut self) {
        self.meter.restart();
        (self.slow, self.shown) = (self.slow.map(|_| 0.0), 0.0);
        (self.slow_share, self.slow_share_of) = (0.0, 0);
    }

    #[inline]
    pub(super) fn demand(&mut self, elapsed: Span, load: f64, vcpus: Vcpus) -> f64 {
        self.meter.demand(elapsed, load, vcpus)
    }

    #[inline]
    pub(super) fn advance(&mut self, elapsed: Span, load: f64, vcpus: Vcpus, available_ghz: f64) -> f64 {
        let flow = self.meter.advance(elapsed, load, vcpus, available_ghz);
        if self.slow.is_some() {
            self.share_slow(&flow);
            self.slow = self.slow.map(|slow| slow + flow.done * self.slow_share);
        }
        flow.used_ghz
    }

    /// Nobody will ask how many queries were slow.
    pub(super) const fn forget_slow(&mut self) {
        self.slow = None;
    }

    #[inline]
    fn share_slow(&mut self, flow: &Flow) {
        if self.slow_share_of != self.meter.worked_out() {
            self.slow_share_of = self.meter.worked_out();
            let free = 1.0 - flow.present.inside * self.per_place;
            self.slow_share = longer(self.long_s, flow, free);
        }
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
        let flow = *self.meter.ahead(step, load, vcpus);
        match indicator {
            Indicator::SlowQueries => {
                let slow = self.slow?;
                self.share_slow(&flow);
                self.shown = self.shown.max(slow + flow.done * self.slow_share * part);
                Some(self.shown.floor())
            }
            Indicator::Queries => Some(self.meter.answered_ahead(part)),
            Indicator::ThreadsRunning => Some(flow.present.inside),
            _ => None,
        }
    }

    pub(super) fn read(&self, indicator: Indicator) -> Option<f64> {
        match indicator {
            Indicator::SlowQueries => self.slow.map(|slow| slow.max(self.shown).floor()),
            Indicator::Queries => Some(self.meter.answered()),
            Indicator::ThreadsRunning => Some(self.meter.inside()),
            _ => self.meter.read(indicator),
        }
    }
}

/// The probability that a query takes longer than `long_s`, with this share of the places free.
///
/// A response time is the query's own work times a slowdown. With work and slowdown exponential its squared coefficient of
/// variation is 1 + 2v, v being the slowdown's. For one server v = w / (2 − w) with w = ρ (Coffman, Muntz and Trotter 1970); for
/// several, w is the share of the response time that is due to the others, which for one server is ρ, too. Where nearly
/// all places are taken, hardly anything varies: v falls with the free ones. What has this mean and variance is
/// a hyperexponential distribution with balanced means (Whitt 1982), whose shares are (1 ± √(v / (1 + v))) / 2.
#[inline]
fn longer(long_s: f64, flow: &Flow, free: f64) -> f64 {
    let slowed = 1.0 - flow.ease;
    let spread = (slowed * free / (2.0 - slowed * (1.0 - free))).max(0.0).sqrt();
    let (most, least) = (0.5 * (1.0 + spread), 0.5 * (1.0 - spread));
    let means = 2.0 * long_s * flow.rate_alone * flow.ease;
    let tail = |share: f64| if share * means > NEVER { 0.0 } else { share * libm::exp(-share * means) };
    tail(most) + tail(least)
}

/// e⁻²⁵ is 10⁻¹¹: one query in a year at 3,000 a second.
const NEVER: f64 = 25.0;
