//! `vmpolicy verify` as a user runs it: the built program, on files in a temporary folder.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should say where")]

#[path = "common/folder.rs"]
mod folder;

use folder::Folder;
use serde_json::Value;
use std::fs;

/// It goes to its base whenever there is little to do, at whatever time.
const POLICY: &str = "\
version: 1
guest: nii
arrays:
  oslo: { hosts: [mln1, mln2, mln3, mln4], base: mln6, price: { host: 0.12, base: 0.03 } }
indicators: { slow: { every: 60s } }
windows: { working_hours: { days: Mon-Sun, hours: 09:00-16:00, zone: UTC } }
rules:
  - { name: overloaded, when: slow > 50, tarry: 3, do: move }
  - { name: idle, when: slow < 10, tarry: 3, do: move-to-base }
moves: { tour: keep-going }
";

const EXPECT: &str = "\
version: 1
expect:
  - moves: { at_most: 16, per: 1h }
  - never_at_base: { inside: working_hours, for: 10m }
";

impl Folder {
    fn new() -> Self {
        Self::with(&[], &[("policy.yaml", POLICY), ("expect.yaml", EXPECT)])
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

const BROKEN: [&str; 6] = ["verify", "policy.yaml", "--expect", "expect.yaml", "--worlds", "30"];

#[test]
fn what_breaks_is_told_and_written() {
    let folder = Folder::new();
    let (out, err) = folder.told(&BROKEN, 1);
    insta::assert_snapshot!(out);
    assert_eq!(err, "");
    let written: Vec<_> = folder.names().into_iter().filter(|name| name.starts_with("verify-1-")).collect();
    assert_eq!(written.len(), 1, "{written:?}");
    insta::assert_snapshot!(folder.text(&written[0]));

    // It breaks again, and with a policy that is better it does not.
    let again = ["verify", "policy.yaml", "--expect", "expect.yaml", "--scenario", &written[0]];
    let (out, _) = folder.told(&again, 1);
    assert!(out.contains("`never_at_base: inside working_hours for 10m` is broken"), "{out}");
    let (json, _) = folder.told(&[&again[..], &["--format", "json"]].concat(), 1);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["broken"]["expectation"], "never_at_base: inside working_hours for 10m");
    folder.put(
        "policy.yaml",
        POLICY
            .replace("  - { name: idle, when: slow < 10, tarry: 3, do: move-to-base }\n", "")
            .replace("at: mln6", "at: mln1"),
    );
    let world = fs::read_to_string(folder.dir.path().join(&written[0]))
        .unwrap()
        .replace("    at: mln6\n", "    at: mln1\n");
    folder.put("world.yaml", world);
    let (out, _) =
        folder.told(&["verify", "policy.yaml", "--expect", "expect.yaml", "--scenario", "world.yaml"], 0);
    assert_eq!(out, "world.yaml: everything is kept\n");
}

#[test]
fn threads_and_shards_change_nothing() {
    let folder = Folder::new();
    let json = [&BROKEN[..], &["--format", "json", "--threads"]].concat();
    let run = |threads: &str| folder.told(&[&json[..], &[threads, "--write", "world.yaml"]].concat(), 1);
    let one = (run("1"), folder.text("world.yaml"));
    let two = (run("2"), folder.text("world.yaml"));
    assert_eq!(one, two);
    let names: Vec<String> = (1..=3)
        .map(|index| {
            let shard = format!("{index}/3");
            let args = [&BROKEN[..], &["--format", "json", "--shard", &shard]].concat();
            let output = folder.command(&args).output().unwrap();
            // A shard in which nothing is broken is done.
            assert!(output.status.code() < Some(2), "{output:?}");
            let name = format!("{index}.json");
            folder.put(&name, output.stdout);
            name
        })
        .collect();
    let (merged, _) =
        folder.told(&[&["merge"], &names.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat(), 0);
    assert_eq!(merged, one.0.0);
}

#[test]
fn one_world_is_the_same_world() {
    let folder = Folder::new();
    let (all, _) = folder.told(&[&BROKEN[..], &["--format", "json"]].concat(), 1);
    let all: Value = serde_json::from_str(&all).unwrap();
    let last = all["items"].as_array().unwrap().last().unwrap();
    let index = last["index"].to_string();
    let args = ["verify", "policy.yaml", "--expect", "expect.yaml", "--world", &index, "--format", "json"];
    let (one, _) = folder.told(&args, 1);
    let one: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(one["items"][0], *last);
    assert!(folder.names().contains(&format!("verify-1-{index}.yaml")));
}

#[test]
fn what_is_kept_or_never_tested_is_said() {
    let folder = Folder::new();
    folder.put(
        "expect.yaml",
        "version: 1\nexpect:\n  - moves: { at_most: 1000, per: 1h }\n  - leaves_draining: { within: 5m }\n",
    );
    let args = [&BROKEN[..], &["--faults", "none"]].concat();
    let (out, err) = folder.told(&args, 0);
    insta::assert_snapshot!(format!("{out}---\n{err}"));
}

#[test]
fn wrong_usage_and_bad_input_are_told() {
    let folder = Folder::new();
    folder.put("bad.yaml", "version: 1\nexpect:\n  - mvoes: { at_most: 6, per: 1h }\n  - never_on: mln9\n");
    folder.put("scenario.yaml", "version: 1\nlasts: 1h\nguests: 7\n");
    let cases: [(&[&str], i32); 8] = [
        (&["verify", "policy.yaml", "--shard", "1/4"], 2),
        (&["verify", "policy.yaml", "--shard", "5/4", "--format", "json"], 2),
        (&["verify", "policy.yaml", "--worlds", "0"], 2),
        (&["verify", "policy.yaml", "--faults", "some"], 2),
        (&["verify", "gone.yaml"], 3),
        (&["verify", "policy.yaml", "--expect", "bad.yaml"], 1),
        (&["verify", "policy.yaml", "--scenario", "scenario.yaml"], 1),
        (
            &[
                "verify",
                "policy.yaml",
                "--expect",
                "expect.yaml",
                "--worlds",
                "30",
                "--write",
                "no/such/folder.yaml",
            ],
            3,
        ),
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|(args, status)| format!("$ vmpolicy {}\n{}", args.join(" "), folder.told(args, *status).1))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_small_scenario_takes_no_input_s_place() {
    let folder = Folder::new();
    for write in ["./policy.yaml", "expect.yaml"] {
        let (_, err) = folder.told(&[&BROKEN[..], &["--write", write]].concat(), 2);
        assert_eq!(err, format!("vmpolicy: {write}: the small scenario would overwrite it\n"));
    }
    let (_, err) = folder.told(&[&BROKEN[..], &["--write", "no/such/world.yaml"]].concat(), 3);
    assert!(err.contains("can't write no/such/world.yaml"), "{err}");
    folder.told(&BROKEN, 1);
    let own = folder.names().into_iter().find(|name| name.starts_with("verify-1-")).unwrap();
    // The name that the small scenario takes by itself is the policy's own.
    folder.put(&own, POLICY);
    let (_, err) = folder.told(&[&["verify", own.as_str()], &BROKEN[2..]].concat(), 2);
    assert_eq!(err, format!("vmpolicy: {own}: the small scenario would overwrite it\n"));
    assert_eq!(fs::read_to_string(folder.dir.path().join(&own)).unwrap(), POLICY);
    assert_eq!(folder.names().len(), 3);
}

/// The world of that number was none at all, and everything was kept in it.
#[test]
fn there_is_no_world_after_the_last() {
    let folder = Folder::new();
    folder.told(&["verify", "policy.yaml", "--world", "18446744073709551615"], 2);
    let (out, _) = folder.told(&["verify", "policy.yaml", "--world", "18446744073709551614"], 0);
    assert!(!out.contains("with 0 guests"), "{out}");
}
