//! The state on a server: one document that is got at the start and put with each change, never over somebody else's.
//!
//! A document is put on the condition that the one before is still there (`If-Match`, RFC 9110, 13.1.1). Each process marks
//! its own, so that a put whose answer was lost is told from another daemon's.

use crate::http::{HttpError, Method, Web};
use crate::store::{Mark, mark_of};
use std::io;
use std::time::{Duration, Instant};
use vmpolicy_core::file::{UrlFault, WebSpec};

/// A state is kilobytes.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How long nothing is tried after a fault, at first and at most: the loop waits for each attempt.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How soon a put is tried again that follows on our own document and was not matched.
const AGAIN: Duration = Duration::from_millis(100);

/// Why the server's document can't be had or put.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// There is no answer.
    #[error("{0}")]
    Http(#[from] HttpError),
    /// It says no.
    #[error("it answers {0}")]
    Status(u16),
    /// It can't say whether a document is still the same.
    #[error("it gives documents no ETag, so nobody can tell whether somebody else has written")]
    NoEtag,
    /// Somebody else has written.
    #[error(
        "somebody else has written there: is there another vmpolicyd of this guest? Nothing is written over it"
    )]
    Conflict,
    /// It does not take a document that nobody else has written over.
    #[error("it does not take the document that follows on its own ETag (412)")]
    Unmatched,
}

/// A document on a server.
pub struct Remote {
    web: Web,
    shown: String,
    /// Whose documents are this process's.
    by: String,
    /// The version that is there, as far as is known; none where there is no document.
    etag: Option<String>,
    /// The document that was there at the start.
    found: Option<Vec<u8>>,
    /// Whether there was one, at the start or since.
    was_there: bool,
    serial: u64,
    conflict: bool,
    pause: Option<(Instant, Duration, String)>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Remote({})", self.shown)
    }
}

impl Remote {
    /// At this address. `by` is another text for each process. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub fn new(spec: &WebSpec, by: String) -> Result<Self, UrlFault> {
        let web = Web::new(spec, BODY_BYTES_MAX)?;
        let shown = web.url().shown();
        Ok(Self {
            web,
            shown,
            by,
            etag: None,
            found: None,
            was_there: false,
            serial: 0,
            conflict: false,
            pause: None,
        })
    }

    /// What may be shown of the address.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Reads the document; none, where there is none.
    ///
    /// # Errors
    ///
    /// Where nobody can tell.
    pub fn read(&mut self) -> Result<Option<&[u8]>, RemoteError> {
        self.found = self.get()?;
        self.was_there = self.found.is_some();
        Ok(self.found.as_deref())
    }

    /// Documents go on from this number.
    pub fn go_on_from(&mut self, serial: u64) {
        self.serial = self.serial.max(serial);
    }

    /// How the next document is marked.
    #[must_use]
    pub fn next_mark(&self) -> Mark {
        Mark { serial: self.serial + 1, by: self.by.clone() }
    }

    fn get(&mut self) -> Result<Option<Vec<u8>>, RemoteError> {
        let answer = self.web.ask(Method::Get, &[("cache-control", "no-cache")], b"")?;
        match answer.head.status {
            404 | 410 => {
                self.etag = None;
                Ok(None)
            }
            200 => {
                self.etag = Some(answer.head.etag.ok_or(RemoteError::NoEtag)?);
                Ok(Some(answer.body))
            }
            status => Err(RemoteError::Status(status)),
        }
    }

    /// Puts a document that bears the [next mark](Self::next_mark) in the place of the one before. After an error it may be
    /// there or not. After a fault nothing is tried for a while, and the fault is told again.
    ///
    /// # Errors
    ///
    /// Where it is not known to be there.
    pub fn write(&mut self, document: &[u8]) -> io::Result<()> {
        let told = |shown: &str, words: &str| io::Error::other(format!("{shown}: {words}"));
        if let Some((until, _, words)) = &self.pause
            && Instant::now() < *until
        {
            return Err(told(&self.shown, words));
        }
        match self.put(document) {
            Ok(()) => {
                (self.pause, self.serial, self.found) = (None, self.serial + 1, None);
                self.was_there = true;
                Ok(())
            }
            Err(error) => {
                let words = error.to_string();
                let pause = self.pause.as_ref().map_or(PAUSE.0, |(_, pause, _)| (*pause * 2).min(PAUSE.1));
                self.pause = Some((Instant::now() + pause, pause, words.clone()));
                Err(told(&self.shown, &words))
            }
        }
    }

    fn put(&mut self, document: &[u8]) -> Result<(), RemoteError> {
        let until = Instant::now() + self.web.limit();
        loop {
            if self.conflict {
                return Err(RemoteError::Conflict);
            }
            let condition = match &self.etag {
                // Apache calls the ETag of a file weak that was written within the last second, and matches it later.
                Some(etag) => ("if-match", etag.strip_prefix("W/").unwrap_or(etag)),
                None => ("if-none-match", "*"),
            };
            let headers = [condition, ("content-type", "application/octet-stream")];
            let answer = self.web.ask(Method::Put, &headers, document)?;
            match answer.head.status {
                200..=299 => {
                    match answer.head.etag {
                        Some(etag) => self.etag = Some(etag),
                        // It is looked up, and what is there with it.
                        None => self.conflict = self.get()?.as_deref() != Some(document),
                    }
                    return if self.conflict { Err(RemoteError::Conflict) } else { Ok(()) };
                }
                // Not the version that we know. It may be ours all the same: one whose answer was lost, or one under
                // another ETag.
                409 | 412 => {
                    let there = self.get()?;
                    let ours = match &there {
                        Some(there) => {
                            self.found.as_ref() == Some(there)
                                || mark_of(there).is_some_and(|mark| mark.by == self.by)
                        }
                        // Somebody has removed it, unless it never was there.
                        None => !self.was_there,
                    };
                    self.conflict = !ours;
                }
                status => return Err(RemoteError::Status(status)),
            }
            if !self.conflict {
                if Instant::now() + AGAIN > until {
                    return Err(RemoteError::Unmatched);
                }
                std::thread::sleep(AGAIN);
            }
        }
    }
}
