//! The clocks of the built `vmpolicyd`, set while it runs: the wall clock by a preloaded library, the monotonic clock by a time namespace.

use crate::guest::{Guest, assert_asked_once};
use crate::polls::{Needs, assert_replays, moves_rest_on_polls};
use crate::preload::library;
use jiff::Timestamp;
use rustix::process::Signal;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Seconds that no machine has been up for.
const UPTIME: &str = "10000000";

/// A guest under constant overload, with a wall clock of its own.
struct Clocked {
    guest: Guest,
    ahead: File,
    folder: TempDir,
}

impl Clocked {
    fn new(when: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ahead = File::options().create_new(true).write(true).open(folder.path().join("ahead"));
        let guest = Guest::new("");
        guest.write("value", "9");
        guest.policy(&format!(
            "version: 1
guest: nii3
arrays: {{ oslo: {{ hosts: [mln1, mln2, mln3], base: mln4 }} }}
indicators: {{ x: {{ probe: {{ file: {} }}, every: 200ms }} }}
rules: [{{ name: overloaded, when: {when}, tarry: 3, do: move }}]
moves: {{ settle: 100ms, confirm_within: 1h, at_most: 1000 per 1h, tour: keep-going }}
{more}",
            guest.path("value").display()
        ));
        let clocked = Self { guest, ahead: ahead.unwrap(), folder };
        clocked.set_ahead(0);
        clocked
    }

    /// How far the clock is ahead of this machine's.
    fn set_ahead(&self, millis: i64) {
        self.ahead.write_all_at(&millis.to_ne_bytes(), 0).unwrap();
    }

    fn set(&self, to: &str) {
        let to: Timestamp = to.parse().unwrap();
        self.set_ahead(to.as_millisecond() - Timestamp::now().as_millisecond());
    }

    fn start(&mut self) {
        let mut command = self.guest.command();
        command.arg("--inputs").arg(self.guest.path("inputs"));
        command.env("LD_PRELOAD", library(&self.folder, "clock.c"));
        command.env("CLOCK_FILE", self.folder.path().join("ahead"));
        self.guest.start_as(command);
    }

    fn moves(&self) -> usize {
        self.guest.events("confirmed").len()
    }

    #[track_caller]
    fn wait_for_moves(&self, more: usize) {
        let before = self.moves();
        self.guest.wait_for("moves", |guest| guest.events("confirmed").len() >= before + more);
    }

    /// Which times the voids say that the clocks came apart by.
    fn voids(&self) -> Vec<f64> {
        let voids = self.guest.events("void");
        voids.iter().map(|void| void["apart"].as_f64().unwrap_or_else(|| panic!("{void}"))).collect()
    }

    #[track_caller]
    fn ends_well(mut self) {
        assert!(self.guest.terminate().0.success(), "{}", self.guest.log());
        assert!(!self.guest.log().contains("panicked"), "{}", self.guest.log());
        assert_asked_once(&self.guest.asked());
        let inputs = assert_replays(&self.guest);
        let judge = |needs| moves_rest_on_polls(&inputs, "overloaded", 200, needs);
        assert_eq!(judge(Needs::Samples(3)), Ok(self.guest.asked().len()));
        // The canary: none rests on more than it has to.
        assert!(judge(Needs::Samples(4)).is_err());
    }
}

const HOUR: i64 = 3_600_000;

#[test]
fn a_clock_that_is_set_voids_once_and_one_that_is_slewed_does_not() {
    let mut clocked = Clocked::new("x > 5", "");
    clocked.start();
    clocked.wait_for_moves(1);
    let mut before = 0;
    for (times, ahead) in (1..).zip([HOUR, -HOUR, 10 * 365 * 24 * HOUR, 0, 5_000, 0]) {
        // In the middle of its counting.
        thread::sleep(Duration::from_millis(300));
        clocked.set_ahead(ahead);
        clocked.guest.wait_for("a void", |_| clocked.voids().len() == times);
        let (apart, expected) = (clocked.voids()[times - 1], (ahead - before) as f64 / 1_000.0);
        assert!((apart - expected).abs() < 2.0, "{apart} s, not {expected}");
        before = ahead;
        clocked.wait_for_moves(2);
    }
    // A leap second, and its like: less than two seconds from one input to the next.
    for ahead in [-1_000, -2_000, -1_000, 500, 0] {
        clocked.set_ahead(ahead);
        clocked.wait_for_moves(1);
    }
    assert_eq!(clocked.voids().len(), 6, "{:?}", clocked.voids());
    clocked.ends_well();
}

#[test]
fn a_clock_that_is_set_while_the_daemon_is_stopped_is_noticed() {
    let mut clocked = Clocked::new("x > 5", "");
    clocked.start();
    for (times, ahead) in (1..).zip([2 * HOUR, 0]) {
        clocked.wait_for_moves(1);
        thread::sleep(Duration::from_millis(300));
        clocked.guest.signal(Signal::STOP);
        clocked.set_ahead(ahead);
        thread::sleep(Duration::from_millis(1_500));
        clocked.guest.signal(Signal::CONT);
        clocked.guest.wait_for("a void", |_| clocked.voids().len() == times);
        clocked.wait_for_moves(1);
    }
    assert_eq!(clocked.voids().len(), 2);
    clocked.ends_well();
}

