//! `vmpolicy backtest`: what a policy would have done on a recording.

mod page;
mod remarks;
mod report;
mod runs;
mod text;

use super::check::{read, shown};
use super::diagnostics::Text;
use super::terminal::{Terminal, complain, print};
use super::{Exit, Format};
use crate::trace::{self, Pick, nearest};
use crate::zones::SystemZones;
use clap::ColorChoice;
use report::{Guest, Report, Totals};
use runs::Runs;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::backtest::Options;
use vmpolicy_core::file::{load, parse_span};
use vmpolicy_core::id::{HostId, IndicatorId};
use vmpolicy_core::time::Span;

const EXAMPLES: &str = "\
Examples:
  vmpolicy backtest policy.yaml --trace week.csv.gz
  vmpolicy backtest policy.yaml --trace week.csv --series web1 --events -
  vmpolicy backtest policy.yaml --trace week.csv --report week.html
  vmpolicy backtest policy.yaml --trace cpu.csv --indicator cpu --at mln3 --move-takes 90s

A trace is CSV, plain or gzip, with the header `timestamp,value` or `series,timestamp,value`; a
timestamp is RFC 3339 or seconds since the epoch. Each series is a guest of its own.

Exit status: 0 done, 1 the policy or the trace can't be used, 2 wrong usage, 3 a file can't be
read or written.";

/// No file that is one has so many names in a message.
const NAMES_MAX: usize = 8;

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The policy file; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The recording; `-` is standard input.
    #[arg(long, value_name = "CSV")]
    pub trace: PathBuf,
    /// Only this series of the recording.
    #[arg(long, value_name = "NAME")]
    pub series: Option<String>,
    /// The indicator that the recording feeds, where the policy has several.
    #[arg(long, value_name = "NAME")]
    pub indicator: Option<String>,
    /// How old a row may be to be read [default: twice the larger of the polling interval and the recording's
    /// median interval].
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub stale: Option<Span>,
    /// Where the guest starts [default: the first host of the ring].
    #[arg(long, value_name = "HOST")]
    pub at: Option<String>,
    /// How long after the asking a move is confirmed.
    #[arg(long, value_name = "SPAN", value_parser = span, default_value = "0s")]
    pub move_takes: Span,
    /// Write every decision to this file, one JSON object a line; `-` is standard output, and no summary.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Write a page with figures to this file: HTML that needs nothing else.
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// How to print the summary.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

