//! The built `vmpolicyd`, stopped by SIGSTOP for longer than what it waits for. Both clocks go on meanwhile, so it is no jump: polls were missed,
//! nobody makes them up, and no move comes of it.
//!
//! `VMPOLICY_SOAK_SECONDS=180 cargo test -p vmpolicy-daemon --test crash stopped` stops it for three minutes each time.

use crate::guest::{Guest, assert_asked_once};
use crate::polls::{Needs, assert_replays, moves_rest_on_polls};
use rustix::process::Signal;
use std::thread;
use std::time::Duration;

/// How long it is stopped, where nobody says: ten polls.
const STOPPED: Duration = Duration::from_millis(2_000);

fn lasts() -> Duration {
    let seconds = std::env::var("VMPOLICY_SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    seconds.map_or(STOPPED, Duration::from_secs)
}

/// A gauge that is always a breach, and a counter that grows by four from poll to poll: by forty, while nobody looks.
fn guest(indicator: &str, rules: &str, moves: &str) -> Guest {
    let guest = Guest::new("");
    guest.write("value", "9");
    guest.policy(&format!(
        "version: 1
guest: nii3
arrays: {{ oslo: {{ hosts: [mln1, mln2, mln3], base: mln4 }} }}
indicators:
  x: {{ probe: {{ file: {} }}, every: 200ms{indicator} }}
  grown: {{ probe: {{ exec: {{ argv: [/bin/sh, -c, \"echo $(( $(date +%s%N) / 50000000 ))\"] }} }}, every: 200ms, read: delta, missing: 1000 }}
rules:
{rules}  - {{ name: jumped, when: grown > 25, do: move-to-base }}
moves: {{ settle: 100ms, at_most: 1000 per 1h, tour: keep-going, {moves} }}
",
        guest.path("value").display(),
    ));
    guest
}

fn start(guest: &mut Guest) {
    let mut command = guest.command();
    command.arg("--inputs").arg(guest.path("inputs"));
    guest.start_as(command);
}

/// Stopped after each of two moves, at another point of the way to the next one.
fn stopped_twice(indicator: &str, tarry: &str, needs: Needs) {
    let rules = format!("  - {{ name: overloaded, when: x > 5, tarry: {tarry}, do: move }}\n");
    let mut guest = guest(indicator, &rules, "confirm_within: 10m");
    start(&mut guest);
    for round in 1..=2 {
        let before = guest.events("confirmed").len();
        guest.wait_for("a move", |guest| guest.events("confirmed").len() > before);
        thread::sleep(Duration::from_millis(150 * round));
        guest.signal(Signal::STOP);
        let asked = guest.asked().len();
        thread::sleep(lasts());
        // One may have been on its way.
        assert!(guest.asked().len() <= asked + 1, "{:?}", guest.asked());
        guest.signal(Signal::CONT);
        guest.wait_for("a move after that", |guest| guest.asked().len() > asked + 1);
    }
    assert!(guest.terminate().0.success(), "{}", guest.log());
    assert!(guest.events("void").is_empty(), "{:?}", guest.events("void"));
    assert_asked_once(&guest.asked());
    let inputs = assert_replays(&guest);
    // Fewer would say that another rule has moved it.
    assert_eq!(
        moves_rest_on_polls(&inputs, "overloaded", 200, needs),
        Ok(guest.asked().len()),
        "{tarry}{indicator}"
    );
}

/// Samples from before it do not count, nor does the time for a span; where gaps are allowed, they add nothing.
#[test]
fn polls_that_were_missed_make_no_move() {
    let ways = [
        ("", "3", Needs::Samples(3)),
        ("", "1s", Needs::Millis(1_000)),
        (", missing: 100000", "3", Needs::SamplesWithGaps(3)),
    ];
    thread::scope(|scope| {
        for (indicator, tarry, needs) in ways {
            scope.spawn(move || stopped_twice(indicator, tarry, needs));
        }
    });
}

/// The guest arrives while the daemon is stopped, for longer than it gives a move: it looks before it says that the move has failed.
#[test]
fn a_move_that_ended_meanwhile_is_seen() {
    let rules = "  - { name: overloaded, when: x > 5, tarry: 3, do: move }\n";
    let mut guest = guest("", rules, "confirm_within: 2s");
    guest.script("sleep 1");
    start(&mut guest);
    for _ in 0..2 {
        let before = guest.asked().len();
        guest.wait_for("a request", |guest| guest.asked().len() > before);
        guest.signal(Signal::STOP);
        thread::sleep(lasts().max(Duration::from_millis(3_500)));
        assert_eq!(guest.asked().len(), before + 1, "{:?}", guest.asked());
        guest.signal(Signal::CONT);
        guest.wait_for("the arrival", |guest| guest.events("confirmed").len() > before);
    }
    assert!(guest.terminate().0.success(), "{}", guest.log());
    assert!(guest.events("expired").is_empty(), "{:?}", guest.events("expired"));
    assert!(guest.events("failed").is_empty(), "{:?}", guest.events("failed"));
    assert_asked_once(&guest.asked());
    assert_replays(&guest);
}

/// The manager has taken the move on and forgotten it: the daemon gives it up when it runs again, and asks for another.
#[test]
fn a_move_that_never_came_is_given_up_once() {
    let rules = "  - { name: overloaded, when: x > 5, tarry: 3, do: move }\n";
    let mut guest = guest("", rules, "confirm_within: 2s");
    guest.script("exit 0");
    start(&mut guest);
    guest.wait_for("a request", |guest| !guest.asked().is_empty());
    guest.signal(Signal::STOP);
    thread::sleep(lasts().max(Duration::from_millis(3_500)));
    guest.script("");
    guest.signal(Signal::CONT);
    guest.wait_for("the arrival of another", |guest| !guest.events("confirmed").is_empty());
    assert!(guest.terminate().0.success(), "{}", guest.log());
    let expired = guest.events("expired");
    assert!(expired.len() == 1 && expired[0]["id"] == 1, "{expired:?}");
    assert_eq!(guest.events("confirmed")[0]["at_host"], "mln3", "the first target is barred");
    assert_asked_once(&guest.asked());
    let inputs = assert_replays(&guest);
    assert!(moves_rest_on_polls(&inputs, "overloaded", 200, Needs::Samples(3)).is_ok());
}
