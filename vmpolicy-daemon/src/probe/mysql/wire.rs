//! The few packets that one statement takes
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>,
//! <https://mariadb.com/docs/server/reference/clientserver-protocol>).

use super::super::Failure;
use super::super::packets::{Packets, SAID_BYTES_MAX, sentence};
use crate::stream::{Address, Deadline, Route};
use std::time::Duration;
use vmpolicy_core::input::Absence;

/// Before each packet: its length in three bytes, the lowest first, and its number.
const HEAD_BYTES: usize = 4;

/// A statement as text.
pub(super) const COM_QUERY: u8 = 3;

const COM_QUIT: u8 = 1;

/// How long a goodbye may take, which nobody answers.
const GOODBYE_LIMIT: Duration = Duration::from_millis(50);

/// A connection. The server counts a client that leaves without a word as aborted, so this one says goodbye.
pub(super) struct Connection {
    packets: Packets,
    /// The number of the next packet, whosever it is. Each command begins anew at 0.
    number: u8,
    /// Whether commands are heard.
    pub(super) logged_in: bool,
}

impl Connection {
    pub(super) fn open(address: &Address, route: &mut Route, deadline: Deadline) -> Result<Self, Failure> {
        Packets::open(address, route, deadline).map(Self::over)
    }

    /// From here on by TLS, where the address is one of TLS.
    pub(super) fn secure(
        &mut self,
        address: &Address,
        route: &mut Route,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        self.packets.secure(address, route, deadline)
    }

    pub(super) fn over(packets: Packets) -> Self {
        Self { packets, number: 0, logged_in: false }
    }

    pub(super) fn command(&mut self, kind: u8, text: &[u8], deadline: Deadline) -> Result<(), Failure> {
        self.number = 0;
        self.send(&[&[kind], text], deadline)
    }

