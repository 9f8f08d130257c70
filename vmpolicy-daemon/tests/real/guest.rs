//! A guest: a folder with a policy, a location, an actuator script, and `vmpolicyd` itself.

use crate::process::{Holdings, PATIENCE, Process};
use rustix::process::Signal;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) struct Guest {
    folder: TempDir,
    process: Process,
    records: Arc<Mutex<Vec<Value>>>,
    log: Arc<Mutex<String>>,
}

impl Guest {
    /// A guest on `mln1`. `policy` is all but the actuator and the locator, which this adds: a script that
    /// writes down what it is asked and then "moves" the guest.
    pub(crate) fn new(policy: &str) -> Self {
        let guest = Self {
            folder: tempfile::tempdir().unwrap(),
            process: Process::default(),
            records: Arc::default(),
            log: Arc::default(),
        };
        guest.write("location", "mln1\n");
        guest.script("");
        guest.policy(policy);
        guest
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        // By renaming, as a locator's file should be.
        std::fs::write(self.path("new"), text).unwrap();
        std::fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    pub(crate) fn policy(&self, policy: &str) {
        let at = |name: &str| self.path(name).display().to_string();
        let mut text = policy.to_owned();
        writeln!(
            text,
            "actuator: {{ exec: {{ argv: [/bin/sh, {}, \"{{guest}}\", \"{{from}}\", \"{{to}}\", \"{{id}}\"], timeout: 10s }} }}",
            at("ask")
        )
        .unwrap();
        writeln!(text, "locator: {{ file: {{ path: {} }}, every: 100ms }}", at("location")).unwrap();
        self.write("policy.yaml", &text);
    }

    /// The actuator, with something done between the asking and the move.
    pub(crate) fn script(&self, between: &str) {
        let at = |name: &str| self.path(name).display().to_string();
        let text = format!(
            "echo \"$*\" >> {}\n{between}\necho \"$3\" > {}\nmv {} {}\n",
            at("asked"),
            at("moving"),
            at("moving"),
            at("location")
        );
        self.write("ask", &text);
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicyd"));
        command.arg("--config").arg(self.path("policy.yaml")).arg("--state").arg(self.path("state"));
        command.arg("--control").arg(self.path("control")).stdin(Stdio::null());
        command
    }

    /// `vmpolicy` with these arguments, told where the daemon's sockets are.
    pub(crate) fn tool(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
        command.args(args).arg("--socket").arg(self.path("control")).stdin(Stdio::null());
        command
    }

    /// What `vmpolicy` says with these arguments: status, standard output and error.
    pub(crate) fn told(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = self.tool(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// What `vmpolicy` says with these arguments, as JSON; none where the daemon can't be reached.
    pub(crate) fn json(&self, args: &[&str]) -> Option<Value> {
        let (status, out, _) = self.told(&[args, &["--format", "json"]].concat());
        (status == Some(0)).then(|| serde_json::from_str(&out).unwrap())
    }

    pub(crate) fn wait_for_sockets(&self) {
        self.wait_for("the sockets", |guest| guest.json(&["status"]).is_some());
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) fn start(&mut self) {
        self.start_as(self.command());
    }

    /// Starts it with its records and log read by the test.
    pub(crate) fn start_as(&mut self, mut command: Command) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (records, out) = (Arc::clone(&self.records), child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let record = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                records.lock().unwrap().push(record);
            }
        });
        self.watch(child);
    }

    /// Starts it with a standard output of the test's own.
    pub(crate) fn start_with(&mut self, stdout: impl Into<Stdio>) {
        let child = self.command().stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        self.watch(child);
    }

    fn watch(&mut self, mut child: Child) {
        let (log, mut err) = (Arc::clone(&self.log), child.stderr.take().unwrap());
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = err.read(&mut buffer) {
                log.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        self.process.hold(child);
    }

    pub(crate) fn signal(&self, which: Signal) {
        self.process.signal(which);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGTERM; how it ended, and after how long.
    pub(crate) fn terminate(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let status = self.process.terminate().expect("vmpolicyd does not end");
        (status, began.elapsed())
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    pub(crate) fn holdings(&self) -> Holdings {
        self.process.holdings()
    }

    pub(crate) fn records(&self) -> Vec<Value> {
        self.records.lock().unwrap().clone()
    }

    /// The records of this event.
    pub(crate) fn events(&self, event: &str) -> Vec<Value> {
        let mut records = self.records();
        records.retain(|record| record["event"] == event);
        records
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn location(&self) -> String {
        std::fs::read_to_string(self.path("location")).unwrap().trim().to_owned()
    }

    /// What the actuator was asked, a line each: guest, from, to, id.
    pub(crate) fn asked(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("asked")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The state on disk as JSON, where there is one.
    pub(crate) fn state(&self) -> Option<Value> {
        let bytes = std::fs::read(self.path("state/state")).ok()?;
        let at = bytes.iter().position(|byte| *byte == b'\n')?;
        serde_json::from_slice(&bytes[at + 1..]).ok()
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(
                began.elapsed() < PATIENCE,
                "waited in vain for {what}\nasked: {:#?}\nlog:\n{}\nrecords: {:#?}",
                self.asked(),
                self.log(),
                self.records()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// No request may be asked twice.
#[track_caller]
pub(crate) fn assert_asked_once(asked: &[String]) {
    let mut ids: Vec<_> = asked.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "a request was asked twice: {asked:#?}");
}

/// A policy over the slow queries of a server.
pub(crate) fn policy(socket: &Path, every: &str, rules: &str, moves: &str) -> String {
    format!(
        "version: 1
guest: nii3
arrays: {{ oslo: {{ hosts: [mln1, mln2, mln3], base: mln4 }} }}
indicators:
  slow_queries:
    probe: {{ mysql: {{ status: Slow_queries, socket: {}, user: root }} }}
    every: {every}
    read: delta
rules:
{rules}moves: {{ {moves} }}
",
        socket.display()
    )
}
