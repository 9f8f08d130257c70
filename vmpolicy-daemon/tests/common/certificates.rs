//! Certificates that are made for a test, and servers that show them.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

/// Who vouches for servers.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What a server has to show, and to prove that it is its own.
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
    /// The certificate, as PEM.
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Of no other's name.
        let key = KeyPair::generate().unwrap();
        let name = key.public_key_raw()[1..5].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        params.distinguished_name.push(DnType::CommonName, format!("authority {name}"));
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Its own certificate, as PEM: what a client is told to believe.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server of this name.
    pub(crate) fn vouches_for(&self, name: &str) -> Identity {
        self.signs(&CertificateParams::new([name.to_owned()]).unwrap())
    }

    /// The same, until years ago.
    pub(crate) fn vouched_for(&self, name: &str) -> Identity {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2009, 5, 6), date_time_ymd(2010, 5, 6));
        self.signs(&params)
    }

    fn signs(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        Identity::of(&params.signed_by(&key, &self.0).unwrap(), key)
    }
}

impl Identity {
    fn of(certificate: &rcgen::Certificate, key: KeyPair) -> Self {
        Self { certificate: certificate.der().clone(), key, pem: certificate.pem() }
    }

    /// One for whom nobody vouches but itself.
    pub(crate) fn alone(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        Self::of(&made.cert, made.signing_key)
    }

    /// The same, which says that it is an authority.
    pub(crate) fn authority(name: &str) -> Self {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self::of(&params.self_signed(&key).unwrap(), key)
    }

    /// Its private key, as PEM.
    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// Puts `cert.pem` and `key.pem` into a folder, for a server that reads files.
    pub(crate) fn write(&self, folder: &Path) -> [PathBuf; 2] {
        [("cert.pem", &self.pem), ("key.pem", &self.key_pem())].map(|(name, text)| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            path
        })
    }

    fn config(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .unwrap();
        Arc::new(config)
    }

    /// The server's side of a connection.
    pub(crate) fn over<S: Read + Write>(&self, socket: S) -> StreamOwned<ServerConnection, S> {
        StreamOwned::new(ServerConnection::new(self.config()).unwrap(), socket)
    }

    /// A server that shows it, and then treats each client so.
    pub(crate) fn serve(
        &self,
        treat: impl Fn(&mut StreamOwned<ServerConnection, TcpStream>) + Send + 'static,
    ) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = self.config();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                treat(&mut StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), client));
            }
        });
        port
    }
}

/// What a server by HTTP does, once: hears some of what is asked, says this, and farewell.
pub(crate) fn answer(stream: &mut StreamOwned<ServerConnection, TcpStream>, text: &str) -> usize {
    let heard = stream.read(&mut [0; 4_096]).unwrap_or(0);
    let _ = stream.write_all(text.as_bytes());
    stream.conn.send_close_notify();
    let _ = stream.flush();
    heard
}
