//! The policy and what is expected of it.

use super::Args;
use crate::cli::Exit;
use crate::cli::check::{many, read, shown};
use crate::cli::diagnostics::Text;
use crate::cli::terminal::{Terminal, complain};
use crate::zones::SystemZones;
use clap::ColorChoice;
use std::io::{self, Write as _};
use std::path::Path;
use vmpolicy_core::file::expect::load_expectations;
use vmpolicy_core::file::{Loaded, Problem, load};
use vmpolicy_core::verify::Expectation;

/// What a verification is fed.
pub(super) struct Input {
    pub loaded: Loaded,
    pub zones: SystemZones,
    pub expectations: Vec<Expectation>,
}

impl Input {
    /// Reads both files; all their errors are told.
    pub(super) fn read(args: &Args) -> Result<Self, Exit> {
        let files = [Some(&args.file), args.expect.as_ref(), args.scenario.as_ref()];
        if files.into_iter().flatten().filter(|path| path.as_os_str() == "-").count() > 1 {
            complain("only one of the files can be standard input");
            return Err(Exit::Usage);
        }
        let zones = SystemZones::default();
        let bytes = bytes(&args.file)?;
        let loaded = load(&bytes, &zones).map_err(|problems| wrong(&args.file, &bytes, &problems))?;
        let expectations = match &args.expect {
            None => Vec::new(),
            Some(path) => {
                let bytes = self::bytes(path)?;
                load_expectations(&bytes, &loaded.policy)
                    .map_err(|problems| wrong(path, &bytes, &problems))?
            }
        };
        Ok(Self { loaded, zones, expectations })
    }
}

/// A file that is there.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Exit> {
    read(path).map_err(|error| {
        complain(&format!("can't read {}: {error}", shown(path)));
        Exit::Outside
    })
}

/// Tells what is wrong with a file.
pub(super) fn wrong(path: &Path, bytes: &[u8], problems: &[Problem]) -> Exit {
    let (file, terminal) = (shown(path), Terminal::of_stdout(ColorChoice::Never));
    let text = Text::new(&file, bytes);
    for problem in problems {
        // Where nobody hears it, the exit status still tells.
        let _ = writeln!(io::stderr().lock(), "{}", text.draw(problem, &terminal));
    }
    complain(&format!("{file}: {}", many(problems.len(), "error")));
    Exit::No
}
