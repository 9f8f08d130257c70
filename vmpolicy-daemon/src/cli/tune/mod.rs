//! `vmpolicy tune`: which thresholds, tarries, settling times and dwells would have done better on recordings.

mod again;
mod input;
mod plot;
pub(in crate::cli) mod report;
mod study;
pub(in crate::cli) mod text;

use super::backtest::candidate::Wanted;
use super::backtest::recording::{Named, Reading};
use super::check::shown;
use super::outputs::{self, is_dash, save};
use super::terminal::{Terminal, complain, print, print_json};
use super::{Exit, Format, threads};
use crate::provenance::Provenance;
use crate::shard::Shard;
use clap::ColorChoice;
use input::Input;
use report::{Options, Outcome, Parameter, Present, Report};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;
use study::Study;
use vmpolicy_core::Policy;
use vmpolicy_core::id::IndicatorId;
use vmpolicy_core::tune::{Plan, Range, Space, cautions, unfed};

const EXAMPLES: &str = "\
Examples:
  vmpolicy tune policy.yaml --trace week.csv.gz
  vmpolicy tune policy.yaml --trace jan.csv --trace feb.csv --format json > tuned.json
  vmpolicy tune policy.yaml --result tuned.json --write 12 better.yaml
  vmpolicy tune policy.yaml --trace week.csv --vary overloaded.threshold=20..80 --vary overloaded.tarry
  vmpolicy tune policy.yaml --trace week.csv --shard 1/4 --format json > 1.json
  vmpolicy tune policy.yaml --trace prometheus:http://localhost:9090 --query node_load1 --start 2026-03-01T00:00:00Z

Parameters are named `RULE.threshold`, `RULE.tarry`, `settle` and `dwell`. What counts as a breach
is the same for all: the conditions of the rules that `move` now, or `--breach`.

Exit status: 0 done, 1 the policy or the recording can't be used or no candidate could be tried, 2 wrong
usage, 3 a file can't be read or written, or a server can't be reached.";

/// Candidates by default, where recordings are short enough.
const CANDIDATES: u32 = 4_000;
/// And at least.
const CANDIDATES_MIN: u32 = 400;
/// How many samples all candidates together are tried on by default.
const SAMPLES: u64 = 600_000_000;
/// The rows of the table.
pub(in crate::cli) const ROWS: usize = 15;

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The policy file; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A recording; may be given several times: a file (`-` is standard input), or `prometheus:` and the address of a
    /// server. Each series is a guest of its own.
    #[arg(long, value_name = "RECORDING", required_unless_present = "result")]
    pub trace: Vec<OsString>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    wanted: Wanted,
    /// What counts as a breach [default: the conditions of the rules with the action `move`].
    #[arg(long, value_name = "CONDITION")]
    pub breach: Option<String>,
    /// Vary only this, over these values: `overloaded.tarry`, `settle=0s..5m`, `idle.threshold=1,2,5`. May be given several
    /// times [default: all, over values taken from the recordings].
    #[arg(long, value_name = "NAME[=VALUES]", value_parser = vary)]
    pub vary: Vec<Vary>,
    /// Leave this as it is; may be given several times.
    #[arg(long, value_name = "NAME", conflicts_with = "vary")]
    pub fix: Vec<String>,
    /// The share at the end of each recording that is kept from the search, to see what its finds are worth there; 0 for
    /// none.
    #[arg(long, value_name = "SHARE", default_value = "0.3", value_parser = share)]
    pub hold_out: f64,
    /// How many candidates to try [default: 4000; fewer where recordings are very long].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub candidates: Option<u32>,
    /// What the random numbers come from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How many searches go on beside each other, knowing nothing of each other; no more shards than that have anything to
    /// do.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub islands: u32,
    /// Try candidates, too, that `vmpolicy check` would warn of where it does not warn of the present values.
    #[arg(long)]
    pub allow_warnings: bool,
    /// How many threads to use [default: one for each processor]. The result is the same.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Only this part of the search, such as `1/4`, for `vmpolicy merge`; needs `--format json`.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["write", "plot", "result"])]
    pub shard: Option<Shard>,
    /// Search nothing: take the result that was printed as JSON before.
    #[arg(long, value_name = "JSON", conflicts_with_all = ["trace", "vary", "fix", "breach", "candidates"])]
    pub result: Option<PathBuf>,
    /// Write member N of the front as a policy file: this one, with only the tuned values replaced.
    #[arg(long, num_args = 2, value_names = ["N", "FILE"])]
    pub write: Vec<String>,
    /// Draw the front as an SVG file.
    #[arg(long, value_name = "SVG")]
    pub plot: Option<PathBuf>,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// A parameter to vary, and perhaps its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Vary(String, Option<Range>);

