//! Whose certificates are believed.

use super::HttpError;
use std::path::{Path, PathBuf};
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

/// Where systems keep the certificates that they trust, as one file: Debian and Alpine, Fedora, SUSE, BSD.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The variable by which OpenSSL's programs are told of another bundle.
const BUNDLE_VARIABLE: &str = "SSL_CERT_FILE";

/// More than any bundle has; they are around 200 KiB.
const PEM_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Whose certificates to believe. None are built in: the system's are kept up to date, a program's are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those that the system trusts.
    #[default]
    System,
    /// Those in a file, and no others.
    File(PathBuf),
    /// These, as PEM, and no others.
    Pem(Vec<u8>),
}

impl Trust {
    pub(super) fn roots(&self) -> Result<RootCerts, HttpError> {
        self.certificates().map(RootCerts::from)
    }

    /// The same, each as DER.
    pub(super) fn ders(&self) -> Result<Vec<Vec<u8>>, HttpError> {
        Ok(self.certificates()?.iter().map(|certificate| certificate.der().to_vec()).collect())
    }

    fn certificates(&self) -> Result<Vec<Certificate<'static>>, HttpError> {
        match self {
            Self::System => certificates(&system()?),
            Self::File(path) => certificates(&read(path)?),
            Self::Pem(pem) => certificates(pem),
        }
    }
}

fn system() -> Result<Vec<u8>, HttpError> {
    if let Some(path) = std::env::var_os(BUNDLE_VARIABLE) {
        return read(Path::new(&path));
    }
    let bundle = BUNDLES.iter().map(Path::new).find(|path| path.is_file());
    let none = || {
        HttpError::Certificates(
            "this system has none: install its ca-certificates, or name a file".to_owned(),
        )
    };
    read(bundle.ok_or_else(none)?)
}

fn read(path: &Path) -> Result<Vec<u8>, HttpError> {
    let wrong = |why: String| HttpError::Certificates(format!("{}: {why}", path.display()));
    let head = crate::probe::read_head(path, PEM_BYTES_MAX).map_err(|error| wrong(error.to_string()))?;
    if head.cut { Err(wrong("too large".to_owned())) } else { Ok(head.bytes) }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, HttpError> {
    let mut all = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => all.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(HttpError::Certificates("not PEM".to_owned())),
        }
    }
    if all.is_empty() {
        return Err(HttpError::Certificates("none in the file (PEM is expected)".to_owned()));
    }
    Ok(all)
}
