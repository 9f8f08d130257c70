//! Collectors: who gathers the records of many guests.
//!
//! A thread for each takes what is kept for it in its spool, in order, and says there what the collector has. One that is
//! away is asked again after a pause that grows; the loop waits for none of them.

#[cfg(feature = "http")]
mod http;
mod tcp;

use crate::board::{Fault, Plight};
use crate::spool::{Batch, Rest};
use crate::stream::NoTls;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use vmpolicy_core::file::{RecordPlace, ServerAddress};

/// How much is sent at once, where a record is not longer by itself.
const BATCH_BYTES: usize = 256 * 1024;

/// How long nothing is tried after a fault, at first and at most: twice as long each time.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// Takes records in.
pub trait Collector: Send {
    /// Hands a batch over. When this returns, the collector has it, as far as its protocol can tell.
    ///
    /// # Errors
    ///
    /// Where it may not have it: it is handed over again.
    fn take(&mut self, batch: &Batch) -> Result<(), Refusal>;
}

/// Why a collector has not taken a batch, as far as can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// For people; never a secret.
    pub words: String,
    /// When it wants to be asked again.
    pub again_in: Option<Duration>,
    /// Whether less might do.
    pub too_large: bool,
}

impl Refusal {
    fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), ..Self::default() }
    }
}

/// A collector that was made, and what it is called.
pub struct Made {
    name: String,
    collector: Box<dyn Collector>,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Made({})", self.name)
    }
}

/// Why a collector can't be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// Its address is none.
    #[error("{0}")]
    Address(String),
    /// Its certificates can't be read.
    #[error("{0}")]
    Trust(String),
    /// This program was built without it.
    #[error("this vmpolicyd was built without HTTP")]
    NotBuilt,
    /// This program was built without TLS.
    #[error(transparent)]
    NoTls(#[from] NoTls),
}

/// The collector of a place; none, where the place is no collector.
#[must_use]
pub fn make(spec: &RecordPlace) -> Option<Result<Made, MakeError>> {
    let collector: Result<Box<dyn Collector>, MakeError> = match spec {
        RecordPlace::Tcp { host, port, tls, timeout, .. } => {
            let address = ServerAddress::Tcp { host: host.clone(), port: *port, tls: tls.clone() };
            tcp::TcpCollector::new(&address, Duration::from_millis(timeout.millis()))
                .map(|collector| Box::new(collector) as _)
        }
        #[cfg(feature = "http")]
        RecordPlace::Http { web, .. } => http::HttpCollector::new(web)
            .map(|collector| Box::new(collector) as _)
            .map_err(|fault| MakeError::Address(fault.to_string())),
        #[cfg(not(feature = "http"))]
        RecordPlace::Http { .. } => Err(MakeError::NotBuilt),
        _ => return None,
    };
    Some(collector.map(|collector| Made { name: spec.address(), collector }))
}

/// The thread that delivers.
#[derive(Debug)]
pub struct Delivery {
    rest: Rest,
    desk: Arc<Mutex<Desk>>,
}

/// What the thread and the loop tell each other.
#[derive(Debug, Default)]
struct Desk {
    /// The collector from now on.
    next: Option<Made>,
    plight: Plight,
}

impl Delivery {
    /// For this spool, to this collector. Nothing is delivered before it [begins](Self::begin).
    #[must_use]
    pub fn new(rest: Rest, collector: Made) -> Self {
        Self { rest, desk: Arc::new(Mutex::new(Desk { next: Some(collector), ..Desk::default() })) }
    }

    /// Begins.
    pub fn begin(&mut self) {
        let (rest, desk) = (self.rest.clone(), Arc::clone(&self.desk));
        let spawned =
            thread::Builder::new().name("collector".to_owned()).spawn(move || work(&rest, &desk, PAUSE));
        if let Err(error) = spawned {
            // The records wait, and status says why.
            lock(&self.desk).plight.note(&format!("no thread: {error}"));
        }
    }

    /// Another collector from now on: the same one, asked otherwise.
    pub fn hand(&self, collector: Made) {
        lock(&self.desk).next = Some(collector);
        self.rest.wake();
    }

    /// What went wrong the last time, where it did.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        lock(&self.desk).plight.fault()
    }
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Delivers until the spool is closed. The pause is the first and the longest.
fn work(rest: &Rest, desk: &Mutex<Desk>, pause: (Duration, Duration)) {
    let (mut collector, mut most, mut times) = (None, BATCH_BYTES, 0_u32);
    while !rest.is_closed() {
        collector = lock(desk).next.take().or(collector);
        let Some(Made { name, collector }) = &mut collector else { return };
        if times == 0 && !rest.wait(Duration::from_secs(60)) {
            continue;
        }
        match deliver(rest, &mut **collector, most) {
            Ok(()) => {
                if std::mem::take(&mut times) > 0 {
                    tracing::info!("{name} takes records again");
                }
                most = (most * 2).min(BATCH_BYTES);
                lock(desk).plight.well();
            }
            Err(refusal) => {
                if times == 0 {
                    tracing::warn!("{name} does not take records, so they are kept: {}", refusal.words);
                }
                if refusal.too_large {
                    most = (most / 2).max(1);
                }
                times = times.saturating_add(1);
                lock(desk).plight.note(&refusal.words);
                let grown = pause.0.saturating_mul(1 << (times - 1).min(16)).min(pause.1);
                let asked = refusal.again_in.unwrap_or_default().min(pause.1);
                rest.pause(spread(grown, rest, times).max(asked));
            }
        }
    }
}

/// Three quarters of a pause to all of it: guests whose collector comes back do not ask it at once.
fn spread(pause: Duration, rest: &Rest, times: u32) -> Duration {
    let seed = format!("{}{times}", rest.log());
    let part = crc32fast::hash(seed.as_bytes()) % 256;
    pause * (768 + part) / 1_024
}

fn deliver(rest: &Rest, collector: &mut dyn Collector, most: usize) -> Result<(), Refusal> {
    let batch =
        rest.next(most).map_err(|error| Refusal::new(format!("what is kept can't be read: {error}")))?;
    let Some(batch) = batch else { return Ok(()) };
    let taken = catch_unwind(AssertUnwindSafe(|| collector.take(&batch)));
    taken.unwrap_or_else(|_| Err(Refusal::new("a panic: this is a fault of vmpolicyd")))?;
    // It has them, whether or not that can be written down.
    if let Err(error) = rest.delivered(&batch) {
        tracing::warn!(
            "how far a collector has got can't be written, so it may be given some again: {error}"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
