//! A state that is kept off the guest: on a server of the test that keeps to the rules of ETags, on one that does not, and
//! on a real Apache. A guest whose disk is gone knows its request and its numbers.

use crate::daemon::{Daemon, PATIENCE};
use crate::tcp::free_port;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What the server of the test has, and how it behaves.
#[derive(Default)]
struct Kept {
    document: Option<Vec<u8>>,
    version: u64,
    puts: u64,
    /// Every so manieth answer to a put is lost, after it was done. A put that is sent again takes two, so it is an odd one.
    loses: Option<u64>,
    weak: bool,
    no_etags: bool,
    away: bool,
}

type Shared = Arc<Mutex<Kept>>;

fn server(kept: &Shared) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept = Arc::clone(kept);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let _ = answer(&client, &mut kept.lock().unwrap());
        }
    });
    port
}

fn answer(mut client: &TcpStream, kept: &mut Kept) -> Option<()> {
    if kept.away {
        return None;
    }
    client.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut reader = BufReader::new(client);
    let (mut head, mut length, mut line) = (String::new(), 0, String::new());
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&lower);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let field = |name: &str| {
        head.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    };
    let etag = |kept: &Kept| match (kept.no_etags, kept.weak) {
        (true, _) => String::new(),
        (false, true) => format!("ETag: W/\"v{}\"\r\n", kept.version),
        (false, false) => format!("ETag: \"v{}\"\r\n", kept.version),
    };
    let (status, tag, content) = if head.starts_with("get ") {
        match &kept.document {
            Some(document) => ("200 OK", etag(kept), document.clone()),
            None => ("404 Not Found", String::new(), Vec::new()),
        }
    } else {
        kept.puts += 1;
        let matches = match (field("if-match:"), field("if-none-match:")) {
            (Some(said), None) => {
                kept.document.is_some() && said.trim_start_matches("w/") == format!("\"v{}\"", kept.version)
            }
            (None, Some(said)) => said == "*" && kept.document.is_none(),
            _ => panic!("a put without condition: {head}"),
        };
        if matches {
            kept.document = Some(body);
            kept.version += 1;
            if kept.loses.is_some_and(|every| kept.puts.is_multiple_of(every)) {
                return None;
            }
            ("204 No Content", etag(kept), Vec::new())
        } else {
            ("412 Precondition Failed", String::new(), Vec::new())
        }
    };
    let length = if status.starts_with("204") {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", content.len())
    };
    write!(client, "HTTP/1.1 {status}\r\n{tag}{length}Connection: close\r\n\r\n").ok()?;
    client.write_all(&content).ok()
}

/// A guest that asks by a script: it notes what it is asked, and moves the guest where the test has said so.
fn guest(url: &str) -> Daemon {
    let daemon = Daemon::new("");
    sections(&daemon, url);
    std::fs::write(daemon.path("location"), "mln1\n").unwrap();
    daemon
}

fn sections(daemon: &Daemon, url: &str) {
    daemon.policy(&format!(
        "state: {{ http: {{ url: \"{url}\", timeout: 2s }} }}\n\
        records: {{ file: @/records }}\n\
        actuator: {{ exec: {{ argv: [/bin/sh, -c, \"echo $0 >> @/asked; [ ! -e @/moves ] || echo $1 > @/location\", \"{{id}}\", \"{{to}}\"] }} }}"
    ));
    let text = std::fs::read_to_string(daemon.path("policy.yaml")).unwrap();
    let text =
        text.replace("locator: { assume: mln1 }", "locator: { file: { path: @/location }, every: 50ms }");
    let text = text.replace('@', &daemon.folder.path().display().to_string());
    std::fs::write(daemon.path("policy.yaml"), text).unwrap();
}

/// The number of the request that the server's state holds open.
fn open_request(kept: &Shared) -> Option<u64> {
    let document = kept.lock().unwrap().document.clone()?;
    let at = document.iter().position(|byte| *byte == b'\n')?;
    let state: Value = serde_json::from_slice(&document[at + 1..]).ok()?;
    state["saved"]["state"]["open"]["request"]["id"].as_u64()
}

fn asked(daemon: &Daemon) -> Vec<String> {
    daemon.text("asked").lines().map(str::to_owned).collect()
}

