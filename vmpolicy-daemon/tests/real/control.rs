//! The control sockets: what is asked and answered, who may, and one daemon for one guest.

use crate::guest::Guest;
use rustix::process::Signal;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;

/// A guest that a number in a file moves.
pub(crate) fn guest(value: &str, more: &str) -> Guest {
    let guest = Guest::new("");
    guest.write("value", value);
    guest.policy(&policy(&guest, more));
    guest
}

pub(crate) fn policy(guest: &Guest, more: &str) -> String {
    let value = guest.path("value");
    format!(
        "version: 1
guest: nii3
arrays: {{ oslo: {{ hosts: [mln1, mln2, mln3], base: mln4, price: {{ host: 0.12, base: 0.03 }} }} }}
indicators:
  x: {{ probe: {{ file: {0} }}, every: 100ms, unit: ms }}
  gone: {{ probe: {{ file: {0}.gone }}, every: 100ms }}
rules:
  - {{ name: overloaded, when: x > 5, tarry: 3, do: move }}
  - {{ name: idle, when: {{ all: [x < 1, gone > 2] }}, tarry: 3, do: move-to-base }}
moves: {{ settle: 100ms, confirm_within: 5s, at_most: 100 per 1m, tour: keep-going }}
{more}",
        value.display(),
    )
}

