//! Where the daemon's metrics are to be had.

use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::{Fields, Reader};
use crate::policy::Located;
use core::net::SocketAddr;

/// Where the daemon's metrics are to be had.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct MetricsSpec {
    /// Where they are served, at `/metrics`.
    pub listen: Option<SocketAddr>,
    /// The file that they are written to, for a node exporter's textfile collector.
    pub textfile: Option<String>,
}

const EXAMPLE: &str = "listen: 127.0.0.1:9464";

impl Reader {
    pub(in crate::file) fn metrics(&mut self, top: &Fields<'_>) -> Option<Located<MetricsSpec>> {
        self.optional(top, "metrics", |reader, node| {
            let expected = "options such as `{ listen: 127.0.0.1:9464 }`";
            let fields = reader.fields(node, expected, &["listen", "textfile", "anywhere"])?;
            let anywhere = reader.optional(&fields, "anywhere", Self::truth);
            // What `anywhere` was meant to say is not known where it can't be read.
            let may = anywhere.unwrap_or_else(|| fields.get("anywhere").is_some());
            let listen = reader.optional(&fields, "listen", |reader, node| {
                let text = reader.text(node, "an address such as `127.0.0.1:9464`")?;
                let Ok(address) = text.parse::<SocketAddr>() else {
                    let expected = "an address with a port";
                    let kind = Kind::Number { text: super::short(text), expected };
                    reader.blame_hinted(kind, node.place, "for example `127.0.0.1:9464` or `[::1]:9464`");
                    return None;
                };
                if !address.ip().is_loopback() && !may {
                    let kind = Kind::NotLoopback { address: text.to_owned() };
                    let hint =
                        "listen on `127.0.0.1`, or say `anywhere: true` if a firewall keeps others out";
                    reader.blame_hinted(kind, node.place, hint);
                }
                Some(address)
            });
            let textfile = reader.optional(&fields, "textfile", |reader, node| {
                let path = reader.path_text(node)?;
                if !path.ends_with(".prom") {
                    let kind =
                        Kind::Choice { text: super::short(&path), choices: "files that end in `.prom`" };
                    reader.blame_hinted(kind, node.place, "the node exporter reads no others");
                }
                Some(path)
            });
            if fields.get("listen").is_none() && fields.get("textfile").is_none() {
                let hint = format!("for example `{EXAMPLE}`, or `textfile: PATH`");
                reader.blame_hinted(Kind::MissingKey { key: "listen" }, node.place, hint);
            }
            Some(Located::at(MetricsSpec { listen, textfile }, node.place))
        })
    }
}
