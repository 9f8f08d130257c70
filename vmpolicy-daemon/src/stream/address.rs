//! Where a server listens.

#[cfg(feature = "tls")]
use crate::tls::Trust;
use std::path::PathBuf;
use vmpolicy_core::file::ServerAddress;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// On a socket of this machine.
    Socket(PathBuf),
    /// At a host and port, in the clear.
    Tcp(String, u16),
    /// At a host and port, by TLS.
    #[cfg(feature = "tls")]
    Tls(String, u16, Trust),
}

/// TLS is asked for, and there is none in this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this program was built without TLS")]
pub struct NoTls;

impl Address {
    /// Whether what is said to it is by TLS.
    #[must_use]
    pub const fn is_by_tls(&self) -> bool {
        match self {
            Self::Socket(_) | Self::Tcp(..) => false,
            #[cfg(feature = "tls")]
            Self::Tls(..) => true,
        }
    }

    /// Whether somebody on the way could read what is said to it.
    #[must_use]
    pub const fn is_in_the_clear(&self) -> bool {
        matches!(self, Self::Tcp(..))
    }

    /// The host and port, where it has one.
    pub(super) fn host_and_port(&self) -> Option<(&str, u16)> {
        match self {
            Self::Socket(_) => None,
            Self::Tcp(host, port) => Some((host, *port)),
            #[cfg(feature = "tls")]
            Self::Tls(host, port, _) => Some((host, *port)),
        }
    }
}

impl TryFrom<&ServerAddress> for Address {
    type Error = NoTls;

    fn try_from(address: &ServerAddress) -> Result<Self, NoTls> {
        match address {
            ServerAddress::Socket(path) => Ok(Self::Socket(path.into())),
            ServerAddress::Tcp { host, port, tls: None } => Ok(Self::Tcp(host.clone(), *port)),
            #[cfg(feature = "tls")]
            ServerAddress::Tcp { host, port, tls: Some(tls) } => {
                Ok(Self::Tls(host.clone(), *port, Trust::of(tls.ca_file.as_deref())))
            }
            #[cfg(not(feature = "tls"))]
            ServerAddress::Tcp { tls: Some(_), .. } => Err(NoTls),
        }
    }
}
