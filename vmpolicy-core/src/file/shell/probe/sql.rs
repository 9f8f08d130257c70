//! `mysql`, `postgres` and `redis`: servers with protocols of their own.

use super::{Login, PROBE_TIMEOUT, ProbeSpec, ServerAddress};
use crate::file::node::Node;
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::{Fields, Reader};
use crate::time::Span;

/// Where MySQL's and MariaDB's own tools look for the server, on Debian.
pub const MYSQL_SOCKET: &str = "/run/mysqld/mysqld.sock";
/// The port of MySQL and MariaDB.
const MYSQL_PORT: u16 = 3_306;
/// The folder in which PostgreSQL's own tools look for the server's socket, on Debian.
pub const POSTGRES_SOCKET: &str = "/run/postgresql";
/// The port of PostgreSQL.
const POSTGRES_PORT: u16 = 5_432;
/// The port of Redis and Valkey, which their tools ask on this machine.
pub const REDIS_PORT: u16 = 6_379;

/// Which number of Redis.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RedisRead {
    /// A field of `INFO`, such as `used_memory`.
    Info(String),
    /// The length of the list under this key.
    ListLength(String),
}

impl Reader {
    pub(super) fn mysql(&mut self, node: &Node, value: Option<&Node>) -> Option<ProbeSpec> {
        let known = ["status", "socket", "host", "port", "user", "password_file", "credential", "timeout"];
        let fields = self.options(node, value, &known)?;
        let status = self.required(&fields, "status", "status: Slow_queries", |reader, node| {
            reader.name(node, "the name of a status variable")
        });
        let socket = || ServerAddress::Socket(MYSQL_SOCKET.to_owned());
        let address = self.address(&fields, MYSQL_PORT, socket);
        let login = self.login(&fields);
        let timeout = self.wait(&fields, "timeout", PROBE_TIMEOUT);
        Some(ProbeSpec::Mysql { status: status?.value, address, login, timeout })
    }

    pub(super) fn postgres(&mut self, node: &Node, value: Option<&Node>) -> Option<ProbeSpec> {
        let known =
            ["query", "socket", "host", "port", "user", "database", "password_file", "credential", "timeout"];
        let fields = self.options(node, value, &known)?;
        let example = "query: SELECT count(*) FROM pg_stat_activity WHERE state = 'active'";
        let query = self.required(&fields, "query", example, |reader, node| {
            reader.text(node, "a query in SQL").map(str::to_owned)
        });
        let socket = || ServerAddress::Socket(POSTGRES_SOCKET.to_owned());
        let address = self.address(&fields, POSTGRES_PORT, socket);
        let login = self.login(&fields);
        let database = self.said(&fields, "database");
        let timeout = self.wait(&fields, "timeout", PROBE_TIMEOUT);
        Some(ProbeSpec::Postgres { query: query?, address, login, database, timeout })
    }

    pub(super) fn redis(&mut self, node: &Node, value: Option<&Node>) -> Option<ProbeSpec> {
        let known = [
            "info",
            "list_length",
            "socket",
            "host",
            "port",
            "user",
            "password_file",
            "credential",
            "database",
            "timeout",
        ];
        let fields = self.options(node, value, &known)?;
        let list = self.said(&fields, "list_length");
        if list.is_some() && fields.get("info").is_some() {
            self.blame(Kind::Exclusive { one: "info", other: "list_length" }, fields.place);
        }
        let read = match fields.get("list_length") {
            Some(_) => list.map(RedisRead::ListLength),
            None => {
                let info = self.required(&fields, "info", "info: used_memory", |reader, node| {
                    reader.text(node, "the name of a field").map(str::to_owned)
                });
                info.map(RedisRead::Info)
            }
        };
        let (address, login, database, timeout) = self.redis_server(&fields);
        Some(ProbeSpec::Redis { read: read?, address, login, database, timeout })
    }

    /// Where a Redis is, whom to log in as, the number of the database, and how long one may take.
    pub(in crate::file) fn redis_server(&mut self, fields: &Fields<'_>) -> (ServerAddress, Login, u32, Span) {
        let tcp = || ServerAddress::Tcp { host: "localhost".to_owned(), port: REDIS_PORT };
        let address = self.address(fields, REDIS_PORT, tcp);
        let login = self.login(fields);
        let database =
            self.optional(fields, "database", |reader, node| reader.whole(node, "the number of a database"));
        let timeout = self.wait(fields, "timeout", PROBE_TIMEOUT);
        (address, login, database.unwrap_or(0), timeout)
    }
}
