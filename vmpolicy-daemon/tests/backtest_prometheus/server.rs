//! A Prometheus of the test's own, in a folder that goes with it, on a port that was free.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const HELP: &str =
    "prometheus or promtool is missing: the tests need Debian's package (apt-get install prometheus)";

/// How long it may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody else may take a free port before the server does.
const TRIES: usize = 5;

pub(crate) struct Server {
    folder: TempDir,
    child: Child,
    port: u16,
}

impl Server {
    /// A server that knows these samples, in the text of OpenMetrics. `web` is its configuration of HTTP.
    pub(crate) fn start(samples: &str, web: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("samples.om"), samples).unwrap();
        fs::write(at("prometheus.yml"), "global: { scrape_interval: 1h }\n").unwrap();
        fs::write(at("web.yml"), web).unwrap();
        fs::create_dir(at("data")).unwrap();
        if !samples.is_empty() {
            let mut fill = Command::new("promtool");
            fill.args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
                .args([at("samples.om"), at("data")]);
            let filled = fill.stdin(Stdio::null()).output().expect(HELP);
            assert!(filled.status.success(), "{}", String::from_utf8_lossy(&filled.stderr));
        }
        for _ in 0..TRIES {
            if let Some((child, port)) = up(folder.path()) {
                return Self { folder, child, port };
            }
        }
        panic!("prometheus does not come up:\n{}", fs::read_to_string(at("log")).unwrap());
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What `--trace` names.
    pub(crate) fn trace(&self) -> String {
        format!("prometheus:http://localhost:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts it and waits until it is ready; nothing where it ended instead.
fn up(folder: &Path) -> Option<(Child, u16)> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let at = |name: &str| -> PathBuf { folder.join(name) };
    let log = File::create(at("log")).unwrap();
    let mut child = Command::new("prometheus")
        .arg(format!("--config.file={}", at("prometheus.yml").display()))
        .arg(format!("--web.config.file={}", at("web.yml").display()))
        .arg(format!("--storage.tsdb.path={}", at("data").display()))
        .args(["--storage.tsdb.retention.time=100y", &format!("--web.listen-address=127.0.0.1:{port}")])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect(HELP);
    let began = Instant::now();
    loop {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        let log = fs::read_to_string(at("log")).unwrap();
        if log.contains("Server is ready to receive web requests") && answers(port) {
            return Some((child, port));
        }
        assert!(began.elapsed() < PATIENCE, "prometheus does not come up:\n{log}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).and_then(|mut to| to.write_all(b"")).is_ok()
}
