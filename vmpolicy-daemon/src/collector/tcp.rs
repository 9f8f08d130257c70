//! A collector that takes lines by TCP, or by TLS on it.
//!
//! TCP tells a sender that the other machine has bytes, not that a program has read them. What does: the program comes to
//! the end of what was sent, and closes. So each batch has a connection, which is closed for sending behind the last
//! line; once the collector has closed it as well, it has read all of it. One that dies before resets the connection.

use super::{Collector, MakeError, Refusal};
use crate::probe::Failure;
use crate::spool::Batch;
use crate::stream::{Address, Deadline, Route, Stream};
use std::time::Duration;
use vmpolicy_core::file::ServerAddress;
use vmpolicy_core::input::Absence;

/// A collector that answers is not listened to for longer than this many bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A collector that takes lines by TCP.
pub(super) struct TcpCollector {
    address: Address,
    limit: Duration,
    route: Route,
}

impl TcpCollector {
    pub(super) fn new(address: &ServerAddress, limit: Duration) -> Result<Self, MakeError> {
        let address = address.try_into()?;
        #[cfg_attr(not(feature = "tls"), expect(unused_mut, reason = "there are no certificates"))]
        let mut route = Route::default();
        #[cfg(feature = "tls")]
        route.trust(&address).map_err(|error| MakeError::Trust(error.to_string()))?;
        Ok(Self { address, limit, route })
    }

    fn exchange(&mut self, lines: &[u8]) -> Result<(), Failure> {
        let deadline = Deadline::within(self.limit);
        let mut stream = Stream::connect(&self.address, &mut self.route, deadline)?;
        stream.secure(&self.address, &mut self.route, deadline)?;
        stream.send(lines, deadline)?;
        stream.finish(ANSWER_BYTES_MAX, deadline)
    }
}

impl Collector for TcpCollector {
    fn take(&mut self, batch: &Batch) -> Result<(), Refusal> {
        self.exchange(&batch.lines).map_err(|failure| match failure.absence {
            Absence::TimedOut => {
                Refusal::new(format!("it has not taken everything and closed within {:?}", self.limit))
            }
            _ => Refusal::new(failure.words),
        })
    }
}
