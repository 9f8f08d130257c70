//! `vmpolicy backtest` as a user runs it: the built program, on files in a temporary folder.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should say where")]

#[path = "common/day.rs"]
mod day;
#[path = "common/folder.rs"]
mod folder;

use day::{POLICY, day};
use folder::Folder;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

impl Folder {
    fn new() -> Self {
        Self::with(&["backtest"], &[("policy.yaml", POLICY)])
    }

    fn events(&self, trace: &str, more: &[&str]) -> String {
        self.told(&[&["policy.yaml", "--trace", trace, "--events", "-"], more].concat(), 0).0
    }
}

fn one_day() -> String {
    format!("timestamp,value\n{}", day(None, 5))
}

fn two_guests() -> String {
    let (web, db) = (day(Some("web1"), 5), day(Some("db1"), 20));
    let rows: Vec<_> = web.lines().zip(db.lines()).flat_map(|(web, db)| [web, db]).collect();
    format!("series,timestamp,value\n{}\n", rows.join("\n"))
}

fn packed(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// A row a minute, all the same.
fn constant(minutes: i64) -> String {
    (0..minutes).fold(String::from("timestamp,value\n"), |mut rows, minute| {
        let _ = writeln!(rows, "{},100", 1_241_568_000 + minute * 60);
        rows
    })
}

#[test]
fn the_summary_of_one_guest() {
    let folder = Folder::new();
    folder.put("day.csv", one_day());
    let (out, err) = folder.told(&["policy.yaml", "--trace", "day.csv"], 0);
    insta::assert_snapshot!("one_guest", format!("{out}---\n{err}"));
    let (out, _) = folder.told(&["policy.yaml", "--trace", "day.csv", "--format", "json"], 0);
    insta::assert_snapshot!("one_guest_json", out);
}

#[test]
fn the_summary_of_several_guests() {
    let folder = Folder::new();
    folder.put("day.csv", two_guests());
    let (out, err) = folder.told(&["policy.yaml", "--trace", "day.csv"], 0);
    insta::assert_snapshot!("two_guests", format!("{out}---\n{err}"));
    let (json, _) = folder.told(&["policy.yaml", "--trace", "day.csv", "--format", "json"], 0);
    let report: Value = serde_json::from_str(&json).unwrap();
    let count = |at: &Value| at["requests"]["count"].as_u64().unwrap();
    let each: u64 = report["guests"].as_array().unwrap().iter().map(count).sum();
    assert_eq!(count(&report["totals"]), each);
    assert_eq!(report["guests"][1]["guest"], "db1");
}

#[test]
fn events_are_the_same_to_a_file_and_a_pipe_and_from_gzip() {
    let folder = Folder::new();
    folder.put("day.csv", one_day());
    folder.put("day.dat", packed(&one_day()));
    let events = folder.events("day.csv", &[]);
    let (summary, _) = folder.told(&["policy.yaml", "--trace", "day.dat", "--events", "out.jsonl"], 0);
    assert_eq!(folder.text("out.jsonl"), events);
    assert!(summary.contains("requests"), "with a file, standard output is free for the summary");
    let lines: Vec<_> = events.lines().collect();
    // Idle from the first minute on: the twentieth sample, at 00:19, acts.
    let idle = r#"{"at":"2009-05-06T00:19:00Z","guest":"nii3","event":"request","id":1,"rule":"idle","do":"move-to-base","from":"mln1","to":"mln6","because":{"counter":20,"tarry":"20","#;
    assert!(lines[0].starts_with(idle), "{}", lines[0]);
    let there = r#"{"at":"2009-05-06T00:19:00Z","guest":"nii3","event":"confirmed","id":1,"at_host":"mln6"}"#;
    assert_eq!(lines[1], there);
    assert!(events.contains(r#""event":"unknown","indicator":"load","reason":"stale"}"#));
}

#[test]
fn events_of_several_guests_stand_in_time_order_and_never_change() {
    let folder = Folder::new();
    folder.put("day.csv", two_guests());
    let events = folder.events("day.csv", &[]);
    let parsed: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(parsed.iter().map(|event| event["at"].as_str().unwrap()).is_sorted());
    assert_eq!([0, 1, 2].map(|at: usize| parsed[at]["guest"].clone()), ["web1", "web1", "db1"]);
    for _ in 0..3 {
        assert_eq!(folder.events("day.csv", &[]), events);
    }
    for guest in ["web1", "db1"] {
        let alone = folder.events("day.csv", &["--series", guest]);
        let marked = format!("\"guest\":\"{guest}\"");
        let of_all: Vec<_> = events.lines().filter(|line| line.contains(&marked)).collect();
        assert_eq!(alone.lines().collect::<Vec<_>>(), of_all);
    }
}

#[test]
fn under_constant_overload_requests_are_225_s_apart() {
    let folder = Folder::new();
    let moves = "moves: { settle: 45s, tour: keep-going, at_most: 16 per 1h }\nrules:";
    folder.put("policy.yaml", POLICY.replace("rules:", moves));
    folder.put("busy.csv", constant(300));
    let at = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
    };
    let events = folder.events("busy.csv", &[]);
    let asked: Vec<_> = events.lines().filter(|line| line.contains("\"request\"")).map(at).collect();
    assert!(asked.len() > 60);
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] == 225), "{asked:?}");
}

