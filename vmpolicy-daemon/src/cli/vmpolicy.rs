//! `vmpolicy`: the operator's tool.

use super::daemon::{history, operate, status, watch, why};
use super::terminal::answer;
use super::{Exit, backtest, check, completions, demo, explain, merge, replay, simulate, test, tune, verify};
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  vmpolicy demo                      see a policy decide, on this machine, in a minute
  vmpolicy check policy.yaml         every error and warning of a policy file
  vmpolicy explain policy.yaml       what it means, in plain sentences
  vmpolicy backtest policy.yaml --trace week.csv
                                     what it would have done on a recording
  vmpolicy simulate scenario.yaml    what guests, hosts and faults of a world come to
  vmpolicy tune policy.yaml --trace week.csv
                                     which thresholds and tarries would have done better
  vmpolicy test policy-test.yaml     whether it does what its tests expect
  vmpolicy verify policy.yaml --expect expect.yaml
                                     whether it keeps what you expect in random worlds
  vmpolicy status                    how the daemon on this machine stands; `why`, `history`, `watch`
  vmpolicy hold 2h                   no move for two hours; `resume`, `move`, `reload`
  vmpolicy replay inputs.jsonl       every decision of a daemon, made again from what it saw

Exit status: 0 done, 1 the answer is no (a file has errors, a check failed), 2 wrong usage,
3 something outside failed (an unreadable file, an unreachable service).";

/// Checks, explains and tries out policies by which a virtual machine decides where it runs, and speaks with its daemon.
#[derive(Debug, Parser)]
#[command(name = "vmpolicy", version, disable_help_subcommand = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands. Each has a file beside this one, with its arguments and a `run`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Shows a policy at work on this machine's own load; takes about a minute.
    Demo(demo::Args),
    /// Shows every error and warning of policy files and scenarios.
    Check(check::Args),
    /// Says in plain sentences what a policy does, with a week of its windows.
    Explain(explain::Args),
    /// Says what policies would have done on a recording.
    Backtest(Box<backtest::Args>),
    /// Runs guests, hosts, loads and faults of a scenario in one deterministic world.
    Simulate(Box<simulate::Args>),
    /// Searches better thresholds, tarries, settling times and dwells on recordings.
    Tune(Box<tune::Args>),
    /// Joins the results of `--shard` runs.
    Merge(merge::Args),
    /// Runs unit tests of policies: given these readings, these decisions.
    Test(test::Args),
    /// Tries a policy in random worlds with faults, against what must never happen and what you expect.
    Verify(Box<verify::Args>),
    /// Says how the running daemon stands: host, mode, policy, indicators, request.
    Status(status::Args),
    /// Says what each rule waits for, and what speaks against each host.
    Why(why::Args),
    /// Shows the last decisions of the running daemon.
    History(history::Args),
    /// Shows the running daemon at work, on one screen.
    Watch(watch::Args),
    /// Has the running daemon ask for no move, for a while or until `resume`.
    Hold(operate::HoldArgs),
    /// Lets the running daemon go on after a hold.
    Resume(operate::ResumeArgs),
    /// Has the running daemon ask for a move to this host, whatever its rules say.
    Move(operate::MoveArgs),
    /// Has the running daemon read its policy file again, and says what came of it.
    Reload(operate::ReloadArgs),
    /// Makes every decision of a daemon again from its recorded inputs: the same records, byte for byte?
    Replay(replay::Args),
    /// Prints a script that completes these commands in a shell.
    Completions(completions::Args),
    /// Writes the man pages into a folder.
    #[cfg(feature = "manual")]
    #[command(hide = true)]
    Manual(super::manual::Args),
}

/// The whole program.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Cli::try_parse_from(args) {
        Ok(cli) => run(cli.command).into(),
        Err(error) => answer(&error, "vmpolicy").into(),
    }
}

fn run(command: Command) -> Exit {
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Backtest(args) => backtest::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Tune(args) => tune::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Why(args) => why::run(&args),
        Command::History(args) => history::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Hold(args) => operate::hold(&args),
        Command::Resume(args) => operate::resume(&args),
        Command::Move(args) => operate::go(&args),
        Command::Reload(args) => operate::reload(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Completions(args) => completions::run(&args),
        #[cfg(feature = "manual")]
        Command::Manual(args) => super::manual::run(&args),
    }
}