    /// Sends a packet, made of these parts.
    pub(super) fn send(&mut self, parts: &[&[u8]], deadline: Deadline) -> Result<(), Failure> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let length = u32::try_from(length).ok().filter(|length| *length < 1 << 24);
        let [low, middle, high, _] = length.expect("names and passwords are short").to_le_bytes();
        // It may hold a password.
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(SENT_BYTES));
        bytes.extend_from_slice(&[low, middle, high, self.number]);
        self.number = self.number.wrapping_add(1);
        for part in parts {
            bytes.extend_from_slice(part);
        }
        self.packets.send(&bytes, deadline)
    }

    /// The next packet, without its head; never empty. Where it is an error of the server's, that is the failure.
    pub(super) fn next(&mut self, deadline: Deadline) -> Result<Vec<u8>, Failure> {
        let mut packet = self.packets.next(whole, deadline)?;
        let number = packet[HEAD_BYTES - 1];
        packet.drain(..HEAD_BYTES);
        match packet.first() {
            // Out of turn where the server ends what nobody had asked yet.
            Some(0xff) => Err(refused(&packet[1..])),
            Some(_) if number == self.number => {
                self.number = self.number.wrapping_add(1);
                Ok(packet)
            }
            _ => Err(odd()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.logged_in {
            // Where it broke, there is nobody to hear it.
            let _ = self.command(COM_QUIT, &[], Deadline::within(GOODBYE_LIMIT));
        }
    }
}

pub(super) fn odd() -> Failure {
    Failure::new(Absence::Unparsable, "it does not speak as a MySQL")
}

/// How long the first packet is, where all of it is there. One of 16 MiB would go on in the next; here it is refused
/// long before.
fn whole(bytes: &[u8]) -> Result<Option<usize>, Failure> {
    let Some(&[low, middle, high]) = bytes.first_chunk::<3>() else { return Ok(None) };
    let length = HEAD_BYTES + u32::from_le_bytes([low, middle, high, 0]) as usize;
    if length > SAID_BYTES_MAX {
        return Err(odd());
    }
    Ok((bytes.len() >= length).then_some(length))
}

/// Whether a packet ends the columns, or the rows. (A row that began so would have 16 MiB.)
pub(super) fn is_end(packet: &[u8]) -> bool {
    packet[0] == 0xfe && packet.len() < 9
}

/// A row of two columns: the text of each, or NULL.
pub(super) fn row(packet: &[u8]) -> Result<[Option<&[u8]>; 2], Failure> {
    let (first, rest) = text(packet)?;
    let (second, rest) = text(rest)?;
    if rest.is_empty() { Ok([first, second]) } else { Err(odd()) }
}

/// A text with its length before it, or NULL; and what comes after.
fn text(bytes: &[u8]) -> Result<(Option<&[u8]>, &[u8]), Failure> {
    let (head, rest) = bytes.split_first().ok_or_else(odd)?;
    let (length, rest) = match head {
        0..=0xfa => (usize::from(*head), rest),
        0xfb => return Ok((None, rest)),
        0xfc => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(odd)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        0xfd => {
            let (&[low, middle, high], rest) = rest.split_first_chunk::<3>().ok_or_else(odd)?;
            (u32::from_le_bytes([low, middle, high, 0]) as usize, rest)
        }
        // Longer than a packet.
        _ => return Err(odd()),
    };
    let (text, rest) = rest.split_at_checked(length).ok_or_else(odd)?;
    Ok((Some(text), rest))
}

/// A text that a zero byte ends, or the end of the packet; and what comes after.
pub(super) fn until_zero(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

/// An error of the server: its number, its words. Before the login there is no SQLSTATE between them.
fn refused(body: &[u8]) -> Failure {
    let Some((number, rest)) = body.split_first_chunk::<2>() else { return odd() };
    let number = u16::from_le_bytes(*number);
    let words = match rest {
        [b'#', _, _, _, _, _, words @ ..] => words,
        words => words,
    };
    let absence = if is_farewell(number) { Absence::Unreachable } else { Absence::Denied };
    Failure::new(absence, format!("{} ({number})", sentence(words)))
}

/// Whether the server says that it, or the connection, is going away: shutdown in progress (1053, 1077 to
/// 1079), killed (1317, 1927), idle for too long (4031, and 1159 to 1161 on the way).
fn is_farewell(number: u16) -> bool {
    matches!(number, 1053 | 1077..=1079 | 1159..=1161 | 1317 | 1927 | 4031)
}

/// A buffer that grows would leave copies of a password behind.
const SENT_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packets_are_found_and_lengths_that_lie_are_refused() {
        let found = |bytes: &[u8]| whole(bytes).map_err(|failure| failure.absence);
        assert_eq!(found(b"\x01\0\0\x07a"), Ok(Some(5)));
        assert_eq!(found(b"\x01\0\0\x07ab"), Ok(Some(5)));
        assert_eq!(found(b"\0\0\0\0"), Ok(Some(4)));
        for early in [&b""[..], b"\x01\0", b"\x01\0\0", b"\x01\0\0\0", b"\x00\x04\0\0a"] {
            assert_eq!(found(early), Ok(None), "{early:?}");
        }
        for wrong in [&b"\xff\xff\xff"[..], b"\xff\xff\xff\0", b"HTTP/1.1 400", b"\0\0\x04\0"] {
            assert_eq!(found(wrong), Err(Absence::Unparsable), "{wrong:?}");
        }
    }

    #[test]
    fn rows_of_two_texts() {
        assert_eq!(row(b"\x06Uptime\x0242").unwrap(), [Some(&b"Uptime"[..]), Some(b"42")]);
        assert_eq!(row(b"\x01a\xfb").unwrap(), [Some(&b"a"[..]), None]);
        assert_eq!(row(b"\x01a\0").unwrap(), [Some(&b"a"[..]), Some(b"")]);
        let long = [b"\x01a\xfc\x2c\x01".as_slice(), &[b'x'; 300]].concat();
        assert_eq!(row(&long).unwrap()[1].map(<[u8]>::len), Some(300));
        let longer = [b"\x01a\xfd\x00\x00\x01".as_slice(), &[b'x'; 65_536]].concat();
        assert_eq!(row(&longer).unwrap()[1].map(<[u8]>::len), Some(65_536));
        for wrong in [
            &b""[..],
            b"\x01a",
            b"\x06Uptime\x0342",
            b"\x06Uptime\x0142",
            b"\x01a\xfc\x01",
            b"\x01a\xfd\x01\0",
            b"\x01a\xfe\x01\0\0\0\0\0\0\0x",
            b"\xff",
        ] {
            assert_eq!(row(wrong).map_err(|failure| failure.absence), Err(Absence::Unparsable), "{wrong:?}");
        }
    }

    #[test]
    fn errors_of_the_server_have_a_cause_and_bounded_words() {
        for (number, absence) in [
            (1045_u16, Absence::Denied),
            (1040, Absence::Denied),
            (4151, Absence::Denied),
            (1053, Absence::Unreachable),
            (1927, Absence::Unreachable),
            (4031, Absence::Unreachable),
        ] {
            for state in [&b"#28000"[..], b""] {
                let body = [&number.to_le_bytes(), state, b"no\x1bway\n"].concat();
                let failure = refused(&body);
                assert_eq!((failure.absence, failure.words), (absence, format!("no way  ({number})")));
            }
        }
        assert!(refused(&[b'x'; 100_000]).words.len() < 300);
        assert_eq!(refused(b"\x15").absence, Absence::Unparsable);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = whole(&bytes);
            let _ = row(&bytes);
            let _ = refused(&bytes);
            let _ = until_zero(&bytes);
        }
    }
}
