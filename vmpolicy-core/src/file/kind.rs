//! What a file is meant as, sound or not: said by the key at its top that no other kind of file has.

use super::checked;
use super::node::{self, Value};

/// The kinds of files that are read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A policy: anything that is none of the others.
    Policy,
    /// A scenario: it says how long it `lasts`.
    Scenario,
    /// Unit tests of policies: it has `tests`.
    Tests,
    /// What is expected in every world: it has `expect`.
    Expectations,
}

const MARKS: [(&str, FileKind); 3] =
    [("lasts", FileKind::Scenario), ("tests", FileKind::Tests), ("expect", FileKind::Expectations)];

impl FileKind {
    /// What these bytes are meant as.
    ///
    /// ```
    /// use vmpolicy_core::file::FileKind;
    /// assert_eq!(FileKind::of(b"version: 1\nlasts: nonsense\n"), FileKind::Scenario);
    /// assert_eq!(FileKind::of(b"{ \"version\": 1, \"tests\": [] }"), FileKind::Tests);
    /// assert_eq!(FileKind::of(b"version: 1\nexpect:\n  - moves: {{"), FileKind::Expectations);
    /// assert_eq!(FileKind::of(b"\xff"), FileKind::Policy);
    /// ```
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        // Lines first: they are there where the syntax is broken, too.
        let begins = |line: &[u8], key: &str| {
            let rest = line.strip_prefix(key.as_bytes());
            rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
        };
        let lines = || bytes.split(|&byte| byte == b'\n');
        if let Some((_, kind)) = MARKS.iter().find(|(key, _)| lines().any(|line| begins(line, key))) {
            return *kind;
        }
        let node = checked(bytes).ok().and_then(|text| node::read(text).0);
        let Some(Value::Map(pairs)) = node.map(|node| node.value) else { return Self::Policy };
        let has = |wanted: &str| {
            pairs.iter().any(|(key, _)| matches!(&key.value, Value::Scalar { text, .. } if text == wanted))
        };
        MARKS.iter().find(|(key, _)| has(key)).map_or(Self::Policy, |(_, kind)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_deeper_says_nothing() {
        for (text, kind) in [
            ("lasts : nonsense\n", FileKind::Scenario),
            ("{ version: 1, lasts: 1h }", FileKind::Scenario),
            ("version: 1\ntests:\n\t- broken", FileKind::Tests),
            ("version: 1\nrules: []\n", FileKind::Policy),
            ("faults:\n  - { at: 1h,\n    lasts: 1h }\n", FileKind::Policy),
            ("# tests: none\nversion: 1\n", FileKind::Policy),
            ("tests:\n  - name: a\n    expect: [{ at: 1m }]\n", FileKind::Tests),
            ("expected: 3\n", FileKind::Policy),
            ("[lasts, tests]", FileKind::Policy),
            ("", FileKind::Policy),
        ] {
            assert_eq!(FileKind::of(text.as_bytes()), kind, "{text}");
        }
    }
}
