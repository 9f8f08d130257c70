//! The state on disk: one file, written whole or not at all.
//!
//! ```text
//! vmpolicy-state 1 <length of the rest> <CRC-32 of the rest>
//! {"guest":"nii3","saved":{...}}
//! ```
//!
//! A file that is not exactly so, down to the last bit, is damaged. There is no repairing and no guessing:
//! whoever reads it is told, and asks for nothing until the guest's location is known from elsewhere.

use crate::disk::{self, Disk, Hold, SystemDisk};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the state is where nobody says otherwise.
pub const DEFAULT_DIR: &str = "/var/lib/vmpolicy";

/// The version of the file's format.
const VERSION: u32 = 1;
const MAGIC: &str = "vmpolicy-state";

/// A state is kilobytes; a file of more than this is something else.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Whose state it is: a dry run has a file and a lock of its own, so that it can run beside the daemon
/// and never leaves it with a location that was only believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The acting daemon's.
    Live,
    /// A dry run's.
    Dry,
}

impl Kind {
    const fn stem(self) -> &'static str {
        match self {
            Self::Live => "state",
            Self::Dry => "dry-run.state",
        }
    }
}

/// Why the state's folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another daemon has it.
    #[error("another vmpolicyd uses {0}")]
    Locked(PathBuf),
    /// It can't be made or opened.
    #[error("{path}: {source}")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What is wrong with a state file.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It does not begin as a state file does.
    #[error("it is no state file")]
    NoState,
    /// Another version has written it.
    #[error("it has format {0}, and this program reads format {VERSION}")]
    Version(u32),
    /// It is shorter or longer than it says.
    #[error("it holds {found} bytes where it says {said}")]
    Length {
        /// What it says.
        said: u64,
        /// What there is.
        found: u64,
    },
    /// Its content was changed.
    #[error("its checksum does not fit its content")]
    Checksum,
    /// Its content makes no sense.
    #[error("its content can't be used: {0}")]
    Content(String),
    /// It is of another guest.
    #[error("it is of the guest `{0}`")]
    OtherGuest(String),
}

/// What was found.
#[derive(Debug)]
pub enum Found<T> {
    /// No file: the guest starts for the first time.
    Fresh,
    /// A sound file.
    Known(T),
    /// A file that can't be used.
    Damaged(Damage),
}

/// The state file of one guest, held against other daemons for as long as this lives.
#[derive(Debug)]
pub struct Store {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    guest: String,
    kind: Kind,
    sealed: bool,
    _hold: Hold,
}

impl Store {
    /// Takes the folder, and makes it where it is not there.
    ///
    /// # Errors
    ///
    /// Where another daemon has it, or it can't be made.
    pub fn open(dir: &Path, guest: &str, kind: Kind) -> Result<Self, OpenError> {
        Self::open_on(Arc::new(SystemDisk), dir, guest, kind)
    }

    /// The same on this disk.
    ///
    /// # Errors
    ///
    /// Where another daemon has it, or it can't be made.
    pub fn open_on(disk: Arc<dyn Disk>, dir: &Path, guest: &str, kind: Kind) -> Result<Self, OpenError> {
        let at = |path: &Path| {
            let path = path.to_path_buf();
            move |source| OpenError::Io { path, source }
        };
        disk.create_folder(dir, 0o750).map_err(at(dir))?;
        let lock_path = dir.join(format!("{}.lock", kind.stem()));
        let hold = disk
            .hold(&lock_path)
            .map_err(at(&lock_path))?
            .ok_or_else(|| OpenError::Locked(dir.to_path_buf()))?;
        let (path, guest) = (dir.join(kind.stem()), guest.to_owned());
        let store = Self { disk, path, guest, kind, sealed: false, _hold: hold };
        store.sweep(dir);
        Ok(store)
    }

    /// Where the state is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what a daemon that was killed while it wrote has left behind. Nobody else writes here
    /// while the lock is held.
    fn sweep(&self, dir: &Path) {
        let Some(name) = self.path.file_name().and_then(|name| name.to_str()) else { return };
        let prefix = format!(".{name}.");
        let Ok(names) = self.disk.names(dir) else { return };
        for name in names {
            if name.to_str().is_some_and(|name| name.starts_with(&prefix)) {
                // Litter that stays is no harm.
                let _ = self.disk.remove(&dir.join(name));
            }
        }
    }

    /// Reads the state.
    #[must_use]
    pub fn load<T: DeserializeOwned>(&self) -> Found<T> {
        match self.load_marked() {
            Found::Fresh => Found::Fresh,
            Found::Known((saved, _)) => Found::Known(saved),
            Found::Damaged(damage) => Found::Damaged(damage),
        }
    }

