//! Worlds tried on all processors. What comes out does not depend on how many there are: counts are sums of whole
//! numbers, and what is broken stands in the order of the worlds.

use super::Args;
use super::bug::{Bug, First, caught};
use crate::cli::{Exit, threads};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::prelude::*;
use vmpolicy_core::verify::{Broken, Counts, Study, Tried};

/// What came of all worlds.
pub(super) struct Tries {
    pub counts: Counts,
    /// What was broken first in each world in which anything was, by the world's number.
    pub broken: Vec<(u64, Broken)>,
}

impl Tries {
    /// Tries the worlds that the arguments ask for. `try_world` is [`Study::try_world`], but for a test that wants
    /// a world to panic.
    ///
    /// A panic ends the run: what was found in other worlds would look like the answer.
    pub(super) fn run(
        study: &Study,
        args: &Args,
        try_world: impl Fn(&Study, u64) -> Tried + Sync,
    ) -> Result<Self, Exit> {
        let pool = threads::pool(args.threads)?;
        let (from, to) = args.world.map_or((0, args.worlds), |world| (world, world.saturating_add(1)));
        let bar = bar(to - from);
        let none = || Self { counts: Counts::new(study.expectations().len()), broken: Vec::new() };
        let first = First::default();
        let mut all = pool.install(|| {
            (from..to)
                .into_par_iter()
                .filter(|world| args.shard.is_none_or(|shard| shard.takes_number(*world)))
                // Those before it are still tried, so that it is the first, whichever came first.
                .filter(|world| first.may_come_after(*world))
                .fold(none, |mut all, world| {
                    match caught(|| try_world(study, world)) {
                        Ok(tried) => {
                            all.counts.add(&tried.counts);
                            all.broken.extend(tried.broken.map(|broken| (world, broken)));
                        }
                        Err(says) => first.meet(Bug { world: Some(world), says }),
                    }
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
        if let Some(bug) = first.found() {
            return Err(bug.tell(args));
        }
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