#[test]
fn options_do_what_they_say() {
    let folder = Folder::new();
    folder.put("day.csv", one_day());
    let from = r#"{"at":"2009-05-06T00:19:00Z","guest":"nii3","event":"request","id":1,"rule":"idle","do":"move-to-base","from":"mln3""#;
    assert!(folder.events("day.csv", &["--at", "mln3"]).starts_with(from));
    let late = folder.events("day.csv", &["--move-takes", "90s"]);
    let confirmed = r#"{"at":"2009-05-06T00:20:30Z","guest":"nii3","event":"confirmed""#;
    assert!(late.lines().nth(1).unwrap().starts_with(confirmed));
    let too_late = ["policy.yaml", "--trace", "day.csv", "--move-takes", "20m"];
    assert_eq!(
        folder.told(&too_late, 0).1.lines().last(),
        Some(
            "vmpolicy: `nii3`: a move takes 20m, and the policy gives it up after 10m: see `confirm_within` and --move-takes"
        )
    );
    assert!(!folder.events("day.csv", &["--stale", "1h"]).contains("stale"));
    let (out, _) = folder.told(&["--help"], 0);
    assert!(out.contains("vmpolicy backtest policy.yaml --trace week.csv.gz"));
}

#[test]
fn standard_input_will_do_for_either_file() {
    let folder = Folder::new();
    folder.put("day.csv", one_day());
    let expected = folder.events("day.csv", &[]);
    for (args, input) in [
        (["policy.yaml", "--trace", "-", "--events", "-"], one_day()),
        (["-", "--trace", "day.csv", "--events", "-"], POLICY.to_owned()),
    ] {
        let mut command = folder.command(&args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }
    folder.told(&["-", "--trace", "-"], 2);
}

#[test]
fn windows_and_other_indicators_have_their_say() {
    let folder = Folder::new();
    folder.put("day.csv", one_day());
    let windows = "windows:\n  day: { days: Mon-Sun, hours: 09:00-16:00, zone: Europe/Oslo }\nrules:\n  - { name: off-duty, when: outside day, do: rest }\n";
    let errors = "indicators:\n  errors: { probe: { file: errors }, every: 30s }\n";
    folder.put("policy.yaml", POLICY.replace("rules:\n", windows).replace("indicators:\n", errors));
    let (_, err) = folder.told(&["policy.yaml", "--trace", "day.csv"], 2);
    assert!(err.contains("Say --indicator with one of `errors`, `load`"), "{err}");
    let args = ["policy.yaml", "--trace", "day.csv", "--indicator", "load", "--events", "-"];
    let (events, err) = folder.told(&args, 0);
    let is_edge = |line: &&str| line.contains(r#""event":"rest""#) || line.contains(r#""event":"wake""#);
    let edges: Vec<_> = events.lines().filter(is_edge).collect();
    let edge = |at, event| {
        format!(r#"{{"at":"2009-05-06T{at}:00Z","guest":"nii3","event":"{event}","rule":"off-duty"}}"#)
    };
    // 9:00 to 16:00 in Oslo is 7:00 to 14:00 UTC in May.
    assert_eq!(edges, [edge("00:00", "rest"), edge("07:00", "wake"), edge("14:00", "rest")]);
    assert!(err.contains("nothing feeds `errors`"), "{err}");
}

#[test]
fn what_is_wrong_with_the_command_line_is_said_with_status_2() {
    let folder = Folder::new();
    folder.put("day.csv", one_day());
    folder.put("two.csv", two_guests());
    let mut told = String::new();
    for args in [
        &["policy.yaml"][..],
        &["policy.yaml", "--trace", "day.csv", "--series", "web1"],
        &["policy.yaml", "--trace", "two.csv", "--series", "web2"],
        &["policy.yaml", "--trace", "day.csv", "--at", "mln7"],
        &["policy.yaml", "--trace", "day.csv", "--at", "nowhere"],
        &["policy.yaml", "--trace", "day.csv", "--indicator", "laod"],
        &["policy.yaml", "--trace", "day.csv", "--stale", "60"],
        &["policy.yaml", "--trace", "day.csv", "--events", "day.csv"],
    ] {
        let (out, err) = folder.told(args, 2);
        let _ = writeln!(told, "{}\n{err}{out}", args.join(" "));
    }
    insta::assert_snapshot!("wrong_usage", told);
    assert_eq!(folder.text("day.csv"), one_day());
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_status_1_or_3() {
    let folder = Folder::new();
    folder.put("day.csv", one_day());
    folder.put("empty.csv", "");
    folder.put("header.csv", "timestamp,value\n");
    folder.put("text.csv", "timestamp,value\n0,x\n60,y\n");
    folder.put("short.csv", "timestamp,value\n0,1\n60\n");
    folder.put("ages.csv", "timestamp,value\n0,1\n200000000000,1\n");
    let whole = packed(&one_day());
    folder.put("torn.csv.gz", &whole[..whole.len() - 20]);
    folder.put("broken.yaml", POLICY.replace("tarry: 3", "tary: 3"));
    folder.put("fast.yaml", POLICY.replace("60s", "1ms"));
    let mut told = String::new();
    for (args, status) in [
        (["policy.yaml", "--trace", "empty.csv"], 1),
        (["policy.yaml", "--trace", "header.csv"], 1),
        (["policy.yaml", "--trace", "text.csv"], 1),
        (["policy.yaml", "--trace", "short.csv"], 1),
        (["policy.yaml", "--trace", "torn.csv.gz"], 1),
        (["fast.yaml", "--trace", "ages.csv"], 1),
        (["broken.yaml", "--trace", "day.csv"], 1),
        (["policy.yaml", "--trace", "none.csv"], 3),
        (["policy.yaml", "--trace", "."], 3),
        (["none.yaml", "--trace", "day.csv"], 3),
    ] {
        let (out, err) = folder.told(&args, status);
        let _ = writeln!(told, "{}\n{err}{out}", args.join(" "));
    }
    insta::assert_snapshot!("bad_files", told);
    folder.told(&["policy.yaml", "--trace", "day.csv", "--events", "no/such/folder"], 3);
}

#[test]
fn a_reader_who_leaves_is_no_failure() {
    let folder = Folder::new();
    folder.put("busy.csv", constant(20_000));
    for more in [&["--events", "-"][..], &[]] {
        let mut command = folder.command(&[&["policy.yaml", "--trace", "busy.csv"], more].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
        assert_eq!(output.status.code(), Some(0));
    }
}

/// A fenced block of a page.
struct Block<'a> {
    language: &'a str,
    /// The file that the line before it names last, if any.
    file: Option<&'a str>,
    content: String,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let (mut within, mut before) = (false, "");
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(language) => {
                within = !within;
                if within {
                    let file = before.split('`').skip(1).step_by(2).last();
                    blocks.push(Block { language, file, content: String::new() });
                }
            }
            None if within => {
                if let Some(Block { content, .. }) = blocks.last_mut() {
                    content.push_str(line);
                    content.push('\n');
                }
            }
            None if !line.is_empty() => before = line,
            None => {}
        }
    }
    blocks
}

#[test]
fn the_page_shows_what_is_printed() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/backtest.md")).unwrap();
    let folder = Folder::new();
    let mut commands = 0;
    for Block { language, file, content } in blocks(&page) {
        match (language, file) {
            ("yaml" | "csv", Some(file)) => _ = folder.put(file, content),
            ("console", _) => {
                let (command, shown) = content.split_once('\n').unwrap();
                let args: Vec<_> = command.strip_prefix("$ vmpolicy backtest ").unwrap().split(' ').collect();
                let (out, err) = folder.told(&args, 0);
                assert_eq!(format!("{err}{out}"), shown, "{command}");
                commands += 1;
            }
            _ => {}
        }
    }
    assert_eq!(commands, 3);
}
