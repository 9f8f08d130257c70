//! A policy file that a command was given: read, or told where it is wrong.

use super::Exit;
use super::check::{many, read, shown};
use super::diagnostics::Text;
use super::terminal::{Terminal, complain};
use crate::zones::SystemZones;
use clap::ColorChoice;
use std::io::{self, Write as _};
use std::path::Path;
use vmpolicy_core::file::{FileKind, Loaded, Problem, load};

/// A sound policy, the text that it was read from, and the zones that it asked for.
pub(in crate::cli) struct Given {
    /// The file, as it was named.
    pub file: String,
    pub text: String,
    pub loaded: Loaded,
    pub zones: SystemZones,
}

impl Given {
    /// Reads a policy file. All its errors are told, and what it may have been meant as.
    pub(in crate::cli) fn read(path: &Path) -> Result<Self, Exit> {
        let bytes = bytes(path)?;
        let (file, zones) = (shown(path), SystemZones::default());
        match load(&bytes, &zones) {
            Ok(loaded) => {
                // What was loaded is UTF-8.
                let text = String::from_utf8_lossy(&bytes).into_owned();
                Ok(Self { file, text, loaded, zones })
            }
            Err(problems) => {
                let exit = wrong(path, &bytes, &problems);
                let (what, command) = match FileKind::of(&bytes) {
                    FileKind::Scenario => ("a scenario", format!("simulate {file}")),
                    FileKind::Tests => ("tests", format!("test {file}")),
                    FileKind::Expectations => ("expectations", format!("verify POLICY --expect {file}")),
                    _ => return Err(exit),
                };
                complain(&format!("{file}: this looks like {what}: vmpolicy {command}"));
                Err(exit)
            }
        }
    }
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
