//! Queues and hooks for people.

use super::status::{ago, lasting, wall};
use super::words::about;
use crate::control::{Batch, HookNow, LastRun, Queue, Status};
use std::collections::BTreeMap;
use vmpolicy_core::time::Span;

/// The first line tells of the batch at hand.
pub(super) fn queue(status: &Status, one: &Queue) -> Vec<String> {
    let name = &one.name;
    if !one.worked {
        let why =
            if status.mode == "act" { "the policy file does not say how" } else { "nothing is asked for" };
        return vec![format!("{name}: nobody works at it, as {why}")];
    }
    let batch = one.batch.as_ref().map_or_else(|| "no batch is claimed".to_owned(), batch);
    let mut lines = vec![format!("{name}: {batch}")];
    if let Some(running) = &one.running {
        let class = running.class.as_deref().unwrap_or("no class");
        let again = match running.time {
            0 | 1 => String::new(),
            time => format!(", try {time}"),
        };
        lines.push(format!("a job of {class} runs since {}{again}", ago(status.at, running.since)));
    }
    if one.ended.values().any(|count| *count > 0) {
        lines.push(format!("since the daemon has started: {}", counts(&one.ended)));
    }
    if let Some(failed) = &one.last_failed {
        let class = failed.class.as_deref().unwrap_or("no class");
        let how = how(&failed.outcome, failed.status, failed.signal);
        lines
            .push(format!("the last that did not go well: of {class}, {how}, {}", ago(status.at, failed.at)));
    }
    if let Some(fault) = &one.fault {
        lines.push(format!("IT CAN'T BE WORKED AT {}: {}", lasting(status, fault), fault.words));
    }
    lines
}

/// `16 jobs claimed (12 big, 3 small, 1 of no class): 5 ended, 1 runs, 10 wait`.
fn batch(batch: &Batch) -> String {
    let mut kinds: Vec<String> = batch
        .classes
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(class, count)| format!("{count} {class}"))
        .collect();
    if batch.others > 0 {
        kinds.push(format!("{} of no class", batch.others));
    }
    let running = batch.jobs.saturating_sub(batch.ended).saturating_sub(batch.waiting);
    let jobs = if batch.jobs == 1 { "1 job" } else { &format!("{} jobs", batch.jobs) };
    format!(
        "{jobs} claimed ({}): {} ended, {running} runs, {} wait",
        kinds.join(", "),
        batch.ended,
        batch.waiting
    )
}

/// The first line tells of the last time.
pub(super) fn hook(status: &Status, one: &HookNow) -> Vec<String> {
    let name = &one.hook;
    let Some(last) = &one.last else {
        return vec![format!("{name}: not run since the daemon has started")];
    };
    let LastRun { outcome, host, took, .. } = last;
    let id = last.id.map_or_else(String::new, |id| format!(" for request {id}"));
    let how = how(outcome, last.status, last.signal);
    let all = counts(&one.outcomes);
    let mut lines = vec![format!(
        "{name}: {how} within {}, on {host}{id}, {}; in all {all}",
        about(Span::from_millis(took.millis())),
        ago(status.at, last.at),
    )];
    if let Some(since) = one.failing_since.as_deref().and_then(wall) {
        lines.push(format!("IT GOES WRONG since {}; the log has its words", ago(status.at, since)));
    }
    lines
}

fn how(outcome: &str, status: Option<i32>, signal: Option<i32>) -> String {
    match (outcome, status, signal) {
        ("failed", Some(status), _) => format!("failed with status {status}"),
        (_, _, Some(signal)) => format!("killed by signal {signal}"),
        (outcome, ..) => outcome.to_owned(),
    }
}

/// `3 done, 1 failed`.
fn counts(counts: &BTreeMap<String, u64>) -> String {
    let some = counts.iter().filter(|(_, count)| **count > 0);
    some.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}
