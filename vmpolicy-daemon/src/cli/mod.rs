//! The command lines. Each program has a file; each command of `vmpolicy` has one too.

pub mod backtest;
pub mod check;
pub mod completions;
pub mod daemon;
pub mod demo;
pub mod diagnostics;
pub mod explain;
mod given;
#[cfg(feature = "manual")]
pub mod manual;
pub mod merge;
mod outputs;
pub mod replay;
pub mod simulate;
mod stdout;
pub mod terminal;
pub mod test;
mod threads;
pub mod tune;
pub mod verify;
pub mod vmpolicy;
pub mod vmpolicyd;

use std::process::ExitCode;

/// How a command ended (contract, section 4). Of several, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The answer is no: a file has errors, a check failed.
    No = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Something outside failed: a file can't be read, a service can't be reached.
    Outside = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// How facts are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}
