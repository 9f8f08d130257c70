//! What a tuning came to, as data: printed as JSON as it stands, read back to be merged or written from.
//!
//! Spans are seconds, times are RFC 3339 in UTC. Values are as a policy file has them.

use crate::provenance::Provenance;
use crate::shard::Shard;
use crate::spans::{maybe_seconds, seconds};
use serde::{Deserialize, Serialize};
use vmpolicy_core::time::Span;
use vmpolicy_core::tune::{CostIn, Figures, Front, Level, Member, Space, Worth};

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Report {
    /// `tune`.
    pub command: String,
    pub provenance: Provenance,
    /// Which part of the search this is; left out where it is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The policy file, as it was named.
    pub policy: String,
    pub options: Options,
    /// What is not varied, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// The guests, in the order of the recordings.
    pub recordings: Vec<Recording>,
    /// What varied.
    pub parameters: Vec<Parameter>,
    /// How long breaches are in all, in the part to tune on.
    #[serde(with = "seconds")]
    pub breaches: Span,
    /// The islands of the search, in order.
    pub islands: Vec<Island>,
    /// The values that the policy has.
    pub present: Present,
    /// What nothing beats, fewest moves first.
    pub front: Vec<Point>,
}

/// All that has to be the same for the same result, besides the policy, the recordings and the provenance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Options {
    /// The indicator that the recordings feed.
    pub indicator: String,
    /// What counts as a breach.
    pub breach: String,
    pub cost: Cost,
    /// Where guests start.
    pub at: String,
    /// How old a row may be to be read, where that was said.
    #[serde(with = "maybe_seconds")]
    pub stale: Option<Span>,
    #[serde(with = "seconds")]
    pub move_takes: Span,
    /// The share of each recording that is held out.
    pub hold_out: f64,
    /// How many candidates to try.
    pub candidates: u32,
    /// On how many islands.
    pub islands: u32,
    /// Whether candidates with static warnings count.
    pub allow_warnings: bool,
}

/// What the cost counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Cost {
    /// Equation 3.4.
    Prices,
    /// Hours anywhere but at a base.
    HoursOffBase,
    /// Nothing: no prices, and no base.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Recording {
    /// The file, as it was named.
    pub trace: String,
    /// The series in it, where it has any.
    pub series: Option<String>,
    pub rows: usize,
    /// A hash of times and values.
    pub fingerprint: String,
    pub from: String,
    /// Where the part begins that is held out.
    pub held_out_from: Option<String>,
    pub to: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Parameter {
    pub name: String,
    pub unit: Option<String>,
    /// The value that the policy has.
    pub present: serde_json::Value,
    /// The values that were to choose from.
    pub levels: Vec<serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Island {
    /// Counted from 1.
    pub island: u32,
    /// Candidates tried.
    pub tried: u32,
    /// Those turned down for a static warning that the present values don't have.
    pub refused: u32,
}

/// The values that the policy has, and how they stand to the front.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Present {
    pub tuned_on: Outcome,
    pub held_out: Option<Outcome>,
    /// The numbers of the front's members that are no worse in anything and better in something, on the part tuned on.
    pub beaten_by: Vec<usize>,
}

/// A member of the front.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Point {
    /// Counted from 1: what `--write` takes.
    pub number: usize,
    pub values: serde_json::Map<String, serde_json::Value>,
    /// The same as numbers into the parameters' levels.
    pub candidate: Vec<u16>,
    /// How many values it changes, and by how many levels in all.
    pub changes: (u32, u64),
    pub tuned_on: Outcome,
    pub held_out: Option<Outcome>,
    /// How it stands to the present values where neither was tuned: on the part held out.
    pub unseen: Option<Verdict>,
}

/// One policy beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Verdict {
    /// No worse in moves, cost and breach, and better in one at least.
    Better,
    Same,
    /// Better in one and worse in another.
    Mixed,
    /// No better in anything, and worse in one at least.
    Worse,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Outcome {
    /// All guests together.
    #[serde(with = "seconds")]
    pub lasts: Span,
    /// Requests for moves.
    pub moves: u64,
    pub cost: f64,
    /// Time in breach that was sat out.
    #[serde(with = "seconds")]
    pub breach: Span,
    /// The most requests of any guest in any sixty minutes.
    pub most_per_hour: u64,
    #[serde(with = "seconds")]
    pub at_base: Span,
    /// What `vmpolicy backtest` calls breach: by the policy's own thresholds.
    #[serde(with = "maybe_seconds")]
    pub own_breach: Option<Span>,
}

impl Outcome {
    pub(super) const fn new(figures: &Figures) -> Self {
        Self {
            lasts: figures.lasts,
            moves: figures.requests,
            cost: figures.cost,
            breach: figures.breach,
            most_per_hour: figures.most_per_hour,
            at_base: figures.at_base,
            own_breach: figures.own_breach,
        }
    }

