//! The policy file as the daemon reads it: the policy, and what is the shell's.

use crate::policy_files::{PolicyFiles, Unreadable};
use crate::zones::SystemZones;
use std::path::Path;
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::file::Shell;

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
    /// The files that it was read from: the policy file, then those of its `conf.d`.
    pub files: Vec<String>,
}

/// Why a policy file can't be run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It, or a file of its `conf.d`, can't be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It has errors.
    #[error("{}", lines.join("\n"))]
    Unsound {
        /// All that is wrong with it, a line each.
        lines: Vec<String>,
    },
    /// The machine's name is no text, and the file does not name the guest.
    #[error("the hostname is not UTF-8: name the guest in the policy file, with `guest:`")]
    Hostname,
}

impl Config {
    /// Reads a policy file and its `conf.d`.
    ///
    /// # Errors
    ///
    /// Where they can't be read, or have errors: all of them.
    pub fn read(path: &Path, zones: &SystemZones) -> Result<Self, ConfigError> {
        let files = PolicyFiles::read(path)?;
        let loaded = files.load(zones).map_err(|problems| ConfigError::Unsound {
            lines: problems.iter().map(|problem| files.line(problem)).collect(),
        })?;
        let guest = match &loaded.shell.guest {
            Some(guest) => guest.clone(),
            None => hostname()?,
        };
        let warnings = loaded.warnings.into_iter().map(|warning| files.line(&warning.into())).collect();
        let names = files.all().iter().map(|file| file.name.clone()).collect();
        Ok(Self { policy: Arc::new(loaded.policy), shell: loaded.shell, guest, warnings, files: names })
    }
}

fn hostname() -> Result<String, ConfigError> {
    let system = rustix::system::uname();
    system.nodename().to_str().map(str::to_owned).map_err(|_| ConfigError::Hostname)
}
