//! Bytes as sixty-four characters (RFC 4648, section 4), for passwords on their way.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
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

/// What [`encode`] has made; nothing of what it has not.
#[cfg(feature = "postgres")]
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let plain = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in plain.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for byte in chunk {
            let six = ALPHABET.iter().position(|letter| letter == byte)?;
            bits = (bits << 6) | u32::try_from(six).ok()?;
        }
        bits <<= 6 * (4 - chunk.len());
        out.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    (encode(&out) == text).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_rfc_4648() {
        let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, expected) in vectors {
            assert_eq!(encode(plain.as_bytes()), expected);
        }
        assert_eq!(encode(&[0xfb, 0xff]), "+/8=");
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn what_was_encoded_is_decoded_and_nothing_else() {
        for length in 0..20_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(77)).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
        for text in ["Z", "Zg", "Zg=", "Zh==", "Zm9v=", "Zm 9", "====", "Zg==Zg=="] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