/// A guest without a battery for its clock boots in 1970, or before it, and has the time from the network when it has run for a while.
#[test]
fn a_guest_that_boots_in_1970_goes_on_when_it_has_the_time() {
    let mut clocked = Clocked::new("x > 5", "");
    clocked.set("1970-01-01T00:00:01Z");
    clocked.start();
    clocked.wait_for_moves(2);
    assert!(clocked.guest.events("request")[0]["at"].as_str().unwrap().starts_with("1970-01-01T00:00:"));
    for (times, at) in (1..).zip(["1969-07-20T20:17:40Z", "2026-11-23T18:00:00Z", "2199-12-31T23:59:50Z"]) {
        clocked.set(at);
        clocked.guest.wait_for("a void", |_| clocked.voids().len() == times);
        clocked.wait_for_moves(2);
        let year = clocked.guest.events("request").last().unwrap()["at"].as_str().unwrap()[..4].to_owned();
        assert!(["1969", "2026", "2199", "2200"][times - 1..].contains(&year.as_str()), "{year}");
    }
    let (code, said, _) = clocked.guest.told(&["status"]);
    assert_eq!(code, Some(0), "{said}");
    clocked.ends_well();
}

#[test]
fn a_window_opens_and_closes_by_the_clock_on_the_nights_on_which_it_changes() {
    let window = "windows: { work: { days: Mon-Sun, hours: 08:00-09:00, zone: Europe/Oslo } }\n";
    let mut clocked = Clocked::new("{ all: [x > 5, inside work] }", window);
    clocked.set("2026-03-28T06:59:58Z");
    clocked.start();
    clocked.wait_for_moves(1);
    let says = |is: &str| {
        clocked.guest.wait_for(is, |guest| {
            guest.json(&["why"]).is_some_and(|why| why["rules"][0]["conditions"][1]["is"] == is)
        });
    };
    // Outside for a second, so that it could act; and two seconds before it opens, so that it does so by itself.
    for (closed, opens, open) in [
        ("2026-03-28T08:00:10Z", "2026-03-29T05:59:58Z", "2026-03-29T06:30:00Z"),
        // Where it would be open by the hour of the day before.
        ("2026-03-29T07:00:10Z", "2026-10-24T05:59:58Z", "2026-10-24T06:30:00Z"),
        ("2026-10-25T06:30:00Z", "2026-10-25T06:59:58Z", "2026-10-25T07:30:00Z"),
    ] {
        clocked.set(closed);
        says("clear");
        thread::sleep(Duration::from_millis(1_200));
        clocked.set(opens);
        says("clear");
        clocked.wait_for_moves(1);
        clocked.set(open);
        clocked.wait_for_moves(1);
        // And it closes by itself.
        let closes = open.replace(":30:00", ":59:59");
        clocked.set(&closes);
        says("clear");
    }
    let asked = clocked.guest.events("request");
    for request in &asked {
        let at = request["at"].as_str().unwrap();
        let open = ["2026-03-28T07:", "2026-03-29T06:", "2026-10-24T06:", "2026-10-25T07:"];
        assert!(open.iter().any(|hour| at.starts_with(hour)), "outside of the window: {asked:#?}");
    }
    assert!(asked.len() >= 7, "{asked:#?}");
    clocked.ends_well();
}

/// A monotonic clock that begins anew with the machine, and one that is ahead of what it was: nothing that waits ends early.
#[test]
fn a_reboot_ends_no_hold_and_forgets_no_request() {
    if !Command::new("unshare").args(["--time", "true"]).output().is_ok_and(|ran| ran.status.success()) {
        println!("NOT RUN: a time namespace of its own needs root, and unshare (util-linux)");
        return;
    }
    let mut clocked = Clocked::new("x > 5", "");
    let start = |guest: &mut Guest, long_up: bool| {
        let plain = guest.command();
        let mut command = Command::new("unshare");
        if long_up {
            command.args(["--time", "--monotonic", UPTIME, "--boottime", UPTIME]).arg(plain.get_program());
        } else {
            command = Command::new(plain.get_program());
        }
        command.args(plain.get_args()).arg("--inputs").arg(guest.path("inputs"));
        guest.start_as(command);
        guest.wait_for_sockets();
    };
    let guest = &mut clocked.guest;
    let held_for = |guest: &Guest| {
        guest.json(&["status"]).and_then(|status| status["hold"]["for"].as_f64()).unwrap_or_default()
    };
    // The manager takes a move on and dawdles; the machine is started again.
    guest.script("exit 0");
    start(guest, true);
    guest.wait_for("a request", |guest| !guest.asked().is_empty());
    let (code, said, more) = guest.told(&["hold", "1h"]);
    assert_eq!(code, Some(0), "{said}{more}");
    guest.kill();
    for long_up in [false, true, false] {
        start(guest, long_up);
        let status = guest.json(&["status"]).unwrap();
        assert_eq!(status["request"]["id"], 1, "{status}");
        let left = held_for(guest);
        assert!((3_000.0..=3_600.0).contains(&left), "{left}: {status}");
        assert_eq!(guest.asked().len(), 1);
        guest.kill();
    }
    start(guest, true);
    guest.script("");
    guest.write("location", "mln2");
    guest.wait_for("the arrival", |guest| !guest.events("confirmed").is_empty());
    // Ready, and held.
    guest.wait_for("a rule that is held", |guest| !guest.events("held").is_empty());
    assert_eq!(guest.asked().len(), 1);
    assert_eq!(guest.told(&["resume"]).0, Some(0));
    clocked.wait_for_moves(2);
    clocked.ends_well();
}
