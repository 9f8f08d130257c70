//! Where records go: the places of the policy file and of the command line, each at its own pace.
//!
//! A record is kept when every place has it: a file or the journal itself, a collector's spool on disk. One place that
//! can't take records holds up no other; what acts on the world waits for all of them.

mod native;
mod relocation;

pub use native::SystemJournal;
pub use relocation::{Delivered, Drains};

use crate::agent::RecordSink;
use crate::board::Fault;
use crate::collector;
use crate::disk::{Disk, SystemDisk};
use crate::journal::Journal;
use crate::spool::{Level, Room, Spool, SpoolError};
use collector::Delivery;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vmpolicy_core::file::{KeepSpec, RecordPlace, WhenFull};

/// What the command line says of records.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A file beside the places of the policy file; `-` is standard output.
    pub argument: Option<PathBuf>,
    /// The folder of what collectors are still to be given.
    pub spools: PathBuf,
    /// Where the files are.
    pub disk: Arc<dyn Disk>,
}

impl Settings {
    /// On the system's disk.
    #[must_use]
    pub fn new(argument: Option<PathBuf>, spools: PathBuf) -> Self {
        Self { argument, spools, disk: Arc::new(SystemDisk) }
    }
}

/// Why a place can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// A file, a socket, standard output.
    #[error("{place}: {source}")]
    Io {
        /// Where.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// What is kept for a collector.
    #[error("what is kept for {place}: {source}")]
    Spool {
        /// The collector.
        place: String,
        /// Why.
        source: SpoolError,
    },
    /// A collector that can't be.
    #[error("{place}: {source}")]
    Collector {
        /// The collector.
        place: String,
        /// Why.
        source: collector::MakeError,
    },
}

/// Where records go.
#[derive(Debug)]
pub struct Records {
    settings: Settings,
    places: Vec<Place>,
    /// How many bytes of the lines that wait were handed to the places.
    handed: usize,
}

#[derive(Debug)]
struct Place {
    name: String,
    /// Where it is of the policy file.
    spec: Option<RecordPlace>,
    sink: Sink,
    /// What this place has not taken yet.
    waiting: Vec<u8>,
}

#[derive(Debug)]
enum Sink {
    Lines(Journal),
    System(SystemJournal),
    Collector { spool: Spool, delivery: Delivery },
}

/// How a collector stands.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectorView {
    /// `tcp` or `http`.
    pub kind: &'static str,
    /// Its address.
    pub address: String,
    /// What is kept for it.
    pub level: Level,
    /// What went wrong the last time, where it did.
    pub fault: Option<Fault>,
}

/// Places for a policy file that may be taken.
#[derive(Debug)]
pub struct Prepared(Vec<Made>);

#[derive(Debug)]
enum Made {
    /// One of today, by its number.
    Kept(usize),
    /// A collector of today that is asked otherwise.
    Changed(usize, RecordPlace, Box<collector::Made>),
    New(Place),
}

