//! Where metrics are to be had: a port for a Prometheus, a file for a node exporter.

use super::text::CONTENT_TYPE;
use crate::control::{Ask, Asker, Limits, Listener, Protocol, Reply, Server};
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;
use vmpolicy_core::file::MetricsSpec;

/// A scraper asks each 15 s or so; there are few.
const LIMITS: Limits =
    Limits { connections: 16, request_bytes: 8192, patience: Duration::from_secs(5), per_second: 20 };

/// How often the file is written.
const WRITTEN_EVERY: Duration = Duration::from_secs(15);

/// Why metrics are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Not at this address.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Not in this file.
    #[error("can't write {path}: {source}")]
    Textfile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Metrics that are to be had, for as long as this lives.
#[derive(Debug, Default)]
pub struct Published {
    server: Option<(SocketAddr, Server)>,
    writer: Option<(PathBuf, Writer)>,
}

impl Published {
    /// Serves and writes what the policy file says, and ends what it does not say any more. What is as before goes on.
    ///
    /// # Errors
    ///
    /// Where a port or a thread can't be had; all is as it was then.
    pub fn change(&mut self, spec: Option<&MetricsSpec>, asker: &Asker) -> Result<(), PublishError> {
        let listen = spec.and_then(|spec| spec.listen);
        let path = spec.and_then(|spec| spec.textfile.as_ref()).map(PathBuf::from);
        let server = match listen {
            Some(address) if self.server.as_ref().is_none_or(|(before, _)| *before != address) => {
                Some((address, serve(address, asker)?))
            }
            _ => None,
        };
        match &path {
            Some(path) if self.writer.as_ref().is_none_or(|(before, _)| before != path) => {
                let writer = Writer::start(path, asker.clone());
                let failed = |source| PublishError::Textfile { path: path.clone(), source };
                self.writer = Some((path.clone(), writer.map_err(failed)?));
            }
            Some(_) => {}
            None => self.writer = None,
        }
        if server.is_some() || listen.is_none() {
            self.server = server;
        }
        Ok(())
    }
}

fn serve(address: SocketAddr, asker: &Asker) -> Result<Server, PublishError> {
    let failed = |source| PublishError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    tracing::info!("metrics are at http://{}/metrics", listener.local_addr().unwrap_or(address));
    let protocol = Http { asker: asker.clone() };
    Server::start("metrics", Listener::Tcp(listener), LIMITS, protocol).map_err(failed)
}

/// As much of HTTP as a scraper needs: `GET /metrics`, one request a connection.
struct Http {
    asker: Asker,
}

impl Protocol for Http {
    fn request_len(&self, bytes: &[u8]) -> Option<usize> {
        bytes.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4)
    }

    fn answer(&mut self, request: &[u8], _uid: Option<u32>) -> Reply {
        let head = String::from_utf8_lossy(request);
        let mut words = head.lines().next().unwrap_or_default().split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = target.split('?').next().unwrap_or_default();
        let bytes = match (method, path) {
            ("GET" | "HEAD", "/metrics") => match self.asker.ask(Ask::Metrics) {
                Ok(text) => response("200 OK", CONTENT_TYPE, &text, method == "HEAD"),
                Err(error) => plain("503 Service Unavailable", &error.to_string()),
            },
            ("GET" | "HEAD", "/") => plain("200 OK", "vmpolicyd: metrics are at /metrics"),
            ("GET" | "HEAD", _) => plain("404 Not Found", "metrics are at /metrics"),
            _ => plain("405 Method Not Allowed", "only GET is understood"),
        };
        Reply { bytes, last: true }
    }

    fn too_long(&self) -> Vec<u8> {
        plain("431 Request Header Fields Too Large", "the request is too long")
    }

    fn too_many(&self) -> Vec<u8> {
        plain("503 Service Unavailable", "there are too many clients already")
    }
}

fn plain(status: &str, words: &str) -> Vec<u8> {
    response(status, "text/plain; charset=utf-8", format!("{words}\n").as_bytes(), false)
}

fn response(status: &str, content_type: &str, body: &[u8], head_only: bool) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    );
    let mut bytes = head.into_bytes();
    if !head_only {
        bytes.extend_from_slice(body);
    }
    bytes
}

/// A thread that writes the file. It ends when this is dropped, or soon after: it may be waiting for the loop.
#[derive(Debug)]
struct Writer {
    _stop: Sender<()>,
}

impl Writer {
    fn start(path: &Path, asker: Asker) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let path = path.to_path_buf();
        thread::Builder::new().name("textfile".to_owned()).spawn(move || {
            let mut well = true;
            loop {
                match asker.ask(Ask::Metrics).map(|text| write_whole(&path, &text)) {
                    Ok(Err(error)) if well => {
                        tracing::warn!("can't write the metrics to {}: {error}", path.display());
                        well = false;
                    }
                    Ok(Ok(())) => well = true,
                    _ => {}
                }
                if stopped.recv_timeout(WRITTEN_EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { _stop: stop })
    }
}

/// Under another name first, which the collector does not read, so that it never sees half a file.
fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&draft)?;
    // Whatever the umask: the collector is another user.
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.write_all(text)?;
    drop(file);
    fs::rename(&draft, path)
}
