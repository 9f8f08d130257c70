//! Collectors by TLS: one whose certificate is believed, and one whose is not.

use crate::collector::Heard;
use crate::daemon::Daemon;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// A collector of lines by TLS, with a certificate of its own that is written there. It ends without a farewell, as
/// rsyslog does.
fn collector(heard: Heard, certificate: &Path) -> u16 {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, client);
            let mut all = Vec::new();
            if stream.read_to_end(&mut all).is_ok() {
                heard.take(&all);
            }
        }
    });
    port
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
