//! What stands in a service's place while it is down: it answers with rubbish, or never.

use crate::run::PATIENCE;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Where a service listens.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Tcp(u16),
    Unix(PathBuf),
}

/// How it treats clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// One kind of rubbish after the other, and then it closes.
    Rubbish,
    /// It accepts, and that is all.
    Silent,
}

/// Until it is dropped.
pub(crate) struct Stub {
    place: Place,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

trait Client: Read + Write + Send {}
impl<T: Read + Write + Send> Client for T {}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    fn bind(place: &Place) -> io::Result<Self> {
        match place {
            Place::Tcp(port) => TcpListener::bind(("127.0.0.1", *port)).map(Self::Tcp),
            Place::Unix(path) => {
                let _ = std::fs::remove_file(path);
                UnixListener::bind(path).map(Self::Unix)
            }
        }
    }

    fn accept(&self) -> io::Result<Box<dyn Client>> {
        let limit = Some(Duration::from_secs(1));
        // A client that waits for the server to speak first is not waited for.
        let patience = Some(Duration::from_millis(20));
        match self {
            Self::Tcp(listener) => {
                let client: TcpStream = listener.accept()?.0;
                client.set_nonblocking(false)?;
                client.set_read_timeout(patience)?;
                client.set_write_timeout(limit)?;
                Ok(Box::new(client))
            }
            Self::Unix(listener) => {
                let client: UnixStream = listener.accept()?.0;
                client.set_nonblocking(false)?;
                client.set_read_timeout(patience)?;
                client.set_write_timeout(limit)?;
                Ok(Box::new(client))
            }
        }
    }

    fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.set_nonblocking(true),
            Self::Unix(listener) => listener.set_nonblocking(true),
        }
    }
}

/// What no service says.
fn rubbish(which: usize) -> Vec<u8> {
    match which % 6 {
        0 => b"nothing that anybody knows\r\n\r\n".repeat(500),
        1 => (0..20_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
        2 => b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nrubbish\n".to_vec(),
        3 => b"9".repeat(3_000_000),
        4 => vec![0; 4_096],
        _ => vec![255; 70_000],
    }
}

impl Stub {
    pub(crate) fn at(place: &Place, manner: Manner) -> Self {
        let began = Instant::now();
        let listener = loop {
            match Listener::bind(place) {
                Ok(listener) => break listener,
                // Somebody's own end of a connection may have this number for a moment.
                Err(error) => assert!(began.elapsed() < PATIENCE, "{place:?}: {error}"),
            }
            thread::sleep(Duration::from_millis(100));
        };
        listener.set_nonblocking().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (mut held, mut served) = (Vec::new(), 0);
            while !stopped.load(Ordering::Relaxed) {
                let Ok(mut client) = listener.accept() else {
                    thread::sleep(Duration::from_millis(5));
                    continue;
                };
                if manner == Manner::Silent {
                    held.push(client);
                    continue;
                }
                // A server that speaks first is as much a stranger as one that does not listen.
                if served % 2 == 0 {
                    let _ = client.read(&mut [0; 4_096]);
                }
                let _ = client.write_all(&rubbish(served));
                served += 1;
            }
        });
        Self { place: place.clone(), stop, thread: Some(thread) }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if let Place::Unix(path) = &self.place {
            let _ = std::fs::remove_file(path);
        }
    }
}
