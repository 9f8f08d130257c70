//! What candidates come to on recordings: on the part that they are tuned on, and on the part that they have not seen.

use super::front::Worth;
use super::yardstick::{Arrivals, Breach, Yardstick, sat_out};
use crate::backtest::{BacktestError, Options, Trace, default_stale, run};
use crate::policy::Policy;
use crate::time::{Span, Wall};
use std::sync::Arc;

/// What the second of the three figures counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostIn {
    /// Equation 3.4 of the thesis, where every array has a price.
    Prices,
    /// Hours anywhere but at a base, where there are bases and no prices: equation 3.1 says that a base is the cheaper place.
    HoursOffBase,
    /// Nothing: every place costs the same, as far as the policy says.
    Nothing,
}

impl CostIn {
    /// What can be said of this policy.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let arrays = policy.arrays().rows();
        if arrays.iter().all(|array| array.price.is_some()) {
            Self::Prices
        } else if arrays.iter().any(|array| array.base.is_some()) {
            Self::HoursOffBase
        } else {
            Self::Nothing
        }
    }
}

/// What a policy came to on one part of the recordings, all guests together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// How long the guests were watched.
    pub lasts: Span,
    /// Requests for moves.
    pub requests: u64,
    /// The most requests of any guest in any sixty minutes.
    pub most_per_hour: u64,
    /// What it cost; see [`CostIn`].
    pub cost: f64,
    /// Time in breach, by the yardstick, that was sat out.
    pub breach: Span,
    /// Time at a base.
    pub at_base: Span,
    /// What a backtest calls breach: by the policy's own thresholds.
    pub own_breach: Option<Span>,
}

impl Figures {
    /// The three that are to be small.
    #[must_use]
    pub const fn worth(&self) -> Worth {
        Worth { moves: self.requests, cost: self.cost, breach_ms: self.breach.millis() }
    }
}

/// Why there is nothing to try candidates on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// A backtest that can't be.
    #[error(transparent)]
    Backtest(#[from] BacktestError),
    /// No number in the part to tune on.
    #[error("the part to tune on has no known sample")]
    Blind,
}

/// Recordings, cut in two, and all that does not depend on the candidate.
#[derive(Clone, Debug)]
pub struct Trial {
    options: Options,
    cost_in: CostIn,
    guests: Vec<Guest>,
    samples: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Guest {
    stale: Span,
    cut: Wall,
    tuned_on: Part,
    held_out: Option<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    trace: Trace,
    breaches: Vec<Breach>,
}

impl Trial {
    /// Cuts each trace in two by time, the last `hold_out` of it (0 to 1) to be held out, and finds the breaches of both.
    /// One that is too short to be cut, such as a single row, is all tuned on.
    ///
    /// # Errors
    ///
    /// Where a trace can't be run on, or none has a sample to tune on.
    pub fn new<'t>(
        policy: &Policy,
        options: Options,
        yardstick: &Yardstick,
        traces: impl IntoIterator<Item = &'t Trace>,
        hold_out: f64,
    ) -> Result<Self, TrialError> {
        let every = policy.indicators()[options.indicator].every;
        let mut samples = Vec::new();
        let mut guests = Vec::new();
        for trace in traces {
            let (from, to) = trace.span().ok_or(BacktestError::NoRows)?;
            let stale = options.stale.unwrap_or_else(|| default_stale(every, trace));
            let options = Options { stale: Some(stale), ..options };
            let held_ms = (to.since(from).millis() as f64 * hold_out.clamp(0.0, 1.0)) as i64;
            let (cut, whole) = (to.shifted(-held_ms), held_ms <= 0);
            let part = |first: bool| {
                let rows = trace.iter().filter(|row| whole || (row.at < cut) == first);
                Trace::new(rows).unwrap_or_default()
            };
            let watch = |trace: Trace, samples: &mut Vec<f64>| -> Result<Part, BacktestError> {
                let breaches = yardstick.watch(&trace, &options, samples)?;
                Ok(Part { trace, breaches })
            };
            let tuned_on = watch(part(true), &mut samples)?;
            let unseen = if whole { Trace::default() } else { part(false) };
            // What is held out must not be seen by the thresholds either.
            let held_out = if unseen.is_empty() { None } else { Some(watch(unseen, &mut Vec::new())?) };
            guests.push(Guest { stale, cut, tuned_on, held_out });
        }
        if samples.is_empty() {
            return Err(TrialError::Blind);
        }
        samples.sort_by(f64::total_cmp);
        Ok(Self { options, cost_in: CostIn::of(policy), guests, samples })
    }

