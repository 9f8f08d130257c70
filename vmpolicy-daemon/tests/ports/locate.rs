//! Where the guest is: by HTTP, and by the network that it has an address in.

use crate::guest::Guest;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

const MOVES: &str = "settle: 100ms";

/// A metadata address that answers each GET which has this header with the text at hand. How often it was asked is counted.
fn metadata(header: &'static str) -> (u16, Arc<Mutex<String>>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let said: Arc<Mutex<String>> = Arc::default();
    let says = Arc::clone(&said);
    let asked: Arc<AtomicUsize> = Arc::default();
    let counted = Arc::clone(&asked);
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
                head.push(byte[0]);
            }
            counted.fetch_add(1, Ordering::Relaxed);
            let head = String::from_utf8_lossy(&head).to_lowercase();
            let (status, body) = match head.contains(header) {
                true => (200, says.lock().unwrap().clone()),
                false => (403, "who are you".to_owned()),
            };
            let text = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let _ = client.write_all(text.as_bytes());
        }
    });
    (port, said, asked)
}

/// The voids that say that the guest was moved: from where, to where.
fn moved(guest: &Guest) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("null").to_owned();
    let voids = guest.events("void").into_iter().filter(|void| void["reason"] == "moved");
    voids.map(|void| (text(&void["from"]), text(&void["to"]))).collect()
}

fn pair(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[test]
fn a_metadata_address_tells_and_what_it_can_not_tell_moves_nobody() {
    let (port, said, asked) = metadata("metadata-flavor: google");
    let says = |text: &str| text.clone_into(&mut said.lock().unwrap());
    says(r#"{"instance":{"zone":"zone-a"}}"#);
    let locator = format!(
        "locator: {{ http: {{ url: \"http://127.0.0.1:{port}/meta?x=secret\", pointer: /instance/zone, every: 50ms, \
        headers: {{ Metadata-Flavor: Google }}, hosts: {{ zone-a: mln1, zone-b: mln2 }} }} }}\n"
    );
    let mut guest = Guest::new(MOVES, &locator);
    guest.start();
    // It is asked again when the first answer was heard.
    guest.wait_for("the first look", |_| asked.load(Ordering::Relaxed) >= 2);
    for (text, to) in
        [(r#"{"instance":{"zone":"zone-b"}}"#, "mln2"), (r#"{"instance":{"zone":"mln3"}}"#, "mln3")]
    {
        let before = moved(&guest).len();
        says(text);
        guest.wait_for("a move", |guest| moved(guest).len() > before);
        assert_eq!(moved(&guest).last().unwrap().1, to);
    }
    // Each is said once, and none is a move.
    for (count, text) in ["{", r#"{"instance":{}}"#, r#"{"instance":{"zone":[]}}"#, ""].iter().enumerate() {
        says(text);
        guest.wait_for("that it can't tell", |guest| guest.log().matches("can't tell").count() == count + 1);
        says(r#"{"instance":{"zone":"mln3"}}"#);
        guest.wait_for("that it tells", |guest| guest.log().matches("tells again").count() == count + 1);
    }
    assert_eq!(moved(&guest), [pair("mln1", "mln2"), pair("mln2", "mln3")]);
    says(r#"{"instance":{"zone":"zone-of-somebody"}}"#);
    guest.wait_for("a move away", |guest| moved(guest).last() == Some(&pair("mln3", "null")));
    assert!(!guest.log().contains("secret"), "{}", guest.log());
    guest.terminate();
    guest.assert_replays();
}

/// Whether this process may have a network namespace of its own; says so where not.
fn may_have_a_network() -> bool {
    let mut make = Command::new("unshare");
    make.args(["-n", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"]);
    let ok = make.output().is_ok_and(|output| output.status.success());
    if !ok {
        eprintln!(
            "NOT RUN: a network namespace of its own needs root, and unshare and ip (util-linux, iproute2)"
        );
    }
    ok
}

#[test]
fn an_address_in_another_network_is_a_move() {
    if !may_have_a_network() {
        return;
    }
    let hosts = "mln1: 10.1.0.0/24, mln2: [10.2.0.0/24, \"2001:db8:2::/64\"], mln3: \"2001:db8:3::/64\"";
    let mut guest =
        Guest::new(MOVES, &format!("locator: {{ network: {{ hosts: {{ {hosts} }}, every: 50ms }} }}\n"));
    let mut command = Command::new("unshare");
    let script = "ip link set lo up && ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up \
        && ip addr add 10.1.0.5/24 dev v0 && ip addr add 192.0.2.7/24 dev v1 && exec \"$0\" \"$@\"";
    command.args(["-n", "sh", "-c", script, env!("CARGO_BIN_EXE_vmpolicyd")]);
    guest.start_by(command);
    guest.wait_for("the daemon", |guest| guest.path("state/dry-run.state").exists());
    let pid = guest.pid().to_string();
    let ip = |args: &str| {
        let mut command = Command::new("nsenter");
        let args = args.split(' ').collect::<Vec<_>>();
        assert!(command.args(["-t", &pid, "-n", "ip", "addr"]).args(args).status().unwrap().success());
    };
    // For a while it has both, as while a guest takes its new address: nobody knows, and nothing follows.
    ip("add 10.2.0.5/24 dev v0");
    guest.wait_for("that it can't tell", |guest| guest.log().contains("of mln1 and of mln2"));
    assert!(moved(&guest).is_empty());
    ip("del 10.1.0.5/24 dev v0");
    guest.wait_for("the move", |guest| moved(guest) == [pair("mln1", "mln2")]);
    ip("del 10.2.0.5/24 dev v0");
    guest.wait_for("that it can't tell", |guest| {
        guest.log().contains("no address is in a network of any host")
    });
    ip("add 2001:db8:3::5/64 dev v0 nodad");
    guest.wait_for("the next move", |guest| moved(guest).last() == Some(&pair("mln2", "mln3")));
    guest.terminate();
    guest.assert_replays();
}