fn vary(text: &str) -> Result<Vary, String> {
    match text.split_once('=') {
        Some((name, values)) => {
            let range = Range::from_str(values).map_err(|error| error.to_string())?;
            Ok(Vary(name.trim().to_owned(), Some(range)))
        }
        None => Ok(Vary(text.trim().to_owned(), None)),
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "expected a number from 0 to 0.9, such as 0.3".to_owned())?;
    if (0.0..=0.9).contains(&share) { Ok(share) } else { Err("expected a number from 0 to 0.9".to_owned()) }
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    match tune(args) {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

fn wrong(message: impl std::fmt::Display) -> Exit {
    complain(&message.to_string());
    Exit::Usage
}

fn tune(args: &Args) -> Result<(), Exit> {
    if args.shard.is_some() && args.format != Format::Json {
        return Err(wrong("a shard's result is for `vmpolicy merge`: add --format json"));
    }
    let write = match args.write.as_slice() {
        [number, path] => {
            let number = number.parse::<usize>().map_err(|_| {
                wrong(format!("--write {number}: expected the number of a member of the front, and a file"))
            })?;
            Some((number, Path::new(path)))
        }
        _ => None,
    };
    if args.plot.as_deref().into_iter().chain(write.map(|(_, path)| path)).any(is_dash) {
        return Err(wrong("a plot and a new policy are files: --plot front.svg, --write 12 better.yaml"));
    }
    let (new, plot) = (write.map(|(_, path)| path), args.plot.as_deref());
    let traces = args.trace.iter().filter_map(|trace| Named::new(trace).file());
    let inputs = [&args.file].into_iter().chain(&args.result).map(PathBuf::as_path).chain(traces);
    outputs::check(&[(new, "new policy"), (plot, "plot")], inputs.filter(|input| !is_dash(input)))?;
    outputs::attempt(new).and_then(|()| outputs::attempt(plot))?;
    let (input, report) = match &args.result {
        Some(path) => again::read(args, path)?,
        None => search(args)?,
    };
    // What can fail comes before what is printed.
    let tuned = write.map(|(number, path)| Ok((again::tuned(&input, &report, number)?, path))).transpose()?;
    if let Some((text, path)) = tuned {
        save(path, &text)?;
    }
    if let Some(path) = &args.plot {
        save(path, &plot::svg(&report))?;
    }
    let printed = match args.format {
        Format::Text => print(&text::render(&report, ROWS, &Terminal::of_stdout(ColorChoice::Never))),
        Format::Json => print_json(serde_json::to_string_pretty(&report)),
    };
    // Of a shard that is no answer: other shards may have found something.
    printed
        .and_then(|()| if report.front.is_empty() && report.shard.is_none() { Err(Exit::No) } else { Ok(()) })
}

fn search(args: &Args) -> Result<(Input, Report), Exit> {
    let input = Input::read(&args.file)?;
    let recordings = input::Recordings::read(&input, args)?;
    let trial = &recordings.trial;
    let space = space(&input, &recordings, args)?;
    let samples = trial.len() as u64;
    let affordable = u32::try_from(SAMPLES / samples.max(1)).unwrap_or(u32::MAX);
    let candidates = args.candidates.unwrap_or_else(|| affordable.clamp(CANDIDATES_MIN, CANDIDATES));
    let plan = Plan { seed: args.seed, candidates, islands: args.islands };
    let known = (!args.allow_warnings).then(|| cautions(&input.loaded.file, &input.policy));
    let study = Study {
        loaded: &input.loaded,
        policy: &input.policy,
        space: &space,
        trial,
        plan,
        known,
        refusals: Mutex::default(),
    };
    let remarks =
        if args.vary.is_empty() { remarks(&input.policy, recordings.options.indicator) } else { Vec::new() };
    remarks.iter().for_each(|remark| complain(remark));

    let mine = (0..args.islands)
        .filter(|&island| args.shard.is_none_or(|shard| shard.takes_number(u64::from(island))));
    let mine: Vec<u32> = mine.collect();
    if mine.is_empty() {
        complain("this shard has nothing to do: there are more shards than islands (--islands)");
    }
    let pool = threads::pool(args.threads)?;
    let (islands, points) = pool.install(|| study.run(mine.into_iter()));
    if points.is_empty() && islands.iter().any(|island| island.refused > 0) {
        complain(&study.why_none());
    }

    let present = Present {
        tuned_on: Outcome::new(&trial.tuned_on(&input.policy)),
        held_out: trial.held_out(&input.policy).as_ref().map(Outcome::new),
        beaten_by: Vec::new(),
    };
    let mut report = Report {
        command: "tune".to_owned(),
        provenance: Provenance::new(&input.policy, &input.zones, Some(args.seed)),
        shard: args.shard,
        policy: shown(&args.file),
        options: Options {
            indicator: input.policy.indicators()[recordings.options.indicator].name.clone(),
            breach: recordings.breach.clone(),
            cost: trial.cost_in().into(),
            at: input.policy.hosts()[recordings.options.at].name.clone(),
            stale: args.wanted.stale,
            move_takes: args.wanted.move_takes,
            hold_out: args.hold_out,
            candidates,
            islands: args.islands,
            allow_warnings: args.allow_warnings,
        },
        remarks,
        recordings: recordings.rows,
        parameters: space.parameters().iter().map(parameter).collect(),
        breaches: trial.breaches(),
        islands,
        present,
        front: Vec::new(),
    };
    report.settle(points);
    Ok((input, report))
}

/// What is not varied, and why.
fn remarks(policy: &Policy, indicator: IndicatorId) -> Vec<String> {
    let list =
        |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    let all = unfed(policy, indicator).into_iter();
    all.map(|(rule, missing)| {
        format!(
            "rule `{rule}` stays as it is: it reads {}, too, which the recording does not feed",
            list(&missing)
        )
    })
    .collect()
}

fn space(input: &Input, recordings: &input::Recordings, args: &Args) -> Result<Space, Exit> {
    let (file, samples) = (&input.loaded.file, recordings.trial.samples());
    let space = Space::derive(file, &input.policy, recordings.options.indicator, &samples);
    let made = if args.vary.is_empty() {
        space.fix(&args.fix).and_then(Space::fed)
    } else {
        let ranges: Vec<_> =
            args.vary.iter().map(|Vary(name, range)| (name.clone(), range.clone())).collect();
        space.vary(&ranges)
    };
    made.map_err(wrong)
}

fn parameter(parameter: &vmpolicy_core::tune::Parameter) -> Parameter {
    Parameter {
        name: parameter.name().to_owned(),
        unit: parameter.unit().map(str::to_owned),
        present: report::value(parameter.is()),
        levels: parameter.levels().iter().copied().map(report::value).collect(),
    }
}
