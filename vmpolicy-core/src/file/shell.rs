//! What the file says to the shell: how to probe, how to ask, how to know where one is.
//!
//! The engine knows nothing of it, and a backtest leaves it out of account. Here it is read and checked
//! for its form; whether a socket is there is for the daemon to find out.

use super::node::{Node, Value, short};
use super::problem::ReadErrorKind as Kind;
use super::reader::{Entry, Fields, Reader, choices};
use crate::policy::error::nearest;
use crate::policy::{Located, MovesForm};
use crate::time::Span;

/// Where the server's own tools look for it, on Debian.
pub const MYSQL_SOCKET: &str = "/run/mysqld/mysqld.sock";
/// How long a probe may take where the file does not say: it must not hold up the next one for long.
pub const PROBE_TIMEOUT: Span = Span::from_secs(5);
/// How long asking for a move may take where the file does not say.
pub const ACTUATOR_TIMEOUT: Span = Span::from_secs(30);

/// The sections that are the shell's own.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Shell {
    /// The guest's name; the hostname, where the file has none.
    pub guest: Option<String>,
    /// A probe for each indicator, in the order of the policy's indicators.
    pub probes: Vec<Option<Located<ProbeSpec>>>,
    /// A source for each queue, in the order of the policy's queues.
    pub sources: Vec<Option<Located<QueueSource>>>,
    /// How to ask for a move; without it nothing is asked for.
    pub actuator: Option<Located<ActuatorSpec>>,
    /// How to know where the guest is.
    pub locator: Option<Located<LocatorSpec>>,
}

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

/// Where jobs come from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum QueueSource {
    /// Files in a folder, claimed by renaming them.
    Directory {
        /// The folder.
        path: String,
    },
}

/// How a move is asked for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ActuatorSpec {
    /// A command; its exit status is the outcome.
    Exec {
        /// The program and its arguments, with `{guest}`, `{from}`, `{to}` and `{id}` to be filled in; no
        /// shell reads them.
        argv: Vec<String>,
        /// How long it may take.
        timeout: Span,
    },
    /// The demonstration's array, inside the daemon.
    Embedded,
}

/// How a guest knows where it is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LocatorSpec {
    /// It starts there; from then on moves are believed.
    Assume(String),
    /// A file whose first word is the host's name.
    File {
        /// The file.
        path: String,
    },
    /// A command whose output's first word is the host's name.
    Exec {
        /// The program and its arguments, with `{guest}` to be filled in; no shell reads them.
        argv: Vec<String>,
        /// How long it may take.
        timeout: Span,
    },
}

/// What a kind of probe, actuator and so on is called, whether or not this version has it.
pub(super) struct Kinds {
    pub(super) what: &'static str,
    pub(super) here: &'static [&'static str],
    pub(super) later: &'static [&'static str],
    /// Keys beside the kind.
    pub(super) beside: &'static [&'static str],
}

const PROBES: Kinds = Kinds {
    what: "probe",
    here: &["mysql", "file", "exec", "psi", "steal", "load"],
    later: &["apache", "nginx", "redis", "postgres", "prometheus", "http"],
    beside: &[],
};
const ACTUATORS: Kinds = Kinds {
    what: "actuator",
    here: &["exec", "embedded"],
    later: &["webhook", "mln", "libvirt", "proxmox", "openstack", "broker"],
    beside: &[],
};
const LOCATORS: Kinds = Kinds {
    what: "locator",
    here: &["assume", "file", "exec"],
    later: &["http", "network"],
    beside: &["every"],
};
const SOURCES: Kinds =
    Kinds { what: "queue source", here: &["directory"], later: &["redis", "http"], beside: &[] };

/// What an actuator's command is told.
const PLACEHOLDERS: &[&str] = &["guest", "from", "to", "id"];

