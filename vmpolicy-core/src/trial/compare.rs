//! What was expected against what came.
//!
//! Each expected event wants one event of its own. They are paired so that as many expectations as possible are met
//! (augmenting paths: Kuhn 1955), so the order in which a file lists them does not matter.

use super::case::{Case, Expectation, Want, When};
use super::fact::Got;
use super::pattern::{DECISIVE, Field, Pattern};
use super::run::{Said, Wrong};
use crate::time::Span;

/// Something that is not as expected. Numbers are those of [`Case::expectations`] and of [`Report::said`](super::Report::said).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// An event that did not come.
    Missing {
        /// The expectation.
        expected: usize,
        /// One that came and was probably meant: at another time, or with other fields.
        near: Option<usize>,
    },
    /// An event that came, of those that must be complete, and that nobody expected.
    Unexpected {
        /// What came.
        said: usize,
    },
    /// An event that came where none was to come.
    Forbidden {
        /// The expectation.
        expected: usize,
        /// What came.
        said: usize,
    },
    /// A state that is another one.
    State {
        /// The expectation.
        expected: usize,
        /// Which of its facts.
        fact: usize,
        /// When that was first seen.
        at: Span,
        /// What it is.
        got: Got,
    },
}

impl Difference {
    /// When it shows: for an event that did not come, the last moment at which it could have.
    #[must_use]
    pub fn at(&self, case: &Case, said: &[Said]) -> Span {
        match self {
            Self::Missing { expected, .. } => case.expectations[*expected].when.to,
            Self::Unexpected { said: index } | Self::Forbidden { said: index, .. } => said[*index].at,
            Self::State { at, .. } => *at,
        }
    }

    /// All moments that matter to it.
    pub(super) fn times(&self, case: &Case, said: &[Said]) -> Vec<Span> {
        let mut times = vec![self.at(case, said)];
        if let Self::Missing { near: Some(near), .. } = self {
            times.push(said[*near].at);
        }
        times
    }

    /// The expectation that was not met.
    #[must_use]
    pub const fn expected(&self) -> Option<usize> {
        match self {
            Self::Missing { expected, .. }
            | Self::Forbidden { expected, .. }
            | Self::State { expected, .. } => Some(*expected),
            Self::Unexpected { .. } => None,
        }
    }
}

/// What came of a comparison.
pub(super) struct Compared {
    /// In the order of time.
    pub(super) differences: Vec<Difference>,
    /// For each that was said, the expectation that it meets.
    pub(super) meets: Vec<Option<usize>>,
}

pub(super) fn compare(case: &Case, said: &[Said], wrong: Wrong) -> Compared {
    let mut found = Vec::new();
    let wanted: Vec<(usize, When, &Pattern)> =
        case.expectations.iter().enumerate().filter_map(wanted).collect();
    let Pairs { of_said, met } = pairs(&wanted, said);
    let mut told: Vec<bool> = of_said.iter().map(Option::is_some).collect();

    for (expected, expectation) in case.expectations.iter().enumerate() {
        let Want::Nothing(patterns) = &expectation.want else { continue };
        for (index, one) in within(said, expectation.when) {
            let name = one.event().name();
            let forbidden = match patterns.as_slice() {
                [] => case.complete.contains(&name) || DECISIVE.contains(&name),
                patterns => patterns.iter().any(|pattern| pattern.fits(one.event(), &one.policy)),
            };
            if forbidden {
                told[index] = true;
                found.push(Difference::Forbidden { expected, said: index });
            }
        }
    }
    for (&(expected, when, pattern), _) in wanted.iter().zip(&met).filter(|(_, met)| !**met) {
        let near = near(when, pattern, said, &told);
        if let Some(near) = near {
            told[near] = true;
        }
        found.push(Difference::Missing { expected, near });
    }
    for (index, one) in said.iter().enumerate() {
        if !told[index] && case.complete.contains(&one.event().name()) {
            found.push(Difference::Unexpected { said: index });
        }
    }
    let state = |((expected, fact), (at, got))| Difference::State { expected, fact, at, got };
    found.extend(wrong.into_iter().map(state));
    found.sort_by_key(|difference| difference.times(case, said).into_iter().min());
    let meets = of_said.into_iter().map(|met| met.map(|index| wanted[index].0)).collect();
    Compared { differences: found, meets }
}

