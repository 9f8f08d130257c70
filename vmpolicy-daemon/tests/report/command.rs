//! The option `--report` of `vmpolicy backtest`.

use crate::made::{PATIENT, SCHEDULED, START, load};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = "series,timestamp,value\n".to_owned();
    for minute in 0..1_440 {
        for guest in 0..3 {
            writeln!(csv, "web<{guest}>,{},{}", START + minute * 60, load(minute, guest)).unwrap();
        }
    }
    std::fs::write(folder.path().join("one.yaml"), SCHEDULED).unwrap();
    std::fs::write(folder.path().join("two.yaml"), PATIENT).unwrap();
    std::fs::write(folder.path().join("day.csv"), csv).unwrap();
    folder
}

fn backtest(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
    command.current_dir(folder).arg("backtest").args(args).output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_policy_that_calls_less_a_breach_is_not_the_better_for_it() {
    let folder = folder();
    let slower = PATIENT.replace("tarry: 12", "tarry: 20");
    let dearer = PATIENT.replace("> 50", "> 60");
    for (name, text) in [("slower.yaml", &slower), ("dearer.yaml", &dearer)] {
        assert_ne!(text, PATIENT, "{name}");
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    for (other, better) in [("slower.yaml", "less"), ("dearer.yaml", "neither")] {
        let args = ["two.yaml", other, "--trace", "day.csv", "--report", "day.html", "--format", "json"];
        let json: Value = serde_json::from_slice(&backtest(folder.path(), &args).stdout).unwrap();
        let measures = json["page"]["measures"].as_array().unwrap();
        let of = |name: &str| measures.iter().find(|one| one["name"] == name).map(|one| &one["better"]);
        assert_eq!(of("in breach"), Some(&better.into()), "{other}");
        assert_eq!(of("share in breach"), Some(&better.into()), "{other}");
        assert_eq!(of("requests"), Some(&"less".into()), "{other}");
    }
}

#[test]
fn on_paper_thresholds_close_together_have_labels_that_can_be_read() {
    let folder = folder();
    let close = PATIENT.replace("< 5,", "< 49,");
    assert_ne!(close, PATIENT);
    std::fs::write(folder.path().join("close.yaml"), close).unwrap();
    let output = backtest(folder.path(), &["close.yaml", "--trace", "day.csv", "--report", "day.html"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let html = std::fs::read_to_string(folder.path().join("day.html")).unwrap();
    let height = |label: &str| -> f64 {
        let (before, _) = html.split_once(&format!(">{label}</text>")).unwrap();
        let (_, text) = before.rsplit_once("<text").unwrap();
        text.split_once(" y=\"").unwrap().1.split_once('"').unwrap().0.parse().unwrap()
    };
    let (upper, lower) = (height("overloaded &gt; 50"), height("idle &lt; 49"));
    assert!(lower - upper > 12.9, "{upper}, {lower}");
}

#[test]
fn several_policies_are_one_page_and_its_data_is_in_the_json() {
    let folder = folder();
    let args = ["one.yaml", "two.yaml", "--trace", "day.csv", "--report", "day.html", "--format", "json"];
    let output = backtest(folder.path(), &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let page = &json["page"];
    assert_eq!(page["title"], "3 guests under 2 policies");
    let variants = page["variants"].as_array().unwrap();
    assert_eq!(
        variants.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["one.yaml", "two.yaml"]
    );
    for (variant, tried) in variants.iter().zip(json["policies"].as_array().unwrap()) {
        assert_eq!(variant["policy"], tried["provenance"]["policy"]);
        assert_eq!(variant["cost"]["c_t"], tried["totals"]["cost"]["c_t"]);
    }
    let requests = &page["measures"][0];
    assert_eq!((&requests["name"], &requests["better"]), (&"requests".into(), &"less".into()));
    for (value, tried) in
        requests["values"].as_array().unwrap().iter().zip(json["policies"].as_array().unwrap())
    {
        assert_eq!(value, &tried["totals"]["requests"]["count"]);
    }
    let html = std::fs::read_to_string(folder.path().join("day.html")).unwrap();
    assert!(html.contains("web&lt;0&gt;") && !html.contains("web<0>"), "names are text");
    let (_, data) = html.split_once("id=\"data\">").unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    assert_eq!(&serde_json::from_str::<Value>(data).unwrap(), page);
}

#[test]
fn a_page_leaves_the_summary_as_it_is() {
    let folder = folder();
    let plain = backtest(folder.path(), &["one.yaml", "--trace", "day.csv"]);
    let with = backtest(folder.path(), &["one.yaml", "--trace", "day.csv", "--report", "day.html"]);
    assert_eq!(plain.stdout, with.stdout);
    let again = backtest(
        folder.path(),
        &["one.yaml", "--trace", "day.csv", "--report", "again.html", "--threads", "1"],
    );
    assert!(again.status.success());
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("day.html"), read("again.html"), "on any number of processors");
    assert_eq!(names(folder.path()), ["again.html", "day.csv", "day.html", "one.yaml", "two.yaml"]);
}

#[test]
fn what_can_t_be_is_refused_and_leaves_nothing() {
    let folder = folder();
    let before = names(folder.path());
    let refused = |report: &str, more: &[&str], status: i32, says: &str| {
        let args = [&["one.yaml", "--trace", "day.csv", "--report", report], more].concat();
        let output = backtest(folder.path(), &args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{error}");
        assert!(error.contains(says), "{error}");
        assert_eq!(names(folder.path()), before);
    };
    refused("-", &[], 2, "a report is a file");
    refused("one.yaml", &[], 2, "one.yaml: the report would overwrite it");
    refused("./day.csv", &[], 2, "day.csv: the report would overwrite it");
    refused("x.html", &["--events", "x.html"], 2, "can't be one file");
    refused("nowhere/x.html", &[], 3, "can't write nowhere/x.html: No such file or directory");
    let output = backtest(folder.path(), &["one.yaml", "--trace", "none.csv", "--report", "x.html"]);
    assert_eq!((output.status.code(), names(folder.path())), (Some(3), before.clone()));
}