/// Sends lines to a socket, and reads a line for each.
fn talk(guest: &Guest, socket: &str, lines: &[&str]) -> Vec<serde_json::Value> {
    let mut stream = UnixStream::connect(guest.path("control").join(socket)).unwrap();
    for line in lines {
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
    let answers = BufReader::new(stream).lines().take(lines.len());
    answers.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

#[test]
fn status_says_how_things_stand() {
    let mut guest = guest("4", "");
    guest.start();
    guest.wait_for("samples", |guest| {
        guest.json(&["status"]).is_some_and(|status| {
            status["indicators"][0]["value"] == 4 && status["indicators"][1]["unknown"] == "missing"
        })
    });
    let status = guest.json(&["status"]).unwrap();
    assert_eq!(status["guest"], "nii3");
    assert_eq!(status["mode"], "act");
    assert_eq!((&status["host"], &status["array"]), (&"mln1".into(), &"oslo".into()));
    assert_eq!(status["policy"]["fingerprint"].as_str().unwrap().len(), 16);
    assert_eq!(status["request"], serde_json::Value::Null);
    assert!(status["indicators"][1]["missing"].as_u64().unwrap() > 0);
    assert_eq!(status["pid"], guest.pid());
    let (code, text, _) = guest.told(&["status"]);
    assert_eq!(code, Some(0));
    assert!(text.starts_with("nii3 acts\nhost     mln1 of oslo, since "), "{text}");
    assert!(text.contains("  x     4ms") && text.contains("unknown: missing"), "{text}");

    // JSON has the order of keys that the daemon writes, and is one line.
    let (_, json, _) = guest.told(&["status", "--format", "json"]);
    assert!(json.starts_with("{\"at\":\"") && json.lines().count() == 1, "{json}");
}

#[test]
fn why_says_what_each_rule_waits_for() {
    let mut guest = guest("4", "");
    guest.start();
    guest.wait_for("a sample", |guest| {
        guest.json(&["why"]).is_some_and(|why| why["rules"][0]["waits"] == "clear")
    });
    let (code, text, _) = guest.told(&["why"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("overloaded: when x > 5ms, do move\n  x > 5ms is false (saw 4)\n"), "{text}");
    assert!(text.contains("  counter 0 of 3\n  waits for its condition to be true\n"), "{text}");
    assert!(text.contains("gone > 2 is unknown (missing)"), "{text}");
    assert!(text.contains("  mln4  oslo, base  would do\n"), "{text}");
    assert_eq!(guest.told(&["why", "nothing"]).0, Some(1));

    // An operator holds it, and the rule is ready.
    assert_eq!(guest.told(&["hold", "1h"]).0, Some(0));
    guest.write("value", "9");
    guest.wait_for("a ready rule", |guest| {
        guest.json(&["why"]).is_some_and(|why| why["rules"][0]["waits"] == "held")
    });
    let (_, text, _) = guest.told(&["why", "overloaded"]);
    assert!(text.contains("an operator holds it (`vmpolicy resume`), for 59m"), "{text}");
    assert!(text.contains("it would lead to mln2"), "{text}");
    assert!(guest.asked().is_empty());
    assert_eq!(guest.events("held")[0]["reason"], "operator");
}

#[test]
fn an_operator_holds_moves_and_resumes() {
    let mut guest = guest("9", "");
    guest.start();
    guest.wait_for("a move", |guest| !guest.asked().is_empty());
    let (code, text, _) = guest.told(&["hold"]);
    assert_eq!((code, text.as_str()), (Some(0), "held until `vmpolicy resume`: no rule asks for a move\n"));
    guest.wait_for("quiet", |guest| guest.json(&["status"]).is_some_and(|now| now["request"].is_null()));
    let before = guest.asked().len();
    let status = guest.json(&["status"]).unwrap();
    assert_eq!(status["hold"]["for"], serde_json::Value::Null);
    assert_eq!(status["hold"]["uid"], rustix::process::getuid().as_raw());
    guest.wait_for("a held rule", |guest| {
        guest.json(&["why"]).is_some_and(|why| why["rules"][0]["by"] == "operator")
    });
    assert_eq!(guest.asked().len(), before, "held");

    // An operator's own move is not held, and a host that is none is told.
    let (code, _, words) = guest.told(&["move", "mln9"]);
    assert_eq!(code, Some(1));
    assert!(words.contains("no host `mln9`") && words.contains("did you mean `mln"), "{words}");
    let here = guest.location();
    let (code, _, words) = guest.told(&["move", &here]);
    assert_eq!(code, Some(1));
    assert!(words.contains("already"), "{words}");
    let (code, text, words) = guest.told(&["move", "mln4"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(text.contains(&format!("{here} -> mln4")), "{text}");
    guest.wait_for("the base", |guest| guest.location() == "mln4");
    guest.wait_for("the confirmation", |guest| {
        guest.json(&["status"]).is_some_and(|status| status["host"] == "mln4")
    });

    // A hold survives the daemon.
    guest.kill();
    guest.start();
    guest.wait_for_sockets();
    assert!(guest.json(&["status"]).unwrap()["hold"].is_object());
    assert_eq!(guest.told(&["resume"]).1, "goes on\n");
    assert_eq!(guest.told(&["resume"]).1, "it was not held\n");
    assert_eq!(guest.told(&["hold", "-5s"]).0, Some(2));
    assert_eq!(guest.told(&["hold", "5"]).0, Some(2));
}

#[test]
fn a_move_while_another_is_open_is_told_why_not() {
    let mut guest = guest("9", "");
    guest.script("sleep 3");
    guest.start();
    guest.wait_for("a request", |guest| !guest.asked().is_empty());
    let (code, _, words) = guest.told(&["move", "mln3"]);
    assert_eq!(code, Some(1));
    assert!(words.contains("request 1 to mln2 is open"), "{words}");
    let status = guest.json(&["status"]).unwrap();
    assert_eq!((&status["request"]["id"], &status["request"]["to"]), (&1.into(), &"mln2".into()));
    let why = guest.json(&["why"]).unwrap();
    assert_eq!((&why["rules"][0]["waits"], &why["rules"][0]["by"]), (&"request".into(), &"1".into()));
}

#[test]
fn a_reload_is_answered_with_its_outcome() {
    let mut guest = guest("4", "");
    guest.start();
    guest.wait_for_sockets();
    let before = guest.json(&["status"]).unwrap()["policy"]["fingerprint"].clone();
    guest.policy(&policy(&guest, "").replace("settle:", "setle:"));
    let (code, _, words) = guest.told(&["reload"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("is not taken") && words.contains("did you mean `settle`"), "{words}");
    let status = guest.json(&["status"]).unwrap();
    assert_eq!(status["policy"]["fingerprint"], before);
    assert!(status["policy"]["not_taken"]["because"][0].as_str().unwrap().contains("setle"), "{status}");
    assert!(guest.told(&["status"]).1.contains("NOT TAKEN"));

    guest.policy(&policy(&guest, "").replace("x > 5", "x > 3"));
    let (code, text, words) = guest.told(&["reload"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(text.ends_with("; 1 rule goes on counting; mode: act\n"), "{text}");
    let status = guest.json(&["status"]).unwrap();
    assert!(status["policy"]["not_taken"].is_null());
    assert_ne!(status["policy"]["fingerprint"], before);
    guest.wait_for("the new rule", |guest| !guest.asked().is_empty());
}

#[test]
fn a_policy_without_a_host_of_the_open_request_waits_and_says_so() {
    let mut guest = guest("9", "");
    guest.script("sleep 2");
    guest.start();
    guest.wait_for("a request", |guest| !guest.asked().is_empty());
    guest.policy(&policy(&guest, "").replace("mln2, ", "").replace("x > 5", "x > 50"));
    let (code, text, words) = guest.told(&["reload"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(text.contains("it lacks a host of request 1"), "{text}");
    assert_eq!(guest.json(&["status"]).unwrap()["policy"]["newer_waits"], true);
    guest.wait_for("the new policy", |guest| !guest.events("reload").is_empty());
    assert_eq!(guest.json(&["status"]).unwrap()["policy"]["newer_waits"], false);
}

#[test]
fn history_has_the_records_as_they_were_written() {
    let mut guest = guest("9", "");
    guest.start();
    guest.wait_for("records", |guest| guest.events("confirmed").len() >= 2);
    guest.write("value", "4");
    assert_eq!(guest.told(&["hold"]).0, Some(0));
    guest.wait_for("quiet", |guest| guest.json(&["status"]).is_some_and(|now| now["request"].is_null()));
    let (code, text, _) = guest.told(&["history", "-n", "1000", "--format", "json"]);
    assert_eq!(code, Some(0));
    let told: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    guest.wait_for("the records", |guest| guest.records().len() >= told.len());
    assert_eq!(told, guest.records()[..told.len()]);
    let (_, text, _) = guest.told(&["history", "-n", "2"]);
    assert_eq!(text.lines().count(), 2, "{text}");

    // Followed, a new one comes as it is made; who goes is not missed.
    let mut follower =
        guest.tool(&["history", "-n", "1", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), text.lines().last().unwrap());
    assert_eq!(guest.told(&["move", "mln4"]).0, Some(0));
    let line = lines.next().unwrap().unwrap();
    assert!(line.contains("asks to move") && line.contains("mln4 (operator)"), "{line}");
    guest.terminate();
    assert_eq!(follower.wait().unwrap().code(), Some(3), "the daemon has gone");
}

#[test]
fn watch_prints_lines_where_nobody_can_redraw() {
    let mut guest = guest("4", "");
    guest.start();
    guest.wait_for_sockets();
    let (code, text, _) = guest.told(&["watch", "--count", "2"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("nii3 acts; on mln1"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    let (_, text, _) = guest.told(&["watch", "--count", "1", "--format", "json"]);
    let look: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(look["status"]["host"], "mln1");
    assert_eq!(look["why"]["rules"][0]["rule"], "overloaded");
}

#[test]
fn permissions_say_who_may_do_what() {
    let mut guest = guest("4", "");
    guest.start();
    guest.wait_for_sockets();
    for (name, mode) in [("control.sock", 0o660), ("status.sock", 0o666)] {
        let found = std::fs::symlink_metadata(guest.path("control").join(name)).unwrap();
        assert!(found.file_type().is_socket());
        assert_eq!(found.permissions().mode() & 0o777, mode, "{name}");
    }
    assert!(!guest.path("control/.new").exists());
    for order in [r#"{"v":1,"do":"hold"}"#, r#"{"v":1,"do":"move","to":"mln3"}"#, r#"{"v":1,"do":"reload"}"#]
    {
        let answer = &talk(&guest, "status.sock", &[order])[0];
        assert_eq!((&answer["ok"], &answer["error"]["code"]), (&false.into(), &"not-allowed".into()));
    }
    let hello = r#"{"v":1,"do":"hello"}"#;
    let answers = talk(&guest, "control.sock", &[hello, "garbage", r#"{"v":9,"do":"hello"}"#, hello]);
    assert_eq!(answers[0]["hello"]["guest"], "nii3");
    assert_eq!(answers[1]["error"]["code"], "bad-request");
    assert_eq!(answers[2]["error"]["code"], "version");
    assert_eq!(answers[3], answers[0], "what was wrong before is forgiven");
    // An order through the socket for everybody says who may.
    let status = guest.path("control/status.sock");
    let (code, _, words) = guest.told(&["resume", "--socket", status.to_str().unwrap()]);
    assert_eq!(code, Some(2), "--socket twice: {words}");
}

/// The keys of an object, and of those in it.
fn keys(value: &serde_json::Value) -> Vec<String> {
    let Some(map) = value.as_object() else { return Vec::new() };
    let deeper = |(key, value): (&String, &serde_json::Value)| {
        let inner = keys(value).into_iter().map(move |inner| format!("{key}.{inner}"));
        inner.chain([key.clone()]).collect::<Vec<_>>()
    };
    map.iter().flat_map(deeper).collect()
}

#[test]
fn the_protocol_is_as_it_is_written() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md")).unwrap();
    let mut guest = guest("9", "");
    guest.start();
    guest.wait_for("a move", |guest| !guest.events("confirmed").is_empty());
    guest.write("value", "4");
    let mut asked = 0;
    let mut lines = page.lines().filter(|line| line.starts_with("> {") || line.starts_with("< {")).peekable();
    while let Some(line) = lines.next() {
        let request = line.strip_prefix("> ").expect("a request");
        let answer: serde_json::Value =
            serde_json::from_str(lines.next().unwrap().strip_prefix("< ").unwrap()).unwrap();
        let told = &talk(&guest, "control.sock", &[request])[0];
        assert_eq!(keys(told), keys(&answer), "{request}");
        assert_eq!((&told["v"], &told["ok"]), (&answer["v"], &answer["ok"]), "{request}");
        assert_eq!(told["error"]["code"], answer["error"]["code"], "{request}");
        // The lines of a history follow.
        while lines.next_if(|line| line.starts_with('<')).is_some() {}
        asked += 1;
    }
    assert_eq!(asked, 4);
}

#[test]
fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let mut guest = guest("4", "");
    guest.start();
    guest.wait_for_sockets();
    guest.kill();
    assert!(guest.path("control/control.sock").exists(), "nobody was there to remove it");
    let (code, _, words) = guest.told(&["status"]);
    assert_eq!(code, Some(3));
    assert!(words.contains("does vmpolicyd run?"), "{words}");
    guest.start();
    guest.wait_for_sockets();

    // The same guest with another state: its lock does not know, the socket does.
    let config = guest.path("policy.yaml");
    let run = |state: &str, extra: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vmpolicyd"));
        command.arg("--config").arg(&config).arg("--state").arg(guest.path(state));
        command.arg("--control").arg(guest.path("control")).args(extra).stdin(Stdio::null());
        command
    };
    let refused = run("other-state", &[]).output().unwrap();
    assert_eq!(refused.status.code(), Some(3));
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    let expected = format!("another vmpolicyd acts for the guest `nii3`: process {}", guest.pid());
    assert!(words.contains(&expected), "{words}");
    let refused = run("state", &[]).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another vmpolicyd uses"), "the state's lock");
    assert_eq!(guest.json(&["status"]).unwrap()["pid"], guest.pid(), "the live one keeps its sockets");

    // A dry run beside it is no second daemon; it does without sockets.
    let mut dry = run("state", &["--dry-run"]);
    let mut child = dry.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("no control sockets")));
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
    child.wait().unwrap();
    guest.terminate();
    assert!(!guest.path("control/control.sock").exists() && !guest.path("control/status.sock").exists());
}

#[test]
fn without_a_folder_for_sockets_the_guest_is_looked_after_all_the_same() {
    let mut guest = guest("9", "");
    guest.write("control", "a file");
    guest.start();
    guest.wait_for("a move", |guest| !guest.asked().is_empty());
    assert!(guest.log().contains("no control sockets"), "{}", guest.log());
}
