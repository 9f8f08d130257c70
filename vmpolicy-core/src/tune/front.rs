//! What a candidate is worth, and which candidates nothing beats.

use super::space::Candidate;
use core::cmp::Ordering;

/// What a candidate came to, the less the better in each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// Requests for moves.
    pub moves: u64,
    /// What it cost, in the currency of the policy or in hours off the base; finite.
    pub cost: f64,
    /// Milliseconds in breach.
    pub breach_ms: u64,
}

impl Worth {
    /// The three as numbers, in the order of the fields.
    #[must_use]
    pub const fn axes(&self) -> [f64; 3] {
        [self.moves as f64, self.cost, self.breach_ms as f64]
    }

    /// Whether this is no worse in anything and better in something (Pareto).
    #[must_use]
    pub fn dominates(&self, other: &Self) -> bool {
        let (one, other) = (self.axes(), other.axes());
        one.iter().zip(&other).all(|(one, other)| one <= other) && one != other
    }

    fn order(&self, other: &Self) -> Ordering {
        self.moves
            .cmp(&other.moves)
            .then(self.cost.total_cmp(&other.cost))
            .then(self.breach_ms.cmp(&other.breach_ms))
    }
}

/// A candidate and what it is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The candidate.
    pub candidate: Candidate,
    /// What it came to.
    pub worth: Worth,
    /// How many values it changes, and by how many levels in all.
    pub change: (u32, u64),
}

impl Member {
    /// Of two that came to the same, the one that changes less; some order where that is the same, too.
    fn less_changed(&self, other: &Self) -> bool {
        (self.change, &self.candidate) <= (other.change, &other.candidate)
    }
}

/// The candidates that no other one dominates, those with few moves first.
///
/// Of candidates that came to exactly the same, the one that changes least is kept. So a front depends on what was
/// put into it and not on the order, and fronts of parts of a search can be joined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Front {
    members: Vec<Member>,
}

impl Front {
    /// The members: fewest moves first, then least cost, then least breach.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Puts a candidate in, if nothing beats it; what it beats goes.
    pub fn add(&mut self, new: Member) {
        for old in &self.members {
            if old.worth.dominates(&new.worth) {
                return;
            }
            if old.worth == new.worth && old.less_changed(&new) {
                return;
            }
        }
        self.members.retain(|old| !new.worth.dominates(&old.worth) && old.worth != new.worth);
        let at = self.members.partition_point(|old| old.worth.order(&new.worth).is_lt());
        self.members.insert(at, new);
    }

    /// Puts all members of another one in.
    pub fn join(&mut self, other: Self) {
        for member in other.members {
            self.add(member);
        }
    }

    /// At most so many members that lie well apart, as numbers into [`members`](Self::members), in their order: the best in each of the
    /// three first, then always the one that is farthest from those chosen, each axis measured by its extent.
    #[must_use]
    pub fn spread(&self, most: usize) -> Vec<usize> {
        let points: Vec<[f64; 3]> = self.members.iter().map(|member| member.worth.axes()).collect();
        if points.len() <= most {
            return (0..points.len()).collect();
        }
        let extent = [0, 1, 2].map(|axis| {
            let values = || points.iter().map(|point| point[axis]);
            let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
            if high > low { high - low } else { 1.0 }
        });
        let mut chosen: Vec<usize> = Vec::new();
        for axis in 0..3 {
            let best = (0..points.len()).min_by(|&a, &b| points[a][axis].total_cmp(&points[b][axis]));
            chosen.extend(best.filter(|best| !chosen.contains(best)));
        }
        chosen.truncate(most);
        let apart = |a: usize, b: usize| -> f64 {
            (0..3).map(|axis| (points[a][axis] - points[b][axis]) / extent[axis]).map(|gap| gap * gap).sum()
        };
        let mut nearest: Vec<f64> = (0..points.len())
            .map(|one| chosen.iter().map(|&other| apart(one, other)).fold(f64::INFINITY, f64::min))
            .collect();
        while chosen.len() < most {
            // The first of equals: `max_by` would take the last.
            let farthest = (0..points.len()).rev().max_by(|&a, &b| nearest[a].total_cmp(&nearest[b]));
            let Some(farthest) = farthest else { break };
            chosen.push(farthest);
            for (one, near) in nearest.iter_mut().enumerate() {
                *near = near.min(apart(one, farthest));
            }
        }
        chosen.sort_unstable();
        chosen
    }
}

/// Non-dominated sorting and crowding distances of NSGA-II (Deb, Pratap, Agarwal and Meyarivan 2002): for each, in how many fronts'
/// depth it lies, and how much room it has there. Less depth is better, then more room.
pub(super) fn ranked(worths: &[Worth]) -> Vec<(u32, f64)> {
    let mut ranks: Vec<(u32, f64)> = vec![(u32::MAX, 0.0); worths.len()];
    let mut left: Vec<usize> = (0..worths.len()).collect();
    let mut depth = 0;
    while !left.is_empty() {
        let (front, behind): (Vec<usize>, Vec<usize>) =
            left.iter().partition(|&&one| !left.iter().any(|&other| worths[other].dominates(&worths[one])));
        for &one in &front {
            ranks[one].0 = depth;
        }
        for axis in 0..3 {
            let at = |one: usize| worths[one].axes()[axis];
            let mut order = front.clone();
            order.sort_by(|&a, &b| at(a).total_cmp(&at(b)).then(a.cmp(&b)));
            let (Some(&first), Some(&last)) = (order.first(), order.last()) else { break };
            let extent = at(last) - at(first);
            ranks[first].1 = f64::INFINITY;
            ranks[last].1 = f64::INFINITY;
            if extent > 0.0 {
                for three in order.windows(3) {
                    ranks[three[1]].1 += (at(three[2]) - at(three[0])) / extent;
                }
            }
        }
        left = behind;
        depth += 1;
    }
    ranks
}
