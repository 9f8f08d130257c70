//! What the daemon tells systemd, on a socket of the test's own.

use crate::guest::Guest;
use rustix::process::Signal;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

/// The next message with this word; it must come within a while.
fn hear(socket: &UnixDatagram, word: &str) -> String {
    let mut buffer = [0; 4096];
    loop {
        let count = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("no {word}: {error}"));
        let said = String::from_utf8_lossy(&buffer[..count]).into_owned();
        if said.lines().any(|line| line == word) {
            return said;
        }
    }
}

#[test]
fn systemd_is_told_of_the_beginning_the_loop_and_the_end() {
    let mut guest = Guest::new("");
    guest.write("value", "1");
    guest.policy(&format!(
        "version: 1
guest: nii3
arrays: {{ oslo: {{ hosts: [mln1, mln2] }} }}
indicators: {{ x: {{ probe: {{ exec: {{ argv: [/bin/sh, -c, \"env | grep -c NOTIFY_SOCKET >> {}; echo 1\"] }} }}, every: 100ms }} }}
rules: [ {{ name: over, when: x > 5, do: move }} ]
",
        guest.path("inherited").display()
    ));
    let socket = UnixDatagram::bind(guest.path("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut command = guest.command();
    command.env("NOTIFY_SOCKET", guest.path("notify")).env("WATCHDOG_USEC", "1000000");
    guest.start_as(command);
    let ready = hear(&socket, "READY=1");
    assert!(ready.contains("STATUS=decides for nii3"), "{ready}");

    // The loop feeds the watchdog: more than once in its limit, and not while it stands still.
    hear(&socket, "WATCHDOG=1");
    hear(&socket, "WATCHDOG=1");
    guest.signal(Signal::STOP);
    socket.set_nonblocking(true).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    while socket.recv(&mut [0; 4096]).is_ok() {}
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(socket.recv(&mut [0; 4096]).is_err(), "somebody else feeds the watchdog");
    socket.set_nonblocking(false).unwrap();
    guest.signal(Signal::CONT);
    hear(&socket, "WATCHDOG=1");

    let began = Instant::now();
    let inherited = || std::fs::read_to_string(guest.path("inherited")).unwrap_or_default();
    while inherited().is_empty() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(inherited().lines().all(|line| line == "0"), "a probe's program can speak to systemd");
    assert!(guest.terminate().0.success());
    hear(&socket, "STOPPING=1");
}