    /// Reads the state, and how it is marked.
    #[must_use]
    pub fn load_marked<T: DeserializeOwned>(&self) -> Found<(T, Option<Mark>)> {
        match self.disk.read(&self.path, BYTES_MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Fresh,
            Err(error) => Found::Damaged(error.into()),
            Ok(bytes) => match decode_marked(&bytes, &self.guest) {
                Ok(saved) => Found::Known(saved),
                Err(damage) => Found::Damaged(damage),
            },
        }
    }

    /// Writes the state; when this returns it is on disk.
    ///
    /// # Errors
    ///
    /// Where it could not be written; the file has the state before or this one then.
    pub fn save<T: Serialize>(&mut self, saved: &T) -> io::Result<()> {
        let bytes = encode(saved, &self.guest)?;
        self.save_bytes(&bytes)
    }

    /// The same with what [`encode_marked`] gives.
    ///
    /// # Errors
    ///
    /// As [`Store::save`].
    pub fn save_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.sealed {
            return Ok(());
        }
        disk::replace(&*self.disk, &self.path, bytes, 0o600)
    }

    /// Whose state it is, by name.
    #[must_use]
    pub fn guest(&self) -> &str {
        &self.guest
    }

    /// Leaves the file as it is from now on: it is damaged, and only a person may say that the guest is
    /// where the policy file assumes it. Writing a new one would say so at the next start.
    pub const fn seal(&mut self) {
        self.sealed = true;
    }

    /// Whose state it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Removes the file, so that the guest starts for the first time. Of a dry run only: it holds beliefs.
    ///
    /// # Errors
    ///
    /// Where it can't be removed.
    pub fn forget(&mut self) -> io::Result<()> {
        match self.disk.remove(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Keeps a damaged file under another name, for a person to look at. It stays where it is, too, until a new state takes its
    /// place: were it gone and this program killed, the next one would believe that there never was a state.
    ///
    /// # Errors
    ///
    /// Where it can't be kept.
    pub fn set_aside(&self) -> io::Result<PathBuf> {
        let mut name = self.path.clone().into_os_string();
        name.push(".damaged");
        let aside = PathBuf::from(name);
        match self.disk.read(&self.path, BYTES_MAX) {
            Ok(bytes) => disk::replace(&*self.disk, &aside, &bytes, 0o600)?,
            // A file could not take its place.
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                self.disk.rename(&self.path, &aside)?
            }
            Err(error) => return Err(error),
        }
        Ok(aside)
    }
}

/// What tells one state of a guest from another, where it is kept in two places.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// Each state has a greater one than the state that it follows on.
    pub serial: u64,
    /// The process that wrote it, by a number of its own.
    pub by: String,
}

#[derive(serde::Serialize)]
struct Written<'a, T> {
    guest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<&'a Mark>,
    saved: &'a T,
}

#[derive(serde::Deserialize)]
struct Content<T> {
    guest: String,
    #[serde(default)]
    mark: Option<Mark>,
    saved: T,
}

fn header(length: usize, crc: u32) -> String {
    format!("{MAGIC} {VERSION} {length} {crc:08x}\n")
}

/// The file's bytes.
///
/// # Errors
///
/// Where the state can't be written as JSON.
pub fn encode<T: Serialize>(saved: &T, guest: &str) -> io::Result<Vec<u8>> {
    encode_marked(saved, guest, None)
}

/// The file's bytes, with a mark.
///
/// # Errors
///
/// Where the state can't be written as JSON.
pub fn encode_marked<T: Serialize>(saved: &T, guest: &str, mark: Option<&Mark>) -> io::Result<Vec<u8>> {
    let content = serde_json::to_vec(&Written { guest, mark, saved })?;
    let mut bytes = header(content.len(), crc32fast::hash(&content)).into_bytes();
    bytes.extend_from_slice(&content);
    Ok(bytes)
}

/// Reads the file's bytes; no bytes make it panic.
///
/// # Errors
///
/// What is wrong with them.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], guest: &str) -> Result<T, Damage> {
    decode_marked(bytes, guest).map(|(saved, _)| saved)
}

/// How the file's bytes are marked, whosever they are; none, where they are damaged or not marked.
#[must_use]
pub fn mark_of(bytes: &[u8]) -> Option<Mark> {
    content::<serde::de::IgnoredAny>(bytes).ok()?.mark
}

/// Reads the file's bytes, and how they are marked; no bytes make it panic.
///
/// # Errors
///
/// What is wrong with them.
pub fn decode_marked<T: DeserializeOwned>(bytes: &[u8], guest: &str) -> Result<(T, Option<Mark>), Damage> {
    let read: Content<T> = content(bytes)?;
    if read.guest != guest {
        return Err(Damage::OtherGuest(read.guest));
    }
    Ok((read.saved, read.mark))
}

