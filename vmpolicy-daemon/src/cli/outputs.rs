//! Files to be written, held against those that are read: no output takes the place of an input, or of another output.

use super::Exit;
use super::backtest::output::Output;
use super::check::shown;
use super::terminal::complain;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file to be written, and what it is to hold, such as `report`; none where nobody asked for it.
pub(in crate::cli) type Wanted<'a> = (Option<&'a Path>, &'static str);

/// Whether these outputs may be written beside these inputs. Told before anything is read.
pub(in crate::cli) fn check<'a>(
    outputs: &[Wanted<'_>],
    inputs: impl Iterator<Item = &'a Path> + Clone,
) -> Result<(), Exit> {
    let wanted = || outputs.iter().filter_map(|(path, what)| Some(((*path)?, *what)));
    for (index, (output, what)) in wanted().enumerate() {
        if let Some((_, other)) = wanted().take(index).find(|(other, _)| is_same(output, other)) {
            return wrong(&format!("the {other} and the {what} can't be one file"));
        }
        if inputs.clone().any(|input| is_same(output, input)) {
            return wrong(&format!("{}: the {what} would overwrite it", shown(output)));
        }
    }
    Ok(())
}

/// Whether it can be written at all: after a long run is no time to learn that there is no such folder.
pub(in crate::cli) fn attempt(path: Option<&Path>) -> Result<(), Exit> {
    path.map_or(Ok(()), |path| Output::attempt(path).map_err(|error| unwritable(path, &error)))
}

/// Writes a file whole, or not at all.
pub(in crate::cli) fn save(path: &Path, text: &str) -> Result<(), Exit> {
    Output::whole(path, text.as_bytes()).map_err(|error| unwritable(path, &error))
}

/// Writes lines: to a file that is whole or as it was before, or to standard output. `write` says whether it could
/// write, or how the command ends if it had nothing to write.
pub(in crate::cli) fn lines<T>(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<io::Result<T>, Exit>,
) -> Result<T, Exit> {
    let failed = |error| unwritable(path, &error);
    if is_dash(path) {
        let mut to = BufWriter::new(io::stdout());
        return write(&mut to)?.and_then(|done| to.flush().map(|()| done)).map_err(failed);
    }
    let mut to = BufWriter::new(Output::create(path).map_err(failed)?);
    let done = write(&mut to)?.map_err(failed)?;
    let whole = to.into_inner().map_err(io::IntoInnerError::into_error).and_then(Output::done);
    whole.map(|()| done).map_err(failed)
}

/// Says that it can't be written. Of a pipe whose reader has gone, that is no failure: it has read enough.
pub(in crate::cli) fn unwritable(path: &Path, error: &io::Error) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Done;
    }
    let path = if is_dash(path) { "standard output".to_owned() } else { shown(path) };
    complain(&format!("can't write {path}: {error}"));
    Exit::Outside
}

fn wrong(message: &str) -> Result<(), Exit> {
    complain(message);
    Err(Exit::Usage)
}

/// Standard input or output.
pub(in crate::cli) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether both are one file, by whatever names; it need not be there yet.
fn is_same(one: &Path, other: &Path) -> bool {
    real(one).is_some_and(|one| real(other) == Some(one))
}

fn real(path: &Path) -> Option<PathBuf> {
    if is_dash(path) {
        return Some(path.to_path_buf());
    }
    path.canonicalize().ok().or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("policy.yaml"), "").unwrap();
        std::os::unix::fs::symlink(at("policy.yaml"), at("alias")).unwrap();
        let same = |one: &str, other: &str| is_same(&at(one), &at(other));
        assert!(same("policy.yaml", "./policy.yaml") && same("alias", "policy.yaml"));
        assert!(same("new.svg", "./new.svg"), "which is not there yet");
        assert!(!same("new.svg", "policy.yaml") && !same("no/new.svg", "new.svg"));
        assert!(is_same(Path::new("-"), Path::new("-")) && !is_same(Path::new("-"), &at("-")));
    }
}
