//! `apache`, `nginx`, `prometheus` and `http`: servers that are asked by HTTP.

use super::{PROBE_TIMEOUT, ProbeSpec};
use crate::file::node::Node;
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::Reader;
use crate::file::shell::web::{WebMethod, web_keys};

/// Where Debian's Apache shows its status, to this machine only.
pub const APACHE_URL: &str = "http://localhost/server-status";
/// Where a Prometheus of this machine listens.
pub const PROMETHEUS_URL: &str = "http://localhost:9090";

/// A number on the page of `stub_status`
/// (<https://nginx.org/en/docs/http/ngx_http_stub_status_module.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NginxField {
    /// Connections that are open, those that wait among them.
    Active,
    /// Connections accepted since the start.
    Accepts,
    /// Connections handled since the start; fewer than accepted where a limit was reached.
    Handled,
    /// Requests since the start.
    Requests,
    /// Connections whose request is being read.
    Reading,
    /// Connections that are being answered.
    Writing,
    /// Connections that are kept open and idle.
    Waiting,
}

impl NginxField {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Active,
        Self::Accepts,
        Self::Handled,
        Self::Requests,
        Self::Reading,
        Self::Writing,
        Self::Waiting,
    ];

    /// The word in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Accepts => "accepts",
            Self::Handled => "handled",
            Self::Requests => "requests",
            Self::Reading => "reading",
            Self::Writing => "writing",
            Self::Waiting => "waiting",
        }
    }
}

impl Reader {
    pub(super) fn apache(&mut self, node: &Node, value: Option<&Node>) -> Option<ProbeSpec> {
        let fields = self.options(node, value, &web_keys!("field"))?;
        let field = self.required(&fields, "field", "field: IdleWorkers", |reader, node| {
            reader.text(node, "a line of the status page").map(str::to_owned)
        });
        let web = self.by_http(&fields, Some(APACHE_URL), PROBE_TIMEOUT);
        Some(ProbeSpec::Apache { field: field?, web: web? })
    }

    pub(super) fn nginx(&mut self, node: &Node, value: Option<&Node>) -> Option<ProbeSpec> {
        let fields = self.options(node, value, &web_keys!("field"))?;
        let field = self.required(&fields, "field", "field: active", |reader, node| {
            let words = "`active`, `accepts`, `handled`, `requests`, `reading`, `writing`, `waiting`";
            reader.choice(node, words, &NginxField::ALL.map(|field| (field.name(), field)))
        });
        let web = self.by_http(&fields, None, PROBE_TIMEOUT);
        Some(ProbeSpec::Nginx { field: field?, web: web? })
    }

    pub(super) fn prometheus(&mut self, node: &Node, value: Option<&Node>) -> Option<ProbeSpec> {
        let fields = self.options(node, value, &web_keys!("query"))?;
        let example = "query: sum(rate(http_requests_total[1m]))";
        let query = self.required(&fields, "query", example, |reader, node| {
            reader.text(node, "a query in PromQL").map(str::to_owned)
        });
        let web = self.by_http(&fields, Some(PROMETHEUS_URL), PROBE_TIMEOUT);
        if let (Some(node), Some(web)) = (fields.get("url"), &web)
            && web.url.contains('?')
        {
            let why = "that of a Prometheus goes up to the path".to_owned();
            self.blame(Kind::Url { text: web.url.clone(), why }, node.place);
        }
        Some(ProbeSpec::Prometheus { query: query?, web: web? })
    }

    pub(super) fn http(&mut self, node: &Node, value: Option<&Node>) -> Option<ProbeSpec> {
        let fields = self.options(node, value, &web_keys!("pointer", "method", "body"))?;
        let pointer = self.pointer(&fields);
        let method = self.optional(&fields, "method", |reader, node| {
            reader.choice(node, "`GET`, `POST`", &[("GET", WebMethod::Get), ("POST", WebMethod::Post)])
        });
        let body = self.said(&fields, "body");
        if let (Some(node), WebMethod::Get) = (fields.get("body"), method.unwrap_or_default()) {
            let hint = "for example `method: POST`";
            self.blame_hinted(Kind::MissingKey { key: "method" }, node.place, hint);
        }
        let web = self.by_http(&fields, None, PROBE_TIMEOUT);
        Some(ProbeSpec::Http { pointer, method: method.unwrap_or_default(), body, web: web? })
    }
}
