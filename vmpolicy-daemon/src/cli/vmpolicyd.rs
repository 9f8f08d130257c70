//! `vmpolicyd`: the guest daemon's command line.

use super::Exit;
use super::terminal::answer;
use crate::agent::Event;
use crate::config::ConfigError;
use crate::control::default_dir;
use crate::daemon::{DaemonError, Options, serve};
use crate::queue::helper::{self, HELPER};
use crate::store::DEFAULT_DIR;
use clap::Parser;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Decides where this virtual machine runs, and asks for its moves.
///
/// Reads the indicators that the policy file names, decides by its rules, writes down each decision with
/// its reasons, and asks for the moves. Runs in the foreground until SIGTERM or SIGINT; SIGHUP has it read
/// the policy file again, which is taken whole or not at all.
#[derive(Debug, Parser)]
#[command(name = "vmpolicyd", version, after_help = EXAMPLES)]
pub struct Cli {
    /// The policy file, or a folder with a vmpolicy.yaml. The files *.yaml in the folder conf.d beside it are a
    /// part of it.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Decide and record, ask for nothing. Moves are believed to take place, so that more than the first
    /// decision is seen; each record says `"dry_run":true`. The state has a file of its own.
    #[arg(long)]
    pub dry_run: bool,

    /// The folder of the state, which outlives the daemon [default: $STATE_DIRECTORY, else
    /// /var/lib/vmpolicy].
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// The folder of the control sockets, at which `vmpolicy status` and the like ask [default:
    /// $RUNTIME_DIRECTORY, else /run/vmpolicy].
    #[arg(long, value_name = "DIR")]
    pub control: Option<PathBuf>,

    /// Where the records go beside the places that the policy file names under `records`, one JSON object a line: a
    /// file that is appended to, or `-` for standard output [default: none, and `-` where the policy file names none].
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,

    /// Keeps every input in this file, too, so that `vmpolicy replay` can make every decision again. It grows by
    /// some hundred bytes a poll; a file that is moved away is begun anew.
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  vmpolicyd --config /etc/vmpolicy/vmpolicy.yaml
  vmpolicyd --config vmpolicy.yaml --dry-run --state ./state --control ./control | jq .event

Environment:
  STATE_DIRECTORY          the folder of the state, as systemd sets it
  RUNTIME_DIRECTORY        the folder of the control sockets, as systemd sets it
  VMPOLICY_MYSQL_USER      the user of `mysql` probes without `user`
  VMPOLICY_MYSQL_PASSWORD  the password of `mysql` probes without `password_file`

Exit status: 0 ended by a signal, 1 the policy file has errors, 2 wrong usage, 3 something outside failed.";

/// The whole program.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args = args.into_iter().peekable();
    let program = args.next();
    if args.peek().is_some_and(|first| first == HELPER) {
        return helper::main();
    }
    let args = program.into_iter().chain(args);
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return answer(&error, "vmpolicyd").into(),
    };
    log_to_stderr();
    keep_memory_private();
    let options = Options {
        config: cli.config,
        dry_run: cli.dry_run,
        state: cli.state.unwrap_or_else(state_dir),
        control: cli.control.unwrap_or_else(default_dir),
        records: cli.records,
        inputs: cli.inputs,
    };
    let (sender, events) = channel();
    let ended = match forward_signals(sender.clone()) {
        Ok(()) => serve(&options, sender, &events),
        Err(error) => {
            complain(&format!("can't listen to signals: {error}"));
            return Exit::Outside.into();
        }
    };
    match ended {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            complain(&error.to_string());
            exit_of(&error).into()
        }
    }
}

const fn exit_of(error: &DaemonError) -> Exit {
    match error {
        DaemonError::Config(ConfigError::Unsound { .. }) => Exit::No,
        _ => Exit::Outside,
    }
}

fn complain(words: &str) {
    // Where nobody hears it the exit status still says so.
    let _ = writeln!(io::stderr(), "vmpolicyd: {words}");
}

/// systemd may name several folders; the first is ours.
fn state_dir() -> PathBuf {
    let named = std::env::var_os("STATE_DIRECTORY").filter(|dirs| !dirs.is_empty());
    let first = named.and_then(|dirs| std::env::split_paths(&dirs).next());
    first.unwrap_or_else(|| DEFAULT_DIR.into())
}

/// No dump of its memory, which holds secrets, and none of it for what else runs as its user: programs that it starts
/// and jobs among them. They get their own memory back to do with as they like.
fn keep_memory_private() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!("a crash may write secrets to a core file: {error}");
    }
}

fn log_to_stderr() {
    // There is a subscriber already where a test has set one.
    let _ = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .try_init();
}

/// Turns signals into events. From here on none of them ends the program by itself.
fn forward_signals(events: Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let event = if signal == SIGHUP { Event::Reload } else { Event::Stop };
            if events.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["vmpolicyd"]).is_err());
        let cli = Cli::try_parse_from(["vmpolicyd", "--config", "x", "--dry-run"]).unwrap();
        assert!(cli.dry_run && cli.records.is_none());
    }
}
