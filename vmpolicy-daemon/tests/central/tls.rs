//! Collectors by TLS: one whose certificate is believed, and one whose is not.

use crate::certificates::Identity;
use crate::collector::Heard;
use crate::daemon::Daemon;
use std::io::Read as _;
use std::path::Path;

/// A collector of lines by TLS, with a certificate of its own that is written there. It ends without a farewell, as
/// rsyslog does.
fn collector(heard: Heard, certificate: &Path) -> u16 {
    let identity = Identity::alone("localhost");
    std::fs::write(certificate, &identity.pem).unwrap();
    identity.serve(move |stream| {
        let mut all = Vec::new();
        if stream.read_to_end(&mut all).is_ok() {
            heard.take(&all);
        }
    })
}

#[test]
fn a_collector_by_tls_has_all_and_one_that_nobody_vouches_for_has_nothing() {
    let heard = Heard::default();
    let folder = tempfile::tempdir().unwrap();
    let (good, other) = (folder.path().join("good.pem"), folder.path().join("other.pem"));
    let port = collector(heard.clone(), &good);
    collector(Heard::default(), &other);
    let places = |certificate: &Path| {
        format!(
            "records: [{{ tcp: {{ address: \"localhost:{port}\", tls: true, ca_file: {} }} }}, {{ file: @/records }}]",
            certificate.display()
        )
    };
    let mut daemon = Daemon::new(&places(&other));
    daemon.start();
    daemon.wait_for("a complaint", |daemon| {
        daemon.status().is_some_and(|status| {
            status["collectors"][0]["error"].as_str().is_some_and(|error| error.contains("certificate"))
        })
    });
    daemon.wait_for("some records", |daemon| daemon.text("records").lines().count() > 10);
    assert!(heard.all().is_empty());
    // The same collector, asked otherwise: what was kept for it is delivered.
    daemon.policy(&places(&good));
    daemon.signal(rustix::process::Signal::HUP);
    daemon.wait_for("all of it", |daemon| {
        daemon.status().is_some_and(|status| status["collectors"][0]["delivered"].as_u64() > Some(10))
    });
    daemon.drain();
    daemon.wait_for_all_at(&heard);
}
