//! What comes out: the same on any number of threads, the same as the library's, and as a page.

use super::tool::{Event, json, scenarios, simulate, told, vmpolicy};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use tempfile::TempDir;
use vmpolicy_core::file::scenario::{NoFiles, load};
use vmpolicy_core::record::View;
use vmpolicy_core::sim::scenario::{GuestIx, Scenario};
use vmpolicy_core::sim::world::{Options, Outcome, Watch, run};
use vmpolicy_core::time::Mono;
use vmpolicy_core::{Output, Policy};
use vmpolicy_daemon::zones::SystemZones;

const COMPARED: &[&str] = &["maintenance.yaml", "--compare", "none,thr-mmt,mad-mmt", "--format", "json"];

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let folder = TempDir::new().unwrap();
    let run = |threads: &str| {
        let path = |name: &str| folder.path().join(format!("{name}-{threads}")).to_str().unwrap().to_owned();
        let (events, page) = (path("events"), path("page"));
        let more = ["--threads", threads, "--events", &events, "--report", &page];
        let out = simulate(&[COMPARED, &more].concat());
        (out, fs::read(events).unwrap(), fs::read(page).unwrap())
    };
    assert!(run("1") == run("2"));
}

/// As the command has it: in the order of time, then of guests.
struct Told<'a> {
    scenario: &'a Scenario,
    lines: Vec<(Mono, u32, String)>,
}

impl Watch for Told<'_> {
    fn recorded(&mut self, guest: GuestIx, at: Mono, policy: &Policy, output: &Output) {
        let name = &self.scenario.guests[guest.index()].name;
        let lines =
            View::all(policy, name, output).map(|view| (at, guest.0, serde_json::to_string(&view).unwrap()));
        self.lines.extend(lines);
    }
}

/// What the library makes of a scenario as a whole: the outcome, and the lines of its records.
pub(crate) fn recorded(scenario: &Scenario) -> (Outcome, String) {
    let mut told = Told { scenario, lines: Vec::new() };
    let outcome = run(scenario, Options::default(), &mut told).unwrap();
    told.lines.sort_by_key(|line| (line.0, line.1));
    (outcome, told.lines.iter().map(|line| format!("{}\n", line.2)).collect())
}

#[test]
fn events_are_what_the_library_records() {
    for name in ["outage.yaml", "maintenance.yaml"] {
        let text = fs::read(scenarios().join(name)).unwrap();
        let scenario = load(&text, &SystemZones::default(), &mut NoFiles).unwrap().scenario;
        let (_, expected) = recorded(&scenario);
        let events = simulate(&[name, "--events", "-"]);
        assert!(expected.lines().count() > 20 && events == expected, "{name}");
        let times: Vec<_> = events.lines().map(|line| Event::of(line).at_s).collect();
        assert!(times.is_sorted());
    }
}

#[test]
fn a_seed_is_another_world_and_is_told() {
    let report = |seed: &str| json(&["outage.yaml", "--seed", seed]);
    let (one, two) = (report("7"), report("8"));
    assert_eq!(one["provenance"]["seed"], 7);
    assert_eq!(one, json(&["outage.yaml"]), "7 is its own seed");
    assert_ne!(one["variants"], two["variants"]);
    assert_eq!(one["checked"]["watched"], true);
    assert_eq!(one["checked"]["violations"], 0);
    let unchecked = json(&["outage.yaml", "--unchecked"]);
    assert_eq!(unchecked["checked"]["watched"], false);
    assert_eq!(unchecked["variants"], one["variants"]);
}

#[test]
fn a_comparison_judges_all_cases_by_the_same_measure() {
    let (text, _) = told(vmpolicy(&["simulate", "neighbour.yaml", "--compare", "own,none,thr-mmt"]), 0);
    let names: Vec<_> =
        text.lines().find(|line| line.contains("thr-mmt")).unwrap().split_whitespace().collect();
    assert_eq!(names, ["own", "none", "thr-mmt"]);
    let report = json(&["neighbour.yaml", "--compare", "none,thr-mmt"]);
    let variants = report["variants"].as_array().unwrap();
    let of = |index: usize, key: &str| variants[index]["totals"][key].as_f64().unwrap();
    assert_eq!(
        variants.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["own", "none", "thr-mmt"]
    );
    // The robbed guests go away where they may, stay and suffer where nobody moves, and are judged all the same.
    assert!(of(0, "requests") >= 3.0 && of(1, "requests") == 0.0 && of(1, "live_moves") == 0.0);
    assert!(of(1, "breach") > 10.0 * of(0, "breach"));
    assert!(of(1, "missed") > of(0, "missed"));
    // Energy of all is that of the hosts.
    let hosts = variants[0]["hosts"].as_array().unwrap();
    let sum: f64 = hosts.iter().map(|host| host["energy_kwh"].as_f64().unwrap()).sum();
    assert!((sum - of(0, "energy_kwh")).abs() < 1e-9);
}

