//! Whose certificates are believed.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use std::path::{Path, PathBuf};

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

/// Why there is nobody to believe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificates to trust: {0}")]
pub struct TrustError(String);

impl TrustError {
    pub(super) fn none() -> Self {
        Self("none in the file (PEM is expected)".to_owned())
    }

    pub(super) fn name(host: &str) -> Self {
        Self(format!("`{host}` is no name of a certificate"))
    }
}

impl Trust {
    /// Those in this file, or the system's where there is none.
    #[must_use]
    pub fn of(ca_file: Option<&str>) -> Self {
        ca_file.map_or(Self::System, |path| Self::File(PathBuf::from(path)))
    }

    /// Reads them: at least one.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TrustError> {
        match self {
            Self::System => certificates(&system()?),
            Self::File(path) => certificates(&read(path)?),
            Self::Pem(pem) => certificates(pem),
        }
    }
}

fn system() -> Result<Vec<u8>, TrustError> {
    if let Some(path) = std::env::var_os(BUNDLE_VARIABLE) {
        return read(Path::new(&path));
    }
    let bundle = BUNDLES.iter().map(Path::new).find(|path| path.is_file());
    let none = || TrustError("this system has none: install its ca-certificates, or name a file".to_owned());
    read(bundle.ok_or_else(none)?)
}

fn read(path: &Path) -> Result<Vec<u8>, TrustError> {
    let wrong = |why: String| TrustError(format!("{}: {why}", path.display()));
    let head = crate::probe::read_head(path, PEM_BYTES_MAX).map_err(|error| wrong(error.to_string()))?;
    if head.cut { Err(wrong("too large".to_owned())) } else { Ok(head.bytes) }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let mut all = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
        match section {
            Ok((SectionKind::Certificate, der)) => all.push(der.into()),
            Ok(_) => {}
            Err(_) => return Err(TrustError("not PEM".to_owned())),
        }
    }
    if all.is_empty() { Err(TrustError::none()) } else { Ok(all) }
}
