//! A connection with a deadline, by TLS or without: what protocols other than HTTP are spoken over.

mod address;
mod resolver;
mod socket;

pub use address::{Address, NoTls};

use crate::probe::Failure;
use resolver::Resolver;
use socket::{Socket, Timed, unix};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use vmpolicy_core::input::Absence;

/// When a poll has to be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    pub(crate) fn within(limit: Duration) -> Self {
        Self { at: Instant::now() + limit, limit }
    }

    /// What is left of it, which is not nothing.
    fn left(self) -> Result<Duration, Failure> {
        let left = self.at.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.passed()) } else { Ok(left) }
    }

    fn passed(self) -> Failure {
        Failure::new(Absence::TimedOut, format!("no answer within {:?}", self.limit))
    }

    /// What the system's error means, or that of TLS.
    fn failure(self, what: &str, error: &io::Error) -> Failure {
        #[cfg(feature = "tls")]
        if let Some(failure) = crate::tls::failure(error) {
            return failure;
        }
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.passed(),
            _ => Failure::new(Absence::Unreachable, format!("{what}: {error}")),
        }
    }
}

/// What is known of the way to one server: where its name leads, and whose certificates are believed.
#[derive(Default)]
pub(crate) struct Route {
    resolver: Resolver,
    #[cfg(feature = "tls")]
    tls: Option<crate::tls::TlsClient>,
}

#[cfg(feature = "tls")]
impl Route {
    /// Reads the certificates that are to be believed, where the address is one of TLS.
    pub(crate) fn trust(&mut self, address: &Address) -> Result<(), crate::tls::TrustError> {
        if let (Address::Tls(host, _, trust), None) = (address, &self.tls) {
            self.tls = Some(crate::tls::TlsClient::new(host, trust)?);
        }
        Ok(())
    }
}

/// A connection. By TLS it says goodbye when it goes, so that no server's log takes it for one that broke.
pub(crate) struct Stream {
    timed: Timed,
    #[cfg(feature = "tls")]
    tls: Option<Box<rustls::ClientConnection>>,
}

/// How long a goodbye may take, which nobody answers.
#[cfg(feature = "tls")]
const GOODBYE_LIMIT: Duration = Duration::from_millis(50);

impl Stream {
    fn over(socket: Socket) -> Self {
        Self {
            timed: Timed::new(socket),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Connects, in the clear as yet.
    pub(crate) fn connect(address: &Address, route: &mut Route, deadline: Deadline) -> Result<Self, Failure> {
        if let Address::Socket(path) = address {
            return unix(path, deadline.left()?)
                .map(Self::from)
                .map_err(|error| deadline.failure(&path.display().to_string(), &error));
        }
        let (host, port) = address.host_and_port().expect("others than sockets have them");
        let addresses = route.resolver.resolve(host, port, deadline)?;
        let mut failure = None;
        for (tried, address) in (0_u32..).zip(&addresses) {
            // An address that never answers leaves time for the others.
            let others = u32::try_from(addresses.len()).unwrap_or(u32::MAX) - tried;
            match TcpStream::connect_timeout(address, deadline.left()? / others.max(1)) {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(Self::over(Socket::Tcp(stream)));
                }
                Err(error) => failure = Some(deadline.failure(&format!("{host}:{port}"), &error)),
            }
        }
        Err(failure.unwrap_or_else(|| deadline.passed()))
    }

    /// From here on by TLS, where the address is one of TLS.
    #[cfg(feature = "tls")]
    pub(crate) fn secure(
        &mut self,
        address: &Address,
        route: &mut Route,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        route.trust(address).map_err(|error| Failure::new(Absence::Denied, error.to_string()))?;
        let (Address::Tls(..), Some(client)) = (address, &route.tls) else { return Ok(()) };
        self.timed.until = deadline.at;
        let error = match client.shake(&mut self.timed) {
            Ok(connection) => {
                self.tls = Some(Box::new(connection));
                return Ok(());
            }
            Err(error) => error,
        };
        Err(match error.kind() {
            io::ErrorKind::TimedOut => {
                let words = format!("TLS: no handshake within {:?}", deadline.limit);
                Failure::new(Absence::TimedOut, words)
            }
            kind => {
                // They may be others by now, and are read again.
                route.tls = None;
                match kind {
                    io::ErrorKind::UnexpectedEof => {
                        Failure::new(Absence::Unreachable, "TLS: the server closed the connection")
                    }
                    _ => deadline.failure("TLS", &error),
                }
            }
        })
    }

    /// There is none in this program, and so no address of it.
    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as where there is TLS")]
    pub(crate) fn secure(&mut self, _: &Address, _: &mut Route, _: Deadline) -> Result<(), Failure> {
        Ok(())
    }

    /// Sends all of it.
    pub(crate) fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), Failure> {
        self.timed.until = deadline.at;
        let sent = self.write_all(bytes).and_then(|()| self.flush());
        sent.map_err(|error| deadline.failure("the connection broke", &error))
    }

