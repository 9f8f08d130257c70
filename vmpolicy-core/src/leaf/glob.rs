//! Patterns as shells have them for names: `*` is any run of characters, `?` any one, `\` takes the next one as it is.

/// Whether the whole text is as the pattern says. Letters of either case are different ones.
///
/// Takes at most so many steps as the pattern has characters times those of the text.
///
/// ```
/// use vmpolicy_core::leaf::glob::matches;
/// assert!(matches("grade a*", "grade a: render 17"));
/// assert!(matches("*.big", "17.big") && !matches("*.big", "17.big.old"));
/// assert!(matches(r"5\*?", "5*x") && !matches(r"5\*?", "55x"));
/// ```
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    // The last star, with what follows it and the place in the text up to which it reaches: a star before
    // it need never reach further.
    let mut star: Option<(&str, &str)> = None;
    let (mut pattern, mut text) = (pattern, text);
    loop {
        let mut rest = pattern.chars();
        let step = match (rest.next(), text.chars().next()) {
            (Some('*'), _) => {
                star = Some((rest.as_str(), text));
                pattern = rest.as_str();
                continue;
            }
            (None, None) => return true,
            (Some('?'), Some(c)) => Some(c),
            // A backslash at the end is one.
            (Some('\\'), Some(c)) => (rest.next().unwrap_or('\\') == c).then_some(c),
            (Some(p), Some(c)) => (p == c).then_some(c),
            _ => None,
        };
        match (step, star) {
            (Some(c), _) => (pattern, text) = (rest.as_str(), &text[c.len_utf8()..]),
            (None, Some((after, from))) => {
                let mut from = from.chars();
                if from.next().is_none() {
                    return false;
                }
                star = Some((after, from.as_str()));
                (pattern, text) = (after, from.as_str());
            }
            (None, None) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;
    use proptest::prelude::*;

    /// What it means, by every way of cutting the text.
    fn plainly(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['*', rest @ ..] => (0..=text.len()).any(|at| plainly(rest, &text[at..])),
            ['?', rest @ ..] => !text.is_empty() && plainly(rest, &text[1..]),
            ['\\', c, rest @ ..] => text.first() == Some(c) && plainly(rest, &text[1..]),
            [c, rest @ ..] => text.first() == Some(c) && plainly(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn it_is_what_it_means(pattern in r"[ab*?\\ø]{0,8}", text in r"[ab*\\ø]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &text), plainly(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn every_text_is_itself(text in "\\PC{0,20}") {
            let quoted: String = text.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert!(matches(&quoted, &text));
            prop_assert!(matches("*", &text));
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let (pattern, text) = ("a*".repeat(200) + "b", "a".repeat(5_000));
        assert!(!matches(&pattern, &text));
        assert!(matches(&pattern, &(text + "b")));
    }
}
