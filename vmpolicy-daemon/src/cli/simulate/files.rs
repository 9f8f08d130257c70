//! The files that a scenario names, from the folder that it is in.

use crate::cli::check;
use crate::trace::{Pick, TraceError, read_path};
use std::path::{Path, PathBuf};
use vmpolicy_core::file::scenario::Files;
use vmpolicy_core::time::Wall;

/// A folder that paths go from.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The one that this file is in; of standard input, where the program runs.
    pub(super) fn of(file: &Path) -> Self {
        Self(file.parent().map(Path::to_path_buf).unwrap_or_default())
    }

    /// A path of the scenario's, from where the program runs.
    pub(super) fn path(&self, written: &str) -> PathBuf {
        self.0.join(written)
    }
}

impl Files for Folder {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        check::read(&self.path(path)).map_err(|error| error.to_string())
    }

    fn recording(&mut self, path: &str, series: Option<&str>) -> Result<Vec<(Wall, f64)>, String> {
        let pick = series.map_or(Pick::All, Pick::One);
        let traces = read_path(&self.path(path), pick).map_err(|error: TraceError| error.to_string())?;
        match traces.series.as_slice() {
            // A row without a number says nothing: what was there before goes on.
            [one] => Ok(one.trace.iter().filter_map(|row| Some((row.at, row.value.ok()?))).collect()),
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
