//! YAML as a program writes it: short things on one line, long ones over several.

use core::fmt::{Display, Write as _};

/// Longer lines are broken where that is possible.
const WIDTH: usize = 110;

/// A value to be written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Yaml {
    /// A text, in quotes where YAML would take it apart.
    Text(String),
    /// A list.
    List(Vec<Yaml>),
    /// Keys and values, in their order.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    pub(super) fn text(value: impl Display) -> Self {
        Self::Text(value.to_string())
    }

    /// A number that is read back as the same: shortest digits, an exponent where there would be many zeros.
    pub(super) fn number(value: f64) -> Self {
        let text = format!("{value:?}");
        Self::Text(text.strip_suffix(".0").unwrap_or(&text).to_owned())
    }

    /// Bytes, in the largest unit that divides them.
    pub(super) fn bytes(value: f64, per_second: bool) -> Self {
        let units =
            [("TiB", 1_099_511_627_776.0), ("GiB", 1_073_741_824.0), ("MiB", 1_048_576.0), ("KiB", 1_024.0)];
        let whole = |size: f64| value >= size && value % size == 0.0;
        let (unit, size) = units.into_iter().find(|&(_, size)| whole(size)).unwrap_or(("B", 1.0));
        let second = if per_second { "/s" } else { "" };
        Self::Text(format!("{}{unit}{second}", value / size))
    }

    /// A map with one key.
    pub(super) fn one(key: &str, value: Self) -> Self {
        Self::Map(vec![(key.to_owned(), value)])
    }

    /// The document.
    pub(super) fn document(&self) -> String {
        let mut out = String::new();
        match self {
            // The sections of a file stand below each other.
            Self::Map(pairs) => pairs.iter().for_each(|(key, value)| pair(&mut out, 0, key, value, true)),
            _ => self.flow(&mut out),
        }
        out
    }

    /// On one line.
    fn flow(&self, out: &mut String) {
        match self {
            Self::Text(text) => quoted(out, text),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    item.flow(out);
                }
                out.push(']');
            }
            Self::Map(pairs) if pairs.is_empty() => out.push_str("{}"),
            Self::Map(pairs) => {
                out.push_str("{ ");
                for (index, (key, value)) in pairs.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    quoted(out, key);
                    out.push_str(": ");
                    value.flow(out);
                }
                out.push_str(" }");
            }
        }
    }

    /// The line that it fits on, beside so much.
    fn on_a_line(&self, beside: usize) -> Option<String> {
        let mut line = String::new();
        self.flow(&mut line);
        let short = matches!(self, Self::Text(_)) || beside + line.chars().count() <= WIDTH;
        short.then_some(line)
    }

    /// Below a key or a dash, each part on a line of its own.
    fn block(&self, out: &mut String, indent: usize) {
        match self {
            Self::Text(text) => quoted(out, text),
            Self::Map(pairs) => {
                for (key, value) in pairs {
                    pair(out, indent, key, value, false);
                }
            }
            Self::List(items) => {
                for item in items {
                    let _ = write!(out, "{:indent$}- ", "");
                    match (item.on_a_line(indent + 2), item) {
                        (None, Self::Map(_)) => {
                            // The first key stands beside the dash.
                            let at = out.len();
                            item.block(out, indent + 2);
                            out.replace_range(at..at + indent + 2, "");
                        }
                        (line, _) => {
                            let mut flow = String::new();
                            item.flow(&mut flow);
                            out.push_str(&line.unwrap_or(flow));
                            out.push('\n');
                        }
                    }
                }
            }
        }
    }
}

