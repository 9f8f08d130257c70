//! `vmpolicy replay`: the daemon's recorded inputs through the engine again.

use super::terminal::{print, print_json};
use super::{Exit, Format};
use crate::inputs::{Broken, ReplayError, Replayed, replay};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  vmpolicyd --config vmpolicy.yaml --inputs inputs.jsonl
  vmpolicy replay inputs.jsonl       every decision made again: are the records the same?

Exit status: 0 they are, byte for byte; 1 one differs, or the file can't be used; 2 wrong usage;
3 the file can't be read, or the result can't be written.";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What `vmpolicyd --inputs` has written, plain or gzip; `-` is standard input.
    #[arg(value_name = "INPUTS")]
    pub file: PathBuf,
    /// How to print what came of it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// The command.
pub fn run(args: &Args) -> Exit {
    let complain = |words: String| {
        let _ = writeln!(io::stderr(), "error: {}: {words}", args.file.display());
    };
    let replayed =
        open(args).map_err(|error| ReplayError::Broken(Broken::Unreadable(error))).and_then(replay);
    let replayed = match replayed {
        Ok(replayed) => replayed,
        Err(error) => {
            complain(error.to_string());
            return match error {
                ReplayError::Broken(Broken::Unreadable(_)) => Exit::Outside,
                _ => Exit::No,
            };
        }
    };
    let printed = match args.format {
        Format::Text => print(&text(&replayed)),
        Format::Json => print_json(serde_json::to_string_pretty(&replayed)),
    };
    let exit = if replayed.differs.is_some() { Exit::No } else { Exit::Done };
    printed.err().unwrap_or(exit)
}

fn open(args: &Args) -> io::Result<Box<dyn BufRead>> {
    let from: Box<dyn Read> = match args.file.as_os_str() == "-" {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(&args.file)?),
    };
    let mut from = BufReader::new(from);
    let is_gzip = from.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(match is_gzip {
        true => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(from))),
        false => Box::new(from),
    })
}

fn text(replayed: &Replayed) -> String {
    let Replayed { guest, begins, inputs, records, .. } = replayed;
    let mut text = format!("{guest}: {inputs} inputs");
    if let Some((from, to)) = replayed.span {
        text += &format!(" from {from} to {to}");
    }
    if *begins > 1 {
        text += &format!(", begun {begins} times");
    }
    if replayed.cut_off > 0 {
        text += &format!(", {} lines cut off where a daemon was killed", replayed.cut_off);
    }
    text.push('\n');
    for version in &replayed.other_versions {
        text += &format!("written by version {version}, replayed by {}\n", env!("CARGO_PKG_VERSION"));
    }
    match &replayed.differs {
        None => text += &format!("{records} records, each the same byte for byte\n"),
        Some(difference) => {
            let or_none = |line: &Option<String>| line.clone().unwrap_or_else(|| "nothing".to_owned());
            text += &format!(
                "line {}: the record differs\n  recorded: {}\n  replayed: {}\n",
                difference.line,
                or_none(&difference.recorded),
                or_none(&difference.replayed),
            );
        }
    }
    text
}
