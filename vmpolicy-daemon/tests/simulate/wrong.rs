//! Wrong input: what is said, and the exit status.

use super::tool::{told, vmpolicy};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const SCENARIO: &str = "\
version: 1
lasts: 1h
arrays: { oslo: { hosts: [mln1, mln2] } }
guests:
  nii1: { at: mln1, service: database, load: 20, policy: policy.yaml }
";

const POLICY: &str = "\
version: 1
arrays: { oslo: { hosts: [mln1, mln2] } }
indicators: { slow_queries: { every: 60s, read: delta } }
rules: [{ name: overloaded, when: slow_queries > 50, tarry: 3, do: move }]
";

fn put(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

#[test]
fn each_wrong_input_says_what_is_wrong() {
    let folder = TempDir::new().unwrap();
    let here = folder.path();
    put(here, "scenario.yaml", SCENARIO);
    put(here, "policy.yaml", POLICY);
    put(here, "no-policy.yaml", &SCENARIO.replace("policy.yaml", "nope.yaml"));
    put(here, "bad-policy.yaml", &SCENARIO.replace("policy.yaml", "bad.yaml"));
    put(here, "bad.yaml", &POLICY.replace("tarry", "trary"));
    put(here, "no-host.yaml", &SCENARIO.replace("at: mln1", "at: mln3"));
    put(here, "no-trace.yaml", &SCENARIO.replace("load: 20", "load: { trace: nope.csv }"));
    put(here, "bad-trace.yaml", &SCENARIO.replace("load: 20", "load: { trace: policy.yaml }"));
    put(here, "empty.yaml", "");
    fs::create_dir(here.join("folder")).unwrap();
    let cases: &[(&[&str], i32)] = &[
        (&["simulate", "nope.yaml"], 3),
        (&["simulate", "folder"], 3),
        (&["simulate", "empty.yaml"], 1),
        (&["simulate", "no-policy.yaml"], 1),
        (&["simulate", "bad-policy.yaml"], 1),
        (&["simulate", "no-host.yaml"], 1),
        (&["simulate", "no-trace.yaml"], 1),
        (&["simulate", "bad-trace.yaml"], 1),
        (&["simulate", "policy.yaml"], 1),
        (&["backtest", "scenario.yaml", "--trace", "nope.csv"], 1),
        (&["simulate", "scenario.yaml", "--compare", "thr"], 2),
        (&["simulate", "scenario.yaml", "--compare", "best"], 2),
        (&["simulate", "scenario.yaml", "--seed", "-1"], 2),
        (&["simulate", "scenario.yaml", "--report", "-"], 2),
        (&["simulate", "scenario.yaml", "--report", "scenario.yaml"], 2),
        (&["simulate", "scenario.yaml", "--events", "x", "--report", "x"], 2),
        (&["simulate", "scenario.yaml", "--report", "no/such/world.html"], 3),
        (&["simulate", "scenario.yaml", "--report", "folder"], 3),
        (&["simulate", "scenario.yaml", "--events", "no/such/events.jsonl"], 3),
    ];
    let mut all = String::new();
    for (args, status) in cases {
        let mut command = vmpolicy(args);
        command.current_dir(here);
        let (out, err) = told(command, *status);
        assert_eq!(out, "", "{args:?}");
        assert_ne!(err, "", "{args:?}");
        let _ = writeln!(all, "$ vmpolicy {}\n{}[{status}]\n", args.join(" "), err);
    }
    insta::assert_snapshot!("wrong", all);
    assert!(!here.join("x").exists());
}

#[test]
fn check_knows_scenarios_and_the_policies_that_they_name() {
    let folder = TempDir::new().unwrap();
    let here = folder.path();
    put(here, "scenario.yaml", SCENARIO);
    put(here, "policy.yaml", POLICY);
    put(here, "bad-policy.yaml", &SCENARIO.replace("policy.yaml", "bad.yaml"));
    put(here, "bad.yaml", &POLICY.replace("tarry", "trary"));
    let check = |args: &[&str], status| {
        let mut command = vmpolicy(&[&["check"], args].concat());
        command.current_dir(here);
        told(command, status).0
    };
    assert_eq!(
        check(&["scenario.yaml", "policy.yaml"], 0),
        "scenario.yaml: ok (1 guest, 2 hosts)\npolicy.yaml: ok (1 rule)\n"
    );
    let text = check(&["bad-policy.yaml"], 1);
    assert!(text.contains("--> bad.yaml:4:") && text.contains("`tarry`"), "{text}");
    let told: serde_json::Value =
        serde_json::from_str(&check(&["--format", "json", "bad-policy.yaml"], 1)).unwrap();
    assert_eq!(told[0]["ok"], false);
    assert_eq!(told[0]["named"][0]["file"], "bad.yaml");
    assert_eq!(told[0]["named"][0]["problems"][0]["line"], 4);
}

/// What a scenario names is beside it, wherever the program runs.
#[test]
fn paths_go_from_the_folder_of_the_scenario() {
    let folder = TempDir::new().unwrap();
    let here = folder.path();
    fs::create_dir_all(here.join("world/days")).unwrap();
    put(here, "world/policy.yaml", POLICY);
    // Its slow queries are those of the recording: 20 queries a second and more.
    put(here, "world/load.csv", "timestamp,value\n2026-01-05T00:00:00Z,20\n2026-01-05T00:30:00Z,60\n");
    put(here, "world/days/a", "10\n20\n30\n");
    let scenario = SCENARIO.replace("load: 20", "load: { trace: load.csv }");
    let scenario = scenario + "  crowd: { at: mln2, load: { planetlab: days } }\n";
    put(here, "world/scenario.yaml", &scenario);
    let mut command = vmpolicy(&["simulate", "world/scenario.yaml", "--format", "json"]);
    command.current_dir(here);
    let (out, _) = told(command, 0);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["guests"], &report["managed"]), (&2.into(), &1.into()));
    let mut piped = vmpolicy(&["simulate", "-"]);
    piped.current_dir(here.join("world")).stdin(fs::File::open(here.join("world/scenario.yaml")).unwrap());
    assert!(told(piped, 0).0.starts_with("scenario  <stdin>"));
}

