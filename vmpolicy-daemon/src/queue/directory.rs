//! `directory`: batches as folders in a folder, claimed and put away by renaming.
//!
//! ```text
//! incoming/BATCH/JOB            whoever wants work done writes .BATCH and renames it to BATCH
//! claimed-by-GUEST/BATCH/JOB    claimed: the batch was renamed to here
//! done/BATCH/JOB                run, and it went well
//! failed/BATCH/JOB              run, and it did not
//! ```
//!
//! A rename is one step, on a shared folder too: of several guests one gets a batch, and a job is in one of these
//! places at any moment, whoever is killed then. There is nothing else that could disagree.

use super::name::part;
use super::{End, Fault, Job, Source, Stdin};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use vmpolicy_core::file::GradedBy;

/// How much of a first line is looked at.
const LINE_BYTES_MAX: u64 = 4_096;

/// Batches in a folder.
#[derive(Debug)]
pub struct Directory {
    folder: PathBuf,
    claimed: PathBuf,
    by: GradedBy,
    /// What was complained about, to say it once.
    odd: Vec<OsString>,
}

impl Directory {
    /// The batches in this folder, as this guest sees them. Nothing is looked at yet.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, guest: &str, by: GradedBy) -> Self {
        let folder = folder.into();
        let claimed = folder.join(format!("claimed-by-{}", part(guest)));
        Self { folder, claimed, by, odd: Vec::new() }
    }

    /// The claimed batch with jobs that comes first, and their names. Batches without any are put away.
    fn at_hand(&mut self) -> Result<Option<(String, Vec<String>)>, Fault> {
        for batch in self.names(&self.claimed.clone(), true)? {
            let jobs = self.jobs(&batch)?;
            if !jobs.is_empty() {
                return Ok(Some((batch, jobs)));
            }
            self.put_away(&batch);
        }
        Ok(None)
    }

    /// The jobs of a claimed batch, by their names.
    fn jobs(&mut self, batch: &str) -> Result<Vec<String>, Fault> {
        let folder = self.claimed.join(batch);
        let (jobs, unnamed) = listed(&folder)?;
        for name in unnamed {
            tracing::warn!("{}: a job's name is text: it is put aside", folder.join(&name).display());
            self.shift(batch, &name, End::Failed)?;
        }
        Ok(jobs)
    }

    /// The visible folders in a folder, in the order of their names. What else is there is told once.
    fn names(&mut self, folder: &Path, told: bool) -> Result<Vec<String>, Fault> {
        let (mut names, mut odd) = listed(folder)?;
        names.retain(|name| {
            let is_folder = fs::metadata(folder.join(name)).is_ok_and(|meta| meta.is_dir());
            if !is_folder {
                odd.push(name.into());
            }
            is_folder
        });
        if told {
            for name in odd {
                if !self.odd.contains(&name) {
                    let path = folder.join(&name);
                    tracing::warn!("{} is no batch: a batch is a folder whose name is text", path.display());
                    self.odd.push(name);
                }
            }
        }
        Ok(names)
    }

    /// Claims the first batch that nobody else claims first.
    fn claim_another(&mut self) -> Result<(), Fault> {
        let incoming = self.folder.join("incoming");
        for batch in self.names(&incoming, true)? {
            let from = incoming.join(&batch);
            // A folder in the making is left alone, though it should have another name until it is made.
            if listed(&from).map_or(true, |(jobs, odd)| jobs.is_empty() && odd.is_empty()) {
                continue;
            }
            match fs::rename(&from, self.claimed.join(&batch)) {
                Ok(()) => {
                    synced(&self.claimed);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(fault(&from, &error)),
            }
        }
        Ok(())
    }

    /// Moves a claimed job to where it belongs now.
    fn shift(&self, batch: &str, name: &OsStr, end: End) -> Result<(), Fault> {
        let from = self.claimed.join(batch).join(name);
        let place = match end {
            End::Done => "done",
            End::Failed => "failed",
        };
        let folder = self.folder.join(place).join(batch);
        fs::create_dir_all(&folder).map_err(|error| fault(&folder, &error))?;
        match fs::rename(&from, free(&folder, name)) {
            Ok(()) => {}
            // It was moved before, or its program has done away with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(fault(&from, &error)),
        }
        synced(&folder);
        synced(&self.claimed.join(batch));
        Ok(())
    }

    /// Takes a claimed batch without jobs away. What lies hidden in it is kept.
    fn put_away(&self, batch: &str) {
        let from = self.claimed.join(batch);
        let Err(error) = fs::remove_dir(&from) else { return };
        if error.kind() != io::ErrorKind::DirectoryNotEmpty {
            return;
        }
        let folder = self.folder.join("done").join(batch);
        let moved =
            fs::create_dir_all(&folder).and_then(|()| fs::rename(&from, free(&folder, OsStr::new(".rest"))));
        if let Err(error) = moved {
            tracing::warn!("{} is left: {error}", from.display());
        }
    }

    fn known(&self, path: &Path, name: &str) -> String {
        match self.by {
            GradedBy::Name => name.to_owned(),
            GradedBy::FirstLine => first_line(path).unwrap_or_default(),
        }
    }
}

