//! The other end: asks a daemon.

use super::wire::{Refusal, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a daemon may take. Its loop has as long before its socket says that it is busy.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long an answer may be.
const LINE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody is there, or one may not ask.
    #[error("{path}: {source}")]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The connection broke, or the daemon took too long.
    #[error("the daemon at {path} does not answer: {source}")]
    Broken {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The answer is none.
    #[error("what answers at {path} is no vmpolicyd of this version: {words}")]
    Strange {
        /// The socket.
        path: PathBuf,
        /// What is wrong with the answer.
        words: String,
    },
    /// The daemon says no.
    #[error("{}", .0.message)]
    Refused(Refusal),
}

/// An answer: its line as it came, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Told<T> {
    /// What it says.
    pub value: T,
    /// The same as it was written.
    pub json: String,
}

/// A connection to a daemon.
#[derive(Debug)]
pub struct Client {
    path: PathBuf,
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Where nobody is there, or one may not ask.
    pub fn connect(path: &Path) -> Result<Self, ClientError> {
        let unreachable = |source| ClientError::Unreachable { path: path.to_path_buf(), source };
        let stream = UnixStream::connect(path).map_err(unreachable)?;
        let set = stream.set_read_timeout(Some(PATIENCE));
        set.and_then(|()| stream.set_write_timeout(Some(PATIENCE))).map_err(unreachable)?;
        Ok(Self { path: path.to_path_buf(), stream: BufReader::new(stream) })
    }

    /// Asks for something; `key` is where the answer has it.
    ///
    /// # Errors
    ///
    /// Where there is no answer, or it is no.
    pub fn ask<T: DeserializeOwned>(&mut self, request: &Request, key: &str) -> Result<Told<T>, ClientError> {
        let sent = self.stream.get_mut().write_all(request.line().as_bytes());
        // A daemon that has no room says so before it reads.
        let line = match (self.line(), sent) {
            (Err(_), Err(source)) => return Err(ClientError::Broken { path: self.path.clone(), source }),
            (line, _) => line?,
        };
        let strange = |words: String| ClientError::Strange { path: self.path.clone(), words };
        let mut value: Value = serde_json::from_str(&line).map_err(|error| strange(error.to_string()))?;
        if value["ok"] == false {
            let refusal = serde_json::from_value(value["error"].take());
            return Err(refusal.map_or_else(|error| strange(error.to_string()), ClientError::Refused));
        }
        let value = serde_json::from_value(value[key].take()).map_err(|error| strange(error.to_string()))?;
        // What the daemon has written, in its order of keys.
        let json = line
            .split_once(&format!("\"{key}\":"))
            .and_then(|(_, rest)| rest.trim_end().strip_suffix('}'))
            .unwrap_or_default()
            .to_owned();
        Ok(Told { value, json })
    }

    /// The next line of an answer that has several.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn line(&mut self) -> Result<String, ClientError> {
        let mut line = String::new();
        let broken = |source| ClientError::Broken { path: self.path.clone(), source };
        match (&mut self.stream).take(LINE_BYTES_MAX).read_line(&mut line) {
            Err(source) => Err(broken(source)),
            Ok(_) if !line.ends_with('\n') => Err(broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => Ok(line),
        }
    }

    /// What to say of a line that makes no sense.
    #[must_use]
    pub fn strange(&self, line: &str) -> ClientError {
        let words = format!("it says {}", line.chars().take(80).collect::<String>());
        ClientError::Strange { path: self.path.clone(), words }
    }
}
