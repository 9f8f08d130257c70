//! One small HTTP client for all that asks servers: probes, webhooks, queues, collectors, remote state, recordings.
//!
//! Each exchange has one deadline, from the name's resolution to the last byte of the body; a body has a
//! most; a redirect is followed within one origin only; a proxy is used only where somebody says so; and no error
//! holds a header or what follows `?` in an address, as secrets stand there.
//!
//! A [`Client`] speaks with one origin and keeps no connection open between exchanges: an idle one would take a
//! worker from the server that it is to watch.

mod auth;
mod error;
mod hide;
#[cfg(feature = "prometheus")]
mod packed;
#[cfg(test)]
mod tests;
mod url;
mod web;

pub use crate::tls::Trust;
pub use auth::Auth;
pub use error::HttpError;
#[cfg(feature = "prometheus")]
pub use packed::{PACKED, unpacked};
pub use url::Url;
pub use web::Web;

use std::cell::Cell;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::http::{HeaderMap, Request as Wire, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body, SendBody};

/// How many times one is sent elsewhere within an origin.
const REDIRECTS_MAX: u32 = 3;

/// The size of a connection's buffers; a head may come to half of it.
const BUFFER_BYTES: usize = 16 * 1024;

/// How a client goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long one exchange may take: resolution, connection, TLS, head and body.
    pub limit: Duration,
    /// How many bytes a body may have, as it is sent.
    pub body_max: u64,
    /// Whose certificates to believe.
    pub trust: Trust,
    /// Through whom to ask.
    pub proxy: Proxy,
}

/// Through whom to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// Nobody, whatever the environment says.
    #[default]
    None,
    /// Whom the environment names (`HTTPS_PROXY` and its like): for commands that a person runs.
    Environment,
}

/// What is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Reads; has no body.
    #[default]
    Get,
    /// Sends a body to be worked on.
    Post,
    /// Sends a body to be kept.
    Put,
}

impl Method {
    /// As on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// One thing to ask.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// What is done.
    pub method: Method,
    /// Where; of the client's origin.
    pub url: &'a Url,
    /// Who one is.
    pub auth: &'a Auth,
    /// More headers, names and values. They are never printed.
    pub headers: &'a [(&'a str, &'a str)],
    /// What is sent, but by GET.
    pub body: &'a [u8],
}

/// The head of an answer: what callers have asked for so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The status, such as 200.
    pub status: u16,
    /// What kind of body it is.
    pub content_type: Option<String>,
    /// How the body is packed, where it is.
    pub content_encoding: Option<String>,
    /// Which version of a document it is (RFC 9110, 8.8.3).
    pub etag: Option<String>,
    /// When to come again: seconds, or a date (RFC 9110, 10.2.3).
    pub retry_after: Option<String>,
    /// Where to look next (RFC 9110, 10.2.2).
    pub location: Option<String>,
}

impl Head {
    /// Whether all is well: 200 to 299.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    fn of(response: &Response<Body>) -> Self {
        let text = |name| header(response.headers(), name);
        Self {
            status: response.status().as_u16(),
            content_type: text("content-type"),
            content_encoding: text("content-encoding"),
            etag: text("etag"),
            retry_after: text("retry-after"),
            location: text("location"),
        }
    }
}

/// A whole answer, of any status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its head.
    pub head: Head,
    /// Its body.
    pub body: Vec<u8>,
}

/// An answer whose body is yet to come. What goes wrong in the reading is told by [`Client::broken`].
pub struct Opened {
    /// Its head.
    pub head: Head,
    /// Its body, which ends well only where all of it has come.
    pub body: Box<dyn Read + Send>,
}

/// Why there is no whole answer to what is better not asked twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Unanswered {
    /// What went wrong.
    pub error: HttpError,
    /// Whether the server may have any of the body. If not, it can't act on it.
    pub sent: bool,
}

/// Who asks one origin.
pub struct Client {
    origin: String,
    agent: Agent,
    settings: Settings,
}

impl Client {
    /// A client for the server at this address. Nothing is sent yet; certificates are read, where the address is
    /// one of `https`.
    ///
    /// # Errors
    ///
    /// Where there are no certificates to believe.
    pub fn new(url: &Url, settings: Settings) -> Result<Self, HttpError> {
        let mut config = Agent::config_builder()
            .timeout_global(Some(settings.limit))
            .http_status_as_error(false)
            // They are followed here: none leads to another origin, and none takes a body along.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .max_response_header_size(BUFFER_BYTES / 2)
            .input_buffer_size(BUFFER_BYTES)
            .output_buffer_size(BUFFER_BYTES)
            .user_agent(concat!("vmpolicy/", env!("CARGO_PKG_VERSION")));
        if settings.proxy == Proxy::None {
            config = config.proxy(None);
        }
        if url.is_secure() {
            let ring = Arc::new(crate::tls::provider());
            let certificates = settings.trust.certificates()?;
            let roots = certificates.iter().map(|der| Certificate::from_der(der).to_owned());
            let tls = TlsConfig::builder()
                .root_certs(RootCerts::from(roots.collect::<Vec<_>>()))
                .unversioned_rustls_crypto_provider(ring);
            config = config.tls_config(tls.build());
        }
        Ok(Self { origin: url.origin(), agent: config.build().into(), settings })
    }

