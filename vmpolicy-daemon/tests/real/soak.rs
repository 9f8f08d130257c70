//! A day's worth of samples with every fault mixed in, and nothing that grows.
//!
//! Probes are read every twentieth of a second, so that a minute has as many samples as a day of one a minute.
//! `VMPOLICY_SOAK_SECONDS=3600 cargo test -p vmpolicy-daemon --test real soak -- --nocapture` soaks for an hour.

use crate::guest::{Guest, assert_asked_once};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long, where nobody says.
const SECONDS: u64 = 45;

/// What may come and go: a connection, a program that runs, its pipes.
const AT_WORK: usize = 8;

/// What an allocator may take and keep when several threads want something large at once.
const KEPT_KB: u64 = 1_024;

/// Numbers that look like chance and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn policy(guest: &Guest, port: u16, threshold: u64) -> String {
    let at = |name: &str| guest.path(name).display().to_string();
    format!(
        "version: 1
guest: nii3
arrays: {{ oslo: {{ hosts: [mln1, mln2, mln3], base: mln4 }} }}
indicators:
  value: {{ probe: {{ file: {value} }}, every: 50ms, missing: 1 }}
  count: {{ probe: {{ file: {value} }}, every: 70ms, read: delta }}
  page: {{ probe: {{ http: {{ url: \"http://127.0.0.1:{port}/\", timeout: 150ms }} }}, every: 50ms }}
  printed: {{ probe: {{ exec: {{ argv: [/bin/sh, {printing}], timeout: 200ms }} }}, every: 250ms }}
rules:
  - {{ name: overloaded, when: value > {threshold}, tarry: 3, do: move }}
  - {{ name: slow, when: {{ all: [page > 70, printed > 70] }}, tarry: 2, do: move-up }}
  - {{ name: idle, when: value < 5, tarry: 3 of 5, do: move-to-base }}
moves: {{ settle: 100ms, confirm_within: 1s, at_most: 1000 per 10s, tour: keep-going, bar: 200ms }}
",
        value = at("value"),
        printing = at("printing"),
    )
}

/// A server that answers as it was told last: well, wrongly, never, without end.
fn server(manner: Arc<AtomicU64>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let manner = manner.load(Ordering::Relaxed);
            thread::spawn(move || answer(client, manner));
        }
    });
    port
}

fn answer(mut client: TcpStream, manner: u64) {
    let _ = client.read(&mut [0; 1_024]);
    let body = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let text = match manner {
        0 => body("10"),
        1 => body("90"),
        2 => body("rubbish"),
        3 => "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_owned(),
        4 => "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n1".to_owned(),
        5 => format!("HTTP/1.1 200 OK\r\n\r\n{}", "9".repeat(3_000_000)),
        6 => "nothing like HTTP\n".repeat(1_000),
        _ => {
            thread::sleep(Duration::from_millis(400));
            String::new()
        }
    };
    // Whoever has had enough has gone.
    let _ = client.write_all(text.as_bytes());
}

/// What is done to the guest next.
fn disturb(guest: &Guest, dice: &mut Dice, manner: &AtomicU64, port: u16) -> &'static str {
    match dice.below(16) {
        0 | 1 => guest.write("value", &dice.below(100).to_string()),
        2 => guest.write("value", "99"),
        3 => guest.write("value", "0"),
        4 => guest.write("value", "rubbish"),
        5 => guest.write("value", "nan"),
        6 => guest.write("value", &"7".repeat(2_000_000)),
        7 => {
            let _ = std::fs::remove_file(guest.path("value"));
        }
        8 | 9 => manner.store(dice.below(8), Ordering::Relaxed),
        10 => {
            let ways = ["echo 90", "echo 10", "exit 3", "sleep 5", "yes", "sleep 5 & echo 90; exit 0"];
            guest.write("printing", ways[usize::try_from(dice.below(6)).unwrap()]);
        }
        11 => {
            // Obeys, refuses, takes it on and does nothing, is slow, is killed.
            let ways = ["", "exit 1", "exit 0", "sleep 0.3", "kill -9 $$"];
            guest.script(ways[usize::try_from(dice.below(5)).unwrap()]);
        }
        12 => {
            let hosts = ["mln1", "mln2", "mln3", "mln4", "elsewhere"];
            guest.write("location", hosts[usize::try_from(dice.below(5)).unwrap()]);
            return "foreign move";
        }
        13 => {
            guest.policy(&policy(guest, port, 50 + dice.below(3)));
            guest.signal(Signal::HUP);
            return "reload";
        }
        14 => {
            guest.write("policy.yaml", "version: 1\narrays: rubbish\n");
            guest.signal(Signal::HUP);
            return "bad reload";
        }
        _ => {
            let said = guest.told(
                &[["hold", "100ms"], ["resume", "--format=text"], ["status", "--format=json"]]
                    [usize::try_from(dice.below(3)).unwrap()],
            );
            assert_eq!(said.0, Some(0), "{}{}", said.1, said.2);
            return "operator";
        }
    }
    "fault"
}

/// What has to happen for the soak to have shown anything.
const EVENTS: [&str; 7] = ["request", "confirmed", "refused", "failed", "unknown", "void", "reload"];

fn missing(guest: &Guest) -> Vec<&'static str> {
    EVENTS.into_iter().filter(|event| guest.events(event).is_empty()).collect()
}

