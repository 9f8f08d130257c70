//! Metrics of a daemon that runs, as Prometheus' own tools see them.

use crate::control::{guest, policy};
use crate::guest::Guest;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const HELP: &str = "promtool is missing: the tests need Debian's package (apt-get install prometheus)";

pub(crate) fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn get(port: u16, head: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(format!("{head} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

pub(crate) fn scrape(port: u16) -> Option<String> {
    let text = get(port, "GET /metrics")?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"), "{head}");
    Some(body.to_owned())
}

pub(crate) fn promtool(args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new("promtool")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect(HELP);
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
pub(crate) fn is_well(output: &Output) {
    let words = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
    assert!(output.status.success(), "{words}");
}

/// The value of a sample, by its name and labels as they are written.
pub(crate) fn value(page: &str, sample: &str) -> Option<f64> {
    let line =
        page.lines().find(|line| line.strip_prefix(sample).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn served(value: &str) -> (Guest, u16) {
    let port = port();
    let mut guest = guest(value, "");
    let textfile = guest.path("vmpolicy.prom").display().to_string();
    let more = format!("metrics: {{ listen: \"127.0.0.1:{port}\", textfile: {textfile} }}\n");
    guest.policy(&policy(&guest, &more));
    guest.start();
    (guest, port)
}

#[test]
fn what_a_daemon_serves_is_well_formed_and_true() {
    let (guest, port) = served("9");
    guest.wait_for("moves", |guest| guest.events("confirmed").len() >= 2);
    guest.write("value", "4");
    guest.wait_for("quiet", |_| {
        scrape(port).is_some_and(|page| value(&page, "vmpolicy_open_requests") == Some(0.0))
    });
    let page = scrape(port).unwrap();
    is_well(&promtool(&["check", "metrics"], &page));
    let moves = guest.events("confirmed").len() as f64;
    assert_eq!(value(&page, "vmpolicy_moves_total"), Some(moves), "{page}");
    assert_eq!(value(&page, "vmpolicy_request_outcomes_total{outcome=\"confirmed\"}"), Some(moves));
    assert_eq!(value(&page, "vmpolicy_requests_total"), Some(guest.asked().len() as f64));
    assert_eq!(value(&page, "vmpolicy_rule_requests_total{rule=\"overloaded\"}"), Some(moves));
    assert!(value(&page, "vmpolicy_samples_total{indicator=\"x\"}").unwrap() >= 3.0, "{page}");
    let unknown = "vmpolicy_unknown_total{indicator=\"gone\",cause=\"missing\"}";
    assert!(value(&page, unknown).unwrap() >= 3.0, "{page}");
    assert_eq!(value(&page, "vmpolicy_indicator_known{indicator=\"gone\"}"), Some(0.0));
    assert!(value(&page, "vmpolicy_probe_duration_seconds_count{indicator=\"x\"}").unwrap() >= 3.0);
    assert!(value(&page, "vmpolicy_host_seconds_total{host=\"mln1\"}").unwrap() > 0.0);
    assert!(value(&page, "vmpolicy_cost_total{part=\"ring\"}").unwrap() > 0.0);
    assert_eq!(value(&page, "vmpolicy_reload_success"), Some(1.0));
    assert_eq!(value(&page, "vmpolicy_guest_info{guest=\"nii3\",mode=\"act\"}"), Some(1.0));

    // The file has the same, and nobody sees half of it.
    guest.wait_for("the file", |guest| guest.path("vmpolicy.prom").exists());
    let written = std::fs::read_to_string(guest.path("vmpolicy.prom")).unwrap();
    is_well(&promtool(&["check", "metrics"], &written));
    assert!(written.contains("vmpolicy_build_info"));

    // Other requests are answered as HTTP has it.
    assert!(get(port, "GET /nothing").unwrap().starts_with("HTTP/1.1 404 "));
    assert!(get(port, "POST /metrics").unwrap().starts_with("HTTP/1.1 405 "));
    let head = get(port, "HEAD /metrics").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");

    // A file that is not taken is seen.
    let mut bad = policy(&guest, "");
    writeln!(bad, "nonsense: 1").unwrap();
    guest.policy(&bad);
    assert_eq!(guest.told(&["reload"]).0, Some(1));
    assert_eq!(value(&scrape(port).unwrap(), "vmpolicy_reload_success"), Some(0.0));
}

#[test]
fn a_reload_changes_where_metrics_are() {
    let (mut guest, first) = served("4");
    guest.wait_for("metrics", |_| scrape(first).is_some());
    let second = port();
    guest.policy(&policy(&guest, &format!("metrics: {{ listen: \"127.0.0.1:{second}\" }}\n")));
    assert_eq!(guest.told(&["reload"]).0, Some(0));
    guest.wait_for("the other port", |_| scrape(second).is_some() && scrape(first).is_none());

    // A port that is taken: the whole file is not.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    guest.policy(&policy(&guest, &format!("metrics: {{ listen: \"127.0.0.1:{port}\" }}\n")));
    let (code, _, words) = guest.told(&["reload"]);
    assert_eq!(code, Some(1));
    assert!(words.contains("can't listen on"), "{words}");
    assert!(scrape(second).is_some());
    guest.policy(&policy(&guest, ""));
    assert_eq!(guest.told(&["reload"]).0, Some(0));
    guest.wait_for("silence", |_| scrape(second).is_none());
    guest.terminate();
}

/// The names that a text of queries speaks of.
fn named(text: &str) -> Vec<String> {
    let mut names: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("vmpolicy_"))
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn the_dashboard_and_the_alerts_speak_of_metrics_that_there_are() {
    let page = crate::living::page_with_queues_and_hooks();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/grafana");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&read("vmpolicy.json")).unwrap();
    let queries: Vec<&str> = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(queries.len() >= 10);
    let known = |name: &str| {
        let whole = page.contains(&format!("# TYPE {name} "));
        let of_histogram = ["_bucket", "_sum", "_count"].iter().any(|end| {
            name.strip_suffix(end).is_some_and(|stem| page.contains(&format!("# TYPE {stem} histogram")))
        });
        whole || of_histogram
    };
    for name in named(&queries.join(" ")).into_iter().chain(named(&read("alerts.yaml"))) {
        assert!(known(&name), "{name} is in no page:\n{page}");
    }
    let at = |name: &str| folder.join(name).display().to_string();
    is_well(&promtool(&["check", "rules", "--lint=all", "--lint-fatal", &at("alerts.yaml")], ""));
    is_well(&promtool(&["test", "rules", &at("alerts-test.yaml")], ""));
}
