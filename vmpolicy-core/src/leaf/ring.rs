//! Hosts as arrays (thesis 3.4.1): a ring in order of priority, stepped through with wrapping, and
//! re-prioritised by sorting anew.
//!
//! Positions are numbers from 0; who they are is the caller's to know. The base is outside the ring and
//! has no position.

/// A ring of so many hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    len: u16,
}

impl Ring {
    /// A ring of `len` hosts.
    #[must_use]
    pub const fn new(len: u16) -> Self {
        Self { len }
    }

    /// All positions in the order in which `move` tries them: the one after `from`, and so on, wrapping
    /// round; `from` itself is not among them. From nowhere, all from the first.
    ///
    /// ```
    /// use vmpolicy_core::leaf::ring::Ring;
    /// let ring = Ring::new(5);
    /// assert_eq!(ring.after(Some(3)).collect::<Vec<_>>(), [4, 0, 1, 2]);
    /// assert_eq!(ring.after(None).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    /// ```
    pub fn after(self, from: Option<u16>) -> impl Iterator<Item = u16> + use<> {
        let (start, count) = match from {
            Some(from) if from < self.len => (from + 1, self.len - 1),
            _ => (0, self.len),
        };
        (0..count).map(move |step| {
            let position = u32::from(start) + u32::from(step);
            let len = u32::from(self.len);
            u16::try_from(if position >= len { position - len } else { position }).unwrap_or(0)
        })
    }

    /// One step towards the first host; none at the end.
    #[must_use]
    pub const fn up(self, from: u16) -> Option<u16> {
        if from == 0 || from >= self.len { None } else { Some(from - 1) }
    }

    /// One step towards the last host; none at the end.
    #[must_use]
    pub const fn down(self, from: u16) -> Option<u16> {
        if from.saturating_add(1) >= self.len { None } else { Some(from + 1) }
    }
}

/// Sorts a ring by a published ranking: those that it names first, in its order, the rest after them in
/// theirs. What the ranking names twice counts once; what is not of the ring does not count. It takes as long as there
/// are hosts, and no memory.
///
/// ```
/// use vmpolicy_core::leaf::ring::reranked;
/// assert_eq!(reranked(4, [2, 0, 2, 9].into_iter()).collect::<Vec<_>>(), [2, 0, 1, 3]);
/// ```
pub fn reranked(len: u16, ranking: impl Iterator<Item = u16>) -> impl Iterator<Item = u16> {
    let mut seen = Seen([0; WORDS]);
    ranking.chain(0..len).filter(move |&at| at < len && seen.first(at))
}

/// A bit for each place of the longest ring.
struct Seen([u64; WORDS]);

const WORDS: usize = (u16::MAX as usize + 1) / 64;

impl Seen {
    /// Whether this one was not seen before; from now on it was.
    fn first(&mut self, at: u16) -> bool {
        let (word, bit) = (&mut self.0[usize::from(at / 64)], 1_u64 << (at % 64));
        let first = *word & bit == 0;
        *word |= bit;
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ends_of_the_ring_stop_up_and_down() {
        let ring = Ring::new(3);
        assert_eq!([ring.up(0), ring.up(1), ring.up(2), ring.up(3)], [None, Some(0), Some(1), None]);
        assert_eq!([ring.down(0), ring.down(1), ring.down(2)], [Some(1), Some(2), None]);
        assert_eq!(Ring::new(1).after(Some(0)).count(), 0);
    }

    proptest! {
        #[test]
        fn after_visits_every_other_host_once(len in 1_u16..900, from in 0_u16..900) {
            prop_assume!(from < len);
            let mut seen: Vec<_> = Ring::new(len).after(Some(from)).collect();
            prop_assert_eq!(seen.first().copied(), (len > 1).then(|| (from + 1) % len));
            seen.push(from);
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..len).collect::<Vec<_>>());
        }

        #[test]
        fn reranking_is_a_permutation(ranking in prop::collection::vec(0_u16..9, 0..12)) {
            let all: Vec<_> = reranked(7, ranking.iter().copied()).collect();
            let mut sorted = all.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..7).collect::<Vec<_>>());
            let mut named: Vec<u16> = Vec::new();
            for at in ranking {
                if at < 7 && !named.contains(&at) {
                    named.push(at);
                }
            }
            prop_assert_eq!(&all[..named.len()], named);
        }
    }
}