fn content<T: DeserializeOwned>(bytes: &[u8]) -> Result<Content<T>, Damage> {
    let end = bytes.iter().take(128).position(|byte| *byte == b'\n').ok_or(Damage::NoState)?;
    let (head, content) = bytes.split_at(end + 1);
    let words: Vec<&str> =
        std::str::from_utf8(head).map_err(|_| Damage::NoState)?.split_whitespace().collect();
    let [MAGIC, version, said, _] = words[..] else { return Err(Damage::NoState) };
    let version: u32 = version.parse().map_err(|_| Damage::NoState)?;
    if version != VERSION {
        return Err(Damage::Version(version));
    }
    let said: u64 = said.parse().map_err(|_| Damage::NoState)?;
    if said != content.len() as u64 {
        return Err(Damage::Length { said, found: content.len() as u64 });
    }
    // Written anew and compared as a whole: then no other spelling of the header passes.
    if head != header(content.len(), crc32fast::hash(content)).as_bytes() {
        return Err(Damage::Checksum);
    }
    serde_json::from_slice(content).map_err(|error| Damage::Content(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    type State = Vec<(String, f64)>;

    fn state() -> State {
        vec![("mln1".to_owned(), 0.1 + 0.2), ("é\n\"".to_owned(), f64::MAX), (String::new(), -1e-300)]
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = encode(&state(), "nii3").unwrap();
        assert_eq!(decode::<State>(&bytes, "nii3").unwrap(), state());
        assert!(matches!(decode::<State>(&bytes, "nii4"), Err(Damage::OtherGuest(guest)) if guest == "nii3"));
    }

    #[test]
    fn every_prefix_is_damaged() {
        let bytes = encode(&state(), "nii3").unwrap();
        for length in 0..bytes.len() {
            assert!(decode::<State>(&bytes[..length], "nii3").is_err(), "{length} bytes");
        }
        let mut longer = bytes;
        longer.push(b'\n');
        assert!(decode::<State>(&longer, "nii3").is_err());
    }

    #[test]
    fn every_bit_counts() {
        let bytes = encode(&state(), "nii3").unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode::<State>(&flipped, "nii3").is_err(), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(decode::<State>(&bytes, "nii3").is_err());
        }

        #[test]
        fn no_content_under_a_good_checksum_panics(content in "\\PC{0,200}") {
            let mut bytes = header(content.len(), crc32fast::hash(content.as_bytes())).into_bytes();
            bytes.extend_from_slice(content.as_bytes());
            prop_assert!(decode::<State>(&bytes, "nii3").is_err());
        }

        #[test]
        fn numbers_come_back_exactly(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            let bytes = encode(&value, "g").unwrap();
            prop_assert_eq!(decode::<f64>(&bytes, "g").unwrap().to_bits(), value.to_bits());
        }
    }

    #[test]
    fn a_folder_has_one_daemon_and_one_dry_run() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("a/b");
        let mut live = Store::open(&dir, "nii3", Kind::Live).unwrap();
        assert!(matches!(live.load::<State>(), Found::Fresh));
        live.save(&state()).unwrap();
        assert!(matches!(Store::open(&dir, "nii3", Kind::Live), Err(OpenError::Locked(_))));
        let dry = Store::open(&dir, "nii3", Kind::Dry).unwrap();
        assert!(matches!(dry.load::<State>(), Found::Fresh));
        drop(live);

        fs::write(dir.join(".state.abc123"), "half").unwrap();
        let mut live = Store::open(&dir, "nii3", Kind::Live).unwrap();
        assert!(!dir.join(".state.abc123").exists());
        assert!(matches!(live.load::<State>(), Found::Known(known) if known == state()));

        fs::write(live.path(), "rubbish").unwrap();
        assert!(matches!(live.load::<State>(), Found::Damaged(Damage::NoState)));
        live.seal();
        live.save(&state()).unwrap();
        assert_eq!(fs::read(live.path()).unwrap(), b"rubbish");
        let aside = live.set_aside().unwrap();
        assert_eq!(fs::read(aside).unwrap(), b"rubbish");
        assert!(matches!(live.load::<State>(), Found::Damaged(Damage::NoState)), "not as if there were none");
    }

    #[test]
    fn a_folder_that_can_t_be_made_is_an_error() {
        assert!(matches!(
            Store::open(Path::new("/proc/nowhere"), "g", Kind::Live),
            Err(OpenError::Io { .. })
        ));
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), "g", Kind::Live).unwrap();
        fs::create_dir(store.path()).unwrap();
        assert!(matches!(store.load::<State>(), Found::Damaged(Damage::Unreadable(_))));
    }
}
