//! `vmpolicy test` as a user runs it: the built program, on files in a temporary folder.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should say where")]

#[path = "common/folder.rs"]
mod folder;

use folder::Folder;
use serde_json::Value;
use std::fs;

const POLICY: &str = "\
version: 1
guest: nii
arrays: { oslo: { hosts: [mln1, mln2, mln3], base: mln6 } }
indicators: { load: { every: 60s } }
rules:
  - { name: busy, when: load > 8, tarry: 3, do: move }
  - { name: idle, when: load < 1, tarry: 5, do: move-to-base }
";

const TESTS: &str = "\
version: 1
policy: policy.yaml
tests:
  - name: three high samples move it
    start: 2009-05-06T09:00 Europe/Oslo
    readings: { load: 3x2 9x5 }
    expect:
      - { at: 4m, event: request, rule: busy, to: mln2 }
  - name: two do not
    readings: { load: 9x2 3x10 }
    expect:
      - { at: 0s..11m, none: any }
";

/// Each way to be wrong once.
const FAILING: &str = "\
version: 1
policy: policy.yaml
tests:
  - name: too early, too late, not at all
    start: 2009-05-06T09:00 Europe/Oslo
    readings: { load: 3x2 9x8 timed-out x2 3x3 0x6 }
    moves: confirmed after 20s
    happens:
      - { at: 11m, drain: mln3, for: 1h }
    expect:
      - { at: 3m, event: request, rule: busy }
      - { at: 5m, location: mln1 }
      - { at: 6m..9m, none: request }
      - { at: 18m, event: request, rule: idle, to: mln3 }
      - { at: 19m, event: held, rule: idle }
  - name: passes
    readings: { load: 3 }
    expect: [{ at: 0s..10m, none: any }]
";

impl Folder {
    fn new() -> Self {
        Self::with(&["test"], &[("policy.yaml", POLICY), ("good.yaml", TESTS), ("failing.yaml", FAILING)])
    }
}

macro_rules! assert_document {
    ($text:expr) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!($text) })
    };
}

#[test]
fn what_passes_is_short() {
    let (out, err) = Folder::new().told(&["good.yaml"], 0);
    assert_eq!(err, "");
    assert_document!(out);
}

#[test]
fn what_fails_says_what_when_and_why() {
    assert_document!(Folder::new().told(&["good.yaml", "failing.yaml"], 1).0);
}

#[test]
fn programs_are_told_the_same() {
    let (out, _) = Folder::new().told(&["failing.yaml", "--format", "json"], 1);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["passed"], &report["failed"]), (&Value::from(1), &Value::from(1)));
    let fingerprint = report["files"][0]["fingerprint"].as_str().unwrap();
    assert!(fingerprint.len() == 16 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit()), "{fingerprint}");
    assert_document!(out.replace(env!("CARGO_PKG_VERSION"), "VERSION").replace(fingerprint, "FINGERPRINT"));
}

#[test]
fn ci_servers_are_told_too() {
    let folder = Folder::new();
    folder.put("bad.yaml", "version: 1\npolicy: policy.yaml\ntests: [{ name: a <b>, at: x, expect: [] }]\n");
    let args = ["failing.yaml", "bad.yaml", "--junit", "results.xml", "--filter", "passes"];
    folder.told(&args, 1);
    assert_document!(folder.text("results.xml"));
    folder.told(&["failing.yaml", "--junit", "results.xml"], 1);
    let whole = folder.text("results.xml");
    assert!(whole.contains("<failure message=\"failing.yaml:11: expected at 3m"), "{whole}");
    folder.told(&["good.yaml", "--junit", "good.yaml"], 2);
    folder.told(&["good.yaml", "--junit", "no/such/folder.xml"], 3);
}

#[test]
fn results_do_not_take_the_place_of_a_policy() {
    let folder = Folder::new();
    let policy = || folder.text("policy.yaml");
    let before = policy();
    let (out, err) = folder.told(&["good.yaml", "--junit", "./policy.yaml"], 2);
    assert_eq!(
        (out.as_str(), err.as_str()),
        ("", "vmpolicy: ./policy.yaml: the results would overwrite it\n")
    );
    assert_eq!(policy(), before);
}

