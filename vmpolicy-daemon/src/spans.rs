//! Spans, times and numbers as results have them: spans are seconds, without `.0` where they are whole, times are RFC 3339 in UTC. What
//! is written is read back, to the millisecond.

/// A span: `#[serde(with = "seconds")]`.
pub(crate) mod seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use vmpolicy_core::time::Span;

    pub(crate) fn serialize<S: Serializer>(span: &Span, to: S) -> Result<S::Ok, S::Error> {
        match span.millis() % 1_000 {
            0 => to.serialize_u64(span.millis() / 1_000),
            _ => to.serialize_f64(span.as_secs_f64()),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
        f64::deserialize(from).and_then(span)
    }

    pub(crate) fn span<E: serde::de::Error>(secs: f64) -> Result<Span, E> {
        let millis = (secs * 1_000.0).round();
        if (0.0..1e18).contains(&millis) {
            Ok(Span::from_millis(millis as u64))
        } else {
            Err(E::custom("a span of time is a number of seconds, and not negative"))
        }
    }
}

/// A span that may not be there: `#[serde(with = "maybe_seconds")]`.
pub(crate) mod maybe_seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use vmpolicy_core::time::Span;

    pub(crate) fn serialize<S: Serializer>(span: &Option<Span>, to: S) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => super::seconds::serialize(span, to),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Span>, D::Error> {
        Option::<f64>::deserialize(from)?.map(super::seconds::span).transpose()
    }
}

/// A number, whole ones without `.0`, as records have them: `#[serde(serialize_with = "number")]`.
pub(crate) fn number<S: serde::Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    // Beyond this, not every whole number is a double.
    if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
        to.serialize_i64(*value as i64)
    } else {
        to.serialize_f64(*value)
    }
}

/// A number that may not be there.
pub(crate) fn maybe_number<S: serde::Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => number(value, to),
        None => to.serialize_none(),
    }
}

/// A time: `#[serde(with = "wall")]`.
pub(crate) mod wall {
    use serde::{Deserialize, Deserializer, Serializer};
    use vmpolicy_core::time::Wall;

    pub(crate) fn serialize<S: Serializer>(at: &Wall, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Wall, D::Error> {
        let text = String::deserialize(from)?;
        crate::trace::parse_time(text.as_bytes()).map(Wall).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};
    use vmpolicy_core::time::{Span, Wall};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        #[serde(with = "super::seconds")]
        span: Span,
        #[serde(with = "super::maybe_seconds")]
        maybe: Option<Span>,
        #[serde(with = "super::wall")]
        at: Wall,
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(span in 0_u64..1 << 42, maybe: Option<u32>, at in -1_i64 << 40..1 << 44) {
            let maybe = maybe.map(|millis| Span::from_millis(millis.into()));
            let all = All { span: Span::from_millis(span), maybe, at: Wall(at) };
            let json = serde_json::to_string(&all).expect("plain");
            prop_assert_eq!(serde_json::from_str::<All>(&json).expect("as written"), all);
        }
    }

    #[test]
    fn a_span_that_is_none_is_refused() {
        for json in
            [r#"{"span":-1,"maybe":null,"at":"2026-01-01T00:00:00Z"}"#, r#"{"span":1,"maybe":null,"at":"x"}"#]
        {
            assert!(serde_json::from_str::<All>(json).is_err(), "{json}");
        }
    }
}
