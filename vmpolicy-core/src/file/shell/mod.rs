//! What the file says to the shell: how to probe, how to ask, how to know where one is.
//!
//! The engine knows nothing of it, and a backtest leaves it out of account. Here it is read and checked
//! for its form; whether a socket is there is for the daemon to find out.

mod actuator;
mod hooks;
mod locator;
mod metrics;
mod mode;
mod network;
mod probe;
mod queue;
mod records;
mod state;
mod url;
mod web;

pub use self::actuator::{ACTUATOR_POLL, ACTUATOR_TIMEOUT, ActuatorSpec};
pub use self::hooks::{HOOK_TIMEOUT, HookSpec, HooksSpec};
pub use self::locator::LocatorSpec;
pub use self::metrics::MetricsSpec;
pub use self::mode::Mode;
pub use self::network::{Network, NetworkFault};
pub(super) use self::probe::written as written_probe;
pub use self::probe::{
    APACHE_URL, Login, MYSQL_SOCKET, NginxField, POSTGRES_SOCKET, PROBE_TIMEOUT, PROMETHEUS_URL, ProbeSpec,
    PsiResource, REDIS_PORT, RedisRead, RedisServer, SecretSpec, ServerAddress, TlsSpec,
};
pub use self::queue::{
    GradeSpec, GradedBy, JOB_GRACE, JOB_OUTPUT_BYTES, JOB_TIMEOUT, JOB_TRIES, QueueSource, REDIS_BATCH,
    RunSpec, WorkSpec,
};
pub use self::records::{COLLECTOR_TIMEOUT, JOURNAL_SOCKET, KEEP_BYTES, KeepSpec, RecordPlace, WhenFull};
pub use self::state::{STATE_TIMEOUT, StateSpec};
pub use self::url::{UrlFault, url_fault};
pub use self::web::{WebAuth, WebMethod, WebSpec};
use super::node::{Node, Value, short};
use super::problem::ReadErrorKind as Kind;
use super::reader::{Entry, Fields, Reader, choices};
use crate::policy::Located;
use crate::policy::error::nearest;

/// The sections that are the shell's own.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Shell {
    /// The guest's name; the hostname, where the file has none.
    pub guest: Option<String>,
    /// A probe for each indicator, in the order of the policy's indicators.
    pub probes: Vec<Option<Located<ProbeSpec>>>,
    /// A source for each queue, in the order of the policy's queues.
    pub sources: Vec<Option<Located<QueueSource>>>,
    /// How the jobs of each queue are graded and run, in the order of the policy's queues.
    pub work: Vec<WorkSpec>,
    /// How to ask for a move; without it nothing is asked for.
    pub actuator: Option<Located<ActuatorSpec>>,
    /// How to know where the guest is.
    pub locator: Option<Located<LocatorSpec>>,
    /// Whether moves are asked for; they are where the file does not say.
    pub mode: Option<Located<Mode>>,
    /// What is run when the guest arrives somewhere, and before it leaves.
    pub hooks: Option<Located<HooksSpec>>,
    /// Where metrics are to be had; nowhere, where the file does not say.
    pub metrics: Option<Located<MetricsSpec>>,
    /// Where records go; to standard output, where neither the file nor the command line says.
    pub records: Vec<Located<RecordPlace>>,
    /// Where the state is kept beside the daemon's own folder; nowhere, where the file does not say.
    pub state: Option<Located<StateSpec>>,
}

impl Shell {
    /// Whether moves are asked for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode.as_ref().map_or_else(Mode::default, |mode| mode.value)
    }
}

/// What a kind of probe, actuator and so on is called, whether or not this version has it.
pub(super) struct Kinds {
    pub(super) what: &'static str,
    pub(super) here: &'static [&'static str],
    pub(super) later: &'static [&'static str],
    /// Keys beside the kind.
    pub(super) beside: &'static [&'static str],
}

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
                    Some(&"field") => "options such as `{ field: requests, url: http://localhost/status }`",
                    Some(&"query") => "options such as `{ query: QUERY }`",
                    Some(&"info") => "options such as `{ info: used_memory }`",
                    Some(&"pointer") => "options such as `{ url: http://localhost/status }`",
                    Some(&"url") => "options such as `{ url: https://state.example/nii3 }`",
                    Some(&"address") => "options such as `{ address: logs.example:6514 }`",
                    Some(&"socket") => "no options, or `{ socket: PATH }`",
                    Some(&"keep") => "options such as `{ url: https://logs.example/in }`",
                    Some(&"poll") => "options such as `{ url: https://manager.example/moves }`",
                    Some(&"hosts") => "options such as `{ hosts: { HOST: 10.1.0.0/24 } }`",
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
