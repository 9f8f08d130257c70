//! Where the output goes: what it can show, and that its reader may have gone.

use super::Exit;
use super::stdout::write;
use clap::ColorChoice;
use std::io::{self, IsTerminal, Write};

/// What standard output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Whether to colour.
    pub colour: bool,
    /// How many columns there are, where anybody says.
    pub columns: Option<usize>,
    /// Whether somebody is looking: lines may be drawn again.
    pub live: bool,
}

impl Terminal {
    /// What standard output can show, given what the user wants.
    ///
    /// `auto` colours on a terminal, unless `NO_COLOR` (<https://no-color.org>) or `TERM=dumb` is set.
    /// `COLUMNS` is believed before the terminal, as clap does for its help.
    #[must_use]
    pub fn of_stdout(choice: ColorChoice) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !dumb && !is_set("NO_COLOR"),
        };
        let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let seen = || terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
        let columns = told.or_else(seen).filter(|&columns| columns > 0);
        Self { colour, columns, live: is_terminal && !dumb }
    }

    /// How wide prose is: as wide as the terminal, and no wider than is good to read.
    #[must_use]
    pub fn prose(&self) -> usize {
        self.columns.unwrap_or(PROSE_MAX).clamp(PROSE_MIN, PROSE_MAX)
    }
}

/// How many columns and lines standard output has, each time anew: a window is made larger and smaller.
#[must_use]
pub fn screen_size() -> Option<(usize, usize)> {
    let (columns, lines) = terminal_size::terminal_size_of(io::stdout())?;
    Some((columns.0.into(), lines.0.into())).filter(|(columns, lines)| *columns > 0 && *lines > 0)
}

const PROSE_MIN: usize = 30;
const PROSE_MAX: usize = 100;

/// Writes to standard output. A reader who has gone (`| head`) has read enough: that is no failure.
///
/// # Errors
///
/// Where it can't be written for another reason, such as a full disk; that is said on standard error.
pub fn print(text: &str) -> Result<(), Exit> {
    print_to_reader(text).map(|_| ())
}

/// The same, for what goes on and on: says whether somebody still reads.
///
/// # Errors
///
/// As [`print()`].
pub fn print_to_reader(text: &str) -> Result<bool, Exit> {
    write(text).map_err(|error| {
        complain(&format!("can't write to standard output: {error}"));
        Exit::Outside
    })
}

/// The same for JSON that may not have come about; with a line end.
///
/// # Errors
///
/// Where there is none, or as [`print()`].
pub fn print_json(json: serde_json::Result<String>) -> Result<(), Exit> {
    let json = json.map_err(|error| {
        complain(&format!("can't print the result: {error}"));
        Exit::Outside
    })?;
    print(&(json + "\n"))
}

/// Says what clap has to say of a command line. Help and the version are errors to clap, and go to standard output.
#[must_use]
pub fn answer(error: &clap::Error, program: &str) -> Exit {
    if error.use_stderr() {
        // Where nobody hears it, the exit status still tells.
        let _ = error.print();
        return Exit::Usage;
    }
    let text = error.render();
    let colour = Terminal::of_stdout(ColorChoice::Auto).colour;
    let text = if colour { text.ansi().to_string() } else { text.to_string() };
    write(&text).map_or_else(
        |error| {
            let _ = writeln!(io::stderr().lock(), "{program}: can't write to standard output: {error}");
            Exit::Outside
        },
        |_| Exit::Done,
    )
}

/// One line to standard error, with the program's name.
pub fn complain(message: &str) {
    // Where nobody hears it, there is nobody else to tell.
    let _ = writeln!(io::stderr().lock(), "vmpolicy: {message}");
}

/// Breaks a text into lines of at most `width` columns at its spaces; the second and later lines begin
/// with `indent`. A word that is too long for a line stands on one of its own.
#[must_use]
pub fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 {
            if column + 1 + length > width {
                out.push('\n');
                out.push_str(indent);
                column = indent.chars().count();
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrapped("", 10, "  "), "");
        assert_eq!(wrapped("one two three", 7, "  "), "one two\n  three");
        assert_eq!(wrapped("a much-too-long-word b", 6, ""), "a\nmuch-too-long-word\nb");
        assert_eq!(wrapped("øre øre", 3, ""), "øre\nøre");
    }
}