impl Records {
    /// Opens all places; standard output, where none is named.
    ///
    /// # Errors
    ///
    /// Where one can't be opened.
    pub fn open<'a>(
        settings: Settings,
        places: impl IntoIterator<Item = &'a RecordPlace>,
    ) -> Result<Self, RecordsError> {
        let mut records = Self { settings, places: Vec::new(), handed: 0 };
        let prepared = records.prepare(places)?;
        records.change(prepared);
        Ok(records)
    }

    /// Opens what another policy file names. Nothing changes yet.
    ///
    /// # Errors
    ///
    /// Where a place can't be opened.
    pub fn prepare<'a>(
        &self,
        places: impl IntoIterator<Item = &'a RecordPlace>,
    ) -> Result<Prepared, RecordsError> {
        let (mut made, argument) = (Vec::new(), self.settings.argument.as_deref());
        if let Some(path) = argument {
            made.push(self.unnamed(path)?);
        }
        for spec in places {
            let is_argument = |path: &str| argument == Some(Path::new(path));
            if matches!(spec, RecordPlace::File { path } if is_argument(path)) {
                continue;
            }
            let same = |place: &Place| place.spec.as_ref().is_some_and(|before| before.is_same_place(spec));
            made.push(match self.places.iter().position(same) {
                Some(at) if self.places[at].spec.as_ref() == Some(spec) => Made::Kept(at),
                Some(at) => match collector::make(spec) {
                    Some(collector) => {
                        let place = spec.address();
                        let collector =
                            collector.map_err(|source| RecordsError::Collector { place, source })?;
                        Made::Changed(at, spec.clone(), Box::new(collector))
                    }
                    None => Made::Kept(at),
                },
                None => Made::New(self.place(spec)?),
            });
        }
        if made.is_empty() {
            made.push(self.unnamed(Path::new("-"))?);
        }
        Ok(Prepared(made))
    }

    /// Goes over to other places. What a collector that is gone is still to be given stays on disk.
    pub fn change(&mut self, prepared: Prepared) {
        let mut before: Vec<Option<Place>> = std::mem::take(&mut self.places).into_iter().map(Some).collect();
        let kept = |at: usize| {
            prepared
                .0
                .iter()
                .any(|made| matches!(made, Made::Kept(one) | Made::Changed(one, ..) if *one == at))
        };
        // What waits for a place that goes is handed to those that come: no record is missing between the two.
        let left = before.iter_mut().enumerate().filter(|(at, _)| !kept(*at));
        let left = left.filter_map(|(_, place)| place.as_mut().map(Place::leave));
        let left = left.max_by_key(Vec::len).unwrap_or_default();
        for made in prepared.0 {
            let place = match made {
                Made::Kept(at) => before.get_mut(at).and_then(Option::take),
                Made::Changed(at, spec, collector) => {
                    let mut place = before.get_mut(at).and_then(Option::take);
                    if let Some(Place { sink: Sink::Collector { spool, delivery }, spec: said, .. }) =
                        &mut place
                    {
                        if let Some(keep) = keep(&spec) {
                            spool.set_room(room(keep));
                        }
                        delivery.hand(*collector);
                        *said = Some(spec);
                    }
                    place
                }
                Made::New(mut place) => {
                    place.waiting.clone_from(&left);
                    if let Sink::Collector { delivery, .. } = &mut place.sink {
                        delivery.begin();
                    }
                    Some(place)
                }
            };
            self.places.extend(place);
        }
        for gone in before.into_iter().flatten() {
            if let Some(view) = gone.view()
                && view.level.waiting() > 0
            {
                tracing::warn!(
                    "{} is no place for records any more; {} records that it was not given stay on disk",
                    view.address,
                    view.level.waiting()
                );
            }
        }
    }

    fn place(&self, spec: &RecordPlace) -> Result<Place, RecordsError> {
        let name = spec.address();
        let sink = match spec {
            RecordPlace::File { path } => return self.file(Some(spec.clone()), Path::new(path)),
            RecordPlace::Journal { socket } => SystemJournal::at(Path::new(socket))
                .map(Sink::System)
                .map_err(|source| RecordsError::Io { place: name.clone(), source })?,
            _ => {
                let collector = match collector::make(spec) {
                    Some(Ok(collector)) => collector,
                    Some(Err(source)) => return Err(RecordsError::Collector { place: name, source }),
                    None => {
                        let source =
                            io::Error::new(io::ErrorKind::Unsupported, "this version knows no such place");
                        return Err(RecordsError::Io { place: name, source });
                    }
                };
                let keep = keep(spec).unwrap_or_default();
                let folder = self.settings.spools.join(folder_name(spec));
                let spool = Spool::open(Arc::clone(&self.settings.disk), &folder, room(keep))
                    .map_err(|source| RecordsError::Spool { place: name.clone(), source })?;
                let delivery = Delivery::new(spool.rest(), collector);
                Sink::Collector { spool, delivery }
            }
        };
        Ok(Place::new(name, Some(spec.clone()), sink))
    }

    /// The place that the policy file does not name.
    fn unnamed(&self, path: &Path) -> Result<Made, RecordsError> {
        if let Some(at) = self.places.iter().position(|place| place.spec.is_none()) {
            return Ok(Made::Kept(at));
        }
        if path != Path::new("-") {
            return self.file(None, path).map(Made::New);
        }
        let name = "standard output".to_owned();
        let journal = Journal::stdout().map_err(|source| RecordsError::Io { place: name.clone(), source })?;
        Ok(Made::New(Place::new(name, None, Sink::Lines(journal))))
    }

    fn file(&self, spec: Option<RecordPlace>, path: &Path) -> Result<Place, RecordsError> {
        let name = path.display().to_string();
        let journal = Journal::file_on(Arc::clone(&self.settings.disk), path)
            .map_err(|source| RecordsError::Io { place: name.clone(), source })?;
        Ok(Place::new(name, spec, Sink::Lines(journal)))
    }

    /// How the collectors stand, in the order of the policy file.
    pub fn collectors(&self) -> impl Iterator<Item = CollectorView> {
        self.places.iter().filter_map(Place::view)
    }

    /// What a request for another array waits for.
    #[must_use]
    pub fn drains(&self) -> Drains {
        let drains = self.places.iter().filter_map(|place| match &place.sink {
            Sink::Collector { spool, .. } => {
                let required = place.spec.as_ref().and_then(keep).is_some_and(|keep| keep.required);
                Some((place.name.clone(), spool.rest(), required))
            }
            _ => None,
        });
        Drains::new(drains.collect())
    }
}

