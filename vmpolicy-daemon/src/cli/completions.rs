//! `vmpolicy completions`: a script that completes the commands in a shell.

use super::Exit;
use super::terminal::print;
use clap::{CommandFactory as _, ValueEnum};
use clap_complete::{Shell, generate};

const EXAMPLES: &str = "\
Examples:
  vmpolicy completions bash > ~/.local/share/bash-completion/completions/vmpolicy
  vmpolicy completions zsh --program vmpolicyd > ~/.zfunc/_vmpolicyd";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
    /// The program to complete.
    #[arg(long, value_enum, default_value_t)]
    pub program: Program,
}

/// The programs of this package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Program {
    /// The operator's tool.
    #[default]
    Vmpolicy,
    /// The guest's daemon.
    Vmpolicyd,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    let (mut command, name) = match args.program {
        Program::Vmpolicy => (super::vmpolicy::Cli::command(), "vmpolicy"),
        Program::Vmpolicyd => (super::vmpolicyd::described::Cli::command(), "vmpolicyd"),
    };
    // Into memory first: the generator panics where it can't write.
    let mut script = Vec::new();
    generate(args.shell, &mut command, name, &mut script);
    print(&String::from_utf8_lossy(&script)).err().unwrap_or(Exit::Done)
}
