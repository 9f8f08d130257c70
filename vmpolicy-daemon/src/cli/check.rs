//! `vmpolicy check`: every error and warning of policy files.

use super::diagnostics::{Text, Told};
use super::terminal::{Terminal, complain, print};
use super::{Exit, Format};
use crate::zones::SystemZones;
use clap::{ColorChoice, ValueEnum};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use vmpolicy_core::Policy;
use vmpolicy_core::file::{Problem, Severity, load};

const EXAMPLES: &str = "\
Examples:
  vmpolicy check policy.yaml
  vmpolicy check --deny warnings --format json policies/*.yaml
  generate-policy | vmpolicy check -
  vmpolicy check --explain VP0012

Exit status: 0 no errors, 1 a file has errors, 2 wrong usage, 3 a file can't be read. The
other files are still checked; the greatest number counts.";

/// What each code means, from `docs/errors.md`: a link beside this file, which packaging follows.
const CODES: &str = include_str!("errors.md");

/// No file that is one is longer; the reader says so and need not see it all.
const BYTES_MAX: u64 = 8 << 20;

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Policy files; `-` is standard input.
    #[arg(value_name = "FILE", required_unless_present = "explain")]
    pub files: Vec<PathBuf>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Whether to colour.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// What else makes a file fail.
    #[arg(long, value_name = "WHAT", value_enum)]
    pub deny: Option<Deny>,
    /// Explain what a code such as VP0012 means, and check nothing.
    #[arg(long, value_name = "CODE", conflicts_with = "files")]
    pub explain: Option<String>,
}

/// What can be denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// What is legal but unwise.
    Warnings,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    if let Some(code) = &args.explain {
        return explain(code);
    }
    let zones = SystemZones::default();
    let terminal = Terminal::of_stdout(args.color);
    let mut exit = Exit::Done;
    let mut found = Vec::new();
    for path in &args.files {
        let file = shown(path);
        let looked = match read(path) {
            Ok(bytes) => {
                let checked = Checked::of(&bytes, &zones);
                if checked.fails(args.deny) {
                    exit = exit.max(Exit::No);
                }
                Looked { file, bytes, checked: Ok(checked) }
            }
            Err(error) => {
                exit = Exit::Outside;
                complain(&format!("can't read {file}: {error}"));
                Looked { file, bytes: Vec::new(), checked: Err(error) }
            }
        };
        match args.format {
            Format::Json => found.push(looked),
            // As soon as it is known: another file may be a slow pipe.
            Format::Text => {
                if let Err(failed) = print(&looked.drawn(&terminal, args.deny)) {
                    return exit.max(failed);
                }
            }
        }
    }
    if args.format == Format::Json {
        let told: Vec<_> = found.iter().map(Looked::told).collect();
        let printed = match serde_json::to_string_pretty(&told) {
            Ok(json) => print(&(json + "\n")),
            Err(error) => {
                complain(&format!("can't write JSON: {error}"));
                Err(Exit::Outside)
            }
        };
        exit = exit.max(printed.err().unwrap_or(Exit::Done));
    }
    exit
}

/// The name as it is shown.
pub(super) fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// A whole file, or standard input for `-`.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(BYTES_MAX).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(BYTES_MAX).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What was found in a file.
struct Checked {
    policy: Option<Policy>,
    problems: Vec<Problem>,
}

/// A file that was looked at.
struct Looked {
    file: String,
    bytes: Vec<u8>,
    checked: io::Result<Checked>,
}

/// A file as JSON.
#[derive(Serialize)]
struct ToldFile<'a> {
    file: &'a str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    problems: Vec<Told<'a>>,
}

impl Checked {
    fn of(bytes: &[u8], zones: &SystemZones) -> Self {
        match load(bytes, zones) {
            Ok(loaded) => {
                let problems = loaded.warnings.into_iter().map(Problem::from).collect();
                Self { policy: Some(loaded.policy), problems }
            }
            Err(problems) => Self { policy: None, problems },
        }
    }

    fn number_of(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }

    fn fails(&self, deny: Option<Deny>) -> bool {
        self.policy.is_none() || (deny == Some(Deny::Warnings) && !self.problems.is_empty())
    }

    fn drawn(&self, text: &Text<'_>, file: &str, terminal: &Terminal, deny: Option<Deny>) -> String {
        let mut out = String::new();
        for problem in &self.problems {
            out.push_str(&text.draw(problem, terminal));
            out.push('\n');
        }
        let (errors, warnings) = (self.number_of(Severity::Error), self.number_of(Severity::Warning));
        let _ = write!(out, "{file}: ");
        match &self.policy {
            Some(policy) => {
                out.push_str(if self.fails(deny) { "denied" } else { "ok" });
                if warnings > 0 {
                    let _ = write!(out, ", {}", many(warnings, "warning"));
                }
                let _ = write!(out, " ({}", many(policy.rules().len(), "rule"));
                for (number, what) in [(policy.windows().len(), "window"), (policy.queues().len(), "queue")] {
                    if number > 0 {
                        let _ = write!(out, ", {}", many(number, what));
                    }
                }
                out.push(')');
            }
            None => out.push_str(&many(errors, "error")),
        }
        out.push('\n');
        if let Some(problem) = self.problems.first() {
            let _ = writeln!(out, "More about {0}: vmpolicy check --explain {0}", problem.code);
        }
        out
    }
}

impl Looked {
    fn text(&self) -> Text<'_> {
        Text::new(&self.file, &self.bytes)
    }

    fn told(&self) -> ToldFile<'_> {
        let (text, file) = (self.text(), self.file.as_str());
        match &self.checked {
            Ok(checked) => {
                let problems = checked.problems.iter().map(|problem| text.told(problem)).collect();
                ToldFile { file, ok: checked.policy.is_some(), unreadable: None, problems }
            }
            Err(error) => {
                ToldFile { file, ok: false, unreadable: Some(error.to_string()), problems: Vec::new() }
            }
        }
    }

    /// Nothing where the file could not be read: that was said on standard error.
    fn drawn(&self, terminal: &Terminal, deny: Option<Deny>) -> String {
        match &self.checked {
            Ok(checked) => checked.drawn(&self.text(), &self.file, terminal, deny),
            Err(_) => String::new(),
        }
    }
}

/// `1 rule`, `2 rules`.
pub(super) fn many(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

fn explain(code: &str) -> Exit {
    match explanation(code) {
        Some(text) => print(&format!("{}\n", text.trim_end())).err().unwrap_or(Exit::Done),
        None => {
            complain(&format!("there is no code `{code}`; `vmpolicy check` prints them: error[VP0012]"));
            Exit::Usage
        }
    }
}

/// The section of [`CODES`] whose heading has this code.
fn explanation(code: &str) -> Option<&'static str> {
    let code = code.trim().to_ascii_uppercase();
    if code.is_empty() {
        return None;
    }
    let level = |line: &str| line.bytes().take_while(|&byte| byte == b'#').count();
    let words = |line: &str| line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == code);
    let mut found: Option<(usize, usize)> = None;
    let (mut at, mut fenced) = (0, false);
    for line in CODES.split_inclusive('\n') {
        fenced ^= line.starts_with("```");
        let depth = if fenced { 0 } else { level(line) };
        match found {
            None if depth > 0 && words(line) => found = Some((at, depth)),
            Some((start, above)) if depth > 0 && depth <= above => return Some(&CODES[start..at]),
            _ => {}
        }
        at += line.len();
    }
    found.map(|(start, _)| &CODES[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_explained_and_others_are_not() {
        assert!(explanation("VP0008").is_some_and(|text| text.contains("VP0008")));
        assert_eq!(explanation("vp0008"), explanation("VP0008"));
        for code in ["", "VP", "VP9999", "#", " "] {
            assert_eq!(explanation(code), None, "{code}");
        }
    }
}
