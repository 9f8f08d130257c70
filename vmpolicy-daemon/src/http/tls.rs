//! TLS without HTTP: for whoever speaks another protocol under it.

use super::{HttpError, Trust};
use crate::collector::Timed;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Write as _};
use std::net::Shutdown;
use std::path::Path;
use std::sync::Arc;

/// Who speaks TLS with one server.
pub(crate) struct TlsClient {
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl TlsClient {
    /// With the server of this name, whose certificate those in the file vouch for, or those that the system trusts.
    ///
    /// # Errors
    ///
    /// Where there are no certificates to believe, or no certificate could be of that name.
    pub(crate) fn new(host: &str, ca_file: Option<&Path>) -> Result<Self, HttpError> {
        let trust = ca_file.map_or(Trust::System, |path| Trust::File(path.to_path_buf()));
        let mut roots = RootCertStore::empty();
        for der in trust.ders()? {
            // The system's may hold some that nobody could use.
            let _ = roots.add(der.into());
        }
        let ring = Arc::new(super::ciphers::provider());
        let config = ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .map_err(|error| HttpError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(name)
            .map_err(|_| HttpError::Tls(format!("`{host}` is no name of a certificate")))?;
        Ok(Self { name, config: Arc::new(config) })
    }

    /// Sends all of it, says that it was all, and waits until the server has closed.
    pub(crate) fn send_whole(&self, timed: Timed, bytes: &[u8]) -> io::Result<()> {
        let connection =
            ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, timed);
        stream.write_all(bytes)?;
        stream.conn.send_close_notify();
        stream.flush()?;
        stream.sock.socket.shutdown(Shutdown::Write)?;
        match crate::collector::read_to_end(&mut stream) {
            // It has closed without a farewell, as many do. What was sent was read before: an unread byte resets.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            other => other,
        }
    }
}
