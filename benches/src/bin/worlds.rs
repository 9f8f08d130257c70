//! Random worlds a second, as `vmpolicy verify` tries them: on one core, and on as many as are asked for.
//!
//! `worlds THREADS WORLDS POLICY...`: policies without windows, or with windows in UTC.
#![expect(clippy::print_stdout, reason = "it prints figures")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use vmpolicy_core::file::load;
use vmpolicy_core::policy::UtcOnly;
use vmpolicy_core::verify::{Counts, Scope, Study};

fn main() -> Result<(), String> {
    let mut args = std::env::args().skip(1);
    let mut number = |what: &str| {
        let text = args.next().ok_or("usage: worlds THREADS WORLDS POLICY...")?;
        text.parse::<u64>().map_err(|error| format!("{what}: {error}"))
    };
    let (threads, worlds) = (number("THREADS")?.max(1), number("WORLDS")?);
    for path in args {
        let text = std::fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
        let loaded = load(&text, &UtcOnly).map_err(|problems| format!("{path}: {problems:#?}"))?;
        let study = Study::new(&loaded, Vec::new(), 1, Scope::default());
        let begun = Instant::now();
        let counts = tried(&study, threads, worlds);
        let took = begun.elapsed().as_secs_f64();
        println!(
            "{path}: {:.0} worlds/s, {:.2} million steps/s on {threads} threads ({} worlds, {} steps, {} faults, {} \
             worlds with a fault of the engine)",
            counts.worlds as f64 / took,
            counts.steps as f64 / took / 1e6,
            counts.worlds,
            counts.steps,
            counts.all_faults(),
            counts.violated_in,
        );
    }
    Ok(())
}

/// Each thread takes the next world when it has done one.
fn tried(study: &Study, threads: u64, worlds: u64) -> Counts {
    let next = AtomicU64::new(0);
    let one = || {
        let mut counts = Counts::new(0);
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= worlds {
                return counts;
            }
            counts.add(&study.try_world(index).counts);
        }
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let mut all = Counts::new(0);
        for thread in running {
            all.add(&thread.join().expect("no world panics"));
        }
        all
    })
}
