//! A guest in a folder of its own: a policy with a queue, the daemon, and a program that writes down what it runs.

pub(crate) use crate::process::PATIENCE;
use crate::process::Process;
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) struct Guest {
    pub(crate) folder: TempDir,
    process: Process,
}

/// A policy with one queue, whose source and `run` are these.
pub(crate) fn policy(source: &str, run: &str) -> String {
    format!(
        "version: 1
guest: g
arrays: {{ a: {{ hosts: [h, i] }} }}
queues:
  jobs:
    source: {{ {source} }}
    every: 50ms
    classes: {{ big: {{}}, small: {{}} }}
    grade: {{ patterns: {{ big: \"big*\", small: \"*\" }} }}
    run: {{ {run} }}
rules:
  - {{ name: never, when: 'count(jobs, \"big\") >= 1000', do: move }}
actuator: {{ exec: {{ argv: [/bin/true] }} }}
locator: {{ assume: h }}
"
    )
}

impl Guest {
    /// A guest with a folder `queue` to work at. `script` is the program of its jobs, run by a shell with the job's name
    /// and path; `more` is what else `run` says.
    pub(crate) fn new(script: &str, more: &str) -> Self {
        let guest = Self { folder: tempfile::tempdir().unwrap(), process: Process::default() };
        fs::create_dir_all(guest.path("queue/incoming")).unwrap();
        guest.script(script);
        let source = format!("directory: {}", guest.path("queue").display());
        guest.policy(&policy(&source, &guest.runs(more)));
        guest
    }

    /// `run` as its program and its output are.
    pub(crate) fn runs(&self, more: &str) -> String {
        let (job, out) = (self.path("job"), self.path("out"));
        format!(
            "argv: [/bin/sh, \"{}\", \"{{name}}\", \"{{job}}\", \"{{class}}\"], output: \"{}\"{more}",
            job.display(),
            out.display()
        )
    }

    pub(crate) fn script(&self, script: &str) {
        let words = format!("cd \"{}\"\n{script}\n", self.folder.path().display());
        self.write("job", &words);
    }

    pub(crate) fn policy(&self, text: &str) {
        self.write("policy.yaml", text);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path("new"), text).unwrap();
        fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    /// Puts a batch into the queue, whole.
    pub(crate) fn batch(&self, name: &str, jobs: &[&str]) {
        let hidden = self.path("queue/incoming").join(format!(".{name}"));
        fs::create_dir(&hidden).unwrap();
        for job in jobs {
            fs::write(hidden.join(job), format!("this is {job}\n")).unwrap();
        }
        fs::rename(hidden, self.path("queue/incoming").join(name)).unwrap();
    }

    /// `BATCH/JOB` of all that is in a place of the queue.
    pub(crate) fn at(&self, place: &str) -> Vec<String> {
        let entries = |path: &Path| -> Vec<String> {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
        };
        let folder = self.path("queue").join(place);
        let mut all = Vec::new();
        for batch in entries(&folder) {
            all.extend(entries(&folder.join(&batch)).into_iter().map(|job| format!("{batch}/{job}")));
        }
        all.sort_unstable();
        all
    }

    pub(crate) fn start(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicyd"));
        for (option, name) in [
            ("--config", "policy.yaml"),
            ("--state", "state"),
            ("--control", "control"),
            ("--records", "records"),
        ] {
            command.arg(option).arg(self.path(name));
        }
        self.process.hold(command.stdin(Stdio::null()).stderr(log).spawn().unwrap());
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGTERM; for how long it then lived on.
    pub(crate) fn terminate(&mut self) -> Duration {
        let began = Instant::now();
        let ended = self.process.terminate();
        assert!(ended.is_some_and(|status| status.success()), "{}", self.log());
        began.elapsed()
    }

    pub(crate) fn log(&self) -> String {
        self.text("log")
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        self.text(name).lines().map(str::to_owned).collect()
    }

    /// The records of this event.
    pub(crate) fn events(&self, event: &str) -> Vec<serde_json::Value> {
        let text = self.text("records");
        let records = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        records.filter(|record| record["event"] == event).collect()
    }

    /// What became of a job, as it is written beside its output.
    pub(crate) fn result(&self, job: &str) -> serde_json::Value {
        serde_json::from_str(&self.text(&format!("out/{job}.json"))).unwrap()
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !so(self) {
            assert!(
                began.elapsed() < PATIENCE,
                "waited in vain for {what}\nran:\n{}\nlog:\n{}\nrecords:\n{}",
                self.text("ran"),
                self.log(),
                self.text("records")
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Whether a process is there and more than a zombie.
pub(crate) fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}