#[test]
fn a_filter_picks_tests_and_one_that_picks_none_is_wrong() {
    let folder = Folder::new();
    let (out, _) = folder.told(&["failing.yaml", "--filter", "passes"], 0);
    assert!(out.ends_with("1 test: 1 passed, 0 failed, 1 left out\n"), "{out}");
    assert!(!out.contains("acts in no test"), "what was left out may have tried it: {out}");
    let (_, err) = folder.told(&["failing.yaml", "--filter", "nothing"], 2);
    assert_eq!(err, "vmpolicy: no test has `nothing` in its name\n");
}

#[test]
fn bad_files_are_told_with_their_places() {
    let folder = Folder::new();
    folder.put("broken.yaml", "version: 1\narrays: { oslo: { hosts: [a, a] } }\nhoem: oslo\n");
    folder.put(
        "of-broken.yaml",
        "version: 1\npolicy: broken.yaml\ntests: [{ name: a, expect: [{ at: 1 }] }]\n",
    );
    let (out, _) = folder.told(&["of-broken.yaml"], 1);
    assert_document!(out);
    let (json, _) = folder.told(&["of-broken.yaml", "--format", "json"], 1);
    let report: Value = serde_json::from_str(&json).unwrap();
    let file = &report["files"][0];
    assert_eq!(file["ok"], false);
    assert_eq!(file["problems"][0]["code"], "VT0010");
    assert_eq!(file["policies"][0]["problems"][0]["code"], "VP0003");
    // A policy's name counts from the test file, and is shown from here.
    fs::create_dir(folder.dir.path().join("tests")).unwrap();
    folder.put("tests/it.yaml", "version: 1\npolicy: ../broken.yaml\ntests: [{ name: a, expect: [] }]\n");
    let (out, _) = folder.told(&["tests/it.yaml"], 1);
    assert!(out.contains("--> tests/../broken.yaml:2:30"), "{out}");
}

#[test]
fn what_can_t_be_read_is_outside() {
    let folder = Folder::new();
    let (out, err) = folder.told(&["gone.yaml", "good.yaml"], 3);
    assert!(err.starts_with("vmpolicy: can't read gone.yaml:"), "{err}");
    assert!(
        out.contains("2 tests: 2 passed, 0 failed; 1 file could not be run"),
        "the others are tested: {out}"
    );
    folder.put("of-gone.yaml", "version: 1\npolicy: gone.yaml\ntests: [{ name: a, expect: [] }]\n");
    let (out, _) = folder.told(&["of-gone.yaml"], 3);
    assert!(out.contains("VT0009") && out.contains("of-gone.yaml:2:9"), "{out}");
    folder.told(&[], 2);
}

#[test]
fn colour_is_only_where_it_is_wanted() {
    let folder = Folder::new();
    assert!(!folder.told(&["good.yaml"], 0).0.contains('\u{1b}'));
    assert!(folder.told(&["good.yaml", "--color", "always"], 0).0.contains("\u{1b}[32mok"));
    let name = "version: 1\npolicy: policy.yaml\ntests: [{ name: \"a \\e[31m b\", expect: [] }]\n";
    folder.put("red.yaml", name);
    assert!(!folder.told(&["red.yaml"], 0).0.contains('\u{1b}'), "whatever a name says");
}

/// The fenced blocks of a page: language and content.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("\n```") {
        let (language, body) = after.split_once('\n').unwrap();
        let (content, after) = body.split_once("\n```").unwrap();
        blocks.push((language, content));
        rest = after;
    }
    blocks
}

#[test]
fn the_page_shows_what_is_printed() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/testing.md")).unwrap();
    let folder = Folder::new();
    let (mut files, mut commands) = (0, 0);
    for (language, content) in blocks(&page) {
        match language {
            "yaml" => {
                files += 1;
                // The policy, its tests, and another file of tests, which passes.
                let name = ["web.yaml", "web-test.yaml", "more.yaml"][files - 1];
                folder.put(name, format!("{content}\n"));
                if name == "more.yaml" {
                    folder.told(&[name], 0);
                }
            }
            "console" => {
                let (command, shown) = content.split_once('\n').unwrap_or((content, ""));
                let args: Vec<_> = command.strip_prefix("$ vmpolicy test ").unwrap().split(' ').collect();
                let (out, err) = folder.told(&args, 1);
                commands += 1;
                // The first shows each test and not what failed in it.
                let out = if commands == 1 { without_details(&out) } else { out };
                assert_eq!(format!("{err}{out}"), format!("{shown}\n"), "{command}");
            }
            _ => {}
        }
    }
    assert_eq!((files, commands), (3, 2));
}

fn without_details(out: &str) -> String {
    out.lines()
        .filter(|line| !line.starts_with("      ") && !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect()
}
