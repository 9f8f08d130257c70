//! `mysql`: a status variable of MySQL or MariaDB, over the server's own protocol.
//!
//! The connection is kept between polls. Where it has gone bad in the meantime (the server was started
//! again, or closed it for idleness) a new one is made within the same poll.

mod login;
#[cfg(test)]
mod script;
mod wire;

use super::kept::Kept;
use super::{Failure, PASSWORD_VARIABLE, Source};
use crate::number::only_number;
use crate::secret::{Secret, SecretSource};
use crate::stream::{Address, Deadline, Route};
use std::time::Duration;
use vmpolicy_core::input::Absence;
use wire::Connection;

/// What to read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MysqlOptions {
    /// The variable's name, as `SHOW GLOBAL STATUS` gives it; upper and lower case are the same.
    pub status: String,
    /// Where the server listens.
    pub address: Address,
    /// Whom to log in as.
    pub user: String,
    /// The password. Where none is named it is what [`PASSWORD_VARIABLE`] holds, or there is none.
    pub password: Option<SecretSource>,
    /// How long one poll may take, connecting included.
    pub limit: Duration,
}

/// A server sends one row; what is more is not looked at.
const ROWS_MAX: usize = 64;

/// The value of a status variable.
pub struct MysqlProbe {
    options: MysqlOptions,
    route: Route,
    kept: Kept<Connection>,
}

impl MysqlProbe {
    /// A probe; the server is not looked for yet.
    #[must_use]
    pub fn new(options: MysqlOptions) -> Self {
        Self { options, route: Route::default(), kept: Kept::default() }
    }
}

impl Source for MysqlProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        if !is_name(&self.options.status) {
            return Err(Failure::new(Absence::Missing, "no status variable has such a name"));
        }
        let deadline = Deadline::within(self.options.limit);
        let Self { options, route, kept } = self;
        let connect = || {
            // Read anew for each connection, so that a changed one is taken up.
            let password = password(options)?;
            let mut connection = Connection::open(&options.address, route, deadline)?;
            login::log_in(&mut connection, options, password.as_ref(), route, deadline)?;
            Ok(connection)
        };
        // Nonsense, too, where the server ended it in the middle of a word.
        let gone_bad = [Absence::Unreachable, Absence::Unparsable];
        let value = kept.ask(&gone_bad, connect, |connection| ask(connection, &options.status, deadline))?;
        let value = value.ok_or_else(|| {
            let name = &self.options.status;
            Failure::new(Absence::Missing, format!("the server has no variable `{name}`"))
        })?;
        only_number(&value).map_err(|absence| Failure::new(absence, "the variable is not a number"))
    }
}

fn password(options: &MysqlOptions) -> Result<Option<Secret>, Failure> {
    let Some(source) = &options.password else {
        return Ok(std::env::var(PASSWORD_VARIABLE).ok().map(Secret::new));
    };
    source.read().map(Some).map_err(|error| Failure::new(Absence::Denied, error.to_string()))
}

/// One round trip. `LIKE` lets the server skip the other hundreds of variables; as `_` stands for any
/// letter there, the name is compared again here.
fn ask(connection: &mut Connection, name: &str, deadline: Deadline) -> Result<Option<Vec<u8>>, Failure> {
    let statement = format!("SHOW GLOBAL STATUS LIKE '{name}'");
    connection.command(wire::COM_QUERY, statement.as_bytes(), deadline)?;
    // How many columns; what each is called, which nobody needs; an end.
    if connection.next(deadline)? != [2] {
        return Err(wire::odd());
    }
    for is_end in [false, false, true] {
        if wire::is_end(&connection.next(deadline)?) != is_end {
            return Err(wire::odd());
        }
    }
    let mut value = None;
    for _ in 0..ROWS_MAX {
        let packet = connection.next(deadline)?;
        if wire::is_end(&packet) {
            return Ok(value);
        }
        let [found, text] = wire::row(&packet)?;
        if found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            value = text.map(<[u8]>::to_vec);
        }
    }
    Err(Failure::new(Absence::Unparsable, "more rows than a name can have"))
}

/// Whether a text can be a status variable's name; nothing else may go into the statement.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    /// What a probe makes of a server that treats each client so.
    fn against(treat: impl Fn(TcpStream) + Send + 'static) -> (Result<f64, Absence>, Duration) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                treat(client);
            }
        });
        let began = Instant::now();
        let mut probe = MysqlProbe::new(MysqlOptions {
            status: "Slow_queries".to_owned(),
            address: Address::Tcp("127.0.0.1".to_owned(), port),
            user: "root".to_owned(),
            password: None,
            limit: Duration::from_millis(400),
        });
        let read = probe.sample().map_err(|failure| failure.absence);
        (read, began.elapsed())
    }

    #[test]
    fn servers_that_are_none() {
        // It accepts, and that is all.
        let (read, took) = against(std::mem::forget);
        assert_eq!(read, Err(Absence::TimedOut));
        assert!(took < Duration::from_secs(3), "{took:?}");
        // It closes midway.
        let (read, _) = against(drop);
        assert_eq!(read, Err(Absence::Unreachable));
        let (read, _) = against(|mut client| {
            let _ = client.write_all(b"\x4a\0\0\0\x0a5.5.5");
        });
        assert_eq!(read, Err(Absence::Unreachable));
        // It speaks something else, and a lot of it.
        for text in [&b"HTTP/1.1 200 OK\r\n\r\n"[..], b"\0\0\0\0", b"\x01\0\0\0\x0a", b"\xff\xff\xff\0"] {
            let (read, took) = against(move |mut client| {
                for _ in 0..50_000 {
                    if client.write_all(text).is_err() {
                        break;
                    }
                }
            });
            assert!(read.is_err(), "{text:?}");
            assert!(took < Duration::from_secs(3), "{text:?}: {took:?}");
        }
    }

    #[test]
    fn names_that_could_be_more_than_names_are_not_sent() {
        for name in ["", "a'b", "a b", "a%", "é", &"x".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("Slow_queries") && is_name("wsrep_local_recv_queue_avg"));
    }

    #[test]
    fn a_probe_does_not_print_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let options = MysqlOptions {
            status: "x".to_owned(),
            address: Address::Socket("/nonexistent".into()),
            user: "root".to_owned(),
            password: Some(SecretSource::File(path.clone())),
            limit: Duration::from_secs(1),
        };
        std::fs::write(&path, "secret").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(password(&options).unwrap().unwrap().expose(), "secret");
        let failure = MysqlProbe::new(options).sample().unwrap_err();
        assert_eq!(failure.absence, Absence::Unreachable);
        assert!(!failure.words.contains("secret"), "{failure:?}");
    }
}
