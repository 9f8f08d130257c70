//! How an indicator is read.

use super::Kinds;
use crate::file::node::Node;
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::Reader;
use crate::policy::Located;
use crate::time::Span;

/// Where the server's own tools look for it, on Debian.
pub const MYSQL_SOCKET: &str = "/run/mysqld/mysqld.sock";
/// How long a probe may take where the file does not say: it must not hold up the next one for long.
pub const PROBE_TIMEOUT: Span = Span::from_secs(5);

/// Where a reading comes from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProbeSpec {
    /// A status variable of MySQL or MariaDB.
    Mysql {
        /// Its name, such as `Slow_queries`.
        status: String,
        /// Where the server listens.
        address: MysqlAddress,
        /// The user; without one, the daemon's environment says.
        user: Option<String>,
        /// A file with the password as its first line.
        password_file: Option<String>,
        /// How long it may take.
        timeout: Span,
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

/// Where a MySQL or MariaDB server listens.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MysqlAddress {
    /// On a socket of this machine.
    Socket(String),
    /// On TCP.
    Tcp {
        /// Name or address.
        host: String,
        /// 3306 where the file does not say.
        port: u16,
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
    here: &["mysql", "file", "exec", "psi", "steal", "load"],
    later: &["apache", "nginx", "redis", "postgres", "prometheus", "http"],
    beside: &[],
};

impl Reader {
    pub(in crate::file) fn probe(&mut self, node: &Node) -> Option<Located<ProbeSpec>> {
        let (spec, _) = self.kind(node, &PROBES, |reader, kind, value| match kind {
            "mysql" => reader.mysql(node, value),
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

    fn mysql(&mut self, node: &Node, value: Option<&Node>) -> Option<ProbeSpec> {
        let known = ["status", "socket", "host", "port", "user", "password_file", "timeout"];
        let fields = self.options(node, value, &known)?;
        let status = self.required(&fields, "status", "status: Slow_queries", |reader, node| {
            reader.name(node, "the name of a status variable")
        });
        let mut text = |key| {
            let text = self.optional(&fields, key, |reader, node| reader.name(node, "a text"));
            text.map(|text| text.value)
        };
        let (socket, host) = (text("socket"), text("host"));
        let (user, password_file) = (text("user"), text("password_file"));
        let port = self.optional(&fields, "port", |reader, node| {
            let expected = "a port from 1 to 65535";
            let port = reader.whole(node, expected)?;
            let port = u16::try_from(port).ok().filter(|&port| port != 0);
            if port.is_none() {
                let text = node.describe().trim_matches('`').to_owned();
                reader.blame(Kind::Number { text, expected }, node.place);
            }
            port
        });
        let tcp = ["host", "port"].into_iter().find(|key| fields.get(key).is_some());
        if let (Some(_), Some(other)) = (fields.get("socket"), tcp) {
            self.blame(Kind::Exclusive { one: "socket", other }, fields.place);
        }
        let timeout = self.wait(&fields, "timeout", PROBE_TIMEOUT);
        let address = match (tcp, socket) {
            (Some(_), _) => MysqlAddress::Tcp {
                host: host.unwrap_or_else(|| "localhost".to_owned()),
                port: port.unwrap_or(3_306),
            },
            (None, Some(socket)) => MysqlAddress::Socket(socket),
            (None, None) => MysqlAddress::Socket(MYSQL_SOCKET.to_owned()),
        };
        Some(ProbeSpec::Mysql { status: status?.value, address, user, password_file, timeout })
    }
}
