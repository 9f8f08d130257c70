//! A real Prometheus, filled by promtool with samples that are known: what it answers comes to what the same
//! samples come to as CSV.

use crate::certificates::Identity;
use crate::server::Server;
use crate::{backtest, vmpolicy};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const START: i64 = 1_241_568_000;

/// More than one query can have.
const STEPS: i64 = 12_000;

/// What a guest read at a step: a wave of nine hours, a night, a gap of an hour, a few that are not a number.
fn value(guest: i64, step: i64) -> Option<f64> {
    let phase = (step + 300 * guest) % 2_160;
    match step + guest {
        5_000..5_240 => None,
        9_000..9_003 => Some(f64::NAN),
        _ if phase < 500 => Some(0.0),
        _ => Some((1_660 - phase).abs() as f64 / 11.0 + 0.1),
    }
}

/// The samples as OpenMetrics and as CSV.
fn samples() -> (String, String) {
    let (mut metrics, mut csv) =
        (String::from("# TYPE load gauge\n"), String::from("series,timestamp,value\n"));
    for guest in 0..2 {
        for step in 0..STEPS {
            let at = START + 15 * step;
            match value(guest, step) {
                Some(value) => {
                    let _ = writeln!(metrics, "load{{host=\"web{guest}\",job=\"node\"}} {value} {at}");
                    let number = if value.is_nan() { String::new() } else { value.to_string() };
                    let _ = writeln!(csv, "web{guest},{at},{number}");
                }
                None => _ = writeln!(csv, "web{guest},{at},"),
            }
        }
    }
    (metrics + "# EOF\n", csv)
}

/// All there is, and nothing that a Prometheus fills in behind a gap.
fn whole(trace: &str) -> Vec<String> {
    let end = START + 15 * (STEPS - 1);
    let args = ["--trace", trace, "--query", "last_over_time(load[14s])", "--columns", "series=host"];
    let range = ["--start".to_owned(), START.to_string(), "--end".to_owned(), end.to_string()];
    args.map(str::to_owned).into_iter().chain(range).collect()
}

fn run(folder: &Path, args: &[String], more: &[&str], status: i32) -> (String, String) {
    let args: Vec<_> = args.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let (out, err, ended) = backtest(folder, &args);
    assert_eq!(ended, status, "{args:?}\n{out}\n{err}");
    (out, err)
}

#[test]
fn a_range_query_comes_to_what_the_samples_come_to_as_csv() {
    let (metrics, csv) = samples();
    let server = Server::start(&metrics, "");
    fs::write(server.folder().join("load.csv"), csv).unwrap();
    let csv = ["--trace".to_owned(), "load.csv".to_owned()];
    let asked = whole(&server.trace());
    let (expected, _) = run(server.folder(), &csv, &["--events", "-"], 0);
    assert!(
        expected.lines().count() > 100
            && expected.contains("\"request\"")
            && expected.contains("\"missing\"")
    );
    let (events, err) = run(server.folder(), &asked, &["--events", "-"], 0);
    assert_eq!(events, expected);
    assert!(err.contains("486 steps have no result: unknown at that time"), "{err}");

    let json = |args: &[String]| {
        let (out, _) = run(server.folder(), args, &["--format", "json"], 0);
        let mut report: serde_json::Value = serde_json::from_str(&out).unwrap();
        let report = report.as_object_mut().unwrap();
        (report.remove("trace").unwrap(), report.remove("notes").unwrap(), report.clone())
    };
    let (trace, _, report) = json(&asked);
    assert_eq!(report, json(&csv).2);
    assert!(trace.as_str().unwrap().ends_with(": last_over_time(load[14s])"), "{trace}");

    // So does a tuning.
    let tuned = |args: &[String]| {
        let more = ["--candidates", "16", "--format", "json"];
        let args: Vec<_> = args.iter().map(String::as_str).chain(more).collect();
        let (out, err, status) = vmpolicy(server.folder(), "tune", &args);
        assert_eq!(status, 0, "{out}\n{err}");
        let mut report: serde_json::Value = serde_json::from_str(&out).unwrap();
        let recordings = report["recordings"].as_array_mut().unwrap();
        let names: Vec<_> =
            recordings.iter_mut().map(|one| one.as_object_mut().unwrap().remove("trace")).collect();
        (names, report)
    };
    let (names, report) = tuned(&asked);
    assert_eq!(report, tuned(&csv).1);
    assert!(
        names.iter().all(|name| name.as_ref().is_some_and(|name| name.as_str() == trace.as_str())),
        "{names:?}"
    );

    // By all labels, one picked; asked for a time as promtool would have it, at the policy's own interval.
    let some = ["--query", "load", "--from", "2009-05-06T04:00:00Z", "--to", "2009-05-06T05:00:00Z"];
    let some: Vec<_> = ["--trace", &server.trace()].into_iter().chain(some).map(str::to_owned).collect();
    let series = r#"load{host="web1",job="node"}"#;
    let (out, _) = run(server.folder(), &some, &["--series", series], 0);
    assert!(
        out.contains(&format!("guest     {series}, 2009-05-06 04:00:00 to 2009-05-06 05:00:00 UTC (1h)")),
        "{out}"
    );
    assert!(out.contains(", 241 rows, one every 15s"), "{out}");
    let (out, _) = run(server.folder(), &some, &["--step", "60"], 0);
    assert!(out.contains(", 122 rows of 2 series"), "{out}");
    refusals(&server);
}

