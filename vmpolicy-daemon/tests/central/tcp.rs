//! A collector by TCP.

use crate::collector::{Heard, Mood, moody, tcp};
use crate::daemon::Daemon;
use std::net::TcpListener;

/// A port that nobody listens at.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_moody_collector_has_all_records_in_order() {
    let heard = Heard::default();
    let port = tcp(heard.clone(), moody(5));
    let places = format!(
        "records: [{{ tcp: {{ address: \"127.0.0.1:{port}\", timeout: 2s }} }}, {{ file: @/records }}]"
    );
    let mut daemon = Daemon::new(&places);
    daemon.start();
    daemon.wait_for("some records", |daemon| daemon.text("records").lines().count() > 60);
    daemon.drain();
    daemon.wait_for_all_at(&heard);
    assert!(daemon.terminate().success());
}

#[test]
fn one_that_never_reads_has_nothing_and_is_said_to_have_nothing() {
    let heard = Heard::default();
    let port = tcp(heard.clone(), |_| Mood::Sleeps);
    let places = format!(
        "records: [{{ tcp: {{ address: \"127.0.0.1:{port}\", timeout: 200ms }} }}, {{ file: @/records }}]"
    );
    let mut daemon = Daemon::new(&places);
    daemon.start();
    daemon.wait_for("some records", |daemon| daemon.text("records").lines().count() > 10);
    daemon.wait_for("that status says so", |daemon| {
        daemon.status().is_some_and(|status| {
            let one = &status["collectors"][0];
            one["delivered"] == 0 && one["error"].as_str().is_some_and(|error| error.contains("within 200ms"))
        })
    });
}
