//! Standard output, whose reader may have gone.

use std::io::{self, Write};

/// Writes a text, and says whether somebody has read it: a reader who has gone (`| head`) is no error.
///
/// # Errors
///
/// Where it can't be written for another reason, such as a full disk.
pub(super) fn write(text: &str) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true),
    }
}
