//! `vmpolicy tune`, `--shard` and `vmpolicy merge` as a user runs them: the built program, on files in a temporary
//! folder.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should say where")]

#[path = "common/folder.rs"]
mod folder;

use folder::Folder;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

const POLICY: &str = "\
# What the team agreed on.
version: 1
guest: nii3
arrays:
  oslo:
    hosts: [mln1, mln2, mln3, mln4]
    base: mln6
    price: { host: 0.12, base: 0.03 }
indicators:
  load: { probe: { load: {} }, every: 60s }
rules:
  - { name: overloaded, when: load > 50, tarry: 3, do: move }   # too much
  - { name: idle, when: load < 5, do: move-to-base }
";

impl Folder {
    fn new() -> Self {
        Self::with(&[], &[("policy.yaml", POLICY), ("fleet.csv", &fleet())])
    }

    fn out(&self, args: &[&str]) -> String {
        self.told(args, 0).0
    }

    /// Runs every shard of a command and gives the files.
    fn shards(&self, args: &[&str], count: usize) -> Vec<String> {
        (1..=count)
            .map(|index| {
                let shard = format!("{index}/{count}");
                let out = self.out(&[args, &["--shard", &shard, "--format", "json"]].concat());
                let name = format!("{index}of{count}.json");
                self.put(&name, out);
                name
            })
            .collect()
    }

    fn merged(&self, files: &[String]) -> String {
        let args: Vec<&str> = ["merge"].into_iter().chain(files.iter().map(String::as_str)).collect();
        self.out(&args)
    }
}

/// Two days of minutes of five guests: a wave by day, spikes of some minutes, and a gap.
fn fleet() -> String {
    let mut rows = "series,timestamp,value\n".to_owned();
    for minute in (0..2_880_i64).filter(|minute| !(900..930).contains(minute)) {
        for guest in 0..5_i64 {
            let wave = (60 - (minute % 1_440 - 700 - 20 * guest).abs() / 8).max(0);
            let noise = (minute * 7_919 + guest * 104_729) % 13;
            let spike = if (minute * (guest + 3)) % 301 < 6 { 45 } else { 0 };
            let _ = writeln!(rows, "web{guest},{},{}", 1_241_568_000 + minute * 60, wave + noise + spike);
        }
    }
    rows
}

const TUNE: &[&str] = &["tune", "policy.yaml", "--trace", "fleet.csv", "--candidates", "160"];

#[test]
fn the_front_and_the_present_values_as_a_table() {
    let folder = Folder::new();
    let (out, err) = folder.told(TUNE, 0);
    insta::assert_snapshot!(mended(&format!("{out}--- standard error\n{err}")));
}

#[test]
fn the_member_that_is_praised_is_in_the_table() {
    let folder = Folder::new();
    let mut praised = 0;
    for seed in 1..=6 {
        let (seed, candidates) = (seed.to_string(), "300");
        let out = folder
            .out(&[&TUNE[..4], &["--fix", "settle", "--seed", &seed, "--candidates", candidates]].concat());
        let rows = out.lines().skip_while(|line| !line.starts_with("now")).skip(1);
        assert!(rows.take_while(|line| !line.is_empty()).count() <= 15, "{out}");
        let Some((_, best)) = out.split_once("of them (*): number ") else { continue };
        let number = best.split_whitespace().next().unwrap();
        praised += 1;
        assert!(out.contains(&format!("*{number} ")), "number {number} is not in it:\n{out}");
    }
    assert!(praised > 2, "{praised}");
}

#[test]
fn a_guest_with_a_single_row_does_not_keep_the_others_from_being_tuned() {
    let folder = Folder::new();
    folder.put("fleet.csv", fleet() + "new,1241568000,7\n");
    let report: Value = serde_json::from_str(&folder.out(&[TUNE, &["--format", "json"]].concat())).unwrap();
    let recordings = report["recordings"].as_array().unwrap();
    assert_eq!(recordings.len(), 6);
    let new = recordings.iter().find(|one| one["series"] == "new").unwrap();
    assert_eq!((&new["rows"], &new["held_out_from"]), (&1.into(), &Value::Null));
}

