//! `vmpolicy simulate`: guests, hosts, loads and faults of a scenario in one deterministic world.

mod case;
mod compare;
mod events;
mod faults;
mod figures;
mod files;
pub(in crate::cli) mod input;
mod page;
mod report;
mod runs;
mod text;
mod watching;

use super::outputs::{self, Wanted, is_dash};
use super::terminal::{complain, print, print_json};
use super::{Exit, Format, threads};
use case::Case;
use input::Input;
use report::Report;
use runs::{Failed, Runs};
use std::io::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  vmpolicy simulate scenario.yaml
  vmpolicy simulate scenario.yaml --seed 7 --report world.html
  vmpolicy simulate scenario.yaml --compare none,thr-mmt --report world.html
  vmpolicy simulate scenario.yaml --events - | jq 'select(.event == \"request\")'
  vmpolicy simulate scenario.yaml --format json

A scenario names hosts, guests with their loads, services and policies, and what goes wrong at
which time. The same scenario and seed give the same bytes, on any machine and any number of
threads. `--compare` runs the same world in the conventional case too: `none` moves nobody;
`thr-mmt`, `iqr-mmt` and `mad-mmt` let the infrastructure decide by what it sees of its hosts.
Guests still judge, and ask for nothing.

Exit status: 0 done, 1 the scenario or a policy has errors, or what must never happen has happened,
2 wrong usage, 3 a file can't be read or written.";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The scenario file; `-` is standard input.
    #[arg(value_name = "SCENARIO")]
    pub file: PathBuf,
    /// Where all chance comes from, instead of the scenario's own seed.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// What to run beside the scenario as it is written: `none`, `thr-mmt`, `iqr-mmt`, `mad-mmt`; `own` is itself.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = case::named)]
    pub compare: Vec<Case>,
    /// Write every decision of the scenario as it is written to this file, one JSON object a line; `-` is standard
    /// output, and no summary.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Write a page with figures to this file: HTML that needs nothing else.
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Show every guest and host, however many there are.
    #[arg(long)]
    pub all: bool,
    /// Do not let the independent onlooker watch each step of each guest: faster, and nothing is known to be sound.
    #[arg(long)]
    pub unchecked: bool,
    /// On how many processors to run [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub threads: Option<u16>,
    /// How to print the summary.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

impl Args {
    fn outputs(&self) -> [Wanted<'_>; 2] {
        [(self.events.as_deref(), "events"), (self.report.as_deref(), "report")]
    }
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    let outcome = threads::pool(args.threads).and_then(|pool| pool.install(|| simulate(args)));
    outcome.err().unwrap_or(Exit::Done)
}

fn simulate(args: &Args) -> Result<(), Exit> {
    check_files(args)?;
    let mut input = Input::read(&args.file)?;
    outputs::check(&args.outputs(), input.files.iter().map(PathBuf::as_path))?;
    if let Some(seed) = args.seed {
        input.scenario.seed = seed;
    }
    let cases = case::with_own(&args.compare);
    let runs = Runs::new(&input.scenario, cases, !args.unchecked, args.report.is_some());
    let ran = run_all(args, &input, runs)?;
    let report = Report::new(&input, &ran, !args.unchecked);
    let page = match &args.report {
        Some(path) => Some(page::write(path, &input, &report, ran)?),
        None => None,
    };
    if args.events.as_deref().is_some_and(is_dash) {
        return Ok(());
    }
    match args.format {
        Format::Text => print(&text::render(&report, args.all)),
        Format::Json => print_json(report.json(page.as_ref())),
    }
}

/// What can be told of files before any is read.
fn check_files(args: &Args) -> Result<(), Exit> {
    let wrong = |message: &str| {
        complain(message);
        Err(Exit::Usage)
    };
    if args.report.as_deref().is_some_and(is_dash) {
        return wrong("a report is a file: --report world.html");
    }
    let input = args.file.as_path();
    outputs::check(&args.outputs(), std::iter::once(input).filter(|input| !is_dash(input)))?;
    outputs::attempt(args.report.as_deref())
}

fn run_all(args: &Args, input: &Input, runs: Runs<'_>) -> Result<Vec<runs::Ran>, Exit> {
    let go = |to: Option<&mut (dyn Write + Send)>| match runs.go(to) {
        Ok(ran) => Ok(Ok(ran)),
        Err(Failed::Write(error)) => Ok(Err(error)),
        Err(Failed::Violated { case, violated }) => {
            complain(&input.violation(case, &violated));
            Err(Exit::No)
        }
    };
    match &args.events {
        Some(path) => outputs::lines(path, |to| go(Some(to))),
        None => go(None)?.map_err(|error| outputs::unwritable(Path::new("-"), &error)),
    }
}