#[test]
fn a_guest_whose_disk_is_gone_knows_its_request_and_its_numbers() {
    let kept = Shared::default();
    let mut daemon = guest(&format!("http://127.0.0.1:{}/nii3", server(&kept)));
    std::fs::write(daemon.path("moves"), "").unwrap();
    daemon.start();
    daemon.wait_for("three moves", |daemon| daemon.text("records").matches("\"confirmed\"").count() >= 3);
    // From now on it asks, and nobody moves it.
    std::fs::remove_file(daemon.path("moves")).unwrap();
    daemon.wait_for("a request that stays open", |daemon| {
        open_request(&kept).is_some_and(|id| asked(daemon).last() == Some(&format!("nii3-{id}")))
            && daemon.status().is_some_and(|status| status["request"]["age"].as_f64() > Some(0.3))
    });
    daemon.kill();
    let id = open_request(&kept).unwrap();
    // Another site: the disk is another one. The move has taken place meanwhile.
    std::fs::remove_dir_all(daemon.path("state")).unwrap();
    let here = daemon.text("location");
    let to =
        daemon.text("records").lines().rev().find(|line| line.contains("\"request\"")).unwrap().to_owned();
    let to: Value = serde_json::from_str(&to).unwrap();
    assert_eq!(to["id"], id);
    std::fs::write(daemon.path("location"), format!("{}\n", to["to"].as_str().unwrap())).unwrap();
    assert_ne!(here, daemon.text("location"));
    let before = asked(&daemon);
    daemon.start();
    daemon.wait_for("the end of that request", |daemon| {
        daemon
            .text("records")
            .lines()
            .any(|line| line.contains("\"confirmed\"") && line.contains(&format!("\"id\":{id},")))
    });
    daemon.wait_for("the next request", |daemon| asked(daemon).len() > before.len());
    assert_eq!(asked(&daemon)[before.len()], format!("nii3-{}", id + 1));
    assert!(
        daemon.text("log").contains("the state is taken from http://127.0.0.1"),
        "{}",
        daemon.text("log")
    );
}

#[test]
fn answers_that_are_lost_and_weak_etags_stop_nobody_and_nothing_is_asked_twice() {
    for (loses, weak) in [(Some(3), false), (None, true), (Some(5), true)] {
        let kept: Shared = Arc::new(Mutex::new(Kept { loses, weak, ..Kept::default() }));
        let mut daemon = guest(&format!("http://127.0.0.1:{}/nii3", server(&kept)));
        // The end may come when a request is stored and has not left: it is given up then, and another made.
        let policy = daemon.text("policy.yaml").replace("settle: 10ms", "settle: 10ms, confirm_within: 10s");
        std::fs::write(daemon.path("policy.yaml"), policy).unwrap();
        std::fs::write(daemon.path("moves"), "").unwrap();
        daemon.start();
        daemon.wait_for("moves", |daemon| daemon.text("records").matches("\"confirmed\"").count() >= 4);
        daemon.kill();
        daemon.start();
        let before = asked(&daemon).len();
        daemon.wait_for("more moves", |daemon| asked(daemon).len() >= before + 3);
        let mut all = asked(&daemon);
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count, "{all:?}");
        assert!(!daemon.text("log").contains("somebody else"), "{}", daemon.text("log"));
    }
}

#[test]
fn what_somebody_else_has_written_is_never_written_over_and_nothing_is_asked_any_more() {
    let kept = Shared::default();
    let mut daemon = guest(&format!("http://127.0.0.1:{}/nii3", server(&kept)));
    std::fs::write(daemon.path("moves"), "").unwrap();
    daemon.start();
    daemon.wait_for("two moves", |daemon| asked(daemon).len() >= 2);
    let theirs = b"another's".to_vec();
    {
        let mut kept = kept.lock().unwrap();
        (kept.document, kept.version) = (Some(theirs.clone()), kept.version + 100);
    }
    daemon.wait_for("that status says so", |daemon| {
        daemon.status().is_some_and(|status| {
            status["trouble"].as_str().is_some_and(|words| words.contains("somebody else"))
        })
    });
    let before = asked(&daemon);
    let puts = kept.lock().unwrap().puts;
    thread::sleep(Duration::from_secs(2));
    assert_eq!((asked(&daemon), kept.lock().unwrap().document.clone()), (before, Some(theirs)));
    assert!(kept.lock().unwrap().puts <= puts + 1);
    daemon.kill();
    // Nor is it begun upon.
    daemon.start();
    assert_eq!(daemon.ended().code(), Some(3));
    assert!(daemon.text("log").contains("it is no state file"), "{}", daemon.text("log"));
}

#[test]
fn a_server_that_is_away_lets_nothing_leave_and_nothing_begin() {
    let kept = Shared::default();
    let mut daemon = guest(&format!("http://127.0.0.1:{}/nii3", server(&kept)));
    std::fs::write(daemon.path("moves"), "").unwrap();
    daemon.start();
    daemon.wait_for("two moves", |daemon| asked(daemon).len() >= 2);
    kept.lock().unwrap().away = true;
    daemon.wait_for("trouble", |daemon| {
        daemon
            .status()
            .is_some_and(|status| status["trouble"].as_str().is_some_and(|words| words.contains("127.0.0.1")))
    });
    let before = asked(&daemon);
    thread::sleep(Duration::from_millis(500));
    assert_eq!(asked(&daemon), before, "a request left that the server's state does not know");
    kept.lock().unwrap().away = false;
    daemon.wait_for("another move", |daemon| asked(daemon).len() > before.len());
    // Not known is not fresh: it waits for the server before it decides anything.
    daemon.kill();
    kept.lock().unwrap().away = true;
    let before = (asked(&daemon), daemon.text("records"));
    daemon.start();
    daemon.wait_for("a complaint", |daemon| daemon.text("log").contains("it is asked again"));
    assert_eq!((asked(&daemon), daemon.text("records")), before);
    kept.lock().unwrap().away = false;
    daemon.wait_for("another move", |daemon| asked(daemon).len() > before.0.len());
    assert!(daemon.terminate().success());
    // It can be ended while it waits.
    kept.lock().unwrap().away = true;
    let words = "it is asked again";
    let count = daemon.text("log").matches(words).count();
    daemon.start();
    daemon.wait_for("a complaint", |daemon| daemon.text("log").matches(words).count() > count);
    assert!(daemon.terminate().success());
}

