//! The small language of `when`: one comparison or one window, in a text.
//!
//! Positions are bytes from the start of the text; the caller knows where the text stands in the file.

use super::scalar;
use crate::policy::Compare;
use core::ops::Range;

/// A word of the text and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) at: Range<usize>,
}

/// A condition with its words.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum When {
    Indicator { indicator: Word, compare: Compare, threshold: f64, at: Range<usize>, unit: Option<Word> },
    Window { window: Word, inside: bool },
    Count { queue: Word, class: Word, compare: Compare, threshold: f64, at: Range<usize> },
    Gain { queue: Word, array: Word, compare: Compare, threshold: f64, at: Range<usize> },
}

/// What stands where something else was expected.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unexpected {
    pub(super) message: String,
    pub(super) at: Range<usize>,
    pub(super) hint: Option<String>,
}

type Result<T> = core::result::Result<T, Unexpected>;

/// Reads one condition: what it says as far as that can be told, and what is wrong with it.
///
/// Where the names can be read and the comparison can't, the threshold is no number and stands nowhere.
pub(super) fn parse(text: &str) -> (Option<When>, Option<Unexpected>) {
    let mut parser = Parser { text, at: 0, error: None };
    let when = parser.condition();
    let error = match &when {
        Ok(_) => parser.error.take().or_else(|| parser.rest_of_it()),
        Err(error) => Some(error.clone()),
    };
    (when.ok(), error)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// What is wrong with a comparison whose names could be read.
    error: Option<Unexpected>,
}

impl<'t> Parser<'t> {
    /// What stands after the condition, where nothing should.
    fn rest_of_it(&mut self) -> Option<Unexpected> {
        self.skip_spaces();
        let rest = self.rest().to_owned();
        if rest.is_empty() {
            return None;
        }
        let first = rest.split_whitespace().next().unwrap_or("");
        let hint = match first.to_ascii_lowercase().as_str() {
            "and" | "&&" | "&" => {
                Some("for several conditions at once write `{ all: [..., ...] }`".to_owned())
            }
            "or" | "||" | "|" => Some("for one of several conditions write `{ any: [..., ...] }`".to_owned()),
            _ => None,
        };
        let message = format!("expected the end of the condition, found `{rest}`");
        Some(Unexpected { message, at: self.at..self.text.len(), hint })
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn skip_spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_spaces();
        self.rest().chars().next()
    }

    /// What stands here, as far as the next space.
    fn unexpected<T>(&mut self, expected: &str) -> Result<T> {
        self.skip_spaces();
        let len = self.rest().find(char::is_whitespace).unwrap_or(self.rest().len());
        let (found, at) = (&self.rest()[..len], self.at..self.at + len);
        let found = if found.is_empty() { "the end".to_owned() } else { format!("`{found}`") };
        Err(Unexpected { message: format!("expected {expected}, found {found}"), at, hint: None })
    }

    fn hinted<T>(&mut self, expected: &str, hint: &str) -> Result<T> {
        self.unexpected(expected).map_err(|error| Unexpected { hint: Some(hint.to_owned()), ..error })
    }

