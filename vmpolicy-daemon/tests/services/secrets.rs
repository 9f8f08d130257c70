//! Every secret of a policy file, shown to servers that say all of it back in every way that they can: nothing of it stands
//! in what the daemon writes, says, sends elsewhere, or hands to the programs that it runs.

use crate::run::{PATIENCE, Service, find, modest, own, secret};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Each secret, by what it opens.
const SECRETS: [(&str, &str); 11] = [
    ("redis", "Kr0kodil-redis-queue"),
    ("redis-wrong", "Kr0kodil-redis-wrong"),
    ("queue", "Kr0kodil-http-queue"),
    ("webhook", "Kr0kodil-webhook"),
    ("webhook-header", "Kr0kodil-header-webhook"),
    ("locator-header", "Kr0kodil-header-locator"),
    ("collector", "Kr0kodil-collector"),
    ("state", "Kr0kodil-state"),
    ("probe", "Kr0kodil-probe"),
    ("url", "Kr0kodil-in-a-query"),
    ("variable", "Kr0kodil-variable"),
];

/// A server of all that the policy asks by HTTP. It does its part until it goes bad; then it says back what it was told.
#[derive(Default)]
struct Server {
    /// How many are bad: those that a guest can do without, the locator too, the one that keeps the state too. Where that
    /// is not kept, or nobody knows where the guest is, it asks for nothing.
    bad: AtomicUsize,
    asked: AtomicUsize,
    /// In how many ways each path has said what it was told.
    echoes: Mutex<BTreeMap<String, usize>>,
    /// Whether each path has seen its secret.
    seen: Mutex<BTreeMap<&'static str, usize>>,
    /// What it was given to keep: records, states, answers, but not how who gave it proved who he is.
    given: Mutex<Vec<u8>>,
}

const PATHS: [(&str, &str); 5] = [
    ("/queue", "queue"),
    ("/moves", "webhook"),
    ("/logs", "collector"),
    ("/state", "state"),
    ("/probe", "probe"),
];

impl Server {
    fn start() -> (Arc<Self>, u16) {
        let server = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = Arc::clone(&server);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = Arc::clone(&serving);
                thread::spawn(move || server.answer(client));
            }
        });
        (server, port)
    }

    fn answer(&self, mut client: TcpStream) -> Option<()> {
        client.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        let mut reader = BufReader::new(client.try_clone().ok()?);
        let (mut head, mut line, mut length) = (String::new(), String::new(), 0);
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        self.given.lock().unwrap().extend_from_slice(&body);
        let mut words = head.split(' ');
        let (method, path) = (words.next()?, words.next()?.to_owned());
        for (prefix, name) in PATHS {
            let text = SECRETS.iter().find(|(known, _)| *known == name)?.1;
            let shown = head.contains(text) || head.contains(&basic(text));
            if path.starts_with(prefix) && shown {
                *self.seen.lock().unwrap().entry(name).or_default() += 1;
            }
        }
        let count = self.asked.fetch_add(1, Ordering::Relaxed);
        let goes_bad = match path.get(..4)? {
            // A collector is asked again after ever longer.
            "/sta" => 3,
            "/whe" | "/log" => 2,
            // The end of a job is told again after seconds.
            "/que" if path.contains("/jobs/") => 4,
            _ => 1,
        };
        let answer = if self.bad.load(Ordering::Relaxed) >= goes_bad {
            let place: String = path.chars().take(4).collect();
            let mut echoes = self.echoes.lock().unwrap();
            let way = echoes.entry(place).or_default();
            *way += 1;
            echo(&head, *way)
        } else {
            well(method, &path, count)
        };
        client.write_all(&answer).ok()
    }
}

