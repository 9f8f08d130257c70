//! The daemon's manners: signals, reloads, locks, damaged states, dry runs, exit statuses.

use crate::guest::Guest;
use rustix::process::Signal;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// A policy over a number in a file.
fn policy(value: &Path, threshold: f64) -> String {
    format!(
        "version: 1
guest: nii3
arrays: {{ oslo: {{ hosts: [mln1, mln2, mln3], base: mln4 }} }}
indicators:
  x: {{ probe: {{ file: {} }}, every: 100ms }}
  other: {{ probe: {{ file: {} }}, every: 100ms }}
rules:
  - {{ name: overloaded, when: x > {threshold}, tarry: 3, do: move }}
  - {{ name: unrelated, when: other > 1000, tarry: 3, do: move }}
moves: {{ settle: 100ms, confirm_within: 5s, at_most: 100 per 1m, tour: keep-going }}
",
        value.display(),
        value.display()
    )
}

fn guest(value: &str) -> Guest {
    let guest = Guest::new("");
    guest.write("value", value);
    guest.policy(&policy(&guest.path("value"), 5.0));
    guest
}

#[test]
fn sigterm_ends_within_a_second_whatever_hangs() {
    let mut guest = Guest::new("");
    let hanging = "[/bin/sh, -c, \"trap '' TERM; sleep 300\"]";
    guest.policy(
        &policy(&guest.path("value"), 5.0)
            .replace("probe: { file:", "probe: { exec: { argv: HANGING, timeout: 300s } } } # {")
            .replace("HANGING", hanging)
            .replace("} } } # {", "} }, every: 100ms } # {"),
    );
    guest.start();
    guest.wait_for("a late probe", |guest| !guest.events("unknown").is_empty());
    let (status, took) = guest.terminate();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(guest.state().is_some(), "the state is saved");
}

