//! The daemon's log: a line on standard error for each thing that an administrator should know.
//!
//! Under systemd a line begins with its level as `sd-daemon(3)` has it, so that `journalctl -p warning` finds it, and without the
//! time, which the journal has; elsewhere with the time and the level's name. What is on a line may come from a server, so it
//! can neither begin an entry of its own nor tell a terminal anything.

use crate::agent::SystemClock;
use rustix::fs::fstat;
use std::fmt::{Debug, Write as _};
use std::io::{self, IsTerminal, Write as _};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber, level_filters::LevelFilter};
use vmpolicy_core::time::Wall;

/// Set by systemd where standard error goes to the journal: the device and inode of its socket.
const JOURNAL: &str = "JOURNAL_STREAM";

/// Begins to log; nothing, where there is a log already, as in a test.
pub(crate) fn to_stderr() {
    let reader = match journal_listens() {
        true => Reader::Journal,
        false if io::stderr().is_terminal() => Reader::Terminal,
        false => Reader::File,
    };
    // One write, so that lines of two threads don't mix. Where nobody hears it there is nobody to tell.
    let write = |lines: &str| drop(io::stderr().write_all(lines.as_bytes()));
    let _ = tracing::subscriber::set_global_default(Log { reader, clock: SystemClock::wall, write });
}

/// A program of the unit may have sent its errors elsewhere, so the name alone says nothing.
fn journal_listens() -> bool {
    let Ok(stat) = fstat(io::stderr()) else { return false };
    std::env::var(JOURNAL).is_ok_and(|named| named == format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// Who reads the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Journal,
    Terminal,
    File,
}

struct Log<W> {
    reader: Reader,
    clock: fn() -> Wall,
    write: W,
}

impl<W: Fn(&str) + 'static> Subscriber for Log<W> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::INFO
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        (self.write)(&words.lines(self.reader, *event.metadata().level(), (self.clock)()));
    }

    // The daemon has no spans; what a library may have is not logged.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What an event says.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string can't fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

impl Words {
    fn lines(&self, reader: Reader, level: Level, now: Wall) -> String {
        let (number, name, colour) = match level {
            Level::ERROR => (3, "ERROR", "31"),
            Level::WARN => (4, " WARN", "33"),
            Level::INFO => (6, " INFO", "32"),
            _ => (7, "DEBUG", "34"),
        };
        let (first, next) = match reader {
            Reader::Journal => (format!("<{number}>"), format!("<{number}>  ")),
            Reader::Terminal => {
                (format!("\x1b[2m{now}\x1b[0m \x1b[{colour}m{name}\x1b[0m "), "    ".to_owned())
            }
            Reader::File => (format!("{now} {name} "), "    ".to_owned()),
        };
        let mut lines = String::new();
        for (place, line) in self.message.trim_end().split('\n').enumerate() {
            if place > 0 {
                lines.push('\n');
            }
            lines.push_str(if place == 0 { &first } else { &next });
            push_plain(&mut lines, line);
        }
        push_plain(&mut lines, &self.fields);
        lines.push('\n');
        lines
    }
}

/// Adds a text without what could steer a terminal or end a line.
fn push_plain(line: &mut String, text: &str) {
    for letter in text.chars() {
        if letter.is_control() && letter != '\t' {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn told(reader: Reader) -> String {
        let lines = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&lines);
        let write = move |line: &str| kept.lock().unwrap().push_str(line);
        tracing::subscriber::with_default(Log { reader, clock: || Wall(1_792_000_000_123), write }, || {
            tracing::info!(guest = %"nii3", count = 2, "{} reads", "vmpolicyd");
            tracing::warn!(why = "denied", "no reading: {}", "a\u{1b}[31mred\r\n2026 ERROR forged");
            tracing::error!("two lines\nof a fault\n");
            tracing::debug!("not this");
        });
        lines.lock().unwrap().clone()
    }

    #[test]
    fn a_file_has_times_and_names() {
        insta::assert_snapshot!(told(Reader::File), @r#"
        2026-10-14T17:46:40.123Z  INFO vmpolicyd reads guest=nii3 count=2
        2026-10-14T17:46:40.123Z  WARN no reading: a\u{1b}[31mred\r
            2026 ERROR forged why="denied"
        2026-10-14T17:46:40.123Z ERROR two lines
            of a fault
        "#);
    }

    #[test]
    fn the_journal_has_levels() {
        insta::assert_snapshot!(told(Reader::Journal), @r#"
        <6>vmpolicyd reads guest=nii3 count=2
        <4>no reading: a\u{1b}[31mred\r
        <4>  2026 ERROR forged why="denied"
        <3>two lines
        <3>  of a fault
        "#);
    }

    #[test]
    fn a_terminal_has_colours() {
        insta::assert_snapshot!(told(Reader::Terminal).replace('\u{1b}', "ESC"), @r#"
        ESC[2m2026-10-14T17:46:40.123ZESC[0m ESC[32m INFOESC[0m vmpolicyd reads guest=nii3 count=2
        ESC[2m2026-10-14T17:46:40.123ZESC[0m ESC[33m WARNESC[0m no reading: a\u{1b}[31mred\r
            2026 ERROR forged why="denied"
        ESC[2m2026-10-14T17:46:40.123ZESC[0m ESC[31mERRORESC[0m two lines
            of a fault
        "#);
    }
}
