//! `redis`: a field of `INFO`, or a list's length, of Redis, Valkey or what speaks as they do.
//!
//! Two commands and five kinds of replies are all that is needed of the protocol
//! (<https://redis.io/docs/latest/develop/reference/protocol-spec/>). Each poll has a connection of its own: it
//! costs the server a socket and no process.

use super::stream::{Address, Deadline, Resolver, Stream};
use super::{Failure, Source};
use crate::number::only_number;
use crate::secret::{Secret, SecretSource};
use std::time::Duration;
use vmpolicy_core::file::RedisRead;
use vmpolicy_core::input::Absence;

/// All of `INFO` is some kilobytes.
const REPLIES_BYTES_MAX: usize = 256 * 1024;

/// What to read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisOptions {
    /// Which number.
    pub read: RedisRead,
    /// Where the server listens.
    pub address: Address,
    /// Whom to log in as, where that is not the default user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretSource>,
    /// The number of the database that keys are in.
    pub database: u32,
    /// How long one poll may take, connecting included.
    pub limit: Duration,
}

/// A number of Redis.
pub struct RedisProbe {
    options: RedisOptions,
    resolver: Resolver,
}

impl RedisProbe {
    /// A probe; the server is not looked for yet.
    #[must_use]
    pub fn new(options: RedisOptions) -> Self {
        Self { options, resolver: Resolver::default() }
    }
}

impl Source for RedisProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let Self { options, resolver } = self;
        let deadline = Deadline::within(options.limit);
        let denied = |error: crate::secret::SecretError| Failure::new(Absence::Denied, error.to_string());
        let password = options.password.as_ref().map(SecretSource::read).transpose().map_err(denied)?;

        let mut asked = Vec::new();
        let mut before = 0;
        if let Some(password) = &password {
            match &options.user {
                Some(user) => put(&mut asked, &["AUTH", user, password.expose()]),
                None => put(&mut asked, &["AUTH", password.expose()]),
            }
            before += 1;
        }
        if options.database != 0 {
            put(&mut asked, &["SELECT", &options.database.to_string()]);
            before += 1;
        }
        match &options.read {
            RedisRead::Info(_) => put(&mut asked, &["INFO"]),
            RedisRead::ListLength(key) => put(&mut asked, &["LLEN", key]),
        }
        // It may hold the password.
        let asked = Secret::new(String::from_utf8(asked).expect("commands are made of texts"));

        let mut stream = Stream::connect(&options.address, resolver, deadline)?;
        // A server that turns clients away may close before it has read: what it said is still there.
        let sent = stream.send(asked.expose().as_bytes(), deadline);
        let mut replies = Replies { stream, bytes: Vec::new(), at: 0, deadline };
        let reply = (0..before).try_for_each(|_| replies.next().map(|_| ())).and_then(|()| replies.next());
        let reply = match (reply, sent) {
            (Err(failure), Err(sent)) if failure.absence == Absence::Unreachable => return Err(sent),
            (reply, _) => reply?,
        };
        match (&options.read, reply) {
            (RedisRead::ListLength(_), Reply::Integer(length)) => Ok(length as f64),
            (RedisRead::Info(field), Reply::Text(text)) => info(&text, field),
            _ => Err(odd()),
        }
    }
}

/// The value of a line `field:value`.
fn info(text: &[u8], field: &str) -> Result<f64, Failure> {
    for line in text.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        if line[..colon].eq_ignore_ascii_case(field.as_bytes()) {
            return only_number(&line[colon + 1..])
                .map_err(|absence| Failure::new(absence, format!("`{field}` of INFO is not a number")));
        }
    }
    Err(Failure::new(Absence::Missing, format!("INFO has no field `{field}`")))
}

/// A command: the number of its words, and each with its length before it.
fn put(into: &mut Vec<u8>, words: &[&str]) {
    into.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        into.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
}

fn odd() -> Failure {
    Failure::new(Absence::Unparsable, "it does not speak as a Redis")
}

#[derive(Debug, PartialEq)]
enum Reply {
    Fine,
    Integer(i64),
    Text(Vec<u8>),
    Nothing,
}

struct Replies {
    stream: Stream,
    bytes: Vec<u8>,
    at: usize,
    deadline: Deadline,
}

impl Replies {
    fn next(&mut self) -> Result<Reply, Failure> {
        loop {
            if let Some((reply, end)) = reply(&self.bytes[self.at..])? {
                self.at += end;
                return Ok(reply);
            }
            self.stream.receive(&mut self.bytes, REPLIES_BYTES_MAX, self.deadline)?;
        }
    }
}

