//! The daemon's options as clap describes them: for the man page, the completions and the text of `--help`.
//!
//! `vmpolicyd` reads its few options [itself](super::args), as clap would be a twelfth of the program on every guest.
//! Tests hold the two together.

use clap::Parser;
use std::path::PathBuf;

/// Decides where this virtual machine runs, and asks for its moves.
///
/// Reads the indicators that the policy file names, decides by its rules, writes down each decision with
/// its reasons, and asks for the moves. Runs in the foreground until SIGTERM or SIGINT; SIGHUP has it read
/// the policy file again, which is taken whole or not at all.
#[derive(Debug, Parser)]
#[command(name = "vmpolicyd", version, after_help = EXAMPLES)]
pub struct Cli {
    /// The policy file, or a folder with a vmpolicy.yaml. The files *.yaml in the folder conf.d beside it are a
    /// part of it.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Decide and record, ask for nothing. Moves are believed to take place, so that more than the first
    /// decision is seen; each record says `"dry_run":true`. The state has a file of its own.
    #[arg(long)]
    pub dry_run: bool,

    /// The folder of the state, which outlives the daemon [default: $STATE_DIRECTORY, else
    /// /var/lib/vmpolicy].
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// The folder of the control sockets, at which `vmpolicy status` and the like ask [default:
    /// $RUNTIME_DIRECTORY, else /run/vmpolicy].
    #[arg(long, value_name = "DIR")]
    pub control: Option<PathBuf>,

    /// Where the records go beside the places that the policy file names under `records`, one JSON object a line: a
    /// file that is appended to, or `-` for standard output [default: none, and `-` where the policy file names none].
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,

    /// Keeps every input in this file, too, so that `vmpolicy replay` can make every decision again. It grows by
    /// some hundred bytes a poll; a file that is moved away is begun anew.
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  vmpolicyd --config /etc/vmpolicy/vmpolicy.yaml
  vmpolicyd --config vmpolicy.yaml --dry-run --state ./state --control ./control | jq .event

Environment:
  STATE_DIRECTORY          the folder of the state, as systemd sets it
  RUNTIME_DIRECTORY        the folder of the control sockets, as systemd sets it
  VMPOLICY_MYSQL_USER      the user of `mysql` probes without `user`
  VMPOLICY_MYSQL_PASSWORD  the password of `mysql` probes without `password_file`

Exit status: 0 ended by a signal, 1 the policy file has errors, 2 wrong usage, 3 something outside failed.";

#[cfg(test)]
mod tests {
    use super::super::args::{Args, HELP, OPTIONS};
    use super::*;
    use clap::CommandFactory as _;
    use std::ffi::OsString;

    #[test]
    fn the_description_is_sound_and_names_every_option() {
        Cli::command().debug_assert();
        let mut command = Cli::command();
        command.build();
        let described: Vec<String> = command
            .get_arguments()
            .filter_map(|argument| Some(format!("--{}", argument.get_long()?)))
            .collect();
        let read: Vec<String> = OPTIONS.iter().map(|option| (*option).to_owned()).collect();
        assert_eq!(described, read);
    }

    /// `VMPOLICY_WRITE_HELP=1 cargo test -p vmpolicy-daemon --lib vmpolicyd` writes the text anew.
    #[test]
    fn the_help_is_what_clap_would_print() {
        let text = Cli::command().term_width(80).render_long_help().to_string();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let text = lines.join("\n") + "\n";
        if std::env::var_os("VMPOLICY_WRITE_HELP").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/vmpolicyd/help.txt"), &text)
                .unwrap();
            return;
        }
        assert_eq!(HELP, text);
    }

    #[test]
    fn both_understand_the_same() {
        let lines: &[&[&str]] = &[
            &[],
            &["--config"],
            &["--config", "x"],
            &["--config=x", "--dry-run"],
            &["--config=x", "--dry-run=yes"],
            &["--config=", "--dry-run"],
            &["--config", "x", "--config", "y"],
            &["--config", "x", "--dry-run", "--dry-run"],
            &["--config", "x", "y"],
            &["x"],
            &["--config", "x", "--records", "-", "--inputs", "i", "--state", "s", "--control", "c"],
            &["--config", "x", "--records=r"],
            &["--config", "--dry-run"],
            &["--config", "x", "--nonsense"],
            &["--config", "x", "--"],
            &["--config", "x", "--", "y"],
            &["--conf", "x"],
            &["-c", "x"],
        ];
        for line in lines {
            let line: Vec<OsString> =
                std::iter::once("vmpolicyd").chain(line.iter().copied()).map(OsString::from).collect();
            let theirs = Cli::try_parse_from(line.clone()).ok().map(|cli| Args {
                config: cli.config,
                dry_run: cli.dry_run,
                state: cli.state,
                control: cli.control,
                records: cli.records,
                inputs: cli.inputs,
            });
            assert_eq!(Args::read(line.clone()).ok(), theirs, "{line:?}");
        }
    }
}
