//! The daemon's options, read by hand: there are few.

use lexopt::{Arg, Parser};
use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = include_str!("help.txt");

/// Every option, as one writes it.
pub const OPTIONS: [&str; 8] =
    ["--config", "--dry-run", "--state", "--control", "--records", "--inputs", "--help", "--version"];

/// The command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// The policy file.
    pub config: PathBuf,
    /// Decide and record, ask for nothing.
    pub dry_run: bool,
    /// The folder of the state.
    pub state: Option<PathBuf>,
    /// The folder of the control sockets.
    pub control: Option<PathBuf>,
    /// Where the records go beside the places that the policy file names; `-` is standard output.
    pub records: Option<PathBuf>,
    /// Where inputs are kept, if they are.
    pub inputs: Option<PathBuf>,
}

/// Why a command line is not to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// It asks for a text.
    Say(String),
    /// It is wrong.
    Wrong(String),
}

impl From<lexopt::Error> for Instead {
    fn from(error: lexopt::Error) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl Args {
    /// Reads a command line, the program's name at its head.
    ///
    /// # Errors
    ///
    /// Where it asks for a text, or is wrong.
    pub fn read(line: impl IntoIterator<Item = OsString>) -> Result<Self, Instead> {
        let mut parser = Parser::from_iter(line);
        let (mut config, mut dry_run) = (None, false);
        let mut args = Self::default();
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Long("config") => once("config", &mut config, &mut parser)?,
                Arg::Long("state") => once("state", &mut args.state, &mut parser)?,
                Arg::Long("control") => once("control", &mut args.control, &mut parser)?,
                Arg::Long("records") => once("records", &mut args.records, &mut parser)?,
                Arg::Long("inputs") => once("inputs", &mut args.inputs, &mut parser)?,
                Arg::Long("dry-run") if !dry_run => dry_run = true,
                Arg::Long("dry-run") => return Err(twice("dry-run")),
                Arg::Long("help") | Arg::Short('h') => return Err(Instead::Say(HELP.to_owned())),
                Arg::Long("version") | Arg::Short('V') => {
                    return Err(Instead::Say(format!("vmpolicyd {}\n", env!("CARGO_PKG_VERSION"))));
                }
                other => return Err(unexpected(&other)),
            }
        }
        args.config = config.ok_or_else(|| Instead::Wrong("`--config <FILE>` is missing".to_owned()))?;
        args.dry_run = dry_run;
        Ok(args)
    }
}

fn once(name: &str, to: &mut Option<PathBuf>, parser: &mut Parser) -> Result<(), Instead> {
    if to.is_some() {
        return Err(twice(name));
    }
    let missing = || Instead::Wrong(format!("`--{name}` wants a value after it"));
    let value = match parser.optional_value() {
        Some(value) => value,
        None => {
            // What begins with a dash is the next option, not a value; but for the dash alone.
            let mut rest = parser.raw_args().map_err(|error| Instead::Wrong(error.to_string()))?;
            let value = rest.peek().ok_or_else(missing)?;
            if value != "-" && value.as_encoded_bytes().starts_with(b"-") {
                return Err(missing());
            }
            rest.next().ok_or_else(missing)?
        }
    };
    if value.is_empty() {
        return Err(Instead::Wrong(format!("the value of `--{name}` is empty")));
    }
    *to = Some(value.into());
    Ok(())
}

fn twice(name: &str) -> Instead {
    Instead::Wrong(format!("`--{name}` is there twice"))
}

fn unexpected(arg: &Arg<'_>) -> Instead {
    let word = match arg {
        Arg::Long(name) => format!("--{name}"),
        Arg::Short(letter) => format!("-{letter}"),
        Arg::Value(value) => value.to_string_lossy().into_owned(),
    };
    let near = OPTIONS
        .iter()
        .map(|option| (strsim::jaro(option, &word), option))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let hint = near.map(|(_, option)| format!(": did you mean `{option}`?")).unwrap_or_default();
    Instead::Wrong(format!("`{word}` is not expected here{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[&str]) -> Result<Args, Instead> {
        Args::read(std::iter::once("vmpolicyd").chain(line.iter().copied()).map(OsString::from))
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |line: &[&str]| match read(line) {
            Err(Instead::Wrong(words)) => words,
            other => panic!("{line:?}: {other:?}"),
        };
        assert_eq!(wrong(&[]), "`--config <FILE>` is missing");
        assert_eq!(wrong(&["--config"]), "`--config` wants a value after it");
        assert_eq!(wrong(&["--config", "--dry-run"]), "`--config` wants a value after it");
        assert_eq!(wrong(&["--config", "a", "--config=b"]), "`--config` is there twice");
        assert_eq!(wrong(&["--conifg", "a"]), "`--conifg` is not expected here: did you mean `--config`?");
        assert_eq!(wrong(&["policy.yaml"]), "`policy.yaml` is not expected here");
        assert_eq!(wrong(&["-x"]), "`-x` is not expected here");
    }

    #[test]
    fn help_and_version_come_first() {
        assert_eq!(read(&["--help", "--nonsense"]), Err(Instead::Say(HELP.to_owned())));
        assert_eq!(read(&["-h"]), Err(Instead::Say(HELP.to_owned())));
        let version = format!("vmpolicyd {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(read(&["--config", "x", "-V"]), Err(Instead::Say(version)));
    }

    #[test]
    fn letters_that_are_no_text_can_be_in_a_path() {
        use std::os::unix::ffi::OsStringExt as _;
        let odd = OsString::from_vec(b"a\xffb".to_vec());
        let args = Args::read(["vmpolicyd".into(), "--config".into(), odd.clone()]).unwrap();
        assert_eq!(args.config, PathBuf::from(odd));
    }
}
