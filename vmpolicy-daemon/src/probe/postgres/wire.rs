//! The few messages that one query takes
//! (<https://www.postgresql.org/docs/current/protocol-message-formats.html>).

use super::super::Failure;
use super::super::packets::{Packets, SAID_BYTES_MAX, sentence};
use crate::stream::{Address, Deadline, Route};
use vmpolicy_core::input::Absence;

/// `SSLRequest`: a message of eight bytes with a version that there never was. One byte is the answer.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What the server says, as far as it matters.
pub(super) enum Message {
    /// How to prove who one is: the number of the way, and what belongs to it.
    Authentication(u32, Vec<u8>),
    /// A row: the text of each column, or NULL.
    Row(Vec<Option<Vec<u8>>>),
    /// It refuses, or gives up.
    Error(Failure),
    /// The next query may come.
    ReadyForQuery,
    /// Something else, which needs no answer.
    Other,
}

/// A connection.
pub(super) struct Connection(Packets);

impl Connection {
    pub(super) fn open(address: &Address, route: &mut Route, deadline: Deadline) -> Result<Self, Failure> {
        let mut packets = Packets::open(address, route, deadline)?;
        if address.is_by_tls() {
            packets.send(&TLS_REQUEST, deadline)?;
            match packets.next(|bytes| Ok((!bytes.is_empty()).then_some(1)), deadline)?.as_slice() {
                b"S" => packets.secure(address, route, deadline)?,
                // An error's words would be anybody's.
                b"N" | b"E" => {
                    let words = "the server has no TLS, and nothing is said to it without (`tls: true`)";
                    return Err(Failure::new(Absence::Denied, words));
                }
                _ => return Err(odd()),
            }
        }
        Ok(Self(packets))
    }

    pub(super) fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), Failure> {
        self.0.send(bytes, deadline)
    }

    /// The next message.
    pub(super) fn next(&mut self, deadline: Deadline) -> Result<Message, Failure> {
        let bytes = self.0.next(whole, deadline)?;
        message(bytes[0], &bytes[5..])
    }
}

/// A message to the server: its kind, its length, its parts.
pub(super) fn put(into: &mut Vec<u8>, kind: Option<u8>, parts: &[&[u8]]) {
    into.extend(kind);
    let length = 4 + parts.iter().map(|part| part.len()).sum::<usize>();
    into.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    for part in parts {
        into.extend_from_slice(part);
    }
}

pub(super) fn odd() -> Failure {
    Failure::new(Absence::Unparsable, "it does not speak as a PostgreSQL")
}

/// How long the first message is, where all of it is there.
fn whole(bytes: &[u8]) -> Result<Option<usize>, Failure> {
    let Some((_, rest)) = bytes.split_first() else { return Ok(None) };
    let Some(length) = rest.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_be_bytes(*length) as usize;
    if !(4..SAID_BYTES_MAX).contains(&length) {
        return Err(odd());
    }
    Ok((bytes.len() > length).then_some(length + 1))
}

fn message(kind: u8, body: &[u8]) -> Result<Message, Failure> {
    match kind {
        b'R' => {
            let (way, rest) = body.split_first_chunk::<4>().ok_or_else(odd)?;
            Ok(Message::Authentication(u32::from_be_bytes(*way), rest.to_vec()))
        }
        b'D' => row(body).map(Message::Row),
        b'E' => Ok(Message::Error(refused(body))),
        b'Z' => Ok(Message::ReadyForQuery),
        // Completion, description, status, key data, notice, an empty query.
        b'C' | b'T' | b'S' | b'K' | b'N' | b'I' | b'A' | b'v' => Ok(Message::Other),
        _ => Err(odd()),
    }
}

fn row(body: &[u8]) -> Result<Vec<Option<Vec<u8>>>, Failure> {
    let (count, mut rest) = body.split_first_chunk::<2>().ok_or_else(odd)?;
    let mut columns = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(odd)?;
        let length = i32::from_be_bytes(*length);
        match usize::try_from(length) {
            Ok(length) => {
                let (value, after) = after.split_at_checked(length).ok_or_else(odd)?;
                columns.push(Some(value.to_vec()));
                rest = after;
            }
            Err(_) => {
                columns.push(None);
                rest = after;
            }
        }
    }
    Ok(columns)
}

/// An error of the server: fields of a letter and a text each. `C` is its code (SQLSTATE), `M` its words.
fn refused(body: &[u8]) -> Failure {
    let field = |letter: u8| {
        let text = body.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(&[letter]));
        sentence(text.unwrap_or_default())
    };
    let (code, words) = (field(b'C'), field(b'M'));
    // https://www.postgresql.org/docs/current/errcodes-appendix.html
    let absence = match code.as_bytes() {
        // The statement's own limit, which is the probe's.
        b"57014" => Absence::TimedOut,
        // Shutdown, a crash of another process, starting up; broken connections; idle for too long.
        [b'5', b'7', b'P', ..] | [b'0', b'8', ..] | b"25P03" | b"25P04" => Absence::Unreachable,
        // An unknown table or column, a division by zero: the query gives nothing.
        b"42P01" | b"42703" | b"22012" => Absence::Missing,
        _ => Absence::Denied,
    };
    Failure::new(absence, format!("{words} ({code})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_are_put_and_found() {
        let mut bytes = Vec::new();
        put(&mut bytes, Some(b'Q'), &[b"SELECT 1", b"\0"]);
        assert_eq!(bytes, b"Q\0\0\0\x0dSELECT 1\0");
        assert_eq!(whole(&bytes).unwrap(), Some(14));
        assert_eq!(whole(&bytes[..13]).unwrap(), None);
        assert!(whole(b"H\0\0\0\x03").is_err());
        assert!(whole(b"HTTP/1.1 400").is_err());
    }

    #[test]
    fn rows_and_errors() {
        let columns = row(b"\0\x02\0\0\0\x02-1\xff\xff\xff\xff").unwrap();
        assert_eq!(columns, [Some(b"-1".to_vec()), None]);
        assert!(row(b"\0\x01\0\0\0\x09-1").is_err());
        assert!(row(b"\0").is_err());
        for (code, absence) in [
            ("57014", Absence::TimedOut),
            ("57P03", Absence::Unreachable),
            ("28P01", Absence::Denied),
            ("53300", Absence::Denied),
            ("42P01", Absence::Missing),
        ] {
            let body = format!("SFATAL\0C{code}\0Mno\x1bway\0\0");
            let failure = refused(body.as_bytes());
            assert_eq!((failure.absence, failure.words), (absence, format!("no way ({code})")));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), kind in "[RDEZCS]") {
            let _ = whole(&bytes);
            let _ = message(kind.as_bytes()[0], &bytes);
        }
    }
}
