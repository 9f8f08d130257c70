//! `kill -9` where it hurts most. One decision is asked once, whatever happens to the daemon.

use crate::guest::{Guest, assert_asked_once, policy};
use crate::server::Server;
use std::io::{PipeReader, PipeWriter, Write};
use std::thread;
use std::time::Duration;

const RULES: &str = "  - { name: overloaded, when: slow_queries > 3, tarry: 2, do: move }
";

/// A pipe that takes no more.
pub(crate) fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'\n'; 4096]).is_ok() {}
    while writer.write(b"\n").is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

fn has_open_request(guest: &Guest) -> bool {
    guest.state().is_some_and(|state| state["saved"]["state"]["open"].is_object())
}

#[test]
fn killed_between_the_record_and_the_effect_it_does_not_ask() {
    let server = Server::start();
    let moves = "settle: 100ms, confirm_within: 3s, bar: 100ms, at_most: 100 per 1m, tour: keep-going";
    let mut guest = Guest::new(&policy(&server.socket(), "250ms", RULES, moves));
    let _load = server.load(8);

    // Nobody reads the records: the decision is on disk, its record can't be written, and so the effect
    // must not leave.
    let (reader, writer) = full_pipe();
    guest.start_with(writer);
    guest.wait_for("a decision on disk", has_open_request);
    thread::sleep(Duration::from_millis(500));
    assert!(guest.asked().is_empty(), "it was asked before its record was written: {:?}", guest.asked());
    assert!(has_open_request(&guest));
    guest.kill();
    drop(reader);

    // It may or may not have been asked, as far as the daemon can know: it looks where the guest is, and
    // does not ask again. At the limit the guest is where it was, so that request has failed.
    guest.start();
    guest.wait_for("the end of the first request", |guest| {
        guest.events("expired").iter().any(|record| record["id"] == 1)
    });
    guest.wait_for("another decision", |guest| guest.asked().len() >= 2);
    let asked = guest.asked();
    assert!(!asked.iter().any(|line| line.ends_with(" nii3-1")), "{asked:#?}");
    assert_asked_once(&asked);
    assert!(asked[0].ends_with(" nii3-2"), "the sequence goes on: {asked:#?}");
}

#[test]
fn killed_after_the_effect_has_left_it_finds_the_move_by_its_location() {
    let server = Server::start();
    let moves = "settle: 30s, confirm_within: 60s";
    let mut guest = Guest::new(&policy(&server.socket(), "250ms", RULES, moves));
    guest.script("sleep 1");
    let _load = server.load(8);
    guest.start();
    guest.wait_for("a request", |guest| !guest.asked().is_empty());
    guest.kill();
    assert_eq!(guest.location(), "mln1", "the move is under way");
    guest.start();
    guest.wait_for("the confirmation", |guest| !guest.events("confirmed").is_empty());
    let confirmed = &guest.events("confirmed")[0];
    assert_eq!((&confirmed["id"], &confirmed["at_host"]), (&1.into(), &"mln2".into()));
    assert_eq!(guest.asked(), ["nii3 mln1 mln2 nii3-1"]);
}

#[test]
fn killed_at_any_time_it_never_asks_twice() {
    let server = Server::start();
    let moves = "settle: 50ms, confirm_within: 2s, bar: 100ms, at_most: 1000 per 1m, tour: keep-going";
    let rules = RULES.replace("tarry: 2", "tarry: 1");
    let mut guest = Guest::new(&policy(&server.socket(), "150ms", &rules, moves));
    let _load = server.load(8);
    for round in 0..15_u64 {
        guest.start();
        // Spread over the rhythm of polls, requests and settling.
        thread::sleep(Duration::from_millis(250 + 67 * round % 400));
        guest.kill();
    }
    guest.start();
    let before = guest.asked().len();
    guest.wait_for("a move after all that", |guest| guest.asked().len() > before + 1);
    assert_asked_once(&guest.asked());
}
