//! What is spoken with Redis, Valkey or what speaks as they do: commands and their replies
//! (<https://redis.io/docs/latest/develop/reference/protocol-spec/>).
//!
//! A [`Session`] logs in when it connects and lives for one exchange or a few: an idle connection would be one of the
//! clients that the server counts. No error quotes what the server says, as that may quote a command, password and all.

use crate::probe::Failure;
use crate::secret::{Secret, SecretError, SecretSource};
use crate::stream::{Address, Deadline, NoTls, Route, Stream};
use std::time::Duration;
use vmpolicy_core::file::RedisServer;
use vmpolicy_core::input::Absence;

/// Where a server is, and as whom one logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens.
    pub address: Address,
    /// Whom to log in as, where that is not the default user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretSource>,
    /// The number of the database that keys are in.
    pub database: u32,
    /// How long one session may take, connecting included.
    pub limit: Duration,
    /// How many bytes of replies one session takes.
    pub replies_max: usize,
}

/// What a server has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A word, such as `OK`.
    Fine,
    /// A whole number.
    Integer(i64),
    /// Bytes.
    Text(Vec<u8>),
    /// Several.
    List(Vec<Reply>),
    /// Nothing there.
    Nothing,
}

/// A connection that is logged in.
pub struct Session {
    stream: Stream,
    bytes: Vec<u8>,
    at: usize,
    most: usize,
    deadline: Deadline,
}

impl Server {
    /// As a policy file says.
    ///
    /// # Errors
    ///
    /// Where it asks for TLS, and there is none in this program.
    pub fn new(spec: &RedisServer, replies_max: usize) -> Result<Self, NoTls> {
        Ok(Self {
            address: (&spec.address).try_into()?,
            user: spec.login.user.clone(),
            password: spec.login.password.as_ref().map(Into::into),
            database: spec.database,
            limit: Duration::from_millis(spec.timeout.millis()),
            replies_max,
        })
    }

    /// Connects, logs in, and asks this; the replies come by [`Session::reply`], one for each command.
    ///
    /// # Errors
    ///
    /// Where it can't be reached or lets nobody in.
    pub(crate) fn ask(&self, route: &mut Route, commands: &[&[&[u8]]]) -> Result<Session, Failure> {
        let deadline = Deadline::within(self.limit);
        let denied = |error: SecretError| Failure::new(Absence::Denied, error.to_string());
        let password = self.password.as_ref().map(SecretSource::read).transpose().map_err(denied)?;

        let mut first = Vec::new();
        let mut before = 0;
        if let Some(password) = &password {
            let password = password.expose().as_bytes();
            match &self.user {
                Some(user) => put(&mut first, &[b"AUTH", user.as_bytes(), password]),
                None => put(&mut first, &[b"AUTH", password]),
            }
            before += 1;
        }
        if self.database != 0 {
            put(&mut first, &[b"SELECT", self.database.to_string().as_bytes()]);
            before += 1;
        }
        // It may hold the password.
        let first = Secret::new(String::from_utf8(first).expect("a login is made of texts"));
        let mut asked = Vec::new();
        commands.iter().for_each(|words| put(&mut asked, words));

        let mut stream = Stream::connect(&self.address, route, deadline)?;
        stream.secure(&self.address, route, deadline)?;
        // A server that turns clients away may close before it has read: what it said is still there.
        let sent =
            stream.send(first.expose().as_bytes(), deadline).and_then(|()| stream.send(&asked, deadline));
        let mut session = Session { stream, bytes: Vec::new(), at: 0, most: self.replies_max, deadline };
        let let_in = (0..before).try_for_each(|_| session.reply().map(|_| ()));
        match (let_in, sent) {
            (Err(_), _) if self.address.is_in_the_clear() && session.heard_of_tls() => {
                let words = "it hangs up without a word of Redis: does it want `tls: true`?";
                Err(Failure::new(Absence::Unreachable, words))
            }
            (Err(failure), Err(sent)) if failure.absence == Absence::Unreachable => Err(sent),
            (Err(failure), _) => Err(failure),
            // Nothing before the commands has told why.
            (Ok(()), Err(sent)) => match session.reply() {
                Err(failure) if failure.absence != Absence::Unreachable => Err(failure),
                _ => Err(sent),
            },
            (Ok(()), Ok(())) => Ok(session),
        }
    }
}

