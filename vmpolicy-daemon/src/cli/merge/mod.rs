//! `vmpolicy merge`: the results of `--shard` runs as the result of one run.

pub(in crate::cli) mod envelope;
mod tuned;

use super::backtest::shard as backtest;
use super::check::{read, shown};
use super::terminal::{Terminal, complain, print, print_json};
use super::{Exit, Format, tune};
use crate::shard::Shard;
use clap::ColorChoice;
use envelope::Envelope;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  vmpolicy merge 1.json 2.json 3.json 4.json > all.json
  vmpolicy merge shards/*.json --format text

What comes out is what one run without --shard prints, byte for byte.

Exit status: 0 done, 1 the results can't be joined, 2 wrong usage, 3 a file can't be read.";

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The results of all shards of one run, in any order.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,
}

/// Why results can't be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Not a result.
    #[error("{file}: this is no result of a shard: {why}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why not.
        why: String,
    },
    /// A result of a whole run.
    #[error("{file}: this is the result of a whole run already, not of a shard")]
    Whole {
        /// The file.
        file: String,
    },
    /// Results that do not belong together.
    #[error("{first} and {other} can't be joined: not the same {what}: {one} against {another}")]
    Differ {
        /// The one that the others are held against.
        first: String,
        /// The other one.
        other: String,
        /// In what.
        what: String,
        /// What the first says.
        one: String,
        /// What the other one says.
        another: String,
    },
    /// The same part more than once.
    #[error("shard {shard} is there twice: {first} and {other}")]
    Double {
        /// Which shard.
        shard: Shard,
        /// In this file.
        first: String,
        /// And in this one.
        other: String,
    },
    /// Parts that are not there.
    #[error("{} missing: {}", if shards.len() == 1 { "a shard is" } else { "shards are" }, list(shards))]
    Missing {
        /// Which ones.
        shards: Vec<Shard>,
    },
    /// Parts that are not those of one whole.
    #[error("the parts do not make up a whole: they come from recordings with different series")]
    Gaps,
    /// Something that another shard should have.
    #[error("{file}: item {index} is not of shard {shard}")]
    Stray {
        /// The file.
        file: String,
        /// The item.
        index: u64,
        /// The shard of the file.
        shard: Shard,
    },
    /// No part has anything in it.
    #[error("no shard has anything in it")]
    Nothing,
}

/// A message names no more shards than this.
const SHARDS_MAX: usize = 12;

fn list(shards: &[Shard]) -> String {
    let more = shards.len().saturating_sub(SHARDS_MAX);
    let shown: Vec<_> = shards.iter().take(SHARDS_MAX).map(ToString::to_string).collect();
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// All shards of a run, in order, each with the file that it is in.
#[derive(Debug)]
pub(in crate::cli) struct Shards<T>(Vec<(String, T)>);

impl<T> Shards<T> {
    /// Puts parts in order.
    ///
    /// # Errors
    ///
    /// A part that is missing, there twice, or of a run with another number of shards.
    fn new(mut parts: Vec<(String, T)>, shard: impl Fn(&T) -> Shard) -> Result<Self, MergeError> {
        let Some((first, part)) = parts.first() else { return Err(MergeError::Nothing) };
        let count = shard(part).count();
        for (other, part) in &parts {
            if shard(part).count() != count {
                return Err(MergeError::Differ {
                    first: first.clone(),
                    other: other.clone(),
                    what: "number of shards".to_owned(),
                    one: count.to_string(),
                    another: shard(part).count().to_string(),
                });
            }
        }
        parts.sort_by_key(|(_, part)| shard(part).index());
        for two in parts.windows(2) {
            if shard(&two[0].1) == shard(&two[1].1) {
                let (first, other) = (two[0].0.clone(), two[1].0.clone());
                return Err(MergeError::Double { shard: shard(&two[0].1), first, other });
            }
        }
        let mut there = parts.iter().map(|(_, part)| shard(part).index()).peekable();
        let mut missing = Vec::new();
        for index in 1..=count {
            if there.next_if_eq(&index).is_none() {
                missing.extend(Shard::new(index, count));
            }
        }
        if missing.is_empty() { Ok(Self(parts)) } else { Err(MergeError::Missing { shards: missing }) }
    }

    /// Each with its file.
    pub(in crate::cli) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(file, part)| (file.as_str(), part))
    }

    fn first(&self) -> (&str, &T) {
        let (file, part) = &self.0[0];
        (file, part)
    }

    fn into_parts(self) -> impl Iterator<Item = T> {
        self.0.into_iter().map(|(_, part)| part)
    }
}

/// Says that two parts differ, if they do: they have not the same `what`.
pub(in crate::cli) fn same(
    (first, other): (&str, &str),
    what: &str,
    one: impl ToString,
    another: impl ToString,
) -> Result<(), MergeError> {
    let (one, another) = (one.to_string(), another.to_string());
    if one == another {
        return Ok(());
    }
    let (one, another) = near_the_difference(&one, &another);
    Err(MergeError::Differ {
        first: first.to_owned(),
        other: other.to_owned(),
        what: what.to_owned(),
        one,
        another,
    })
}

/// Of long texts, what stands about where they part.
fn near_the_difference(one: &str, another: &str) -> (String, String) {
    /// So much is read at a glance.
    const SHOWN: usize = 60;
    const BEFORE: usize = 20;
    let alike = one.chars().zip(another.chars()).take_while(|(one, another)| one == another).count();
    let cut = |text: &str| {
        let length = text.chars().count();
        if length <= SHOWN {
            return text.to_owned();
        }
        let from = alike.saturating_sub(BEFORE).min(length - SHOWN);
        let middle: String = text.chars().skip(from).take(SHOWN).collect();
        let (before, after) = (if from > 0 { "…" } else { "" }, if from + SHOWN < length { "…" } else { "" });
        format!("{before}{middle}{after}")
    };
    (cut(one), cut(another))
}

/// The same for objects: what differs is named by its key.
pub(in crate::cli) fn same_keys(
    files: (&str, &str),
    what: &str,
    one: &Value,
    another: &Value,
) -> Result<(), MergeError> {
    if let (Some(one), Some(another)) = (one.as_object(), another.as_object()) {
        for key in one.keys().chain(another.keys()) {
            let show = |map: &Map<String, Value>| {
                map.get(key).map_or_else(|| "nothing".to_owned(), Value::to_string)
            };
            same(files, &format!("{what} `{key}`"), show(one), show(another))?;
        }
    }
    same(files, what, one, another)
}

/// What was joined, as JSON and for people.
struct Joined {
    json: serde_json::Result<String>,
    text: String,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    match merge(args) {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

fn merge(args: &Args) -> Result<(), Exit> {
    let no = |error: MergeError| {
        complain(&error.to_string());
        Exit::No
    };
    let mut parts = Vec::new();
    for path in &args.files {
        parts.push((shown(path), value(path)?));
    }
    let joined = join(parts).map_err(no)?;
    match args.format {
        Format::Text => print(&joined.text),
        Format::Json => print_json(joined.json),
    }
}

fn value(path: &Path) -> Result<Value, Exit> {
    let bytes = read(path).map_err(|error| {
        complain(&format!("can't read {}: {error}", shown(path)));
        Exit::Outside
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let file = shown(path);
        let why = if bytes.trim_ascii().is_empty() {
            "it is empty (did the run of this shard come to its end?)".to_owned()
        } else {
            error.to_string()
        };
        complain(&MergeError::Unreadable { file, why }.to_string());
        Exit::No
    })
}

fn join(parts: Vec<(String, Value)>) -> Result<Joined, MergeError> {
    let Some((first, command)) = parts.first().map(|(file, value)| (file.clone(), command(value))) else {
        return Err(MergeError::Nothing);
    };
    for (file, value) in &parts {
        if value.get("shard").is_none() {
            return Err(match value.get("provenance").or_else(|| value.get("policies")) {
                Some(_) => MergeError::Whole { file: file.clone() },
                None => unreadable(file, "it says nothing of a shard"),
            });
        }
        same((&first, file), "command", &command, self::command(value))?;
    }
    match command.as_str() {
        "tune" => {
            let report = tuned::join(&all(parts, tuned::read, |report| report.1)?)?;
            let text = tune::text::render(&report, tune::ROWS, &Terminal::of_stdout(ColorChoice::Never));
            Ok(Joined { json: serde_json::to_string_pretty(&report), text })
        }
        "backtest" => {
            let joined = backtest::join(&all(parts, backtest::Read::parse, backtest::Read::shard)?)?;
            Ok(Joined { json: joined.json(), text: joined.text() })
        }
        "" => Err(unreadable(&first, "it does not say of which command")),
        _ => {
            let whole = Envelope::join(all(parts, Envelope::read, |(_, shard)| *shard)?)?;
            Ok(Joined { json: whole.json(), text: whole.to_string() })
        }
    }
}

fn command(value: &Value) -> String {
    value.get("command").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn unreadable(file: &str, why: &str) -> MergeError {
    MergeError::Unreadable { file: file.to_owned(), why: why.to_owned() }
}

fn all<T>(
    parts: Vec<(String, Value)>,
    read: impl Fn(Value) -> Result<T, String>,
    shard: impl Fn(&T) -> Shard,
) -> Result<Shards<T>, MergeError> {
    let read = |(file, value): (String, Value)| match read(value) {
        Ok(part) => Ok((file, part)),
        Err(why) => Err(MergeError::Unreadable { file, why }),
    };
    Shards::new(parts.into_iter().map(read).collect::<Result<_, _>>()?, shard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_long_texts_it_shows_where_they_part() {
        let long = |number: u32| format!("{}{number}{}", "å".repeat(100), "b".repeat(100));
        let told =
            same(("1.json", "2.json"), "parameters", long(7), long(8)).map_err(|error| error.to_string());
        let shown = |number: u32| format!("…{}{number}{}…", "å".repeat(20), "b".repeat(39));
        let (one, another) = (shown(7), shown(8));
        let says =
            format!("1.json and 2.json can't be joined: not the same parameters: {one} against {another}");
        assert_eq!(told, Err(says));
        assert_eq!(near_the_difference("short", &long(7)).0, "short");
    }
}
