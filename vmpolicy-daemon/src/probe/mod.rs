//! Probes: one indicator's number, each with a deadline of its own. One file each.
//!
//! A probe here is a [`Source`]: it says in words why there is no number. [`Named`] makes the core's
//! [`Probe`] of it, tells those words to whoever asks, and logs them once per change, so that a database that is down for a night is
//! two lines in the log. Nothing that a probe holds as a secret may stand in those words.

#[cfg(feature = "http")]
mod apache;
mod exec;
mod file;
#[cfg(feature = "http")]
mod http;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod kept;
mod load;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "http")]
mod nginx;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod packets;
#[cfg(feature = "http")]
mod pointer;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "http")]
mod prometheus;
mod psi;
mod redis;
mod steal;
mod table;
#[cfg(feature = "http")]
mod web;

pub use crate::stream::{Address, NoTls};
#[cfg(feature = "http")]
pub use apache::ApacheProbe;
pub use exec::ExecProbe;
pub use file::FileProbe;
#[cfg(feature = "http")]
pub use http::HttpProbe;
pub use load::{LoadProbe, LoadSpan};
#[cfg(feature = "mysql")]
pub use mysql::{MysqlOptions, MysqlProbe};
#[cfg(feature = "http")]
pub use nginx::NginxProbe;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresProbe};
#[cfg(feature = "http")]
pub use prometheus::PrometheusProbe;
pub use psi::{PsiAverage, PsiKind, PsiProbe, PsiResource};
pub use redis::RedisProbe;
pub use steal::StealProbe;
pub use table::{MakeError, USER_VARIABLE, is_at_hand, make};

use crate::board::Plight;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use vmpolicy_core::input::Absence;
use vmpolicy_core::ports::Probe;

/// The environment variable that holds the password of the `mysql` probes that name no secret.
pub const PASSWORD_VARIABLE: &str = "VMPOLICY_MYSQL_PASSWORD";

/// Where the kernel's files are, on a machine.
pub const PROC: &str = "/proc";

/// How much of a file is read.
pub const FILE_BYTES_MAX: usize = 64 * 1024;

/// Why a source has no number: for the engine, and in words for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For the engine.
    pub absence: Absence,
    /// For the log and for `vmpolicy status`; may be empty. Never a secret.
    pub words: String,
    /// For the log alone: what a program has printed, which may be anything.
    pub printed: String,
}

impl Failure {
    /// A failure and what to say about it.
    pub fn new(absence: Absence, words: impl Into<String>) -> Self {
        Self { absence, words: words.into(), printed: String::new() }
    }

    /// The same, with what a program has printed about it.
    #[must_use]
    pub fn printing(self, printed: impl Into<String>) -> Self {
        Self { printed: printed.into(), ..self }
    }
}

impl From<Absence> for Failure {
    fn from(absence: Absence) -> Self {
        Self::new(absence, "")
    }
}

/// Something that a number can be read from, within a time limit of its own.
pub trait Source: Send {
    /// Reads it now.
    ///
    /// # Errors
    ///
    /// Why there is no number.
    fn sample(&mut self) -> Result<f64, Failure>;
}

/// A source under the name of its indicator: the core's probe, with a log line for each change.
pub struct Named {
    name: String,
    source: Box<dyn Source>,
    before: Option<Absence>,
    plight: Plight,
}

impl Named {
    /// Names a source. Whether it can be read is told to `plight` each time.
    pub fn new(name: impl Into<String>, source: Box<dyn Source>, plight: Plight) -> Self {
        Self { name: name.into(), source, before: None, plight }
    }
}

impl Probe for Named {
    fn read(&mut self) -> Result<f64, Absence> {
        let read = self.source.sample();
        let now = read.as_ref().err().map(|failure| failure.absence);
        match &read {
            Ok(_) => self.plight.well(),
            Err(failure) => self.plight.note(&failure.words),
        }
        if now != self.before {
            match &read {
                Ok(_) => tracing::info!(indicator = %self.name, "the probe answers again"),
                Err(Failure { absence, words, printed }) => tracing::warn!(
                    indicator = %self.name, why = absence.name(), "no reading: {words}{}{printed}",
                    if printed.is_empty() { "" } else { ": " },
                ),
            }
            self.before = now;
        }
        read.map_err(|failure| failure.absence)
    }
}

/// What a file begins with, and whether it goes on.
pub(crate) struct Head {
    pub(crate) bytes: Vec<u8>,
    pub(crate) cut: bool,
}

/// Reads the beginning of a file. It is opened without waiting, so that a pipe without a writer is an
/// empty file and not the end of the thread.
pub(crate) fn read_head(path: &Path, bytes_max: usize) -> io::Result<Head> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0))
        .open(path)?;
    let mut bytes = Vec::new();
    match file.take(bytes_max as u64 + 1).read_to_end(&mut bytes) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
        _ => {}
    }
    let cut = bytes.len() > bytes_max;
    bytes.truncate(bytes_max);
    Ok(Head { bytes, cut })
}

/// The same, with what a failure means to the engine.
pub(crate) fn head_of(path: &Path) -> Result<Head, Failure> {
    read_head(path, FILE_BYTES_MAX).map_err(|error| {
        let absence = match error.kind() {
            io::ErrorKind::PermissionDenied => Absence::Denied,
            _ => Absence::Missing,
        };
        Failure::new(absence, format!("{}: {error}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_without_a_writer_and_an_endless_file_don_t_hang() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        assert!(read_head(&fifo, 100).unwrap().bytes.is_empty());
        let zeros = read_head(Path::new("/dev/zero"), 100).unwrap();
        assert_eq!((zeros.bytes.len(), zeros.cut), (100, true));
        assert_eq!(head_of(Path::new("/nonexistent")).err().unwrap().absence, Absence::Missing);
        assert_eq!(head_of(folder.path()).err().unwrap().absence, Absence::Missing);
    }

    #[test]
    fn a_named_source_passes_its_absence_on() {
        struct Down;
        impl Source for Down {
            fn sample(&mut self) -> Result<f64, Failure> {
                Err(Failure::new(Absence::Denied, "no"))
            }
        }
        let plight = Plight::default();
        let mut probe = Named::new("x", Box::new(Down), plight.clone());
        assert_eq!(probe.read(), Err(Absence::Denied));
        assert_eq!(probe.read(), Err(Absence::Denied));
        let fault = plight.fault().unwrap();
        assert_eq!((fault.words.as_str(), fault.times), ("no", 2));
    }
}
