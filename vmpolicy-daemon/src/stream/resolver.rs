//! The addresses of a server's name.

use super::Deadline;
use crate::probe::Failure;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use vmpolicy_core::input::Absence;

/// Finds addresses of names. The system's resolver has no deadline, so it is asked on a thread; while that one
/// is busy no other is started.
#[derive(Default)]
pub(crate) struct Resolver(pub(super) Option<Receiver<io::Result<Vec<SocketAddr>>>>);

impl Resolver {
    pub(super) fn resolve(
        &mut self,
        host: &str,
        port: u16,
        deadline: Deadline,
    ) -> Result<Vec<SocketAddr>, Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
