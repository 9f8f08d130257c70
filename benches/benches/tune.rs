//! Candidates of a tuning, on a recording of 100,000 samples: how many a second, on one core and on two.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use std::sync::Arc;
use vmpolicy_benches::readings::{PERIOD, calm, erratic};
use vmpolicy_core::backtest::{Options, Row, Trace};
use vmpolicy_core::file::load;
use vmpolicy_core::policy::UtcOnly;
use vmpolicy_core::time::Wall;
use vmpolicy_core::tune::{Candidate, Caution, Plan, Space, Trial, Yardstick, cautions};
use vmpolicy_core::{Policy, PolicyFile, tune::Island};

const SAMPLES: usize = 100_000;
const POLICY: &str = "\
version: 1
arrays: { oslo: { hosts: [mln1, mln2, mln3, mln4, mln5], base: mln6, price: { host: 0.12, base: 0.03 } } }
indicators: { load: { probe: { load: {} }, every: 60s } }
rules:
- { name: overloaded, when: load > 50, tarry: 3, do: move }
- { name: idle, when: load < 1, tarry: 20, do: move-to-base }
";

fn main() {
    divan::main();
}

struct Stage {
    file: PolicyFile,
    policy: Arc<Policy>,
    space: Space,
    trial: Trial,
    known: Vec<Caution>,
    /// The first sample of an island: spread over the whole space.
    candidates: Vec<Candidate>,
}

fn stage(readings: &[f64]) -> Stage {
    let loaded = load(POLICY.as_bytes(), &UtcOnly).expect("the policy is sound");
    let (file, policy) = (loaded.file, Arc::new(loaded.policy));
    let load = policy.indicator_named("load").expect("it is there");
    let rows = (0..SAMPLES).map(|index| Row {
        at: Wall::from_secs(1_241_613_860 + 60 * index as i64),
        value: Ok(readings[index % PERIOD]),
    });
    let trace = Trace::new(rows).expect("the rows are in order");
    let yardstick = Yardstick::present(&policy, load).expect("a rule moves");
    let trial = Trial::new(&policy, Options::new(&policy, load), &yardstick, [&trace], 0.0).expect("a trial");
    let space = Space::derive(&file, &policy, load, &trial.samples());
    let plan = Plan { seed: 1, candidates: 192, islands: 1 };
    let candidates = Island::new(&space, &plan, 0).ask().expect("a first sample").to_vec();
    let known = cautions(&file, &policy);
    Stage { file, policy, space, trial, known, candidates }
}

impl Stage {
    /// What the search does with a candidate: is it wise, and what is it worth.
    fn one(&self, candidate: &Candidate) -> u64 {
        let unwise = self.space.unwise(&self.file, &self.policy, &self.known, candidate).len() as u64;
        let policy = Arc::new(self.space.policy(&self.policy, candidate));
        self.trial.tuned_on(&policy).requests + unwise
    }
}

fn on_cores(bencher: Bencher<'_, '_>, readings: &[f64], cores: usize) {
    let stage = stage(readings);
    let pool = ThreadPoolBuilder::new().num_threads(cores).build().expect("threads can be started");
    let count = ItemsCount::new(stage.candidates.len());
    bencher.counter(count).bench_local(|| {
        pool.install(|| black_box(&stage.candidates).par_iter().map(|one| stage.one(one)).sum::<u64>())
    });
}

#[divan::bench(args = [1, 2], sample_count = 10)]
fn candidates_calm(bencher: Bencher<'_, '_>, cores: usize) {
    on_cores(bencher, &calm(), cores);
}

#[divan::bench(args = [1, 2], sample_count = 10)]
fn candidates_erratic(bencher: Bencher<'_, '_>, cores: usize) {
    on_cores(bencher, &erratic(), cores);
}

/// What the static warnings of a candidate take.
#[divan::bench(sample_count = 10)]
fn warnings(bencher: Bencher<'_, '_>) {
    let stage = stage(&calm()[..]);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| cautions(black_box(&stage.file), &stage.policy));
}
