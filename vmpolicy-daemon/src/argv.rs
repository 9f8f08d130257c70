//! Placeholders in the arguments of somebody else's program.

/// Fills `{name}` with its value, in one pass: what a value contains is not looked at again. Braces
/// around anything else stay as they are.
///
/// ```
/// use vmpolicy_daemon::argv::filled;
/// let values = [("from", "mln1"), ("to", "{from}")];
/// assert_eq!(filled("--go={from}:{to}", &values), "--go=mln1:{from}");
/// assert_eq!(filled("{\"x\": 1}", &values), "{\"x\": 1}");
/// ```
#[must_use]
pub fn filled(argument: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(argument.len());
    let mut rest = argument;
    while let Some(open) = rest.find('{') {
        let (before, from_open) = rest.split_at(open);
        text.push_str(before);
        let found = values.iter().find_map(|(name, value)| {
            Some((value, from_open.strip_prefix('{')?.strip_prefix(name)?.strip_prefix('}')?))
        });
        rest = match found {
            Some((value, after)) => {
                text.push_str(value);
                after
            }
            None => {
                text.push('{');
                &from_open[1..]
            }
        };
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass() {
        let values = [("a", "{b}"), ("b", "2")];
        assert_eq!(filled("", &values), "");
        assert_eq!(filled("{", &values), "{");
        assert_eq!(filled("{a}{b}{c}", &values), "{b}2{c}");
        assert_eq!(filled("{{a}}", &values), "{{b}}");
        assert_eq!(filled("ø{b}ø{", &values), "ø2ø{");
    }
}
