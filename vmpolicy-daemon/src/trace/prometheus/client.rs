//! The client: one request a part, each of them answered whole or not at all.

use super::answer::{Answer, Matrix};
use super::error::QueryError;
use crate::http::{Auth, HttpError, Method, Opened, PACKED, Proxy, Request, Settings, Trust, form, unpacked};
use crate::trace::error::excerpt;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::str::FromStr;
use std::time::Duration;
use vmpolicy_core::file::{UrlFault, url_fault};
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
    /// Certificates to trust in place of the system's, as PEM.
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
    /// Something else.
    #[error("the address can't be: {0}")]
    Odd(UrlFault),
}

impl FromStr for Url {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        match url_fault(text) {
            Some(UrlFault::Scheme) => return Err(BadUrl::Scheme),
            Some(UrlFault::NoHost) => return Err(BadUrl::NoHost),
            Some(UrlFault::Credentials) => return Err(BadUrl::Credentials),
            Some(UrlFault::Fragment) => return Err(BadUrl::Query),
            Some(fault) => return Err(BadUrl::Odd(fault)),
            None if text.contains('?') => return Err(BadUrl::Query),
            None => {}
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

/// A part of the result, whole.
pub(super) struct Part {
    pub matrix: Matrix,
    pub warnings: Vec<String>,
}

pub(super) struct Client<'a> {
    server: &'a Server,
    url: crate::http::Url,
    client: crate::http::Client,
}

impl<'a> Client<'a> {
    pub(super) fn new(server: &'a Server) -> Result<Self, QueryError> {
        let fault = |fault: UrlFault| QueryError::Unreachable(fault.to_string());
        let url: crate::http::Url = format!("{}/api/v1/query_range", server.url).parse().map_err(fault)?;
        let settings = Settings {
            limit: Duration::from_millis(server.timeout.millis()),
            body_max: ANSWER_MAX,
            trust: server.trust.clone().map_or(Trust::System, Trust::Pem),
            proxy: Proxy::Environment,
        };
        let client = crate::http::Client::new(&url, settings).map_err(|error| failed(error, server))?;
        Ok(Self { server, url, client })
    }

    /// The query at each step from one time to another, both of them among the steps.
    pub(super) fn range(&self, query: &str, from: Wall, to: Wall, step: Span) -> Result<Part, QueryError> {
        let (from, to, step) = (seconds(from.0), seconds(to.0), seconds(step.millis().cast_signed()));
        let body = form(&[("query", query), ("start", &from), ("end", &to), ("step", &step)]);
        let request = Request {
            method: Method::Post,
            url: &self.url,
            auth: &self.server.auth,
            headers: &[
                PACKED,
                ("accept", "application/json"),
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            body: body.as_bytes(),
        };
        let opened = self.client.open(request).map_err(|error| failed(error, self.server))?;
        let Opened { head, mut body } = unpacked(opened, ANSWER_MAX);
        if !head.is_success() {
            return Err(refused(head.status, body));
        }
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
        failed(self.client.broken(error), self.server)
    }
}

fn failed(error: HttpError, server: &Server) -> QueryError {
    match error {
        HttpError::TimedOut(_) => QueryError::TimedOut(server.timeout),
        HttpError::TooLarge(most) => QueryError::TooLarge(most),
        HttpError::Torn => QueryError::Torn,
        HttpError::Certificates(why) => QueryError::Certificates(why.to_string()),
        other => QueryError::Unreachable(excerpt(other.to_string().as_bytes())),
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
fn refused(status: u16, body: impl Read) -> QueryError {
    let mut text = Vec::new();
    // What can't be read of it would only have been shown.
    let _ = body.take(EXCERPT_MAX).read_to_end(&mut text);
    match serde_json::from_slice::<Answer>(&text) {
        Ok(answer) if answer.status == "error" => {
            QueryError::Refused { kind: answer.error_type, error: answer.error }
        }
        _ => QueryError::Status { status, body: excerpt(text.trim_ascii()) },
    }
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
}
