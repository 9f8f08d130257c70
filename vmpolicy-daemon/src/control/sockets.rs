//! The two sockets, and who may use them: the permissions of the files say so.

use super::serve::{Limits, Listener, Protocol, Reply, Server};
use super::wire::{ErrorCode, Refusal, Request};
use super::{Ask, Asker, Unanswered};
use crate::lock;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The socket that takes every request.
pub const CONTROL: &str = "control.sock";

/// The socket that takes the requests that change nothing.
pub const STATUS: &str = "status.sock";

/// Where the sockets are where nobody says otherwise.
const DEFAULT_DIR: &str = "/run/vmpolicy";

const LIMITS: Limits =
    Limits { connections: 64, request_bytes: 4096, patience: Duration::from_secs(10), per_second: 200 };

/// `$RUNTIME_DIRECTORY` as systemd sets it, else `/run/vmpolicy`.
#[must_use]
pub fn default_dir() -> PathBuf {
    // systemd may name several folders; the first is ours.
    let named = std::env::var_os("RUNTIME_DIRECTORY").filter(|dirs| !dirs.is_empty());
    let first = named.and_then(|dirs| std::env::split_paths(&dirs).next());
    first.unwrap_or_else(|| DEFAULT_DIR.into())
}

/// Why there are no sockets.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another daemon has them.
    #[error("another vmpolicyd has its sockets in {0}")]
    InUse(PathBuf),
    /// Something stands there that is no socket.
    #[error("{0} is there, and is no socket")]
    NotASocket(PathBuf),
    /// They can't be made.
    #[error("{path}: {source}")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The sockets of a daemon, for as long as this lives.
#[derive(Debug)]
pub struct Sockets {
    paths: Vec<PathBuf>,
    servers: Vec<Server>,
    _lock: File,
}

impl Sockets {
    /// Makes the sockets in this folder, which is made where it is not there. Those of a dead daemon are replaced.
    ///
    /// # Errors
    ///
    /// Where a daemon that lives has them, or they can't be made.
    pub fn open(dir: &Path, asker: &Asker) -> Result<Self, SocketError> {
        if !dir.exists() {
            DirBuilder::new().recursive(true).mode(0o755).create(dir).map_err(at(dir))?;
            // Whatever the umask: one of the sockets is for everybody.
            fs::set_permissions(dir, Permissions::from_mode(0o755)).map_err(at(dir))?;
        }
        let lock_path = dir.join("control.lock");
        let lock = lock::hold(&lock_path)
            .map_err(at(&lock_path))?
            .ok_or_else(|| SocketError::InUse(dir.to_path_buf()))?;
        let mut sockets = Self { paths: Vec::new(), servers: Vec::new(), _lock: lock };
        for (name, mode, may_act) in [(CONTROL, 0o660, true), (STATUS, 0o666, false)] {
            let path = dir.join(name);
            let listener = bind(dir, name, mode)?;
            sockets.paths.push(path.clone());
            let protocol = Lines { asker: asker.clone(), may_act };
            let server = Server::start(name, Listener::Unix(listener), LIMITS, protocol);
            sockets.servers.push(server.map_err(at(&path))?);
        }
        Ok(sockets)
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.servers.clear();
        for path in &self.paths {
            // Who finds one after all is told that nobody listens.
            let _ = fs::remove_file(path);
        }
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> SocketError {
    let path = path.to_path_buf();
    move |source| SocketError::Io { path: path.clone(), source }
}

/// A socket with these permissions from its first moment: it is made in a folder that nobody else can enter, and gets its
/// name when it is ready.
fn bind(dir: &Path, name: &str, mode: u32) -> Result<UnixListener, SocketError> {
    let path = dir.join(name);
    match fs::symlink_metadata(&path) {
        // The lock is ours, so whoever made it is gone.
        Ok(found) if found.file_type().is_socket() => {}
        Ok(_) => return Err(SocketError::NotASocket(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(SocketError::Io { path, source }),
    }
    let nest = dir.join(".new");
    // What a daemon that was killed here has left.
    let _ = fs::remove_dir_all(&nest);
    DirBuilder::new().mode(0o700).create(&nest).map_err(at(&nest))?;
    let egg = nest.join("s");
    let made = UnixListener::bind(&egg)
        .and_then(|listener| fs::set_permissions(&egg, Permissions::from_mode(mode)).map(|()| listener))
        .and_then(|listener| fs::rename(&egg, &path).map(|()| listener));
    let _ = fs::remove_dir_all(&nest);
    made.map_err(at(&path))
}

/// The protocol of the control sockets.
struct Lines {
    asker: Asker,
    may_act: bool,
}

impl Lines {
    fn refuse(code: ErrorCode, message: &str, hint: &str) -> Vec<u8> {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        Refusal { hint, ..Refusal::new(code, message) }.line()
    }
}

impl Protocol for Lines {
    fn request_len(&self, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1)
    }

    fn answer(&mut self, request: &[u8], uid: Option<u32>) -> Reply {
        let bytes = match Request::parse(request.trim_ascii()) {
            Err(refusal) => refusal.line(),
            Ok(request) if !self.may_act && !request.only_reads() => {
                let hint = "orders are taken at control.sock, from whom its permissions let in";
                Self::refuse(ErrorCode::NotAllowed, "this socket takes no orders", hint)
            }
            Ok(request) => match self.asker.ask(Ask::Request { request, uid }) {
                Ok(bytes) => bytes,
                Err(error @ (Unanswered::Late | Unanswered::Ended)) => {
                    Self::refuse(ErrorCode::Busy, &error.to_string(), "")
                }
            },
        };
        Reply { bytes, last: false }
    }

    fn too_long(&self) -> Vec<u8> {
        let message = format!("a request has at most {} bytes", LIMITS.request_bytes);
        Self::refuse(ErrorCode::BadRequest, &message, "")
    }

    fn too_many(&self) -> Vec<u8> {
        Self::refuse(ErrorCode::Busy, "there are too many clients already", "")
    }
}
