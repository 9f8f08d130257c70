//! What changes when guests decide: prints the tables of `docs/effects.md`, mean ± standard deviation over seeds.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what the program is for")]

use std::env;
use std::process::ExitCode;
use vmpolicy_benches::effects::{TABLES, table};

/// As many as the page says.
const SEEDS: u64 = 10;

fn main() -> ExitCode {
    let named: Vec<String> = env::args().skip(1).collect();
    let all = || TABLES.iter().map(|&name| name.to_owned()).collect();
    for name in if named.is_empty() { all() } else { named } {
        match table(&name, SEEDS) {
            Ok(table) => println!("{name}\n\n{table}"),
            Err(error) => {
                eprintln!("effects: {error}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::SUCCESS
}
