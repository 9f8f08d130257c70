//! What clients do to a control socket: nothing but they themselves suffer.

use crate::control::guest;
use crate::guest::Guest;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

fn count(guest: &Guest, what: &str) -> usize {
    std::fs::read_dir(format!("/proc/{}/{what}", guest.pid())).unwrap().count()
}

fn socket(guest: &Guest, name: &str) -> PathBuf {
    guest.path("control").join(name)
}

fn moves_on(guest: &Guest) {
    let before = guest.events("confirmed").len();
    guest.wait_for("decisions all the while", |guest| guest.events("confirmed").len() >= before + 2);
}

#[test]
fn whatever_clients_do_the_guest_is_looked_after_and_nothing_leaks() {
    let mut guest = guest("9", "");
    guest.start();
    guest.wait_for_sockets();
    guest.wait_for("a move", |guest| !guest.events("confirmed").is_empty());
    let (fds, threads) = (count(&guest, "fd"), count(&guest, "task"));
    let connect = |name: &str| UnixStream::connect(socket(&guest, name)).unwrap();

    // Garbage, without an end and longer than a request may be.
    let mut garbage = connect("status.sock");
    let mut answer = String::new();
    // Where the daemon has closed its end by then, the rest has nowhere to go.
    let _ = garbage.write_all(&[b'{'; 100_000]);
    let _ = garbage.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.contains("at most 4096 bytes"), "{answer}");

    // Half a request that never ends, one that is never read, one that says nothing, one that goes.
    let mut half = connect("status.sock");
    half.write_all(b"{\"v\":1,\"do\":").unwrap();
    let mut unread = connect("status.sock");
    unread.set_nonblocking(true).unwrap();
    for _ in 0..20_000 {
        match unread.write(b"{\"v\":1,\"do\":\"why\"}\n") {
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            written => assert!(written.unwrap() > 0),
        }
    }
    let _silent = connect("status.sock");
    drop(connect("status.sock"));
    moves_on(&guest);
    assert!(guest.json(&["status"]).is_some(), "others are served");

    // A thousand at once: some are let in, all others told so, and the socket for orders does not notice.
    let crowd: Vec<UnixStream> =
        (0..1_000).filter_map(|_| UnixStream::connect(socket(&guest, "status.sock")).ok()).collect();
    assert!(crowd.len() > 64, "{}", crowd.len());
    moves_on(&guest);
    assert_eq!(guest.told(&["hold", "10ms"]).0, Some(0), "orders are taken");
    assert!(count(&guest, "fd") <= fds + 140, "{} of {fds}", count(&guest, "fd"));
    assert_eq!(count(&guest, "task"), threads, "no thread for a client");
    drop((crowd, half, unread, garbage, _silent));
    guest.wait_for("the end of all that", |guest| count(guest, "fd") <= fds);
    assert_eq!(count(&guest, "task"), threads);
    assert!(guest.json(&["status"]).is_some());
    moves_on(&guest);
}

#[test]
fn one_who_dawdles_is_let_go() {
    let mut guest = guest("4", "");
    guest.start();
    guest.wait_for_sockets();
    let mut dawdler = UnixStream::connect(socket(&guest, "control.sock")).unwrap();
    dawdler.write_all(b"{").unwrap();
    let mut rest = Vec::new();
    // Returns when the daemon closes its end.
    dawdler.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
}
