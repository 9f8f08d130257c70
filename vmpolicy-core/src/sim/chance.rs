//! Chance with a seed: the same draws on every machine, and a stream of its own for everything that draws.
//!
//! A world has one [`Seed`]. Whatever is random in it takes a [stream](Seed::stream) by a purpose and an index, such as
//! the load of guest 7. Streams don't depend on each other: one more guest, or one more draw elsewhere, changes nothing here.
//! The generator is ChaCha with eight rounds (Bernstein 2008), whose output is specified bit by bit; the logarithm is
//! `libm`'s, which is the same code everywhere.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::time::Span;

/// What a whole world's chance follows from.
///
/// ```
/// use vmpolicy_core::sim::chance::Seed;
/// let (mut one, mut same) = (Seed(7).stream("load", 3), Seed(7).stream("load", 3));
/// assert_eq!(one.uniform(), same.uniform());
/// assert_ne!(Seed(7).stream("load", 4).uniform(), Seed(7).stream("fault", 3).uniform());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Seed(pub u64);

impl Seed {
    /// The stream for this purpose and index.
    ///
    /// Purpose and seed are the generator's key and the index is its nonce, so that no two streams are alike.
    ///
    /// # Panics
    /// Where the purpose is longer than 24 bytes: it is a name in the code, not input.
    #[must_use]
    pub fn stream(self, purpose: &'static str, index: u64) -> Chance {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.0.to_le_bytes());
        key[8..][..purpose.len()].copy_from_slice(purpose.as_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(index);
        Chance { generator }
    }
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Chance {
    generator: ChaCha8Rng,
}

impl Chance {
    /// Any of the 2⁶⁴ numbers of 64 bits, for instance to seed something else.
    #[must_use]
    pub fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// A number from 0 (included) to 1 (excluded), each multiple of 2⁻⁵³ as likely as any other.
    #[must_use]
    pub fn uniform(&mut self) -> f64 {
        const STEPS: f64 = (1_u64 << 53) as f64;
        (self.bits() >> 11) as f64 / STEPS
    }

    /// Whether something comes about that does so with this probability. It draws once whatever the probability is.
    #[must_use]
    pub fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// An exponentially distributed number with this mean, by inversion: −mean · ln(1 − u). At most 36.8 times the mean.
    #[must_use]
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.uniform())
    }

    /// A whole number below `n`, each as likely as any other; 0 where `n` is 0.
    ///
    /// By multiplication, with rejection of what would be likelier (Lemire 2019, algorithm 5).
    #[must_use]
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let unfair = n.wrapping_neg() % n;
        loop {
            let wide = u128::from(self.bits()) * u128::from(n);
            if wide as u64 >= unfair {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A whole number of milliseconds from `least` to `most`, both included; `least` where `most` is not larger.
    #[must_use]
    pub fn span(&mut self, least: Span, most: Span) -> Span {
        let choices = most.millis().saturating_sub(least.millis()).saturating_add(1);
        Span::from_millis(least.millis().saturating_add(self.below(choices)))
    }

    /// An exponentially distributed span with this mean, rounded to a millisecond.
    #[must_use]
    pub fn exponential_span(&mut self, mean: Span) -> Span {
        Span::from_millis((self.exponential(mean.millis() as f64) + 0.5) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These values may never change: a seed in somebody's notes must mean the same world in every release.
    #[test]
    fn the_draws_of_a_seed_are_fixed() {
        let mut chance = Seed(2_009).stream("load", 3);
        let bits: Vec<u64> = (0..3).map(|_| chance.bits()).collect();
        let numbers = [chance.uniform(), chance.exponential(60.0)].map(f64::to_bits);
        let spans = [
            chance.span(Span::from_secs(1), Span::from_secs(9)),
            chance.exponential_span(Span::from_mins(1)),
        ];
        assert_eq!(bits, [9_151_001_183_628_700_776, 6_012_640_569_882_953_922, 1_640_606_168_957_098_983]);
        assert_eq!(numbers, [4_585_432_892_410_508_656, 4_624_529_087_086_249_322]);
        assert_eq!((chance.below(1_000), spans.map(Span::millis)), (913, [1_369, 142_002]));
    }

    /// The first block of ChaCha8 with a key and nonce of zeros, from the test vectors of Strombergson's Internet draft
    /// (draft-strombergson-chacha-test-vectors-01, TC1, 8 rounds, 256 bits: `3e00ef2f895f40d6..`).
    #[test]
    fn the_generator_is_chacha8() {
        let mut chance = Seed(0).stream("", 0);
        assert_eq!(chance.bits().to_le_bytes(), [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);
    }

    #[test]
    fn streams_share_nothing() {
        let draws = |purpose, index| {
            let mut chance = Seed(1).stream(purpose, index);
            (0..64).map(|_| chance.bits()).collect::<Vec<_>>()
        };
        let streams =
            [draws("a", 0), draws("a", 1), draws("a", 1 << 40), draws("b", 0), draws("ab", 0), draws("", 0)];
        for (at, one) in streams.iter().enumerate() {
            for other in &streams[at + 1..] {
                assert!(one.iter().all(|draw| !other.contains(draw)));
            }
        }
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut chance = Seed(5).stream("test", 0);
        let draws = 100_000;
        let mean = |of: &mut dyn FnMut() -> f64| (0..draws).map(|_| of()).sum::<f64>() / f64::from(draws);
        // Within five standard errors: 1/√12, 1, and for the counts √(p(1-p)), over √100,000.
        assert!((mean(&mut || chance.uniform()) - 0.5).abs() < 0.0046);
        assert!((mean(&mut || chance.exponential(1.0)) - 1.0).abs() < 0.016);
        assert!((mean(&mut || f64::from(u8::from(chance.happens(0.1)))) - 0.1).abs() < 0.005);
        assert!((mean(&mut || f64::from(u8::from(chance.below(7) == 6))) - 1.0 / 7.0).abs() < 0.006);
    }

    #[test]
    fn the_edges_of_ranges() {
        let mut chance = Seed(5).stream("test", 1);
        assert_eq!((chance.below(0), chance.below(1)), (0, 0));
        let (least, most) = (Span::from_millis(3), Span::from_millis(5));
        let seen: std::collections::BTreeSet<u64> =
            (0..100).map(|_| chance.span(least, most).millis()).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(chance.span(most, least), most);
        let _ = chance.span(Span::ZERO, Span::from_millis(u64::MAX));
        assert!(!chance.happens(0.0) && chance.happens(1.0));
        assert_eq!(chance.exponential_span(Span::ZERO), Span::ZERO);
    }
}
