//! Counts the instructions of one step, with valgrind's callgrind: the same figures on a noisy machine as on a quiet one.
//!
//! Without arguments it runs itself under valgrind, each scenario once with few steps and once with many, so that what
//! is not a step cancels out. With a scenario and a number it makes so many steps.

use std::hint::black_box;
use std::process::{Command, ExitCode};
use vmpolicy_benches::guest::Guest;
use vmpolicy_benches::policies::{base_aware, ten_rules};
use vmpolicy_benches::readings::{PERIOD, calm, erratic};
use vmpolicy_benches::scalar::Scalar;
use vmpolicy_core::leaf::sample::Read;

/// A scenario by its name: makes so many steps.
type Scenario = (&'static str, fn(usize));

const SCENARIOS: [Scenario; 7] = [
    ("scalar loop", |steps| {
        let (readings, mut scalar) = (calm(), Scalar::default());
        for step in 0..steps {
            black_box(scalar.decide(black_box(readings[step % PERIOD])));
        }
    }),
    ("nothing but the driver", |steps| {
        let readings = calm();
        for step in 0..steps {
            black_box(black_box(&readings)[step % PERIOD]);
        }
    }),
    ("base_aware, gauge", |steps| run(Guest::new(base_aware(Read::Gauge), calm()), steps, Guest::poll)),
    ("base_aware, gauge, erratic", |steps| {
        run(Guest::new(base_aware(Read::Gauge), erratic()), steps, Guest::poll);
    }),
    ("base_aware, rate", |steps| run(Guest::new(base_aware(Read::Rate), calm()), steps, Guest::poll_rate)),
    ("base_aware, gauge, tick first", |steps| {
        run(Guest::new(base_aware(Read::Gauge), calm()), steps, Guest::tick_and_poll);
    }),
    ("ten rules, five indicators", |steps| run(Guest::new(ten_rules(), calm()), steps, Guest::poll_five)),
];

const FEW: usize = 20 * PERIOD;
const MANY: usize = 2 * FEW;

#[inline]
fn run(mut guest: Guest, steps: usize, mut poll: impl FnMut(&mut Guest)) {
    for _ in 0..steps {
        poll(&mut guest);
        let _ = black_box(guest.out());
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => table(),
        [scenario, steps] => {
            let steps = steps.parse().ok();
            let found = SCENARIOS.iter().find(|(name, _)| name == scenario);
            match (found, steps) {
                (Some((_, run)), Some(steps)) => {
                    run(steps);
                    ExitCode::SUCCESS
                }
                _ => ExitCode::from(2),
            }
        }
        _ => ExitCode::from(2),
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]
fn table() -> ExitCode {
    println!("{:>12}  scenario", "instructions");
    for (name, _) in SCENARIOS {
        let (Some(few), Some(many)) = (count(name, FEW), count(name, MANY)) else {
            eprintln!("valgrind is missing, or said nothing that could be read");
            return ExitCode::from(3);
        };
        println!("{:>12.1}  {name}", (many - few) / (MANY - FEW) as f64);
    }
    ExitCode::SUCCESS
}

/// The instructions of a whole run.
fn count(scenario: &str, steps: usize) -> Option<f64> {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args([scenario, &steps.to_string()])
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}
