//! Bodies that a server has packed, for those who have said that it may.

use super::{HttpError, Opened};
use flate2::read::MultiGzDecoder;
use std::io::{self, Read};

/// The header that lets a server pack what it sends: worth it for large answers only.
pub const PACKED: (&str, &str) = ("accept-encoding", "gzip");

/// The same answer with a body as it was before the server packed it, of so many bytes at most.
#[must_use]
pub fn unpacked(opened: Opened, most: u64) -> Opened {
    let packed = |coding: &str| matches!(coding.to_ascii_lowercase().as_str(), "gzip" | "x-gzip");
    if !opened.head.content_encoding.as_deref().is_some_and(packed) {
        return opened;
    }
    let body = Unpacked { decoder: MultiGzDecoder::new(opened.body), left: most, most };
    Opened { head: opened.head, body: Box::new(body) }
}

struct Unpacked<R> {
    decoder: MultiGzDecoder<R>,
    left: u64,
    most: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                io::Error::other(HttpError::NotHttp("what it sends does not decompress".to_owned()))
            }
            _ => error,
        })?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(HttpError::TooLarge(self.most))),
        }
        Ok(read)
    }
}
