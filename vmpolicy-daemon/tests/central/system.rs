//! A real journald, of a namespace of its own (systemd-journald.service(8)).

use crate::daemon::{Daemon, PATIENCE, records};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

struct Journald {
    namespace: String,
    child: Child,
}

impl Journald {
    fn start() -> Self {
        let namespace = format!("vmpolicy-test-{}", std::process::id());
        let program = ["/lib/systemd/systemd-journald", "/usr/lib/systemd/systemd-journald"];
        let program = program.iter().find(|path| Path::new(path).is_file());
        let program =
            program.expect("systemd-journald is missing: the tests need it (apt-get install systemd)");
        let child = Command::new(program).arg(&namespace).stdin(Stdio::null()).spawn().unwrap();
        let journald = Self { namespace, child };
        let began = Instant::now();
        while !journald.socket().exists() {
            assert!(began.elapsed() < PATIENCE, "journald does not come up");
            thread::sleep(Duration::from_millis(10));
        }
        journald
    }

    fn socket(&self) -> PathBuf {
        PathBuf::from(format!("/run/systemd/journal.{}/socket", self.namespace))
    }

    /// The entries of vmpolicyd.
    fn entries(&self) -> Vec<Value> {
        let output = Command::new("journalctl")
            .arg(format!("--namespace={}", self.namespace))
            .args(["--output=json", "--all", "--no-pager", "SYSLOG_IDENTIFIER=vmpolicyd"])
            .output()
            .unwrap();
        records(&String::from_utf8(output.stdout).unwrap())
    }
}

impl Drop for Journald {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for folder in ["/run/systemd", "/run/log", "/var/log"] {
            // Its sockets, and the journal of its own.
            let _ = std::fs::remove_dir_all(Path::new(folder).join(format!("journal.{}", self.namespace)));
            let machines =
                std::fs::read_dir(Path::new(folder).join("journal")).into_iter().flatten().flatten();
            for machine in
                machines.filter(|machine| machine.file_name().to_string_lossy().ends_with(&self.namespace))
            {
                let _ = std::fs::remove_dir_all(machine.path());
            }
        }
    }
}

#[test]
fn the_journal_has_each_record_with_its_fields_and_large_ones_whole() {
    if !rustix::process::geteuid().is_root() {
        println!("not run: only root may start a journald");
        return;
    }
    let journald = Journald::start();
    let mut daemon = Daemon::new(&format!(
        "records: [{{ file: @/records }}, {{ journal: {{ socket: {} }} }}]",
        journald.socket().display()
    ));
    daemon.start();
    daemon.wait_for("some records", |daemon| daemon.text("records").lines().count() > 20);
    daemon.terminate();
    // The next one begins anew, on a host that both policies have.
    std::fs::remove_dir_all(daemon.path("state")).unwrap();
    // Reasons of five thousand hosts: more than a datagram holds.
    let hosts: Vec<_> = (0..5_000).map(|number| format!("a-host-with-a-long-name-{number}")).collect();
    let text = std::fs::read_to_string(daemon.path("policy.yaml")).unwrap();
    let text = text.replace("[mln1, mln2, mln3]", &format!("[mln1, {}]", hosts.join(", ")));
    std::fs::write(daemon.path("policy.yaml"), text).unwrap();
    daemon.start();
    daemon
        .wait_for("a large record", |daemon| daemon.text("records").lines().any(|line| line.len() > 250_000));
    daemon.terminate();

    let ours = daemon.text("records");
    let ours: Vec<&str> = ours.lines().collect();
    let began = Instant::now();
    let mut entries = journald.entries();
    while entries.len() < ours.len() {
        assert!(began.elapsed() < PATIENCE, "{} of {}", entries.len(), ours.len());
        thread::sleep(Duration::from_millis(50));
        entries = journald.entries();
    }
    assert_eq!(entries.len(), ours.len());
    for (entry, line) in entries.iter().zip(ours) {
        assert_eq!(entry["MESSAGE"], line);
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&entry["VMPOLICY_EVENT"], &entry["VMPOLICY_GUEST"]), (&record["event"], &"nii3".into()));
        let priority = if record["event"] == "request" || record["event"] == "confirmed" { "5" } else { "6" };
        assert_eq!(entry["PRIORITY"], priority);
    }
}