#[test]
fn threads_and_shards_make_no_difference() {
    let folder = Folder::new();
    let json = [TUNE, &["--format", "json"]].concat();
    let whole = folder.out(&json);
    assert_eq!(folder.out(&[json.as_slice(), &["--threads", "1"]].concat()), whole);
    assert_eq!(folder.out(&[json.as_slice(), &["--threads", "3"]].concat()), whole);
    for count in [1, 3, 11] {
        let mut files = folder.shards(TUNE, count);
        files.reverse();
        assert_eq!(folder.merged(&files), whole, "{count} shards");
    }
    assert_ne!(folder.out(&[json.as_slice(), &["--seed", "2"]].concat()), whole);
    let report: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(report["provenance"]["seed"], 1);
    assert_eq!(report["provenance"]["engine"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn shards_of_a_backtest_joined_are_the_whole_byte_for_byte() {
    let folder = Folder::new();
    folder.put("bolder.yaml", POLICY.replace("50", "30"));
    let (one, two) = (["backtest", "policy.yaml"], ["backtest", "policy.yaml", "bolder.yaml"]);
    for policies in [one.as_slice(), two.as_slice()] {
        let args = [policies, &["--trace", "fleet.csv", "--stale", "90s"]].concat();
        let whole = folder.out(&[args.as_slice(), &["--format", "json"]].concat());
        for count in [1, 2, 7] {
            assert_eq!(folder.merged(&folder.shards(&args, count)), whole, "{count} shards");
        }
    }
    // Remarks of several kinds, about some of the guests.
    folder.put("counter.yaml", POLICY.replace("every: 60s", "every: 150s, read: delta"));
    let args = ["backtest", "counter.yaml", "--trace", "fleet.csv"];
    let whole = folder.out(&[args.as_slice(), &["--format", "json"]].concat());
    assert!(whole.contains("not-a-counter") && whole.contains("rows-not-read"), "{whole}");
    assert_eq!(folder.merged(&folder.shards(&args, 3)), whole);
}

#[test]
fn a_member_of_the_front_becomes_a_policy_file_that_does_what_was_said() {
    let folder = Folder::new();
    let json = folder.out(&[TUNE, &["--hold-out", "0", "--format", "json"]].concat());
    folder.put("tuned.json", &json);
    let report: Value = serde_json::from_str(&json).unwrap();
    let front = report["front"].as_array().unwrap();
    assert!(front.len() > 5, "{}", front.len());
    for member in [&front[0], &front[front.len() / 2], &front[front.len() - 1]] {
        let number = member["number"].to_string();
        let write = ["--result", "tuned.json", "--write", &number, "new.yaml", "--plot", "front.svg"];
        folder.told(&[&["tune", "policy.yaml"], write.as_slice()].concat(), 0);
        let new = folder.text("new.yaml");
        assert!(new.starts_with("# What the team agreed on.\n") && new.contains("# too much"), "{new}");
        let backtest = folder.out(&["backtest", "new.yaml", "--trace", "fleet.csv", "--format", "json"]);
        let backtest: Value = serde_json::from_str(&backtest).unwrap();
        let (said, done) = (&member["tuned_on"], &backtest["totals"]);
        assert_eq!(said["moves"], done["requests"]["count"], "{member}");
        assert_eq!(said["own_breach"], done["time"]["breach"]);
        let cost = |value: &Value| value.as_f64().unwrap();
        assert!((cost(&said["cost"]) - cost(&done["cost"]["c_t"])).abs() < 1e-9);
    }
    let svg = folder.text("front.svg");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches("<circle").count(), 3 * (front.len() + 1));
}

#[test]
fn what_varies_can_be_said() {
    let folder = Folder::new();
    let vary = ["--vary", "overloaded.tarry=1..4", "--vary", "settle=0s,45s", "--hold-out", "0"];
    let json = folder.out(&[TUNE, &vary, &["--format", "json"]].concat());
    let report: Value = serde_json::from_str(&json).unwrap();
    // A small space is tried whole.
    let tried: u64 =
        report["islands"].as_array().unwrap().iter().map(|one| one["tried"].as_u64().unwrap()).sum();
    assert_eq!(tried, 8);
    let names: Vec<_> = report["parameters"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["overloaded.tarry", "settle"]);
    assert_eq!(report["front"][0]["held_out"], Value::Null);
}

#[test]
fn where_nothing_could_be_tried_it_is_said_why() {
    let folder = Folder::new();
    let refused = [TUNE, &["--vary", "settle=10m,15m"]].concat();
    let (out, err) = folder.told(&refused, 1);
    assert!(out.contains("No candidate could be tried"), "{out}");
    insta::assert_snapshot!(err);
    folder.told(&[&refused[..], &["--format", "json"]].concat(), 1);
    // Another shard may have found something.
    folder.told(&[&refused[..], &["--format", "json", "--shard", "1/2"]].concat(), 0);
    folder.told(&[&refused[..], &["--allow-warnings"]].concat(), 0);
}

#[test]
fn rules_that_the_recording_does_not_feed_stay_as_they_are() {
    let folder = Folder::new();
    let policy = POLICY
        .replace("load: { probe: { load: {} }, every: 60s }", "load: { every: 60s }\n  cpu: { every: 60s }");
    folder.put("two.yaml", policy.replace("when: load < 5", "when: { all: [load < 5, cpu < 9] }"));
    let args = [
        "tune",
        "two.yaml",
        "--indicator",
        "load",
        "--trace",
        "fleet.csv",
        "--candidates",
        "16",
        "--format",
        "json",
    ];
    let (json, err) = folder.told(&args, 0);
    let says = "rule `idle` stays as it is: it reads `cpu`, too, which the recording does not feed";
    assert!(err.contains(says), "{err}");
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["remarks"][0], says);
    let names: Vec<_> = report["parameters"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["overloaded.threshold", "overloaded.tarry", "settle", "dwell"]);
    let (json, err) = folder.told(&[&args[..], &["--vary", "idle.tarry"]].concat(), 0);
    assert_eq!(err, "");
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["parameters"][0]["name"], "idle.tarry");
}

