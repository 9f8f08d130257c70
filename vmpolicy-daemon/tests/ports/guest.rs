//! A guest: a folder with a policy over a file's number, and `vmpolicyd` itself.

pub(crate) use crate::process::PATIENCE;
use crate::process::Process;
use rustix::process::Signal;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) struct Guest {
    folder: TempDir,
    process: Process,
}

impl Guest {
    /// A guest `nii3` that wants to move while the number in its file `load` is above 5. `ports` are the sections of the
    /// policy file that say how; `{dir}` in them is its folder.
    pub(crate) fn new(moves: &str, ports: &str) -> Self {
        let guest = Self { folder: tempfile::tempdir().unwrap(), process: Process::default() };
        guest.load(0);
        guest.policy(moves, ports);
        guest
    }

    pub(crate) fn policy(&self, moves: &str, ports: &str) {
        let dir = self.folder.path().display().to_string();
        let text = format!(
            "version: 1\nguest: nii3\narrays: {{ oslo: {{ hosts: [mln1, mln2, mln3] }} }}\n\
            indicators: {{ load: {{ every: 100ms, probe: {{ file: {dir}/load }} }} }}\n\
            rules: [{{ name: overloaded, when: load > 5, tarry: 2, do: move }}]\n\
            moves: {{ {moves} }}\n{}",
            ports.replace("{dir}", &dir)
        );
        self.write("policy.yaml", &text);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// By renaming, so that nobody reads half of it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        put(&self.path(name), text);
    }

    pub(crate) fn load(&self, number: u32) {
        self.write("load", &format!("{number}\n"));
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(crate) fn start(&mut self) {
        let command = Command::new(env!("CARGO_BIN_EXE_vmpolicyd"));
        self.start_by(command);
    }

    /// Starts it by a command that ends in the daemon's program.
    pub(crate) fn start_by(&mut self, mut command: Command) {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        command.arg("--config").arg(self.path("policy.yaml")).arg("--state").arg(self.path("state"));
        command.arg("--control").arg(self.path("control")).arg("--records").arg(self.path("records"));
        command
            .arg("--inputs")
            .arg(self.path("inputs"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.process.hold(command.spawn().unwrap());
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) fn signal(&self, which: Signal) {
        self.process.signal(which);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGTERM, and its end.
    pub(crate) fn terminate(&mut self) {
        let ended = self.process.terminate();
        assert!(ended.is_some_and(|status| status.success()), "{}", self.log());
    }

    pub(crate) fn records(&self) -> Vec<Value> {
        // The last line may be on its way.
        self.read("records").lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The records of this event.
    pub(crate) fn events(&self, event: &str) -> Vec<Value> {
        let mut records = self.records();
        records.retain(|record| record["event"] == event);
        records
    }

    pub(crate) fn log(&self) -> String {
        self.read("log")
    }

    /// What `vmpolicy` says with these arguments.
    pub(crate) fn tool(&self, args: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
        let output = command.args(args).stdin(Stdio::null()).output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    /// Every record comes again from the inputs, byte for byte.
    #[track_caller]
    pub(crate) fn assert_replays(&self) {
        let said = self.tool(&["replay", &self.path("inputs").display().to_string(), "--format", "json"]);
        let replayed: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        assert!(replayed["differs"].is_null(), "{said}");
        assert_eq!(replayed["records"], self.records().len(), "{said}");
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(
                began.elapsed() < PATIENCE,
                "waited in vain for {what}\nlog:\n{}\nrecords:\n{}",
                self.log(),
                self.read("records")
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Writes a file by renaming.
pub(crate) fn put(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, path).unwrap();
}
