//! What is no answer of a Prometheus, or only half of one: each is an error, and nothing is run on it.

use crate::backtest;
use crate::fake::{Fake, http, matrix};
use std::fmt::Write as _;
use std::net::TcpListener;

const ONE: &str = r#"[{"metric":{},"values":[[0,"1"],[15,"2"]]}]"#;

/// Asks for as many steps, and gives what is said with the port left out, and what was asked.
fn ask(answers: Vec<String>, steps: u64, more: &[&str], status: i32) -> (String, String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(answers);
    let (trace, end) = (format!("prometheus:http://127.0.0.1:{}", fake.port), (15 * (steps - 1)).to_string());
    let args = ["--trace", &trace, "--query", "a{b=\"+&=\"}", "--start", "0", "--end", &end];
    let port = format!(":{}", fake.port);
    let (out, err, ended) = backtest(folder.path(), &[&args[..], more].concat());
    assert_eq!(ended, status, "{out}\n{err}");
    (out, err.replace(&port, ":PORT"), fake.asked())
}

#[test]
fn what_is_no_answer_is_an_error() {
    let whole = matrix(ONE, "");
    let cases = [
        ("a page", http("200 OK", "text/html", "<html>Welcome</html>")),
        ("an empty answer", http("200 OK", "application/json", "")),
        ("another service's JSON", http("200 OK", "application/json", r#"{"hello":"world"}"#)),
        ("half of the JSON", http("200 OK", "application/json", r#"{"status":"success","data":{"#)),
        ("a connection that breaks", whole[..whole.len() - 20].to_owned()),
        (
            "chunks without an end",
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n{}\r\n",
                whole.split("\r\n\r\n").nth(1).unwrap().len(),
                whole.split("\r\n\r\n").nth(1).unwrap()
            ),
        ),
        ("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned()),
        (
            "an error with status 200",
            http(
                "200 OK",
                "application/json",
                r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
            ),
        ),
        (
            "an error with its status",
            http(
                "503 Service Unavailable",
                "application/json",
                r#"{"status":"error","errorType":"timeout","error":"busy"}"#,
            ),
        ),
        ("a gateway's error", http("502 Bad Gateway", "text/plain", "no upstream\u{1b}[31m\n")),
        (
            "elsewhere",
            http("302 Found", "text/plain", "")
                .replace("\r\nConn", "\r\nLocation: http://127.0.0.1:1/\r\nConn"),
        ),
        ("a vector", whole.replace("matrix", "vector")),
        ("a number that is none", matrix(r#"[{"metric":{},"values":[[0,"one"]]}]"#, "")),
        ("a time that was not asked for", matrix(r#"[{"metric":{},"values":[[7,"1"]]}]"#, "")),
    ];
    let mut told = String::new();
    for (what, answer) in cases {
        let (out, err, _) = ask(vec![answer], 2, &["--events", "-"], 3);
        assert_eq!(out, "", "{what}");
        let _ = writeln!(told, "{what}\n{err}");
    }
    insta::assert_snapshot!("no_answer", told);
}

#[test]
fn an_error_in_a_later_part_is_an_error_of_all() {
    let busy = http("503 Service Unavailable", "text/plain", "busy");
    let (out, err, asked) = ask(vec![matrix(ONE, ""), busy], 11_001, &[], 3);
    assert_eq!(out, "");
    assert!(err.contains("answered 503: `busy`"), "{err}");
    let range = |request: &str| {
        let body = request.split("\r\n\r\n").nth(1).unwrap().to_owned();
        body.split('&').skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(range(&asked[0]), ["start=0.000", "end=164985.000", "step=15.000"]);
    assert_eq!(range(&asked[1]), ["start=165000.000", "end=165000.000", "step=15.000"]);
}

#[test]
fn no_answer_at_all_and_nobody_there_are_errors() {
    let (_, err, _) = ask(vec![String::new()], 2, &["--timeout", "200ms"], 3);
    assert!(err.contains("did not answer within 200ms"), "{err}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let trace = format!("prometheus:http://127.0.0.1:{closed}");
    let (_, err, status) =
        backtest(folder.path(), &["--trace", &trace, "--query", "a", "--start", "0", "--end", "60"]);
    assert_eq!(status, 3);
    assert!(err.contains("can't reach") && err.contains("refused"), "{err}");
}

#[test]
fn what_is_sent_is_what_a_prometheus_expects() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "s3cret\n").unwrap();
    let more = ["--bearer-token-file", token.to_str().unwrap()];
    let (out, err, asked) =
        ask(vec![matrix(ONE, r#","warnings":["half of the stores are away"]"#)], 2, &more, 0);
    assert!(out.contains(", 2 rows, one every 15s"), "{out}");
    assert!(err.contains("1 warning of the server (`half of the stores are away`)"), "{err}");
    let request = asked[0].to_lowercase();
    assert!(request.starts_with("post /api/v1/query_range http/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nauthorization: bearer s3cret\r\n"), "{request}");
    assert!(request.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"), "{request}");
    assert!(asked[0].contains("query=a%7Bb%3D%22%2B%26%3D%22%7D&"), "{request}");
}
