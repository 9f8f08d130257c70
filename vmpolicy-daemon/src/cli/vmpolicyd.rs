//! `vmpolicyd`: the guest daemon's command line.

use super::Exit;
use clap::Parser;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Decides where this virtual machine runs, and asks for its moves.
#[derive(Debug, Parser)]
#[command(name = "vmpolicyd", version)]
pub struct Cli {
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// The whole program.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Cli::try_parse_from(args) {
        Ok(_) => Exit::Outside.into(),
        Err(error) => {
            // Help and version are errors to clap, and go to stdout; a closed pipe is no reason to fail.
            let _ = error.print();
            if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
        }
    }
}
