//! A number at a place of a JSON document, found without keeping the document.

use super::Failure;
use crate::number::only_number;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use vmpolicy_core::input::Absence;

/// A place (RFC 6901): the names and numbers on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    text: String,
    steps: Vec<String>,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Found {
    Nothing,
    Null,
    Other,
    Number(Result<f64, Absence>),
}

impl Pointer {
    /// Takes a pointer apart: `/a/b~1c` is `b/c` in `a`, and an empty one is the whole document.
    #[must_use]
    pub(super) fn new(text: &str) -> Self {
        let steps = text.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
        Self { text: text.to_owned(), steps: steps.collect() }
    }

    /// The number there; a text that is a number and nothing else is one too, as some servers write them so.
    pub(super) fn number(&self, json: &[u8]) -> Result<f64, Failure> {
        let mut from = serde_json::Deserializer::from_slice(json);
        let found = Seek(&self.steps).deserialize(&mut from).and_then(|found| from.end().map(|()| found));
        let found = found.map_err(|error| {
            // The parser's words may quote the document, which may hold anything.
            let words = format!("not JSON, by line {} column {}", error.line(), error.column());
            Failure::new(Absence::Unparsable, words)
        })?;
        let fail = |absence, what: &str| Err(Failure::new(absence, format!("`{}` {what}", self.text)));
        match found {
            Found::Number(Ok(value)) => Ok(value),
            Found::Number(Err(absence)) => fail(absence, "is a text that is not a number"),
            Found::Nothing => fail(Absence::Missing, "is not there"),
            Found::Null => fail(Absence::Missing, "is null"),
            Found::Other => fail(Absence::Unparsable, "is not a number"),
        }
    }
}

/// Looks at what is at the end of these steps, and passes over all else.
struct Seek<'a>(&'a [String]);

impl Seek<'_> {
    const fn leaf(&self, found: Found) -> Found {
        // Where there are steps left, nothing is there.
        if self.0.is_empty() { found } else { Found::Nothing }
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Found, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Found, E> {
        Ok(self.leaf(Found::Other))
    }

    fn visit_unit<E: Error>(self) -> Result<Found, E> {
        Ok(self.leaf(Found::Null))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Found, E> {
        Ok(self.leaf(Found::Number(Ok(value as f64))))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Found, E> {
        Ok(self.leaf(Found::Number(Ok(value as f64))))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Found, E> {
        Ok(self.leaf(Found::Number(if value.is_finite() { Ok(value) } else { Err(Absence::NotFinite) })))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Found, E> {
        Ok(self.leaf(Found::Number(only_number(value.as_bytes()))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        let Some((first, rest)) = self.0.split_first() else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Found::Other);
        };
        let mut found = Found::Nothing;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            // Of names that stand there twice the last one counts, as with most parsers.
            if key == first.as_str() {
                found = map.next_value_seed(Seek(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Found, A::Error> {
        let (mut found, mut at) = (Found::Nothing, 0_usize);
        let rest = self.0.get(1..).unwrap_or_default();
        // RFC 6901, 4: digits without a zero before them.
        let wanted = self.0.first().filter(|step| *step == "0" || !step.starts_with(['0', '+']));
        let wanted = wanted.and_then(|step| step.parse::<usize>().ok());
        loop {
            if wanted == Some(at) {
                match list.next_element_seed(Seek(rest))? {
                    Some(there) => found = there,
                    None => break,
                }
            } else if list.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
            at += 1;
        }
        Ok(if self.0.is_empty() { Found::Other } else { found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(pointer: &str, json: &str) -> Result<f64, Absence> {
        Pointer::new(pointer).number(json.as_bytes()).map_err(|failure| failure.absence)
    }

    #[test]
    fn places_of_rfc_6901() {
        let json = r#"{"foo":["bar",7],"":0,"a/b":1,"c%d":2,"e^f":3,"k\"l":6," ":7,"m~n":8,"~1":9}"#;
        for (pointer, expected) in
            [("/foo/1", 7.0), ("/", 0.0), ("/a~1b", 1.0), ("/c%d", 2.0), ("/e^f", 3.0), ("/k\"l", 6.0)]
        {
            assert_eq!(at(pointer, json), Ok(expected), "{pointer}");
        }
        for (pointer, expected) in [("/ ", 7.0), ("/m~0n", 8.0), ("/~01", 9.0)] {
            assert_eq!(at(pointer, json), Ok(expected), "{pointer}");
        }
        assert_eq!(at("", "12.5"), Ok(12.5));
    }

    #[test]
    fn what_is_no_number_has_its_cause() {
        let json =
            r#"{"a":{"b":[1,{"c":"4.5"},null,true,[],"many","NaN",18446744073709551615]},"n":-3,"n":-4}"#;
        assert_eq!(at("/a/b/1/c", json), Ok(4.5));
        assert_eq!(at("/a/b/7", json), Ok(18_446_744_073_709_551_615.0));
        assert_eq!(at("/n", json), Ok(-4.0));
        for (pointer, absence) in [
            ("/a/x", Absence::Missing),
            ("/a/b/9", Absence::Missing),
            ("/a/b/-", Absence::Missing),
            ("/a/b/00", Absence::Missing),
            ("/n/x", Absence::Missing),
            ("/a/b/2", Absence::Missing),
            ("/a/b/3", Absence::Unparsable),
            ("/a/b/4", Absence::Unparsable),
            ("/a/b/5", Absence::Unparsable),
            ("/a/b/6", Absence::NotFinite),
            ("/a", Absence::Unparsable),
            ("", Absence::Unparsable),
        ] {
            assert_eq!(at(pointer, json), Err(absence), "{pointer}");
        }
        // A document that breaks off after the number, or goes on, is none.
        for json in [r#"{"n":1"#, r#"{"n":1} x"#, "", "<html>", r#"{"n":1,}"#, &"[".repeat(100_000)] {
            assert_eq!(at("/n", json), Err(Absence::Unparsable), "{:.20}", json);
        }
    }

    /// Any document: numbers and texts in lists and maps.
    fn document() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            "[a-c~/]{0,2}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 30, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map("[a-c~/0-2]{0,2}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_found_where_serde_json_finds_it(json in document(), steps in prop::collection::vec("[a-c0-2]{0,2}|~0|~1", 0..4)) {
            let pointer: String = steps.iter().map(|step| format!("/{step}")).collect();
            let expected = json.pointer(&pointer);
            let read = at(&pointer, &json.to_string());
            match expected {
                Some(serde_json::Value::Number(number)) => prop_assert_eq!(read.ok(), number.as_f64()),
                None | Some(serde_json::Value::Null) => prop_assert_eq!(read, Err(Absence::Missing)),
                Some(_) => prop_assert!(read.is_err()),
            }
        }
    }
}
