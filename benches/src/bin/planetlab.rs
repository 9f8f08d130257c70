//! A PlanetLab day in the data centre of Beloglazov and Buyya 2012, under an infrastructure-side manager: prints what
//! CloudSim's power examples print. `docs/planetlab.md` has the figures.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use vmpolicy_benches::planetlab;
use vmpolicy_core::sim::balance::{self, NAMES, Rules};
use vmpolicy_core::sim::datacentre::{Datacentre, Idling, Outcome, run};

const USAGE: &str = "\
A PlanetLab day in the data centre of Beloglazov and Buyya 2012, as CloudSim's power examples set it up.

Usage: planetlab FOLDER [--manager NAME] [--hosts N] [--sound] [--repeat N]

  FOLDER          one file a guest, in the order of their names: a whole percent a line, a line every 300 s
  --manager NAME  none, thr-mmt (default), iqr-mmt or mad-mmt
  --hosts N       how many hosts there are (default 800)
  --memory        a guest moves only where its memory fits
  --waking        what an empty host draws when idle counts as the price of waking it
  --unchained     no guest is told to move twice in one decision
  --stays         a guest that wants nothing stays, instead of leaving for good
  --sound         all four
  --repeat N      so often, to measure; the time is that of the quickest

Example: planetlab 20110303 --manager iqr-mmt
";

struct Wish {
    folder: String,
    manager: String,
    hosts: usize,
    rules: Rules,
    idle: Idling,
    repeat: u32,
}

fn wish(mut arguments: impl Iterator<Item = String>) -> Result<Option<Wish>, String> {
    let mut wish = Wish {
        folder: String::new(),
        manager: "thr-mmt".to_owned(),
        hosts: 800,
        rules: Rules::CLOUDSIM,
        idle: Idling::Leaves,
        repeat: 1,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument}: a value is missing"));
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--manager" => wish.manager = value()?,
            "--hosts" => wish.hosts = number(&value()?)?,
            "--repeat" => wish.repeat = number(&value()?)?,
            "--memory" => wish.rules.memory = true,
            "--waking" => wish.rules.waking = true,
            "--unchained" => wish.rules.chained = false,
            "--stays" => wish.idle = Idling::Stays,
            "--sound" => (wish.rules, wish.idle) = (Rules::default(), Idling::Stays),
            folder if wish.folder.is_empty() && !folder.starts_with('-') => {
                folder.clone_into(&mut wish.folder)
            }
            other => return Err(format!("{other}: not understood")),
        }
    }
    if wish.folder.is_empty() {
        return Err("which folder?".to_owned());
    }
    if !NAMES.contains(&wish.manager.as_str()) {
        return Err(format!("{}: no such manager; there are {}", wish.manager, NAMES.join(", ")));
    }
    Ok(Some(wish))
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{text}: expected a number"))
}

fn main() -> ExitCode {
    let wish = match wish(env::args().skip(1)) {
        Ok(Some(wish)) => wish,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprint!("planetlab: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match measure(&wish) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("planetlab: {problem}");
            ExitCode::from(3)
        }
    }
}

fn measure(wish: &Wish) -> Result<(), Box<dyn std::error::Error>> {
    let mut quickest = [f64::INFINITY; 2];
    let mut outcome = Outcome::default();
    let mut guests = 0;
    for _ in 0..wish.repeat.max(1) {
        let begun = Instant::now();
        let demand = planetlab::read(Path::new(&wish.folder))?;
        let read = begun.elapsed();
        guests = demand.guests();
        let centre = Datacentre { idle: wish.idle, ..Datacentre::of_the_paper(wish.hosts, guests) };
        let mut manager = balance::by_name(&wish.manager, wish.rules).expect("looked at before");
        outcome = run(&centre, &demand, &mut *manager)?;
        let whole = begun.elapsed();
        for (quickest, span) in quickest.iter_mut().zip([read, whole]) {
            *quickest = quickest.min(span.as_secs_f64() * 1000.0);
        }
    }
    print(wish, guests, &outcome);
    println!("Reading the files: {:.1} ms; all together: {:.1} ms", quickest[0], quickest[1]);
    Ok(())
}

fn print(wish: &Wish, guests: usize, outcome: &Outcome) {
    println!("Manager: {}", wish.manager);
    println!("Number of hosts: {}", wish.hosts);
    println!("Number of VMs: {guests}");
    println!("Total simulation time: {:.2} sec", outcome.simulated_s);
    println!("Energy consumption: {:.2} kWh", outcome.energy_kwh);
    println!("Number of VM migrations: {}", outcome.migrations);
    println!("SLA: {:.5}%", outcome.slav() * 100.0);
    println!("SLA perf degradation due to migration: {:.2}%", outcome.pdm * 100.0);
    println!("SLA time per active host: {:.2}%", outcome.slatah * 100.0);
    println!("Overall SLA violation: {:.2}%", outcome.violation_overall * 100.0);
    println!("Average SLA violation: {:.2}%", outcome.violation_average * 100.0);
    println!("Number of host shutdowns: {}", outcome.shutdowns.count);
    println!("Mean time before a host shutdown: {:.2} sec", outcome.shutdowns.mean_s);
    println!("StDev time before a host shutdown: {:.2} sec", outcome.shutdowns.deviation_s());
    println!("Mean time before a VM migration: {:.2} sec", outcome.moves.mean_s);
    println!("StDev time before a VM migration: {:.2} sec", outcome.moves.deviation_s());
    println!("Guests that left: {}", outcome.left);
}
