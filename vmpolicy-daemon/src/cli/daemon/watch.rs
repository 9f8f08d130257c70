//! `vmpolicy watch`: the running daemon at work, on one screen.

use super::status::headline;
use super::why::waits;
use super::words::{number, table};
use super::{Exit, Format, Reach, blame, ended, history, show, status};
use crate::cli::terminal::{Terminal, screen_size};
use crate::control::{Client, ClientError, Remembered, Request, Status, Told, Why};
use clap::ColorChoice;
use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  vmpolicy watch
  vmpolicy watch --count 60 --format json > an-hour-of-seconds

On a terminal one screen is drawn again each second; otherwise a line is printed whenever something has changed.
With `--format json` each look is an object with `status`, `why` and the new `records`. Ctrl-C ends it.

Exit status: 0 done, 2 wrong usage, 3 the daemon can't be reached, or has ended.";

const EVERY: Duration = Duration::from_secs(1);

/// How many records fit below the rest.
const RECORDS: u32 = 10;

/// The arguments.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Ends after so many looks.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// How to reach it.
    #[command(flatten)]
    pub reach: Reach,
}

/// One look.
struct Look {
    status: Told<Status>,
    why: Told<Why>,
    newest: u64,
    records: Vec<Remembered>,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    ended(watch(args))
}

fn watch(args: &Args) -> Result<bool, Exit> {
    let live = Terminal::of_stdout(ColorChoice::Auto).live && args.reach.format == Format::Text;
    let mut client = args.reach.connect(true)?;
    let (mut looks, mut after, mut before) = (0, None, String::new());
    loop {
        let look = look(&mut client, after, live).map_err(|error| blame(&error))?;
        let text = match args.reach.format {
            Format::Json => json(&look),
            Format::Text if live => drawn(&screen(&look), looks == 0, screen_size()),
            Format::Text => {
                let line = line(&look.status.value);
                let changed = if line == before { String::new() } else { format!("{line}\n") };
                before = line;
                let records: String = look.records.iter().map(|one| format!("{}\n", one.line)).collect();
                records + &changed
            }
        };
        if !show(&text)? {
            return Ok(false);
        }
        looks += 1;
        if args.count.is_some_and(|count| looks >= count) {
            return Ok(true);
        }
        after = Some(look.newest);
        thread::sleep(EVERY);
    }
}

fn look(client: &mut Client, after: Option<u64>, live: bool) -> Result<Look, ClientError> {
    let status = client.ask(&Request::Status {}, "status")?;
    let why = client.ask(&Request::Why {}, "why")?;
    // A screen shows the last ones, lines only what is new.
    let (newest, records) = match after {
        Some(after) if !live => history::ask(client, None, Some(after))?,
        _ => history::ask(client, Some(RECORDS), None)?,
    };
    Ok(Look { status, why, newest, records })
}

fn json(look: &Look) -> String {
    let records: Vec<&str> = look.records.iter().map(|one| one.record.as_str()).collect();
    let (status, why) = (&look.status.json, &look.why.json);
    format!("{{\"status\":{status},\"why\":{why},\"records\":[{}]}}\n", records.join(","))
}

/// A screen over the one before, without what has no room: a line that wraps, or one too many, would have the terminal scroll. No
/// mode of the terminal is changed, so that nothing has to be put back, however this ends.
fn drawn(text: &str, first: bool, size: Option<(usize, usize)>) -> String {
    let (columns, lines) = size.unwrap_or((usize::MAX, usize::MAX));
    let count = text.lines().count();
    // The cursor stands in the line after the last one.
    let room = lines.saturating_sub(1);
    let fit = if count > room { room.saturating_sub(1) } else { count };
    let mut out = if first { "\x1b[2J\x1b[H" } else { "\x1b[H" }.to_owned();
    let mut put = |line: &str| {
        out.extend(line.chars().take(columns));
        out.push_str("\x1b[K\n");
    };
    text.lines().take(fit).for_each(&mut put);
    if fit < count && room > 0 {
        put(&format!("{} more lines have no room", count - fit));
    }
    out.push_str("\x1b[J");
    out
}

fn screen(look: &Look) -> String {
    let mut text = status::text(&look.status.value);
    text.push_str("rules\n");
    let rules = look
        .why
        .value
        .rules
        .iter()
        .map(|rule| vec![rule.rule.clone(), waits(rule, look.why.value.hold.as_ref())]);
    text.push_str(&table(&rules.collect::<Vec<_>>(), "  "));
    text.push_str("records, in UTC\n");
    for one in &look.records {
        let _ = writeln!(text, "  {}", one.line);
    }
    text
}

/// What matters, without what changes by itself.
fn line(status: &Status) -> String {
    let mut line = headline(status);
    let _ = write!(line, "; on {}", status.host.as_deref().unwrap_or("an unknown host"));
    if let Some(open) = &status.request {
        let _ = write!(line, "; request {} to {} is {}", open.id, open.to, open.stage);
    }
    if status.settling_for.is_some() {
        line.push_str("; settling");
    }
    if let Some(rule) = &status.resting {
        let _ = write!(line, "; {rule} rests");
    }
    if let Some(hold) = &status.hold {
        line.push_str(if hold.lasts.is_some() { "; held for a while" } else { "; held" });
        if hold.because == "state-lost" {
            line.push_str(", as the state was lost");
        }
    }
    for one in &status.indicators {
        let value = match (one.value, &one.unknown) {
            (Some(value), _) => number(value, one.unit.as_deref()),
            (None, Some(why)) => why.clone(),
            (None, None) => "?".to_owned(),
        };
        let _ = write!(line, "; {} {value}", one.name);
    }
    for one in &status.queues {
        if let Some(batch) = &one.batch {
            let _ = write!(line, "; {} of {} jobs of {} have ended", batch.ended, batch.jobs, one.name);
        }
        if one.fault.is_some() {
            let _ = write!(line, "; {} can't be worked at", one.name);
        }
    }
    for one in status.hooks.iter().filter(|one| one.failing_since.is_some()) {
        let _ = write!(line, "; the hook {} goes wrong", one.hook);
    }
    if let Some(trouble) = &status.trouble {
        let _ = write!(line, "; {trouble}");
    }
    if let Some(not_taken) = &status.policy.not_taken {
        let _ = write!(line, "; the policy file was not taken at {}", not_taken.at);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_screen_is_drawn_over_the_one_before() {
        assert_eq!(drawn("ab\ncd\n", true, None), "\x1b[2J\x1b[Hab\x1b[K\ncd\x1b[K\n\x1b[J");
        assert_eq!(drawn("abc\nd\n", false, Some((2, 3))), "\x1b[Hab\x1b[K\nd\x1b[K\n\x1b[J");
        let small = drawn("a\nb\nc\nd\n", false, Some((80, 3)));
        assert_eq!(small, "\x1b[Ha\x1b[K\n3 more lines have no room\x1b[K\n\x1b[J");
        assert_eq!(drawn("a\n", false, Some((80, 1))), "\x1b[H\x1b[J");
    }

    proptest! {
        #[test]
        fn it_never_scrolls(text in "([a-zø ]{0,30}\n){0,30}", columns in 1_usize..40, lines in 1_usize..40) {
            let drawn = drawn(&text, false, Some((columns, lines)));
            prop_assert!(drawn.matches('\n').count() < lines);
            let plain = drawn.replace("\x1b[H", "").replace("\x1b[K", "").replace("\x1b[J", "");
            prop_assert!(plain.lines().all(|line| line.chars().count() <= columns));
        }
    }
}
