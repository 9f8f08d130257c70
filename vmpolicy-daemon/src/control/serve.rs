//! A server in one thread for a few clients that nobody trusts.
//!
//! Nothing here waits for a client: reading and writing are non-blocking, every connection has a deadline that bytes in drips
//! do not move, and there are only so many of them. Clients are served in turn, one request each, and only so many requests a
//! second in all, so that none of them can keep the loop busy.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

/// What a client may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many clients at a time. One more is told so and let go.
    pub connections: usize,
    /// How long a request may be.
    pub request_bytes: usize,
    /// How long a client may take to ask, and then to take its answer.
    pub patience: Duration,
    /// How many requests a second are answered, of all clients together.
    pub per_second: u32,
}

/// How the bytes of a client are to be understood.
pub trait Protocol: Send + 'static {
    /// How many of these bytes are the first request; none where it is not whole.
    fn request_len(&self, bytes: &[u8]) -> Option<usize>;

    /// Answers a request. `uid` is the user at the other end, where the system can tell.
    fn answer(&mut self, request: &[u8], uid: Option<u32>) -> Reply;

    /// What one is told whose request is too long.
    fn too_long(&self) -> Vec<u8>;

    /// What one is told for whom there is no room.
    fn too_many(&self) -> Vec<u8>;
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What is written.
    pub bytes: Vec<u8>,
    /// Whether nothing more is read after it.
    pub last: bool,
}

/// Where clients come in.
#[derive(Debug)]
pub enum Listener {
    /// A socket in the file system.
    Unix(UnixListener),
    /// A port.
    Tcp(TcpListener),
}

#[derive(Debug)]
enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Listener {
    fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Unix(listener) => listener.set_nonblocking(true),
            Self::Tcp(listener) => listener.set_nonblocking(true),
        }
    }

    fn accept(&self) -> io::Result<Stream> {
        let stream = match self {
            Self::Unix(listener) => Stream::Unix(listener.accept()?.0),
            Self::Tcp(listener) => Stream::Tcp(listener.accept()?.0),
        };
        match &stream {
            Stream::Unix(stream) => stream.set_nonblocking(true)?,
            Stream::Tcp(stream) => stream.set_nonblocking(true)?,
        }
        Ok(stream)
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(listener) => listener.as_fd(),
            Self::Tcp(listener) => listener.as_fd(),
        }
    }
}

impl Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(stream) => stream.as_fd(),
            Self::Tcp(stream) => stream.as_fd(),
        }
    }

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(bytes),
            Self::Tcp(stream) => stream.read(bytes),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(bytes),
            Self::Tcp(stream) => stream.write(bytes),
        }
    }

    fn uid(&self) -> Option<u32> {
        match self {
            Self::Unix(stream) => {
                rustix::net::sockopt::socket_peercred(stream).ok().map(|peer| peer.uid.as_raw())
            }
            Self::Tcp(_) => None,
        }
    }
}

/// A server's thread. It ends when this is dropped, or soon after: it may be waiting for the loop, which is who drops it.
#[derive(Debug)]
pub struct Server {
    /// Its other end becomes readable when this is closed, which is the sign to end.
    _stop: UnixStream,
}

impl Server {
    /// Serves whoever comes to this listener.
    ///
    /// # Errors
    ///
    /// Where there is no thread or no file descriptor for it.
    pub fn start(
        name: &str,
        listener: Listener,
        limits: Limits,
        protocol: impl Protocol,
    ) -> io::Result<Self> {
        listener.set_nonblocking()?;
        let (stop, stopped) = UnixStream::pair()?;
        let mut room = Room {
            listener,
            limits,
            protocol,
            clients: Vec::new(),
            turn: 0,
            tokens: limits.per_second,
            filled: Instant::now(),
            deaf_until: None,
        };
        thread::Builder::new().name(name.to_owned()).spawn(move || room.serve(&stopped))?;
        Ok(Self { _stop: stop })
    }
}

/// How long nobody is let in where the system has no file descriptor left.
const DEAF: Duration = Duration::from_secs(1);

/// How soon those are looked at again who have to wait their turn.
const NEXT_TURN: Duration = Duration::from_millis(10);

/// How many are let in or turned away in one round.
const ACCEPTED_MAX: usize = 64;

struct Room<P> {
    listener: Listener,
    limits: Limits,
    protocol: P,
    clients: Vec<ClientAtDoor>,
    /// Who is served first in this round.
    turn: usize,
    tokens: u32,
    filled: Instant,
    deaf_until: Option<Instant>,
}

struct ClientAtDoor {
    stream: Stream,
    uid: Option<u32>,
    asked: Vec<u8>,
    answer: Vec<u8>,
    written: usize,
    /// Until when it has to have asked, or taken its answer.
    until: Instant,
    /// Nothing more is read.
    ended: bool,
    gone: bool,
}

