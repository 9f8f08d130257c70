//! Simulates a fleet for a day: `fleet [GUESTS [WORD..]]`, by default 10,000 guests on 1,000 hosts, records kept. With the word
//! `databases` the guests are such, with `checked` the onlooker watches every step.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what the program is for")]

use std::process::ExitCode;
use vmpolicy_benches::fleet::{Service, fleet};
use vmpolicy_core::output::{Output, Record};
use vmpolicy_core::policy::Policy;
use vmpolicy_core::sim::scenario::{GuestIx, Scenario};
use vmpolicy_core::sim::world::{Island, Options, Outcome, Violated, Watch};
use vmpolicy_core::time::Mono;

/// Keeps all records.
#[derive(Default)]
struct Kept(Vec<(GuestIx, Record)>);

impl Watch for Kept {
    fn recorded(&mut self, guest: GuestIx, _: Mono, _: &Policy, output: &Output) {
        self.0.extend(output.records.iter().map(|record| (guest, *record)));
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Ok(guests) = arguments.first().map_or(Ok(10_000), |guests| guests.parse()) else {
        eprintln!("usage: fleet [GUESTS [databases] [checked]]");
        return ExitCode::from(2);
    };
    let checks = arguments.iter().any(|word| word == "checked");
    let databases = arguments.iter().any(|word| word == "databases");
    let scenario = fleet(guests, if databases { Service::Databases } else { Service::Processors });
    match day(&scenario, Options { checks, ..Options::default() }) {
        Ok((outcome, records)) => {
            println!(
                "{guests} guests, {} hosts: {} inputs, {records} records, {} moves, {:.1} kWh",
                scenario.hosts.len(),
                outcome.steps,
                outcome.live_moves,
                outcome.energy_kwh,
            );
            ExitCode::SUCCESS
        }
        Err(violated) => {
            eprintln!("{violated}");
            ExitCode::FAILURE
        }
    }
}

/// The whole scenario, part by part on one processor, and how many records it left.
fn day(scenario: &Scenario, options: Options) -> Result<(Outcome, usize), Violated> {
    let islands = Island::all(scenario);
    let (mut parts, mut records) = (Vec::new(), Vec::new());
    for island in &islands {
        let mut kept = Kept::default();
        let mut running = island.begin(options, &mut kept);
        running.advance(Mono(i64::MAX))?;
        parts.push(running.finish());
        records.push(kept);
    }
    let count = records.iter().map(|kept| kept.0.len()).sum();
    Ok((Island::outcome(scenario, &islands, parts), count))
}