impl Place {
    const fn new(name: String, spec: Option<RecordPlace>, sink: Sink) -> Self {
        Self { name, spec, sink, waiting: Vec::new() }
    }

    fn write(&mut self) -> io::Result<()> {
        let written = match &mut self.sink {
            Sink::Lines(journal) => journal.write(&mut self.waiting),
            Sink::System(journal) => journal.write(&mut self.waiting),
            Sink::Collector { spool, .. } => spool.append(&self.waiting).map(|()| self.waiting.clear()),
        };
        written.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.name)))
    }

    /// What it has not taken, in whole lines.
    fn leave(&mut self) -> Vec<u8> {
        let mut left = Vec::new();
        if let Sink::Lines(journal) = &mut self.sink {
            left = journal.take_half();
        }
        left.append(&mut self.waiting);
        left
    }

    /// So much of the front of all that waits is given up; so much waits still, for somebody.
    fn shed(&mut self, left: usize) {
        let more = self.waiting.len().saturating_sub(left);
        if more > 0 {
            self.waiting.drain(..more);
            if let Sink::Lines(journal) = &mut self.sink {
                journal.begin_a_line();
            }
        }
    }

    fn view(&self) -> Option<CollectorView> {
        let (Sink::Collector { spool, delivery }, Some(spec)) = (&self.sink, &self.spec) else { return None };
        let (level, fault) = (spool.rest().level(), delivery.fault());
        Some(CollectorView { kind: spec.kind(), address: self.name.clone(), level, fault })
    }
}

impl RecordSink for Records {
    fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        let new = lines.get(self.handed..).unwrap_or_default();
        for place in &mut self.places {
            place.waiting.extend_from_slice(new);
        }
        self.handed = lines.len();
        let mut written = Ok(());
        for place in &mut self.places {
            let one = place.write();
            written = written.and(one);
        }
        if written.is_ok() {
            lines.clear();
            self.handed = 0;
        }
        written
    }

    fn shed(&mut self, bytes: usize, left: usize) {
        self.handed = self.handed.saturating_sub(bytes);
        for place in &mut self.places {
            place.shed(left);
        }
    }
}

const fn keep(spec: &RecordPlace) -> Option<KeepSpec> {
    match spec {
        RecordPlace::Tcp { keep, .. } | RecordPlace::Http { keep, .. } => Some(*keep),
        _ => None,
    }
}

fn room(keep: KeepSpec) -> Room {
    Room { bytes_max: keep.bytes_max, drops: keep.full == WhenFull::Drop }
}

/// A folder's name for a collector: readable, and another one for each address.
fn folder_name(spec: &RecordPlace) -> String {
    let address = spec.address();
    let after = address.split_once("://").map_or(address.as_str(), |(_, after)| after);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    let readable: String =
        after.chars().map(|letter| if plain(letter) { letter } else { '_' }).take(64).collect();
    format!("{}-{readable}-{:08x}", spec.kind(), crc32fast::hash(address.as_bytes()))
}

#[cfg(test)]
mod tests;