impl Source for Directory {
    fn claim(&mut self) -> Result<Vec<String>, Fault> {
        // The folder of incoming ones is made by a person, so that nothing is made where a share is not mounted.
        let incoming = self.folder.join("incoming");
        if !incoming.is_dir() {
            return Err(Fault(format!("{}: no such folder; make it", incoming.display())));
        }
        if !self.claimed.is_dir() {
            fs::create_dir(&self.claimed).map_err(|error| fault(&self.claimed, &error))?;
        }
        let at_hand = match self.at_hand()? {
            Some(batch) => Some(batch),
            None => {
                self.claim_another()?;
                self.at_hand()?
            }
        };
        let Some((batch, jobs)) = at_hand else { return Ok(Vec::new()) };
        let folder = self.claimed.join(batch);
        Ok(jobs.iter().map(|name| self.known(&folder.join(name), name)).collect())
    }

    fn first(&mut self) -> Result<Option<Job>, Fault> {
        if !self.claimed.is_dir() {
            return Ok(None);
        }
        let Some((batch, jobs)) = self.at_hand()? else { return Ok(None) };
        let Some(name) = jobs.into_iter().next() else { return Ok(None) };
        let path = self.claimed.join(&batch).join(&name);
        let Some(told) = path.to_str().map(str::to_owned) else {
            return Err(Fault(format!("{}: the path is no text", path.display())));
        };
        let is_file = fs::metadata(&path).is_ok_and(|meta| meta.is_file());
        let stdin = if is_file { Stdin::File(path.clone()) } else { Stdin::Nothing };
        let known = self.known(&path, &name);
        Ok(Some(Job { name, batch, told, known, stdin }))
    }

    fn finish(&mut self, job: &Job, end: End) -> Result<(), Fault> {
        self.shift(&job.batch, OsStr::new(&job.name), end)?;
        if self.jobs(&job.batch).is_ok_and(|jobs| jobs.is_empty()) {
            self.put_away(&job.batch);
        }
        Ok(())
    }
}

/// What is to be seen in a folder: names that are text, sorted, and those that are not. Hidden ones are in the making.
fn listed(folder: &Path) -> Result<(Vec<String>, Vec<OsString>), Fault> {
    let (mut names, mut odd) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(|error| fault(folder, &error))? {
        let name = entry.map_err(|error| fault(folder, &error))?.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        match name.into_string() {
            Ok(name) if !name.contains(char::is_control) => names.push(name),
            Ok(name) => odd.push(name.into()),
            Err(name) => odd.push(name),
        }
    }
    names.sort_unstable();
    Ok((names, odd))
}

/// A name that nothing in the folder has: this one, or with a number behind it.
fn free(folder: &Path, name: &OsStr) -> PathBuf {
    let mut path = folder.join(name);
    for number in 2_u32.. {
        if fs::symlink_metadata(&path).is_err() {
            break;
        }
        let mut other = name.to_owned();
        other.push(format!("~{number}"));
        path = folder.join(other);
    }
    path
}

/// Has a folder's names on the disk, where it has one: a job that is done stays done when the power fails.
fn synced(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        // Some file systems on a network don't know it; they are asked no more than they can do.
        let _ = folder.sync_all();
    }
}

/// The first line of a plain file; none of what could hold up whoever reads it.
fn first_line(path: &Path) -> Option<String> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LINE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    Some(String::from_utf8_lossy(line).trim_end_matches('\r').to_owned())
}