#[test]
fn a_page_has_every_case_and_json_has_the_page() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("world.html");
    let page = path.to_str().unwrap();
    let report = json(&["maintenance.yaml", "--compare", "none", "--report", page]);
    let html = fs::read_to_string(&path).unwrap();
    let (_, data) = html.split_once("id=\"data\">").unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data, report["page"]);
    assert_eq!(data["provenance"]["seed"], report["provenance"]["seed"]);
    assert_eq!(data["marks"].as_array().unwrap().len(), report["faults"].as_array().unwrap().len());
    for variant in data["variants"].as_array().unwrap() {
        let panels: Vec<_> =
            variant["panels"].as_array().unwrap().iter().map(|panel| panel["id"].as_str().unwrap()).collect();
        let expected =
            ["indicator", "indicator-2", "requests", "hosts", "whereabouts", "use", "in-use", "energy"];
        assert_eq!(panels, expected);
        // Every guest has a lane from the beginning to the end, and none is on a host that has failed.
        let lanes = variant["panels"][4]["lanes"]["lanes"].as_array().unwrap();
        assert_eq!(lanes.len(), 20);
        for lane in lanes {
            let stays = lane["stays"].as_array().unwrap();
            assert_eq!(stays[0][0], 0);
            assert_eq!(stays[stays.len() - 1][1], 14 * 3_600);
            assert!(stays.windows(2).all(|pair| pair[0][1] == pair[1][0]), "{lane}");
        }
    }
    let off = html.matches("\"off\"").count();
    assert!(off > 0, "r5 fails with guests on it");
}

/// A page of guests that relocate and of policies that are replaced has hosts by name.
#[test]
fn a_page_follows_relocations_and_reloads() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("world.html");
    for (scenario, moves) in [("nii4.yaml", 3), ("nii1-threshold.yaml", 256)] {
        let report = json(&[scenario, "--report", path.to_str().unwrap()]);
        let (page, own) = (&report["page"], &report["variants"][0]);
        assert_eq!(own["totals"]["requests"], moves, "{scenario}");
        let panels = page["variants"][0]["panels"].as_array().unwrap();
        let lanes = panels.iter().find(|panel| panel["id"] == "whereabouts").unwrap();
        let stays = lanes["lanes"]["lanes"][0]["stays"].as_array().unwrap();
        // What a lane shows is what the hosts had.
        for (index, host) in page["hosts"].as_array().unwrap().iter().enumerate() {
            let on = |stay: &&Value| stay[2] == index;
            let length = |stay: &Value| stay[1].as_f64().unwrap() - stay[0].as_f64().unwrap();
            let shown: f64 = stays.iter().filter(on).map(length).sum();
            let row =
                own["hosts"].as_array().unwrap().iter().find(|row| row["host"] == host["name"]).unwrap();
            let had = row["guest_hours"].as_f64().unwrap() * 3_600.0;
            assert!(
                (shown - had).abs() <= 60.0 * f64::from(moves),
                "{scenario}: {host}: {shown} against {had}"
            );
        }
    }
    // Both thresholds of the policy that was replaced.
    let report = json(&["nii1-threshold.yaml", "--report", path.to_str().unwrap()]);
    let thresholds = &report["page"]["variants"][0]["panels"][0]["indicator"]["thresholds"];
    assert_eq!([&thresholds[0]["value"], &thresholds[1]["value"]], [20, 50]);
}

#[test]
fn who_interrupts_finds_no_half_written_file() {
    let folder = TempDir::new().unwrap();
    let page = folder.path().join("world.html");
    let mut child =
        vmpolicy(&["simulate", "outage.yaml", "--events", "-", "--report", page.to_str().unwrap()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    // It has begun, and can't end as long as nobody reads on: the events are more than a pipe holds.
    let mut lines = BufReader::with_capacity(1, child.stdout.take().unwrap());
    lines.read_line(&mut String::new()).unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_reader_who_has_gone_has_read_enough() {
    let mut child = vmpolicy(&["simulate", "outage.yaml", "--events", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn the_summary_reads_as_a_document() {
    insta::assert_snapshot!("one_guest", without_zones(&simulate(&["nii3.yaml"])));
    insta::assert_snapshot!(
        "several_guests",
        without_zones(&simulate(&["outage.yaml", "--compare", "none,thr-mmt"]))
    );
}

/// What the docs show is what it prints.
#[test]
fn the_docs_show_what_it_prints() {
    let docs = fs::read_to_string(scenarios().join("../../simulate.md")).unwrap();
    let (_, shown) = docs.split_once("$ vmpolicy simulate neighbour.yaml --compare none\n").unwrap();
    let (shown, _) = shown.split_once("\n```").unwrap();
    let printed = simulate(&["neighbour.yaml", "--compare", "none"]);
    assert_eq!(without_zones(shown), without_zones(&printed));
}

/// The version of the zone data is this machine's.
fn without_zones(text: &str) -> String {
    let known = |line: &str| line.split(", zone data").next().unwrap().to_owned();
    text.lines().map(known).collect::<Vec<_>>().join("\n")
}
