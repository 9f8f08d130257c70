//! Islands: searches that know nothing of each other, each with its own stream of random numbers.
//!
//! An island begins with the values as they are and a Latin hypercube (McKay, Beckman and Conover 1979), so that
//! every level of every parameter comes by, and goes on as NSGA-II (Deb, Pratap, Agarwal and Meyarivan 2002): parents by
//! tournament of rank and crowding, uniform crossover, mutation by a small step or a jump, the best of parents and
//! children live on. All candidates that were ever tried count for the front, not only the last generation.
//!
//! Where the whole space is smaller than the budget, all of it is tried, and the islands share it out.

use super::front::{Front, Member, Worth, ranked};
use super::space::{Candidate, Space};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeSet;

/// A generation, at most: more is diversity that the budget of an island can't make use of.
const GENERATION_MAX: usize = 48;
/// And at least.
const GENERATION_MIN: usize = 8;
/// How often a child that was tried already is made anew before a random one takes its place.
const AGAIN_MAX: usize = 16;
/// What is asked at a time where everything is tried.
const BATCH: usize = 256;

/// How the search goes: the same plan gives the same candidates, on any machine and any number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the random numbers come from.
    pub seed: u64,
    /// How many candidates to try in all, over all islands.
    pub candidates: u32,
    /// How many islands there are; not zero.
    pub islands: u32,
}

impl Plan {
    /// Whether the budget is enough to try everything.
    #[must_use]
    pub fn is_exhaustive(&self, space: &Space) -> bool {
        space.size() <= u64::from(self.candidates)
    }

    /// The budget of an island: candidates are dealt like cards.
    #[must_use]
    pub const fn budget(&self, index: u32) -> u32 {
        let (each, over) = (self.candidates / self.islands, self.candidates % self.islands);
        each + (index < over) as u32
    }
}

/// What an island has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// How many candidates it tried.
    pub tried: u32,
    /// How many of those were turned down without a trial.
    pub refused: u32,
    /// Those that nothing beats.
    pub front: Front,
}

/// One search of its own.
#[derive(Debug)]
pub struct Island<'a> {
    space: &'a Space,
    random: ChaCha8Rng,
    /// How many may still be asked.
    left: usize,
    generation: usize,
    way: Way,
    asked: Vec<Candidate>,
    seen: BTreeSet<Candidate>,
    population: Vec<Member>,
    found: Found,
}

#[derive(Debug)]
enum Way {
    /// Every so manieth candidate of the space, from this number on.
    Everything { next: u64, step: u64 },
    /// A first sample, then generations.
    Evolution,
}

impl<'a> Island<'a> {
    /// The island of this number, counted from 0.
    ///
    /// # Panics
    ///
    /// Where the plan has no such island.
    #[must_use]
    pub fn new(space: &'a Space, plan: &Plan, index: u32) -> Self {
        assert!(index < plan.islands, "the plan has {} islands", plan.islands);
        let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
        random.set_stream(u64::from(index));
        let left = plan.budget(index) as usize;
        let way = if plan.is_exhaustive(space) {
            Way::Everything { next: u64::from(index), step: u64::from(plan.islands) }
        } else {
            Way::Evolution
        };
        Self {
            space,
            random,
            left,
            generation: (left / 8).clamp(GENERATION_MIN, GENERATION_MAX),
            way,
            asked: Vec::new(),
            seen: BTreeSet::new(),
            population: Vec::new(),
            found: Found { tried: 0, refused: 0, front: Front::default() },
        }
    }

    /// The candidates to try next; none where the search is over. What they came to is to be [told](Self::tell) before the next
    /// asking.
    pub fn ask(&mut self) -> Option<&[Candidate]> {
        self.asked.clear();
        match &mut self.way {
            Way::Everything { next, step } => {
                while self.asked.len() < BATCH
                    && let Some(candidate) = self.space.numbered(*next)
                {
                    self.asked.push(candidate);
                    *next += *step;
                }
            }
            Way::Evolution if self.seen.is_empty() => self.begin(),
            Way::Evolution => self.breed(),
        }
        (!self.asked.is_empty()).then_some(self.asked.as_slice())
    }

