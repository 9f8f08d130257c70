//! A policy file that a command was given: read, or told where it is wrong.

use super::Exit;
use super::check::{many, read, shown};
use super::diagnostics::Text;
use super::terminal::{Terminal, complain};
use crate::policy_files::{PolicyFiles, whole_of};
use crate::zones::SystemZones;
use clap::ColorChoice;
use std::io::{self, Write as _};
use std::path::Path;
use vmpolicy_core::file::{FileKind, Loaded, Problem};

/// A sound policy, the files that it was read from, and the zones that it asked for.
pub(in crate::cli) struct Given {
    /// The file, as it was named.
    pub file: String,
    pub files: PolicyFiles,
    pub loaded: Loaded,
    pub zones: SystemZones,
}

impl Given {
    /// Reads a policy file and its `conf.d`. All its errors are told, and what it may have been meant as.
    pub(in crate::cli) fn read(path: &Path) -> Result<Self, Exit> {
        let files = files(path)?;
        let (file, zones) = (files.main().name.clone(), SystemZones::default());
        match files.load(&zones) {
            Ok(loaded) => Ok(Self { file, files, loaded, zones }),
            Err(problems) => {
                draw(&Text::of(&files), &problems);
                complain(&format!("{file}: {}", many(problems.len(), "error")));
                if let Some(whole) = whole_of(path) {
                    complain(&part_of(&file, &whole));
                }
                let (what, command) = match FileKind::of(&files.main().bytes) {
                    FileKind::Scenario => ("a scenario", format!("simulate {file}")),
                    FileKind::Tests => ("tests", format!("test {file}")),
                    FileKind::Expectations => ("expectations", format!("verify POLICY --expect {file}")),
                    _ => return Err(Exit::No),
                };
                complain(&format!("{file}: this looks like {what}: vmpolicy {command}"));
                Err(Exit::No)
            }
        }
    }
}

/// The files of a policy that are there.
pub(in crate::cli) fn files(path: &Path) -> Result<PolicyFiles, Exit> {
    PolicyFiles::read(path).map_err(|error| {
        complain(&format!("can't read {error}"));
        Exit::Outside
    })
}

/// What to say of errors in a file of a `conf.d` that was looked at alone.
pub(in crate::cli) fn part_of(file: &str, whole: &Path) -> String {
    let whole = shown(whole);
    format!("{file}: this looks like a part of {whole}: vmpolicy check {whole}")
}

/// A file that is there.
pub(in crate::cli) fn bytes(path: &Path) -> Result<Vec<u8>, Exit> {
    read(path).map_err(|error| {
        complain(&format!("can't read {}: {error}", shown(path)));
        Exit::Outside
    })
}

/// Tells what is wrong with a file, on standard error.
pub(in crate::cli) fn wrong(path: &Path, bytes: &[u8], problems: &[Problem]) -> Exit {
    let file = shown(path);
    draw(&Text::new(&file, bytes), problems);
    complain(&format!("{file}: {}", many(problems.len(), "error")));
    Exit::No
}

/// Draws problems on standard error.
pub(in crate::cli) fn draw(text: &Text<'_>, problems: &[Problem]) {
    let terminal = Terminal::of_stdout(ColorChoice::Never);
    for problem in problems {
        // Where nobody hears it, the exit status still tells.
        let _ = writeln!(io::stderr().lock(), "{}", text.draw(problem, &terminal));
    }
}