#[test]
fn a_server_without_etags_is_no_place_for_a_state() {
    let kept: Shared = Arc::new(Mutex::new(Kept { no_etags: true, ..Kept::default() }));
    let mut daemon = guest(&format!("http://127.0.0.1:{}/nii3", server(&kept)));
    daemon.start();
    daemon.wait_for("trouble", |daemon| {
        daemon
            .status()
            .is_some_and(|status| status["trouble"].as_str().is_some_and(|words| words.contains("ETag")))
    });
    assert!(asked(&daemon).is_empty());
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let id = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

/// The configuration that `docs/central-log.md` shows, in a folder.
fn apache(folder: &Path, port: u16) -> Running {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/remote-state.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, shown) = page.split_once("```apache\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let at = folder.display();
    let shown = shown
        .replace("/srv/vmpolicy-state", &format!("{at}/states"))
        .replace("/etc/apache2/vmpolicy-guests", &format!("{at}/users"))
        .replace("/var/lock/apache2", &at.to_string());
    std::fs::create_dir(folder.join("states")).unwrap();
    // SHA-1 of "secret", as htpasswd -s writes it.
    std::fs::write(folder.join("users"), "nii3:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n").unwrap();
    std::fs::write(folder.join("password"), "secret\n").unwrap();
    std::fs::set_permissions(folder.join("password"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    let modules = "/usr/lib/apache2/modules";
    let mut config = format!(
        "ServerRoot {at}\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {at}/pid\nErrorLog {at}/error.log\nDocumentRoot {at}/states\n"
    );
    for module in
        ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "dav", "dav_fs"]
    {
        let built_in = !Path::new(&format!("{modules}/mod_{module}.so")).is_file();
        if !built_in {
            config.push_str(&format!("LoadModule {module}_module {modules}/mod_{module}.so\n"));
        }
    }
    if rustix::process::geteuid().is_root() {
        config.push_str("User nobody\nGroup nogroup\n");
        for path in [folder.to_path_buf(), folder.join("states"), folder.join("users")] {
            std::os::unix::fs::chown(&path, Some(65_534), Some(65_534)).unwrap();
        }
    }
    std::fs::write(folder.join("conf"), config + &shown).unwrap();
    let program = "/usr/sbin/apache2";
    assert!(Path::new(program).is_file(), "apache2 is missing: the tests need it (apt-get install apache2)");
    let child = Command::new(program)
        .args(["-D", "FOREGROUND", "-f"])
        .arg(folder.join("conf"))
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            began.elapsed() < PATIENCE,
            "{}",
            std::fs::read_to_string(folder.join("error.log")).unwrap_or_default()
        );
        thread::sleep(Duration::from_millis(20));
    }
    running
}

#[test]
fn a_real_apache_keeps_the_state_and_a_guest_with_another_disk_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let _apache = apache(folder.path(), port);
    let mut daemon = guest(&format!("http://127.0.0.1:{port}/nii3"));
    let text = std::fs::read_to_string(daemon.path("policy.yaml")).unwrap();
    let login = format!(
        "user: nii3, password_file: {}/password, timeout: 2s }} }}\nrecords",
        folder.path().display()
    );
    std::fs::write(daemon.path("policy.yaml"), text.replace("timeout: 2s } }\nrecords", &login)).unwrap();
    std::fs::write(daemon.path("moves"), "").unwrap();
    daemon.start();
    daemon.wait_for("three moves", |daemon| daemon.text("records").matches("\"confirmed\"").count() >= 3);
    daemon.kill();
    std::fs::remove_dir_all(daemon.path("state")).unwrap();
    let before = asked(&daemon);
    daemon.start();
    daemon.wait_for("more moves", |daemon| asked(daemon).len() >= before.len() + 2);
    daemon.terminate();
    let all = asked(&daemon);
    let numbers: Vec<u64> = all.iter().map(|id| id.strip_prefix("nii3-").unwrap().parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert!(!daemon.text("log").contains("secret"));
    // A second daemon of this guest, elsewhere, that knew of nothing would be told by the server.
    assert!(std::fs::read(folder.path().join("states/nii3")).unwrap().starts_with(b"vmpolicy-state 1 "));
}
