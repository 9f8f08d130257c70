//! A real rsyslog: the configuration that `docs/central-log.md` shows, loaded, killed and started again.

use crate::collector::Heard;
use crate::daemon::{Daemon, PATIENCE, records};
use crate::process::Process;
use crate::tcp::free_port;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The fence in the page after this line.
fn shown() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/central-log.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, after) = page.split_once("```rsyslog\n").expect("docs/central-log.md shows a configuration");
    after.split_once("```").unwrap().0.to_owned()
}

struct Rsyslog {
    folder: TempDir,
    port: u16,
    process: Process,
}

impl Rsyslog {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = shown()
            .replace("port=\"6514\"", &format!("port=\"{port}\" address=\"127.0.0.1\""))
            .replace("/var/log/vmpolicy-guests.jsonl", &folder.path().join("out").display().to_string());
        assert!(config.contains(&port.to_string()) && config.contains("/out"), "{config}");
        let work = format!("global(workDirectory=\"{}\")\n", folder.path().display());
        std::fs::write(folder.path().join("conf"), work + &config).unwrap();
        let mut rsyslog = Self { folder, port, process: Process::default() };
        rsyslog.start();
        rsyslog
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&mut self) {
        let program =
            ["/usr/sbin/rsyslogd", "/usr/bin/rsyslogd"].into_iter().find(|path| Path::new(path).is_file());
        let program = program.expect("rsyslogd is missing: the tests need it (apt-get install rsyslog)");
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let child = Command::new(program)
            .args(["-n", "-f"])
            .arg(self.path("conf"))
            .arg("-i")
            .arg(self.path("pid"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process.hold(child);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "{}", std::fs::read_to_string(self.path("log")).unwrap());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn down(&mut self) {
        assert!(self.process.terminate().is_some(), "rsyslogd does not end");
    }
}

#[test]
fn rsyslog_has_all_records_in_order_over_a_restart() {
    let mut rsyslog = Rsyslog::new();
    let places = format!(
        "records: [{{ tcp: {{ address: \"127.0.0.1:{}\", timeout: 5s }} }}, {{ file: @/records }}]",
        rsyslog.port
    );
    let mut daemon = Daemon::new(&places);
    daemon.start();
    let count = |daemon: &Daemon| daemon.text("records").lines().count();
    daemon.wait_for("some records", |daemon| count(daemon) > 30);
    rsyslog.down();
    let before = count(&daemon);
    daemon.wait_for("more records", |daemon| count(daemon) > before + 30);
    rsyslog.start();
    daemon.drain();
    let heard = Heard::default();
    daemon.wait_for("all lines", |daemon| {
        let text = std::fs::read_to_string(rsyslog.path("out")).unwrap_or_default();
        *heard.0.lock().unwrap() = records(&text);
        heard.records() == records(&daemon.text("records"))
    });
}
