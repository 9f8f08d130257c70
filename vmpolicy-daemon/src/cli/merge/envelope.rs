//! A form for results that consist of numbered items, such as the worlds of a verification.
//!
//! ```json
//! { "command": "verify", "provenance": {..}, "shard": { "index": 1, "count": 4 },
//!   "options": {..}, "totals": { "worlds": 25 }, "items": [ { "index": 0, .. }, { "index": 4, .. } ] }
//! ```
//!
//! A shard has the items whose numbers it [takes](Shard::takes_number). Joined, the options are the same in all,
//! the totals (whole numbers by name) are added, and the items stand in the order of their numbers; so a
//! whole run that prints the same form, without `shard`, prints the same bytes. Items need not be there for every
//! number: a run may only list what it found.

use super::{MergeError, Shards, same, same_keys};
use crate::provenance::Provenance;
use crate::shard::Shard;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A result, or a shard of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Envelope {
    /// Which command's result it is.
    pub command: String,
    pub provenance: Provenance,
    /// Left out where it is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// What has to be the same in all shards.
    pub options: Map<String, Value>,
    /// What is added.
    #[serde(with = "totals")]
    pub totals: Vec<(String, u64)>,
    /// What was found, in order.
    pub items: Vec<Item>,
}

/// An item: its number, and whatever the command has to say of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Item {
    /// Counted from 0, over all shards.
    pub index: u64,
    #[serde(flatten)]
    pub says: Map<String, Value>,
}

impl Envelope {
    /// As it is printed.
    pub(in crate::cli) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// Reads a shard.
    pub(super) fn read(value: Value) -> Result<(Self, Shard), String> {
        let envelope: Self = serde_json::from_value(value).map_err(|error| error.to_string())?;
        let shard = envelope.shard.ok_or("it says nothing of a shard")?;
        Ok((envelope, shard))
    }

    /// The whole of it.
    pub(super) fn join(parts: Shards<(Self, Shard)>) -> Result<Self, MergeError> {
        let (file, (first, _)) = parts.first();
        for (other, (part, shard)) in parts.iter() {
            let files = (file, other);
            for difference in first.provenance.differences(&part.provenance) {
                same(files, difference.what, difference.one, difference.another)?;
            }
            let options = |part: &Self| Value::Object(part.options.clone());
            same_keys(files, "option", &options(first), &options(part))?;
            let names = |part: &Self| {
                part.totals.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
            };
            same(files, "totals", names(first), names(part))?;
            if let Some(stray) = part.items.iter().find(|item| !shard.takes_number(item.index)) {
                return Err(MergeError::Stray { file: other.to_owned(), index: stray.index, shard: *shard });
            }
        }
        let mut whole = Self { shard: None, items: Vec::new(), ..first.clone() };
        whole.totals.iter_mut().for_each(|(_, sum)| *sum = 0);
        for (part, _) in parts.into_parts() {
            for ((_, sum), (_, more)) in whole.totals.iter_mut().zip(&part.totals) {
                *sum = sum.saturating_add(*more);
            }
            whole.items.extend(part.items);
        }
        whole.items.sort_by_key(|item| item.index);
        Ok(whole)
    }
}

/// For people: what it is of, and the totals.
impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:10} {}", self.command, self.provenance)?;
        for (name, total) in &self.totals {
            writeln!(f, "{name:10} {total}")?;
        }
        writeln!(f, "{:10} {}", "items", self.items.len())
    }
}

/// Whole numbers by name, in their order.
mod totals {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(totals: &[(String, u64)], to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(totals.iter().map(|(name, total)| (name, total)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, u64)>, D::Error> {
        let map = serde_json::Map::deserialize(from)?;
        map.into_iter()
            .map(|(name, total)| match total.as_u64() {
                Some(total) => Ok((name, total)),
                None => Err(serde::de::Error::custom(format!("the total `{name}` is no whole number"))),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::join;
    use super::*;
    use proptest::prelude::*;

    fn envelope(shard: Option<Shard>, worlds: u64) -> Envelope {
        let mine = (0..worlds).filter(|world| shard.is_none_or(|shard| shard.takes_number(*world)));
        let mine: Vec<u64> = mine.collect();
        let says = |world: u64| {
            let value = serde_json::json!({ "z": world as f64 / 7.0, "a": { "y": [world], "b": null } });
            value.as_object().expect("an object").clone()
        };
        let provenance =
            Provenance { engine: "0.1.0".to_owned(), policy: "00".to_owned(), seed: Some(1), zones: None };
        Envelope {
            command: "verify".to_owned(),
            provenance,
            shard,
            options: says(3),
            totals: vec![("worlds".to_owned(), mine.len() as u64), ("faults".to_owned(), mine.iter().sum())],
            items: mine
                .into_iter()
                .filter(|world| world % 3 == 0)
                .map(|world| Item { index: world, says: says(world) })
                .collect(),
        }
    }

    fn parts(worlds: u64, count: u32) -> Vec<(String, Value)> {
        let part = |index| {
            let json = envelope(Shard::new(index, count).ok(), worlds).json().expect("plain");
            (format!("{index}.json"), serde_json::from_str(&json).expect("as written"))
        };
        (1..=count).map(part).collect()
    }

    fn joined(parts: Vec<(String, Value)>) -> Result<String, MergeError> {
        join(parts).map(|joined| joined.json.expect("plain"))
    }

    proptest! {
        #[test]
        fn shards_joined_are_the_whole_byte_for_byte(worlds in 0_u64..60, count in 1_u32..9, turn in 0_usize..9) {
            let mut all = parts(worlds, count);
            all.rotate_left(turn % count as usize);
            prop_assert_eq!(joined(all), Ok(envelope(None, worlds).json().expect("plain")));
        }
    }

    #[test]
    fn what_does_not_belong_together_is_told() {
        let changed = |at: usize, pointer: &str, value: Value| {
            let mut all = parts(10, 3);
            *all[at].1.pointer_mut(pointer).expect("it is there") = value;
            all
        };
        let mut missing = parts(10, 4);
        drop(missing.drain(1..3));
        let mut double = parts(10, 3);
        double[2] = ("copy.json".to_owned(), double[0].1.clone());
        let mut other_count = parts(10, 3);
        other_count[1] = ("2of4.json".to_owned(), parts(10, 4)[1].1.clone());
        let mut whole = parts(10, 2);
        whole[0].1.as_object_mut().expect("an object").shift_remove("shard");
        let cases = [
            ("a missing one", missing),
            ("a double one", double),
            ("another number", other_count),
            ("a whole one", whole),
            ("another version", changed(1, "/provenance/engine", "0.2.0".into())),
            ("another policy", changed(2, "/provenance/policy", "ff".into())),
            ("another seed", changed(1, "/provenance/seed", 2.into())),
            ("other zones", changed(1, "/provenance/zones", "2026a".into())),
            ("other options", changed(1, "/options/z", 9.into())),
            ("another command", changed(1, "/command", "prove".into())),
            ("a stray item", changed(0, "/items/0/index", 1.into())),
            ("a wrong shard", changed(1, "/shard/index", 7.into())),
            ("no totals", changed(1, "/totals/worlds", "many".into())),
            ("no result", vec![("a.json".to_owned(), 7.into())]),
        ];
        let told: Vec<String> = cases
            .into_iter()
            .map(|(name, parts)| format!("{name}: {}", joined(parts).expect_err("can't be joined")))
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
