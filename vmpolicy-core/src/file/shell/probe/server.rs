//! Servers that one logs in to: where they listen, and as whom.

use crate::file::node::Node;
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::{Fields, Reader};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerAddress {
    /// On a socket of this machine.
    Socket(String),
    /// On TCP.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

/// Where a secret is kept; it never stands in the file itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretSpec {
    /// In a file that nobody else can read.
    File(String),
    /// Among the service's credentials (systemd's `LoadCredential=`), by this name.
    Credential(String),
}

/// Whom to log in as.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Login {
    /// The user; without one, it is up to the kind.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretSpec>,
}

impl Reader {
    /// `socket`, or `host` and `port`.
    pub(in crate::file) fn address(
        &mut self,
        fields: &Fields<'_>,
        port: u16,
        default: impl FnOnce() -> ServerAddress,
    ) -> ServerAddress {
        let (socket, host) = (self.said(fields, "socket"), self.said(fields, "host"));
        let said = self.optional(fields, "port", Self::port);
        let tcp = ["host", "port"].into_iter().find(|key| fields.get(key).is_some());
        if let (Some(_), Some(other)) = (fields.get("socket"), tcp) {
            self.blame(Kind::Exclusive { one: "socket", other }, fields.place);
        }
        match (tcp, socket) {
            (Some(_), _) => ServerAddress::Tcp {
                host: host.unwrap_or_else(|| "localhost".to_owned()),
                port: said.unwrap_or(port),
            },
            (None, Some(socket)) => ServerAddress::Socket(socket),
            (None, None) => default(),
        }
    }

    /// `user`, and `password_file` or `credential`.
    pub(in crate::file) fn login(&mut self, fields: &Fields<'_>) -> Login {
        Login { user: self.said(fields, "user"), password: self.secret(fields, "password_file") }
    }

    /// The secret in the file that this key names, or among the credentials.
    pub(in crate::file) fn secret(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<SecretSpec> {
        let file = self.said(fields, key);
        let credential = self.optional(fields, "credential", |reader, node| {
            let expected = "the name of a credential";
            let name = reader.text(node, expected)?;
            // It is a file's name in the folder of credentials, and leads nowhere else.
            if name.is_empty() || name.contains('/') || name.starts_with('.') {
                reader.wrong_type(expected, node);
                return None;
            }
            Some(name.to_owned())
        });
        if fields.get(key).is_some() && fields.get("credential").is_some() {
            self.blame(Kind::Exclusive { one: key, other: "credential" }, fields.place);
        }
        file.map(SecretSpec::File).or(credential.map(SecretSpec::Credential))
    }

    /// A text that may be left out.
    pub(in crate::file) fn said(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<String> {
        self.optional(fields, key, |reader, node| reader.text(node, "a text").map(str::to_owned))
    }

    fn port(&mut self, node: &Node) -> Option<u16> {
        let expected = "a port from 1 to 65535";
        let port = self.whole(node, expected)?;
        let port = u16::try_from(port).ok().filter(|&port| port != 0);
        if port.is_none() {
            let text = node.describe().trim_matches('`').to_owned();
            self.blame(Kind::Number { text, expected }, node.place);
        }
        port
    }
}