fn wanted((index, expectation): (usize, &Expectation)) -> Option<(usize, When, &Pattern)> {
    match &expectation.want {
        Want::Event(pattern) => Some((index, expectation.when, pattern)),
        Want::Nothing(_) | Want::State(_) => None,
    }
}

/// What was said in a stretch of time, with its number.
fn within(said: &[Said], when: When) -> impl Iterator<Item = (usize, &Said)> {
    let from = said.partition_point(|one| one.at < when.from);
    said.iter().enumerate().skip(from).take_while(move |(_, one)| one.at <= when.to)
}

struct Pairs {
    /// For each that was said, which of the wanted it meets.
    of_said: Vec<Option<usize>>,
    /// For each of the wanted, whether it is met.
    met: Vec<bool>,
}

fn pairs(wanted: &[(usize, When, &Pattern)], said: &[Said]) -> Pairs {
    let fits: Vec<Vec<usize>> = wanted
        .iter()
        .map(|(_, when, pattern)| {
            let fits = |(_, one): &(usize, &Said)| pattern.fits(one.event(), &one.policy);
            within(said, *when).filter(fits).map(|(index, _)| index).collect()
        })
        .collect();
    let mut pairs = Pairs { of_said: vec![None; said.len()], met: vec![false; wanted.len()] };
    for index in 0..wanted.len() {
        let mut seen = vec![false; said.len()];
        pairs.met[index] = pairs.find(index, &fits, &mut seen);
    }
    pairs
}

impl Pairs {
    /// Finds an event for this one, moving others to another of theirs where that makes room. Those that could
    /// be met once stay met.
    fn find(&mut self, wanted: usize, fits: &[Vec<usize>], seen: &mut [bool]) -> bool {
        // A path as a stack: who looks, and which of its events is next.
        let mut path = vec![(wanted, 0_usize)];
        while let Some((who, next)) = path.last_mut() {
            let Some(&event) = fits[*who].get(*next) else {
                path.pop();
                if let Some((_, next)) = path.last_mut() {
                    *next += 1;
                }
                continue;
            };
            if seen[event] {
                *next += 1;
                continue;
            }
            seen[event] = true;
            match self.of_said[event] {
                Some(holder) => path.push((holder, 0)),
                None => {
                    for (who, next) in path {
                        self.of_said[fits[who][next]] = Some(who);
                    }
                    return true;
                }
            }
        }
        false
    }
}

/// What was probably meant: the same event in its time with other fields, the very one at another time, or one of the
/// same rule.
fn near(when: When, pattern: &Pattern, said: &[Said], told: &[bool]) -> Option<usize> {
    let alike = || {
        let free = said.iter().enumerate().filter(|(index, _)| !told[*index]);
        free.filter(|(_, one)| one.event().name() == pattern.event)
    };
    let here = alike().filter(|(_, one)| when.holds(one.at));
    let least = here.min_by_key(|(_, one)| pattern.misfits(one.event(), &one.policy).count());
    let far = |at: Span| match at < when.from {
        true => when.from.millis() - at.millis(),
        false => at.millis() - when.to.millis(),
    };
    let elsewhen = || {
        let same = alike().filter(|(_, one)| pattern.fits(one.event(), &one.policy));
        same.min_by_key(|(_, one)| far(one.at))
    };
    let by_rule = || {
        let rule = pattern.fields.iter().find(|(field, _)| *field == Field::Rule)?.clone();
        let only = Pattern { event: pattern.event, fields: vec![rule] };
        let same = alike().filter(|(_, one)| only.fits(one.event(), &one.policy));
        same.min_by_key(|(_, one)| far(one.at))
    };
    least.or_else(elsewhen).or_else(by_rule).map(|(index, _)| index)
}
