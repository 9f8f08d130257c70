//! Secrets: read from files that nobody else can read, kept in memory that is wiped, never printed.

use rustix::fs::OFlags;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use vmpolicy_core::file::SecretSpec;
use zeroize::Zeroizing;

/// Where systemd puts the credentials of a service (systemd.exec(5), `LoadCredential=`).
pub const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// A secret longer than this is a wrong file.
const SECRET_BYTES_MAX: usize = 4 * 1024;

/// A password or a token. It has no text of its own, and its memory is wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text as a secret.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself: for whom it is meant, and for nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In a file, without its last newline.
    File(PathBuf),
    /// Among the service's credentials, by this name.
    Credential(String),
}

/// Why a secret can't be had. Its words never hold any of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The file can't be read.
    #[error("secret {}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// Others can read it.
    #[error("secret {}: others can read it (mode {mode:04o}): chmod 600, as the user of vmpolicyd", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is not what a secret looks like.
    #[error("secret {}: {why}", path.display())]
    Odd {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The daemon was not started with credentials.
    #[error(
        "credential `{0}`: there are none here (${CREDENTIALS_VARIABLE} is not set: the unit needs `LoadCredential={0}:FILE`)"
    )]
    NoCredentials(String),
}

impl From<&SecretSpec> for SecretSource {
    fn from(spec: &SecretSpec) -> Self {
        match spec {
            SecretSpec::File(path) => Self::File(path.into()),
            SecretSpec::Credential(name) => Self::Credential(name.clone()),
        }
    }
}

impl SecretSource {
    /// Reads it now, so that a changed one is taken up.
    ///
    /// # Errors
    ///
    /// Where it can't be read, or others could.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let credentials = std::env::var_os(CREDENTIALS_VARIABLE).map(PathBuf::from);
        self.read_with(credentials.as_deref())
    }

    fn read_with(&self, credentials: Option<&Path>) -> Result<Secret, SecretError> {
        match (self, credentials) {
            (Self::File(path), credentials) => read(path, credentials),
            (Self::Credential(name), Some(folder)) => read(&folder.join(name), Some(folder)),
            (Self::Credential(name), None) => Err(SecretError::NoCredentials(name.clone())),
        }
    }
}

fn read(path: &Path, credentials: Option<&Path>) -> Result<Secret, SecretError> {
    let unreadable =
        |error: io::Error| SecretError::Unreadable { path: path.to_owned(), why: error.to_string() };
    let odd = |why| SecretError::Odd { path: path.to_owned(), why };
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::CLOEXEC).bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
    // Asked of the file that is open: what stands under the name may change.
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(odd("not a file"));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 && !is_within(path, credentials) {
        return Err(SecretError::Open { path: path.to_owned(), mode });
    }
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_BYTES_MAX + 64));
    file.take(SECRET_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > SECRET_BYTES_MAX {
        return Err(odd("too long for a password or a token"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| odd("not UTF-8"))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    Ok(Secret::new(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}

/// Whether it is one of the service's credentials: systemd guards that folder, and may show mode 0440 in it.
fn is_within(path: &Path, credentials: Option<&Path>) -> bool {
    let folder = credentials.and_then(|folder| folder.canonicalize().ok());
    folder.is_some_and(|folder| path.canonicalize().is_ok_and(|path| path.starts_with(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    fn put(path: &Path, content: &[u8], mode: u32) {
        fs::write(path, content).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_secret_is_its_file_without_the_newline_and_is_not_printed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let source = SecretSource::File(path.clone());
        assert!(matches!(source.read_with(None), Err(SecretError::Unreadable { .. })));
        for (content, expected) in [
            (&b"secret"[..], Some("secret")),
            (b"secret\n", Some("secret")),
            (b" se cret \r\n", Some(" se cret ")),
            (b"two\n\n", Some("two\n")),
            (b"", Some("")),
            (b"\xffxxx", None),
            (&[b'x'; 5_000], None),
        ] {
            put(&path, content, 0o600);
            match source.read_with(None) {
                Ok(secret) => {
                    assert_eq!(Some(secret.expose()), expected);
                    assert_eq!(format!("{secret:?}"), "Secret(..)");
                }
                Err(error) => {
                    assert_eq!(expected, None, "{error}");
                    assert!(!format!("{error} {error:?}").contains("xxx"), "{error}");
                }
            }
        }
        assert!(matches!(
            SecretSource::File(folder.path().to_owned()).read_with(None),
            Err(SecretError::Odd { .. })
        ));
    }

    #[test]
    fn what_others_can_read_is_no_secret_but_among_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let source = SecretSource::File(path.clone());
        for mode in [0o400, 0o600, 0o700] {
            put(&path, b"t", 0o600);
            put(&path, b"t", mode);
            assert!(source.read_with(None).is_ok(), "{mode:o}");
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
        for mode in [0o640, 0o604, 0o660, 0o644, 0o620] {
            put(&path, b"t", mode);
            assert_eq!(source.read_with(None), Err(SecretError::Open { path: path.clone(), mode }));
            assert!(source.read_with(Some(folder.path())).is_ok(), "{mode:o}");
        }
        let named = SecretSource::Credential("token".to_owned());
        assert_eq!(named.read_with(Some(folder.path())).unwrap().expose(), "t");
        assert!(matches!(named.read_with(None), Err(SecretError::NoCredentials(_))));
        // A way out of the folder is not within it.
        let elsewhere = tempfile::tempdir().unwrap();
        put(&elsewhere.path().join("token"), b"t", 0o644);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(elsewhere.path().join("token"), &link).unwrap();
        assert!(matches!(
            SecretSource::File(link).read_with(Some(folder.path())),
            Err(SecretError::Open { .. })
        ));
    }
}