/// As a server that does its part.
fn well(method: &str, path: &str, count: usize) -> Vec<u8> {
    let (status, body) = match (method, path.split('?').next().unwrap_or_default()) {
        ("GET", "/queue/batches") => (200, r#"{"batches":[{"id":"b"}]}"#.to_owned()),
        ("PUT", "/queue/batches/b/claim") => (200, r#"{"jobs":[{"id":"1"}]}"#.to_owned()),
        ("POST", "/moves") => (200, r#"{"state":"refused"}"#.to_owned()),
        ("GET", "/where") => (200, "h".to_owned()),
        ("GET", "/probe") => (200, "7".to_owned()),
        ("GET", "/state") => (404, String::new()),
        _ => (200, String::new()),
    };
    let etag = if path.starts_with("/state") { format!("ETag: \"{count}\"\r\n") } else { String::new() };
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\n{etag}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

/// As a server that says what it was told, each time in another way.
fn echo(head: &str, count: usize) -> Vec<u8> {
    let flat = head.replace(['\r', '\n', '"'], " ");
    // What a manager, a queue and a JSON pointer would be read of, too.
    let body = format!(
        "{{\"state\":\"failed\",\"reason\":\"{flat}\",\"batches\":\"{flat}\",\"jobs\":[\"{flat}\"]}}"
    );
    let length = body.len();
    let status = match count % 8 {
        0 => format!("401 {flat}\r\nWWW-Authenticate: Basic realm=\"{flat}\""),
        1 => format!("500 {flat}"),
        2 => format!("302 x\r\nLocation: http://127.0.0.1:1/{}", flat.replace(' ', "%20")),
        3 => format!("412 {flat}\r\nETag: \"{flat}\""),
        4 => return format!("{flat}\r\n\r\n{flat}").into_bytes(),
        // What says where a guest is would be believed.
        5 if head.starts_with("GET /where") => "400 x".to_owned(),
        5 => "200 x".to_owned(),
        6 => return format!("HTTP/1.1 200 x\r\nContent-Length: {flat}\r\n\r\n{flat}").into_bytes(),
        _ => format!("403 {flat}\r\nX: {flat}"),
    };
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

/// A Redis that is none, and says what it was told.
fn false_redis() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut told = [0; 4096];
            let count = client.read(&mut told).unwrap_or(0);
            let told = String::from_utf8_lossy(&told[..count]).replace(['\r', '\n'], " ");
            let _ = client.write_all(format!("-WRONGPASS {told}\r\n").as_bytes());
        }
    });
    port
}

/// `nii3:` and a secret, as in `Authorization: Basic`.
fn basic(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole = format!("nii3:{text}");
    let mut out = String::new();
    for three in whole.as_bytes().chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            out.push(char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}

struct Daemon {
    child: Child,
    folder: PathBuf,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }

    fn tool(&self, args: &[&str]) -> String {
        let output =
            Command::new(env!("CARGO_BIN_EXE_vmpolicy")).args(args).stdin(Stdio::null()).output().unwrap();
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
    }

    fn asked(&self, args: &[&str]) -> String {
        let socket = self.folder.join("control").display().to_string();
        self.tool(&[args, &["--socket", &socket]].concat())
    }

    fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.asked(&["status", "--format", "json"])).unwrap_or_default()
    }

    #[track_caller]
    fn wait_for(&self, what: &str, so: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !so(self) {
            let lives = Path::new(&format!("/proc/{}/exe", self.child.id())).exists();
            assert!(lives, "it has ended:\n{}", self.log());
            assert!(
                began.elapsed() < PATIENCE,
                "{what} does not come:\n{}\n{}",
                self.log(),
                self.asked(&["status"])
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// All that it says, shows and has written, by where.
    fn said(&self, metrics: u16) -> Vec<(String, Vec<u8>)> {
        let policy = self.folder.join("policy.yaml").display().to_string();
        let mut all: Vec<(String, Vec<u8>)> = Vec::new();
        for args in [
            &["status"][..],
            &["status", "--format", "json"],
            &["why"],
            &["why", "--format", "json"],
            &["history"],
            &["history", "-n", "1000", "--format", "json"],
        ] {
            all.push((format!("{args:?}"), self.asked(args).into_bytes()));
        }
        for args in [&["explain", &policy][..], &["explain", "--format", "json", &policy]] {
            all.push((format!("{args:?}"), self.tool(args).into_bytes()));
        }
        let mut page = Vec::new();
        let mut client = TcpStream::connect(("127.0.0.1", metrics)).unwrap();
        client.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        client.read_to_end(&mut page).unwrap();
        all.push(("metrics".to_owned(), page));
        for name in ["log", "records", "inputs", "children"] {
            all.push((name.to_owned(), fs::read(self.folder.join(name)).unwrap()));
        }
        files(&self.folder.join("state"), &mut all);
        files(&self.folder.join("out"), &mut all);
        let cmdline = fs::read(format!("/proc/{}/cmdline", self.child.id())).unwrap();
        all.push(("cmdline".to_owned(), cmdline));
        all
    }
}

fn files(folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => files(&path, all),
            path => all.push((path.display().to_string(), fs::read(&path).unwrap_or_default())),
        }
    }
}

