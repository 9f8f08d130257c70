//! `kill -9` at any time, and a collector that is moody on top of it.

use crate::collector::{Heard, http, moody};
use crate::daemon::{Daemon, records};
use std::thread;
use std::time::Duration;

#[test]
fn whenever_the_daemon_is_killed_the_collector_has_what_a_file_has() {
    let heard = Heard::default();
    let port = http(heard.clone(), moody(11));
    // The collector's place comes first: what the file has is kept for it already.
    let places = format!(
        "records: [{{ http: {{ url: \"http://127.0.0.1:{port}/in\", timeout: 2s }} }}, {{ file: @/records }}]"
    );
    let mut daemon = Daemon::new(&places);
    let mut rounds = 0_u64;
    // A busy machine decides less in the same time.
    while rounds < 20 || rounds < 200 && daemon.text("records").lines().count() <= 100 {
        daemon.start();
        thread::sleep(Duration::from_millis(120 + 41 * rounds % 300));
        daemon.kill();
        rounds += 1;
    }
    daemon.start();
    daemon.wait_for("the daemon", |daemon| daemon.status().is_some());
    daemon.drain();
    let ours = records(&daemon.text("records"));
    daemon.wait_for("the last of them", |_| heard.records().contains(ours.last().unwrap()));
    let theirs = heard.records();
    assert!(ours.len() > 100, "{}", ours.len());
    // In order, and at most what a kill came between is missing in the file.
    let mut rest = theirs.iter();
    for record in &ours {
        assert!(rest.any(|one| one == record), "{record} is missing at the collector, or came too early");
    }
    assert!((theirs.len() - ours.len()) as u64 <= rounds * 4, "{} and {}", theirs.len(), ours.len());
    assert!(heard.doubles() > 0, "no batch was ever given twice: the test is too tame");
}
