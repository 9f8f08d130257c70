//! A file that one process holds: whatever stands beside it is its own until it ends, however that comes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Holds this file, which is made where it is not there, for as long as what is returned lives; none where another
/// process holds it.
///
/// # Errors
///
/// Where it can't be made or held.
pub(crate) fn hold(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