/// Whatever the scenario names is read, and stays as it is.
#[test]
fn no_output_takes_the_place_of_a_file_that_the_scenario_names() {
    let folder = TempDir::new().unwrap();
    let here = folder.path();
    fs::create_dir_all(here.join("world/days")).unwrap();
    put(here, "world/policy.yaml", POLICY);
    put(here, "world/other.yaml", &POLICY.replace("> 50", "> 60"));
    put(here, "world/load.csv", "timestamp,value\n2026-01-05T00:00:00Z,20\n2026-01-05T00:30:00Z,60\n");
    put(here, "world/days/a", "10\n20\n30\n");
    let scenario = SCENARIO.replace("load: 20", "load: { trace: load.csv }")
        + "  crowd: { at: mln2, load: { planetlab: days } }\nfaults: [{ at: 10m, reload: other.yaml, guests: nii1 }]\n";
    put(here, "world/scenario.yaml", &scenario);
    std::os::unix::fs::symlink(here.join("world/load.csv"), here.join("alias")).unwrap();
    let named =
        ["world/scenario.yaml", "world/policy.yaml", "world/other.yaml", "world/load.csv", "world/days/a"];
    let before: Vec<_> = named.iter().map(|name| fs::read(here.join(name)).unwrap()).collect();
    for option in ["--report", "--events"] {
        for output in named.iter().chain(&["alias", "./world/../world/policy.yaml"]) {
            let mut command = vmpolicy(&["simulate", "world/scenario.yaml", option, output]);
            command.current_dir(here);
            let (_, err) = told(command, 2);
            let what = option.trim_start_matches('-');
            assert_eq!(err, format!("vmpolicy: {output}: the {what} would overwrite it\n"));
        }
    }
    let after: Vec<_> = named.iter().map(|name| fs::read(here.join(name)).unwrap()).collect();
    assert!(before == after);
    let mut command = vmpolicy(&["simulate", "world/scenario.yaml", "--report", "world/days/b"]);
    command.current_dir(here);
    told(command, 0);
}
