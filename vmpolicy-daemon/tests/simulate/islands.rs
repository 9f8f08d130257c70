//! Arrays that have nothing to do with each other run beside each other, and nobody can tell.

use super::effects::recorded;
use super::tool::{json, simulate};
use std::fmt::Write as _;
use std::fs;
use tempfile::TempDir;
use vmpolicy_core::file::scenario::{NoFiles, load};
use vmpolicy_core::sim::world::Island;
use vmpolicy_daemon::zones::SystemZones;

/// Five arrays, the last two of which have a policy in common; more steps of guests than wait for each other.
fn archipelago() -> String {
    let mut text = "version: 1\nlasts: 90m\nstep: 1s\nseed: 5\narrays:\n".to_owned();
    for array in 1..=5 {
        let _ = writeln!(
            text,
            "  a{array}:\n    hosts: 'a{array}h[1-3]'\n    each: {{ cores: 1 }}\n    \
             provider: {{ answers_in: [100ms, 3s], refuses: 0.1, fails: 0.05, loses_answers: 0.02 }}"
        );
    }
    text += "guests:\n";
    for array in 1..=5 {
        let hosts = |array: usize| format!("a{array}: {{ hosts: [a{array}h1, a{array}h2, a{array}h3] }}");
        let arrays = if array >= 4 { format!("{}, {}", hosts(4), hosts(5)) } else { hosts(array) };
        let _ = writeln!(
            text,
            "  db{array}-[1-3]:\n    at: a{array}h[1-3]\n    service: {{ database: {{ work: 0.1 }} }}\n    \
             load: {{ mmpp: {{ rates: [4, 40], stays: [6m, 4m] }} }}\n    policy:\n      \
             arrays: {{ {arrays} }}\n      home: a{array}\n      \
             indicators: {{ slow_queries: {{ every: 10s, read: delta }} }}\n      \
             rules: [{{ name: overloaded, when: slow_queries > 20, tarry: 2, do: move }}]\n      \
             moves: {{ settle: 20s, tour: keep-going, at_most: 30 per 1h }}\n  \
             tenant{array}: {{ at: a{array}h1, load: {{ bursts: {{ gap: 10m, length: 5m, height: 0.9 }} }} }}"
        );
    }
    text += "faults:\n  - { at: 10m, lasts: 5m, provider: down }\n  \
             - { at: 20m, lasts: 2m, daemon: crash, guests: 'db[1-3]-1' }\n  \
             - { at: 40m, lasts: 10m, drain: a2h1 }\n  - { at: 50m, lasts: 3m, guest: pause, guests: [db4-2, db1-2] }\n";
    text
}

#[test]
fn a_world_of_islands_is_the_same_on_one_thread_and_on_two() {
    let folder = TempDir::new().unwrap();
    let world = folder.path().join("islands.yaml");
    fs::write(&world, archipelago()).unwrap();
    let scenario = load(archipelago().as_bytes(), &SystemZones::default(), &mut NoFiles).unwrap().scenario;
    assert_eq!(Island::all(&scenario).len(), 4);
    assert!(scenario.guests.len() as u64 * scenario.lasts.millis() / scenario.step.millis() > 65_536);

    let ran = |threads: &str, format: &str| {
        let path = |name: &str| folder.path().join(format!("{name}-{threads}")).to_str().unwrap().to_owned();
        let (events, page) = (path("events"), path("page"));
        let args = ["--threads", threads, "--compare", "none,thr-mmt", "--format", format];
        let files = ["--events", &events, "--report", &page];
        let out = simulate(&[&[world.to_str().unwrap()], &args[..], &files].concat());
        (out, fs::read_to_string(events).unwrap(), fs::read(page).unwrap())
    };
    let one = ran("1", "json");
    assert!(one == ran("2", "json"));
    assert!(ran("1", "text") == ran("2", "text"));

    // The islands together are the world that the library runs as a whole.
    let (whole, expected) = recorded(&scenario);
    assert!(expected.lines().count() > 300, "{}", expected.lines().count());
    assert!(one.1 == expected);
    let quiet = json(&[world.to_str().unwrap(), "--threads", "2"]);
    let report: serde_json::Value = serde_json::from_str(&one.0).unwrap();
    assert_eq!(quiet["variants"][0], report["variants"][0], "seen or not");
    let totals = &quiet["variants"][0]["totals"];
    assert_eq!(totals["steps"], whole.steps);
    assert_eq!(totals["energy_kwh"], whole.energy_kwh);
    assert_eq!(totals["fairness"], whole.fairness);
    assert_eq!(totals["live_moves"], whole.live_moves);
}
