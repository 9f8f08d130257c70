//! A process of the test's own, which ends with it.

use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for what must come, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A process, where there is one now.
#[derive(Default)]
pub(crate) struct Process(Option<Child>);

/// What a process holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holdings {
    /// Memory that no file stands behind, in KiB.
    pub(crate) kib: u64,
    pub(crate) files: usize,
    pub(crate) threads: usize,
}

impl Process {
    /// Takes it over; its pipes, where it has some, are the caller's to take first.
    pub(crate) fn hold(&mut self, child: Child) {
        assert!(self.0.is_none(), "it runs already");
        self.0 = Some(child);
    }

    fn child(&self) -> &Child {
        self.0.as_ref().expect("it was not started")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child().id()
    }

    pub(crate) fn signal(&self, which: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, which).unwrap();
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Waits until it ends; none where it does not.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.0.as_mut().unwrap().try_wait().unwrap() {
                self.0 = None;
                return Some(status);
            }
            thread::sleep(Duration::from_millis(2));
        }
        None
    }

    /// SIGTERM, and its end.
    pub(crate) fn terminate(&mut self) -> Option<ExitStatus> {
        self.signal(Signal::TERM);
        self.ended()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.0.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    pub(crate) fn holdings(&self) -> Holdings {
        let at = |what: &str| format!("/proc/{}/{what}", self.pid());
        let status = std::fs::read_to_string(at("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        let count = |what| std::fs::read_dir(at(what)).unwrap().count();
        Holdings {
            kib: line.split_whitespace().next().unwrap().parse().unwrap(),
            files: count("fd"),
            threads: count("task"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
