//! Worlds tried on all processors. What comes out does not depend on how many there are: counts are sums of whole
//! numbers, and what is broken stands in the order of the worlds.

use super::Args;
use crate::cli::{Exit, threads};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::prelude::*;
use vmpolicy_core::verify::{Broken, Counts, Study};

/// What came of all worlds.
pub(super) struct Tries {
    pub counts: Counts,
    /// What was broken first in each world in which anything was, by the world's number.
    pub broken: Vec<(u64, Broken)>,
}

impl Tries {
    /// Tries the worlds that the arguments ask for.
    pub(super) fn run(study: &Study, args: &Args) -> Result<Self, Exit> {
        let pool = threads::pool(args.threads)?;
        let (from, to) = args.world.map_or((0, args.worlds), |world| (world, world.saturating_add(1)));
        let bar = bar(to - from);
        let none = || Self { counts: Counts::new(study.expectations().len()), broken: Vec::new() };
        let mut all = pool.install(|| {
            (from..to)
                .into_par_iter()
                .filter(|world| args.shard.is_none_or(|shard| shard.takes_number(*world)))
                .fold(none, |mut all, world| {
                    let tried = study.try_world(world);
                    all.counts.add(&tried.counts);
                    all.broken.extend(tried.broken.map(|broken| (world, broken)));
                    bar.inc(1);
                    all
                })
                .reduce(none, |mut all, other| {
                    all.counts.add(&other.counts);
                    all.broken.extend(other.broken);
                    all
                })
        });
        bar.finish_and_clear();
        all.broken.sort_by_key(|(world, _)| *world);
        Ok(all)
    }
}

/// On a terminal only: standard error is often a log.
fn bar(most: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(most), ProgressDrawTarget::stderr_with_hz(8));
    let style = "{wide_bar} {human_pos} of {human_len} worlds, {per_sec}, {eta} to go";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}
