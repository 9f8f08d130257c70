//! How to ask by HTTP: what all that asks servers has in common, probes and others.

use super::SecretSpec;
use crate::file::node::Node;
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::{Entry, Fields, Reader};
use crate::time::Span;

/// How to ask by HTTP.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct WebSpec {
    /// The address.
    pub url: String,
    /// Who one is.
    pub auth: WebAuth,
    /// More headers, in their order: names and values.
    pub headers: Vec<(String, String)>,
    /// A file with the certificates to believe, in place of the system's.
    pub ca_file: Option<String>,
    /// How long it may take, from the name's resolution to the last byte.
    pub timeout: Span,
}

/// Who one is, by HTTP.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebAuth {
    /// Nobody says.
    None,
    /// By a token (RFC 6750).
    Token(SecretSpec),
    /// By a user and a password (RFC 7617).
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: SecretSpec,
    },
}

impl WebSpec {
    /// To whom a password or token would go in the clear: another machine, with its port.
    pub(in crate::file) fn shows_secret_to(&self) -> Option<&str> {
        let rest = self.url.strip_prefix("http://")?;
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        (self.auth != WebAuth::None && !is_here(name)).then_some(host)
    }
}

/// Whether that is this machine, by its name.
pub(super) fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What is done by HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebMethod {
    /// GET
    #[default]
    Get,
    /// POST
    Post,
}

/// The headers that a client makes itself.
const OWN_HEADERS: [&str; 6] = ["host", "connection", "content-length", "transfer-encoding", "te", "upgrade"];

/// The keys of [`WebSpec`] after those of a kind.
macro_rules! web_keys {
    ($($key:literal),*) => {
        [$($key,)* "url", "token_file", "user", "password_file", "credential", "headers", "ca_file", "timeout"]
    };
}
pub(super) use web_keys;

impl Reader {
    /// A place in a JSON document (RFC 6901), under the key `pointer`.
    pub(super) fn pointer(&mut self, fields: &Fields<'_>) -> Option<String> {
        self.optional(fields, "pointer", |reader, node| {
            let text = reader.text(node, "a JSON pointer such as `/stats/queue`")?;
            // RFC 6901, 3: nothing, or names that each have a `/` before them; `~` stands before 0 and 1 only.
            let sound = text.is_empty() || text.starts_with('/');
            let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
            if !(sound && escaped) {
                let hint =
                    if sound { "write `~0` for `~`".to_owned() } else { format!("did you mean `/{text}`?") };
                let kind = Kind::WrongType {
                    expected: "a JSON pointer such as `/stats/queue`",
                    found: node.describe(),
                };
                reader.blame_hinted(kind, node.place, hint);
                return None;
            }
            Some(text.to_owned())
        })
    }

    /// How to ask by HTTP; where the kind has an address of its own, `url` may be left out, and `timeout` where it has
    /// that.
    pub(super) fn by_http(
        &mut self,
        fields: &Fields<'_>,
        url: Option<&str>,
        timeout: Span,
    ) -> Option<WebSpec> {
        let url = match url {
            Some(default) if fields.get("url").is_none() => Some(default.to_owned()),
            _ => self.required(fields, "url", "url: http://localhost/status", Self::url),
        };
        let auth = self.web_auth(fields);
        let headers = self.optional(fields, "headers", Self::headers).unwrap_or_default();
        let ca_file = self.said(fields, "ca_file");
        let timeout = self.wait(fields, "timeout", timeout);
        Some(WebSpec { url: url?, auth, headers, ca_file, timeout })
    }

    /// `token_file`; or `user` and `password_file`; or `credential`, which is a password beside a `user`.
    fn web_auth(&mut self, fields: &Fields<'_>) -> WebAuth {
        let user = self.said(fields, "user");
        let token = self.said(fields, "token_file");
        let secret = self.secret(fields, "password_file");
        if fields.get("token_file").is_some()
            && let Some(other) =
                ["user", "password_file", "credential"].into_iter().find(|key| fields.get(key).is_some())
        {
            self.blame(Kind::Exclusive { one: "token_file", other }, fields.place);
        } else if fields.get("user").is_some() && secret.is_none() && fields.get("credential").is_none() {
            self.need(fields, "password_file", "password_file: /etc/vmpolicy/password");
        } else if fields.get("password_file").is_some() {
            self.need(fields, "user", "user: watch");
        }
        match (token, user, secret) {
            (Some(file), ..) => WebAuth::Token(SecretSpec::File(file)),
            (None, Some(user), Some(password)) => WebAuth::Basic { user, password },
            (None, None, Some(token)) => WebAuth::Token(token),
            (None, _, None) => WebAuth::None,
        }
    }

    fn headers(&mut self, node: &Node) -> Option<Vec<(String, String)>> {
        let mut headers = Vec::new();
        for Entry { text, key, value, .. } in
            self.entries(node, "headers such as `{ Accept: text/plain }`")?
        {
            let name = text.to_ascii_lowercase();
            // RFC 9110, 5.6.2.
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_token) {
                self.wrong_type("the name of a header", key);
            } else if name == "authorization" {
                let hint =
                    "say `token_file`, or `user` and `password_file`: a policy file is no place for secrets";
                self.blame_hinted(Kind::NotRead { what: "headers of that name" }, key.place, hint);
            } else if OWN_HEADERS.contains(&name.as_str()) {
                let hint = "the client makes it itself: leave it out";
                self.blame_hinted(Kind::NotRead { what: "headers of that name" }, key.place, hint);
            } else if let Some(said) = self.text(value, "the value of a header") {
                if said.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
                    headers.push((text.to_owned(), said.to_owned()));
                } else {
                    self.wrong_type("the value of a header, in ASCII", value);
                }
            }
        }
        Some(headers)
    }
}
