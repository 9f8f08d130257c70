//! A collector by HTTP.

use crate::collector::{Heard, Mood, http, moody};
use crate::daemon::Daemon;

#[test]
fn a_moody_collector_has_all_records_in_order() {
    let heard = Heard::default();
    let port = http(heard.clone(), moody(3));
    let places = format!(
        "records: [{{ http: {{ url: \"http://127.0.0.1:{port}/in\", timeout: 2s }} }}, {{ file: @/records }}]"
    );
    let mut daemon = Daemon::new(&places);
    daemon.start();
    daemon.wait_for("some records", |daemon| daemon.text("records").lines().count() > 60);
    daemon.drain();
    daemon.wait_for_all_at(&heard);
    assert!(daemon.terminate().success());
    assert!(daemon.text("out").is_empty(), "the records have places");
}

#[test]
fn a_collector_that_is_away_gets_what_it_missed_even_from_the_next_daemon() {
    let heard = Heard::default();
    // Nobody listens there yet.
    let port = crate::tcp::free_port();
    let url = format!("http://127.0.0.1:{port}/in");
    let mut daemon = Daemon::new(&format!(
        "records: [{{ http: {{ url: \"{url}\", timeout: 1s }} }}, {{ file: @/records }}]"
    ));
    daemon.start();
    daemon.wait_for("some records", |daemon| daemon.text("records").lines().count() > 20);
    daemon.wait_for("that status says so", |daemon| {
        daemon.status().is_some_and(|status| {
            let one = &status["collectors"][0];
            status["trouble"].is_null()
                && one["address"] == url
                && one["waiting"].as_u64() > Some(20)
                && one["delivered"] == 0
                && one["error"].as_str().is_some_and(|error| error.contains("refused"))
        })
    });
    daemon.terminate();
    let waiting = daemon.text("records").lines().count();
    let port = http(heard.clone(), |_| Mood::Takes);
    // Another port is another collector: the first one's records stay.
    daemon.policy(&format!("records: {{ http: {{ url: \"http://127.0.0.1:{port}/in\" }} }}"));
    daemon.start();
    daemon.wait_for("its records", |_| heard.all().len() > 4);
    daemon.terminate();
    assert!(heard.records().len() < waiting || !daemon.text("log").contains("panic"));
    let kept: Vec<_> = std::fs::read_dir(daemon.path("state/spool")).unwrap().collect();
    assert_eq!(kept.len(), 2);
}

#[test]
fn a_sleeping_or_denying_collector_holds_nobody_up() {
    for mood in [Mood::Sleeps, Mood::Fails] {
        let heard = Heard::default();
        let port = http(heard.clone(), move |count| if count < 2 { mood } else { Mood::Takes });
        let places = format!(
            "records: [{{ http: {{ url: \"http://127.0.0.1:{port}/in\", timeout: 300ms }} }}, {{ file: @/records }}]"
        );
        let mut daemon = Daemon::new(&places);
        daemon.start();
        daemon.wait_for("records", |daemon| daemon.text("records").lines().count() > 10);
        daemon.drain();
        daemon.wait_for_all_at(&heard);
        let log = daemon.text("log");
        assert_eq!(log.matches("does not take records").count(), 1, "{log}");
        assert!(log.contains("takes records again"), "{log}");
    }
}
