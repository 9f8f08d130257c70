//! Simulates a fleet for a day: `fleet [GUESTS [checked]]`, by default 10,000 guests on 1,000 hosts, records kept.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what the program is for")]

use std::process::ExitCode;
use vmpolicy_benches::fleet::fleet;
use vmpolicy_core::output::{Output, Record};
use vmpolicy_core::policy::Policy;
use vmpolicy_core::sim::scenario::GuestIx;
use vmpolicy_core::sim::world::{Options, Watch, run};
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
        eprintln!("usage: fleet [GUESTS [checked]]");
        return ExitCode::from(2);
    };
    let checks = arguments.get(1).is_some_and(|word| word == "checked");
    let scenario = fleet(guests);
    let mut kept = Kept::default();
    match run(&scenario, Options { checks, ..Options::default() }, &mut kept) {
        Ok(outcome) => {
            println!(
                "{guests} guests, {} hosts: {} inputs, {} records, {} moves, {:.1} kWh",
                scenario.hosts.len(),
                outcome.steps,
                kept.0.len(),
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
