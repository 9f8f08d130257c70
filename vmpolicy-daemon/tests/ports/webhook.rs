//! Moves that are asked for by HTTP.

use crate::guest::{Guest, PATIENCE};
use crate::manager::Manager;
use rustix::process::Signal;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

const MOVES: &str = "settle: 100ms, confirm_within: 60s, bar: 100ms, at_most: 100 per 1m, tour: keep-going";

fn webhook(port: u16) -> String {
    format!(
        "actuator: {{ webhook: {{ url: \"http://127.0.0.1:{port}/moves\", timeout: 20s, poll: 50ms }} }}\n"
    )
}

const SEES: &str = "locator: { file: { path: \"{dir}/location\" }, every: 100ms }\n";
const BELIEVES: &str = "locator: { assume: mln1 }\n";

/// A guest on mln1 that sees where it is, and its manager.
fn guest() -> (Guest, Manager) {
    let guest = Guest::new(MOVES, "");
    guest.write("location", "mln1\n");
    let manager = Manager::start(Some(guest.path("location")));
    guest.policy(MOVES, &(webhook(manager.port) + SEES));
    (guest, manager)
}

#[test]
fn a_move_is_asked_for_and_found_by_its_location() {
    let (mut guest, manager) = guest();
    guest.start();
    guest.load(9);
    guest.wait_for("two moves", |guest| guest.events("confirmed").len() >= 2);
    guest.load(0);
    let moves = manager.moves();
    let expected =
        serde_json::json!({"id": "nii3-1", "guest": "nii3", "from": "mln1", "to": "mln2", "do": "move"});
    assert_eq!(moves[0].asked, expected);
    assert_eq!(manager.posts()[..2], ["nii3-1", "nii3-2"]);
    guest.terminate();
    guest.assert_replays();
}

#[test]
fn killed_between_asking_and_answer_it_asks_again_under_the_same_key_and_one_move_comes_of_it() {
    let (mut guest, manager) = guest();
    // Begun and unanswered: only the manager knows.
    manager.slow();
    manager.mute(true);
    guest.start();
    guest.load(9);
    guest.wait_for("the asking", |_| !manager.posts().is_empty());
    guest.kill();
    guest.load(0);
    manager.mute(false);

    guest.start();
    guest.wait_for("that it is asked again, and asked after", |_| manager.polls() >= 2);
    assert_eq!(manager.posts(), ["nii3-1", "nii3-1"]);
    assert_eq!(guest.read("location"), "mln1\n");
    assert!(guest.events("confirmed").is_empty());
    manager.end("confirmed");
    guest.wait_for("the confirmation", |guest| guest.events("confirmed").len() == 1);
    let confirmed = &guest.events("confirmed")[0];
    assert_eq!((&confirmed["id"], &confirmed["at_host"]), (&1.into(), &"mln2".into()));
    assert_eq!(manager.moves().len(), 1, "one decision, one move: {:?}", manager.moves());
    guest.terminate();
    guest.assert_replays();
}

#[test]
fn a_move_that_fails_is_known_before_its_time_is_up() {
    let (mut guest, manager) = guest();
    manager.slow();
    guest.start();
    guest.load(9);
    guest.wait_for("the asking after", |_| manager.polls() >= 2);
    guest.load(0);
    manager.end("failed");
    guest.wait_for("the failure", |guest| guest.events("failed").len() == 1);
    assert_eq!(guest.events("failed")[0]["reason"], "reported");
    // Nobody asks after what has ended.
    let polls = manager.polls();
    thread::sleep(Duration::from_millis(300));
    assert!(manager.polls() <= polls + 1, "{} after {polls}", manager.polls());
}

#[test]
fn without_a_locator_the_manager_says_when_it_has_moved_and_a_reload_does_not_stop_the_asking() {
    let manager = Manager::start(None);
    manager.slow();
    let ports = webhook(manager.port) + BELIEVES;
    let mut guest = Guest::new(MOVES, &ports);
    guest.start();
    guest.load(9);
    guest.wait_for("the asking after", |_| manager.polls() >= 2);
    guest.load(0);
    assert!(guest.events("confirmed").is_empty(), "taken on is not moved");
    // Another settle, the same actuator.
    guest.policy(&MOVES.replace("100ms, confirm", "200ms, confirm"), &ports);
    guest.signal(Signal::HUP);
    guest.wait_for("the reload", |guest| guest.events("reload").len() == 1);
    let polls = manager.polls();
    guest.wait_for("more asking after", |_| manager.polls() >= polls + 3);
    manager.end("confirmed");
    guest.wait_for("the confirmation", |guest| guest.events("confirmed").len() == 1);
    assert_eq!(manager.posts(), ["nii3-1"]);
}

#[test]
fn a_manager_that_is_not_there_refuses_and_another_that_is_slow_stops_nobody() {
    // Nobody listens any more.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut guest = Guest::new(MOVES, &(webhook(port) + BELIEVES));
    guest.start();
    guest.load(9);
    guest.wait_for("refusals", |guest| guest.events("refused").len() >= 2);
    guest.load(0);
    assert!(guest.log().contains("refused"), "{}", guest.log());

    // It answers nothing for 20 seconds; the daemon ends all the same.
    let manager = Manager::start(None);
    manager.mute(true);
    let mut guest = Guest::new(MOVES, &(webhook(manager.port) + BELIEVES));
    guest.start();
    guest.load(9);
    guest.wait_for("the asking", |_| !manager.posts().is_empty());
    guest.terminate();
}

/// `docs/examples/webhook-manager.py`.
struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_example_of_a_manager_does_what_the_page_says() {
    let mut guest = Guest::new(MOVES, "");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/webhook-manager.py");
    let python = Command::new("python3").arg(script).arg("0").arg("true").stdout(Stdio::piped()).spawn();
    let mut child = python.expect("python3 is missing: the tests need it (apt-get install python3)");
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let _example = Example(child);
    let line = said.next().unwrap().unwrap();
    let port = line.split(':').nth(2).and_then(|rest| rest.split('/').next()).unwrap().parse().unwrap();
    guest.policy(MOVES, &(webhook(port) + BELIEVES));
    guest.start();
    guest.load(9);
    guest.wait_for("two moves", |guest| guest.events("confirmed").len() >= 2);
    guest.load(0);
    assert_eq!(said.next().unwrap().unwrap(), "nii3-1: mln1 -> mln2: confirmed");

    let post = |key: &str, body: &str| {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-m", &PATIENCE.as_secs().to_string(), "-o", "/dev/null", "-w", "%{http_code}"]);
        curl.arg("-H").arg(format!("Idempotency-Key: {key}")).args(["-d", body]);
        let output = curl.arg(format!("http://127.0.0.1:{port}/moves")).output();
        String::from_utf8(output.expect("curl is missing (apt-get install curl)").stdout).unwrap()
    };
    let body = |to: &str| format!(r#"{{"id":"x-1","guest":"x","from":"a","to":"{to}","do":"move"}}"#);
    assert_eq!(post("x-1", &body("b")), "202");
    assert_eq!(post("x-1", &body("b")), "202");
    assert_eq!(post("x-1", &body("c")), "422");
    assert_eq!(post("x-2", "[]"), "400");
}
