//! The files that a scenario names, from the folder that it is in.

use crate::cli::check;
use crate::trace::{Note, NoteKind, Pick, TraceError, read_path};
use std::path::{Path, PathBuf};
use vmpolicy_core::file::scenario::{Files, Recording};

/// A folder that paths go from, and the files that were asked for.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    folder: PathBuf,
    /// From where the program runs.
    asked: Vec<PathBuf>,
}

impl Folder {
    /// The one that this file is in; of standard input, where the program runs.
    pub(super) fn of(file: &Path) -> Self {
        Self { folder: file.parent().map(Path::to_path_buf).unwrap_or_default(), asked: Vec::new() }
    }

    /// A path of the scenario's, from where the program runs.
    pub(super) fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }

    /// Every file that was read, or was to be.
    pub(super) fn asked(self) -> Vec<PathBuf> {
        self.asked
    }

    fn ask(&mut self, written: &str) -> PathBuf {
        let path = self.path(written);
        self.asked.push(path.clone());
        path
    }
}

impl Files for Folder {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        check::read(&self.ask(path)).map_err(|error| error.to_string())
    }

    fn recording(&mut self, path: &str, series: Option<&str>) -> Result<Recording, String> {
        let pick = series.map_or(Pick::All, Pick::One);
        let why = |error| match error {
            TraceError::Read(error) => error.to_string(),
            other => other.to_string(),
        };
        let traces = read_path(&self.ask(path), pick).map_err(why)?;
        match traces.series.as_slice() {
            // A row without a number says nothing: what was there before goes on.
            [one] => {
                let rows = one.trace.iter().filter_map(|row| Some((row.at, row.value.ok()?))).collect();
                let mended = traces.notes.iter().filter(|note| note.kind != NoteKind::ExtraColumns);
                // A policy would read nothing there; a load goes on.
                let told = |note: &Note| {
                    note.to_string().replace("unknown at that time", "the one before it goes on")
                };
                Ok(Recording { rows, mended: mended.map(told).collect() })
            }
            several => {
                let names: Vec<_> = several.iter().filter_map(|one| one.name.as_deref()).take(3).collect();
                let names = names.join("`, `");
                Err(format!("it has {} series (`{names}`, ..): say which with `series`", several.len()))
            }
        }
    }

    fn folder(&mut self, path: &str) -> Result<Vec<String>, String> {
        let read = || -> std::io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in std::fs::read_dir(self.path(path))? {
                let entry = entry?;
                let name = entry.file_name().into_string();
                if let (Ok(name), false) = (name, entry.path().is_dir()) {
                    names.push(name);
                }
            }
            Ok(names)
        };
        read().map_err(|error| error.to_string())
    }
}
