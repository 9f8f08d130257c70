//! Addresses on the web, by their form: what the file may say and what a client takes.

use crate::file::node::{Node, short};
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::Reader;

/// Why a text is no address that is asked by HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// Another scheme, or none.
    #[error("it begins with `http://` or `https://`")]
    Scheme,
    /// No host.
    #[error("it has no host")]
    NoHost,
    /// A host or a port that can't be.
    #[error("its host or port can't be")]
    Host,
    /// A name and a password in it, which would be printed with it.
    #[error("credentials don't belong into it: they would be printed with it")]
    Credentials,
    /// A fragment.
    #[error("what follows `#` is never sent: leave it out")]
    Fragment,
    /// White space, or a letter that has to be written as `%20` is.
    #[error("a space, or a letter that is not ASCII, is written as `%20` is")]
    Letter,
}

/// Looks at the form of an address: `http://HOST[:PORT][/PATH][?QUERY]`, or with `https`.
///
/// ```
/// use vmpolicy_core::file::{UrlFault, url_fault};
/// assert_eq!(url_fault("https://[::1]:8443/metrics?a=b"), None);
/// assert_eq!(url_fault("localhost:9090"), Some(UrlFault::Scheme));
/// assert_eq!(url_fault("http://me:secret@h/"), Some(UrlFault::Credentials));
/// ```
#[must_use]
pub fn url_fault(text: &str) -> Option<UrlFault> {
    let Some(rest) = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")) else {
        return Some(UrlFault::Scheme);
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Some(UrlFault::Credentials);
    }
    if host.is_empty() || host.starts_with(':') {
        return Some(UrlFault::NoHost);
    }
    if rest.contains('#') {
        return Some(UrlFault::Fragment);
    }
    if !rest.bytes().all(|byte| byte.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&byte)) {
        return Some(UrlFault::Letter);
    }
    (!is_host(host)).then_some(UrlFault::Host)
}

/// A name, an address of version 4, or one of version 6 in brackets, and perhaps a port.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, after)) if !address.is_empty() => {
                if !address.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')) {
                    return false;
                }
                ("v6", after.strip_prefix(':').or(if after.is_empty() { Some("80") } else { None }))
            }
            _ => return false,
        },
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, Some("80")),
        },
    };
    let named = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    let ported = port.is_some_and(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    named && ported
}

impl Reader {
    /// An address on the web.
    pub(super) fn url(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node, "an address such as `http://localhost/`")?;
        let Some(fault) = url_fault(text) else { return Some(text.to_owned()) };
        // Credentials are not repeated.
        let shown = if fault == UrlFault::Credentials { "..".to_owned() } else { short(text) };
        let problem = self.blame(Kind::Url { text: shown, why: fault.to_string() }, node.place);
        problem.hint = match fault {
            UrlFault::Scheme if !text.contains("://") => {
                Some(format!("for example `http://{}`", short(text)))
            }
            UrlFault::Credentials => Some("say `user` and `password_file`, or `token_file`".to_owned()),
            _ => None,
        };
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_addresses() {
        for text in [
            "http://localhost",
            "http://localhost/server-status?auto",
            "https://db_1.example:8443/a%20b?x=[1]&y=~",
            "http://127.0.0.1:1/",
            "http://[fe80::1]:65535",
            "http://[::1]",
            "http://h?x",
        ] {
            assert_eq!(url_fault(text), None, "{text}");
        }
        for (text, fault) in [
            ("", UrlFault::Scheme),
            ("localhost:9090", UrlFault::Scheme),
            ("ftp://h/", UrlFault::Scheme),
            ("HTTP://h/", UrlFault::Scheme),
            ("http://", UrlFault::NoHost),
            ("http:///x", UrlFault::NoHost),
            ("http://:80/", UrlFault::NoHost),
            ("http://me:secret@h/", UrlFault::Credentials),
            ("http://h/#top", UrlFault::Fragment),
            ("http://h/a b", UrlFault::Letter),
            ("http://h/é", UrlFault::Letter),
            ("http://h/{guest}", UrlFault::Letter),
            ("http://h\r\nX: y/", UrlFault::Letter),
            ("http://h:0/", UrlFault::Host),
            ("http://h:65536/", UrlFault::Host),
            ("http://h:/", UrlFault::Host),
            ("http://h:+1/", UrlFault::Host),
            ("http://h:1:2/", UrlFault::Host),
            ("http://[::1/", UrlFault::Host),
            ("http://[]/", UrlFault::Host),
            ("http://[::1]x/", UrlFault::Host),
            ("http://h*/", UrlFault::Host),
        ] {
            assert_eq!(url_fault(text), Some(fault), "{text}");
        }
    }
}
