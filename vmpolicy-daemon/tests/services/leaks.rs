//! The daemon with every probe at servers that hang, drip and close: hundreds of polls later it has as many
//! threads and open files as before.

use crate::misbehaving::{all, server};
use crate::process::Process;
use crate::run::PATIENCE;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

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
        .arg("--control")
        .arg(folder.path().join("control"))
        .args(["--dry-run", "--records", "/dev/null"])
        .stdin(Stdio::null())
        .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut daemon = Process::default();
    daemon.hold(child);
    let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let wait_for = |daemon: &mut Process, more: usize| {
        let (began, from) = (Instant::now(), polls.load(Ordering::Relaxed));
        while polls.load(Ordering::Relaxed) < from + more {
            assert!(daemon.is_running(), "it ended:\n{}", log());
            assert!(began.elapsed() < PATIENCE, "it polls no more:\n{}", log());
            thread::sleep(Duration::from_millis(20));
        }
    };
    wait_for(&mut daemon, probes * 10);
    let before = daemon.holdings();
    wait_for(&mut daemon, probes * 40);
    let later = daemon.holdings();
    // Besides what is under way: each probe has a connection at most, and one that finds its address.
    assert!(later.threads <= before.threads + probes, "{before:?}, then {later:?}");
    assert!(later.files <= before.files + 2 * probes, "{before:?}, then {later:?}");
    assert!(later.kib < before.kib + 2_048, "{before:?}, then {later:?}");
    let log = log();
    assert!(!log.contains("panicked"), "{log}");
    // Each change is said once, not each poll.
    assert!(log.matches("no reading").count() <= 3 * probes, "{log}");
}
