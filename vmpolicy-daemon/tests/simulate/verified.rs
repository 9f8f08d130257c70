//! What `vmpolicy verify` writes, `vmpolicy simulate` replays: the same happens, and what is broken is seen again.

use super::tool::{Event, scenarios, simulate, told, vmpolicy};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

const EXPECT: &str = "version: 1\nexpect: [{ moves: { at_most: 3, per: 1h } }]\n";

/// A line of a story, as far as it says what happened and not why; none for what no story tells.
fn line(event: &Event) -> Option<String> {
    let (day, time) = event.text("at").trim_end_matches('Z').split_once('T').unwrap();
    let host = event.text("at_host");
    let what = match event.text("event") {
        "request" => format!("asks to move {} -> {}", event.text("from"), event.text("to")),
        "confirmed" => format!("is at {host}"),
        _ => return None,
    };
    Some(format!("{day} {time} {} {what}", event.text("guest")))
}

#[test]
fn what_verify_writes_breaks_the_same_expectation_again() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (expect, small) = (at("expect.yaml"), at("small.yaml"));
    fs::write(&expect, EXPECT).unwrap();
    let policy = scenarios().join("../threshold-aware.yaml");
    let policy = policy.to_str().unwrap();
    let verify = ["verify", policy, "--expect", &expect];
    let search = ["--worlds", "20", "--faults", "none", "--write", &small];
    told(vmpolicy(&[&verify[..], &search].concat()), 1);

    let again = ["--scenario", &small, "--format", "json"];
    let (again, _) = told(vmpolicy(&[&verify[..], &again].concat()), 1);
    let again: Value = serde_json::from_str(&again).unwrap();
    let (broken, story) = (&again["broken"], again["story"].as_array().unwrap());
    assert_eq!(broken["expectation"], "moves: at most 3 per 1h");

    let events: Vec<_> = simulate(&[&small, "--events", "-"]).lines().map(Event::of).collect();
    let lines: Vec<_> = events.iter().filter_map(line).collect();
    let story: Vec<_> = story.iter().map(|line| line.as_str().unwrap()).collect();
    let moves: Vec<_> =
        story.iter().filter(|line| line.contains(" asks to move ") || line.contains(" is at ")).collect();
    assert!(moves.len() >= 8, "{story:#?}");
    // What it tells are the last decisions before the breach, one for one.
    let first = lines.iter().position(|line| moves[0].starts_with(line.as_str())).unwrap();
    for (told, line) in moves.iter().zip(&lines[first..]) {
        assert!(told.starts_with(line.as_str()), "{told}, not {line}");
    }

    // The fourth move within an hour, seen in the records alone.
    let guest = broken["guest"].as_str().unwrap();
    let of = |kind: &str| -> Vec<&Event> {
        events.iter().filter(|one| one.text("event") == kind && one.text("guest") == guest).collect()
    };
    let took_place: Vec<_> = of("confirmed").iter().map(|done| done.says["id"].as_u64().unwrap()).collect();
    let asked: Vec<_> = of("request")
        .into_iter()
        .filter(|asked| took_place.contains(&asked.says["id"].as_u64().unwrap()))
        .map(|asked| asked.at_s)
        .collect();
    assert!(asked.windows(4).any(|four| four[3] - four[0] < 3_600.0), "{asked:?}");
}

/// What is written is a scenario with the policy in it: its first lines say where it comes from.
#[test]
fn what_verify_writes_is_checked_as_any_scenario() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (expect, small) = (at("expect.yaml"), at("small.yaml"));
    fs::write(&expect, EXPECT).unwrap();
    let policy = scenarios().join("../threshold-aware.yaml");
    let verify =
        ["verify", policy.to_str().unwrap(), "--expect", &expect, "--worlds", "20", "--write", &small];
    told(vmpolicy(&verify), 1);
    assert!(fs::read_to_string(&small).unwrap().starts_with("# World "));
    let (says, _) = told(vmpolicy(&["check", &small]), 0);
    assert!(says.contains("small.yaml: ok ("), "{says}");
    let summary = simulate(&[&small]);
    assert!(summary.contains("no invariant was violated"), "{summary}");
}