#[test]
fn columns_may_have_other_names() {
    let folder = Folder::new();
    folder.put("odd.csv", fleet().replacen("series,timestamp,value", "host,ts,load", 1));
    let run = |trace: &str, more: &[&str], status: i32| {
        let args = ["tune", "policy.yaml", "--candidates", "16", "--format", "json", "--trace", trace];
        folder.told(&[&args[..], more].concat(), status)
    };
    let (odd, _) = run("odd.csv", &["--columns", "series=host,timestamp=ts,value=load"], 0);
    assert_eq!(odd.replace("odd.csv", "fleet.csv"), run("fleet.csv", &[], 0).0);
    assert!(run("odd.csv", &[], 1).1.contains("odd.csv"));
    let (_, err) = run("fleet.csv", &["--query", "up"], 2);
    assert!(err.contains("--query is for a Prometheus"), "{err}");
}

#[test]
fn wrong_usage_and_bad_input_are_told() {
    let folder = Folder::new();
    folder.put("rest.yaml", POLICY.replace("do: move }", "do: move-up }"));
    folder.put("empty.csv", "timestamp,value\n");
    folder.put("text.json", "so much for that");
    let tuned = folder.out(&[TUNE, &["--format", "json"]].concat());
    folder.put("tuned.json", &tuned);
    folder.put("other.yaml", POLICY.replace("50", "51"));
    let trace = ["tune", "policy.yaml", "--trace", "fleet.csv"];
    let cases: Vec<(Vec<&str>, i32)> = vec![
        (vec!["tune", "policy.yaml"], 2),
        (vec!["tune", "nowhere.yaml", "--trace", "fleet.csv"], 3),
        (vec!["tune", "policy.yaml", "--trace", "nowhere.csv"], 3),
        (vec!["tune", "policy.yaml", "--trace", "prometheus:http://localhost:9090"], 2),
        (vec!["tune", "policy.yaml", "--trace", "empty.csv"], 1),
        (vec!["tune", "rest.yaml", "--trace", "fleet.csv"], 2),
        ([&trace, ["--vary", "overloaded.tary"].as_slice()].concat(), 2),
        ([&trace, ["--vary", "overloaded.tarry=0..3"].as_slice()].concat(), 2),
        ([&trace, ["--vary", "settle=5"].as_slice()].concat(), 2),
        ([&trace, ["--breach", "lod > 5"].as_slice()].concat(), 2),
        ([&trace, ["--hold-out", "1.5"].as_slice()].concat(), 2),
        ([&trace, ["--shard", "1/4"].as_slice()].concat(), 2),
        ([&trace, ["--shard", "0/4", "--format", "json"].as_slice()].concat(), 2),
        ([&trace, ["--shard", "5/4", "--format", "json"].as_slice()].concat(), 2),
        ([&trace, ["--shard", "a/b", "--format", "json"].as_slice()].concat(), 2),
        (vec!["backtest", "policy.yaml", "--trace", "fleet.csv", "--shard", "1/2"], 2),
        (vec!["tune", "policy.yaml", "--result", "tuned.json", "--write", "0", "new.yaml"], 2),
        (vec!["tune", "policy.yaml", "--result", "tuned.json", "--write", "one", "new.yaml"], 2),
        (vec!["tune", "other.yaml", "--result", "tuned.json", "--write", "1", "new.yaml"], 1),
        (vec!["tune", "policy.yaml", "--result", "text.json", "--write", "1", "new.yaml"], 1),
        (vec!["tune", "policy.yaml", "--result", "tuned.json", "--write", "1", "no/new.yaml"], 3),
        (vec!["merge", "tuned.json"], 1),
        (vec!["merge", "text.json"], 1),
        (vec!["merge", "nowhere.json"], 3),
    ];
    let mut told = String::new();
    for (args, status) in cases {
        let (_, err) = folder.told(&args, status);
        let first: Vec<_> = err.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        let _ = writeln!(told, "{}\n  {status}: {}", args.join(" "), first.join(" | "));
    }
    let printed = mended(&told);
    insta::assert_snapshot!(printed);
    assert!(!folder.dir.path().join("new.yaml").exists());
}

