//! One decision of `base_aware` by a loop by hand, by vmpolicy, by Rhai and by Cedar, in the same run.
//!
//! Rhai and Cedar are given the counters and decide; they are spared what vmpolicy does besides: clocks, missing and late
//! readings, requests under way, settling, budgets, hosts, the next deadline, and the reasons.

mod contenders;

use contenders::{ByHand, Cedar, Contender, Rhai, Vmpolicy};
use std::time::Instant;
use vmpolicy_benches::guest::Guest;
use vmpolicy_benches::readings::{PERIOD, calm, erratic};

/// Each contender's turn comes so often, so that a busy moment of the machine spoils a turn of all and not all
/// turns of one.
const TURNS: usize = 31;
/// A turn takes at least so long.
const TURN_NS: f64 = 2_000_000.0;

fn main() {
    contenders::agree();
    println!("One decision of base_aware; medians of {TURNS} turns.\n");
    println!("| | calm: ns | ratio | erratic: ns | ratio |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let (calm, erratic) = (measure(&calm()), measure(&erratic()));
    let ours = |times: &[(&str, f64)]| {
        times.iter().find(|(name, _)| *name == contenders::OURS).map_or(f64::NAN, |(_, ns)| *ns)
    };
    for ((name, calm_ns), (_, erratic_ns)) in calm.iter().zip(&erratic) {
        println!(
            "| {name} | {calm_ns:.1} | {:.2} | {erratic_ns:.1} | {:.2} |",
            calm_ns / ours(&calm),
            erratic_ns / ours(&erratic),
        );
    }
}

/// Nanoseconds for one decision of each contender.
fn measure(readings: &[f64]) -> Vec<(&'static str, f64)> {
    let mut contenders: Vec<Box<dyn Contender>> = vec![
        Box::new(ByHand::default()),
        Box::new(Vmpolicy::new(contenders::OURS, readings, Guest::poll)),
        Box::new(Vmpolicy::new("vmpolicy, a tick before each reading", readings, Guest::tick_and_poll)),
        Box::new(Rhai::new()),
        Box::new(Cedar::new()),
    ];
    let repeats: Vec<usize> = contenders
        .iter_mut()
        .map(|contender| {
            let once = time(contender.as_mut(), readings, 1) * PERIOD as f64;
            ((TURN_NS / once) as usize).max(1)
        })
        .collect();
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..TURNS {
        for ((contender, times), &repeats) in contenders.iter_mut().zip(&mut times).zip(&repeats) {
            times.push(time(contender.as_mut(), readings, repeats));
        }
    }
    contenders
        .iter()
        .zip(times)
        .map(|(contender, mut times)| {
            times.sort_by(f64::total_cmp);
            (contender.name(), times[times.len() / 2])
        })
        .collect()
}

fn time(contender: &mut dyn Contender, readings: &[f64], repeats: usize) -> f64 {
    let began = Instant::now();
    for _ in 0..repeats {
        contender.run(readings);
    }
    began.elapsed().as_nanos() as f64 / (repeats * readings.len()) as f64
}
