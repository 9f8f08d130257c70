//! `vmpolicyd`: the guest daemon's command line.

pub mod args;
pub mod described;

use super::Exit;
use crate::agent::Event;
use crate::config::ConfigError;
use crate::control::default_dir;
use crate::daemon::{DaemonError, Options, serve};
use crate::memory::GiveBack;
use crate::queue::helper::{self, HELPER};
use crate::store::DEFAULT_DIR;
use args::{Args, Instead};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// The whole program. With `give_back` it gives memory back that only its beginning needed.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>, give_back: Option<GiveBack>) -> ExitCode {
    let mut args = args.into_iter().peekable();
    let program = args.next();
    if args.peek().is_some_and(|first| first == HELPER) {
        return helper::main();
    }
    let args = match Args::read(program.into_iter().chain(args)) {
        Ok(args) => args,
        Err(instead) => return answer(&instead).into(),
    };
    crate::log::to_stderr();
    keep_memory_private();
    let options = Options {
        config: args.config,
        dry_run: args.dry_run,
        state: args.state.unwrap_or_else(state_dir),
        control: args.control.unwrap_or_else(default_dir),
        records: args.records,
        inputs: args.inputs,
        give_back,
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

/// Says what is to be said in place of running.
fn answer(instead: &Instead) -> Exit {
    match instead {
        Instead::Wrong(why) => {
            complain(&format!("{why}; `vmpolicyd --help` tells more"));
            Exit::Usage
        }
        Instead::Say(text) => match super::stdout::write(text) {
            Ok(_) => Exit::Done,
            Err(error) => {
                complain(&format!("can't write to standard output: {error}"));
                Exit::Outside
            }
        },
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
