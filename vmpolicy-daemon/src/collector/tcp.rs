//! A collector that takes lines by TCP, or by TLS on it.
//!
//! TCP tells a sender that the other machine has bytes, not that a program has read them. What does: the program comes to
//! the end of what was sent, and closes. So each batch has a connection, which is closed for sending behind the last
//! line; once the collector has closed it as well, it has read all of it. One that dies before resets the connection.

use super::{Collector, MakeError, Refusal};
use crate::probe::{Resolver, connect_tcp};
use crate::spool::Batch;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// A collector that answers is not listened to for longer than this many bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A collector that takes lines by TCP.
pub(super) struct TcpCollector {
    host: String,
    port: u16,
    limit: Duration,
    resolver: Resolver,
    #[cfg(feature = "http")]
    tls: Option<crate::http::TlsClient>,
}

impl TcpCollector {
    /// `tls` holds the file of certificates to believe, where it is not the system's.
    pub(super) fn new(
        host: &str,
        port: u16,
        tls: Option<Option<&str>>,
        limit: Duration,
    ) -> Result<Self, MakeError> {
        #[cfg(not(feature = "http"))]
        if tls.is_some() {
            return Err(MakeError::NotBuilt);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            limit,
            resolver: Resolver::default(),
            #[cfg(feature = "http")]
            tls: tls
                .map(|ca_file| crate::http::TlsClient::new(host, ca_file.map(std::path::Path::new)))
                .transpose()
                .map_err(|error| MakeError::Trust(error.to_string()))?,
        })
    }

    fn exchange(&mut self, lines: &[u8], until: Instant) -> io::Result<()> {
        let socket = connect_tcp(&self.host, self.port, &mut self.resolver, self.limit)?;
        let timed = Timed { socket, until };
        #[cfg(feature = "http")]
        if let Some(tls) = &self.tls {
            return tls.send_whole(timed, lines);
        }
        let mut timed = timed;
        timed.write_all(lines)?;
        timed.socket.shutdown(Shutdown::Write)?;
        read_to_end(&mut timed)
    }
}

impl Collector for TcpCollector {
    fn take(&mut self, batch: &Batch) -> Result<(), Refusal> {
        let until = Instant::now() + self.limit;
        self.exchange(&batch.lines, until).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                Refusal::new(format!("it has not taken everything and closed within {:?}", self.limit))
            }
            _ => Refusal::new(error.to_string()),
        })
    }
}

/// Reads until the other side closes. What it says is not listened to.
pub(crate) fn read_to_end(from: &mut impl Read) -> io::Result<()> {
    let (mut heard, mut buffer) = (0, [0; 1_024]);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => heard += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if heard > ANSWER_BYTES_MAX {
            return Err(io::Error::other("it answers without end"));
        }
    }
}

/// A connection with one deadline for all that is done with it.
pub(crate) struct Timed {
    pub(crate) socket: TcpStream,
    pub(crate) until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
