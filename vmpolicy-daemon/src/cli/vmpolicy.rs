//! `vmpolicy`: the operator's tool.

use super::Exit;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// Checks, explains and tries out policies by which a virtual machine decides where it runs.
#[derive(Debug, Parser)]
#[command(name = "vmpolicy", version, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands. Each has a file beside this one, with its arguments and a `run`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {}

/// The whole program.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Cli::try_parse_from(args) {
        Ok(cli) => match cli.command {},
        Err(error) => {
            // Help and version are errors to clap, and go to stdout; a closed pipe is no reason to fail.
            let _ = error.print();
            if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
        }
    }
}
