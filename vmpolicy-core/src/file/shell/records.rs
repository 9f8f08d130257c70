//! Where the daemon's records go.

use super::web::web_keys;
use super::{Kinds, TlsSpec, WebSpec};
use crate::file::node::{Node, Value, short};
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::{Fields, Reader};
use crate::policy::Located;
use crate::time::Span;

/// Where journald listens on a machine with systemd (sd_journal_print(3), `$JOURNAL_NATIVE`).
pub const JOURNAL_SOCKET: &str = "/run/systemd/journal/socket";

/// How long a collector may take to take records in, where the file does not say.
pub const COLLECTOR_TIMEOUT: Span = Span::from_secs(10);

/// How much is kept for a collector that is away, where the file does not say.
pub const KEEP_BYTES: u64 = 64 * 1024 * 1024;

/// Less than this is no room for a relocation's records.
const KEEP_BYTES_MIN: f64 = 65_536.0;

/// A place that records go to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RecordPlace {
    /// The system's journal.
    Journal {
        /// Where journald listens.
        socket: String,
    },
    /// A file, at its end.
    File {
        /// The file.
        path: String,
    },
    /// A collector that takes lines by TCP.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
        /// By TLS; in the clear without it.
        tls: Option<TlsSpec>,
        /// How long it may take to take in what is sent at once.
        timeout: Span,
        /// What is kept for it.
        keep: KeepSpec,
    },
    /// A collector that takes lines by HTTP.
    Http {
        /// How to ask it.
        web: WebSpec,
        /// What is kept for it.
        keep: KeepSpec,
    },
}

/// What is kept on disk for a collector that is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KeepSpec {
    /// How many bytes at most.
    pub bytes_max: u64,
    /// What happens where that is not enough.
    pub full: WhenFull,
    /// Whether the guest goes to another array only when the collector has everything.
    pub required: bool,
}

impl Default for KeepSpec {
    fn default() -> Self {
        Self { bytes_max: KEEP_BYTES, full: WhenFull::default(), required: false }
    }
}

/// What happens where there is no more room for records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// No request leaves until the collector has taken some.
    #[default]
    Wait,
    /// The oldest go.
    Drop,
}

const PLACES: Kinds = Kinds {
    what: "place for records",
    here: &["journal", "file", "tcp", "http"],
    later: &["syslog", "kafka"],
    beside: &[],
};

impl Reader {
    /// A place, or a list of them.
    pub(in crate::file) fn records(&mut self, top: &Fields<'_>) -> Vec<Located<RecordPlace>> {
        let read = self.optional(top, "records", |reader, node| {
            let places: Vec<&Node> = match &node.value {
                Value::Seq(items) => items.iter().collect(),
                _ => vec![node],
            };
            let mut known: Vec<Located<RecordPlace>> = Vec::new();
            for node in places {
                let (place, _) = reader.kind(node, &PLACES, |reader, kind, value| match kind {
                    "journal" => reader.journal_place(node, value),
                    "file" => reader.path(node, value).map(|path| RecordPlace::File { path }),
                    "tcp" => reader.tcp_place(node, value),
                    _ => reader.http_place(node, value),
                });
                let Some(place) = place else { continue };
                if known.iter().any(|other| other.value.is_same_place(&place)) {
                    let key = place.kind().to_owned();
                    reader.blame_hinted(Kind::DuplicateKey { key }, node.place, "name each place once");
                    continue;
                }
                known.push(Located::at(place, node.place));
            }
            Some(known)
        });
        read.unwrap_or_default()
    }

    fn journal_place(&mut self, node: &Node, value: Option<&Node>) -> Option<RecordPlace> {
        let fields = self.options(node, value, &["socket"])?;
        let socket = self.optional(&fields, "socket", Self::path_text);
        Some(RecordPlace::Journal { socket: socket.unwrap_or_else(|| JOURNAL_SOCKET.to_owned()) })
    }

    fn tcp_place(&mut self, node: &Node, value: Option<&Node>) -> Option<RecordPlace> {
        let known = ["address", "tls", "ca_file", "timeout", "keep", "full", "required"];
        let fields = self.options(node, value, &known)?;
        let address = self.required(&fields, "address", "address: logs.example:6514", Self::host_and_port);
        let tls = self.tls(&fields);
        let timeout = self.wait(&fields, "timeout", COLLECTOR_TIMEOUT);
        let keep = self.keep(&fields);
        let (host, port) = address?;
        Some(RecordPlace::Tcp { host, port, tls, timeout, keep })
    }

    fn http_place(&mut self, node: &Node, value: Option<&Node>) -> Option<RecordPlace> {
        let fields = self.options(node, value, &web_keys!("keep", "full", "required"))?;
        let web = self.by_http(&fields, None, COLLECTOR_TIMEOUT);
        let keep = self.keep(&fields);
        let web = web?;
        self.not_in_the_clear(&fields, &web);
        Some(RecordPlace::Http { web, keep })
    }

    fn keep(&mut self, fields: &Fields<'_>) -> KeepSpec {
        let bytes_max = self.optional(fields, "keep", |reader, node| {
            let bytes = reader.data(node, false)?;
            if bytes < KEEP_BYTES_MIN {
                let kind = Kind::Data { text: short(reader.text(node, "an amount of data")?) };
                reader.blame_hinted(
                    kind,
                    node.place,
                    "keep `64KiB` at least; it is `64MiB` where nothing is said",
                );
                return None;
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is not negative, and saturates"
            )]
            Some(bytes as u64)
        });
        let full = self.optional(fields, "full", |reader, node| {
            reader.choice(node, "`wait`, `drop`", &[("wait", WhenFull::Wait), ("drop", WhenFull::Drop)])
        });
        let required = self.optional(fields, "required", Self::truth);
        KeepSpec {
            bytes_max: bytes_max.unwrap_or(KEEP_BYTES),
            full: full.unwrap_or_default(),
            required: required.unwrap_or(false),
        }
    }

    /// `HOST:PORT`, by the rules of addresses on the web.
    fn host_and_port(&mut self, node: &Node) -> Option<(String, u16)> {
        let expected = "a host and a port such as `logs.example:6514`";
        let text = self.text(node, expected)?;
        let split = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        let sound = super::url_fault(&format!("http://{text}")).is_none() && !text.contains(['/', '?']);
        match split {
            Some((host, port)) if sound => Some((host.to_owned(), port)),
            _ => {
                self.blame(Kind::Number { text: short(text), expected }, node.place);
                None
            }
        }
    }

    /// What proves who one is goes to this machine or by TLS.
    pub(super) fn not_in_the_clear(&mut self, fields: &Fields<'_>, web: &WebSpec) {
        if let (Some(node), Some(host)) = (fields.get("url"), web.shows_secret_to()) {
            self.blame_hinted(Kind::InTheClear { host: short(host) }, node.place, "say `https://`");
        }
    }
}

impl RecordPlace {
    /// The kind's name in the file.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Journal { .. } => "journal",
            Self::File { .. } => "file",
            Self::Tcp { .. } => "tcp",
            Self::Http { .. } => "http",
        }
    }

    /// The place without what is said of how it is reached, and without what may be secret: `https://logs.example/in`.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Journal { socket } => socket.clone(),
            Self::File { path } => path.clone(),
            Self::Tcp { host, port, .. } => format!("{host}:{port}"),
            Self::Http { web, .. } => web.url.split('?').next().unwrap_or_default().to_owned(),
        }
    }

    /// Whether records would come to the same place twice.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.address() == other.address()
    }
}