fn fault(path: &Path, error: &io::Error) -> Fault {
    Fault(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt as _;
    use tempfile::TempDir;

    fn folder(batches: &[(&str, &[&str])]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (batch, jobs) in batches {
            let batch = folder.path().join("incoming").join(batch);
            fs::create_dir_all(&batch).unwrap();
            for job in *jobs {
                fs::write(batch.join(job), format!("first of {job}\nsecond")).unwrap();
            }
        }
        folder
    }

    fn source(folder: &TempDir, guest: &str) -> Directory {
        Directory::new(folder.path(), guest, GradedBy::Name)
    }

    fn names(folder: &TempDir, place: &str) -> Vec<String> {
        let mut all = Vec::new();
        for batch in listed(&folder.path().join(place)).map(|(names, _)| names).unwrap_or_default() {
            let (jobs, _) = listed(&folder.path().join(place).join(&batch)).unwrap();
            all.extend(jobs.into_iter().map(|job| format!("{batch}/{job}")));
        }
        all
    }

    #[test]
    fn a_batch_after_the_other_by_name() {
        let folder = folder(&[("2", &["a"]), ("1", &["b", "a"]), (".3", &["half"]), ("0", &[])]);
        fs::write(folder.path().join("incoming/stray"), "").unwrap();
        let mut source = source(&folder, "g");
        assert_eq!(source.first(), Ok(None));
        assert_eq!(source.claim(), Ok(vec!["a".to_owned(), "b".to_owned()]));
        let job = source.first().unwrap().unwrap();
        assert_eq!((job.batch.as_str(), job.name.as_str()), ("1", "a"));
        assert_eq!(job.told, folder.path().join("claimed-by-g/1/a").display().to_string());
        source.finish(&job, End::Done).unwrap();
        source.finish(&job, End::Done).unwrap();
        assert_eq!(source.claim(), Ok(vec!["b".to_owned()]), "what is left of it");
        let job = source.first().unwrap().unwrap();
        source.finish(&job, End::Failed).unwrap();
        assert_eq!(source.claim(), Ok(vec!["a".to_owned()]));
        assert_eq!(
            (names(&folder, "done"), names(&folder, "failed")),
            (vec!["1/a".into()], vec!["1/b".into()])
        );
        let job = source.first().unwrap().unwrap();
        source.finish(&job, End::Done).unwrap();
        assert_eq!(source.claim(), Ok(vec![]), "one in the making and an empty one are left alone");
        assert_eq!(names(&folder, "claimed-by-g"), Vec::<String>::new());
        assert!(folder.path().join("incoming/.3/half").exists() && folder.path().join("incoming/0").exists());
    }

    #[test]
    fn one_guest_gets_a_batch() {
        let folder = folder(&[("1", &["a"]), ("2", &["b"])]);
        let (mut one, mut other) = (source(&folder, "one"), source(&folder, "an/other"));
        assert_eq!((one.claim(), other.claim()), (Ok(vec!["a".into()]), Ok(vec!["b".into()])));
        assert_eq!((one.claim(), other.claim()), (Ok(vec!["a".into()]), Ok(vec!["b".into()])));
    }

    #[test]
    fn nothing_is_written_over_or_lost() {
        let folder = folder(&[("1", &["a"])]);
        let mut source = source(&folder, "g");
        for round in 0..3 {
            fs::create_dir_all(folder.path().join("incoming/1")).unwrap();
            fs::write(folder.path().join("incoming/1/a"), round.to_string()).unwrap();
            assert_eq!(source.claim().unwrap().len(), 1);
            fs::write(folder.path().join("claimed-by-g/1/.hidden"), "").unwrap();
            let job = source.first().unwrap().unwrap();
            source.finish(&job, End::Done).unwrap();
        }
        assert_eq!(names(&folder, "done"), ["1/a", "1/a~2", "1/a~3"]);
        let rests = [".rest", ".rest~2", ".rest~3"];
        assert!(rests.iter().all(|rest| folder.path().join("done/1").join(rest).join(".hidden").exists()));

        let odd = OsString::from_vec(b"b\xff".to_vec());
        fs::create_dir_all(folder.path().join("incoming/2")).unwrap();
        fs::write(folder.path().join("incoming/2").join(&odd), "").unwrap();
        fs::write(folder.path().join("incoming/2/line\nfeed"), "").unwrap();
        fs::write(folder.path().join("incoming/2/c"), "").unwrap();
        assert_eq!(source.claim(), Ok(vec!["c".to_owned()]));
        assert!(folder.path().join("failed/2").join(&odd).exists());
    }

    #[test]
    fn first_lines_of_plain_files_only() {
        let folder = folder(&[("1", &["a"])]);
        let batch = folder.path().join("incoming/1");
        fs::write(batch.join("b"), "grade a\r\nx").unwrap();
        fs::write(batch.join("c"), [&[b'x'; 10_000][..], b"\xff"].concat()).unwrap();
        fs::create_dir(batch.join("d")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            batch.join("e"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        let mut source = Directory::new(folder.path(), "g", GradedBy::FirstLine);
        let known = source.claim().unwrap();
        assert_eq!(known[..2], ["first of a".to_owned(), "grade a".to_owned()]);
        assert_eq!((known[2].len(), known[3].as_str(), known[4].as_str()), (4_096, "", ""));
    }

    #[test]
    fn where_nothing_is_mounted_nothing_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let words = source(&folder, "g").claim().unwrap_err().0;
        assert!(words.ends_with("incoming: no such folder; make it"), "{words}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