    /// Receives some more, behind what there is; what comes to more than `most` is too much.
    pub(crate) fn receive(
        &mut self,
        into: &mut Vec<u8>,
        most: usize,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let mut chunk = [0; 4_096];
        self.timed.until = deadline.at;
        match self.read(&mut chunk) {
            Ok(0) => Err(closed()),
            Ok(got) if into.len() + got > most => {
                Err(Failure::new(Absence::Unparsable, "the answer is far too large"))
            }
            Ok(got) => {
                into.extend_from_slice(&chunk[..got]);
                Ok(())
            }
            // By TLS, without a farewell.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(closed()),
            Err(error) => Err(deadline.failure("the connection broke", &error)),
        }
    }

    /// Says that this was all, and waits until the other side has closed, too. What that says is not listened to, and
    /// may not be more than so much.
    pub(crate) fn finish(mut self, most: usize, deadline: Deadline) -> Result<(), Failure> {
        self.timed.until = deadline.at;
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        let closed = self.flush().and_then(|()| self.timed.shutdown());
        closed.map_err(|error| deadline.failure("the connection broke", &error))?;
        let (mut heard, mut buffer) = (0, [0; 1_024]);
        while heard <= most {
            match self.read(&mut buffer) {
                Ok(0) => return Ok(()),
                // It has closed without a farewell, as many do. What was sent was read before: an unread byte resets.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Ok(count) => heard += count,
                Err(error) => return Err(deadline.failure("the connection broke", &error)),
            }
        }
        Err(Failure::new(Absence::Unparsable, "it answers without end"))
    }
}

fn closed() -> Failure {
    Failure::new(Absence::Unreachable, "the server closed the connection")
}

impl From<UnixStream> for Stream {
    fn from(socket: UnixStream) -> Self {
        Self::over(Socket::Unix(socket))
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            return rustls::Stream::new(&mut **tls, &mut self.timed).read(into);
        }
        self.timed.read(into)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            return rustls::Stream::new(&mut **tls, &mut self.timed).write(bytes);
        }
        self.timed.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            return rustls::Stream::new(&mut **tls, &mut self.timed).flush();
        }
        self.timed.flush()
    }
}

#[cfg(feature = "tls")]
impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            self.timed.until = Instant::now() + GOODBYE_LIMIT;
            // Where it broke, there is nobody to hear it.
            let _ = tls.write_tls(&mut self.timed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_socket_that_nobody_accepts_at_is_given_up_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _listener = UnixListener::bind(&path).unwrap();
        let limit = Duration::from_millis(200);
        let mut waiting = Vec::new();
        let failure = loop {
            let began = Instant::now();
            let connected = Stream::connect(
                &Address::Socket(path.clone()),
                &mut Route::default(),
                Deadline::within(limit),
            );
            assert!(began.elapsed() < limit * 10);
            match connected {
                Ok(stream) => waiting.push(stream),
                Err(failure) => break failure,
            }
            assert!(waiting.len() < 10_000, "it never fills");
        };
        assert_eq!(failure.absence, Absence::TimedOut);
    }
}