#[test]
fn what_is_written_takes_the_place_of_nothing_that_was_read() {
    let folder = Folder::new();
    folder.put("tuned.json", folder.out(&[TUNE, &["--format", "json"]].concat()));
    std::os::unix::fs::symlink("policy.yaml", folder.dir.path().join("alias")).unwrap();
    let before = ["policy.yaml", "fleet.csv", "tuned.json"].map(|name| folder.text(name));
    let search = ["tune", "policy.yaml", "--trace", "fleet.csv"];
    let again = ["tune", "policy.yaml", "--result", "tuned.json"];
    let told = |args: &[&str], more: &[&str]| folder.told(&[args, more].concat(), 2).1;
    let would = |file: &str, what: &str| format!("vmpolicy: {file}: the {what} would overwrite it\n");
    for file in ["policy.yaml", "alias", "./fleet.csv"] {
        assert_eq!(told(&search, &["--plot", file]), would(file, "plot"));
        assert_eq!(told(&search, &["--write", "1", file]), would(file, "new policy"));
    }
    assert_eq!(told(&again, &["--plot", "tuned.json"]), would("tuned.json", "plot"));
    let both = told(&again, &["--write", "1", "new", "--plot", "./new"]);
    assert_eq!(both, "vmpolicy: the new policy and the plot can't be one file\n");
    assert!(told(&again, &["--plot", "-"]).contains("--plot front.svg"));
    assert_eq!(["policy.yaml", "fleet.csv", "tuned.json"].map(|name| folder.text(name)), before);
}

#[test]
fn a_plot_into_a_pipe_leaves_the_pipe() {
    use std::os::unix::fs::FileTypeExt as _;
    let folder = Folder::new();
    folder.put("tuned.json", folder.out(&[TUNE, &["--format", "json"]].concat()));
    let pipe = folder.dir.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    folder.out(&["tune", "policy.yaml", "--result", "tuned.json", "--plot", "pipe"]);
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert!(reader.join().unwrap().ends_with("</svg>\n"));
}

/// Without the fingerprints of policies, which any change of the engine may change.
fn mended(text: &str) -> String {
    let hex = |word: &str| word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = text.split_inclusive([' ', '\n', ',']);
    let mend = |word: &str| {
        let bare = word.trim_end_matches([' ', '\n', ',']);
        if hex(bare) { word.replace(bare, "<fingerprint>") } else { word.to_owned() }
    };
    words.map(mend).collect()
}

#[test]
fn results_that_do_not_belong_together_are_told() {
    let folder = Folder::new();
    let quick = ["tune", "policy.yaml", "--trace", "fleet.csv", "--candidates", "16"];
    let shards = folder.shards(&quick, 2);
    let merge = |files: &[&str]| folder.told(&[&["merge"], files].concat(), 1).1;
    let mut told = merge(&[&shards[0]]) + &merge(&[&shards[0], &shards[0]]);
    folder.put("other.yaml", POLICY.replace("50", "51"));
    folder.put("short.csv", fleet().lines().take(2_000).collect::<Vec<_>>().join("\n"));
    let others: [&[&str]; 4] = [
        &["tune", "policy.yaml", "--trace", "fleet.csv", "--candidates", "17"],
        &["tune", "policy.yaml", "--trace", "fleet.csv", "--candidates", "16", "--seed", "9"],
        &["tune", "other.yaml", "--trace", "fleet.csv", "--candidates", "16"],
        &["backtest", "policy.yaml", "--trace", "fleet.csv"],
    ];
    for args in others {
        let out = folder.out(&[args, &["--shard", "2/2", "--format", "json"]].concat());
        folder.put("other.json", out);
        told += &merge(&[&shards[0], "other.json"]);
    }
    // Of several policies, which one is named.
    let two = ["backtest", "policy.yaml", "other.yaml", "--trace", "fleet.csv"];
    let shards_of_two = folder.shards(&two, 2);
    let newer = folder.text(&shards_of_two[1]).replacen("\"engine\": \"", "\"engine\": \"9.", 1);
    folder.put("newer.json", newer);
    told += &merge(&[&shards_of_two[0], "newer.json"]);
    folder.put("cut.json", &folder.text(&shards[1])[..400]);
    told += &merge(&[&shards[0], "cut.json"]);
    insta::assert_snapshot!(mended(&told));
}
