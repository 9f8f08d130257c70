//! A MariaDB of the test's own, in a folder that goes with it, on a socket.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use tempfile::TempDir;

const HELP: &str =
    "mariadbd is missing: the tests need MariaDB's server (apt-get install mariadb-server-core)";

/// How long a server may take to come up or go down on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    folder: TempDir,
    grants: bool,
    options: Vec<String>,
    child: Option<Child>,
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
        let mut server = Self { folder: tempfile::tempdir().unwrap(), grants: false, options, child: None };
        std::fs::create_dir(server.folder.path().join("data")).unwrap();
        server.up();
        server
    }

    /// A server with users and passwords: `root` without a password. Takes some seconds to set up.
    pub(crate) fn start_with_users() -> Self {
        let mut server =
            Self { folder: tempfile::tempdir().unwrap(), grants: true, options: Vec::new(), child: None };
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
        assert!(self.child.is_none());
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
        self.child = Some(child.expect(HELP));
        let began = Instant::now();
        while self.try_value("Uptime").is_err() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < PATIENCE,
                "mariadbd does not come up:\n{}",
                std::fs::read_to_string(at("log")).unwrap()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the process, as a person would.
    pub(crate) fn down(&mut self) {
        let mut child = self.child.take().unwrap();
        signal(&child, rustix::process::Signal::TERM);
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "mariadbd does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops the process where it is: it accepts, and does not answer.
    pub(crate) fn freeze(&self) {
        signal(self.child.as_ref().unwrap(), rustix::process::Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        signal(self.child.as_ref().unwrap(), rustix::process::Signal::CONT);
    }

    /// A status variable.
    pub(crate) fn value(&self, name: &str) -> u64 {
        self.try_value(name).unwrap()
    }

    fn try_value(&self, name: &str) -> Result<u64, sqlx::Error> {
        let statement = format!("SHOW GLOBAL STATUS LIKE '{name}'");
        runtime().block_on(async {
            let mut connection = connect(&self.socket()).await?;
            let row = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_one(&mut connection).await?;
            let value: &[u8] = row.try_get_unchecked(1)?;
            Ok(std::str::from_utf8(value).unwrap().parse().unwrap())
        })
    }

    /// Runs statements, one after the other, on one connection.
    pub(crate) fn run(&self, statements: &[&str]) {
        runtime().block_on(async {
            let mut connection = connect(&self.socket()).await.unwrap();
            for statement in statements {
                sqlx::raw_sql(AssertSqlSafe((*statement).to_owned())).execute(&mut connection).await.unwrap();
            }
        });
    }

    /// Connections that are held until the value is dropped; fewer than wanted where the server has had
    /// enough.
    pub(crate) fn crowd(&self, wanted: usize) -> (tokio::runtime::Runtime, Vec<MySqlConnection>) {
        let runtime = runtime();
        let mut held = Vec::new();
        for _ in 0..wanted {
            match runtime.block_on(connect(&self.socket())) {
                Ok(connection) => held.push(connection),
                Err(_) => break,
            }
        }
        (runtime, held)
    }

    /// So many clients that each run slow queries, until the value is dropped.
    pub(crate) fn load(&self, clients: usize) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..clients).map(|_| {
            let (stop, socket) = (Arc::clone(&stop), self.socket());
            thread::spawn(move || {
                runtime().block_on(async {
                    let Ok(mut connection) = connect(&socket).await else { return };
                    while !stop.load(Ordering::Relaxed) {
                        let query = sqlx::raw_sql("SELECT SLEEP(0.1)").execute(&mut connection).await;
                        if query.is_err() {
                            return;
                        }
                    }
                });
            })
        });
        let threads = threads.collect();
        Load { stop, threads }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
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

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn connect(socket: &Path) -> Result<MySqlConnection, sqlx::Error> {
    MySqlConnectOptions::new()
        .username("root")
        .socket(socket)
        .ssl_mode(MySqlSslMode::Disabled)
        .disable_statement_logging()
        .connect()
        .await
}

pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}