fn span(text: &str) -> Result<Span, String> {
    parse_span(text).map_err(str::to_owned)
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    match backtest(args) {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

fn backtest(args: &Args) -> Result<(), Exit> {
    let wrong = |message: String| {
        complain(&message);
        Exit::Usage
    };
    if is_dash(&args.file) && is_dash(&args.trace) {
        return Err(wrong("the policy and the trace can't both be standard input".to_owned()));
    }
    let zones = SystemZones::default();
    let policy = load_policy(&args.file, &zones)?;
    let indicator = indicator(&policy, args.indicator.as_deref()).map_err(wrong)?;
    let at = host(&policy, args.at.as_deref()).map_err(wrong)?;
    let options = Options { at, stale: args.stale, move_takes: args.move_takes, indicator };

    let pick = args.series.as_deref().map_or(Pick::All, Pick::One);
    let traces = trace::read_path(&args.trace, pick).map_err(|error| {
        complain(&format!("{}: {error}", shown(&args.trace)));
        error.exit()
    })?;
    if let Some(events) = &args.events
        && [&args.file, &args.trace].iter().any(|input| is_same(events, input))
    {
        return Err(wrong(format!("{}: the events would overwrite it", shown(events))));
    }
    if let Some(page) = &args.report {
        page::refuse(page, args).map_err(wrong)?;
    }
    let fallback = policy.guest().unwrap_or("guest").to_owned();
    let runs = Runs { policy: &policy, options, series: &traces.series, fallback: &fallback };
    let summaries = match &args.events {
        Some(path) => with_events(path, |to| runs.with_events(to))?,
        None => runs.without_events(),
    };
    let summaries = summaries.map_err(|(guest, error)| {
        complain(&format!("{}: `{guest}`: {error}", shown(&args.trace)));
        Exit::No
    })?;

    let remarks = remarks::of(&policy, indicator, &traces.series, &summaries, &fallback);
    for note in &traces.notes {
        complain(&format!("{}: {note}", shown(&args.trace)));
    }
    for remark in &remarks {
        complain(&remark.to_string());
    }
    let guests: Vec<_> = traces
        .series
        .iter()
        .zip(&summaries)
        .map(|(series, summary)| {
            let (rows, apart) = (series.trace.len(), series.trace.median_interval());
            Guest::new(series.name.as_deref().unwrap_or(&fallback), &policy, rows, apart, summary)
        })
        .collect();
    // A trace without any series is refused by the reader.
    let Some(totals) = Totals::of(&guests) else { return Ok(()) };
    let polled = &policy.indicators()[indicator];
    let report = Report {
        policy: shown(&args.file),
        trace: shown(&args.trace),
        indicator: polled.name.clone(),
        every: polled.every,
        notes: traces.notes,
        remarks,
        guests,
        totals,
    };
    let page = match &args.report {
        Some(path) => {
            let case = page::Case {
                name: &report.policy,
                policy: &policy,
                options,
                totals: &report.totals.figures,
                guests: &report.guests,
            };
            let notes = report.notes.iter().map(ToString::to_string);
            let recording = page::Recording {
                trace: &report.trace,
                series: &traces.series,
                fallback: &fallback,
                notes: notes.chain(report.remarks.iter().map(ToString::to_string)).collect(),
                zones: page::zone_data(&zones),
            };
            Some(page::write(path, &recording, &[case])?)
        }
        None => None,
    };
    if args.events.as_deref().is_some_and(is_dash) {
        return Ok(());
    }
    match args.format {
        Format::Text => print(&text::render(&report)),
        Format::Json => match serde_json::to_string_pretty(&page::With { report: &report, page }) {
            Ok(json) => print(&(json + "\n")),
            Err(error) => {
                complain(&format!("can't print the report: {error}"));
                Err(Exit::Outside)
            }
        },
    }
}

fn load_policy(path: &Path, zones: &SystemZones) -> Result<Arc<Policy>, Exit> {
    let bytes = read(path).map_err(|error| {
        complain(&format!("can't read {}: {error}", shown(path)));
        Exit::Outside
    })?;
    let problems = match load(&bytes, zones) {
        Ok(loaded) => return Ok(Arc::new(loaded.policy)),
        Err(problems) => problems,
    };
    let (file, terminal) = (shown(path), Terminal::of_stdout(ColorChoice::Never));
    let text = Text::new(&file, &bytes);
    for problem in &problems {
        // Where nobody hears it, the exit status still tells.
        let _ = writeln!(io::stderr().lock(), "{}", text.draw(problem, &terminal));
    }
    complain(&format!("{file}: {}", super::check::many(problems.len(), "error")));
    Err(Exit::No)
}

fn indicator(policy: &Policy, wanted: Option<&str>) -> Result<IndicatorId, String> {
    let names: Vec<_> = policy.indicators().rows().iter().map(|one| one.name.clone()).collect();
    match (wanted, names.as_slice()) {
        (_, []) => Err("the policy has no indicator for a trace to feed".to_owned()),
        (Some(name), _) => policy.indicator_named(name).ok_or_else(|| unknown("indicator", name, &names)),
        (None, [_]) => Ok(policy.indicators().ids().next().ok_or("the policy has no indicator")?),
        (None, _) => {
            Err(format!("which indicator does the trace feed? Say --indicator with one of {}", list(&names)))
        }
    }
}

fn host(policy: &Policy, wanted: Option<&str>) -> Result<HostId, String> {
    let Some(name) = wanted else { return Ok(policy.arrays()[policy.home()].first) };
    let names: Vec<_> = policy.hosts().rows().iter().map(|host| host.name.clone()).collect();
    policy.host_named(name).ok_or_else(|| unknown("host", name, &names))
}

fn unknown(what: &str, name: &str, names: &[String]) -> String {
    match nearest(name, names) {
        Some(near) => format!("the policy has no {what} `{name}`; did you mean `{near}`?"),
        None => format!("the policy has no {what} `{name}`; there are {}", list(names)),
    }
}

fn list(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES_MAX).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(NAMES_MAX);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// Writes events to a file or standard output. A reader who has gone has read enough.
fn with_events<T>(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Exit> {
    let outcome = if is_dash(path) {
        let mut to = BufWriter::new(io::stdout().lock());
        write(&mut to).and_then(|done| to.flush().map(|()| done))
    } else {
        File::create(path).and_then(|file| {
            let mut to = BufWriter::new(file);
            write(&mut to).and_then(|done| to.flush().map(|()| done))
        })
    };
    outcome.map_err(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Exit::Done;
        }
        complain(&format!(
            "can't write {}: {error}",
            if is_dash(path) { "standard output".to_owned() } else { shown(path) }
        ));
        Exit::Outside
    })
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| if is_dash(path) { None } else { path.canonicalize().ok() };
    real(one).is_some_and(|one| real(other) == Some(one))
}
