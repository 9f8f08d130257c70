//! The built `vmpolicyd`, killed before each call of its write path, or told that it failed: a preloaded library counts them.

use crate::guest::{Guest, assert_asked_once};
use crate::preload::library;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many daemons run at a time: they mostly wait.
const AT_A_TIME: usize = 6;

/// A guest under constant overload, whose manager notices what it is asked while it is busy.
fn guest() -> Guest {
    let guest = Guest::new("");
    guest.write("value", "9");
    guest.policy(&format!(
        "version: 1
guest: nii3
arrays: {{ oslo: {{ hosts: [mln1, mln2, mln3], base: mln4 }} }}
indicators: {{ x: {{ probe: {{ file: {} }}, every: 100ms }} }}
rules: [{{ name: overloaded, when: x > 5, tarry: 2, do: move }}]
moves: {{ settle: 50ms, confirm_within: 4s, bar: 50ms, at_most: 1000 per 1h, tour: keep-going }}
",
        guest.path("value").display()
    ));
    let at = |name: &str| guest.path(name).display().to_string();
    guest.script(&format!(
        "mkdir {0} || echo \"$4\" >> {1}\nsleep 0.2\nrmdir {0}",
        at("busy"),
        at("beside-another")
    ));
    guest
}

fn start(guest: &mut Guest, shim: Option<(&Path, usize, Option<i32>)>) {
    let mut command = guest.command();
    command.arg("--records").arg(guest.path("records"));
    if let Some((library, at, errno)) = shim {
        command
            .env("LD_PRELOAD", library)
            .env("SHIM_AT", at.to_string())
            .env("SHIM_LOG", guest.path("calls"));
        if let Some(errno) = errno {
            command.env("SHIM_ERRNO", errno.to_string());
        }
    }
    guest.start_as(command);
}

#[track_caller]
fn assert_sound(guest: &Guest, what: &dyn std::fmt::Debug) {
    let asked = guest.asked();
    assert_asked_once(&asked);
    assert!(
        !guest.path("beside-another").exists(),
        "{what:?}: asked beside another: {asked:?}\n{}",
        guest.log()
    );
    assert!(!guest.log().contains("panicked"), "{what:?}: {}", guest.log());
    let records = std::fs::read_to_string(guest.path("records")).unwrap();
    for line in asked {
        let id: u64 = line.rsplit('-').next().unwrap().parse().unwrap();
        let has_it = records
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .any(|record| record["event"] == "request" && record["id"] == id);
        assert!(has_it, "{what:?}: request {id} has no record:\n{records}");
    }
}

/// Runs with the call made the last, or failing; false where the run was through before it came to that.
fn disturbed(library: &Path, at: usize, errno: Option<i32>, calls: &dyn Fn(&str)) -> bool {
    let what = (at, errno);
    let mut guest = guest();
    start(&mut guest, Some((library, at, errno)));
    let began = std::time::Instant::now();
    while guest.is_running() && guest.asked().len() < 3 && began.elapsed().as_secs() < 60 {
        thread::sleep(std::time::Duration::from_millis(10));
    }
    let log = std::fs::read_to_string(guest.path("calls")).unwrap_or_default();
    let reached = log.lines().count() >= at;
    if let Some(call) = log.lines().nth(at - 1) {
        calls(call);
    }
    // Killed, or it could not begin; or it went on.
    guest.kill();
    let before = guest.asked().len();
    start(&mut guest, None);
    guest.wait_for("more moves", |guest| guest.asked().len() >= before + 2);
    guest.kill();
    assert_sound(&guest, &what);
    reached
}

fn every_call(errno: Option<i32>, step: usize) {
    let folder = tempfile::tempdir().unwrap();
    let library = library(&folder, "shim.c");
    let (next, calls) = (AtomicUsize::new(1), std::sync::Mutex::new(BTreeMap::<String, usize>::new()));
    let through = AtomicUsize::new(usize::MAX);
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(step, Ordering::Relaxed);
                    if at > through.load(Ordering::Relaxed) {
                        return;
                    }
                    let count = |call: &str| *calls.lock().unwrap().entry(call.to_owned()).or_default() += 1;
                    if !disturbed(&library, at, errno, &count) {
                        through.fetch_min(at, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let calls = calls.into_inner().unwrap();
    println!("errno {errno:?}: {calls:?}");
    for call in ["open", "write", "fsync", "fdatasync", "rename"] {
        assert!(calls.contains_key(call) || step > 1, "{call} was never hit: {calls:?}");
    }
    assert!(calls.values().sum::<usize>() >= 30 / step, "{calls:?}");
}

#[test]
fn vmpolicyd_is_killed_before_each_call() {
    every_call(None, 1);
}

#[test]
fn each_call_of_vmpolicyd_finds_a_full_disk() {
    every_call(Some(28), 3);
}

#[test]
fn each_call_of_vmpolicyd_finds_a_broken_disk() {
    every_call(Some(5), 3);
}
