//! `vmpolicy manual`: the man pages, for packagers.

use super::Exit;
use super::terminal::complain;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use std::io;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  vmpolicy manual target/man && man -l target/man/vmpolicy-check.1";

/// Stands at the head of each page.
const HEAD: &str = "vmpolicy manual";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder; it is made where there is none.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    match write_all(&args.folder) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format!("can't write man pages into {}: {error}", args.folder.display()));
            Exit::Outside
        }
    }
}

fn write_all(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut tool = super::vmpolicy::Cli::command();
    // Gives subcommands their whole names.
    tool.build();
    for command in tool.get_subcommands().filter(|command| !command.is_hide_set()) {
        write(folder, command, "1")?;
    }
    write(folder, &tool, "1")?;
    write(folder, &super::vmpolicyd::described::Cli::command(), "8")
}

fn write(folder: &Path, command: &Command, section: &str) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let path = folder.join(format!("{name}.{section}"));
    let page = Man::new(command.clone())
        .title(name.to_uppercase())
        .section(section)
        .source(format!("vmpolicy {}", env!("CARGO_PKG_VERSION")))
        .manual(HEAD);
    let mut text = Vec::new();
    page.render(&mut text)?;
    std::fs::write(path, text)
}
