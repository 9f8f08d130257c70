//! The daemon with every probe at servers that hang, drip and close: hundreds of polls later it has as many
//! threads and open files as before.

use crate::misbehaving::{all, server};
use crate::run::PATIENCE;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Daemon {
    fn count(&self, what: &str) -> usize {
        std::fs::read_dir(format!("/proc/{}/{what}", self.0.id())).unwrap().count()
    }

    /// Resident memory, in KiB.
    fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

#[test]
fn polls_that_fail_leave_nothing_behind() {
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = |treat: fn(std::net::TcpStream)| {
        let polls = Arc::clone(&polls);
        server(move |client| {
            polls.fetch_add(1, Ordering::Relaxed);
            treat(client);
        })
    };
    let ports = [
        counted(drop),
        counted(|client| {
            thread::sleep(Duration::from_millis(300));
            drop(client);
        }),
        counted(|mut client| {
            while client.write_all(b"HTTP/1.1 200 OK\r\nX: x\r\n").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        }),
    ];
    let mut policy = "version: 1\nguest: g\narrays: { a: { hosts: [h, i] } }\nindicators:\n".to_owned();
    let mut probes = 0;
    for port in ports {
        for (name, written) in all(port) {
            let written = written.replace("400ms", "60ms").replace("127.0.0.1", "localhost");
            writeln!(policy, "  {name}-{probes}: {{ every: 100ms, probe: {{ {written} }} }}").unwrap();
            probes += 1;
        }
    }
    policy.push_str("rules: [{ name: r, when: http-3 > 1, do: move }]\n");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_vmpolicyd"))
        .arg("--config")
        .arg(folder.path().join("policy.yaml"))
        .arg("--state")
        .arg(folder.path().join("state"))
        .args(["--dry-run", "--records", "/dev/null"])
        .stdin(Stdio::null())
        .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut daemon = Daemon(child);
    let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let wait_for = |daemon: &mut Daemon, more: usize| {
        let (began, from) = (Instant::now(), polls.load(Ordering::Relaxed));
        while polls.load(Ordering::Relaxed) < from + more {
            assert!(daemon.0.try_wait().unwrap().is_none(), "it ended:\n{}", log());
            assert!(began.elapsed() < PATIENCE, "it polls no more:\n{}", log());
            thread::sleep(Duration::from_millis(20));
        }
    };
    wait_for(&mut daemon, probes * 10);
    let threads = daemon.count("task");
    // Without what is under way: each probe has a connection at most, and one that finds its address.
    let files = daemon.count("fd");
    let memory = daemon.memory();
    wait_for(&mut daemon, probes * 40);
    let (later_threads, later_files) = (daemon.count("task"), daemon.count("fd"));
    assert!(later_threads <= threads + probes, "{threads} threads, then {later_threads}");
    assert!(later_files <= files + 2 * probes, "{files} files, then {later_files}");
    let later_memory = daemon.memory();
    assert!(later_memory < memory + 2_048, "{memory} KiB, then {later_memory}");
    let log = log();
    assert!(!log.contains("panicked"), "{log}");
    // Each change is said once, not each poll.
    assert!(log.matches("no reading").count() <= 3 * probes, "{log}");
}
