//! Hooks: programs that are run when the guest is on another host than before, and before a move is asked for.

mod arrival;
mod leaving;

pub use arrival::{Arrivals, PLACE};
pub use leaving::before_leaving;

use crate::argv::filled;
use crate::process::{RunError, run};
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};
use vmpolicy_core::file::HookSpec;
use vmpolicy_core::id::RequestId;
use vmpolicy_core::input::{Hook, HookEnd};

/// What a hook's program is told. Where something is not known, it is told nothing in its place.
#[derive(Clone, Copy, Debug)]
struct Told<'a> {
    guest: &'a str,
    from: &'a str,
    to: &'a str,
    id: &'a str,
    /// Where the guest is while the hook runs.
    host: &'a str,
}

/// A hook that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Which one.
    pub hook: Hook,
    /// The request that it was run for, if there was one.
    pub id: Option<RequestId>,
    /// Where the guest was.
    pub host: String,
    /// How it ended.
    pub ended: HookEnd,
    /// How long it took.
    pub took: Duration,
}

/// Runs a hook to its end; at its limit it is killed, and all of its process group with it.
fn carry_out(hook: Hook, spec: &HookSpec, told: Told<'_>, id: Option<RequestId>) -> Ran {
    let Told { guest, from, to, id: name, host } = told;
    let values = [("guest", guest), ("from", from), ("to", to), ("id", name), ("host", host)];
    let argv: Vec<String> = spec.argv.iter().map(|argument| filled(argument, &values)).collect();
    let began = Instant::now();
    let ran = run(&argv, Duration::from_millis(spec.timeout.millis()));
    let took = began.elapsed();
    let (ended, words) = match ran {
        Ok(finished) => {
            let ended = match (finished.status.code(), finished.status.signal()) {
                (Some(status), _) => HookEnd::Exit(status),
                (None, Some(signal)) => HookEnd::Signal(signal),
                (None, None) => HookEnd::Lost,
            };
            (ended, format!("{}: {}", finished.status, finished.complaint))
        }
        Err(error) => {
            let ended = match &error {
                RunError::Spawn { .. } => HookEnd::NotStarted,
                RunError::TimedOut(_) => HookEnd::TimedOut,
                RunError::Lost(_) => HookEnd::Lost,
            };
            (ended, error.to_string())
        }
    };
    if !ended.is_well() {
        tracing::warn!("the hook {} went wrong: {words}", hook.name());
    }
    Ran { hook, id, host: host.to_owned(), ended, took }
}
