//! Hooks of the real daemon, good ones and hostile ones.

use crate::guest::Guest;
use crate::manager::Manager;
use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

const MOVES: &str = "settle: 100ms, confirm_within: 60s, bar: 100ms, at_most: 100 per 1m, tour: keep-going";

/// A guest on mln1 with these hooks, that sees where it is; `{dir}/hook` is a script that writes down what it is told.
fn guest(hooks: &str) -> (Guest, Manager) {
    let guest = Guest::new(MOVES, "");
    guest.write("location", "mln1\n");
    script(&guest, "hook", "");
    let manager = Manager::start(Some(guest.path("location")));
    set(&guest, &manager, hooks);
    (guest, manager)
}

fn set(guest: &Guest, manager: &Manager, hooks: &str) {
    let port = manager.port;
    guest.policy(
        MOVES,
        &format!(
            "actuator: {{ webhook: {{ url: \"http://127.0.0.1:{port}/moves\", poll: 50ms }} }}\n\
            locator: {{ file: {{ path: \"{{dir}}/location\" }}, every: 100ms }}\n{hooks}"
        ),
    );
}

fn script(guest: &Guest, name: &str, then: &str) {
    guest.write(name, &format!("#!/bin/sh\necho \"$*\" >> {}\n{then}\n", guest.path("told").display()));
    std::fs::set_permissions(guest.path(name), Permissions::from_mode(0o755)).unwrap();
}

fn told(guest: &Guest) -> Vec<String> {
    guest.read("told").lines().map(str::to_owned).collect()
}

const BOTH: &str = "hooks:\n  \
    on_arrival: { argv: [\"{dir}/hook\", arrived, \"{guest}\", \"{from}\", \"{to}\", \"{id}\", \"{host}\"], timeout: 20s }\n  \
    before_leaving: { argv: [\"{dir}/hook\", leaving, \"{guest}\", \"{from}\", \"{to}\", \"{id}\", \"{host}\"], timeout: 20s }\n";

#[test]
fn they_run_at_their_moments_and_a_place_is_not_forgotten_over_a_start() {
    let (mut guest, manager) = guest(BOTH);
    guest.start();
    guest.wait_for("the first arrival", |guest| guest.events("hook").len() == 1);
    guest.load(9);
    guest.wait_for("a move and its hooks", |guest| guest.events("hook").len() >= 3);
    guest.load(0);
    let first = [
        "arrived nii3  mln1  mln1",
        "leaving nii3 mln1 mln2 nii3-1 mln1",
        "arrived nii3 mln1 mln2 nii3-1 mln2",
    ];
    assert_eq!(told(&guest)[..3], first);
    let hooks = guest.events("hook");
    let said = |hook: &Value| format!("{} {} {} {}", hook["hook"], hook["id"], hook["host"], hook["outcome"]);
    assert_eq!(said(&hooks[0]), r#""on_arrival" null "mln1" "done""#);
    assert_eq!(said(&hooks[1]), r#""before_leaving" 1 "mln1" "done""#);
    assert_eq!(said(&hooks[2]), r#""on_arrival" 1 "mln2" "done""#);
    assert!(hooks.iter().all(|hook| hook["exit"] == 0 && hook["took"].is_number()), "{hooks:#?}");

    // It rests somewhere: as many arrivals as departures, and the first.
    guest.wait_for("the last arrival", |guest| guest.events("hook").len() == 2 * manager.moves().len() + 1);
    guest.terminate();
    guest.assert_replays();
    let before = told(&guest).len();
    let here = guest.read("location");
    guest.start();
    guest.wait_for("the second life", |guest| {
        guest.tool(&["status", "--socket", &guest.path("control").display().to_string()]).contains("nii3")
    });
    guest.terminate();
    assert_eq!(told(&guest).len(), before, "it has not moved");

    // Restarted at another place, by somebody else.
    let there = if here == "mln3\n" { "mln1" } else { "mln3" };
    guest.write("location", &format!("{there}\n"));
    guest.start();
    guest.wait_for("the arrival", |guest| told(guest).len() > before);
    assert_eq!(*told(&guest).last().unwrap(), format!("arrived nii3 {} {there}  {there}", here.trim()));
    guest.terminate();
    guest.assert_replays();
}

#[test]
fn a_required_hook_keeps_the_guest_where_it_is() {
    let hooks = |required: bool| {
        format!("hooks: {{ before_leaving: {{ argv: [/bin/sh, -c, \"exit 4\"], required: {required} }} }}\n")
    };
    let (mut guest, manager) = guest(&hooks(true));
    guest.start();
    guest.load(9);
    guest.wait_for("refusals", |guest| guest.events("refused").len() >= 2);
    assert!(manager.posts().is_empty(), "{:?}", manager.posts());
    let hook = &guest.events("hook")[0];
    assert_eq!((&hook["outcome"], &hook["exit"]), (&"failed".into(), &4.into()), "{hook}");
    set(&guest, &manager, &hooks(false));
    guest.signal(rustix::process::Signal::HUP);
    guest.wait_for("a move", |guest| !guest.events("confirmed").is_empty());
    guest.load(0);
    guest.terminate();
    guest.assert_replays();
}

#[test]
fn hooks_that_hang_fork_print_and_ignore_their_end_hold_nobody_up() {
    for hostile in [
        "trap '' TERM; while :; do sleep 1; done",
        "sleep 600 & sleep 600 & wait",
        "yes 1234567890",
        "head -c 30000000 /dev/zero >&2; kill -9 $$",
    ] {
        let (mut guest, _manager) = guest("");
        script(&guest, "hostile", hostile);
        let hooks = "hooks: { on_arrival: { argv: [\"{dir}/hostile\"], timeout: 500ms }, \
            before_leaving: { argv: [\"{dir}/hostile\"], timeout: 500ms } }\n";
        set(&guest, &_manager, hooks);
        guest.start();
        guest.load(9);
        guest.wait_for("a move", |guest| !guest.events("confirmed").is_empty());
        guest.load(0);
        guest.wait_for("both hooks", |guest| {
            let hooks = guest.events("hook");
            ["on_arrival", "before_leaving"].iter().all(|name| hooks.iter().any(|hook| hook["hook"] == *name))
        });
        for hook in guest.events("hook") {
            assert!(
                ["timed-out", "killed"].contains(&hook["outcome"].as_str().unwrap()),
                "{hostile}: {hook}"
            );
        }
        guest.terminate();
    }
}

#[test]
fn who_only_observes_runs_none() {
    let (mut guest, manager) = guest(BOTH);
    set(&guest, &manager, &format!("mode: observe\n{BOTH}"));
    guest.start();
    guest.load(9);
    guest.wait_for("two moves in mind", |guest| guest.events("confirmed").len() >= 2);
    guest.terminate();
    assert!(told(&guest).is_empty() && guest.events("hook").is_empty() && manager.posts().is_empty());
}
