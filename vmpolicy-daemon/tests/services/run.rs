//! Services in folders of their own, as a user of their own where this is root.

pub(crate) use crate::process::PATIENCE;
use crate::process::Process;
use rustix::process::Signal;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// `nobody`, on Debian.
const NOBODY: u32 = 65_534;

/// Somebody else may take a free port before the service does.
const TRIES: usize = 5;

/// Finds a program where Debian keeps it; without it the test fails and says what to install.
pub(crate) fn find(program: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let postgres = versions.map(|version| version.path().join("bin"));
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin"].map(PathBuf::from))
        .chain(postgres)
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{program} is missing: the tests need it (apt-get install {package})"))
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Not as root: some services refuse that.
pub(crate) fn modest(mut command: Command) -> Command {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// What is started in a folder, at a port.
type Make = Box<dyn Fn(&Path, u16) -> Command>;

/// A folder that `nobody` may write into, and a service in it.
pub(crate) struct Service {
    folder: TempDir,
    process: Process,
    make: Make,
    pub(crate) port: u16,
}

impl Service {
    /// Prepares a folder and starts what `make` makes of it and of a free port; it is up once it accepts there.
    pub(crate) fn start(prepare: impl FnOnce(&Path), make: impl Fn(&Path, u16) -> Command + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), mode).unwrap();
        own(folder.path());
        prepare(folder.path());
        let mut service = Self { folder, process: Process::default(), make: Box::new(make), port: 0 };
        for _ in 0..TRIES {
            service.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if service.up() {
                return service;
            }
        }
        panic!("it does not come up:\n{}", service.log());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.path("log")).unwrap_or_default()).into_owned()
    }

    /// Starts it, on the port that it had.
    pub(crate) fn up(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = (self.make)(self.folder.path(), self.port);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        // Apache ends by a signal to its whole group.
        command.process_group(0);
        self.process.hold(command.spawn().unwrap());
        let began = Instant::now();
        while self.process.is_running() {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            assert!(began.elapsed() < PATIENCE, "it does not come up:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.process = Process::default();
        false
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) fn signal(&self, which: Signal) {
        self.process.signal(which);
    }

    /// Ends it, with all of its processes, by this signal.
    pub(crate) fn down(&mut self, by: Signal) {
        self.signal(by);
        assert!(self.process.ended().is_some(), "it does not go down:\n{}", self.log());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.process.is_running() {
            // Asked first, so that its own processes go with it.
            self.process.signal(Signal::CONT);
            self.process.signal(Signal::INT);
            let began = Instant::now();
            while self.process.is_running() && began.elapsed() < PATIENCE / 6 {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// Gives a file to the user of the services.
pub(crate) fn own(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// A secret as it has to be.
pub(crate) fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A program that runs until it goes out of scope.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
