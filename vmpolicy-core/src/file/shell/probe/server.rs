//! Servers that one logs in to: where they listen, and as whom.

use crate::file::node::Node;
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::{Fields, Reader};
use crate::file::shell::web::is_here;
use crate::time::Span;

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
        /// By TLS; in the clear without it.
        tls: Option<TlsSpec>,
    },
}

/// By TLS, with a server whose certificate is believed and of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct TlsSpec {
    /// A file with the certificates to believe, as PEM, in place of those that the system trusts.
    pub ca_file: Option<String>,
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

/// A Redis or Valkey.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RedisServer {
    /// Where it listens.
    pub address: ServerAddress,
    /// Whom to log in as; the default user, where only a secret is named.
    pub login: Login,
    /// The number of the database that keys are in.
    pub database: u32,
    /// How long one exchange may take.
    pub timeout: Span,
}

impl RedisServer {
    /// To whom the password would go in the clear: another machine.
    pub(in crate::file) fn shows_secret_to(&self) -> Option<&str> {
        match &self.address {
            ServerAddress::Tcp { host, tls: None, .. } if !is_here(host) => {
                self.login.password.as_ref().map(|_| host.as_str())
            }
            _ => None,
        }
    }
}

/// The keys of a server that one logs in to, after those of a kind.
macro_rules! server_keys {
    ($($key:literal),*) => {
        [
            $($key,)*
            "socket", "host", "port", "tls", "ca_file", "user", "password_file", "credential", "timeout",
        ]
    };
}
pub(in crate::file) use server_keys;

impl Reader {
    /// `socket`, or `host` and `port`, with `tls` where it is to be.
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
        let spec = self.tls(fields);
        let mut address = match (tcp, socket) {
            (Some(_), _) => ServerAddress::Tcp {
                host: host.unwrap_or_else(|| "localhost".to_owned()),
                port: said.unwrap_or(port),
                tls: None,
            },
            (None, Some(socket)) => ServerAddress::Socket(socket),
            (None, None) => default(),
        };
        match &mut address {
            ServerAddress::Tcp { tls, .. } => *tls = spec,
            ServerAddress::Socket(_) if spec.is_some() && fields.get("socket").is_some() => {
                self.blame(Kind::Exclusive { one: "socket", other: "tls" }, fields.place);
            }
            ServerAddress::Socket(_) if spec.is_some() => {
                self.need(fields, "host", "host: db.example");
            }
            ServerAddress::Socket(_) => {}
        }
        address
    }

    /// `tls`, and with it `ca_file`.
    pub(in crate::file) fn tls(&mut self, fields: &Fields<'_>) -> Option<TlsSpec> {
        let tls = self.optional(fields, "tls", Self::truth);
        let ca_file = self.said(fields, "ca_file");
        if fields.get("ca_file").is_some() && tls != Some(true) {
            self.need(fields, "tls", "tls: true");
        }
        (tls == Some(true)).then_some(TlsSpec { ca_file })
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