fn pair(out: &mut String, indent: usize, key: &str, value: &Yaml, section: bool) {
    let _ = write!(out, "{:indent$}", "");
    quoted(out, key);
    out.push(':');
    let nested = |value: &Yaml| matches!(value, Yaml::List(_) | Yaml::Map(_));
    let sections = section
        && match value {
            Yaml::List(items) => items.iter().any(nested),
            Yaml::Map(pairs) => pairs.iter().any(|(_, value)| nested(value)),
            Yaml::Text(_) => false,
        };
    let line = if sections { None } else { value.on_a_line(indent + key.chars().count() + 2) };
    match line {
        Some(line) => {
            let _ = writeln!(out, " {line}");
        }
        None => {
            out.push('\n');
            value.block(out, indent + 2);
        }
    }
}

/// A text as it can stand anywhere, in `{ }` and `[ ]` too.
fn quoted(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            _ if c.is_alphanumeric() => out.push(c),
            _ => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
    }
    out.push('"');
}

/// Whether it means itself without quotes. That some that would are quoted does no harm.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/');
    let first =
        bytes.first().is_some_and(|&byte| word(byte) || byte == b'-' && bytes.len() > 1 && word(bytes[1]));
    let last = bytes.last().is_some_and(|&byte| word(byte) || byte == b'%');
    let inner = |(at, &byte): (usize, &u8)| match byte {
        b' ' | b'-' | b'+' | b'<' | b'>' | b'=' | b'%' => true,
        // A time of the day.
        b':' => at > 0 && bytes[at - 1].is_ascii_digit() && bytes.get(at + 1).is_some_and(u8::is_ascii_digit),
        _ => word(byte),
    };
    let null = matches!(text, "null" | "Null" | "NULL");
    first && last && !null && !text.starts_with("...") && bytes.iter().enumerate().all(inner)
}

#[cfg(test)]
mod tests {
    use super::super::node::{self, Value};
    use super::*;
    use proptest::prelude::*;

    fn same(written: &Yaml, read: &node::Node) -> bool {
        match (written, &read.value) {
            (Yaml::Text(written), Value::Scalar { text, .. }) => {
                written == text && !(written.is_empty() && read.is_null())
            }
            (Yaml::List(written), Value::Seq(items)) => {
                written.len() == items.len() && written.iter().zip(items).all(|(w, r)| same(w, r))
            }
            (Yaml::Map(written), Value::Map(pairs)) => {
                written.len() == pairs.len()
                    && written
                        .iter()
                        .zip(pairs)
                        .all(|((key, value), (k, v))| same(&Yaml::Text(key.clone()), k) && same(value, v))
            }
            _ => false,
        }
    }

    fn any_yaml() -> impl Strategy<Value = Yaml> {
        let text =
            prop_oneof!["\\PC{0,12}", "[a-z0-9 :,.{}#&*!|>'\"%@`\\[\\]\n\t-]{0,9}", Just("null".to_owned())];
        let text = text.prop_map(Yaml::Text);
        text.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Yaml::List),
                prop::collection::btree_map("[a-z ]{0,3}|\\PC{0,5}", inner, 0..5)
                    .prop_map(|map| Yaml::Map(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_back(sections in prop::collection::btree_map("[a-z]{1,3}", any_yaml(), 1..5)) {
            let yaml = Yaml::Map(sections.into_iter().collect());
            let text = yaml.document();
            let (read, problems) = node::read(&text);
            prop_assert!(problems.is_empty(), "{text}\n{problems:?}");
            prop_assert!(same(&yaml, &read.expect("a document")), "{text}");
        }

        #[test]
        fn numbers_are_read_back(value in any::<f64>().prop_filter("a number", |value| value.is_finite())) {
            let Yaml::Text(text) = Yaml::number(value) else { unreachable!("a text") };
            prop_assert_eq!(super::super::scalar::number(&text).map(f64::to_bits), Some(value.to_bits()));
        }

        #[test]
        fn amounts_are_read_back(bytes in 0_u64..1 << 53, scale in 0_u32..40) {
            let bytes = (bytes >> scale << scale) as f64;
            let Yaml::Text(text) = Yaml::bytes(bytes, true) else { unreachable!("a text") };
            prop_assert_eq!(super::super::scalar::data(&text, true), Some(bytes), "{}", text);
        }
    }
}
