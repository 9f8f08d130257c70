//! Who one is.

use crate::base64;
use crate::secret::Secret;

/// How one proves who one is. It is never printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// By a token (RFC 6750).
    Bearer(Secret),
    /// By `user:password` (RFC 7617).
    Basic(Secret),
}

impl Auth {
    /// A user and a password.
    #[must_use]
    pub fn basic(user: &str, password: &Secret) -> Self {
        Self::Basic(Secret::new(format!("{user}:{}", password.expose())))
    }

    /// The value of the header `Authorization`.
    pub(super) fn header(&self) -> Option<Secret> {
        let text = match self {
            Self::None => return None,
            Self::Bearer(token) => format!("Bearer {}", token.expose()),
            Self::Basic(pair) => format!("Basic {}", base64::encode(pair.expose().as_bytes())),
        };
        Some(Secret::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_printed() {
        let auth = Auth::basic("me", &Secret::new("secret".to_owned()));
        assert_eq!(auth.header().unwrap().expose(), "Basic bWU6c2VjcmV0");
        let shown = format!("{auth:?} {:?}", Auth::Bearer(Secret::new("secret".to_owned())));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
