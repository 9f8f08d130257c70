//! A connection with a deadline: what the probes with protocols of their own speak over.

use super::Failure;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};
use vmpolicy_core::input::Absence;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// On a socket of this machine.
    Socket(PathBuf),
    /// At a host and port.
    Tcp(String, u16),
}

impl From<&vmpolicy_core::file::ServerAddress> for Address {
    fn from(address: &vmpolicy_core::file::ServerAddress) -> Self {
        match address {
            vmpolicy_core::file::ServerAddress::Socket(path) => Self::Socket(path.into()),
            vmpolicy_core::file::ServerAddress::Tcp { host, port } => Self::Tcp(host.clone(), *port),
        }
    }
}

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
        Failure::new(Absence::TimedOut, format!("within {:?}", self.limit))
    }

    /// What the system's error means. A time limit of a socket shows itself as one of two.
    fn failure(self, what: &str, error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.passed(),
            _ => Failure::new(Absence::Unreachable, format!("{what}: {error}")),
        }
    }
}

/// Finds addresses of names. The system's resolver has no deadline, so it is asked on a thread; while that one
/// is busy no other is started.
#[derive(Default)]
pub(crate) struct Resolver(Option<Receiver<io::Result<Vec<SocketAddr>>>>);

impl Resolver {
    fn resolve(&mut self, host: &str, port: u16, deadline: Deadline) -> Result<Vec<SocketAddr>, Failure> {
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let answer = match self.0.take() {
            Some(answer) => answer,
            None => {
                let (send, answer) = sync_channel(1);
                let host = host.to_owned();
                let ask = move || {
                    // Nobody may be there any more to hear it.
                    let _ = send.send((host.as_str(), port).to_socket_addrs().map(Iterator::collect));
                };
                let spawned = std::thread::Builder::new().name("resolver".to_owned()).spawn(ask);
                spawned.map_err(|error| deadline.failure("can't resolve names", &error))?;
                answer
            }
        };
        match answer.recv_timeout(deadline.left()?) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(Ok(_)) => Err(Failure::new(Absence::Unreachable, format!("{host} has no address"))),
            Ok(Err(error)) => Err(Failure::new(Absence::Unreachable, format!("{host}: {error}"))),
            Err(RecvTimeoutError::Timeout) => {
                self.0 = Some(answer);
                Err(deadline.passed())
            }
            Err(RecvTimeoutError::Disconnected) => Err(Failure::new(Absence::Unreachable, "no resolver")),
        }
    }
}

/// A connection.
pub(crate) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    pub(crate) fn connect(
        address: &Address,
        resolver: &mut Resolver,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        match address {
            Address::Socket(path) => unix(path, deadline.left()?)
                .map(Self::Unix)
                .map_err(|error| deadline.failure(&path.display().to_string(), &error)),
            Address::Tcp(host, port) => {
                let addresses = resolver.resolve(host, *port, deadline)?;
                let mut failure = None;
                for (tried, address) in (0_u32..).zip(&addresses) {
                    // An address that never answers leaves time for the others.
                    let others = u32::try_from(addresses.len()).unwrap_or(u32::MAX) - tried;
                    match TcpStream::connect_timeout(address, deadline.left()? / others.max(1)) {
                        Ok(stream) => {
                            let _ = stream.set_nodelay(true);
                            return Ok(Self::Tcp(stream));
                        }
                        Err(error) => failure = Some(deadline.failure(&format!("{host}:{port}"), &error)),
                    }
                }
                Err(failure.unwrap_or_else(|| deadline.passed()))
            }
        }
    }

    /// Sends all of it.
    pub(crate) fn send(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), Failure> {
        while !bytes.is_empty() {
            let left = Some(deadline.left()?);
            let sent = match self {
                Self::Unix(stream) => {
                    stream.set_write_timeout(left).and_then(|()| Write::write(stream, bytes))
                }
                Self::Tcp(stream) => {
                    stream.set_write_timeout(left).and_then(|()| Write::write(stream, bytes))
                }
            };
            match sent {
                Ok(sent) => bytes = &bytes[sent..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(deadline.failure("the connection broke", &error)),
            }
        }
        Ok(())
    }

    /// Receives some more, behind what there is; what comes to more than `most` is too much.
    pub(crate) fn receive(
        &mut self,
        into: &mut Vec<u8>,
        most: usize,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let mut chunk = [0; 4_096];
        loop {
            let left = Some(deadline.left()?);
            let got = match self {
                Self::Unix(stream) => {
                    stream.set_read_timeout(left).and_then(|()| Read::read(stream, &mut chunk))
                }
                Self::Tcp(stream) => {
                    stream.set_read_timeout(left).and_then(|()| Read::read(stream, &mut chunk))
                }
            };
            match got {
                Ok(0) => return Err(Failure::new(Absence::Unreachable, "the server closed the connection")),
                Ok(got) if into.len() + got > most => {
                    return Err(Failure::new(Absence::Unparsable, "the answer is far too large"));
                }
                Ok(got) => {
                    into.extend_from_slice(&chunk[..got]);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(deadline.failure("the connection broke", &error)),
            }
        }
    }
}

/// A connection by TCP for others than probes, within this limit.
pub(crate) fn connect_tcp(
    host: &str,
    port: u16,
    resolver: &mut Resolver,
    limit: Duration,
) -> io::Result<TcpStream> {
    let address = Address::Tcp(host.to_owned(), port);
    match Stream::connect(&address, resolver, Deadline::within(limit)) {
        Ok(Stream::Tcp(stream)) => Ok(stream),
        Ok(Stream::Unix(_)) => Err(io::ErrorKind::Unsupported.into()),
        Err(failure) if failure.absence == Absence::TimedOut => Err(io::ErrorKind::TimedOut.into()),
        Err(failure) => Err(io::Error::other(failure.words)),
    }
}

/// The standard library's way has no time limit, and a server that no longer accepts lets clients wait.
fn unix(path: &Path, limit: Duration) -> io::Result<UnixStream> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(limit))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(UnixStream::from(socket))
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
                &mut Resolver::default(),
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

    #[test]
    fn names_that_are_none_are_unreachable() {
        let deadline = Deadline::within(Duration::from_secs(20));
        let mut resolver = Resolver::default();
        let failure = resolver.resolve("no-such-host.invalid", 1, deadline).unwrap_err();
        assert_eq!(failure.absence, Absence::Unreachable);
        assert!(resolver.resolve("localhost", 1, deadline).is_ok());
        assert_eq!(resolver.resolve("[::1]", 1, deadline).unwrap()[0].to_string(), "[::1]:1");
    }

    #[test]
    fn a_resolver_that_hangs_is_one_thread_and_its_answer_is_taken_later() {
        let (send, answer) = sync_channel(1);
        let mut resolver = Resolver(Some(answer));
        for _ in 0..3 {
            let deadline = Deadline::within(Duration::from_millis(20));
            assert_eq!(resolver.resolve("h", 1, deadline).unwrap_err().absence, Absence::TimedOut);
        }
        send.send(Ok(vec!["127.0.0.1:1".parse().unwrap()])).unwrap();
        let deadline = Deadline::within(Duration::from_secs(5));
        assert_eq!(resolver.resolve("h", 1, deadline).unwrap().len(), 1);
        assert!(resolver.0.is_none());
    }
}
