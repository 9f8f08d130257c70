//! What a Prometheus answers, as it stands in its JSON.

use serde::Deserialize;
use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use vmpolicy_core::time::Wall;

/// An answer to a range query.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub status: String,
    pub data: Option<Data>,
    #[serde(default, rename = "errorType")]
    pub error_type: String,
    #[serde(default)]
    pub error: String,
    #[serde(default)]
    pub warnings: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Data {
    #[serde(rename = "resultType")]
    pub kind: String,
    #[serde(default)]
    pub result: Matrix,
}

/// The series of a result.
pub(super) type Matrix = Vec<Stream>;

/// One series.
#[derive(Debug, Deserialize)]
pub(super) struct Stream {
    #[serde(rename = "metric")]
    pub labels: Labels,
    #[serde(default)]
    pub values: Vec<Point>,
    #[serde(default, deserialize_with = "is_there")]
    pub histograms: bool,
}

fn is_there<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(from).map(|_| true)
}

/// A series' labels, in order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(super) struct Labels(BTreeMap<String, String>);

impl Labels {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, label: &str) -> Option<&str> {
        self.0.get(label).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// As PromQL writes a series: `up{instance="web1:9100",job="node"}`.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAME: &str = "__name__";
        let name = self.0.get(NAME).map_or("", String::as_str);
        f.write_str(name)?;
        let mut labels = self.0.iter().filter(|(label, _)| *label != NAME).peekable();
        if labels.peek().is_none() && !name.is_empty() {
            return Ok(());
        }
        f.write_str("{")?;
        for (index, (label, value)) in labels.enumerate() {
            // The escapes of Rust's Debug are those of PromQL, for what labels are made of.
            write!(f, "{}{label}={value:?}", if index > 0 { "," } else { "" })?;
        }
        f.write_str("}")
    }
}

/// `[1241613860.5, "76"]`: seconds since the epoch, and a number as text, as JSON has no `NaN`.
#[derive(Debug, PartialEq)]
pub(super) struct Point(pub Wall, pub f64);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = Point;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time and a number as text")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Point, A::Error> {
                let wrong = || A::Error::custom("a value is not a time and a number as text");
                let at: f64 = pair.next_element()?.ok_or_else(wrong)?;
                let Number(value) = pair.next_element()?.ok_or_else(wrong)?;
                if pair.next_element::<IgnoredAny>()?.is_some() {
                    return Err(wrong());
                }
                let at = super::super::time::of_float(at).map_err(A::Error::custom)?;
                Ok(Point(Wall(at), value))
            }
        }
        from.deserialize_seq(Pair)
    }
}

struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number as text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::custom(format!("`{text}` is not a number")))
            }
        }
        from.deserialize_str(Text)
    }
}
