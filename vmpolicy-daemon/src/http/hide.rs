//! A server's words without what was shown to it: one that says it back, by mistake or not, must not put it into a log.

use crate::base64;
use crate::secret::SecretSource;
use std::borrow::Cow;
use vmpolicy_core::file::WebAuth;

/// What stands in the place of what is hidden.
const HIDDEN: &str = "***";

/// A header that is shorter is no secret, and might be a part of any word.
const HEADER_BYTES_MIN: usize = 8;

/// Hides all that is shown to a server beside what is asked: how one proves who one is, headers of the policy file, and
/// the query of an address.
pub(super) fn hide(words: &str, auth: &WebAuth, headers: &[(String, String)], query: Option<&str>) -> String {
    let mut words = Cow::Borrowed(words);
    let mut without = |text: &str| {
        if !text.is_empty() && words.contains(text) {
            words = Cow::Owned(words.replace(text, HIDDEN));
        }
    };
    let (source, user) = match auth {
        WebAuth::None => (None, None),
        WebAuth::Token(token) => (Some(token), None),
        WebAuth::Basic { user, password } => (Some(password), Some(user)),
    };
    if let Some(source) = source {
        let Ok(secret) = SecretSource::from(source).read() else {
            // Nobody can tell any more what it was.
            return format!("{HIDDEN} (the secret can't be read, so these words are not shown)");
        };
        if let Some(user) = user {
            let pair = zeroize::Zeroizing::new(format!("{user}:{}", secret.expose()));
            without(&zeroize::Zeroizing::new(base64::encode(pair.as_bytes())));
        }
        without(secret.expose());
    }
    headers.iter().filter(|(_, value)| value.len() >= HEADER_BYTES_MIN).for_each(|(_, value)| without(value));
    query.into_iter().for_each(without);
    words.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use vmpolicy_core::file::SecretSpec;

    #[test]
    fn what_was_shown_is_hidden_and_the_rest_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "t0psecret\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let password = SecretSpec::File(path.display().to_string());
        let headers =
            [("X-Key".to_owned(), "k3yk3yk3y".to_owned()), ("X-Site".to_owned(), "oslo".to_owned())];
        let basic = WebAuth::Basic { user: "me".to_owned(), password: password.clone() };
        // `me:t0psecret`.
        let said = "oslo: bWU6dDBwc2VjcmV0 is t0psecret, t0psecret and k3yk3yk3y at ?a=b&c";
        assert_eq!(hide(said, &basic, &headers, Some("a=b&c")), "oslo: *** is ***, *** and *** at ?***");
        assert_eq!(hide("no t0psecret", &WebAuth::Token(password.clone()), &[], None), "no ***");
        assert_eq!(hide("t0psecret", &WebAuth::None, &[], Some("")), "t0psecret");
        std::fs::remove_file(&path).unwrap();
        assert!(hide("no t0psecret", &WebAuth::Token(password), &[], None).starts_with("*** ("));
    }
}