/// Each place in which one of the secrets stands.
fn leaks(all: &[(String, Vec<u8>)]) -> String {
    let mut found = String::new();
    for (place, bytes) in all {
        for (name, text) in SECRETS {
            for form in [text.to_owned(), basic(text), basic(text).trim_start_matches("bmlpMz").to_owned()] {
                let form = form.as_bytes();
                if let Some(at) = bytes.windows(form.len()).position(|part| part == form) {
                    let near = &bytes[at.saturating_sub(200)..bytes.len().min(at + 100)];
                    writeln!(found, "{name} in {place}: {}", String::from_utf8_lossy(near)).unwrap();
                }
            }
        }
    }
    found
}

fn policy(folder: &Path, port: u16, redis: u16, false_redis: u16, metrics: u16) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    let of = |name: &str| SECRETS.iter().find(|(known, _)| *known == name).unwrap().1;
    // A child that writes down what it was given, and what its parent shows.
    let tells = format!(
        "cat /proc/self/environ /proc/$$/environ /proc/$$/cmdline /proc/$PPID/cmdline >> {}; echo 1",
        at("children")
    );
    let queue = "every: 100ms, classes: { big: {} }, grade: { patterns: { big: \"*\" } }";
    let run = format!("run: {{ argv: [/bin/sh, -c, \"{tells}\", \"{{job}}\"], output: {} }}", at("out"));
    format!(
        "version: 1
guest: g
arrays: {{ a: {{ hosts: [h, i, j, k, l, m, n, o, p, q] }} }}
indicators:
  page: {{ every: 100ms, probe: {{ http: {{ url: \"http://127.0.0.1:{port}/probe?key={url}\", token_file: {probe}, timeout: 500ms }} }} }}
  program: {{ every: 100ms, probe: {{ exec: {{ argv: [/bin/sh, -c, \"{tells}\"] }} }} }}
  base: {{ every: 100ms, probe: {{ mysql: {{ status: Uptime, host: 127.0.0.1, port: {false_redis} }} }} }}
queues:
  list: {{ {queue}, source: {{ redis: {{ list: jobs, host: 127.0.0.1, port: {redis}, password_file: {redis_file}, timeout: 500ms }} }}, {run} }}
  false: {{ {queue}, source: {{ redis: {{ list: jobs, host: 127.0.0.1, port: {false_redis}, password_file: {wrong}, timeout: 500ms }} }}, {run} }}
  shop: {{ {queue}, source: {{ http: {{ url: \"http://127.0.0.1:{port}/queue\", token_file: {queue_file}, timeout: 500ms }} }}, {run} }}
rules: [{{ name: busy, when: program > 0, do: move }}]
moves: {{ settle: 100ms, at_most: 1000 per 1s, tour: keep-going, confirm_within: 300ms, bar: 100ms }}
hooks:
  before_leaving: {{ argv: [/bin/sh, -c, \"{tells}\"] }}
  on_arrival: {{ argv: [/bin/sh, -c, \"{tells}\"] }}
actuator: {{ webhook: {{ url: \"http://127.0.0.1:{port}/moves?key={url}\", token_file: {webhook}, headers: {{ X-Key: {webhook_header} }}, timeout: 500ms, poll: 100ms }} }}
locator: {{ http: {{ url: \"http://127.0.0.1:{port}/where?key={url}\", headers: {{ X-Key: {locator_header} }}, timeout: 500ms, every: 100ms }} }}
records:
  - file: {records}
  - http: {{ url: \"http://127.0.0.1:{port}/logs?key={url}\", user: nii3, password_file: {collector}, timeout: 500ms }}
state: {{ http: {{ url: \"http://127.0.0.1:{port}/state?key={url}\", credential: state, timeout: 500ms }} }}
metrics: {{ listen: \"127.0.0.1:{metrics}\" }}
",
        url = of("url"),
        probe = at("secret-probe"),
        redis_file = at("secret-redis"),
        wrong = at("secret-redis-wrong"),
        queue_file = at("secret-queue"),
        webhook = at("secret-webhook"),
        webhook_header = of("webhook-header"),
        locator_header = of("locator-header"),
        records = at("records"),
        collector = at("secret-collector"),
    )
}

#[test]
fn no_secret_stands_anywhere_whatever_servers_say_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("credentials")).unwrap();
    for (name, text) in SECRETS {
        secret(&at(&format!("secret-{name}")), text);
    }
    secret(&at("credentials/state"), SECRETS[7].1);
    let program = find("redis-server", "redis-server");
    let redis = Service::start(own, move |folder, port| {
        let mut command = Command::new(&program);
        command.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string(), "--dir"]);
        command.arg(folder).args(["--requirepass", SECRETS[0].1]);
        modest(command)
    });
    let (server, port) = Server::start();
    let metrics = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    fs::write(at("policy.yaml"), policy(folder.path(), port, redis.port, false_redis(), metrics)).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_vmpolicyd"))
        .arg("--config")
        .arg(at("policy.yaml"))
        .arg("--state")
        .arg(at("state"))
        .arg("--control")
        .arg(at("control"))
        .arg("--inputs")
        .arg(at("inputs"))
        .env("CREDENTIALS_DIRECTORY", at("credentials"))
        .env("VMPOLICY_MYSQL_PASSWORD", SECRETS[10].1)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(at("log")).unwrap())
        .spawn()
        .unwrap();
    let daemon = Daemon { child, folder: folder.path().to_path_buf() };

    // A job for the real Redis, by a client that logs in.
    let push = || {
        let mut client = TcpStream::connect(("127.0.0.1", redis.port)).unwrap();
        write!(client, "AUTH {}\r\nRPUSH jobs a\r\nQUIT\r\n", SECRETS[0].1).unwrap();
        let mut said = String::new();
        client.read_to_string(&mut said).unwrap();
        assert!(said.contains(":1"), "{said}");
    };
    push();
    daemon.wait_for("each to have done its part", |daemon| {
        let status = daemon.status();
        let done = |at: usize| status["queues"][at]["ended"]["done"].as_u64() > Some(0);
        let seen = server.seen.lock().unwrap().len();
        seen == PATHS.len()
            && done(0)
            && done(2)
            && status["host"] == "h"
            && status["indicators"][0]["value"] == 7
    });
    daemon.wait_for("a refusal", |daemon| daemon.status()["queues"][1]["fault"].is_object());

    // More and more of them say what they were told, each in each way.
    let echoed = |places: &[&str]| {
        let echoes = server.echoes.lock().unwrap();
        places.iter().all(|place| echoes.get(*place).copied() >= Some(8))
    };
    server.bad.store(1, Ordering::Relaxed);
    daemon.wait_for("each way of each", |_| echoed(&["/que", "/mov", "/pro"]));
    server.bad.store(2, Ordering::Relaxed);
    daemon.wait_for("each way of the locator", |daemon| {
        echoed(&["/whe"]) && daemon.status()["collectors"][0]["error"].is_string()
    });
    let found = leaks(&daemon.said(metrics));
    assert!(found.is_empty(), "{found}");
    server.bad.store(3, Ordering::Relaxed);
    daemon.wait_for("that all are bad", |daemon| {
        let status = daemon.status();
        status["trouble"].is_string()
    });
    let found = leaks(&daemon.said(metrics));
    assert!(found.is_empty(), "{found}");

    // And back; what was kept meanwhile is sent to others, and holds nothing either.
    server.bad.store(0, Ordering::Relaxed);
    daemon.wait_for("that all is well", |daemon| {
        let status = daemon.status();
        status["trouble"].is_null() && status["collectors"][0]["waiting"] == 0 && status["host"] == "h"
    });
    let mut all = daemon.said(metrics);
    all.push(("what servers were given".to_owned(), server.given.lock().unwrap().clone()));
    let found = leaks(&all);
    assert!(found.is_empty(), "{found}");
    let children = fs::read(at("children")).unwrap();
    let text = String::from_utf8_lossy(&children);
    assert!(!text.contains("VMPOLICY_MYSQL_PASSWORD") && text.contains("PATH="), "{text}");
    let log = daemon.log();
    assert!(!log.contains("panicked"), "{log}");
}
