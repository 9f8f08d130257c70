//! A PlanetLab day from a folder: a file a guest, in the order of their names.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;
use vmpolicy_core::sim::datacentre::{BadPercent, Demand, MissingSamples, percents};

/// Why a folder is no PlanetLab day.
#[derive(Debug, Error)]
pub enum NoDay {
    /// The folder or a file in it can't be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The folder or the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of a file is no percent.
    #[error("{}: {source}", path.display())]
    NotPercents {
        /// The file.
        path: PathBuf,
        /// Which line.
        source: BadPercent,
    },
    /// A file is shorter or longer than the first one.
    #[error("{}: {source}", path.display())]
    Uneven {
        /// The file.
        path: PathBuf,
        /// How many samples there are.
        source: MissingSamples,
    },
    /// There is no file in the folder.
    #[error("{}: no file in it; expected one for each guest", .0.display())]
    Empty(PathBuf),
}

/// Reads all files of a folder. Which trace feeds which guest shifts results by several percent, so that the order is
/// fixed: by name, byte by byte.
///
/// # Errors
///
/// Where the folder is none, a file in it can't be read or parsed, or has fewer samples than others.
pub fn read(folder: &Path) -> Result<Demand, NoDay> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| NoDay::Unreadable { path, source }
    };
    let mut names: Vec<OsString> = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        names.push(entry.map_err(unreadable(folder))?.file_name());
    }
    names.sort_unstable();
    if names.is_empty() {
        return Err(NoDay::Empty(folder.to_owned()));
    }
    let (mut text, mut samples, mut lengths) = (Vec::new(), Vec::new(), Vec::with_capacity(names.len()));
    for name in &names {
        let path = folder.join(name);
        text.clear();
        let read = File::open(&path).and_then(|mut file| file.read_to_end(&mut text));
        read.map_err(unreadable(&path))?;
        let length = percents(&text, &mut samples);
        lengths.push(length.map_err(|source| NoDay::NotPercents { path, source })?);
    }
    Demand::new(&samples, &lengths)
        .map_err(|source| NoDay::Uneven { path: folder.join(&names[source.guest]), source })
}