#[test]
fn sigterm_ends_within_a_second_although_nobody_reads_the_records() {
    let mut guest = guest("9");
    let (reader, mut writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while std::io::Write::write(&mut writer, &[b'\n'; 512]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    guest.start_with(writer);
    guest.wait_for("a decision", |guest| guest.log().contains("can't write the records"));
    let (status, took) = guest.terminate();
    assert_eq!(status.code(), Some(3), "records are lost, and it says so:\n{}", guest.log());
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(guest.asked().is_empty());
    drop(reader);
}

#[test]
fn sighup_takes_a_policy_whole_or_not_at_all() {
    let mut guest = guest("4");
    guest.start();
    thread::sleep(Duration::from_secs(1));
    assert!(guest.asked().is_empty());

    let bad = policy(&guest.path("value"), 5.0).replace("settle:", "setle:").replace("tarry: 3", "tarry: 0");
    guest.policy(&bad);
    guest.signal(Signal::HUP);
    guest.wait_for("a complaint", |guest| guest.log().contains("is not taken"));
    let log = guest.log();
    assert!(log.contains("setle") && log.contains("did you mean `settle`"), "{log}");
    assert!(guest.is_running());
    assert!(guest.events("reload").is_empty());

    guest.policy(&policy(&guest.path("value"), 5.0).replace("nii3", "nii4"));
    guest.signal(Signal::HUP);
    guest
        .wait_for("a complaint", |guest| guest.log().contains("the guest's name can change at a start only"));

    guest.policy(&policy(&guest.path("value"), 3.0));
    guest.signal(Signal::HUP);
    guest.wait_for("the reload", |guest| !guest.events("reload").is_empty());
    assert_eq!(guest.events("reload")[0]["rules_kept"], 1);
    guest.wait_for("a move under the new threshold", |guest| !guest.events("confirmed").is_empty());
}

#[test]
fn a_second_daemon_is_refused() {
    let mut guest = guest("1");
    guest.start();
    guest.wait_for("the state", |guest| guest.state().is_some());
    let second = guest.command().stdout(Stdio::null()).output().unwrap();
    assert_eq!(second.status.code(), Some(3));
    let words = String::from_utf8(second.stderr).unwrap();
    assert!(words.contains("another vmpolicyd"), "{words}");

    // A dry run beside it is welcome, and asks for nothing.
    guest.write("value", "1");
    let mut dry =
        guest.command().arg("--dry-run").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_millis(500));
    assert!(dry.try_wait().unwrap().is_none());
    dry.kill().unwrap();
    dry.wait().unwrap();
}

#[test]
fn a_dry_run_decides_believes_and_asks_for_nothing() {
    let mut guest = guest("9");
    let mut command = guest.command();
    command.arg("--dry-run");
    guest.start_as(command);
    guest.wait_for("some moves", |guest| guest.events("confirmed").len() >= 4);
    let records = guest.records();
    assert!(records.iter().all(|record| record["dry_run"] == true), "{records:#?}");
    let hosts: Vec<_> =
        guest.events("confirmed").iter().map(|record| record["at_host"].clone()).take(4).collect();
    assert_eq!(hosts, ["mln2", "mln3", "mln1", "mln2"]);
    assert!(guest.asked().is_empty());
    assert_eq!(guest.location(), "mln1");
    assert!(guest.state().is_none(), "a dry run has a state of its own");
    assert!(guest.log().contains("dry run"));
}

#[test]
fn without_an_actuator_it_is_a_dry_run() {
    let mut guest = guest("9");
    let text = policy(&guest.path("value"), 5.0) + "locator: { assume: mln1 }\n";
    guest.write("policy.yaml", &text);
    guest.start();
    guest.wait_for("a move", |guest| !guest.events("confirmed").is_empty());
    assert!(guest.records().iter().all(|record| record["dry_run"] == true));
    assert!(guest.log().contains("has no `actuator`"), "{}", guest.log());
}

/// Damages the state of a guest that has moved.
fn damage(guest: &mut Guest) {
    guest.start();
    guest.wait_for("a move", |guest| !guest.events("confirmed").is_empty());
    guest.kill();
    let path = guest.path("state/state");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
}

#[test]
fn a_damaged_state_waits_for_the_locator() {
    let mut guest = guest("9");
    damage(&mut guest);
    let before = guest.asked().len();
    std::fs::remove_file(guest.path("location")).unwrap();
    guest.start();
    guest.wait_for("a complaint", |guest| guest.log().contains("can't be used"));
    guest.wait_for("the hold", |guest| {
        guest.events("held").iter().any(|record| record["reason"] == "location-unknown")
    });
    assert_eq!(guest.asked().len(), before);
    assert!(guest.path("state/state.damaged").exists());
    guest.write("location", "mln3\n");
    guest.wait_for("a move from there", |guest| guest.asked().len() > before);
    assert!(guest.asked()[before].starts_with("nii3 mln3 mln1 "), "{:?}", guest.asked());
}

#[test]
fn a_damaged_state_without_a_locator_holds_for_good() {
    let mut guest = guest("9");
    damage(&mut guest);
    let text = std::fs::read_to_string(guest.path("policy.yaml")).unwrap();
    let (rest, _) = text.split_once("locator:").unwrap();
    guest.write("policy.yaml", &format!("{rest}locator: {{ assume: mln1 }}\n"));
    let (damaged, before) = (std::fs::read(guest.path("state/state")).unwrap(), guest.asked().len());
    for _ in 0..2 {
        let holds = guest.events("held").len();
        guest.start();
        guest.wait_for("the hold", |guest| guest.events("held").len() > holds);
        assert!(guest.log().contains("remove"), "{}", guest.log());
        guest.terminate();
    }
    assert_eq!(guest.asked().len(), before);
    assert_eq!(std::fs::read(guest.path("state/state")).unwrap(), damaged, "the evidence is kept");
    std::fs::remove_file(guest.path("state/state")).unwrap();
    guest.start();
    guest.wait_for("a move", |guest| guest.asked().len() > before);
}

#[test]
fn a_state_of_another_guest_is_not_taken() {
    let mut guest = guest("1");
    guest.start();
    guest.wait_for("the state", |guest| guest.state().is_some());
    guest.terminate();
    guest.policy(&policy(&guest.path("value"), 5.0).replace("nii3", "nii4"));
    guest.start();
    guest.wait_for("a complaint", |guest| guest.log().contains("it is of the guest `nii3`"));
}

#[test]
fn records_go_to_a_file_too() {
    let mut guest = guest("9");
    let mut command = guest.command();
    command.arg("--records").arg(guest.path("records"));
    guest.start_as(command);
    guest.wait_for("a move", |guest| !guest.asked().is_empty());
    guest.terminate();
    let text = std::fs::read_to_string(guest.path("records")).unwrap();
    assert!(text.lines().next().unwrap().contains("\"event\":\"request\""), "{text}");
    assert!(guest.records().is_empty());
}

fn exit(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vmpolicyd")).args(args).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn exit_statuses() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    let path = file.to_str().unwrap();
    assert_eq!(exit(&["--config", path]).0, Some(3), "unreadable");
    assert_eq!(exit(&[]).0, Some(2));
    assert_eq!(exit(&["--config", path, "--nonsense"]).0, Some(2));
    assert_eq!(exit(&["--help"]).0, Some(0));
    assert_eq!(exit(&["--version"]).0, Some(0));
    std::fs::write(&file, "version: 1\nhosts: x\narrays: 7\n").unwrap();
    let (status, words) = exit(&["--config", path]);
    assert_eq!(status, Some(1), "errors in the file");
    assert!(words.contains(&format!("{path}:2:1: error[VP")), "{words}");
    std::fs::write(&file, policy(&folder.path().join("value"), 5.0)).unwrap();
    assert_eq!(exit(&["--config", path, "--state", "/proc/nowhere"]).0, Some(3));
    assert_eq!(exit(&["--config", path, "--state", path]).0, Some(3));
}

/// The site's part stands in files of its own, and counts as if it stood in the policy file: at the start and when it is
/// read again, whole or not at all.
#[test]
fn the_files_of_conf_d_are_a_part_of_the_policy() {
    let mut guest = crate::control::guest("1", "");
    std::fs::create_dir(guest.path("conf.d")).unwrap();
    let part = |name: &str, text: &str| std::fs::write(guest.path("conf.d").join(name), text).unwrap();
    part("10-mode.yaml", "mode: observe\n");
    part("20-more.yaml", "indicators: { more: { every: 100ms } }\n");
    let mode = |guest: &Guest| guest.json(&["status"]).map(|status| status["mode"].clone());
    guest.start();
    guest.wait_for("the mode", |guest| mode(guest) == Some("observe".into()));

    let part = |guest: &Guest, name: &str, text: &str| {
        std::fs::write(guest.path("conf.d").join(name), text).unwrap()
    };
    part(&guest, "20-more.yaml", "mode: act\n");
    let (code, _, words) = guest.told(&["reload"]);
    assert_eq!(code, Some(1), "{words}");
    let there = guest.path("conf.d/10-mode.yaml:1:1");
    assert!(words.contains("conf.d/20-more.yaml:1:1: error[VP0108]: key `mode` is written twice"), "{words}");
    assert!(words.contains(&format!("first here: {}", there.display())), "{words}");
    assert_eq!(mode(&guest), Some("observe".into()));

    std::fs::remove_file(guest.path("conf.d/10-mode.yaml")).unwrap();
    assert_eq!(guest.told(&["reload"]).0, Some(0));
    guest.wait_for("the mode", |guest| mode(guest) == Some("act".into()));
    assert!(guest.terminate().0.success());
    let named =
        [guest.path("policy.yaml"), guest.path("conf.d/10-mode.yaml"), guest.path("conf.d/20-more.yaml")];
    let named = named.map(|path| path.display().to_string()).join(", ");
    assert!(guest.log().contains(&named), "{}", guest.log());
}
