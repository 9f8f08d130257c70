//! Who one is.

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
            Self::Basic(pair) => format!("Basic {}", base64(pair.expose().as_bytes())),
        };
        Some(Secret::new(text))
    }
}

/// RFC 4648, section 4: sixty-four characters and padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| chunk.get(index).copied().map_or(0, u32::from);
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for index in 0..4 {
            let six = (bits >> (18 - 6 * index)) & 0x3f;
            out.push(if index <= chunk.len() { char::from(ALPHABET[six as usize]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, expected) in vectors {
            assert_eq!(base64(plain.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn credentials_are_not_printed() {
        let auth = Auth::basic("me", &Secret::new("secret".to_owned()));
        assert_eq!(auth.header().unwrap().expose(), "Basic bWU6c2VjcmV0");
        let shown = format!("{auth:?} {:?}", Auth::Bearer(Secret::new("secret".to_owned())));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
