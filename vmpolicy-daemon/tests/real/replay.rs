//! What a daemon was told, through the engine again: the same records.

use crate::guest::Guest;
use rustix::process::Signal;
use std::process::{Command, Output};

fn policy(guest: &Guest, threshold: f64) -> String {
    format!(
        "version: 1
guest: nii3
arrays: {{ oslo: {{ hosts: [mln1, mln2, mln3], base: mln4 }} }}
indicators:
  x: {{ probe: {{ file: {0} }}, every: 100ms }}
  y: {{ probe: {{ file: {0} }}, every: 250ms, read: delta }}
windows: {{ always: {{ days: Mon-Sun, hours: 00:00-24:00, zone: Europe/Oslo }} }}
rules:
  - {{ name: overloaded, when: {{ all: [x > {threshold}, inside always] }}, tarry: 3, do: move }}
  - {{ name: idle, when: y > 100, do: move-to-base }}
moves: {{ settle: 100ms, confirm_within: 5s, at_most: 100 per 1m, tour: keep-going }}
",
        guest.path("value").display()
    )
}

fn replay(guest: &Guest) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
    command.arg("replay").arg(guest.path("inputs")).output().unwrap()
}

#[test]
fn a_daemon_s_decisions_are_made_again_from_its_inputs() {
    let mut guest = Guest::new("");
    guest.write("value", "9");
    guest.policy(&policy(&guest, 5.0));
    let start = |guest: &mut Guest| {
        let mut command = guest.command();
        command.arg("--inputs").arg(guest.path("inputs"));
        guest.start_as(command);
    };
    start(&mut guest);
    guest.wait_for("two moves", |guest| guest.events("confirmed").len() >= 2);
    guest.write("value", "rubbish");
    guest.wait_for("an unknown", |guest| !guest.events("unknown").is_empty());
    guest.policy(&policy(&guest, 3.0));
    guest.signal(Signal::HUP);
    guest.wait_for("the reload", |guest| !guest.events("reload").is_empty());
    guest.kill();

    let moves = guest.events("confirmed").len();
    guest.write("value", "4");
    start(&mut guest);
    guest.wait_for("moves under the new policy", |guest| guest.events("confirmed").len() >= moves + 2);
    assert!(guest.terminate().0.success());

    let ran = replay(&guest);
    let text = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(text.contains("begun 2 times"), "{text}");
    // It was killed when nothing was happening, so each record is in both.
    let records = format!("{} records, each the same byte for byte", guest.records().len());
    assert!(text.contains(&records), "{records}:\n{text}");

    // What can't be written is no success.
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
        let ran = command.arg("replay").arg(guest.path("inputs")).stdout(full).output().unwrap();
        assert_eq!(ran.status.code(), Some(3), "{}", String::from_utf8_lossy(&ran.stderr));
    }

    // The same inputs under a bent record are not the same.
    let inputs = std::fs::read_to_string(guest.path("inputs")).unwrap();
    guest.write("inputs", &inputs.replacen("\"to\":\"mln2\"", "\"to\":\"mln3\"", 1));
    let ran = replay(&guest);
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8(ran.stdout).unwrap().contains("the record differs"));
}
