//! `vmpolicy backtest` with several policies, many guests, or a very long recording.
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
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

impl Folder {
    /// With three policies: the second is bolder, the third has hosts and an indicator of its own.
    fn new() -> Self {
        let second = POLICY.replace("load > 50, tarry: 3", "load > 40, tarry: 1");
        let third = POLICY.replace(" load", " threads").replace("{ threads: {} }", "{ load: {} }");
        let third = third.replace("60s", "5m").replace("mln", "east").replace("nii3", "nii9");
        Self::with(&["backtest"], &[("a.yaml", POLICY), ("b.yaml", &second), ("c.yaml", &third)])
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.told(&[args, &["--format", "json"]].concat(), 0).0).unwrap()
    }
}

fn guests(count: i64) -> String {
    let days: String = (0..count).map(|guest| day(Some(&format!("web{guest}")), (guest * 7) % 30)).collect();
    format!("series,timestamp,value\n{days}")
}

#[test]
fn several_policies_stand_side_by_side() {
    let folder = Folder::new();
    folder.put("day.csv", format!("timestamp,value\n{}", day(None, 5)));
    let (out, err) = folder.told(&["a.yaml", "b.yaml", "c.yaml", "--trace", "day.csv"], 0);
    insta::assert_snapshot!("one_guest", format!("{out}---\n{err}"));
    folder.put("days.csv", guests(3));
    let (out, _) = folder.told(&["a.yaml", "b.yaml", "--trace", "days.csv"], 0);
    insta::assert_snapshot!("three_guests", out);
}

#[test]
fn of_many_guests_the_spread_and_the_worst_are_told() {
    let folder = Folder::new();
    folder.put("days.csv", guests(25));
    let (out, _) = folder.told(&["a.yaml", "--trace", "days.csv"], 0);
    insta::assert_snapshot!("many_guests", out);
    let (out, _) = folder.told(&["a.yaml", "b.yaml", "--trace", "days.csv"], 0);
    insta::assert_snapshot!("many_guests_side_by_side", out);
    for files in [&["a.yaml"][..], &["a.yaml", "b.yaml"]] {
        let (out, _) = folder.told(&[files, &["--trace", "days.csv", "--all"]].concat(), 0);
        assert!((0..25).all(|guest| out.contains(&format!("  web{guest} "))), "{out}");
    }
    let json = folder.json(&["a.yaml", "--trace", "days.csv"]);
    assert_eq!(json["guests"].as_array().unwrap().len(), 25);
    let mut requests: Vec<_> = json["guests"].as_array().unwrap().iter().collect();
    requests.sort_by_key(|guest| guest["requests"]["count"].as_u64());
    let rank = |rank: usize| requests[rank - 1]["requests"]["count"].as_f64();
    let spread = &json["spread"]["requests"];
    let told = ["min", "median", "p95", "max"].map(|key| spread[key].as_f64());
    assert_eq!(told, [rank(1), rank(13), rank(24), rank(25)]);
}

#[test]
fn each_policy_comes_to_what_it_comes_to_alone() {
    let folder = Folder::new();
    folder.put("days.csv", guests(3));
    let files = ["a.yaml", "b.yaml", "c.yaml"];
    let together = folder.json(&[&files[..], &["--trace", "days.csv"]].concat());
    let (events, _) = folder.told(&[&files[..], &["--trace", "days.csv", "--events", "-"]].concat(), 0);
    let at = |line: &str| serde_json::from_str::<Value>(line).unwrap()["at"].as_str().unwrap().to_owned();
    assert!(events.lines().map(at).is_sorted());
    for (index, file) in files.iter().enumerate() {
        let mut alone = folder.json(&[file, "--trace", "days.csv"]);
        for shared in ["trace", "notes"] {
            assert_eq!(alone.as_object_mut().unwrap().remove(shared).unwrap(), together[shared]);
        }
        assert_eq!(together["policies"][index], alone);
        let (alone, _) = folder.told(&[file, "--trace", "days.csv", "--events", "-"], 0);
        let mark = format!("{{\"policy\":\"{file}\",");
        let mine =
            events.lines().filter_map(|line| line.strip_prefix(&mark)).map(|line| format!("{{{line}\n"));
        assert_eq!(mine.collect::<String>(), alone, "{file}");
    }
}

