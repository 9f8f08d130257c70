//! A slow, obvious simulation of the queue, event by event: Poisson arrivals, exponential work, processor sharing.

use crate::sim::chance::{Chance, Seed};

/// What is simulated; times are in units of a query's mean time alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queue {
    pub(super) servers: u32,
    pub(super) places: usize,
    chance_index: u64,
}

impl Queue {
    pub(super) const fn new(servers: u32, places: usize) -> Self {
        Self { servers, places, chance_index: 0 }
    }

    pub(super) const fn again(self, index: u64) -> Self {
        Self { chance_index: index, ..self }
    }

    pub(super) fn run(self) -> Running {
        let chance = Seed(1917).stream("reference", self.chance_index);
        Running {
            queue: self,
            chance,
            now: 0.0,
            present: Vec::new(),
            answered: Vec::new(),
            refused: 0,
            area: 0.0,
        }
    }
}

/// The queue at a time.
#[derive(Clone, Debug)]
pub(super) struct Running {
    queue: Queue,
    chance: Chance,
    now: f64,
    /// When each came, and what is left of its work.
    present: Vec<(f64, f64)>,
    /// The response times, in the order of the answers.
    pub(super) answered: Vec<f64>,
    pub(super) refused: u64,
    /// The integral of how many are present.
    pub(super) area: f64,
}

impl Running {
    pub(super) fn present(&self) -> usize {
        self.present.len()
    }

    /// Goes on until `end` at this rate of arrivals.
    pub(super) fn until(&mut self, end: f64, rate: f64) {
        // The exponential distribution has no memory: a new draw at a new rate is as good as the old one.
        let mut comes = self.now + self.chance.exponential(1.0 / rate);
        loop {
            let count = self.present.len();
            let speed = f64::from(self.queue.servers).min(count as f64) / count as f64;
            let least = self.present.iter().map(|one| one.1).fold(f64::INFINITY, f64::min);
            let next = comes.min(self.now + least / speed).min(end);
            let passed = next - self.now;
            self.area += passed * count as f64;
            for one in &mut self.present {
                one.1 -= passed * speed;
            }
            self.now = next;
            if next == end {
                return;
            }
            if next < comes {
                let first = (0..count).min_by(|&a, &b| self.present[a].1.total_cmp(&self.present[b].1));
                let (came, _) = self.present.swap_remove(first.expect("somebody is there"));
                self.answered.push(self.now - came);
                continue;
            }
            comes = self.now + self.chance.exponential(1.0 / rate);
            if count < self.queue.places {
                let work = self.chance.exponential(1.0);
                self.present.push((self.now, work));
            } else {
                self.refused += 1;
            }
        }
    }
}
