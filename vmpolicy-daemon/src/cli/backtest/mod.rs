//! `vmpolicy backtest`: what policies would have done on a recording.

pub(in crate::cli) mod candidate;
mod compare;
pub(crate) mod output;
pub(in crate::cli) mod page;
pub(in crate::cli) mod progress;
pub(in crate::cli) mod recording;
mod remarks;
pub(in crate::cli) mod report;
mod runs;
pub(in crate::cli) mod shard;
pub(in crate::cli) mod spread;
pub(in crate::cli) mod table;
pub(in crate::cli) mod text;

use super::check::shown;
use super::outputs::{self, is_dash};
use super::terminal::{complain, print, print_json};
use super::{Exit, Format, threads};
use crate::shard::Shard;
use candidate::{Candidate, Wanted};
use recording::{Named, Reading};
use report::{Report, Tried};
use runs::{Runs, Summaries};
use std::ffi::OsString;
use std::path::PathBuf;
pub(in crate::cli) use table::grouped;
use vmpolicy_core::file::parse_span;
use vmpolicy_core::time::Span;

const EXAMPLES: &str = "\
Examples:
  vmpolicy backtest policy.yaml --trace week.csv.gz
  vmpolicy backtest policy.yaml bolder.yaml --trace week.parquet --report week.html
  vmpolicy backtest policy.yaml --trace week.csv --series web1 --events -
  vmpolicy backtest policy.yaml --trace cpu.csv --indicator cpu --at mln3 --move-takes 90s
  vmpolicy backtest policy.yaml --trace fleet.csv --shard 1/4 --format json > 1.json
  vmpolicy backtest policy.yaml --trace prometheus:http://localhost:9090 \\
      --query 'rate(mysql_global_status_slow_queries[5m])' --start 2026-03-01T00:00:00Z

A trace is CSV, plain or gzip, with the header `timestamp,value` or `series,timestamp,value`, or Parquet
with such columns; a timestamp is RFC 3339 or seconds since the epoch, or Parquet's own. Each series is a
guest of its own. Several policies are shown side by side.

Exit status: 0 done, 1 the policy or the trace can't be used, 2 wrong usage, 3 a file can't be
read or written, or a server can't be reached.";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The policy files; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The recording: a file (`-` is standard input), or `prometheus:` and the address of a server.
    #[arg(long, value_name = "RECORDING")]
    pub trace: OsString,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    wanted: Wanted,
    /// Write every decision to this file, one JSON object a line, of several policies each with its `policy`; `-` is
    /// standard output, and no summary.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Write a page with figures to this file: HTML that needs nothing else.
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Show every guest, however many there are.
    #[arg(long)]
    pub all: bool,
    /// On how many processors to run [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub threads: Option<u16>,
    /// Only these of the series, such as `1/4`, for `vmpolicy merge`; needs `--format json`.
    #[arg(long, value_name = "I/N", conflicts_with = "report")]
    pub shard: Option<Shard>,
    /// How to print the summary.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub(in crate::cli) fn span(text: &str) -> Result<Span, String> {
    parse_span(text).map_err(str::to_owned)
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    let outcome = threads::pool(args.threads).and_then(|pool| pool.install(|| backtest(args)));
    outcome.err().unwrap_or(Exit::Done)
}

fn backtest(args: &Args) -> Result<(), Exit> {
    if args.shard.is_some() && args.format != Format::Json {
        complain("a shard's result is for `vmpolicy merge`: add --format json");
        return Err(Exit::Usage);
    }
    check_files(args)?;
    let candidates: Result<Vec<_>, _> =
        args.files.iter().map(|file| Candidate::load(file, &args.wanted)).collect();
    let candidates = candidates?;
    let apart = candidates.iter().map(|one| one.fed().every).min().unwrap_or(Span::ZERO);
    let named = Named::new(&args.trace);
    let mut traces = args.reading.read(named, apart)?;
    let part = args.shard.map(|shard| shard::Part::take(shard, args, &mut traces.series));

    let runs = Runs { candidates: &candidates, series: &traces.series };
    let summaries = try_all(args, runs)?;
    let trace = args.reading.shown(named);
    let report = Report::new(trace, traces.notes, runs, &summaries);
    for note in &report.notes {
        complain(&format!("{}: {note}", report.trace));
    }
    for Tried { policy, remarks, .. } in &report.policies {
        let of = if candidates.len() > 1 { format!("{policy}: ") } else { String::new() };
        remarks.iter().for_each(|remark| complain(&format!("{of}{remark}")));
    }
    let page = match &args.report {
        Some(path) => Some(page::write(path, runs, &report)?),
        None => None,
    };
    if args.events.as_deref().is_some_and(is_dash) {
        return Ok(());
    }
    match args.format {
        Format::Text => print(&text::render(&report, args.all)),
        Format::Json => {
            print_json(part.map_or_else(|| report.json(page.as_ref()), |part| part.json(&report)))
        }
    }
}

/// What can be told of files before any is read.
fn check_files(args: &Args) -> Result<(), Exit> {
    let wrong = |message: &str| {
        complain(message);
        Err(Exit::Usage)
    };
    let stdin = args.files.iter().filter(|file| is_dash(file)).count();
    if stdin > 1 {
        return wrong("only one policy can be standard input");
    }
    if stdin > 0 && Named::new(&args.trace).is_stdin() {
        return wrong("the policy and the trace can't both be standard input");
    }
    for (index, file) in args.files.iter().enumerate() {
        if args.files[..index].contains(file) {
            return wrong(&format!("{}: given twice", shown(file)));
        }
    }
    if args.report.as_deref().is_some_and(is_dash) {
        return wrong("a report is a file: --report week.html");
    }
    let outputs = [(args.events.as_deref(), "events"), (args.report.as_deref(), "report")];
    let inputs = args.files.iter().map(PathBuf::as_path).chain(Named::new(&args.trace).file());
    outputs::check(&outputs, inputs.filter(|input| !is_dash(input)))?;
    outputs::attempt(args.report.as_deref())
}

fn try_all(args: &Args, runs: Runs<'_>) -> Result<Summaries, Exit> {
    let impossible = |runs::Impossible { policy, guest, why }| {
        let of = if runs.candidates.len() > 1 { format!("{policy}: ") } else { String::new() };
        complain(&format!("{of}{}: `{guest}`: {why}", args.reading.shown(Named::new(&args.trace))));
        Exit::No
    };
    let bar = runs.bar().map_err(impossible)?;
    let Some(path) = &args.events else { return runs.without_events(&bar).map_err(impossible) };
    outputs::lines(path, |to| runs.with_events(&bar, to).map_err(impossible))
}
