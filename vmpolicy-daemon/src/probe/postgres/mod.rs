//! `postgres`: the only value of a query's result, over the server's own protocol.
//!
//! The connection is kept between polls, as each costs the server a process; where it has gone bad in the meantime,
//! a new one is made within the same poll. A query runs in a transaction of its own, which may only read and
//! whose statement the server ends when the probe's limit has passed.

mod login;
mod wire;

use super::kept::Kept;
use super::{Failure, Source};
use crate::number::only_number;
use crate::secret::SecretSource;
use crate::stream::{Address, Deadline, Route};
use std::time::Duration;
use vmpolicy_core::input::Absence;
use wire::{Connection, Message};

/// What to read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// In SQL.
    pub query: String,
    /// Where the server listens; a folder stands for the socket of port 5432 in it.
    pub address: Address,
    /// Whom to log in as.
    pub user: String,
    /// The database; without one, that of the user's name.
    pub database: Option<String>,
    /// The password.
    pub password: Option<SecretSource>,
    /// How long one poll may take, connecting included.
    pub limit: Duration,
}

/// What a socket in the server's folder is called.
const SOCKET_NAME: &str = ".s.PGSQL.5432";

/// The value of a query.
pub struct PostgresProbe {
    options: PostgresOptions,
    route: Route,
    kept: Kept<Connection>,
}

impl PostgresProbe {
    /// A probe; the server is not looked for yet.
    #[must_use]
    pub fn new(options: PostgresOptions) -> Self {
        Self { options, route: Route::default(), kept: Kept::default() }
    }
}

impl Source for PostgresProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let deadline = Deadline::within(self.options.limit);
        let Self { options, route, kept } = self;
        let connect = || {
            let address = match &options.address {
                Address::Socket(path) if path.is_dir() => Address::Socket(path.join(SOCKET_NAME)),
                other => other.clone(),
            };
            let mut connection = Connection::open(&address, route, deadline)?;
            login::log_in(&mut connection, options, deadline)?;
            Ok(connection)
        };
        kept.ask(&[Absence::Unreachable], connect, |connection| ask(connection, options, deadline))?
    }
}

/// Where the query was carried out, its value or why it has none; otherwise what broke.
fn ask(
    connection: &mut Connection,
    options: &PostgresOptions,
    deadline: Deadline,
) -> Result<Result<f64, Failure>, Failure> {
    let limit_ms = options.limit.as_millis().clamp(1, i32::MAX as u128);
    let begin = format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {limit_ms}");
    // A transaction that failed is rolled back by its COMMIT.
    let mut asked = Vec::new();
    for query in [begin.as_str(), &options.query, "COMMIT"] {
        wire::put(&mut asked, Some(b'Q'), &[query.as_bytes(), b"\0"]);
    }
    connection.send(&asked, deadline)?;
    let mut rows = Rows::default();
    let mut refused = None;
    for part in 0..3 {
        loop {
            match connection.next(deadline)? {
                Message::ReadyForQuery => break,
                Message::Row(columns) if part == 1 => rows.take(columns),
                Message::Error(failure) => refused = refused.or(Some(failure)),
                Message::Row(_) | Message::Other => {}
                Message::Authentication(..) => return Err(wire::odd()),
            }
        }
    }
    match refused {
        // It is closing the connection, or has lost its mind: said to be unreachable, so that a new one is tried.
        Some(failure) if failure.absence == Absence::Unreachable => Err(failure),
        Some(failure) => Ok(Err(failure)),
        None => Ok(rows.value()),
    }
}

/// What there is of a result: how many rows, and the first.
#[derive(Default)]
struct Rows {
    count: u64,
    first: Vec<Option<Vec<u8>>>,
}

impl Rows {
    fn take(&mut self, columns: Vec<Option<Vec<u8>>>) {
        if self.count == 0 {
            self.first = columns;
        }
        self.count += 1;
    }

    fn value(self) -> Result<f64, Failure> {
        let fail = |absence, words: String| Err(Failure::new(absence, words));
        match (self.count, self.first.as_slice()) {
            (0, _) => fail(Absence::Missing, "the query gives no row".to_owned()),
            (1, [None]) => fail(Absence::Missing, "the query gives NULL".to_owned()),
            (1, [Some(value)]) => only_number(value)
                .or_else(|absence| fail(absence, "what the query gives is not a number".to_owned())),
            (1, columns) => fail(
                Absence::Unparsable,
                format!("the query gives {} columns where one is read", columns.len()),
            ),
            (rows, _) => fail(Absence::Unparsable, format!("the query gives {rows} rows where one is read")),
        }
    }
}
