//! Names as parts of paths.

/// A name as one part of a path: itself, where it is made of letters, digits and `-_.+=@,:~` and begins with no dot;
/// else what is left of it, with a sum behind it that tells it from others.
pub(super) fn part(name: &str) -> String {
    const BYTES_MAX: usize = 120;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+=@,:~".contains(c);
    if !name.is_empty() && name.len() <= BYTES_MAX && !name.starts_with('.') && name.chars().all(plain) {
        return name.to_owned();
    }
    let left: String = name.chars().map(|c| if plain(c) { c } else { '_' }).take(BYTES_MAX / 2).collect();
    let left = left.trim_start_matches('.');
    format!("{left}~{:08x}", crc32fast::hash(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::part;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay() {
        for name in ["grade-a.17", "x", "2026-11-23T15:01", "a+b=c@d,e~f"] {
            assert_eq!(part(name), name);
        }
        assert!(part("a/b").starts_with("a_b~"));
        assert_ne!(part("a/b"), part("a?b"));
    }

    proptest! {
        #[test]
        fn every_name_is_one_part(name in "\\PC{0,200}") {
            let part = part(&name);
            prop_assert!(!part.is_empty() && part.len() <= 120 && !part.starts_with('.') && !part.contains('/'));
        }
    }
}
