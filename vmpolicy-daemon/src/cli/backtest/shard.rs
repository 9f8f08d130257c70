//! A part of a backtest as a result of its own, and the parts joined again.
//!
//! A series is wholly in one part. What is said of all guests together is not taken from the parts but worked out
//! anew from the guests, in the order of the recording, as one run would have done: sums of floating-point numbers
//! depend on the order.

use super::Args;
use super::report::{Guest, Remark, RemarkKind, Report, Totals, Tried};
use super::spread;
use super::text;
use crate::cli::merge::{MergeError, Shards, same, same_keys};
use crate::shard::Shard;
use crate::trace::{Note, Series};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a part says besides its report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Part {
    /// `backtest`.
    command: String,
    pub shard: Shard,
    /// What was said on the command line and is not in the report.
    options: Value,
    /// Which series of the recording these are, counted from 0.
    places: Vec<usize>,
}

/// A part as it is printed. Of one policy a backtest prints all in one object; of several, and so here, each has one of its own.
#[derive(Serialize, Deserialize)]
struct Whole<P, N, T> {
    #[serde(flatten)]
    part: P,
    trace: String,
    notes: N,
    policies: T,
}

/// A part that was read.
pub(in crate::cli) struct Read {
    part: Part,
    report: Report,
}

impl Part {
    /// Leaves only the series of this shard.
    pub(super) fn take(shard: Shard, args: &Args, series: &mut Vec<Series>) -> Self {
        let mut places = Vec::new();
        let mut place = 0..;
        series.retain(|one| {
            let at = place.next();
            let mine = shard.takes_name(one.name.as_deref().unwrap_or_default());
            places.extend(at.filter(|_| mine));
            mine
        });
        let options = serde_json::json!({
            "indicator": args.wanted.indicator,
            "stale": args.wanted.stale.map(|stale| stale.to_string()),
            "at": args.wanted.at,
            "move_takes": args.wanted.move_takes.to_string(),
            "series": args.reading.series,
        });
        Self { command: "backtest".to_owned(), shard, options, places }
    }

    /// The report with what is said of the part.
    pub(super) fn json(&self, report: &Report) -> serde_json::Result<String> {
        let Report { trace, notes, policies } = report;
        serde_json::to_string_pretty(&Whole { part: self, trace: trace.clone(), notes, policies })
    }
}

impl Read {
    /// Reads a part.
    pub(in crate::cli) fn parse(value: Value) -> Result<Self, String> {
        let whole: Whole<Part, Vec<Note>, Vec<Tried>> =
            serde_json::from_value(value).map_err(|error| error.to_string())?;
        let Whole { part, trace, notes, policies } = whole;
        if policies.iter().any(|tried| tried.guests.len() != part.places.len()) {
            return Err("it has not as many guests as places".to_owned());
        }
        Ok(Self { part, report: Report { trace, notes, policies } })
    }

    pub(in crate::cli) const fn shard(&self) -> Shard {
        self.part.shard
    }
}

/// The parts as one report.
pub(in crate::cli) fn join(parts: &Shards<Read>) -> Result<Joined, MergeError> {
    // A part without any guest has no policy to compare.
    let full = || parts.iter().filter(|(_, read)| !read.report.policies.is_empty());
    let Some((first_file, first)) = full().next() else {
        return Err(MergeError::Nothing);
    };
    for (file, other) in parts.iter() {
        let differ = |what: &str, one: String, another: String| same((first_file, file), what, one, another);
        differ("trace", first.report.trace.clone(), other.report.trace.clone())?;
        same_keys((first_file, file), "option", &first.part.options, &other.part.options)?;
        let notes =
            |read: &Read| read.report.notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        differ("notes about the trace", notes(first), notes(other))?;
        if other.report.policies.is_empty() {
            continue;
        }
        let names = |read: &Read| {
            read.report.policies.iter().map(|tried| tried.policy.clone()).collect::<Vec<_>>().join(", ")
        };
        differ("policies", names(first), names(other))?;
        for (one, another) in first.report.policies.iter().zip(&other.report.policies) {
            for difference in one.provenance.differences(&another.provenance) {
                differ(
                    &format!("{} for {}", difference.what, one.policy),
                    difference.one,
                    difference.another,
                )?;
            }
            let of = |what: &str| format!("{what} for {}", one.policy);
            differ(&of("indicator"), one.indicator.clone(), another.indicator.clone())?;
            differ(&of("polling interval"), one.every.to_string(), another.every.to_string())?;
        }
    }
    let mut places: Vec<usize> = full().flat_map(|(_, read)| read.part.places.iter().copied()).collect();
    places.sort_unstable();
    if places.iter().copied().ne(0..places.len()) {
        return Err(MergeError::Gaps);
    }
    let policies = (0..first.report.policies.len()).filter_map(|at| {
        let tried: Vec<(&Part, &Tried)> =
            full().map(|(_, read)| (&read.part, &read.report.policies[at])).collect();
        joined(&tried)
    });
    let report = Report {
        trace: first.report.trace.clone(),
        notes: first.report.notes.clone(),
        policies: policies.collect(),
    };
    Ok(Joined(report))
}

/// What came of one policy in all parts.
fn joined(parts: &[(&Part, &Tried)]) -> Option<Tried> {
    let (_, first) = parts.first()?;
    let placed = parts.iter().flat_map(|(part, tried)| part.places.iter().copied().zip(&tried.guests));
    let mut placed: Vec<(usize, &Guest)> = placed.collect();
    placed.sort_by_key(|(place, _)| *place);
    let guests: Vec<Guest> = placed.into_iter().map(|(_, guest)| guest.clone()).collect();
    Some(Tried {
        policy: first.policy.clone(),
        provenance: first.provenance.clone(),
        indicator: first.indicator.clone(),
        every: first.every,
        remarks: remarks(parts),
        spread: if guests.len() > 1 {
            spread::of(guests.iter().map(|guest| &guest.figures))
        } else {
            Vec::new()
        },
        totals: Totals::of(&guests)?,
        guests,
    })
}

/// Each kind once: in the order in which one run would have come upon them, with its first example.
fn remarks(parts: &[(&Part, &Tried)]) -> Vec<Remark> {
    let mut found: Vec<(usize, usize, Remark)> = Vec::new();
    for (part, tried) in parts {
        for (rank, remark) in tried.remarks.iter().enumerate() {
            // About the policy, not about guests: the same in every part, and after those about guests.
            let policy = matches!(remark.kind, RemarkKind::NotFed | RemarkKind::NoJobs);
            let at = tried.guests.iter().position(|guest| guest.guest == remark.example);
            let place = at.and_then(|at| part.places.get(at)).copied().unwrap_or(usize::MAX);
            let place = if policy { usize::MAX } else { place };
            match found.iter_mut().find(|(.., known)| known.kind == remark.kind) {
                Some(_) if policy => {}
                Some((first, order, known)) => {
                    known.count += remark.count;
                    if place < *first {
                        (*first, *order) = (place, rank);
                        known.example.clone_from(&remark.example);
                    }
                }
                None => found.push((place, rank, remark.clone())),
            }
        }
    }
    found.sort_by_key(|(place, rank, _)| (*place, *rank));
    found.into_iter().map(|(.., remark)| remark).collect()
}

/// All parts together.
pub(in crate::cli) struct Joined(Report);

impl Joined {
    /// As one run prints it.
    pub(in crate::cli) fn json(&self) -> serde_json::Result<String> {
        self.0.json(None)
    }

    /// For people.
    pub(in crate::cli) fn text(&self) -> String {
        text::render(&self.0, false)
    }
}