    /// Every sample of the part to tune on, in order of size.
    #[must_use]
    pub fn samples(&self) -> Vec<f64> {
        self.samples.clone()
    }

    /// What the cost counts.
    #[must_use]
    pub const fn cost_in(&self) -> CostIn {
        self.cost_in
    }

    /// Where each trace was cut: what is held out begins there.
    pub fn cuts(&self) -> impl Iterator<Item = Option<Wall>> {
        self.guests.iter().map(|guest| guest.held_out.as_ref().map(|_| guest.cut))
    }

    /// How many samples a candidate is tried on.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are none, which can't be.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// How long breaches are in all, in the part to tune on: what a guest that never moves sits out.
    #[must_use]
    pub fn breaches(&self) -> Span {
        let all = self.guests.iter().flat_map(|guest| &guest.tuned_on.breaches);
        Span::from_millis(all.map(|(from, to)| to.since(*from).millis()).sum())
    }

    /// What a policy comes to on the part to tune on.
    ///
    /// # Panics
    ///
    /// Where its indicators are not those of the policy that the trial was made for.
    #[must_use]
    pub fn tuned_on(&self, policy: &Arc<Policy>) -> Figures {
        self.all(policy, |guest| Some(&guest.tuned_on)).unwrap_or_default()
    }

    /// What it comes to on the part that was held out; none where nothing was.
    ///
    /// # Panics
    ///
    /// As [`tuned_on`](Self::tuned_on).
    #[must_use]
    pub fn held_out(&self, policy: &Arc<Policy>) -> Option<Figures> {
        self.all(policy, |guest| guest.held_out.as_ref())
    }

    fn all<'g>(
        &'g self,
        policy: &Arc<Policy>,
        part: impl Fn(&'g Guest) -> Option<&'g Part>,
    ) -> Option<Figures> {
        let parts = self.guests.iter().filter_map(|guest| Some((guest, part(guest)?)));
        parts.map(|(guest, part)| self.one(policy, guest, part)).reduce(|sum, one| Figures {
            lasts: add(sum.lasts, one.lasts),
            requests: sum.requests + one.requests,
            most_per_hour: sum.most_per_hour.max(one.most_per_hour),
            cost: sum.cost + one.cost,
            breach: add(sum.breach, one.breach),
            at_base: add(sum.at_base, one.at_base),
            own_breach: sum.own_breach.zip(one.own_breach).map(|(sum, one)| add(sum, one)),
        })
    }

    fn one(&self, policy: &Arc<Policy>, guest: &Guest, part: &Part) -> Figures {
        let options = Options { stale: Some(guest.stale), ..self.options };
        let (from, _) = part.trace.span().expect("the watcher has run on it");
        let mut arrivals = Arrivals::new(policy, from);
        let summary =
            run(policy, &part.trace, &options, &mut arrivals).expect("the watcher has run on it, as often");
        let hosts = || policy.hosts().rows().iter().zip(summary.hosts.rows());
        let at = |base: bool| {
            let there = hosts().filter(|(host, _)| host.is_base == base);
            Span::from_millis(there.map(|(_, spent)| spent.lasted.millis()).sum())
        };
        Figures {
            lasts: summary.lasts(),
            requests: summary.requests,
            most_per_hour: summary.busiest_hour,
            cost: match self.cost_in {
                CostIn::Prices => summary.cost.map_or(0.0, |ledger| ledger.c_t()),
                CostIn::HoursOffBase => at(false).as_secs_f64() / 3_600.0,
                CostIn::Nothing => 0.0,
            },
            breach: sat_out(&part.breaches, &arrivals.all),
            at_base: at(true),
            own_breach: summary.breach,
        }
    }
}

const fn add(one: Span, other: Span) -> Span {
    Span::from_millis(one.millis().saturating_add(other.millis()))
}