    /// One exchange, to the end of its body.
    ///
    /// # Errors
    ///
    /// Where there is no whole answer. An answer that says no is an answer: look at its status.
    pub fn send(&self, request: Request<'_>) -> Result<Answer, HttpError> {
        let Opened { head, mut body } = self.open(request)?;
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).map_err(|error| self.broken(&error))?;
        Ok(Answer { head, body: bytes })
    }

    /// One exchange within this limit, to the end of its body, that may start something: a redirect is an answer like
    /// any other, and of a failure it is told whether the server can know what was asked.
    ///
    /// # Errors
    ///
    /// Where there is no whole answer.
    pub fn send_once(&self, request: Request<'_>, limit: Duration) -> Result<Answer, Unanswered> {
        let sent = Cell::new(false);
        let length = request.body.len().to_string();
        let mut headers = request.headers.to_vec();
        headers.push(("content-length", &length));
        let asked = Request { headers: &headers, ..request };
        let mut body = Watched { rest: request.body, sent: &sent };
        let body = SendBody::from_reader(&mut body);
        let answered = self.exchange(&asked, request.url, body, Some(limit)).and_then(|response| {
            let head = Head::of(&response);
            let mut body = response.into_body().into_with_config().limit(self.settings.body_max).reader();
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes).map_err(|error| self.broken(&error))?;
            Ok(Answer { head, body: bytes })
        });
        answered.map_err(|error| Unanswered { error, sent: sent.get() })
    }

    /// One exchange, to the end of its head: the body is read by the caller, who has what is left of the limit.
    ///
    /// # Errors
    ///
    /// Where there is no answer.
    pub fn open(&self, request: Request<'_>) -> Result<Opened, HttpError> {
        let began = Instant::now();
        let mut response = match request.method {
            Method::Get => self.exchange(&request, request.url, (), None)?,
            Method::Post | Method::Put => self.exchange(&request, request.url, request.body, None)?,
        };
        let mut at = request.url.clone();
        for hop in 0.. {
            let Some(location) = elsewhere(&response) else { break };
            let to = at.join(&location).ok_or_else(|| HttpError::Elsewhere("no address".to_owned()))?;
            if request.method != Method::Get || to.origin() != self.origin || hop == REDIRECTS_MAX {
                return Err(HttpError::Elsewhere(to.shown()));
            }
            let left = self.settings.limit.checked_sub(began.elapsed()).filter(|left| !left.is_zero());
            let left = left.ok_or(HttpError::TimedOut(self.settings.limit))?;
            response = self.exchange(&request, &to, (), Some(left))?;
            at = to;
        }
        let head = Head::of(&response);
        let body = response.into_body().into_with_config().limit(self.settings.body_max).reader();
        Ok(Opened { head, body: Box::new(body) })
    }

    fn exchange(
        &self,
        request: &Request<'_>,
        url: &Url,
        body: impl AsSendBody,
        left: Option<Duration>,
    ) -> Result<Response<Body>, HttpError> {
        if url.origin() != self.origin {
            return Err(HttpError::Elsewhere(url.shown()));
        }
        let mut wire = Wire::builder().method(request.method.name()).uri(url.as_str());
        wire = wire.header("connection", "close");
        for (name, value) in request.headers {
            wire = wire.header(*name, *value);
        }
        if let Some(value) = request.auth.header() {
            wire = wire.header("authorization", value.expose());
        }
        let wire = wire.body(body).map_err(|_| HttpError::Header)?;
        let answered = match left {
            None => self.agent.run(wire),
            Some(left) => {
                self.agent.run(self.agent.configure_request(wire).timeout_global(Some(left)).build())
            }
        };
        answered.map_err(|error| HttpError::of(&error, self.settings.limit))
    }

    /// What went wrong in the reading of a body.
    #[must_use]
    pub fn broken(&self, error: &io::Error) -> HttpError {
        HttpError::of_io(error, self.settings.limit)
    }
}

/// A body that knows whether anybody has asked for any of it. That happens once there is a connection, TLS and all, and
/// the head is sent.
struct Watched<'a> {
    rest: &'a [u8],
    sent: &'a Cell<bool>,
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.sent.set(true);
        self.rest.read(into)
    }
}

/// Where an answer sends one to, if it does.
fn elsewhere(response: &Response<Body>) -> Option<String> {
    matches!(response.status().as_u16(), 301..=303 | 307 | 308)
        .then(|| header(response.headers(), "location"))
        .flatten()
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// A form's fields as a body of `application/x-www-form-urlencoded` (WHATWG URL, 5.2).
///
/// ```
/// use vmpolicy_daemon::http::form;
/// assert_eq!(form(&[("query", "a{b=\"+\"} > 1"), ("time", "7")]), "query=a%7Bb%3D%22%2B%22%7D+%3E+1&time=7");
/// ```
#[must_use]
pub fn form(fields: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in fields {
        if !out.is_empty() {
            out.push('&');
        }
        encode(name, &mut out);
        out.push('=');
        encode(value, &mut out);
    }
    out
}

fn encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => {
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 0xf)]));
            }
        }
    }
}
