//! How a guest knows where it is.

use super::web::web_keys;
use super::{Kinds, Network, NetworkFault, PROBE_TIMEOUT, WebSpec};
use crate::file::node::{Node, Value, short};
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::{Entry, Fields, Reader};
use crate::policy::error::Label;
use crate::policy::{Located, MovesForm};
use crate::time::Span;

/// How a guest knows where it is.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
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
    /// An answer by HTTP, such as that of a cloud's metadata address.
    Http {
        /// Where the host's name stands in a JSON document (RFC 6901); without one it is the first word of the answer.
        pointer: Option<String>,
        /// Which host is meant by an answer that is not a host's own name.
        hosts: Vec<(String, Located<String>)>,
        /// How to ask.
        web: WebSpec,
    },
    /// The network that this machine has an address in: which host means which networks.
    Network {
        /// Each host with its networks.
        hosts: Vec<(Located<String>, Vec<Located<Network>>)>,
    },
}

impl LocatorSpec {
    /// The hosts that it names, with where each stands from the locator on.
    pub(in crate::file) fn hosts(&self) -> Vec<(String, Located<&String>)> {
        match self {
            // The place of the locator is that of the host.
            Self::Assume(host) => vec![("assume".to_owned(), Located::made(host))],
            Self::File { .. } | Self::Exec { .. } => Vec::new(),
            Self::Http { hosts, .. } => {
                let named =
                    hosts.iter().map(|(answer, host)| (format!("http.hosts.{}", short(answer)), host));
                named.map(|(path, host)| (path, Located { value: &host.value, place: host.place })).collect()
            }
            Self::Network { hosts } => {
                let named =
                    hosts.iter().map(|(host, _)| (format!("network.hosts.{}", short(&host.value)), host));
                named.map(|(path, host)| (path, Located { value: &host.value, place: host.place })).collect()
            }
        }
    }
}

/// Each host with its networks.
type OfHosts = Vec<(Located<String>, Vec<Located<Network>>)>;

const LOCATORS: Kinds = Kinds {
    what: "locator",
    here: &["assume", "file", "exec", "http", "network"],
    later: &[],
    beside: &["every"],
};

impl Reader {
    /// The locator; how often it is asked is one of the engine's settings.
    pub(in crate::file) fn locator(
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
                ("http", _) => {
                    let fields = reader.options(node, value, &web_keys!("pointer", "hosts", "every"))?;
                    inner_every = fields.get("every");
                    let pointer = reader.pointer(&fields);
                    let hosts = reader.optional(&fields, "hosts", Self::hosts_of_answers).unwrap_or_default();
                    let web = reader.by_http(&fields, None, PROBE_TIMEOUT)?;
                    Some(Located::at(LocatorSpec::Http { pointer, hosts, web }, node.place))
                }
                ("network", _) => {
                    let fields = reader.options(node, value, &["hosts", "every"])?;
                    inner_every = fields.get("every");
                    let hosts =
                        reader.required(&fields, "hosts", "hosts: { HOST: 10.1.0.0/24 }", Self::networks);
                    Some(Located::at(LocatorSpec::Network { hosts: hosts? }, node.place))
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

    /// Which host is meant by which answer.
    fn hosts_of_answers(&mut self, node: &Node) -> Option<Vec<(String, Located<String>)>> {
        let mut hosts = Vec::new();
        for Entry { text, value, again, .. } in
            self.entries(node, "answers with their hosts such as `{ zone-a: HOST }`")?
        {
            let host = self.inside(text, |reader| reader.name(value, "the name of a host"));
            hosts.extend(host.filter(|_| !again).map(|host| (text.to_owned(), host)));
        }
        Some(hosts)
    }

    /// Which networks are of which host; none is of two.
    fn networks(&mut self, node: &Node) -> Option<OfHosts> {
        let mut hosts: OfHosts = Vec::new();
        for Entry { text, key, value, again } in
            self.entries(node, "hosts with their networks such as `{ HOST: 10.1.0.0/24 }`")?
        {
            let own = self.inside(text, |reader| reader.networks_of_one(value));
            if again {
                continue;
            }
            for network in &own {
                let mut others = hosts.iter().flat_map(|(_, networks)| networks);
                if let Some(other) = others.find(|other| other.value.overlaps(network.value)) {
                    let kind = Kind::Overlap { network: network.value, other: other.value };
                    let label = other.place.map(|place| Label { place, text: "the other".to_owned() });
                    let place = network.place.unwrap_or(key.place);
                    self.inside(text, |reader| {
                        let problem = reader.blame(kind, place);
                        problem.hint =
                            Some("an address there would not tell on which of the two it is".to_owned());
                        problem.labels.extend(label);
                    });
                }
            }
            hosts.push((Located::at(text.to_owned(), key.place), own));
        }
        Some(hosts)
    }

    fn networks_of_one(&mut self, node: &Node) -> Vec<Located<Network>> {
        let items = match &node.value {
            Value::Seq(items) => items.as_slice(),
            _ => core::slice::from_ref(node),
        };
        if items.is_empty() {
            self.wrong_type("a network such as `10.1.0.0/24`", node);
        }
        items.iter().filter_map(|item| self.network(item)).collect()
    }

    fn network(&mut self, node: &Node) -> Option<Located<Network>> {
        let text = self.text(node, "a network such as `10.1.0.0/24`")?;
        match text.parse::<Network>() {
            Ok(network) => Some(Located::at(network, node.place)),
            Err(fault) => {
                let hint = match fault {
                    NetworkFault::Within { network } => format!("did you mean `{network}`?"),
                    NetworkFault::NoPrefix if text.contains(':') => {
                        format!("for one address write `{}/128`", short(text))
                    }
                    NetworkFault::NoPrefix => format!("for one address write `{}/32`", short(text)),
                    _ => "for example `10.1.0.0/24` or `2001:db8::/64`".to_owned(),
                };
                self.blame_hinted(Kind::Network { text: short(text), fault }, node.place, hint);
                None
            }
        }
    }
}
