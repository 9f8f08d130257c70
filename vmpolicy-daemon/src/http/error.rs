//! What can go wrong with an exchange.

use crate::secret::SecretError;
use crate::tls::{self, TrustError};
use std::io;
use std::time::Duration;
use vmpolicy_core::input::Absence;

/// Why there is no whole answer. No header, no body and no query of an address stands in its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The deadline has passed.
    #[error("no whole answer within {0:?}")]
    TimedOut(Duration),
    /// The server can't be reached, or the connection broke.
    #[error("{0}")]
    Unreachable(String),
    /// The certificate is not to be believed, or TLS failed otherwise.
    #[error("TLS: {0}")]
    Tls(String),
    /// The answer breaks off.
    #[error("the answer ends early")]
    Torn,
    /// The answer is larger than any should be.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// What came is not HTTP.
    #[error("it does not speak HTTP as it should: {0}")]
    NotHttp(String),
    /// The server sends to another one, to whom nothing is said.
    #[error("it sends to {0}: give that address, if it is meant")]
    Elsewhere(String),
    /// A header that can't be sent.
    #[error("a header, a token or a password holds letters that can't be sent")]
    Header,
    /// Certificates that can't be read.
    #[error("{0}")]
    Certificates(#[from] TrustError),
    /// A secret that can't be had.
    #[error("{0}")]
    Secret(#[from] SecretError),
}

impl HttpError {
    pub(super) fn of(error: &ureq::Error, limit: Duration) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::TimedOut(limit),
            ureq::Error::BodyExceedsLimit(most) => Self::TooLarge(*most),
            ureq::Error::LargeResponseHeader(_, most) => {
                Self::NotHttp(format!("a head of more than {most} bytes"))
            }
            ureq::Error::Io(error) => Self::of_io(error, limit),
            ureq::Error::Http(_) => Self::Header,
            ureq::Error::Protocol(error) => Self::NotHttp(excerpt(&error.to_string())),
            ureq::Error::Rustls(error) => Self::Tls(tls::cause(error)),
            ureq::Error::Tls(why) => Self::Tls((*why).to_owned()),
            ureq::Error::BadUri(_) => Self::Unreachable("no such address".to_owned()),
            other => Self::Unreachable(excerpt(&other.to_string())),
        }
    }

    pub(super) fn of_io(error: &io::Error, limit: Duration) -> Self {
        if let Some(inner) = error.get_ref() {
            if let Some(inner) = inner.downcast_ref::<ureq::Error>() {
                return Self::of(inner, limit);
            }
            if let Some(inner) = inner.downcast_ref::<Self>() {
                return inner.clone();
            }
            if let Some(inner) = inner.downcast_ref::<rustls::Error>() {
                return Self::Tls(tls::cause(inner));
            }
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Torn,
            io::ErrorKind::TimedOut => Self::TimedOut(limit),
            _ => Self::Unreachable(excerpt(&error.to_string())),
        }
    }

    /// The same, with these words for those that may be a server's.
    pub(super) fn worded(self, word: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Unreachable(words) => Self::Unreachable(word(&words)),
            Self::NotHttp(words) => Self::NotHttp(word(&words)),
            Self::Elsewhere(words) => Self::Elsewhere(word(&words)),
            other => other,
        }
    }

    /// What it means to the engine.
    #[must_use]
    pub const fn absence(&self) -> Absence {
        match self {
            Self::TimedOut(_) => Absence::TimedOut,
            Self::Unreachable(_) | Self::Tls(_) | Self::Torn => Absence::Unreachable,
            Self::TooLarge(_) | Self::NotHttp(_) | Self::Elsewhere(_) => Absence::Unparsable,
            Self::Header | Self::Certificates(_) | Self::Secret(_) => Absence::Denied,
        }
    }
}

/// Others' words on one line, and not many of them: they may quote what the server sent.
fn excerpt(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(200).collect()
}