    pub(super) const fn worth(&self) -> Worth {
        Worth { moves: self.moves, cost: self.cost, breach_ms: self.breach.millis() }
    }

    /// How long all guests were watched, in days; never nothing.
    pub(super) fn days(&self) -> f64 {
        (self.lasts.as_secs_f64() / 86_400.0).max(f64::MIN_POSITIVE)
    }
}

impl Verdict {
    fn of(one: &Outcome, other: &Outcome) -> Self {
        let (one, other) = (one.worth(), other.worth());
        if one == other {
            Self::Same
        } else if one.dominates(&other) {
            Self::Better
        } else if other.dominates(&one) {
            Self::Worse
        } else {
            Self::Mixed
        }
    }
}

impl From<CostIn> for Cost {
    fn from(cost: CostIn) -> Self {
        match cost {
            CostIn::Prices => Self::Prices,
            CostIn::HoursOffBase => Self::HoursOffBase,
            CostIn::Nothing => Self::Nothing,
        }
    }
}

impl Point {
    /// A member of the front, with no number yet.
    pub(super) fn new(space: &Space, member: &Member, tuned_on: &Figures, held_out: Option<Figures>) -> Self {
        let names = space.parameters().iter().map(|parameter| parameter.name().to_owned());
        Self {
            number: 0,
            values: names.zip(space.values(&member.candidate).into_iter().map(value)).collect(),
            candidate: member.candidate.to_vec(),
            changes: member.change,
            tuned_on: Outcome::new(tuned_on),
            held_out: held_out.as_ref().map(Outcome::new),
            unseen: None,
        }
    }

    fn member(&self) -> Member {
        Member {
            candidate: self.candidate.clone().into_boxed_slice(),
            worth: self.tuned_on.worth(),
            change: self.changes,
        }
    }
}

impl Report {
    /// Keeps of these points what nothing beats, in the order of a front, and says how it stands to the present values.
    pub(in crate::cli) fn settle(&mut self, points: Vec<Point>) {
        let mut front = Front::default();
        points.iter().for_each(|point| front.add(point.member()));
        let find = |member: &Member| points.iter().find(|point| *point.candidate == *member.candidate);
        self.front = front.members().iter().filter_map(find).cloned().collect();
        let present = self.present.tuned_on.worth();
        self.present.beaten_by.clear();
        for (number, point) in (1..).zip(&mut self.front) {
            point.number = number;
            let unseen = point.held_out.as_ref().zip(self.present.held_out.as_ref());
            point.unseen = unseen.map(|(one, present)| Verdict::of(one, present));
            if point.tuned_on.worth().dominates(&present) {
                self.present.beaten_by.push(number);
            }
        }
    }

    /// So many members that lie well apart, the best among them.
    pub(super) fn spread(&self, most: usize) -> Vec<&Point> {
        let mut front = Front::default();
        self.front.iter().for_each(|point| front.add(point.member()));
        let of =
            |most| front.spread(most).into_iter().filter_map(|at| self.front.get(at)).collect::<Vec<_>>();
        let all = of(most);
        match self.best() {
            Some(best) if all.iter().all(|point| point.number != best.number) => {
                let mut others = of(most.saturating_sub(1));
                let at = others.partition_point(|point| point.number < best.number);
                others.insert(at, best);
                others
            }
            _ => all,
        }
    }

    /// The members that beat the present values, in the order of the front.
    pub(super) fn beaters(&self) -> impl Iterator<Item = &Point> {
        self.front.iter().filter(|point| self.present.beaten_by.contains(&point.number))
    }

    /// Of those that beat the present values, the one that gains most; the first of equals.
    pub(super) fn best(&self) -> Option<&Point> {
        self.beaters().max_by(|a, b| self.gain(a).total_cmp(&self.gain(b)).then(b.number.cmp(&a.number)))
    }

    /// How much better than the present values, each figure measured by the present one.
    fn gain(&self, point: &Point) -> f64 {
        let (now, then) = (self.present.tuned_on.worth().axes(), point.tuned_on.worth().axes());
        now.iter().zip(then).map(|(now, then)| if *now > 0.0 { (now - then) / now } else { 0.0 }).sum()
    }

    /// The number, where nothing beats the present values.
    pub(super) fn present_on_front(&self) -> Option<usize> {
        let worth = self.present.tuned_on.worth();
        self.front.iter().find(|point| point.tuned_on.worth() == worth).map(|point| point.number)
    }
}

/// A value as JSON: numbers as numbers, and all else as it is written.
pub(super) fn value(level: Level) -> serde_json::Value {
    match level {
        Level::Number(number) => whole(number).map_or_else(|| number.into(), Into::into),
        other => {
            let text = other.to_string();
            text.parse::<u32>().map_or_else(|_| text.into(), Into::into)
        }
    }
}

/// Without `.0` where it is whole.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
}
