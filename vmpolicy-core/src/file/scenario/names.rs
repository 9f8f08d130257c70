//! Ranges of names: `host[1-800]`, `rack[01-12]-a`.

/// No range is longer.
pub(super) const LONGEST: u32 = 1_000_000;

/// The names that a text stands for: itself, or those of its range in their order.
///
/// Numbers are as wide as the first one is written: `h[001-100]` is `h001` to `h100`.
pub(super) fn expand(text: &str) -> Result<Vec<String>, &'static str> {
    let Some((prefix, rest)) = text.split_once('[') else {
        return if text.contains(']') { Err("it has no `[`") } else { Ok(vec![text.to_owned()]) };
    };
    let Some((range, suffix)) = rest.split_once(']') else { return Err("it has no `]`") };
    if suffix.contains(['[', ']']) || range.contains('[') {
        return Err("there is room for one range in a name");
    }
    let Some((first, last)) = range.split_once('-') else { return Err("it has no first and last number") };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(first) || !is_number(last) {
        return Err("it has no first and last number");
    }
    let (Ok(from), Ok(to)) = (first.parse::<u32>(), last.parse::<u32>()) else {
        return Err("its numbers are too large");
    };
    if from > to {
        return Err("its first number is above its last");
    }
    if to - from >= LONGEST {
        return Err("it has more than a million names");
    }
    let width = first.len();
    Ok((from..=to).map(|number| format!("{prefix}{number:0width$}{suffix}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_ranges() {
        let names = |text| expand(text).map(|names| names.join(" "));
        assert_eq!(names("mln1").as_deref(), Ok("mln1"));
        assert_eq!(names("mln[2-4]").as_deref(), Ok("mln2 mln3 mln4"));
        assert_eq!(names("r[08-10]-a").as_deref(), Ok("r08-a r09-a r10-a"));
        assert_eq!(names("x[5-5]").as_deref(), Ok("x5"));
        for text in [
            "a[2-1]",
            "a[",
            "a]",
            "a[1]",
            "a[-1]",
            "a[1-2][3-4]",
            "a[0-1000000]",
            "a[1-99999999999]",
            "a[x-y]",
        ] {
            assert!(expand(text).is_err(), "{text}");
        }
        assert_eq!(expand("a[1-99999999999]"), Err("its numbers are too large"));
    }

    proptest! {
        #[test]
        fn a_range_has_as_many_names_as_it_says(from in 0_u32..2_000, more in 0_u32..300) {
            let names = expand(&format!("h[{from}-{}]", from + more)).expect("a range");
            prop_assert_eq!(names.len() as u32, more + 1);
            let different: std::collections::BTreeSet<_> = names.iter().collect();
            prop_assert_eq!(different.len(), names.len());
        }

        #[test]
        fn no_text_is_too_much(text in "[a-z0-9\\[\\]-]{0,12}") {
            let _ = expand(&text);
        }
    }
}