#[test]
fn the_number_of_threads_makes_no_difference() {
    let folder = Folder::new();
    folder.put("days.csv", guests(9));
    let run = |threads: &str| {
        let args = ["a.yaml", "b.yaml", "c.yaml", "--trace", "days.csv", "--threads", threads];
        let text = folder.told(&args, 0);
        let events = folder.told(&[&args[..], &["--events", "-"]].concat(), 0);
        (text, folder.json(&args), events)
    };
    let one = run("1");
    for threads in ["2", "3", "16"] {
        assert_eq!(run(threads), one, "{threads}");
    }
}

#[test]
fn what_fits_one_policy_and_not_another_is_said_with_its_file() {
    let folder = Folder::new();
    folder.put("day.csv", format!("timestamp,value\n{}", day(None, 5)));
    let two = POLICY.replace("rules:", "  other: { probe: { load: {} }, every: 60s }\nrules:");
    folder.put("two.yaml", &two);
    folder.put("broken.yaml", POLICY.replace("tarry: 3", "tary: 3"));
    let mut told = String::new();
    for (args, status) in [
        (&["a.yaml", "a.yaml"][..], 2),
        (&["-", "-"], 2),
        (&["a.yaml", "two.yaml"], 2),
        (&["a.yaml", "c.yaml", "--indicator", "load"], 2),
        (&["a.yaml", "c.yaml", "--at", "mln2"], 2),
        (&["a.yaml", "broken.yaml"], 1),
        (&["a.yaml", "none.yaml"], 3),
        (&["a.yaml", "--query", "up"], 2),
        (&["a.yaml", "--threads", "0"], 2),
        (&["a.yaml", "--columns", "timestamp=ts"], 1),
        (&["a.yaml", "--columns", "time=ts"], 2),
        (&["a.yaml", "b.yaml", "--events", "b.yaml"], 2),
    ] {
        let (out, err) = folder.told(&[args, &["--trace", "day.csv"]].concat(), status);
        let _ = writeln!(told, "{}\n{err}{out}", args.join(" "));
    }
    insta::assert_snapshot!("wrong", told);
    // The first name that a policy has is the one that counts.
    let more = ["--indicator", "load", "--indicator", "threads", "--at", "east2", "--at", "mln2"];
    let args = [&["two.yaml", "c.yaml", "--trace", "day.csv"][..], &more].concat();
    let json = folder.json(&args);
    assert_eq!([0, 1].map(|index| json["policies"][index]["indicator"].clone()), ["load", "threads"]);
}

#[test]
fn columns_of_csv_can_have_other_names() {
    let folder = Folder::new();
    let plain = guests(2);
    folder.put("days.csv", &plain);
    folder.put("named.csv", plain.replace("series,timestamp,value", "vm,when,cpu"));
    let columns = ["--columns", "timestamp=when,value=cpu,series=vm"];
    let named =
        folder.told(&[&["a.yaml", "--trace", "named.csv", "--events", "-"][..], &columns].concat(), 0);
    assert_eq!(named, folder.told(&["a.yaml", "--trace", "days.csv", "--events", "-"], 0));
}

/// Rows that are ages apart are polled all the same, which takes a while. Who does not want to wait for it leaves
/// nothing behind.
#[cfg(unix)]
#[test]
fn a_long_run_says_so_and_an_interrupt_leaves_nothing() {
    use std::os::unix::process::ExitStatusExt;
    let folder = Folder::new();
    folder.put("ages.csv", "timestamp,value\n0,60\n60,60\n120,60\n200000000000,60\n");
    folder.put("old.jsonl", "old\n");
    for events in ["old.jsonl", "new.jsonl"] {
        let mut command = folder.command(&["a.yaml", "--trace", "ages.csv", "--events", events]);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let said = "vmpolicy: 3,333,333,334 polls to go, which takes a while: `nii3` lasts ";
        assert!(line.starts_with(said), "{line}");
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(2));
    }
    assert_eq!(folder.text("old.jsonl"), "old\n");
    let mut names: Vec<_> =
        fs::read_dir(folder.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a.yaml", "ages.csv", "b.yaml", "c.yaml", "old.jsonl"]);
}