#[test]
fn a_day_of_faults_leaves_nothing_behind_and_each_decision_can_be_made_again() {
    let seconds = std::env::var("VMPOLICY_SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let lasts = Duration::from_secs(seconds.unwrap_or(SECONDS));
    let manner = Arc::new(AtomicU64::new(0));
    let port = server(Arc::clone(&manner));
    let mut guest = Guest::new("");
    guest.write("value", "10");
    guest.write("printing", "echo 10");
    guest.policy(&policy(&guest, port, 50));
    let start = |guest: &mut Guest| {
        let mut command = guest.command();
        command.arg("--inputs").arg(guest.path("inputs"));
        // As the unit has it.
        command.env("MALLOC_ARENA_MAX", "1");
        command.env("MALLOC_MMAP_THRESHOLD_", "131072").env("MALLOC_TRIM_THRESHOLD_", "131072");
        guest.start_as(command);
        guest.wait_for_sockets();
    };
    start(&mut guest);

    let (mut dice, mut done) = (Dice(7), BTreeMap::<&str, u64>::new());
    let (began, mut lives, mut warm, mut last) = (Instant::now(), 1, None, guest.holdings());
    // On a busy machine it takes longer until everything has happened.
    while began.elapsed() < lasts || began.elapsed() < lasts * 4 && !missing(&guest).is_empty() {
        *done.entry(disturb(&guest, &mut dice, &manner, port)).or_default() += 1;
        thread::sleep(Duration::from_millis(20 + dice.below(60)));
        assert!(guest.is_running(), "it has ended:\n{}", guest.log());
        // Killed twice in the first third, then left alone so that what grows has time to.
        if lives < 3 && began.elapsed() > lasts / 8 * lives {
            guest.kill();
            guest.policy(&policy(&guest, port, 50));
            start(&mut guest);
            lives += 1;
        }
        last = guest.holdings();
        if warm.is_none() && began.elapsed() > lasts / 2 {
            warm = Some(last);
        }
    }
    assert!(guest.terminate().0.success(), "{}", guest.log());

    let warm = warm.unwrap();
    println!("{done:?}; held at half time {warm:?}, at the end {last:?}");
    assert!(last.kib <= warm.kib + KEPT_KB, "memory: {warm:?}, then {last:?}");
    assert!(
        last.files <= warm.files + AT_WORK && last.threads <= warm.threads + AT_WORK,
        "{warm:?}, then {last:?}"
    );
    assert!(last.files < 64 && last.threads < 32, "{last:?}");

    assert_asked_once(&guest.asked());
    assert_eq!(missing(&guest), [""; 0], "this did not happen, so it was not tried");
    for event in EVENTS {
        println!("{event}: {}", guest.events(event).len());
    }
    for what in ["fault", "foreign move", "reload", "bad reload", "operator"] {
        assert!(done.contains_key(what), "{what} was not tried");
    }

    let ran = Command::new(env!("CARGO_BIN_EXE_vmpolicy"))
        .arg("replay")
        .arg(guest.path("inputs"))
        .output()
        .unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(
        text.contains(&format!("begun {lives} times")) && text.contains("each the same byte for byte"),
        "{text}"
    );
    println!("{text}");
}