/// What a real server refuses, and what is wrong with the question.
fn refusals(server: &Server) {
    let mut told = String::new();
    let trace = server.trace();
    let address = trace.strip_prefix("prometheus:").unwrap();
    let mut tell = |args: &[&str], status: i32| {
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let (out, err) = run(server.folder(), &args, &[], status);
        assert_eq!(out, "");
        let shown = args.join(" ").replace(&trace, "SERVER");
        // What a server says in its own words differs between its versions.
        let ours = err.split_inclusive("bad_data: ").next().unwrap().trim_end();
        let _ = writeln!(told, "{shown}\n{}\n", ours.replace(address, "SERVER"));
    };
    let range = ["--start", "2009-05-06T04:00:00Z", "--end", "2009-05-06T05:00:00Z"];
    let ask = |query: &'static str| [&["--trace", trace.as_str(), "--query", query][..], &range].concat();
    tell(&ask("rate(load[5m)"), 3);
    tell(&ask("load[5m]"), 3);
    tell(&ask("nothing_of_the_kind"), 1);
    tell(&[&ask("load")[..], &["--series", "web"]].concat(), 2);
    tell(&[&ask("load")[..], &["--columns", "series=job"]].concat(), 2);
    tell(&[&ask("load")[..], &["--columns", "series=pod"]].concat(), 2);
    tell(&[&ask("load")[..], &["--columns", "timestamp=x"]].concat(), 2);
    tell(&["--trace", &trace], 2);
    tell(&["--trace", &trace, "--query", "load"], 2);
    tell(
        &[
            "--trace",
            &trace,
            "--query",
            "load",
            "--start",
            "2009-05-07T00:00:00Z",
            "--end",
            "2009-05-06T00:00:00Z",
        ],
        2,
    );
    tell(
        &[
            "--trace",
            &trace,
            "--query",
            "load",
            "--start",
            "0",
            "--end",
            "2009-05-06T00:00:00Z",
            "--step",
            "1ms",
        ],
        2,
    );
    tell(&["--trace", &format!("{trace}/no/such/path"), "--query", "load", "--start", "0", "--end", "60"], 3);
    insta::assert_snapshot!("refusals", told);
}

#[test]
fn who_asks_with_credentials_and_trust_is_answered() {
    let signed = Identity::alone("localhost");
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (cert, key) = (put("cert.pem", &signed.pem), put("key.pem", &signed.key_pem()));
    // Of `open sesame`, by bcrypt at its least cost.
    let web = format!(
        "tls_server_config: {{ cert_file: '{cert}', key_file: '{key}' }}\n\
         basic_auth_users: {{ ali: '$2b$04$GmkF6BDlcLbrXi/e6rKgYOH5eGEU17060dA6/Ay1hwW3QW5Ws1XX6' }}\n"
    );
    let server = Server::start("# TYPE load gauge\nload 76 1241568000\nload 80 1241568015\n# EOF\n", &web);
    let (right, wrong) = (put("right", "ali:open sesame\n"), put("wrong", "ali:simsim\n"));
    let (no_pair, not_pem) = (put("no-pair", "ali\n"), put("not-pem", "-----BEGIN NOTHING-----\n"));
    let trace = server.trace().replace("http://", "https://");
    let mut told = String::new();
    let mut ask = |more: &[&str], status: i32| {
        let args = ["--trace", &trace, "--query", "load", "--start", "1241568000", "--end", "1241568015"];
        let (out, err, ended) = backtest(server.folder(), &[&args[..], more].concat());
        assert_eq!(ended, status, "{more:?}\n{out}\n{err}");
        assert!(!err.contains("sesame") && !err.contains("simsim"), "{err}");
        let short = |text: String| text.replace(&format!("{}/", folder.path().display()), "");
        let address = trace.strip_prefix("prometheus:").unwrap();
        let _ = writeln!(told, "{}\n{}", short(more.join(" ")), short(err.replace(address, "SERVER")));
        out
    };
    let trust = ["--ca-file", &cert];
    let out = ask(&[&trust[..], &["--basic-auth-file", &right]].concat(), 0);
    assert!(out.contains(", 2 rows, one every 15s"), "{out}");
    ask(&["--basic-auth-file", &right], 3);
    ask(&trust, 3);
    ask(&[&trust[..], &["--basic-auth-file", &wrong]].concat(), 3);
    ask(&[&trust[..], &["--bearer-token-file", &right]].concat(), 3);
    ask(&["--basic-auth-file", &no_pair], 1);
    ask(&["--basic-auth-file", "nowhere"], 3);
    ask(&["--basic-auth-file", &right, "--ca-file", &not_pem], 3);
    insta::assert_snapshot!("credentials", told);
}
