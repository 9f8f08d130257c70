//! A daemon that decides something all the time, in a folder of its own.

use crate::collector::Heard;
pub(crate) use crate::process::PATIENCE;
use crate::process::Process;
use rustix::process::Signal;
use serde_json::Value;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) struct Daemon {
    pub(crate) folder: TempDir,
    process: Process,
    args: Vec<String>,
}

impl Daemon {
    /// Not started yet. These sections join a policy that moves the guest each time it looks.
    pub(crate) fn new(sections: &str) -> Self {
        let daemon =
            Self { folder: tempfile::tempdir().unwrap(), process: Process::default(), args: Vec::new() };
        std::fs::write(daemon.path("value"), "9\n").unwrap();
        daemon.policy(sections);
        daemon
    }

    pub(crate) fn arg(&mut self, arg: impl Into<String>) {
        self.args.push(arg.into());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn at(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    /// Writes the policy with these sections; `@` is the folder.
    pub(crate) fn policy(&self, sections: &str) {
        let text = format!(
            "version: 1\nguest: nii3\narrays: {{ oslo: {{ hosts: [mln1, mln2, mln3] }} }}\nindicators:\n  \
            load: {{ every: 20ms, probe: {{ file: @/value }} }}\n\
            rules: [{{ name: busy, when: load > 1, do: move }}]\n\
            moves: {{ settle: 10ms, at_most: 1000 per 1s, tour: keep-going }}\n\
            locator: {{ assume: mln1 }}\n{sections}\n"
        );
        let text = text.replace('@', &self.folder.path().display().to_string());
        std::fs::write(self.path("policy.yaml"), text).unwrap();
    }

    pub(crate) fn start(&mut self) {
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let out = File::options().create(true).append(true).open(self.path("out")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_vmpolicyd"))
            .arg("--config")
            .arg(self.path("policy.yaml"))
            .arg("--state")
            .arg(self.path("state"))
            .arg("--control")
            .arg(self.path("control"))
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(log)
            .spawn()
            .unwrap();
        self.process.hold(child);
    }

    pub(crate) fn signal(&self, which: Signal) {
        self.process.signal(which);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Waits until it ends.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.process.ended().unwrap_or_else(|| panic!("it does not end:\n{}", self.text("log")))
    }

    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// The guest is content: nothing more is decided.
    pub(crate) fn rest(&self) {
        std::fs::write(self.path("new"), "0\n").unwrap();
        std::fs::rename(self.path("new"), self.path("value")).unwrap();
    }

    /// `vmpolicy` with these arguments; what it says as JSON, where it could.
    pub(crate) fn asked(&self, words: &[&str]) -> Option<Value> {
        let output = Command::new(env!("CARGO_BIN_EXE_vmpolicy"))
            .args(words)
            .args(["--format", "json", "--socket"])
            .arg(self.path("control"))
            .output()
            .unwrap();
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    pub(crate) fn status(&self) -> Option<Value> {
        self.asked(&["status"])
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !so(self) {
            let status = self.status();
            assert!(
                began.elapsed() < PATIENCE,
                "waited in vain for {what}\n{status:#?}\n{}",
                self.text("log")
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until nothing more is decided and the first collector has everything. On a busy machine a poll may be late
    /// after that, and recorded.
    #[track_caller]
    pub(crate) fn drain(&self) {
        self.rest();
        let mut before = None;
        self.wait_for("the last record", |daemon| {
            let Some(status) = daemon.status() else { return false };
            let one = &status["collectors"][0];
            let now = (status["indicators"][0]["value"] == 0, one["delivered"].clone(), one["waiting"] == 0);
            let same = now.0 && now.2 && before.as_ref() == Some(&now);
            before = Some(now);
            same
        });
    }

    /// Waits until what has been heard, in order and without a gap, is what the file has.
    #[track_caller]
    pub(crate) fn wait_for_all_at(&self, heard: &Heard) {
        self.wait_for("the same in the file and at the collector", |daemon| {
            heard.records() == records(&daemon.text("records"))
        });
    }
}

/// The records of lines. The last one may be on its way.
pub(crate) fn records(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
