//! The program, and what it says.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where the scenarios are that the docs show.
pub(crate) fn scenarios() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/scenarios")
}

/// `vmpolicy`, in that folder.
pub(crate) fn vmpolicy(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
    command.current_dir(scenarios()).args(args).stdin(Stdio::null());
    command
}

/// Runs a command, expects this exit status, and gives standard output and standard error.
pub(crate) fn told(mut command: Command, status: i32) -> (String, String) {
    let output = command.output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{command:?}\n{out}\n{err}");
    (out, err)
}

/// What `simulate` with these arguments prints.
pub(crate) fn simulate(args: &[&str]) -> String {
    let (out, err) = told(vmpolicy(&[&["simulate"], args].concat()), 0);
    assert_eq!(err, "", "{args:?}");
    out
}

pub(crate) fn json(args: &[&str]) -> Value {
    serde_json::from_str(&simulate(&[args, &["--format", "json"]].concat())).unwrap()
}

/// A line of `--events`.
pub(crate) struct Event {
    /// Seconds since the epoch.
    pub(crate) at_s: f64,
    pub(crate) says: Value,
}

impl Event {
    pub(crate) fn of(line: &str) -> Self {
        let says: Value = serde_json::from_str(line).unwrap();
        let at: jiff::Timestamp = says["at"].as_str().unwrap().parse().unwrap();
        Self { at_s: at.as_millisecond() as f64 / 1_000.0, says }
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.says[key].as_str().unwrap_or_default()
    }
}

/// The records of one kind.
pub(crate) fn events(scenario: &str, kind: &str) -> Vec<Event> {
    let lines = simulate(&[scenario, "--events", "-"]);
    let all = lines.lines().map(Event::of);
    all.filter(|event| event.text("event") == kind).collect()
}
