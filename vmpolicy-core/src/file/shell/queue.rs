//! Where jobs come from.

use super::Kinds;
use crate::file::node::Node;
use crate::file::reader::Reader;
use crate::policy::Located;

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

const SOURCES: Kinds =
    Kinds { what: "queue source", here: &["directory"], later: &["redis", "http"], beside: &[] };

impl Reader {
    pub(in crate::file) fn queue_source(&mut self, node: &Node) -> Option<Located<QueueSource>> {
        let (path, _) = self.kind(node, &SOURCES, |reader, _, value| reader.path(node, value));
        Some(Located::at(QueueSource::Directory { path: path? }, node.place))
    }
}
