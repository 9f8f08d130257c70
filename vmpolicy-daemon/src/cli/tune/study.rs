//! The search on all processors: the islands go in step, and the candidates of a step are tried in any order. What
//! comes out does not depend on how many processors there are.

use super::report::{Island as IslandRow, Point};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use vmpolicy_core::Policy;
use vmpolicy_core::file::Loaded;
use vmpolicy_core::tune::{Candidate, Caution, Figures, Front, Island, Member, Plan, Space, Trial, Worth};

/// All that a search needs.
pub(super) struct Study<'a> {
    pub loaded: &'a Loaded,
    pub policy: &'a Arc<Policy>,
    pub space: &'a Space,
    pub trial: &'a Trial,
    pub plan: Plan,
    /// The warnings that the present values have, where others turn a candidate down.
    pub known: Option<Vec<Caution>>,
    /// How many candidates each warning turned down.
    pub refusals: Mutex<BTreeMap<Caution, u64>>,
}

/// More than these say nothing more.
const REASONS_MAX: usize = 3;

impl Study<'_> {
    /// Searches on these islands, counted from 0.
    pub(super) fn run(&self, islands: impl Iterator<Item = u32>) -> (Vec<IslandRow>, Vec<Point>) {
        let mut running: Vec<(u32, Island<'_>)> =
            islands.map(|index| (index, Island::new(self.space, &self.plan, index))).collect();
        let most = running.iter().map(|(index, _)| u64::from(self.plan.budget(*index))).sum();
        let bar = bar(most);
        loop {
            let mut batch: Vec<Candidate> = Vec::new();
            let mut shares = Vec::new();
            for (at, (_, island)) in running.iter_mut().enumerate() {
                if let Some(asked) = island.ask() {
                    shares.push((at, asked.len()));
                    batch.extend_from_slice(asked);
                }
            }
            if batch.is_empty() {
                break;
            }
            let worths: Vec<Option<Worth>> = batch
                .par_iter()
                .map(|candidate| {
                    let worth = self.try_out(candidate);
                    bar.inc(1);
                    worth
                })
                .collect();
            let mut rest = worths.as_slice();
            for (at, asked) in shares {
                let (mine, others) = rest.split_at(asked);
                running[at].1.tell(mine);
                rest = others;
            }
        }
        bar.finish_and_clear();

        let mut front = Front::default();
        let mut rows = Vec::new();
        for (index, island) in running {
            let found = island.finish();
            rows.push(IslandRow { island: index + 1, tried: found.tried, refused: found.refused });
            front.join(found.front);
        }
        let points = front.members().par_iter().map(|member| self.point(member)).collect();
        (rows, points)
    }

    fn try_out(&self, candidate: &[u16]) -> Option<Worth> {
        if let Some(known) = &self.known {
            let unwise = self.space.unwise(&self.loaded.file, self.policy, known, candidate);
            if !unwise.is_empty() {
                let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
                for caution in unwise {
                    *refusals.entry(caution).or_default() += 1;
                }
                return None;
            }
        }
        Some(self.trial.tuned_on(&self.made(candidate)).worth())
    }

    /// Why no candidate could be tried: the warnings that turned them down, the most frequent first.
    pub(super) fn why_none(&self) -> String {
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = refusals.iter().collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let more = all.len().saturating_sub(REASONS_MAX);
        let shown =
            all.iter().take(REASONS_MAX).map(|((code, path), count)| format!("{count} by {code} at {path}"));
        let mut shown: Vec<_> = shown.collect();
        if more > 0 {
            shown.push(format!("{more} more"));
        }
        format!(
            "no candidate could be tried: `vmpolicy check` would warn of each, and does not warn of the present values (turned down: {}). \
             Say what may vary with --vary, or let them in with --allow-warnings",
            shown.join(", ")
        )
    }

    fn point(&self, member: &Member) -> Point {
        let policy = self.made(&member.candidate);
        let figures: Figures = self.trial.tuned_on(&policy);
        Point::new(self.space, member, &figures, self.trial.held_out(&policy))
    }

    fn made(&self, candidate: &[u16]) -> Arc<Policy> {
        Arc::new(self.space.policy(self.policy, candidate))
    }
}

/// On a terminal only: standard error is often a log.
fn bar(most: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(most), ProgressDrawTarget::stderr_with_hz(8));
    let style = "{wide_bar} {human_pos} of {human_len} candidates, {per_sec}, {eta} to go";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}