impl Session {
    /// Whether nothing has come, or an alert of TLS (RFC 8446, 5.1): what a server by TLS has for who does not speak it.
    fn heard_of_tls(&self) -> bool {
        matches!(*self.bytes, [] | [21, 3, ..])
    }

    /// The next reply.
    ///
    /// # Errors
    ///
    /// Where none comes, or the server refuses.
    pub(crate) fn reply(&mut self) -> Result<Reply, Failure> {
        loop {
            if let Some((reply, end)) = reply(&self.bytes[self.at..], self.most, LISTS_MAX)? {
                self.at += end;
                return Ok(reply);
            }
            self.stream.receive(&mut self.bytes, self.most, self.deadline)?;
        }
    }
}

/// A list of lists is all that is asked for.
const LISTS_MAX: u32 = 2;

/// A command: the number of its words, and each with its length before it.
fn put(into: &mut Vec<u8>, words: &[&[u8]]) {
    into.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        into.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        into.extend_from_slice(word);
        into.extend_from_slice(b"\r\n");
    }
}

/// What it says of a server that does not speak so.
pub(crate) fn odd() -> Failure {
    Failure::new(Absence::Unparsable, "it does not speak as a Redis")
}

/// The reply that these bytes begin with, and how long it is; nothing where they end too early.
fn reply(bytes: &[u8], most: usize, lists: u32) -> Result<Option<(Reply, usize)>, Failure> {
    let Some(&kind) = bytes.first() else { return Ok(None) };
    if !b"+-:$_*".contains(&kind) {
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
        b'*' => match usize::try_from(number()?) {
            Err(_) => Reply::Nothing,
            // Each takes three bytes at least.
            Ok(count) if lists == 0 || count > most / 3 => return Err(odd()),
            Ok(count) => {
                let (mut list, mut at) = (Vec::new(), after);
                for _ in 0..count {
                    let Some((item, end)) = reply(&bytes[at..], most, lists - 1)? else {
                        return Ok(None);
                    };
                    list.push(item);
                    at += end;
                }
                return Ok(Some((Reply::List(list), at)));
            }
        },
        _ => match usize::try_from(number()?) {
            Err(_) => Reply::Nothing,
            Ok(length) if length > most => return Err(odd()),
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

    const MOST: usize = 256 * 1024;

    #[test]
    fn replies_whole_and_broken() {
        let read = |bytes: &[u8]| reply(bytes, MOST, LISTS_MAX).map_err(|failure| failure.absence);
        assert_eq!(read(b"+OK\r\n:3"), Ok(Some((Reply::Fine, 5))));
        assert_eq!(read(b":-12\r\n"), Ok(Some((Reply::Integer(-12), 6))));
        assert_eq!(read(b"$2\r\n:)\r\n+"), Ok(Some((Reply::Text(b":)".to_vec()), 8))));
        assert_eq!(read(b"$0\r\n\r\n"), Ok(Some((Reply::Text(Vec::new()), 6))));
        assert_eq!(read(b"$-1\r\n"), Ok(Some((Reply::Nothing, 5))));
        let list = Reply::List(vec![Reply::Integer(7), Reply::Nothing, Reply::List(Vec::new())]);
        assert_eq!(read(b"*3\r\n:7\r\n$-1\r\n*0\r\n+"), Ok(Some((list, 17))));
        assert_eq!(read(b"*-1\r\n"), Ok(Some((Reply::Nothing, 5))));
        for early in [&b""[..], b"+OK\r", b"$5\r\nab", b"$2\r\nab\r", b"*2\r\n:1\r\n", b"*1\r\n"] {
            assert_eq!(read(early), Ok(None));
        }
        for wrong in [
            &b"HTTP/1.1 400"[..],
            b":x\r\n",
            b"$9999999999999999999\r\n",
            b"$2\r\nabc\r\n",
            b"*99999999\r\n",
            b"*1\r\nx",
            b"*1\r\n*1\r\n*1\r\n",
        ] {
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

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), kind in "[-+:$_*]") {
            let _ = reply(&[kind.as_bytes(), &bytes].concat(), MOST, LISTS_MAX);
        }
    }
}
