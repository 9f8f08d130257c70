//! What a server says, in pieces that tell their own length. It may not say more than so much to one word of ours.

use super::Failure;
use crate::stream::{Address, Deadline, Route, Stream};
use vmpolicy_core::input::Absence;

/// What a server may say in one breath: a result of one number is some dozens of bytes.
pub(super) const SAID_BYTES_MAX: usize = 256 * 1024;

/// A connection, and what has come over it.
pub(super) struct Packets {
    stream: Stream,
    bytes: Vec<u8>,
    /// How much the server has said since something was sent.
    said: usize,
}

impl Packets {
    pub(super) fn open(address: &Address, route: &mut Route, deadline: Deadline) -> Result<Self, Failure> {
        Stream::connect(address, route, deadline).map(Self::over)
    }

    /// From here on by TLS, where the address is one of TLS. What the server has said beyond what was taken, it has said
    /// in the clear, and so anybody could have.
    pub(super) fn secure(
        &mut self,
        address: &Address,
        route: &mut Route,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        if !self.bytes.is_empty() {
            return Err(Failure::new(Absence::Unparsable, "it goes on in the clear where TLS begins"));
        }
        self.stream.secure(address, route, deadline)
    }

    pub(super) fn over(stream: Stream) -> Self {
        Self { stream, bytes: Vec::new(), said: 0 }
    }

    pub(super) fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), Failure> {
        self.said = 0;
        self.stream.send(bytes, deadline)
    }

    /// The next piece, its head included. `whole` says how long the first of some bytes is, where all of it is there.
    pub(super) fn next(
        &mut self,
        whole: fn(&[u8]) -> Result<Option<usize>, Failure>,
        deadline: Deadline,
    ) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(length) = whole(&self.bytes)? {
                self.said += length;
                if self.said > SAID_BYTES_MAX {
                    return Err(Failure::new(Absence::Unparsable, "the answer is far too large"));
                }
                return Ok(self.bytes.drain(..length).collect());
            }
            self.stream.receive(&mut self.bytes, SAID_BYTES_MAX, deadline)?;
        }
    }
}

/// A sentence of a server, fit for the log: one line, and not a long one.
pub(super) fn sentence(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

/// The same failure, where its words say back a password that the server was shown.
pub(super) fn without(mut failure: Failure, password: &str) -> Failure {
    if !password.is_empty() && failure.words.contains(password) {
        failure.words = failure.words.replace(password, "***");
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    /// A length in one byte, itself included.
    fn whole(bytes: &[u8]) -> Result<Option<usize>, Failure> {
        let length = bytes.first().map(|length| usize::from(*length));
        Ok(length.filter(|length| bytes.len() >= *length))
    }

    #[test]
    fn pieces_come_as_they_were_put_and_no_more_than_so_many() {
        use std::io::Write as _;
        let (mut server, client) = UnixStream::pair().unwrap();
        let mut packets = Packets::over(Stream::from(client));
        let deadline = Deadline::within(Duration::from_secs(20));
        server.write_all(b"\x03ab\x01\x02c").unwrap();
        for expected in [&b"\x03ab"[..], b"\x01", b"\x02c"] {
            assert_eq!(packets.next(whole, deadline).unwrap(), expected);
        }
        let writer = std::thread::spawn(move || {
            let much = [200; 100 * 200];
            while server.write_all(&much).is_ok() {}
        });
        let mut pieces = 0;
        let failure = loop {
            match packets.next(whole, deadline) {
                Ok(_) => pieces += 1,
                Err(failure) => break failure,
            }
        };
        assert_eq!(failure.absence, Absence::Unparsable);
        assert!(pieces <= SAID_BYTES_MAX / 200, "{pieces}");
        drop(packets);
        writer.join().unwrap();
    }

    #[test]
    fn a_sentence_is_one_line_of_a_length() {
        assert_eq!(sentence(b"no\x1b[2Jway\n\xff"), "no [2Jway \u{fffd}");
        assert_eq!(sentence("é".repeat(400).as_bytes()).chars().count(), 200);
    }
}
