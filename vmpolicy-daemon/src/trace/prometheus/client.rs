//! The client: one request a part, each of them answered whole or not at all.

use super::answer::{Answer, Matrix};
use super::error::QueryError;
use crate::trace::error::excerpt;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::str::FromStr;
use std::time::Duration;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, http::Response};
use vmpolicy_core::time::{Span, Wall};

/// No answer should be larger: eleven thousand steps of a thousand series are less.
const ANSWER_MAX: u64 = 1 << 30;

/// What is read of an answer that is none, to show its beginning.
const EXCERPT_MAX: u64 = 1 << 16;

/// A server and how to ask it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it is.
    pub url: Url,
    /// How one proves who one is.
    pub auth: Auth,
    /// Certificates to trust in place of the bundled ones, as PEM.
    pub trust: Option<Vec<u8>>,
    /// How long it has for an answer.
    pub timeout: Span,
}

/// The address of a server: what stands before `/api/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(String);

/// Why an address is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Another scheme, or none.
    #[error("the address of a Prometheus begins with `http://` or `https://`")]
    Scheme,
    /// No host.
    #[error("the address has no host")]
    NoHost,
    /// A name and a password in it, which would be printed with it.
    #[error("no credentials in the address: put `user:password` into a file, and say --basic-auth-file")]
    Credentials,
    /// A query or a fragment.
    #[error("the address goes up to the path: leave out what follows `?` or `#`")]
    Query,
}

impl FromStr for Url {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let rest = rest.ok_or(BadUrl::Scheme)?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('@') {
            return Err(BadUrl::Credentials);
        }
        if host.is_empty() || rest.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(BadUrl::NoHost);
        }
        if rest.contains(['?', '#']) {
            return Err(BadUrl::Query);
        }
        let base = text.trim_end_matches('/');
        let base = base.strip_suffix("/api/v1/query_range").unwrap_or(base);
        Ok(Self(base.strip_suffix("/api/v1").unwrap_or(base).to_owned()))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How one proves who one is. It is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// By a token (RFC 6750).
    Bearer(String),
    /// By `user:password` (RFC 7617).
    Basic(String),
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer(..)",
            Self::Basic(_) => "Basic(..)",
        })
    }
}

impl Auth {
    fn header(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Bearer(token) => Some(format!("Bearer {token}")),
            Self::Basic(pair) => Some(format!("Basic {}", base64(pair.as_bytes()))),
        }
    }
}

/// RFC 4648, section 4: sixty-four characters and padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| chunk.get(index).copied().map_or(0, u32::from);
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for index in 0..4 {
            let six = (bits >> (18 - 6 * index)) & 0x3f;
            out.push(if index <= chunk.len() { char::from(ALPHABET[six as usize]) } else { '=' });
        }
    }
    out
}

/// A part of the result, whole.
pub(super) struct Part {
    pub matrix: Matrix,
    pub warnings: Vec<String>,
}

pub(super) struct Client<'a> {
    server: &'a Server,
    agent: Agent,
}

impl<'a> Client<'a> {
    pub(super) fn new(server: &'a Server) -> Result<Self, QueryError> {
        let mut tls = TlsConfig::builder();
        if let Some(pem) = &server.trust {
            tls = tls.root_certs(RootCerts::from(certificates(pem)?));
        }
        let agent = Agent::config_builder()
            .timeout_global(Some(Duration::from_millis(server.timeout.millis())))
            .http_status_as_error(false)
            // A redirected POST loses its body on the way: better say where it would go.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .tls_config(tls.build())
            .user_agent(concat!("vmpolicy/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Self { server, agent })
    }

    /// The query at each step from one time to another, both of them among the steps.
    pub(super) fn range(&self, query: &str, from: Wall, to: Wall, step: Span) -> Result<Part, QueryError> {
        let mut request = self
            .agent
            .post(format!("{}/api/v1/query_range", self.server.url))
            .header("Accept", "application/json");
        if let Some(header) = self.server.auth.header() {
            request = request.header("Authorization", header);
        }
        let (from, to, step) = (seconds(from.0), seconds(to.0), seconds(step.millis().cast_signed()));
        let form = [("query", query), ("start", &from), ("end", &to), ("step", &step)];
        let mut response = request.send_form(form).map_err(|error| self.failed(&error))?;
        if !response.status().is_success() {
            return Err(refused(&mut response));
        }
        let mut body = response.body_mut().with_config().limit(ANSWER_MAX).reader();
        let answer: Answer = serde_json::from_reader(BufReader::with_capacity(1 << 16, &mut body))
            .map_err(|error| self.unreadable(error))?;
        // The end of the body is the proof that nothing is left out: a connection that broke is an error here.
        io::copy(&mut body, &mut io::sink()).map_err(|error| self.broken(&error))?;
        result(answer)
    }

    fn unreadable(&self, error: serde_json::Error) -> QueryError {
        match error.classify() {
            serde_json::error::Category::Io => self.broken(&error.into()),
            serde_json::error::Category::Eof => QueryError::Torn,
            _ => QueryError::NotPrometheus(excerpt(error.to_string().as_bytes())),
        }
    }

    fn broken(&self, error: &io::Error) -> QueryError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
            Some(inner) => self.failed(inner),
            None if error.kind() == io::ErrorKind::UnexpectedEof => QueryError::Torn,
            None => QueryError::Unreachable(excerpt(error.to_string().as_bytes())),
        }
    }

