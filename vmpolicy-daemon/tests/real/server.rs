//! A MariaDB of the test's own, in a folder that goes with it, on a socket.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::process::{PATIENCE, Process};
use rustix::process::Signal;
use tempfile::TempDir;

const HELP: &str = "mariadbd or mariadb is missing: the tests need MariaDB's server and its client \
    (apt-get install mariadb-server-core mariadb-client-core)";

pub(crate) struct Server {
    folder: TempDir,
    grants: bool,
    options: Vec<String>,
    process: Process,
}

/// Debian keeps servers where an ordinary user's PATH does not look.
fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin"].map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
        .expect(HELP)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Server {
    /// A server that asks nobody for a password; up within a tenth of a second.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self {
            folder: tempfile::tempdir().unwrap(),
            grants: false,
            options,
            process: Process::default(),
        };
        std::fs::create_dir(server.folder.path().join("data")).unwrap();
        server.up();
        server
    }

    /// A server with users and passwords: `root` without a password. Takes some seconds to set up.
    pub(crate) fn start_with_users() -> Self {
        Self::start_with_users_and(&[])
    }

    pub(crate) fn start_with_users_and(options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server =
            Self { folder: tempfile::tempdir().unwrap(), grants: true, options, process: Process::default() };
        let mut install = Command::new(find("mariadb-install-db"));
        install
            .arg("--no-defaults")
            .arg(format!("--datadir={}", server.folder.path().join("data").display()))
            .args([
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                "--skip-innodb",
                "--default-storage-engine=Aria",
            ]);
        if is_root() {
            install.arg("--user=root");
        }
        assert!(install.stdout(Stdio::null()).status().unwrap().success());
        server.up();
        server
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    /// Starts the process and waits until it answers.
    pub(crate) fn up(&mut self) {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let mut command = Command::new(find("mariadbd"));
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", at("data")))
            .arg(format!("--socket={}", at("s")))
            .arg(format!("--pid-file={}", at("pid")))
            .args(["--skip-networking", "--skip-innodb", "--default-storage-engine=Aria"])
            .args(["--performance-schema=OFF", "--skip-log-bin", "--long-query-time=0.05"])
            .args(&self.options);
        if !self.grants {
            command.arg("--skip-grant-tables");
        }
        if is_root() {
            command.arg("--user=root");
        }
        let log = File::options().create(true).append(true).open(at("log")).unwrap();
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn();
        self.process.hold(child.expect(HELP));
        let began = Instant::now();
        while self.try_value("Uptime").is_err() {
            assert!(
                self.process.is_running() && began.elapsed() < PATIENCE,
                "mariadbd does not come up:\n{}",
                std::fs::read_to_string(at("log")).unwrap()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the process, as a person would.
    pub(crate) fn down(&mut self) {
        assert!(self.process.terminate().is_some(), "mariadbd does not end");
    }

    /// Stops the process where it is: it accepts, and does not answer.
    pub(crate) fn freeze(&self) {
        self.process.signal(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.process.signal(Signal::CONT);
    }

    /// A status variable.
    pub(crate) fn value(&self, name: &str) -> u64 {
        self.try_value(name).unwrap()
    }

    fn try_value(&self, name: &str) -> io::Result<u64> {
        let line = self.connect().ask(&format!("SHOW GLOBAL STATUS LIKE '{name}'"))?;
        line.split_whitespace()
            .last()
            .and_then(|value| value.parse().ok())
            .ok_or(io::ErrorKind::InvalidData.into())
    }

    /// Runs statements, one after the other, on one connection.
    pub(crate) fn run(&self, statements: &[&str]) {
        let ran = self.client().arg("--execute").arg(statements.join("; ")).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }

    /// Connections that are held until the value is dropped; fewer than wanted where the server has had
    /// enough.
    pub(crate) fn crowd(&self, wanted: usize) -> Vec<Client> {
        let mut held = Vec::new();
        for _ in 0..wanted {
            let mut client = self.connect();
            if client.ask("SELECT 1").is_err() {
                break;
            }
            held.push(client);
        }
        held
    }

    /// So many clients that each run slow queries, until the value is dropped.
    pub(crate) fn load(&self, clients: usize) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let threads =
            (0..clients).map(|_| {
                let (stop, mut client) = (Arc::clone(&stop), self.connect());
                thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) && client.ask("SELECT SLEEP(0.1)").is_ok() {}
                })
            });
        let threads = threads.collect();
        Load { stop, threads }
    }

    /// The server's own client, which shares nothing with the probe.
    fn client(&self) -> Command {
        let mut command = Command::new(find("mariadb"));
        command.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names", "--unbuffered"]);
        command.arg(format!("--socket={}", self.socket().display()));
        command
    }

    fn connect(&self) -> Client {
        let mut command = self.client();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (into, from) = (child.stdin.take(), child.stdout.take().unwrap());
        Client { child, into, from: BufReader::new(from) }
    }
}

pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A connection, by a process of its own.
pub(crate) struct Client {
    child: Child,
    into: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Client {
    /// Asks for one row.
    fn ask(&mut self, query: &str) -> io::Result<String> {
        let into = self.into.as_mut().unwrap();
        writeln!(into, "{query};")?;
        into.flush()?;
        let mut line = String::new();
        match self.from.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It ends with its input, and tells the server.
        drop(self.into.take());
        let _ = self.child.wait();
    }
}
