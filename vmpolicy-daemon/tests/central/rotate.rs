//! Files of records that are rotated, and places that change while the daemon runs.

use crate::daemon::{Daemon, records};
use rustix::process::Signal;

#[test]
fn a_file_that_is_rotated_loses_nothing_and_needs_no_signal() {
    let mut daemon = Daemon::new("records: { file: @/records }");
    daemon.arg("--records");
    let all = daemon.at("all");
    daemon.arg(all);
    daemon.start();
    for turn in 0..5 {
        daemon.wait_for("records", |daemon| daemon.text("records").lines().count() > 5);
        std::fs::rename(daemon.path("records"), daemon.path(&format!("records.{turn}"))).unwrap();
        if turn % 2 == 1 {
            // As logrotate's `create` does it.
            std::fs::write(daemon.path("records"), "").unwrap();
        }
    }
    daemon.wait_for("records", |daemon| daemon.text("records").lines().count() > 5);
    daemon.terminate();
    let parts: String = (0..5).map(|turn| daemon.text(&format!("records.{turn}"))).collect();
    let parts = parts + &daemon.text("records");
    assert_eq!(parts, daemon.text("all"));
    assert!(daemon.text("out").is_empty());
}

#[test]
fn places_change_with_the_policy_or_not_at_all() {
    let mut daemon = Daemon::new("records: { file: @/a }");
    daemon.start();
    daemon.wait_for("records", |daemon| daemon.text("a").lines().count() > 5);
    daemon.policy("records: { file: @/b }");
    daemon.signal(Signal::HUP);
    daemon.wait_for("records", |daemon| daemon.text("b").lines().count() > 5);
    daemon.policy("records: { file: /proc/nowhere/c }");
    daemon.signal(Signal::HUP);
    daemon.wait_for("a refusal", |daemon| {
        daemon.status().is_some_and(|status| status["policy"]["not_taken"]["because"][0].is_string())
    });
    let before = daemon.text("b").lines().count();
    daemon.wait_for("more records", |daemon| daemon.text("b").lines().count() > before + 5);
    daemon.terminate();
    // Nothing fell between the two files.
    let all = records(&(daemon.text("a") + &daemon.text("b")));
    let requests: Vec<_> = all
        .iter()
        .filter(|record| record["event"] == "request")
        .map(|record| record["id"].as_u64().unwrap())
        .collect();
    assert_eq!(requests, (1..=requests.len() as u64).collect::<Vec<_>>());
}
