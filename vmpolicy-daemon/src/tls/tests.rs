//! What is said of servers that are not believed, and of those that never come to an end.

use super::*;
use crate::certificates::{Authority, Identity};
use crate::stream::{Address, Deadline, Route, Stream};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

fn pem(text: String) -> Trust {
    Trust::Pem(text.into_bytes())
}

/// What becomes of a handshake with what listens there.
fn shaken(port: u16, trust: Trust, limit: Duration) -> Result<(), Failure> {
    let address = Address::Tls("localhost".to_owned(), port, trust);
    let (mut route, deadline) = (Route::default(), Deadline::within(limit));
    Stream::connect(&address, &mut route, deadline)?.secure(&address, &mut route, deadline)
}

#[test]
fn whoever_is_not_believed_is_told_nothing_and_why_is_said() {
    let (right, other) = (Authority::new(), Authority::new());
    let alone = Identity::alone("localhost");
    let believed = alone.pem.clone();
    let authority = Identity::authority("localhost");
    let itself = authority.pem.clone();
    for (identity, trust, why) in [
        (right.vouches_for("localhost"), right.pem(), None),
        (alone, believed, None),
        // Of several, one will do.
        (right.vouches_for("localhost"), other.pem() + &right.pem(), None),
        (right.vouches_for("localhost"), other.pem(), Some("nobody who is believed")),
        (Identity::alone("localhost"), right.pem(), Some("nobody who is believed")),
        (right.vouches_for("other"), right.pem(), Some("another name")),
        (right.vouched_for("localhost"), right.pem(), Some("has expired")),
        (Identity::authority("localhost"), right.pem(), Some("CA:TRUE")),
        (authority, itself, Some("CA:TRUE")),
    ] {
        let port = identity.serve(|stream| {
            let _ = stream.read(&mut [0; 8]);
        });
        match (shaken(port, pem(trust), Duration::from_secs(20)), why) {
            (Ok(()), None) => {}
            (Err(failure), Some(why)) => {
                assert_eq!(failure.absence, Absence::Unreachable);
                assert!(failure.words.contains(why), "{why}: {failure:?}");
            }
            (shaken, why) => panic!("{why:?}: {shaken:?}"),
        }
    }
}

#[test]
fn a_handshake_that_never_ends_has_one_deadline() {
    let limit = Duration::from_millis(300);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            // The beginning of a handshake's record, a byte at a time.
            for byte in [22, 3, 3, 63, 255].into_iter().chain(std::iter::repeat(0)) {
                if client.write_all(&[byte]).is_err() {
                    break;
                }
                thread::sleep(limit / 8);
            }
        }
    });
    let failure = shaken(port, pem(Authority::new().pem()), limit).unwrap_err();
    assert_eq!(failure.absence, Absence::TimedOut, "{failure:?}");
}

#[test]
fn whom_to_believe_is_read_again_after_a_failure() {
    let (right, other) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let port = right.vouches_for("localhost").serve(|stream| {
        let _ = stream.read(&mut [0; 8]);
    });
    let address = Address::Tls("localhost".to_owned(), port, Trust::File(file.clone()));
    let mut route = Route::default();
    let mut shaken = || {
        let deadline = Deadline::within(Duration::from_secs(20));
        let mut stream = Stream::connect(&address, &mut route, deadline)?;
        stream.secure(&address, &mut route, deadline)
    };
    assert_eq!(shaken().unwrap_err().absence, Absence::Denied, "no file");
    std::fs::write(&file, other.pem()).unwrap();
    assert_eq!(shaken().unwrap_err().absence, Absence::Unreachable, "another authority");
    std::fs::write(&file, right.pem()).unwrap();
    assert_eq!(shaken(), Ok(()));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(shaken(), Ok(()), "it is known by now");
}