impl<P: Protocol> Room<P> {
    fn serve(&mut self, stopped: &UnixStream) {
        loop {
            let now = Instant::now();
            let listens = self.deaf_until.is_none_or(|until| until <= now);
            let sleep = self.sleep(now);
            // One whose requests wait for their turn is not listened to.
            let wait: Vec<bool> = self.clients.iter().map(|client| self.waits(client)).collect();
            let mut fds = vec![PollFd::new(stopped, PollFlags::IN)];
            for (client, waits) in self.clients.iter().zip(&wait) {
                let flags = match client.is_answered() {
                    true => PollFlags::OUT,
                    false if *waits => PollFlags::empty(),
                    false => PollFlags::IN,
                };
                fds.push(PollFd::from_borrowed_fd(client.stream.as_fd(), flags));
            }
            if listens {
                fds.push(PollFd::from_borrowed_fd(self.listener.as_fd(), PollFlags::IN));
            }
            match poll(&mut fds, sleep.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return tracing::error!("a socket's thread ends: {error}"),
            }
            if !fds[0].revents().is_empty() {
                return;
            }
            let ready: Vec<bool> = fds[1..].iter().map(|fd| !fd.revents().is_empty()).collect();
            drop(fds);
            for ((client, ready), waits) in self.clients.iter_mut().zip(&ready).zip(&wait) {
                if *ready && *waits && !client.is_answered() {
                    // Nobody is there any more to take an answer.
                    client.gone = true;
                } else if *ready {
                    client.turn(self.limits);
                }
            }
            self.answer();
            let now = Instant::now();
            self.clients.retain(|client| !client.is_done() && client.until > now);
            if listens && ready.last() == Some(&true) {
                self.let_in(now);
            }
        }
    }

    /// Until something has to be done by itself.
    fn sleep(&self, now: Instant) -> Option<Timespec> {
        let waits = self.clients.iter().any(|client| self.waits(client));
        let deadline = self.clients.iter().map(|client| client.until).chain(self.deaf_until).min();
        let mut sleep = deadline.map(|until| until.saturating_duration_since(now));
        if waits {
            sleep = Some(sleep.map_or(NEXT_TURN, |sleep| sleep.min(NEXT_TURN)));
        }
        sleep.map(|sleep| Timespec {
            tv_sec: i64::try_from(sleep.as_secs()).unwrap_or(i64::MAX),
            // Rounded up: to wake before the time is to wake in vain.
            tv_nsec: i64::from(sleep.subsec_nanos().saturating_add(1).min(999_999_999)),
        })
    }

    fn waits(&self, client: &ClientAtDoor) -> bool {
        !client.is_answered() && self.protocol.request_len(&client.asked).is_some()
    }

    /// Answers one request of each client, as far as this second allows, another one first each time.
    fn answer(&mut self) {
        let now = Instant::now();
        let per_second = self.limits.per_second.max(1);
        let gained = now.duration_since(self.filled).as_secs_f64() * f64::from(per_second);
        if gained >= 1.0 {
            // Saturates; a whole number by then.
            self.tokens = self.tokens.saturating_add(gained as u32).min(per_second);
            self.filled = now;
        }
        let count = self.clients.len();
        self.turn = if count == 0 { 0 } else { (self.turn + 1) % count };
        for index in 0..count {
            let client = &mut self.clients[(self.turn + index) % count];
            if client.is_answered() || client.gone {
                continue;
            }
            let reply = match self.protocol.request_len(&client.asked) {
                Some(len) if len <= self.limits.request_bytes => {
                    if self.tokens == 0 {
                        continue;
                    }
                    self.tokens -= 1;
                    let request: Vec<u8> = client.asked.drain(..len).collect();
                    self.protocol.answer(&request, client.uid)
                }
                None if client.asked.len() <= self.limits.request_bytes => continue,
                _ => Reply { bytes: self.protocol.too_long(), last: true },
            };
            if reply.last {
                client.ended = true;
                client.asked.clear();
            }
            (client.answer, client.written) = (reply.bytes, 0);
            client.until = Instant::now() + self.limits.patience;
            client.write(self.limits);
        }
        for client in &mut self.clients {
            // Whoever says nothing more, and has not said a whole request, is done.
            if client.ended && !client.is_answered() && self.protocol.request_len(&client.asked).is_none() {
                client.gone = true;
            }
        }
    }

    fn let_in(&mut self, now: Instant) {
        for _ in 0..ACCEPTED_MAX {
            match self.listener.accept() {
                Ok(mut stream) if self.clients.len() >= self.limits.connections => {
                    // As much as goes out without waiting.
                    let _ = stream.write(&self.protocol.too_many());
                }
                Ok(stream) => {
                    let uid = stream.uid();
                    let until = now + self.limits.patience;
                    let (asked, answer) = (Vec::new(), Vec::new());
                    self.clients.push(ClientAtDoor {
                        stream,
                        uid,
                        asked,
                        answer,
                        written: 0,
                        until,
                        ended: false,
                        gone: false,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!("a client can't be let in: {error}");
                    self.deaf_until = Some(now + DEAF);
                    return;
                }
            }
        }
        self.deaf_until = None;
    }
}

impl ClientAtDoor {
    /// Whether there is an answer to be written.
    fn is_answered(&self) -> bool {
        self.written < self.answer.len()
    }

    fn is_done(&self) -> bool {
        self.gone
    }

    /// Reads or writes what goes without waiting.
    fn turn(&mut self, limits: Limits) {
        if self.is_answered() {
            self.write(limits);
        } else {
            self.read(limits);
        }
    }

    fn read(&mut self, limits: Limits) {
        let mut bytes = [0; 1024];
        // One more than a request has room for tells that it is too long.
        while self.asked.len() <= limits.request_bytes {
            match self.stream.read(&mut bytes) {
                Ok(0) => {
                    self.ended = true;
                    return;
                }
                Ok(count) => self.asked.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.gone = true;
                    return;
                }
            }
        }
    }

    fn write(&mut self, limits: Limits) {
        while self.is_answered() {
            match self.stream.write(&self.answer[self.written..]) {
                Ok(0) => self.gone = true,
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.gone = true,
            }
            if self.gone {
                return;
            }
        }
        // The answer is out, and its memory is let go.
        (self.answer, self.written) = (Vec::new(), 0);
        self.until = Instant::now() + limits.patience;
    }
}
