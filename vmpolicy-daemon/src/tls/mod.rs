//! TLS as a client: for whoever speaks a protocol of its own under it. HTTP has its own way to it, with the same ciphers
//! and the same trust.
//!
//! A server's certificate is believed, and of the name that was asked for, or nothing is said to it.

mod ciphers;
#[cfg(test)]
mod tests;
mod trust;

pub(crate) use ciphers::provider;
pub use trust::{Trust, TrustError};

use crate::probe::Failure;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, RootCertStore};
use std::io::{self, Read, Write};
use std::sync::Arc;
use vmpolicy_core::input::Absence;

/// Who speaks TLS with one server.
pub(crate) struct TlsClient {
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl TlsClient {
    /// With the server of this name, whose certificate these vouch for. Certificates are read now.
    ///
    /// # Errors
    ///
    /// Where there are no certificates to believe, or no certificate could be of that name.
    pub(crate) fn new(host: &str, trust: &Trust) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        for certificate in trust.certificates()? {
            // The system's may hold some that nobody could use.
            let _ = roots.add(certificate);
        }
        if roots.is_empty() {
            return Err(TrustError::none());
        }
        let config = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has ciphers for every version that is safe")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(name).map_err(|_| TrustError::name(host))?;
        Ok(Self { name, config: Arc::new(config) })
    }

    /// Shakes hands, to the end.
    ///
    /// # Errors
    ///
    /// Where the server is not believed, does not speak TLS, or the connection breaks.
    pub(crate) fn shake(&self, over: &mut (impl Read + Write)) -> io::Result<ClientConnection> {
        let mut connection =
            ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(over)?;
        }
        Ok(connection)
    }
}

/// What went wrong with TLS, where that is what the error is about.
pub(crate) fn failure(error: &io::Error) -> Option<Failure> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(Failure::new(Absence::Unreachable, format!("TLS: {}", cause(error))))
}

/// The same in words, for who has to do something about it; on one line.
pub(crate) fn cause(error: &Error) -> String {
    use CertificateError as Certificate;
    let cause = match error {
        Error::InvalidCertificate(certificate) => match certificate {
            Certificate::Expired | Certificate::ExpiredContext { .. } => "its certificate has expired",
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
                "its certificate is not valid yet (or this machine's clock is behind)"
            }
            Certificate::UnknownIssuer | Certificate::BadSignature => {
                "nobody who is believed vouches for its certificate"
            }
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
                "its certificate is of another name than the one that was asked for"
            }
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
                "its certificate is an authority's, which vouches for servers and is none (`CA:TRUE`)"
            }
            other => return sentence(&format!("its certificate is not to be believed: {other}")),
        },
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            "the server does not speak TLS there"
        }
        other => return sentence(&other.to_string()),
    };
    cause.to_owned()
}

/// Others' words on one line, and not many of them.
fn sentence(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(200).collect()
}
