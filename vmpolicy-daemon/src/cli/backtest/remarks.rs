//! What looks as if it was not meant so. A wrong guess costs a line on standard error; a backtest that went
//! wrong unseen costs more.

use super::candidate::Candidate;
use super::report::{Remark, RemarkKind, share};
use super::table::grouped;
use crate::trace::Series;
use vmpolicy_core::backtest::{Summary, Trace};
use vmpolicy_core::leaf::sample::Read;
use vmpolicy_core::time::Span;

/// A counter resets now and then. Where more than one number in this many is lower than the one before it, it is
/// none.
const FALLS_MAX: usize = 20;

/// Fewer numbers than this say nothing of the kind.
const NUMBERS_MIN: usize = 20;

/// All remarks, each kind once.
pub(super) fn of(candidate: &Candidate, series: &[Series], summaries: &[Summary]) -> Vec<Remark> {
    let (policy, fed, indicator) = (&candidate.policy, candidate.options.indicator, candidate.fed());
    let mut remarks = Vec::new();
    let mut add = |kind, name: &str, detail: Option<String>| {
        let Some(detail) = detail else { return };
        match remarks.iter_mut().find(|remark: &&mut Remark| remark.kind == kind) {
            Some(remark) => remark.count += 1,
            None => remarks.push(Remark { kind, count: 1, example: name.to_owned(), detail }),
        }
    };
    for (series, summary) in series.iter().zip(summaries) {
        let name = candidate.guest(series);
        let trace = &series.trace;
        let apart = trace.median_interval();
        add(RemarkKind::RowsReadAgain, name, apart.and_then(|apart| slower(apart, indicator.every)));
        add(RemarkKind::RowsNotRead, name, apart.and_then(|apart| faster(apart, indicator.every)));
        match indicator.read {
            Read::Gauge => add(RemarkKind::LooksLikeACounter, name, rises(trace)),
            Read::Delta | Read::Rate => add(RemarkKind::NotACounter, name, falls(trace, indicator.read)),
        }
        add(RemarkKind::MostlyUnknown, name, mostly_unknown(summary));
        add(RemarkKind::MovesTakeTooLong, name, too_long(candidate, summary));
    }
    let others =
        policy.indicators().iter().filter(|(id, _)| *id != fed).map(|(_, other)| other.name.as_str());
    remarks.extend(not_fed(RemarkKind::NotFed, &others.collect::<Vec<_>>()));
    let queues = policy.queues().rows().iter().map(|queue| queue.name.as_str());
    remarks.extend(not_fed(RemarkKind::NoJobs, &queues.collect::<Vec<_>>()));
    remarks
}

fn not_fed(kind: RemarkKind, names: &[&str]) -> Option<Remark> {
    let detail = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    names.first().map(|first| Remark { kind, count: names.len(), example: (*first).to_owned(), detail })
}

fn slower(apart: Span, every: Span) -> Option<String> {
    (apart >= every.times(2)).then(|| format!("rows are {apart} apart and polls {every}"))
}

fn faster(apart: Span, every: Span) -> Option<String> {
    (every >= apart.times(2)).then(|| format!("polls are {every} apart and rows {apart}"))
}

fn falls(trace: &Trace, read: Read) -> Option<String> {
    let (falls, numbers) = (trace.falls(), trace.numbers());
    (numbers >= NUMBERS_MIN && falls > numbers / FALLS_MAX).then(|| {
        let (falls, numbers) = (grouped(falls as u64), grouped(numbers as u64));
        format!(
            "`read: {}` wants a counter, and {falls} of {numbers} rows are lower than the one before",
            read.name()
        )
    })
}

fn rises(trace: &Trace) -> Option<String> {
    let numbers = || trace.iter().filter_map(|row| row.value.ok());
    let rises = numbers().zip(numbers().skip(1)).filter(|(before, after)| after > before).count();
    let never_falls = trace.numbers() >= NUMBERS_MIN && trace.falls() == 0;
    (never_falls && rises > trace.numbers() / 2)
        .then(|| format!("it rises and never falls in {} rows", grouped(trace.numbers() as u64)))
}

fn too_long(candidate: &Candidate, summary: &Summary) -> Option<String> {
    let (takes, within) = (candidate.options.move_takes, candidate.policy.moves().confirm_within);
    (summary.failed > 0 && takes > within).then(|| {
        format!(
            "a move takes {takes}, and the policy gives it up after {within}: see `confirm_within` and --move-takes"
        )
    })
}

fn mostly_unknown(summary: &Summary) -> Option<String> {
    let unknown = share(summary.unknown, summary.lasts())?;
    (unknown > 0.5).then(|| {
        let most = summary.absent.iter().max_by_key(|(_, count)| *count);
        let why = most.map(|(why, _)| format!(", mostly because it was {}", why.name())).unwrap_or_default();
        format!(
            "nothing was known for {:.0}% of the time{why} (rows count for {})",
            unknown * 100.0,
            summary.stale
        )
    })
}
