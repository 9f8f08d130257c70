//! `vmpolicy history`: the last decisions of the running daemon.

use super::{Exit, Format, Reach, blame, ended, show};
use crate::control::{Client, ClientError, Remembered, Request};
use serde::Deserialize;
use std::thread;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  vmpolicy history
  vmpolicy history -n 100 --format json | jq -r .event | sort | uniq -c
  vmpolicy history --follow

The daemon remembers up to 1,000 records since its start; all of them are where `vmpolicyd --records` writes them.
Times are in UTC.

Exit status: 0 done, 2 wrong usage, 3 the daemon can't be reached.";

/// How often `--follow` asks.
const EVERY: Duration = Duration::from_millis(500);

/// The arguments.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How many at most.
    #[arg(short = 'n', long = "last", value_name = "N", default_value_t = 20)]
    pub last: u32,
    /// Goes on with new ones as they come, until it is interrupted.
    #[arg(long, short)]
    pub follow: bool,
    /// How to reach it.
    #[command(flatten)]
    pub reach: Reach,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    ended(told(args))
}

fn told(args: &Args) -> Result<bool, Exit> {
    let mut client = args.reach.connect(true)?;
    let (mut after, mut last) = (None, Some(args.last));
    loop {
        let (newest, records) = ask(&mut client, last, after).map_err(|error| blame(&error))?;
        let lines: String = records
            .iter()
            .map(|one| match args.reach.format {
                Format::Json => format!("{}\n", one.record),
                Format::Text => format!("{}\n", one.line),
            })
            .collect();
        if !show(&lines)? || !args.follow {
            return Ok(true);
        }
        (after, last) = (Some(newest), None);
        thread::sleep(EVERY);
    }
}

/// Asks for records; the number of the newest, and those that were asked for.
pub(super) fn ask(
    client: &mut Client,
    last: Option<u32>,
    after: Option<u64>,
) -> Result<(u64, Vec<Remembered>), ClientError> {
    #[derive(Deserialize)]
    struct Head {
        lines: usize,
        newest: u64,
    }
    let head: Head = client.ask(&Request::History { last, after }, "history")?.value;
    let mut records = Vec::new();
    for _ in 0..head.lines {
        let line = client.line()?;
        records.push(Remembered::parse(&line).ok_or_else(|| client.strange(&line))?);
    }
    Ok((head.newest, records))
}
