//! A folder with files, in which the built program runs as a user runs it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub(crate) struct Folder {
    /// The words before all others, such as the command.
    words: &'static [&'static str],
    pub(crate) dir: TempDir,
}

impl Folder {
    /// With these files.
    pub(crate) fn with(words: &'static [&'static str], files: &[(&str, &str)]) -> Self {
        let folder = Self { words, dir: TempDir::new().unwrap() };
        for (name, content) in files {
            folder.put(name, content);
        }
        folder
    }

    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    /// The program with these arguments, on a terminal of no kind, 100 columns wide.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
        command.current_dir(self.dir.path()).args(self.words).args(args).stdin(Stdio::null());
        for variable in ["NO_COLOR", "TERM", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(variable);
        }
        command.env("COLUMNS", "100");
        command
    }

    /// Runs it, expects this exit status, and gives standard output and standard error.
    pub(crate) fn told(&self, args: &[&str], status: i32) -> (String, String) {
        let output = self.command(args).output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}\n{out}\n{err}");
        (out, err)
    }
}