    fn failed(&self, error: &ureq::Error) -> QueryError {
        match error {
            ureq::Error::Timeout(_) => QueryError::TimedOut(self.server.timeout),
            ureq::Error::BodyExceedsLimit(most) => QueryError::TooLarge(*most),
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => QueryError::Torn,
            other => QueryError::Unreachable(excerpt(other.to_string().as_bytes())),
        }
    }
}

fn result(answer: Answer) -> Result<Part, QueryError> {
    match answer.data {
        _ if answer.status == "error" => {
            Err(QueryError::Refused { kind: answer.error_type, error: answer.error })
        }
        Some(data) if answer.status == "success" && data.kind == "matrix" => {
            Ok(Part { matrix: data.result, warnings: answer.warnings })
        }
        _ => Err(QueryError::NotPrometheus("no matrix in it".to_owned())),
    }
}

/// An answer that is no success: of Prometheus, or of something else.
fn refused(response: &mut Response<Body>) -> QueryError {
    let status = response.status().as_u16();
    let mut text = Vec::new();
    // What can't be read of it would only have been shown.
    let _ = response.body_mut().as_reader().take(EXCERPT_MAX).read_to_end(&mut text);
    match serde_json::from_slice::<Answer>(&text) {
        Ok(answer) if answer.status == "error" => {
            QueryError::Refused { kind: answer.error_type, error: answer.error }
        }
        _ => QueryError::Status { status, body: excerpt(text.trim_ascii()) },
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, QueryError> {
    let mut all = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => all.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(QueryError::Certificates("not PEM".to_owned())),
        }
    }
    if all.is_empty() {
        return Err(QueryError::Certificates("none in the file (PEM is expected)".to_owned()));
    }
    Ok(all)
}

/// `1241613860.500`, of milliseconds.
fn seconds(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    format!("{sign}{}.{:03}", millis / 1_000, millis % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, expected) in vectors {
            assert_eq!(base64(plain.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn addresses_end_before_the_api() {
        let base = |text: &str| text.parse::<Url>().map(|url| url.to_string());
        for text in
            ["http://h:9090", "http://h:9090/", "http://h:9090/api/v1", "http://h:9090/api/v1/query_range"]
        {
            assert_eq!(base(text).as_deref(), Ok("http://h:9090"));
        }
        assert_eq!(base("https://h/prometheus/").as_deref(), Ok("https://h/prometheus"));
        assert_eq!(base("localhost:9090"), Err(BadUrl::Scheme));
        assert_eq!(base("http://"), Err(BadUrl::NoHost));
        assert_eq!(base("http:///x"), Err(BadUrl::NoHost));
        assert_eq!(base("http://me:secret@h"), Err(BadUrl::Credentials));
        assert_eq!(base("http://h/?q=1"), Err(BadUrl::Query));
    }

    #[test]
    fn times_are_written_to_the_millisecond() {
        assert_eq!([0, 1_500, -1_500, -1].map(seconds), ["0.000", "1.500", "-1.500", "-0.001"]);
    }

    #[test]
    fn credentials_are_not_printed() {
        let shown =
            format!("{:?} {:?}", Auth::Bearer("secret".to_owned()), Auth::Basic("me:secret".to_owned()));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
