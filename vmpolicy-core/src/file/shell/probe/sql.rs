//! `mysql`, `postgres` and `redis`: servers with protocols of their own.

use super::server::server_keys;
use super::{PROBE_TIMEOUT, ProbeSpec, RedisServer, ServerAddress};
use crate::file::node::Node;
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::{Fields, Reader};

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
        let fields = self.options(node, value, &server_keys!("status"))?;
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
        let fields = self.options(node, value, &server_keys!("query", "database"))?;
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
        let fields = self.options(node, value, &server_keys!("info", "list_length", "database"))?;
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
        let server = self.redis_server(&fields);
        Some(ProbeSpec::Redis { read: read?, server })
    }

    /// The server that `redis` of a probe or of a queue is about.
    pub(in crate::file) fn redis_server(&mut self, fields: &Fields<'_>) -> RedisServer {
        let tcp = || ServerAddress::Tcp { host: "localhost".to_owned(), port: REDIS_PORT, tls: None };
        let address = self.address(fields, REDIS_PORT, tcp);
        let login = self.login(fields);
        let database =
            self.optional(fields, "database", |reader, node| reader.whole(node, "the number of a database"));
        let timeout = self.wait(fields, "timeout", PROBE_TIMEOUT);
        RedisServer { address, login, database: database.unwrap_or(0), timeout }
    }
}
