//! `vmpolicy test`: unit tests of policies.

mod failure;
mod junit;
mod ran;
mod report;
mod table;
mod words;

use super::outputs;
use super::terminal::{Terminal, complain, print, print_json};
use super::{Exit, Format};
use crate::zones::SystemZones;
use clap::ColorChoice;
use ran::Ran;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  vmpolicy test policy-test.yaml
  vmpolicy test --filter idle tests/*.yaml
  vmpolicy test --format json policy-test.yaml
  vmpolicy test --junit results.xml tests/*.yaml

A test file names a policy and says, by time, what its probes read and what is expected:

  version: 1
  policy: policy.yaml
  tests:
    - name: three slow minutes in a row
      readings: { slow_queries: 0 +76x3 }
      expect: [{ at: 3m, event: request, rule: overloaded, to: mln2 }]

Exit status: 0 all passed, 1 a test failed or a file has errors, 2 wrong usage, 3 a file can't be
read or written. The other files are still tested; the greatest number counts.";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Test files; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Only the tests whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// How to print what came of them.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Write the results to this file too, as JUnit XML, which most CI servers show.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Whether to colour.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    match test(args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn test(args: &Args) -> Result<Exit, Exit> {
    let junit = args.junit.as_deref();
    outputs::check(&[(junit, "results")], args.files.iter().map(PathBuf::as_path))?;
    outputs::attempt(junit)?;
    let zones = SystemZones::default();
    let terminal = Terminal::of_stdout(args.color);
    let mut files = Vec::new();
    for path in &args.files {
        let ran = Ran::of(path, args.filter.as_deref(), &zones);
        // A test file names policies, which are no less worth keeping.
        outputs::check(&[(junit, "results")], ran.policies.iter().map(PathBuf::as_path))?;
        if args.format == Format::Text {
            print(&failure::render(&ran, &terminal))?;
        }
        files.push(ran);
    }
    let exit = files.iter().map(Ran::exit).max().unwrap_or(Exit::Done);
    match args.format {
        Format::Text => print(&failure::summary(&files))?,
        Format::Json => print_json(serde_json::to_string_pretty(&report::Report::of(&files)))?,
    }
    if let Some(path) = junit {
        outputs::save(path, &junit::render(&files))?;
    }
    // A filter that matches nothing would look like a success for ever.
    if let Some(filter) = &args.filter
        && exit == Exit::Done
        && files.iter().all(|file| file.tests().next().is_none())
    {
        complain(&format!("no test has `{filter}` in its name"));
        return Err(Exit::Usage);
    }
    Ok(exit)
}
