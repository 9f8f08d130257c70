//! The state to begin with: from the folder, and from a server where the policy file names one.

use super::{DaemonError, Options};
use crate::agent::Event;
use crate::config::Config;
use crate::kept::Kept;
#[cfg(feature = "http")]
use crate::kept::KeptError;
use crate::store::{Kind, Store};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use vmpolicy_core::file::StateSpec;

/// How long a server that is away is asked again; then the daemon ends, and whoever looks after it starts it again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How soon it is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Where the policy file keeps the state beside the folder.
pub(super) fn place(config: &Config) -> Option<StateSpec> {
    config.shell.state.as_ref().map(|located| located.value.clone())
}

/// The state; none where the daemon was told to stop while it waited for a server.
pub(super) fn open(
    options: &Options,
    config: &Config,
    kind: Kind,
    events: &Receiver<Event>,
) -> Result<Option<Kept>, DaemonError> {
    let until = Instant::now() + PATIENCE;
    let mut said = false;
    loop {
        let error = match try_open(options, config, kind) {
            Err(error) if may_come(&error) => error,
            other => return other.map(Some),
        };
        if Instant::now() + AGAIN > until {
            return Err(error);
        }
        if !std::mem::replace(&mut said, true) {
            tracing::error!("{error}; it is asked again, and nothing is decided before it is known");
        }
        // Nobody else can ask for anything yet.
        match events.recv_timeout(AGAIN) {
            Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
            _ => {}
        }
    }
}

#[cfg(feature = "http")]
const fn may_come(error: &DaemonError) -> bool {
    matches!(error, DaemonError::Remote(KeptError::Away { .. }))
}

#[cfg(not(feature = "http"))]
const fn may_come(_: &DaemonError) -> bool {
    false
}

/// The same, once. Beliefs are kept in the folder only.
pub(super) fn try_open(options: &Options, config: &Config, kind: Kind) -> Result<Kept, DaemonError> {
    let local = Store::open(&options.state, &config.guest, kind)?;
    match place(config) {
        Some(place) if kind == Kind::Live => with(local, &place),
        _ => Ok(Kept::here(local)),
    }
}

#[cfg(feature = "http")]
fn with(local: Store, place: &StateSpec) -> Result<Kept, DaemonError> {
    let StateSpec::Http { web } = place else { return Ok(Kept::here(local)) };
    let by = crate::spool::unique().map_err(DaemonError::Finish)?;
    let remote = crate::remote::Remote::new(web, by).map_err(KeptError::Address)?;
    Ok(Kept::with(local, remote)?)
}

#[cfg(not(feature = "http"))]
fn with(_: Store, _: &StateSpec) -> Result<Kept, DaemonError> {
    Err(crate::kept::KeptError::NotBuilt.into())
}
