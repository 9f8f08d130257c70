//! The daemon with a real service: it decides as the rules say while the service is loaded, and a service that is
//! gone, frozen or back moves nobody.

use crate::nginx;
use crate::run::PATIENCE;
use rustix::process::Signal;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn records(folder: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join("records")).unwrap_or_default();
    // The last line may be on its way.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn load_moves_a_guest_and_a_service_that_is_gone_does_not() {
    let mut server = nginx::server();
    let folder = tempfile::tempdir().unwrap();
    let policy = format!(
        "version: 1\nguest: g\narrays: {{ a: {{ hosts: [h, i, j] }} }}\nindicators:\n  \
        waiting: {{ every: 100ms, probe: {{ nginx: {{ field: waiting, url: \"http://127.0.0.1:{}/status\", timeout: 80ms }} }} }}\n\
        rules:\n  - {{ name: many, when: waiting > 3, tarry: 3, do: move }}\n  \
        - {{ name: not-few, when: {{ not: waiting >= 0 }}, tarry: 1, do: move }}\n\
        moves: {{ settle: 100ms, at_most: 1000 per 1h, tour: keep-going }}\nlocator: {{ assume: h }}\n",
        server.port
    );
    std::fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    let at = |name: &str| folder.path().join(name);
    let child = Command::new(env!("CARGO_BIN_EXE_vmpolicyd"))
        .arg("--config")
        .arg(at("policy.yaml"))
        .arg("--state")
        .arg(at("state"))
        .args(["--dry-run", "--records"])
        .arg(at("records"))
        .stdin(Stdio::null())
        .stderr(std::fs::File::create(at("log")).unwrap())
        .spawn()
        .unwrap();
    let _daemon = Daemon(child);
    let log = || std::fs::read_to_string(at("log")).unwrap_or_default();
    let events = |name: &str| -> Vec<serde_json::Value> {
        records(folder.path()).into_iter().filter(|record| record["event"] == name).collect()
    };
    let wait_for = |what: &str, so: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !so() {
            assert!(began.elapsed() < PATIENCE, "{what} does not come:\n{}", log());
            thread::sleep(Duration::from_millis(20));
        }
    };
    let unknown = |reason: &str| events("unknown").iter().filter(|record| record["reason"] == reason).count();

    let clients: Vec<_> = (0..6).map(|_| nginx::client(server.port)).collect();
    wait_for("two moves", &|| events("confirmed").len() >= 2);
    let request = &events("request")[0];
    assert_eq!((&request["rule"], &request["to"]), (&"many".into(), &"i".into()), "{request}");
    assert_eq!(request["because"]["conditions"][0]["saw"], 6.0, "{request}");
    drop(clients);

    server.down(Signal::QUIT);
    wait_for("that it is unreachable", &|| unknown("unreachable") >= 1);
    let moved = events("request").len();
    assert!(server.up(), "{}", server.log());
    wait_for("an answer", &|| log().contains("answers again"));
    server.signal_all(Signal::STOP);
    wait_for("that it is too slow", &|| unknown("timed-out") + unknown("late") >= 1);
    server.signal_all(Signal::CONT);
    wait_for("an answer", &|| log().matches("answers again").count() >= 2);
    assert_eq!(events("request").len(), moved, "{:#?}", events("request"));
    assert!(events("request").iter().all(|request| request["rule"] == "many"));

    // It has not gone deaf.
    let _clients: Vec<_> = (0..6).map(|_| nginx::client(server.port)).collect();
    wait_for("another move", &|| events("request").len() > moved);
}
