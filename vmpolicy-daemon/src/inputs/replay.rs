//! Inputs through the engine again: are the records the same?

use super::{Begin, Broken, Entry, Reader};
use crate::journal::render;
use serde::Serialize;
use std::io::BufRead;
use vmpolicy_core::engine::LoadError;
use vmpolicy_core::time::{Now, Wall};
use vmpolicy_core::{Engine, Output};

/// What a replay came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The guest.
    pub guest: String,
    /// How often its daemon had started, or the file was begun anew.
    pub begins: u64,
    /// How many inputs there were.
    pub inputs: u64,
    /// How many records came of them, each the same byte for byte but the one that differs.
    pub records: u64,
    /// Lines that the death of a daemon has cut off.
    pub cut_off: u64,
    /// The time of the first input and of the last.
    #[serde(serialize_with = "in_words")]
    pub span: Option<(Wall, Wall)>,
    /// Versions of the program that wrote the inputs, other than this one.
    pub other_versions: Vec<String>,
    /// The first record that is not the same.
    pub differs: Option<Difference>,
}

fn in_words<S: serde::Serializer>(span: &Option<(Wall, Wall)>, to: S) -> Result<S::Ok, S::Error> {
    span.map(|(from, to)| [from.to_string(), to.to_string()]).serialize(to)
}

/// A record that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The line of the record, or of the input that it is missing after.
    pub line: u64,
    /// What was recorded; none where the engine now says more.
    pub recorded: Option<String>,
    /// What the engine says now; none where it says less.
    pub replayed: Option<String>,
}

/// Why there is no replay.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// There is no beginning before the first input.
    #[error("line {0}: there is no `begin` before it, so nobody knows what the engine started from")]
    NoBeginning(u64),
    /// This version can't use the state.
    #[error("line {line}: {error}")]
    State {
        /// Of the `begin`.
        line: u64,
        /// Why.
        error: LoadError,
    },
    /// There is nothing in it.
    #[error("it is empty: there is nothing to replay")]
    Empty,
}

/// Replays a file; ends at the first record that differs.
///
/// # Errors
///
/// Where the file can't be read or used.
pub fn replay(from: impl BufRead) -> Result<Replayed, ReplayError> {
    let mut reader = Reader::new(from);
    let mut replayed = Replayed::default();
    let mut running: Option<Running> = None;
    // What the engine says to the last input, and how much of it was in the file.
    let (mut lines, mut met) = (Vec::new(), 0);
    while let Some(entry) = reader.next() {
        let (entry, line) = (entry?, reader.line());
        if let Entry::Record(record) = &entry {
            let expected = next_line(&lines, &mut met);
            replayed.records += 1;
            if expected != Some(record.get()) {
                replayed.differs = Some(Difference {
                    line,
                    recorded: Some(record.get().to_owned()),
                    replayed: expected.map(str::to_owned),
                });
                break;
            }
            continue;
        }
        // Where the daemon died after it had decided, its record may not be there.
        let killed = matches!(entry, Entry::Begin(_));
        if let Some(missing) = next_line(&lines, &mut met).filter(|_| !killed) {
            let replayed_line = Some(missing.to_owned());
            replayed.differs = Some(Difference { line, recorded: None, replayed: replayed_line });
            break;
        }
        lines.clear();
        met = 0;
        match entry {
            Entry::Begin(begin) => {
                replayed.began(&begin);
                running = Some(Running::new(*begin).map_err(|error| ReplayError::State { line, error })?);
            }
            Entry::In { now, input } => {
                let running = running.as_mut().ok_or(ReplayError::NoBeginning(line))?;
                replayed.heard(now);
                running.engine.step(now, &input, &mut running.out);
                let policy = running.engine.policy();
                render(policy, &running.guest, running.dry_run, &running.out, &mut lines);
            }
            Entry::Record(_) => {}
        }
    }
    replayed.cut_off = reader.cut_off();
    if replayed.begins == 0 { Err(ReplayError::Empty) } else { Ok(replayed) }
}

struct Running {
    engine: Engine,
    guest: String,
    dry_run: bool,
    out: Output,
}

impl Running {
    fn new(begin: Begin) -> Result<Self, LoadError> {
        let (guest, dry_run) = (begin.guest.clone(), begin.dry_run);
        Ok(Self { engine: begin.engine()?, guest, dry_run, out: Output::default() })
    }
}

impl Replayed {
    fn began(&mut self, begin: &Begin) {
        self.begins += 1;
        self.guest.clone_from(&begin.guest);
        if begin.vmpolicy != env!("CARGO_PKG_VERSION") && !self.other_versions.contains(&begin.vmpolicy) {
            self.other_versions.push(begin.vmpolicy.clone());
        }
    }

    fn heard(&mut self, now: Now) {
        self.inputs += 1;
        let (from, _) = self.span.unwrap_or((now.wall, now.wall));
        self.span = Some((from, now.wall));
    }
}

fn next_line<'l>(lines: &'l [u8], met: &mut usize) -> Option<&'l str> {
    let rest = &lines[*met..];
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    *met += end + 1;
    std::str::from_utf8(&rest[..end]).ok()
}
