//! A policy file with the files of `conf.d` beside it: what whoever reads a policy reads.
//!
//! What the daemon runs and what the tool checks, explains and tries is read here, so that it is the same.

use crate::probe::read_head;
use crate::zones::SystemZones;
use std::borrow::Cow;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use vmpolicy_core::file::{Loaded, Parts, Problem, Severity, line_col, load_parts};
use vmpolicy_core::policy::Place;

/// The policy file in a folder that was named in its place.
pub const NAME: &str = "vmpolicy.yaml";
/// The folder beside a policy file with more of it.
pub const FOLDER: &str = "conf.d";
/// How much of a file is looked at; the core's own limit is smaller and says so.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// A site has a handful; a folder with more is another one.
const FILES_MAX: usize = 256;

/// A policy file and the files of `conf.d`, as they were read.
#[derive(Clone, Debug)]
pub struct PolicyFiles {
    files: Vec<Read>,
    parts: Parts,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Read {
    /// As it is shown: by the name that led to it.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A file that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct Unreadable {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl PolicyFiles {
    /// Reads a policy file, or standard input for `-`, or `vmpolicy.yaml` in a folder; and then the files of `conf.d`
    /// beside it whose names end in `.yaml` or `.yml`, in the order of their names.
    ///
    /// # Errors
    ///
    /// Where one of them can't be read.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            let read = io::stdin().lock().take(BYTES_MAX as u64).read_to_end(&mut bytes);
            read.map_err(|source| Unreadable { path: "<stdin>".into(), source })?;
            return Ok(Self::of(vec![Read { name: "<stdin>".to_owned(), bytes }]));
        }
        let main = if path.is_dir() { path.join(NAME) } else { path.to_path_buf() };
        let beside = more(&main.parent().unwrap_or(Path::new("")).join(FOLDER))?;
        let files = std::iter::once(main).chain(beside).map(one).collect::<Result<_, _>>()?;
        Ok(Self::of(files))
    }

    fn of(files: Vec<Read>) -> Self {
        let parts = Parts::of(files.iter().map(|file| file.bytes.as_slice()));
        Self { files, parts }
    }

    /// The policy file itself.
    #[must_use]
    pub fn main(&self) -> &Read {
        self.files.first().expect("there is always one")
    }

    /// All of them: the policy file, then those of `conf.d`.
    #[must_use]
    pub fn all(&self) -> &[Read] {
        &self.files
    }

    /// Reads and judges the policy.
    ///
    /// # Errors
    ///
    /// Every problem of every file.
    pub fn load(&self, zones: &SystemZones) -> Result<Loaded, Vec<Problem>> {
        let texts: Vec<&[u8]> = self.files.iter().map(|file| file.bytes.as_slice()).collect();
        load_parts(&texts, zones)
    }

    /// A problem in one line, as compilers have it: what an editor or a log can use. `vmpolicy check` shows it with the
    /// text that it is about.
    #[must_use]
    pub fn line(&self, problem: &Problem) -> String {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let at = match problem.place {
            Some(place) => self.position(place),
            None => self.main().name.clone(),
        };
        let mut notes: Vec<String> = problem.hint.iter().cloned().collect();
        let file = |place| self.parts.find(place).0;
        let here = problem.place.map(file);
        // What is in the same file is found there.
        let elsewhere = problem.labels.iter().filter(|label| Some(file(label.place)) != here);
        notes.extend(elsewhere.map(|label| format!("{}: {}", label.text, self.position(label.place))));
        let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
        format!("{at}: {severity}[{}]: {}{notes}", problem.code, problem.message)
    }

    /// `FILE:LINE:COLUMN`.
    fn position(&self, place: Place) -> String {
        let (number, place) = self.parts.find(place);
        let file = self.files.get(number).unwrap_or_else(|| self.main());
        let (line, column) = line_col(&file.text(), place.start);
        format!("{}:{line}:{column}", file.name)
    }
}

impl Read {
    /// As text; bytes that are none are shown as such.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

fn one(path: PathBuf) -> Result<Read, Unreadable> {
    match read_head(&path, BYTES_MAX) {
        Ok(head) => Ok(Read { name: path.display().to_string(), bytes: head.bytes }),
        Err(source) => Err(Unreadable { path, source }),
    }
}

/// The files in the folder that are part of a policy, in their order; none where there is no such folder.
fn more(folder: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let failed = |source| Unreadable { path: folder.to_path_buf(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if is_part(&path) {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            return Err(failed(io::Error::other(format!("it has more than {FILES_MAX} files"))));
        }
    }
    files.sort();
    Ok(files)
}

/// What editors and package managers leave behind has other ends.
fn is_part(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let ends = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    !hidden && ends && !path.is_dir()
}

/// Where this is a file of a `conf.d`, the policy file that it is a part of.
#[must_use]
pub fn whole_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| folder.file_name().is_some_and(|name| name == FOLDER))?;
    let whole = folder.parent()?.join(NAME);
    (is_part(path) && whole.is_file()).then_some(whole)
}