    /// What the candidates asked last came to, in their order; none for one that was refused.
    ///
    /// # Panics
    ///
    /// Where there are more or fewer than were asked.
    pub fn tell(&mut self, worths: &[Option<Worth>]) {
        assert_eq!(worths.len(), self.asked.len(), "one for each candidate");
        for (candidate, worth) in self.asked.drain(..).zip(worths) {
            self.found.tried += 1;
            let Some(worth) = *worth else {
                self.found.refused += 1;
                continue;
            };
            let member = self.space.member(candidate, worth);
            self.found.front.add(member.clone());
            self.population.push(member);
        }
        if matches!(self.way, Way::Everything { .. }) {
            self.population.clear();
        } else if self.population.len() > self.generation {
            self.select();
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Found {
        self.found
    }

    /// The values as they are, and a Latin hypercube.
    fn begin(&mut self) {
        let first = (self.left / 3).max(self.generation).min(self.left);
        let space = self.space;
        self.propose(space.present());
        let points = first.saturating_sub(1);
        let strata: Vec<Vec<usize>> = (0..space.parameters().len()).map(|_| self.shuffled(points)).collect();
        for point in 0..points {
            let candidate = strata
                .iter()
                .zip(space.parameters())
                .map(|(stratum, parameter)| {
                    // The middle of the stratum, as a level.
                    let level = (2 * stratum[point] + 1) * parameter.levels().len() / (2 * points);
                    u16::try_from(level).unwrap_or(u16::MAX)
                })
                .collect();
            self.propose(candidate);
        }
    }

    fn breed(&mut self) {
        let goal = self.generation.min(self.left);
        let worths: Vec<Worth> = self.population.iter().map(|member| member.worth).collect();
        let ranks = ranked(&worths);
        while self.asked.len() < goal {
            let mut again = 0;
            loop {
                let child = if again < AGAIN_MAX && self.population.len() > 1 {
                    self.child(&ranks)
                } else {
                    self.anything()
                };
                if self.propose(child) {
                    break;
                }
                again += 1;
                // Nearly everything was tried: the budget is not much smaller than the space.
                if again > 64 * AGAIN_MAX {
                    self.left = 0;
                    return;
                }
            }
        }
    }

    /// Puts a candidate on the list, unless it was there before.
    fn propose(&mut self, candidate: Candidate) -> bool {
        let new = self.left > 0 && self.seen.insert(candidate.clone());
        if new {
            self.left -= 1;
            self.asked.push(candidate);
        }
        new
    }

    fn child(&mut self, ranks: &[(u32, f64)]) -> Candidate {
        let (one, other) = (self.parent(ranks), self.parent(ranks));
        let crosses = self.below(10) < 9;
        let count = self.space.parameters().len() as u64;
        (0..self.space.parameters().len())
            .map(|at| {
                let from = if crosses && self.below(2) == 1 { other } else { one };
                let gene = self.population[from].candidate[at];
                if self.below(count) == 0 { self.mutated(at, gene) } else { gene }
            })
            .collect()
    }

    /// The better of two by rank, then by room.
    fn parent(&mut self, ranks: &[(u32, f64)]) -> usize {
        let (one, other) = (self.among(ranks.len()), self.among(ranks.len()));
        let ((depth, room), (other_depth, other_room)) = (ranks[one], ranks[other]);
        if (other_depth, room) < (depth, other_room) { other } else { one }
    }

    /// A small step, or a jump to anywhere.
    fn mutated(&mut self, at: usize, gene: u16) -> u16 {
        let levels = self.space.parameters()[at].levels().len();
        let (gene, reach) = (usize::from(gene), (levels / 8).max(1));
        let level = match self.below(3) {
            0 => self.among(levels),
            1 => gene.saturating_sub(1 + self.among(reach)),
            _ => (gene + 1 + self.among(reach)).min(levels - 1),
        };
        u16::try_from(level).unwrap_or(u16::MAX)
    }

    fn anything(&mut self) -> Candidate {
        (0..self.space.parameters().len())
            .map(|at| {
                let levels = self.space.parameters()[at].levels().len();
                u16::try_from(self.among(levels)).unwrap_or(u16::MAX)
            })
            .collect()
    }

    /// The best of all by rank, then by room; the earlier of equals.
    fn select(&mut self) {
        let worths: Vec<Worth> = self.population.iter().map(|member| member.worth).collect();
        let ranks = ranked(&worths);
        let mut order: Vec<usize> = (0..ranks.len()).collect();
        order.sort_by(|&a, &b| {
            let ((depth, room), (other_depth, other_room)) = (ranks[a], ranks[b]);
            depth.cmp(&other_depth).then(other_room.total_cmp(&room)).then(a.cmp(&b))
        });
        order.truncate(self.generation);
        order.sort_unstable();
        let mut all: Vec<Option<Member>> = self.population.drain(..).map(Some).collect();
        self.population = order.into_iter().filter_map(|one| all[one].take()).collect();
    }

    /// 0 to `count - 1` in a random order (Fisher and Yates).
    fn shuffled(&mut self, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..count).collect();
        for at in (1..count).rev() {
            let other = self.among(at + 1);
            all.swap(at, other);
        }
        all
    }

    fn among(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).unwrap_or(0)
    }

    /// Less than `bound` (Lemire 2019, without the correction: the bias is below 2^-50 here).
    fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.random.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }
}
