//! Addresses: checked once, shown without what may be secret.

use std::fmt;
use std::str::FromStr;
use vmpolicy_core::file::{UrlFault, url_fault};

/// An address on the web, without credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

impl FromStr for Url {
    type Err = UrlFault;

    fn from_str(text: &str) -> Result<Self, UrlFault> {
        match url_fault(text) {
            None => Ok(Self(text.to_owned())),
            Some(fault) => Err(fault),
        }
    }
}

impl Url {
    /// All of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Scheme, host and port: who answers (RFC 6454).
    #[must_use]
    pub fn origin(&self) -> String {
        let (scheme, host) = self.scheme_and_host();
        let host = host.to_ascii_lowercase();
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
        match (has_port, scheme) {
            (true, _) => format!("{scheme}://{host}"),
            (false, "https") => format!("{scheme}://{host}:443"),
            (false, _) => format!("{scheme}://{host}:80"),
        }
    }

    /// What stands behind its `?`, where there is one.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.as_str().split_once('?').map(|(_, query)| query)
    }

    /// What may be shown of it: all before the query.
    #[must_use]
    pub fn shown(&self) -> String {
        self.0.split('?').next().unwrap_or_default().to_owned()
    }

    /// Where a reference in a `Location` leads, of the forms that servers send: whole, or from the root.
    #[must_use]
    pub fn join(&self, reference: &str) -> Option<Self> {
        let reference = reference.split('#').next().unwrap_or_default();
        let (scheme, host) = self.scheme_and_host();
        if let Some(rest) = reference.strip_prefix("//") {
            format!("{scheme}://{rest}").parse().ok()
        } else if reference.starts_with('/') {
            format!("{scheme}://{host}{reference}").parse().ok()
        } else {
            reference.parse().ok()
        }
    }

    fn scheme_and_host(&self) -> (&str, &str) {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        (scheme, rest.split(['/', '?']).next().unwrap_or_default())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({})", self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn origins_are_the_same_where_the_same_server_answers() {
        assert_eq!(url("http://Host/a").origin(), url("http://host:80?b").origin());
        assert_eq!(url("https://[::1]/").origin(), "https://[::1]:443");
        for other in ["https://host/", "http://host:81/", "http://host.example/"] {
            assert_ne!(url(other).origin(), url("http://host/").origin());
        }
    }

    #[test]
    fn references_are_followed_and_queries_are_not_shown() {
        let base = url("http://h:81/a/b?token=secret");
        let joined = |to: &str| base.join(to).map(|url| url.as_str().to_owned());
        assert_eq!(joined("/c?d#e").as_deref(), Some("http://h:81/c?d"));
        assert_eq!(joined("https://other/").as_deref(), Some("https://other/"));
        assert_eq!(joined("//other/x").as_deref(), Some("http://other/x"));
        assert_eq!(joined("file:///etc/passwd"), None);
        assert!(!format!("{base:?} {}", base.shown()).contains("secret"));
    }
}
