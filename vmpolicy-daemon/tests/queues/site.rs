//! A site-aware guest from end to end: big batches take it to the faster site, where their jobs are run; small ones bring
//! it home (thesis 3.12.3 and 4.3).

use crate::guest::Guest;
use std::fs;

fn site_aware(guest: &Guest) -> String {
    let at = |name: &str| guest.path(name).display().to_string();
    // T_PH of three big jobs is 30 s, T_M 5 s, T_PA 30 s / 2.28: a gain of 1.65. Of a small one it is next to nothing.
    format!(
        "version: 1
guest: g
arrays:
  oslo: {{ hosts: [mln1] }}
  amazon: {{ hosts: [m1-large], speed: 2.28, relocation: 5s }}
home: oslo
queues:
  jobs:
    source: {{ directory: \"{queue}\" }}
    every: 50ms
    classes: {{ big: 10s, small: 10ms }}
    run: {{ {run} }}
rules:
  - {{ name: worth-it, when: 'gain(jobs, amazon) >= 1', do: move-from-home }}
  - {{ name: not-worth-it, when: 'gain(jobs, amazon) < 1', do: move-to-home }}
moves: {{ settle: 100ms, confirm_within: 20s, at_most: 100 per 1h }}
actuator: {{ exec: {{ argv: [/bin/sh, \"{ask}\", \"{{from}}\", \"{{to}}\"], timeout: 10s }} }}
locator: {{ file: {{ path: \"{location}\" }}, every: 100ms }}
",
        queue = at("queue"),
        run = guest.runs(""),
        ask = at("ask"),
        location = at("location"),
    )
}

#[test]
fn it_goes_where_the_jobs_are_worth_it_and_comes_back() {
    let mut guest = Guest::new("echo \"$1 $(cat location)\" >> ran", "");
    guest.write("location", "mln1\n");
    let folder = guest.folder.path().display().to_string();
    // The daemon is killed when it has asked, with its batch claimed, and the move comes after that.
    guest.write(
        "ask",
        &format!("cd {folder}; echo \"$1 $2\" >> asked; sleep 0.3; echo $2 > new2; mv new2 location"),
    );
    guest.policy(&site_aware(&guest));
    guest.batch("1", &["small-1"]);
    guest.start();
    guest.wait_for("a small one at home", |guest| guest.at("done") == ["1/small-1"]);
    assert_eq!(guest.lines("ran"), ["small-1 mln1"]);
    assert!(guest.lines("asked").is_empty());

    guest.batch("2", &["big-1", "big-2", "big-3"]);
    guest.wait_for("the request", |guest| guest.lines("asked") == ["mln1 m1-large"]);
    guest.kill();
    assert_eq!(guest.at("claimed-by-g").len(), 3, "claimed, and not begun");
    guest.start();
    guest.wait_for("the big ones", |guest| guest.at("done").len() == 4);
    assert_eq!(guest.lines("ran")[1..], ["big-1 m1-large", "big-2 m1-large", "big-3 m1-large"]);

    guest.batch("3", &["small-2", "small-3"]);
    guest.wait_for("the small ones", |guest| guest.at("done").len() == 6);
    assert_eq!(guest.lines("ran")[4..], ["small-2 mln1", "small-3 mln1"]);
    assert_eq!(guest.lines("asked"), ["mln1 m1-large", "m1-large mln1"], "each way once");
    let rules: Vec<_> = guest.events("request").iter().map(|record| record["rule"].clone()).collect();
    assert_eq!(rules, ["worth-it", "not-worth-it"]);
    assert!(fs::read_to_string(guest.path("out/2/big-1.json")).unwrap().contains("\"class\":\"big\""));
}
