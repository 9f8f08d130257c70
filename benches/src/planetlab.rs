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

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, gone when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let folder = std::env::temp_dir().join(format!("planetlab-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).expect("a folder");
            for (name, text) in files {
                fs::write(folder.join(name), text).expect("a file");
            }
            Self(folder)
        }

        fn problem(&self) -> String {
            let problem = read(&self.0).expect_err("no day").to_string();
            problem.replace(&self.0.display().to_string(), "FOLDER")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn in_the_order_of_names_spaces_and_all() {
        let folder = Folder::new("order", &[("b", "3\n4\n"), ("a b", "1\n2\n"), ("B", "5\n6\n")]);
        let demand = read(&folder.0).expect("a day");
        assert_eq!(demand, Demand::new(&[5, 6, 1, 2, 3, 4], &[2; 3]).expect("even"));
    }

    #[test]
    fn what_is_no_day_is_told_with_its_file() {
        let words = Folder::new("words", &[("a", "1\n2\n"), ("b", "1\nmany\n")]).problem();
        let expected = "line 2: expected a whole number from 0 to 100, the percent of the processor in use";
        assert_eq!(words, format!("FOLDER/b: {expected}"));
        let uneven = Folder::new("uneven", &[("a", "1\n2\n"), ("b", "1\n2\n3\n")]).problem();
        assert!(uneven.starts_with("FOLDER/b: guest 1 has 3 samples, the first one has 2"), "{uneven}");
        assert_eq!(Folder::new("empty", &[]).problem(), "FOLDER: no file in it; expected one for each guest");
        let folder = Folder::new("folder", &[]);
        fs::create_dir(folder.0.join("a")).expect("a folder");
        assert!(folder.problem().starts_with("FOLDER/a: "));
        assert!(
            read(Path::new("/nowhere/at all"))
                .expect_err("nothing")
                .to_string()
                .starts_with("/nowhere/at all: ")
        );
    }
}
