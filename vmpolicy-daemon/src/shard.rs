//! `--shard I/N`: a part of the work that any machine can do by itself, knowing only the part's number.
//!
//! Who does what depends on nothing but the number and the key: not on the other shards, the order of the work, the
//! machine or the version of a library. So a shard can run anywhere, again, or late, and `vmpolicy merge` joins what
//! came out.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// More shards than any cluster has places for is a slip.
const COUNT_MAX: u32 = 1_000_000;

/// One of several equal parts of the work.
///
/// ```
/// use vmpolicy_daemon::shard::Shard;
/// let shards: Vec<Shard> = (1..=4).map(|index| format!("{index}/4").parse().unwrap()).collect();
/// assert_eq!(shards.iter().filter(|shard| shard.takes_name("web1")).count(), 1);
/// assert!(shards[1].takes_number(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Written")]
pub struct Shard {
    /// Which one, counted from 1.
    index: u32,
    /// Of how many.
    count: u32,
}

/// As it stands in a result, before anybody has judged it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    index: u32,
    count: u32,
}

/// Why a text names no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// Not two numbers.
    #[error("expected I/N, such as `1/4` for the first of four")]
    Form,
    /// Parts of nothing.
    #[error("there can't be 0 shards; `1/1` is all of it")]
    NoShards,
    /// More than anybody has.
    #[error("there can't be more than {COUNT_MAX} shards")]
    TooMany,
    /// Counted from 0.
    #[error("shards are counted from 1: the first of {count} is `1/{count}`")]
    Zero {
        /// Of how many.
        count: u32,
    },
    /// Past the last.
    #[error("there is no shard {index} of {count}: the last one is `{count}/{count}`")]
    Past {
        /// Which one.
        index: u32,
        /// Of how many.
        count: u32,
    },
}

impl Shard {
    /// A shard of this number, counted from 1.
    ///
    /// # Errors
    ///
    /// Why there is no such shard.
    pub const fn new(index: u32, count: u32) -> Result<Self, ShardError> {
        match (index, count) {
            (_, 0) => Err(ShardError::NoShards),
            (_, COUNT_MAX..) if count > COUNT_MAX => Err(ShardError::TooMany),
            (0, _) => Err(ShardError::Zero { count }),
            _ if index > count => Err(ShardError::Past { index, count }),
            _ => Ok(Self { index, count }),
        }
    }

    /// Which one, counted from 1.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Of how many.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Whether what has this name (a series, a guest) is in this shard. Exactly one shard takes it.
    #[must_use]
    pub fn takes_name(self, name: &str) -> bool {
        self.is_turn(stable_hash(name.as_bytes()))
    }

    /// Whether what has this number (a world, an island) is in this shard: they are dealt like cards, so that no shard has
    /// more than one more than another. Exactly one shard takes it.
    #[must_use]
    pub const fn takes_number(self, number: u64) -> bool {
        self.is_turn(number)
    }

    const fn is_turn(self, key: u64) -> bool {
        key % self.count as u64 == self.index as u64 - 1
    }
}

/// FNV-1a in 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv), then the finalizer of `SplitMix64` (Steele, Lea and Flood 2014), as the
/// last bytes of a name hardly reach the upper bits of FNV. It is part of what users see: a change would send series
/// to other shards.
#[must_use]
pub fn stable_hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let mut hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (index, count) = text.split_once('/').ok_or(ShardError::Form)?;
        let number = |text: &str| match text.parse::<u32>() {
            // No sign, no space: what a shell script puts together should be just that.
            Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(number),
            Err(error) if *error.kind() == std::num::IntErrorKind::PosOverflow => Err(ShardError::TooMany),
            _ => Err(ShardError::Form),
        };
        Self::new(number(index)?, number(count)?)
    }
}

impl TryFrom<Written> for Shard {
    type Error = ShardError;

    fn try_from(written: Written) -> Result<Self, ShardError> {
        Self::new(written.index, written.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_hash_is_what_it_always_was() {
        // FNV-1a of "" and "a" as the draft has them, cbf29ce484222325 and af63dc4c8601ec8c, and the finalizer
        // worked out by another program.
        let known = [
            ("", 0xf52a_15e9_a9b5_e89b_u64),
            ("a", 0x02c0_bdbf_4814_20f8),
            ("web1", 0x289f_74a5_44c5_8cff),
            ("nii1", 0x149e_971c_75b2_2ac4),
        ];
        for (name, hash) in known {
            assert_eq!(
                stable_hash(name.as_bytes()),
                hash,
                "{name:?}: {:#018x}",
                stable_hash(name.as_bytes())
            );
        }
    }

    #[test]
    fn what_is_no_shard_says_why() {
        let cases = [
            ("", ShardError::Form),
            ("1", ShardError::Form),
            ("a/b", ShardError::Form),
            ("1/", ShardError::Form),
            ("+1/4", ShardError::Form),
            ("1 / 4", ShardError::Form),
            ("-1/4", ShardError::Form),
            ("1/4/2", ShardError::Form),
            ("1/0", ShardError::NoShards),
            ("0/4", ShardError::Zero { count: 4 }),
            ("5/4", ShardError::Past { index: 5, count: 4 }),
            ("1/1000001", ShardError::TooMany),
            ("1/99999999999999", ShardError::TooMany),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Shard>(), Err(error), "{text}");
        }
    }

    #[test]
    fn names_are_spread_evenly() {
        // Names as guests have them differ in their last digits only.
        for count in [2_u32, 3, 4, 7, 16] {
            let mut taken = vec![0_u32; count as usize];
            for number in 0..4_000 {
                let name = format!("nii{number}");
                taken[(stable_hash(name.as_bytes()) % u64::from(count)) as usize] += 1;
            }
            let fair = 4_000 / count;
            assert!(taken.iter().all(|&n| n > fair * 8 / 10 && n < fair * 12 / 10), "{count}: {taken:?}");
        }
    }

    proptest! {
        #[test]
        fn exactly_one_shard_takes_each_key(name in ".{0,12}", number: u64, count in 1_u32..40) {
            let shards = || (1..=count).map(|index| Shard::new(index, count).expect("in range"));
            prop_assert_eq!(shards().filter(|shard| shard.takes_name(&name)).count(), 1);
            prop_assert_eq!(shards().filter(|shard| shard.takes_number(number)).count(), 1);
        }

        #[test]
        fn what_is_printed_is_read_back(index in 1_u32..1_000, more in 0_u32..1_000) {
            let shard = Shard::new(index, index + more).expect("in range");
            prop_assert_eq!(shard.to_string().parse(), Ok(shard));
            let json = serde_json::to_string(&shard).expect("a shard is plain");
            prop_assert_eq!(serde_json::from_str::<Shard>(&json).expect("as written"), shard);
        }
    }

    #[test]
    fn a_result_can_not_name_a_shard_that_is_none() {
        let error = serde_json::from_str::<Shard>(r#"{"index":5,"count":4}"#).expect_err("past the last");
        assert!(error.to_string().contains("no shard 5 of 4"), "{error}");
    }
}
