//! The state as the loop keeps it: in the daemon's folder, and on a server where the policy file names one.

use crate::agent::StateStore;
#[cfg(feature = "http")]
use crate::remote::{Remote, RemoteError};
#[cfg(feature = "http")]
use crate::store::decode_marked;
use crate::store::{Damage, Found, Kind, Mark, Store, encode_marked};
use std::io;
use std::path::{Path, PathBuf};
use vmpolicy_core::Engine;
use vmpolicy_core::engine::Saved;

/// Why the server's state can't be built upon.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// It can't be had. It may come.
    #[cfg(feature = "http")]
    #[error("{shown}: {source}")]
    Away {
        /// Where.
        shown: String,
        /// Why.
        source: RemoteError,
    },
    /// Its address is none.
    #[error("{0}")]
    Address(vmpolicy_core::file::UrlFault),
    /// This program was built without it.
    #[error("its server: this vmpolicyd was built without HTTP")]
    NotBuilt,
    /// It is no state of this guest.
    #[error(
        "{shown}: {source}; nothing is written over it: look at it, and remove it if the guest is to begin anew"
    )]
    Damaged {
        /// Where.
        shown: String,
        /// What is wrong with it.
        source: Damage,
    },
}

/// The state in a folder, and perhaps on a server.
#[derive(Debug)]
pub struct Kept {
    local: Store,
    #[cfg(feature = "http")]
    remote: Option<Remote>,
    /// The server's state, where it is the one to begin with.
    theirs: Option<Box<Saved>>,
    sealed: bool,
}

impl Kept {
    /// In the folder only.
    #[must_use]
    pub const fn here(local: Store) -> Self {
        Self {
            local,
            #[cfg(feature = "http")]
            remote: None,
            theirs: None,
            sealed: false,
        }
    }

    /// On a server as well, which is asked. Of the two states the one that was written later is taken: that of the server,
    /// unless it was put back by hand to an older one.
    ///
    /// # Errors
    ///
    /// Where nobody can tell what the server has, or it has what is no state of this guest.
    #[cfg(feature = "http")]
    pub fn with(local: Store, mut remote: Remote) -> Result<Self, KeptError> {
        let shown = remote.shown().to_owned();
        let read = remote.read().map_err(|source| KeptError::Away { shown: shown.clone(), source })?;
        let theirs = read
            .map(|bytes| decode_marked::<Saved>(bytes, local.guest()))
            .transpose()
            .map_err(|source| KeptError::Damaged { shown: shown.clone(), source })?;
        let serial = |mark: &Option<Mark>| mark.as_ref().map_or(0, |mark| mark.serial);
        let (ours, known) = match local.load_marked::<Saved>() {
            Found::Known((_, mark)) => (serial(&mark), true),
            _ => (0, false),
        };
        let theirs = theirs.map(|(saved, mark)| (saved, serial(&mark)));
        remote.go_on_from(ours.max(theirs.as_ref().map_or(0, |(_, serial)| *serial)));
        let theirs = match theirs {
            Some((_, theirs)) if known && ours > theirs => {
                tracing::warn!(
                    "{shown} has an older state ({theirs}) than {} ({ours}): that one is taken",
                    local.path().display()
                );
                None
            }
            Some((saved, _)) => {
                tracing::info!("the state is taken from {shown}");
                Some(Box::new(saved))
            }
            None => None,
        };
        Ok(Self { local, remote: Some(remote), theirs, sealed: false })
    }

    /// Reads the state to begin with.
    pub fn load(&mut self) -> Found<Saved> {
        match self.theirs.take() {
            Some(saved) => Found::Known(*saved),
            None => self.local.load(),
        }
    }

    /// Where the state is on disk.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.local.path()
    }

    /// Whose state it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.local.kind()
    }

    /// As [`Store::seal`], on the server as well.
    pub const fn seal(&mut self) {
        self.sealed = true;
        self.local.seal();
    }

    /// As [`Store::forget`].
    ///
    /// # Errors
    ///
    /// Where the file can't be removed.
    pub fn forget(&mut self) -> io::Result<()> {
        self.local.forget()
    }

    /// As [`Store::set_aside`].
    ///
    /// # Errors
    ///
    /// Where the file can't be renamed.
    pub fn set_aside(&self) -> io::Result<PathBuf> {
        self.local.set_aside()
    }

    /// The server first: what is only here was never built upon, and no request has left for it.
    fn write(&mut self, saved: &Saved) -> io::Result<()> {
        if self.sealed {
            return Ok(());
        }
        #[cfg(feature = "http")]
        let mark = self.remote.as_ref().map(Remote::next_mark);
        #[cfg(not(feature = "http"))]
        let mark: Option<Mark> = None;
        let bytes = encode_marked(saved, self.local.guest(), mark.as_ref())?;
        #[cfg(feature = "http")]
        if let Some(remote) = &mut self.remote {
            remote.write(&bytes)?;
        }
        self.local.save_bytes(&bytes)
    }
}

impl StateStore for Kept {
    type Error = io::Error;

    fn save(&mut self, engine: &Engine) -> io::Result<()> {
        self.write(&engine.save())
    }
}