impl Reader {
    /// Reads the kind that a map with one key, or a bare word, names, with its options; and finds what stands
    /// beside the kind. Where there are several kinds, `read` gets to see each of them.
    pub(super) fn kind<'n, T>(
        &mut self,
        node: &'n Node,
        kinds: &Kinds,
        mut read: impl FnMut(&mut Self, &'static str, Option<&'n Node>) -> Option<T>,
    ) -> (Option<T>, Option<&'n Node>) {
        let what = kinds.what;
        let (mut found, mut beside) = (Vec::new(), None);
        match &node.value {
            Value::Scalar { text, .. } if !node.is_null() => found.push((text.as_str(), node, None)),
            _ => {
                let Some(entries) = self.entries(node, "the kind and its options") else {
                    return (None, None);
                };
                for Entry { text, key, value, again } in entries {
                    if kinds.beside.contains(&text) {
                        beside = beside.or(Some(value));
                    } else if !again {
                        found.push((text, key, Some(value)));
                    }
                }
            }
        }
        let (mut chosen, mut values) = (Vec::new(), Vec::new());
        for &(word, key, value) in &found {
            let name = short(word);
            if let Some(&kind) = kinds.here.iter().find(|&&kind| kind == word) {
                chosen.push(kind);
                values.push(self.inside(kind, |reader| read(reader, kind, value)));
            } else if kinds.later.contains(&word) {
                let hint = choices(kinds.here);
                self.blame_hinted(Kind::NotAvailable { what, name }, key.place, hint);
            } else {
                let hint = match nearest(word, kinds.here.iter().chain(kinds.later).copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => choices(kinds.here),
                };
                self.blame_hinted(Kind::NoSuchKind { what, name }, key.place, hint);
            }
        }
        if let &[one, other, ..] = chosen.as_slice() {
            self.blame(Kind::Exclusive { one, other }, node.place);
        } else if found.is_empty() && !matches!(node.value, Value::Blamed) {
            let hint = choices(kinds.here);
            let kind = Kind::WrongType { expected: "a kind with its options", found: node.describe() };
            self.blame_hinted(kind, node.place, hint);
        }
        (values.into_iter().next().flatten(), beside)
    }

    /// The options of a kind; none are as good as empty ones.
    fn options<'n>(
        &mut self,
        node: &'n Node,
        options: Option<&'n Node>,
        known: &[&'static str],
    ) -> Option<Fields<'n>> {
        match options.filter(|node| !node.is_null()) {
            Some(options) => {
                let expected = match known.first() {
                    Some(&"argv") => "options such as `{ argv: [PROGRAM, ARGUMENT] }`",
                    Some(&"status") => "options such as `{ status: Slow_queries }`",
                    Some(&"resource") => "options such as `{ resource: cpu }`",
                    Some(&"path") => "options such as `{ path: PATH }`",
                    Some(_) => "options such as `{ avg: 5 }`",
                    None => "no options, or `{}`",
                };
                self.fields(options, expected, known)
            }
            None => Some(Fields::none(node.place)),
        }
    }

    pub(super) fn probe(&mut self, node: &Node) -> Option<Located<ProbeSpec>> {
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

    /// `PATH`, or `{ path: PATH }`.
    fn path(&mut self, node: &Node, value: Option<&Node>) -> Option<String> {
        let Some(value) = value else {
            self.blame_hinted(Kind::MissingKey { key: "path" }, node.place, "for example `file: PATH`");
            return None;
        };
        if let Value::Map(_) = value.value {
            let fields = self.fields(value, "a path", &["path"])?;
            return self.required(&fields, "path", "path: /run/vmpolicy/reading", Self::path_text);
        }
        self.path_text(value)
    }

    fn path_text(&mut self, node: &Node) -> Option<String> {
        self.text(node, "a path").map(str::to_owned)
    }

    /// The program and its arguments, with no placeholder but these.
    fn argv(&mut self, fields: &Fields<'_>, placeholders: &[&str]) -> Option<Vec<String>> {
        self.required(fields, "argv", "argv: [\"/usr/local/bin/ask\", \"{to}\"]", |reader, node| {
            let items = reader.list(node, "a list of a program and its arguments")?;
            if items.is_empty() {
                reader.blame(Kind::EmptyArgv, node.place);
                return None;
            }
            let mut argv = Vec::with_capacity(items.len());
            for item in items {
                // An argument may be empty or say `null`; a program may not.
                let Value::Scalar { text, .. } = &item.value else {
                    reader.wrong_type("an argument", item);
                    continue;
                };
                if text.is_empty() && argv.is_empty() {
                    reader.blame(Kind::EmptyArgv, item.place);
                }
                for placeholder in placeholders_of(text) {
                    if !placeholders.contains(&placeholder) {
                        let hint = match nearest(placeholder, placeholders.iter().copied()) {
                            Some(near) => format!("did you mean `{{{near}}}`?"),
                            None => {
                                let known: Vec<String> =
                                    placeholders.iter().map(|name| format!("{{{name}}}")).collect();
                                choices(&known.iter().map(String::as_str).collect::<Vec<_>>())
                            }
                        };
                        let placeholder = format!("{{{}}}", short(placeholder));
                        reader.blame_hinted(Kind::Placeholder { placeholder }, item.place, hint);
                    }
                }
                argv.push(text.clone());
            }
            Some(argv)
        })
    }

    pub(super) fn queue_source(&mut self, node: &Node) -> Option<Located<QueueSource>> {
        let (path, _) = self.kind(node, &SOURCES, |reader, _, value| reader.path(node, value));
        Some(Located::at(QueueSource::Directory { path: path? }, node.place))
    }

    pub(super) fn actuator(&mut self, top: &Fields<'_>) -> Option<Located<ActuatorSpec>> {
        self.optional(top, "actuator", |reader, node| {
            let (spec, _) = reader.kind(node, &ACTUATORS, |reader, kind, value| {
                if kind == "embedded" {
                    return reader.options(node, value, &[]).map(|_| ActuatorSpec::Embedded);
                }
                let fields = reader.options(node, value, &["argv", "timeout"])?;
                let timeout = reader.wait(&fields, "timeout", ACTUATOR_TIMEOUT);
                Some(ActuatorSpec::Exec { argv: reader.argv(&fields, PLACEHOLDERS)?, timeout })
            });
            Some(Located::at(spec?, node.place))
        })
    }

    /// The locator; how often it is asked is one of the engine's settings.
    pub(super) fn locator(
        &mut self,
        top: &Fields<'_>,
        moves: &mut MovesForm,
    ) -> Option<Located<LocatorSpec>> {
        self.optional(top, "locator", |reader, node| {
            let mut inner_every = None;
            let (spec, every) = reader.kind(node, &LOCATORS, |reader, kind, value| match (kind, value) {
                ("assume", Some(value)) => {
                    let host = reader.name(value, "the name of a host")?;
                    // The host's own place is the better one to point to.
                    Some(Located::at(LocatorSpec::Assume(host.value), value.place))
                }
                ("assume", None) => {
                    let kind = Kind::MissingKey { key: "assume" };
                    reader.blame_hinted(kind, node.place, "write `{ assume: HOST }`");
                    None
                }
                ("file", Some(Node { value: Value::Map(_), .. })) => {
                    let fields = reader.options(node, value, &["path", "every"])?;
                    inner_every = fields.get("every");
                    let path = reader.required(&fields, "path", "path: /run/vmpolicy/host", Self::path_text);
                    Some(Located::at(LocatorSpec::File { path: path? }, node.place))
                }
                ("file", _) => {
                    let path = reader.path(node, value)?;
                    Some(Located::at(LocatorSpec::File { path }, node.place))
                }
                _ => {
                    let fields = reader.options(node, value, &["argv", "timeout", "every"])?;
                    inner_every = fields.get("every");
                    let timeout = reader.wait(&fields, "timeout", PROBE_TIMEOUT);
                    let argv = reader.argv(&fields, &["guest"])?;
                    Some(Located::at(LocatorSpec::Exec { argv, timeout }, node.place))
                }
            });
            for every in every.into_iter().chain(inner_every) {
                moves.locate_every = reader.inside("every", |reader| {
                    let span = reader.span(every)?;
                    if span.value.is_zero() {
                        reader.zero_span("every", span.place);
                        return None;
                    }
                    Some(span)
                });
            }
            spec
        })
    }
}

/// What stands in braces and looks like a name: `{from}`, but not the braces of a JSON text.
fn placeholders_of(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| {
        let (inner, _) = rest.split_once('}')?;
        let name =
            !inner.is_empty() && inner.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        name.then_some(inner)
    })
}
