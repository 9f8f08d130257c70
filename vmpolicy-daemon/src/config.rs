//! The policy file as the daemon reads it: the policy, and what is the shell's.

use crate::probe::read_head;
use crate::zones::SystemZones;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::file::{Problem, Severity, Shell, line_col, load};

/// How much of a file is looked at; the core's own limit is smaller and says so.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// A policy file that can be run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The policy.
    pub policy: Arc<Policy>,
    /// How to probe, how to ask, how to know where one is.
    pub shell: Shell,
    /// The guest's name: the file's, or the hostname.
    pub guest: String,
    /// What is legal but unwise, a line each.
    pub warnings: Vec<String>,
}

/// Why a policy file can't be run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It can't be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It has errors.
    #[error("{}", lines(path, text, problems))]
    Unsound {
        /// The file.
        path: PathBuf,
        /// Its text.
        text: String,
        /// All that is wrong with it.
        problems: Vec<Problem>,
    },
    /// The machine's name is no text, and the file does not name the guest.
    #[error("the hostname is not UTF-8: name the guest in the policy file, with `guest:`")]
    Hostname,
}

impl Config {
    /// Reads a policy file.
    ///
    /// # Errors
    ///
    /// Where it can't be read, or has errors: all of them.
    pub fn read(path: &Path, zones: &SystemZones) -> Result<Self, ConfigError> {
        let head = read_head(path, BYTES_MAX)
            .map_err(|source| ConfigError::Unreadable { path: path.to_path_buf(), source })?;
        let loaded = load(&head.bytes, zones).map_err(|problems| ConfigError::Unsound {
            path: path.to_path_buf(),
            text: String::from_utf8_lossy(&head.bytes).into_owned(),
            problems,
        })?;
        let guest = match &loaded.shell.guest {
            Some(guest) => guest.clone(),
            None => hostname()?,
        };
        let text = String::from_utf8_lossy(&head.bytes);
        let warnings =
            loaded.warnings.into_iter().map(|warning| line(path, &text, &warning.into())).collect();
        Ok(Self { policy: Arc::new(loaded.policy), shell: loaded.shell, guest, warnings })
    }
}

fn hostname() -> Result<String, ConfigError> {
    let system = rustix::system::uname();
    system.nodename().to_str().map(str::to_owned).map_err(|_| ConfigError::Hostname)
}

/// One line for each problem, as compilers have it: what an editor or a log can use. `vmpolicy check`
/// shows them with the text that they are about.
fn lines(path: &Path, text: &str, problems: &[Problem]) -> String {
    problems.iter().map(|problem| line(path, text, problem)).collect::<Vec<_>>().join("\n")
}

fn line(path: &Path, text: &str, problem: &Problem) -> String {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let at = problem.place.map_or_else(String::new, |place| {
        let (line, column) = line_col(text, place.start);
        format!(":{line}:{column}")
    });
    let hint = problem.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
    format!("{}{at}: {severity}[{}]: {}{hint}", path.display(), problem.code, problem.message)
}
