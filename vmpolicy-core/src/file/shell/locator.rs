//! How a guest knows where it is.

use super::{Kinds, PROBE_TIMEOUT};
use crate::file::node::{Node, Value};
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::{Fields, Reader};
use crate::policy::{Located, MovesForm};
use crate::time::Span;

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

const LOCATORS: Kinds = Kinds {
    what: "locator",
    here: &["assume", "file", "exec"],
    later: &["http", "network"],
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