    fn condition(&mut self) -> Result<When> {
        let start = self.at;
        let word = self.rest().split_whitespace().next().unwrap_or("");
        if scalar::number(word).is_some() && word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.hinted("a name", "the name comes first, such as `slow_queries > 50`");
        }
        let quoted = matches!(self.peek(), Some('"' | '\''));
        let first = self.word("a condition such as `slow_queries > 50` or `outside working_hours`")?;
        let next = self.peek();
        if !quoted && next != Some('<') && next != Some('>') && next != Some('=') {
            match first.text.as_str() {
                "inside" | "outside" => {
                    let window = self.word("the name of a window")?;
                    return Ok(When::Window { window, inside: first.text == "inside" });
                }
                "count" if next == Some('(') => {
                    let (queue, class) = self.arguments("the name of a class, such as \"grade a\"")?;
                    let (compare, threshold, at) = self.comparison()?;
                    return Ok(When::Count { queue, class, compare, threshold, at });
                }
                "gain" if next == Some('(') => {
                    let (queue, array) = self.arguments("the name of an array")?;
                    let (compare, threshold, at) = self.comparison()?;
                    return Ok(When::Gain { queue, array, compare, threshold, at });
                }
                "not" => {
                    self.at = start;
                    return self.hinted("a condition", "write `{ not: ... }`");
                }
                _ => {}
            }
            if next == Some('(') {
                self.at = first.at.start;
                return self.hinted(
                    "a condition",
                    "the functions are `count(QUEUE, \"CLASS\")` and `gain(QUEUE, ARRAY)`",
                );
            }
        }
        let (compare, threshold, at) = self.comparison()?;
        let unit = if self.error.is_none() { self.unit() } else { None };
        Ok(When::Indicator { indicator: first, compare, threshold, at, unit })
    }

    /// A name: letters, digits, `_`, `-` and `.`, or anything in quotes.
    fn word(&mut self, expected: &str) -> Result<Word> {
        self.skip_spaces();
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            let start = self.at + 1;
            let inner = self.text.get(start..).unwrap_or("");
            let Some(len) = inner.find(quote) else {
                return self.hinted(
                    "a closing quote",
                    "in { } and [ ] a text with a comma needs quotes around all of it",
                );
            };
            self.at = start + len + 1;
            return Ok(Word { text: inner[..len].to_owned(), at: start..start + len });
        }
        let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let len = self.rest().find(|c| !name(c)).unwrap_or(self.rest().len());
        if len == 0 {
            return self.unexpected(expected);
        }
        let at = self.at..self.at + len;
        self.at = at.end;
        Ok(Word { text: self.text[at.clone()].to_owned(), at })
    }

    fn token(&mut self, token: char, hint: &str) -> Result<()> {
        if self.peek() != Some(token) {
            return self.hinted(&format!("`{token}`"), hint);
        }
        self.at += token.len_utf8();
        Ok(())
    }

    fn arguments(&mut self, second: &str) -> Result<(Word, Word)> {
        let hint = "in { } and [ ] a text with a comma needs quotes around all of it";
        self.token('(', hint)?;
        let queue = self.word("the name of a queue")?;
        self.token(',', hint)?;
        let second = self.word(second)?;
        self.token(')', hint)?;
        Ok((queue, second))
    }

    /// A sign and a number. Where a sign can be seen, what comes before it are names, and they are worth
    /// looking up even if the rest is wrong.
    fn comparison(&mut self) -> Result<(Compare, f64, Range<usize>)> {
        let sign = matches!(self.peek(), Some('<' | '>' | '=' | '!' | '≥' | '≤'));
        match self.sign_and_number() {
            Err(error) if sign => {
                self.error = Some(error);
                Ok((Compare::Above, f64::NAN, 0..0))
            }
            result => result,
        }
    }

    fn sign_and_number(&mut self) -> Result<(Compare, f64, Range<usize>)> {
        self.skip_spaces();
        let sign_len = self
            .rest()
            .find(|c| !matches!(c, '<' | '>' | '=' | '!' | '≥' | '≤'))
            .unwrap_or(self.rest().len());
        let compare = match &self.rest()[..sign_len] {
            ">" => Compare::Above,
            ">=" => Compare::AtLeast,
            "<" => Compare::Below,
            "<=" => Compare::AtMost,
            "=" | "==" | "!=" | "<>" => {
                return self.hinted(
                    "one of `>`, `>=`, `<`, `<=`",
                    "samples are seldom equal to a number; compare with `>=` or `<=`",
                );
            }
            "=>" | "≥" => return self.hinted("one of `>`, `>=`, `<`, `<=`", "write `>=`"),
            "=<" | "≤" => return self.hinted("one of `>`, `>=`, `<`, `<=`", "write `<=`"),
            _ => return self.unexpected("one of `>`, `>=`, `<`, `<=`"),
        };
        self.at += sign_len;
        self.skip_spaces();
        let (len, number) = self.number_ahead();
        let Some(number) = number else {
            return self.unexpected("a number");
        };
        let at = self.at..self.at + len;
        self.at = at.end;
        Ok((compare, number, at))
    }

    /// The number that stands here: the unit may follow at once.
    fn number_ahead(&self) -> (usize, Option<f64>) {
        let rest = self.rest();
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        // `nan`, `.inf` and the like are whole words.
        if !rest.starts_with(|c: char| c.is_ascii_digit())
            && let Some(number) = scalar::number(&rest[..word])
        {
            return (word, Some(number));
        }
        let bytes = rest.as_bytes();
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
        let mut end = digits(sign);
        if bytes.get(end) == Some(&b'.') {
            end = digits(end + 1);
        }
        // An exponent only where digits follow: `5e3` has one, `5erlang` has a unit.
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(sign);
            if exponent > sign {
                end = exponent;
            }
        }
        (end, scalar::number(&rest[..end]))
    }

    fn unit(&mut self) -> Option<Word> {
        self.skip_spaces();
        let len = self.rest().find(char::is_whitespace).unwrap_or(self.rest().len());
        let word = &self.rest()[..len];
        let is_word = |word: &str| matches!(word.to_ascii_lowercase().as_str(), "and" | "or");
        if len == 0 || is_word(word) || !word.chars().all(|c| c.is_alphabetic() || matches!(c, '%' | '/')) {
            return None;
        }
        let at = self.at..self.at + len;
        self.at = at.end;
        Some(Word { text: word.to_owned(), at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sound(text: &str) -> When {
        let (when, error) = parse(text);
        assert_eq!(error, None, "{text}");
        when.expect("a condition")
    }

    #[test]
    fn names_are_read_where_the_comparison_is_wrong() {
        for (text, name) in
            [("slow => 5", Some("slow")), ("slow > fifty", Some("slow")), ("slow queries > 5", None)]
        {
            let (when, error) = parse(text);
            assert!(error.is_some(), "{text}");
            let read = when.map(|when| match when {
                When::Indicator { indicator, threshold, at, .. } => (indicator.text, threshold.is_nan(), at),
                other => panic!("{other:?}"),
            });
            assert_eq!(read, name.map(|name| (name.to_owned(), true, 0..0)), "{text}");
        }
    }

    #[test]
    fn what_is_read() {
        let cases = [
            "slow_queries > 50",
            "latency>=250ms",
            "latency >= 250 ms",
            "free < 2GiB",
            "cpu > 80%",
            "load > -1.5e3",
            "x > 5e3",
            "x > 5erlang",
            "x > nan",
            "\"slow queries\" <= 5",
            "inside working_hours",
            "outside 'long weekend'",
            "inside > 5",
            "95th_latency > 5",
            "count(jobs, \"grade a\") >= 2",
            "gain(jobs, amazon) > 1.5",
        ];
        let told: Vec<String> = cases.iter().map(|text| format!("{text}\n  {:?}", sound(text))).collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn what_is_not() {
        let cases = [
            "",
            "slow_queries",
            "slow_queries > ",
            "slow_queries > fifty",
            "slow_queries => 5",
            "slow_queries == 5",
            "5 < slow_queries",
            "a > 5 and b > 6",
            "a > 5 || b > 6",
            "not a > 5",
            "inside",
            "inside a b",
            "count(jobs",
            "count(jobs, \"grade",
            "count(jobs) > 2",
            "mean(jobs, 5m) > 2",
            "a > 5 %%%!",
            "a > 1_000",
            "> 5",
        ];
        let mut told = String::new();
        for text in cases {
            let (_, error) = parse(text);
            let error = error.expect("no condition");
            let mark = " ".repeat(error.at.start) + &"^".repeat(error.at.len().max(1));
            told += &format!("{text}\n{mark} {}\n", error.message);
            told += &error.hint.map_or(String::new(), |hint| format!("hint: {hint}\n"));
        }
        insta::assert_snapshot!(told);
    }

    proptest! {
        #[test]
        fn places_are_in_the_text_and_nothing_panics(text in "(count|gain|in|a|[<>=(),\"'. 0-9%é-]){0,12}") {
            if let (_, Some(error)) = parse(&text) {
                prop_assert!(text.get(error.at).is_some());
            }
        }
    }
}