/// The reply that these bytes begin with, and how long it is; nothing where they end too early.
fn reply(bytes: &[u8]) -> Result<Option<(Reply, usize)>, Failure> {
    let Some(&kind) = bytes.first() else { return Ok(None) };
    if !b"+-:$_".contains(&kind) {
        return Err(odd());
    }
    let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    let (line, after) = (&bytes[1..end], end + 2);
    let number = || std::str::from_utf8(line).ok().and_then(|text| text.parse::<i64>().ok()).ok_or_else(odd);
    let reply = match kind {
        b'+' => Reply::Fine,
        b'-' => return Err(refused(line)),
        b':' => Reply::Integer(number()?),
        b'_' => Reply::Nothing,
        _ => match usize::try_from(number()?) {
            Err(_) => Reply::Nothing,
            Ok(length) if length > REPLIES_BYTES_MAX => return Err(odd()),
            Ok(length) => {
                let Some(text) = bytes.get(after..after + length + 2) else { return Ok(None) };
                let Some(text) = text.strip_suffix(b"\r\n") else { return Err(odd()) };
                return Ok(Some((Reply::Text(text.to_vec()), after + length + 2)));
            }
        },
    };
    Ok(Some((reply, after)))
}

/// An error of the server. Its first word says what it is about; the rest may quote a command, password and
/// all, so it is not repeated.
fn refused(line: &[u8]) -> Failure {
    let code: String = line
        .iter()
        .take_while(|byte| byte.is_ascii_uppercase())
        .take(20)
        .map(|byte| char::from(*byte))
        .collect();
    let full = line.starts_with(b"ERR max number of clients");
    let (absence, why) = match code.as_str() {
        _ if full => (Absence::Denied, "too many clients"),
        "NOAUTH" => (Absence::Denied, "it wants `password_file`"),
        "WRONGPASS" => (Absence::Denied, "wrong user or password"),
        "NOPERM" => (Absence::Denied, "this user may not"),
        "DENIED" => (Absence::Denied, "it is in protected mode"),
        "WRONGTYPE" => (Absence::Unparsable, "the key holds no list"),
        "LOADING" => (Absence::Unreachable, "it is still loading its data"),
        "MASTERDOWN" | "CLUSTERDOWN" => (Absence::Unreachable, "its master or cluster is down"),
        "MOVED" | "ASK" => (Absence::Missing, "the key is on another server of the cluster"),
        "ERR" => {
            (Absence::Denied, "a command is refused: a wrong password, or a user that it does not have?")
        }
        _ => (Absence::Denied, "refused"),
    };
    Failure::new(absence, format!("{code}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn replies_whole_and_broken() {
        let read = |bytes: &[u8]| reply(bytes).map_err(|failure| failure.absence);
        assert_eq!(read(b"+OK\r\n:3"), Ok(Some((Reply::Fine, 5))));
        assert_eq!(read(b":-12\r\n"), Ok(Some((Reply::Integer(-12), 6))));
        assert_eq!(read(b"$2\r\n:)\r\n+"), Ok(Some((Reply::Text(b":)".to_vec()), 8))));
        assert_eq!(read(b"$0\r\n\r\n"), Ok(Some((Reply::Text(Vec::new()), 6))));
        assert_eq!(read(b"$-1\r\n"), Ok(Some((Reply::Nothing, 5))));
        for early in [&b""[..], b"+OK\r", b"$5\r\nab", b"$2\r\nab\r"] {
            assert_eq!(read(early), Ok(None));
        }
        for wrong in
            [&b"HTTP/1.1 400"[..], b":x\r\n", b"$9999999999999999999\r\n", b"$2\r\nabc\r\n", b"*1\r\n"]
        {
            assert_eq!(read(wrong), Err(Absence::Unparsable));
        }
    }

    #[test]
    fn an_error_has_its_cause_and_quotes_nothing() {
        let text = b"ERR unknown command 'AUTH', with args beginning with: 'hunter2' ";
        let failure = refused(text);
        assert_eq!(failure.absence, Absence::Denied);
        assert!(!failure.words.contains("hunter2"), "{failure:?}");
        for (text, absence) in [
            ("NOAUTH Authentication required.", Absence::Denied),
            ("WRONGTYPE Operation against a key", Absence::Unparsable),
            ("LOADING Redis is loading the dataset in memory", Absence::Unreachable),
            ("ERR max number of clients reached", Absence::Denied),
            ("hunter2", Absence::Denied),
        ] {
            let failure = refused(text.as_bytes());
            assert_eq!(failure.absence, absence, "{text}");
            assert!(!failure.words.contains("hunter2"));
        }
    }

    #[test]
    fn fields_of_info() {
        let text =
            b"# Memory\r\nused_memory:1048576\r\nused_memory_human:1.00M\r\nmem_fragmentation_ratio:1.07\r\n\
            db0:keys=1,expires=0\r\n";
        let read = |field| info(text, field).map_err(|failure| failure.absence);
        assert_eq!(read("used_memory"), Ok(1_048_576.0));
        assert_eq!(read("mem_fragmentation_ratio"), Ok(1.07));
        assert_eq!(read("used_memory_human"), Err(Absence::Unparsable));
        assert_eq!(read("db0"), Err(Absence::Unparsable));
        assert_eq!(read("used"), Err(Absence::Missing));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), kind in "[-+:$_*]") {
            let _ = reply(&[kind.as_bytes(), &bytes].concat());
        }
    }
}
