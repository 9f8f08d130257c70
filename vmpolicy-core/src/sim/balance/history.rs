//! What each guest used at the last decisions: thirty samples, as in CloudSim's `PowerVm`.

/// How many samples are kept of each guest.
pub const LENGTH: usize = 30;

/// A host's past, newest first, as shares of its capacity.
pub type Past = [f64; LENGTH];

/// The share of its virtual processor that each guest wanted at the last [`LENGTH`] decisions.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// A ring for each guest, all with the same newest slot.
    rings: Vec<Past>,
    newest: usize,
    len: usize,
}

impl History {
    /// An empty history of so many guests.
    #[must_use]
    pub fn new(guests: usize) -> Self {
        Self { rings: vec![[0.0; LENGTH]; guests], newest: 0, len: 0 }
    }

    /// How many samples there are of each guest, at most [`LENGTH`].
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was recorded yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a sample of every guest: what it wants, and what it could use at most. A guest of no size wants nothing.
    ///
    /// # Panics
    ///
    /// Where there are not as many of either as guests.
    pub fn record(&mut self, demand: &[f64], size: &[f64]) {
        assert!(demand.len() == self.rings.len() && size.len() == self.rings.len(), "a row a guest");
        self.newest = (self.newest + LENGTH - 1) % LENGTH;
        self.len = (self.len + 1).min(LENGTH);
        for ((ring, demand), size) in self.rings.iter_mut().zip(demand).zip(size) {
            ring[self.newest] = if *size > 0.0 { demand / size } else { 0.0 };
        }
    }

    /// Adds a guest's past, times `weight`, to a host's.
    #[inline]
    pub fn add(&self, guest: usize, weight: f64, past: &mut Past) {
        let ring = &self.rings[guest];
        let (before, from) = ring.split_at(self.newest);
        for (sum, sample) in past.iter_mut().zip(from.iter().chain(before)) {
            *sum += sample * weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first_and_the_oldest_fall_out() {
        let mut history = History::new(2);
        assert!(history.is_empty());
        for sample in 1..=40_u32 {
            history.record(&[f64::from(sample), 5.0], &[100.0, 0.0]);
        }
        assert_eq!(history.len(), LENGTH);
        let mut past = [0.0; LENGTH];
        history.add(0, 100.0, &mut past);
        history.add(1, 100.0, &mut past);
        let want: Vec<f64> = (11..=40).rev().map(f64::from).collect();
        assert_eq!(past.map(f64::round).to_vec(), want);
    }
}
