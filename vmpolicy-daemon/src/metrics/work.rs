//! How job queues are worked at, and how hooks end.

use super::text::{Kind, Page};
use crate::board::{Claim, JobEnd, QueueBoard, QueueNow};
use crate::control::{Desk, Standing};
use vmpolicy_core::input::HookEnd;

/// Appends them, where there are any and the daemon acts.
pub(super) fn write(page: &mut Page, standing: &Standing<'_>, desk: &Desk) {
    if !desk.is_dry() {
        queues(page, standing, desk);
        hooks(page, standing, desk);
    }
}

fn queues(page: &mut Page, standing: &Standing<'_>, desk: &Desk) {
    let written = standing.engine.policy().queues().iter().filter(|(_, queue)| desk.works_at(&queue.name));
    let rows: Vec<_> = written
        .map(|(id, queue)| {
            let board: QueueBoard = desk.board().queue(&queue.name);
            (queue, standing.engine.batch(id), board.now(), board.plight.fault())
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    page.metric(
        "vmpolicy_queue_up",
        Kind::Gauge,
        "1 where the last try to claim from a queue, or to run a job of it, did not fail.",
    );
    for (queue, _, _, fault) in &rows {
        page.sample(&[("queue", &queue.name)], f64::from(u8::from(fault.is_none())));
    }
    page.metric("vmpolicy_queue_jobs", Kind::Gauge, "Jobs of the batch at hand, by what they do.");
    for (queue, batch, ..) in &rows {
        let (running, waiting) = batch.map_or((0, 0), |batch| (u32::from(batch.running), batch.waiting()));
        for (state, count) in [("running", running), ("waiting", waiting)] {
            page.sample(&[("queue", &queue.name), ("state", state)], f64::from(count));
        }
    }
    page.metric(
        "vmpolicy_queue_batch_jobs",
        Kind::Gauge,
        "Jobs that the batch at hand had when it was claimed, by class, as `count` sees them; of no class under an empty one.",
    );
    for (queue, batch, ..) in &rows {
        for (index, class) in queue.classes.iter().enumerate() {
            let count = batch.and_then(|batch| batch.classes.get(index).copied()).unwrap_or(0);
            page.sample(&[("queue", &queue.name), ("class", &class.name)], f64::from(count));
        }
        let others = batch.map_or(0, |batch| batch.others);
        page.sample(&[("queue", &queue.name), ("class", "")], f64::from(others));
    }
    page.metric(
        "vmpolicy_queue_running_job_age_seconds",
        Kind::Gauge,
        "How long ago the running job was begun; 0 where none runs.",
    );
    for (queue, _, QueueNow { running, .. }, _) in &rows {
        let age = running.as_ref().map_or(0.0, |job| standing.now.wall.since(job.since).as_secs_f64());
        page.sample(&[("queue", &queue.name)], age);
    }
    page.metric("vmpolicy_queue_claims_total", Kind::Counter, "Claims, by what they have brought.");
    for (queue, _, QueueNow { claims, .. }, _) in &rows {
        for (outcome, count) in Claim::NAMES.iter().zip(claims) {
            page.sample(&[("queue", &queue.name), ("outcome", outcome)], *count as f64);
        }
    }
    page.metric("vmpolicy_queue_jobs_ended_total", Kind::Counter, "Jobs that have ended, by how.");
    for (queue, _, QueueNow { ended, .. }, _) in &rows {
        for (outcome, count) in JobEnd::NAMES.iter().zip(ended) {
            page.sample(&[("queue", &queue.name), ("outcome", outcome)], *count as f64);
        }
    }
}

fn hooks(page: &mut Page, standing: &Standing<'_>, desk: &Desk) {
    let hooks: Vec<_> = desk.ports().hooks().map(|(hook, runs)| (hook.name(), runs)).collect();
    if hooks.is_empty() {
        return;
    }
    page.metric("vmpolicy_hook_runs_total", Kind::Counter, "How often a hook was run, by how that ended.");
    for (hook, runs) in &hooks {
        // What an alert asks for is there from the first time on.
        for outcome in [HookEnd::Exit(0), HookEnd::Exit(1)].map(HookEnd::name) {
            if !runs.outcomes.contains_key(outcome) {
                page.sample(&[("hook", hook), ("outcome", outcome)], 0.0);
            }
        }
        for (outcome, count) in &runs.outcomes {
            page.sample(&[("hook", hook), ("outcome", outcome)], *count as f64);
        }
    }
    page.metric(
        "vmpolicy_hook_success",
        Kind::Gauge,
        "1 where a hook went well the last time, 0 where it did not; absent where it was not run yet.",
    );
    let last = || hooks.iter().filter_map(|(hook, runs)| Some((*hook, runs.last.as_ref()?)));
    for (hook, (ran, _)) in last() {
        page.sample(&[("hook", hook)], f64::from(u8::from(ran.ended.is_well())));
    }
    page.metric("vmpolicy_hook_duration_seconds", Kind::Gauge, "How long a hook took the last time.");
    for (hook, (ran, _)) in last() {
        page.sample(&[("hook", hook)], ran.took.as_secs_f64());
    }
    page.metric("vmpolicy_hook_age_seconds", Kind::Gauge, "How long ago a hook was last run to its end.");
    for (hook, (_, at)) in last() {
        page.sample(&[("hook", hook)], standing.now.wall.since(*at).as_secs_f64());
    }
}
