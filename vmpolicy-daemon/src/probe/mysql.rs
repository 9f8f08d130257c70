//! `mysql`: a status variable of MySQL or MariaDB, over the server's own protocol.
//!
//! The connection is kept between polls. Where it has gone bad in the meantime (the server was started
//! again, or closed it for idleness) a new one is made within the same poll. A runtime of its own, on the
//! probe's thread, carries the protocol; it costs a guest without `mysql` probes nothing.

use super::stream::Address;
use super::{Failure, PASSWORD_VARIABLE, Source};
use crate::number::only_number;
use crate::secret::{Secret, SecretSource};
use futures_util::TryStreamExt as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Error, Row as _};
use std::time::Duration;
use vmpolicy_core::input::Absence;

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
    open: Option<Open>,
}

struct Open {
    // Before the runtime, which it needs to close.
    connection: Option<MySqlConnection>,
    runtime: tokio::runtime::Runtime,
}

impl MysqlProbe {
    /// A probe; the server is not looked for yet.
    #[must_use]
    pub const fn new(options: MysqlOptions) -> Self {
        Self { options, open: None }
    }
}

impl Source for MysqlProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let Self { options, open } = self;
        if !is_name(&options.status) {
            return Err(Failure::new(Absence::Missing, "no status variable has such a name"));
        }
        let open = match open {
            Some(open) => open,
            none => {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_io()
                    .enable_time()
                    .build()
                    .map_err(|error| Failure::new(Absence::Unreachable, error.to_string()))?;
                none.insert(Open { connection: None, runtime })
            }
        };
        let Open { connection, runtime } = open;
        let kept = connection.take();
        let polled = runtime.block_on(async {
            tokio::time::timeout(options.limit, poll(options, kept)).await.unwrap_or_else(|_| {
                Err(Failure::new(Absence::TimedOut, format!("within {:?}", options.limit)))
            })
        });
        // After a failure the connection is dropped: nobody knows what is still on its way.
        let (value, good) = polled?;
        *connection = Some(good);
        let value = value.ok_or_else(|| {
            Failure::new(Absence::Missing, format!("the server has no variable `{}`", options.status))
        })?;
        only_number(&value).map_err(|absence| Failure::new(absence, "the variable is not a number"))
    }
}

/// Reads the variable, over the connection that was kept or a new one.
async fn poll(
    options: &MysqlOptions,
    kept: Option<MySqlConnection>,
) -> Result<(Option<Vec<u8>>, MySqlConnection), Failure> {
    if let Some(mut connection) = kept {
        match ask(&mut connection, &options.status).await {
            Ok(value) => return Ok((value, connection)),
            Err(Error::Io(_) | Error::Protocol(_)) => {}
            Err(error) if is_farewell(&error) => {}
            Err(error) => return Err(failure(&error)),
        }
    }
    let connect = connect_options(options)?;
    let mut connection = connect.connect().await.map_err(|error| failure(&error))?;
    match ask(&mut connection, &options.status).await {
        Ok(value) => Ok((value, connection)),
        Err(error) => {
            let failure = failure(&error);
            // The server counts a client that leaves without a word as aborted.
            let _ = connection.close().await;
            Err(failure)
        }
    }
}

/// Reads the password anew for each connection, so that a changed one is taken up.
fn connect_options(options: &MysqlOptions) -> Result<MySqlConnectOptions, Failure> {
    let mut connect = MySqlConnectOptions::new()
        .username(&options.user)
        // One statement is sent, and its letters are ASCII: nothing needs to be set up for it.
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .set_names(false)
        .statement_cache_capacity(0)
        .disable_statement_logging();
    connect = match &options.address {
        Address::Socket(path) => connect.socket(path).ssl_mode(MySqlSslMode::Disabled),
        Address::Tcp(host, port) => connect.host(host).port(*port).ssl_mode(MySqlSslMode::Preferred),
    };
    if let Some(password) = password(options)? {
        connect = connect.password(password.expose());
    }
    Ok(connect)
}

fn password(options: &MysqlOptions) -> Result<Option<Secret>, Failure> {
    let Some(source) = &options.password else {
        return Ok(std::env::var(PASSWORD_VARIABLE).ok().map(Secret::new));
    };
    source.read().map(Some).map_err(|error| Failure::new(Absence::Denied, error.to_string()))
}

/// One round trip. `LIKE` lets the server skip the other hundreds of variables; as `_` stands for any
/// letter there, the name is compared again here.
async fn ask(connection: &mut MySqlConnection, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let statement = sqlx::raw_sql(AssertSqlSafe(format!("SHOW GLOBAL STATUS LIKE '{name}'")));
    let mut rows = statement.fetch(connection);
    let mut value = None;
    for _ in 0..ROWS_MAX {
        let Some(row) = rows.try_next().await? else { return Ok(value) };
        let found: &[u8] = row.try_get_unchecked(0)?;
        if found.eq_ignore_ascii_case(name.as_bytes()) {
            value = row.try_get_unchecked::<Option<&[u8]>, _>(1)?.map(<[u8]>::to_vec);
        }
    }
    Err(Error::Protocol("more rows than a name can have".to_owned()))
}

/// Whether a text can be a status variable's name; nothing else may go into the statement.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The number of the server's error, where it is one.
fn error_number(error: &Error) -> Option<u16> {
    let Error::Database(error) = error else { return None };
    error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number)
}

/// Whether the server says that it, or the connection, is going away: shutdown in progress (1053, 1077 to
/// 1079), killed (1317, 1927), idle for too long (4031, and 1159 to 1161 on the way).
fn is_farewell(error: &Error) -> bool {
    matches!(error_number(error), Some(1053 | 1077..=1079 | 1159..=1161 | 1317 | 1927 | 4031))
}

/// What an error of the client means to the engine. Its words name users and hosts, never passwords.
fn failure(error: &Error) -> Failure {
    let absence = match error {
        Error::Io(_) | Error::Tls(_) => Absence::Unreachable,
        Error::Database(_) if is_farewell(error) => Absence::Unreachable,
        // It was reached, and says no: wrong password, no right, too many connections. A way to log in
        // that this client does not have is a Configuration.
        Error::Database(_) | Error::Configuration(_) => Absence::Denied,
        _ => Absence::Unparsable,
    };
    Failure::new(absence, error.to_string())
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
