//! A list of a real Redis as a queue, with the daemon killed, and the server.

use crate::guest::{Guest, PATIENCE, policy};
use crate::process::Process;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const HELP: &str = "redis-server or redis-cli is missing: the tests need them (apt-get install redis-server)";

/// A server on a socket, which has all that it answered for on its disk.
struct Server {
    folder: TempDir,
    password: Option<&'static str>,
    options: Vec<String>,
    process: Process,
}

impl Server {
    fn start(password: Option<&'static str>) -> Self {
        Self::start_with(password, Vec::new())
    }

    fn start_with(password: Option<&'static str>, options: Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self { folder, password, options, process: Process::default() };
        server.up();
        server
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    fn up(&mut self) {
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            "0",
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--dir",
        ]);
        command.arg(self.folder.path()).arg("--unixsocket").arg(self.socket());
        command.args(&self.options);
        if let Some(password) = self.password {
            command.args(["--requirepass", password]);
        }
        self.process.hold(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect(HELP));
        let began = Instant::now();
        while self.said(&["PING"]) != ["PONG"] {
            assert!(began.elapsed() < PATIENCE, "redis-server does not come up");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// `kill -9`.
    fn down(&mut self) {
        self.process.kill();
    }

    /// What the server's own client says, a line each.
    fn said(&self, words: &[&str]) -> Vec<String> {
        let mut command = Command::new("redis-cli");
        command.arg("-s").arg(self.socket()).arg("--raw").args(words);
        if let Some(password) = self.password {
            command.env("REDISCLI_AUTH", password);
        }
        let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().expect(HELP);
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    fn list(&self, key: &str) -> Vec<String> {
        let mut elements = self.said(&["LRANGE", key, "0", "-1"]);
        elements.retain(|element| !element.is_empty());
        elements
    }

    fn push(&self, elements: &[&str]) {
        self.said(&[&["RPUSH", "jobs"], elements].concat());
    }

    /// A guest that works at the list.
    fn guest(&self, script: &str, login: &str, more: &str) -> Guest {
        self.guest_at(&format!("socket: \"{}\"{login}", self.socket().display()), script, more)
    }

    fn guest_at(&self, address: &str, script: &str, more: &str) -> Guest {
        let guest = Guest::new(script, "");
        let source = format!("redis: {{ list: jobs, batch: 4, {address} }}");
        guest.policy(&policy(&source, &guest.runs(more)));
        guest
    }
}

const WRITES: &str = "echo \"began $1\" >> ran; sleep 0.02; echo \"ended $1\" >> ran; cat; echo \" $3\"";

fn times(guest: &Guest, word: &str) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for line in guest.lines("ran") {
        if let Some(job) = line.strip_prefix(word) {
            *times.entry(job.trim().to_owned()).or_insert(0) += 1;
        }
    }
    times
}

#[test]
fn elements_are_run_in_their_order_and_failed_ones_put_aside() {
    let server = Server::start(None);
    let mut guest = server.guest(&format!("{WRITES}; [ \"$1\" != bad ]"), "", "");
    server.push(&["big 1", "2", "bad", "2", "3", "4"]);
    guest.start();
    guest.wait_for("all", |guest| guest.lines("ran").len() == 12);
    guest.wait_for("their end", |_| server.list("jobs:claimed-by:g").is_empty());
    let order: Vec<_> = guest.lines("ran").into_iter().step_by(2).collect();
    assert_eq!(order, ["began big 1", "began 2", "began bad", "began 2", "began 3", "began 4"]);
    assert_eq!((server.list("jobs"), server.list("jobs:failed")), (Vec::new(), vec!["bad".to_owned()]));
    assert_eq!(guest.text("out/jobs/3.out"), "3 small\n");
}

#[test]
fn killed_at_any_moment_each_element_is_run_and_none_that_is_done_again() {
    let server = Server::start(None);
    let mut guest = server.guest(WRITES, "", ", grace: 100ms, tries: 1000");
    let all: Vec<String> = (0..40).map(|job| job.to_string()).collect();
    server.push(&all.iter().map(String::as_str).collect::<Vec<_>>());
    server.push(&["same", "same", "same"]);
    for round in 0..15_u64 {
        let left = [server.list("jobs"), server.list("jobs:claimed-by:g")].concat();
        let before = times(&guest, "began");
        guest.start();
        thread::sleep(Duration::from_millis(60 + 41 * round % 220));
        guest.kill();
        let after = times(&guest, "began");
        for job in all.iter().filter(|job| !left.contains(job)) {
            assert_eq!(before.get(job), after.get(job), "{job} was done, and is run again");
        }
    }
    guest.start();
    let is_empty = |key: &str| server.list(key).is_empty();
    guest.wait_for("the end", |_| is_empty("jobs") && is_empty("jobs:claimed-by:g"));
    let ended = times(&guest, "ended");
    assert!(all.iter().all(|job| ended.contains_key(job)), "{ended:?}");
    assert!(ended["same"] >= 3, "equal elements are different jobs: {ended:?}");
    assert!(is_empty("jobs:failed"));
}

#[test]
fn a_server_that_goes_while_a_job_runs_has_it_put_away_when_it_is_back() {
    let mut server = Server::start(None);
    let script = "echo \"began $1\" >> ran; while [ ! -e go ]; do sleep 0.02; done; echo \"ended $1\" >> ran";
    let mut guest = server.guest(script, "", "");
    server.push(&["a", "b"]);
    guest.start();
    guest.wait_for("the first", |guest| guest.lines("ran") == ["began a"]);
    server.down();
    guest.write("go", "");
    guest.wait_for("its end", |guest| guest.lines("ran").len() == 2);
    guest.wait_for("a complaint", |guest| guest.log().contains("a has ended, and can't be put away"));
    server.up();
    guest.wait_for("the other", |guest| guest.lines("ran").len() == 4);
    guest.wait_for("the end of both", |_| server.list("jobs:claimed-by:g").is_empty());
    assert_eq!(guest.lines("ran"), ["began a", "ended a", "began b", "ended b"]);
}

#[test]
fn a_password_is_shown_to_the_server_alone() {
    let server = Server::start(Some("s3cret"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let secret = |text: &str| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    };
    secret("wrong");
    let login = format!(", password_file: \"{}\"", file.display());
    let mut guest = server.guest(&format!("env >> ran; {WRITES}"), &login, "");
    server.push(&["a"]);
    guest.start();
    guest.wait_for("a complaint", |guest| guest.log().contains("WRONGPASS"));
    secret("s3cret");
    guest.wait_for("the job", |guest| guest.log().contains("jobs/a is done"));
    let all = guest.log() + &guest.text("records") + &guest.text("ran");
    assert!(!all.contains("s3cret"), "{all}");
}

#[cfg(feature = "tls")]
#[test]
fn a_queue_by_tls_is_claimed_from_whom_the_file_believes() {
    use crate::certificates::Authority;
    let (right, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let [cert, key] = right.vouches_for("localhost").write(folder.path());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = [
        ("--bind", "127.0.0.1".to_owned()),
        ("--tls-port", port.to_string()),
        ("--tls-cert-file", cert.display().to_string()),
        ("--tls-key-file", key.display().to_string()),
        ("--tls-auth-clients", "no".to_owned()),
    ];
    let options = options.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
    let server = Server::start_with(Some("s3cret"), options);
    let (ca, password) = (folder.path().join("ca.pem"), folder.path().join("password"));
    fs::write(&ca, Authority::new().pem()).unwrap();
    fs::write(&password, "s3cret").unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    let address = format!(
        "host: localhost, port: {port}, tls: true, ca_file: \"{}\", password_file: \"{}\"",
        ca.display(),
        password.display()
    );
    let mut guest = server.guest_at(&address, WRITES, "");
    server.push(&["a"]);
    guest.start();
    guest.wait_for("a complaint", |guest| guest.log().contains("TLS: nobody who is believed"));
    assert_eq!(server.list("jobs"), ["a"], "nothing is claimed from a stranger");
    fs::write(&ca, right.pem()).unwrap();
    guest.wait_for("the job", |guest| guest.log().contains("jobs/a is done"));
}
