//! How an indicator is read.

mod server;
mod sql;
mod web;
mod write;

pub(in crate::file) use self::server::server_keys;
pub use self::server::{Login, RedisServer, SecretSpec, ServerAddress, TlsSpec};
pub use self::sql::{MYSQL_SOCKET, POSTGRES_SOCKET, REDIS_PORT, RedisRead};
pub use self::web::{APACHE_URL, NginxField, PROMETHEUS_URL};
pub(in crate::file) use self::write::probe as written;

use super::{Kinds, WebMethod, WebSpec};
use crate::file::node::Node;
use crate::file::reader::Reader;
use crate::policy::Located;
use crate::time::Span;

/// How long a probe may take where the file does not say: it must not hold up the next one for long.
pub const PROBE_TIMEOUT: Span = Span::from_secs(5);

/// Where a reading comes from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProbeSpec {
    /// A line of the status page of Apache's `mod_status`.
    Apache {
        /// Its key, such as `IdleWorkers`.
        field: String,
        /// How to ask; the page is that of `?auto`.
        web: WebSpec,
    },
    /// A number in an answer by HTTP.
    Http {
        /// Where it stands in a JSON document (RFC 6901); without one it is the first number of the answer.
        pointer: Option<String>,
        /// What is done.
        method: WebMethod,
        /// What is sent, by POST.
        body: Option<String>,
        /// How to ask.
        web: WebSpec,
    },
    /// A status variable of MySQL or MariaDB.
    Mysql {
        /// Its name, such as `Slow_queries`.
        status: String,
        /// Where the server listens.
        address: ServerAddress,
        /// Whom to log in as.
        login: Login,
        /// How long it may take.
        timeout: Span,
    },
    /// A number of the page of nginx's `stub_status`.
    Nginx {
        /// Which one.
        field: NginxField,
        /// How to ask.
        web: WebSpec,
    },
    /// The only row and column of a query's result.
    Postgres {
        /// In SQL; it is run in a transaction that may only read.
        query: String,
        /// Where the server listens; a socket may be named by its folder.
        address: ServerAddress,
        /// Whom to log in as.
        login: Login,
        /// The database; the one named as the user, where the file does not say.
        database: Option<String>,
        /// How long it may take.
        timeout: Span,
    },
    /// The only sample of an instant query.
    Prometheus {
        /// In PromQL.
        query: String,
        /// How to ask: the address of the server, up to `/api/v1`.
        web: WebSpec,
    },
    /// A number of Redis or Valkey.
    Redis {
        /// Which one.
        read: RedisRead,
        /// Of which one.
        #[serde(flatten)]
        server: RedisServer,
    },
    /// The first number of a file.
    File {
        /// The file.
        path: String,
    },
    /// The first number of a command's output.
    Exec {
        /// The program and its arguments; no shell reads them.
        argv: Vec<String>,
        /// How long it may take.
        timeout: Span,
    },
    /// Pressure stall information, in percent of the time.
    Psi {
        /// Of what.
        resource: PsiResource,
        /// `full` where all tasks waited, not only some.
        full: bool,
        /// Over how many seconds: 10, 60 or 300.
        avg_secs: u16,
    },
    /// The share of time that the hypervisor gave to others, in percent.
    Steal,
    /// The load average.
    Load {
        /// Over how many minutes: 1, 5 or 15.
        avg_mins: u8,
    },
}

/// What pressure is measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PsiResource {
    /// `/proc/pressure/cpu`
    Cpu,
    /// `/proc/pressure/memory`
    Memory,
    /// `/proc/pressure/io`
    Io,
}

const PROBES: Kinds = Kinds {
    what: "probe",
    here: &[
        "apache",
        "exec",
        "file",
        "http",
        "load",
        "mysql",
        "nginx",
        "postgres",
        "prometheus",
        "psi",
        "redis",
        "steal",
    ],
    later: &[],
    beside: &[],
};

impl Reader {
    pub(in crate::file) fn probe(&mut self, node: &Node) -> Option<Located<ProbeSpec>> {
        let (spec, _) = self.kind(node, &PROBES, |reader, kind, value| match kind {
            "apache" => reader.apache(node, value),
            "http" => reader.http(node, value),
            "mysql" => reader.mysql(node, value),
            "nginx" => reader.nginx(node, value),
            "postgres" => reader.postgres(node, value),
            "prometheus" => reader.prometheus(node, value),
            "redis" => reader.redis(node, value),
            "file" => reader.path(node, value).map(|path| ProbeSpec::File { path }),
            "exec" => {
                let fields = reader.options(node, value, &["argv", "timeout"])?;
                let timeout = reader.wait(&fields, "timeout", PROBE_TIMEOUT);
                Some(ProbeSpec::Exec { argv: reader.argv(&fields, &["guest"])?, timeout })
            }
            "psi" => {
                let fields = reader.options(node, value, &["resource", "kind", "avg"])?;
                let resources =
                    [("cpu", PsiResource::Cpu), ("memory", PsiResource::Memory), ("io", PsiResource::Io)];
                let resource = reader.required(&fields, "resource", "resource: cpu", |reader, node| {
                    reader.choice(node, "`cpu`, `memory`, `io`", &resources)
                });
                let full = reader.optional(&fields, "kind", |reader, node| {
                    reader.choice(node, "`some`, `full`", &[("some", false), ("full", true)])
                });
                let avg = reader.optional(&fields, "avg", |reader, node| {
                    reader.choice(node, "`10`, `60`, `300`", &[("10", 10), ("60", 60), ("300", 300)])
                });
                let (full, avg_secs) = (full.unwrap_or(false), avg.unwrap_or(10));
                Some(ProbeSpec::Psi { resource: resource?, full, avg_secs })
            }
            "steal" => reader.options(node, value, &[]).map(|_| ProbeSpec::Steal),
            _ => {
                let fields = reader.options(node, value, &["avg"])?;
                let avg = reader.optional(&fields, "avg", |reader, node| {
                    reader.choice(node, "`1`, `5`, `15`", &[("1", 1), ("5", 5), ("15", 15)])
                });
                Some(ProbeSpec::Load { avg_mins: avg.unwrap_or(1) })
            }
        });
        Some(Located::at(spec?, node.place))
    }
}
