//! Conditions as unions of boxes: for each thing that is read, an interval.
//!
//! It is disjunctive normal form with the conjunctions worked out. A condition of a sane size has a few
//! boxes; one that has too many is not judged.

use crate::id::{ArrayId, Id, IndicatorId, QueueId, RuleId, Table, WindowId};
use crate::leaf::sample::Read;
use crate::leaf::window::Window;
use crate::policy::{Compare, Condition, Policy, Rule};
use crate::time::Wall;
use std::collections::BTreeMap;

/// Beyond this a condition is not judged.
const MOST_BOXES: usize = 32;

/// What is known of a policy, to judge its conditions by.
pub(super) struct Facts<'a> {
    policy: &'a Policy,
    apart: Apart,
}

/// Where the condition of each rule is true, and where it is not.
pub(super) struct Truths(Table<RuleId, (Boxes, Boxes)>);

impl<'a> Facts<'a> {
    pub(super) fn of(policy: &'a Policy) -> Self {
        Self { policy, apart: Apart::of(policy) }
    }

    pub(super) fn truths(&self) -> Truths {
        let both =
            |rule: &Rule| (Boxes(truth(&rule.when, true, self)), Boxes(truth(&rule.when, false, self)));
        Truths(Table::new(self.policy.rules().rows().iter().map(both).collect()))
    }
}

impl Truths {
    /// Whether the rule's condition is never true.
    pub(super) fn never(&self, rule: RuleId) -> bool {
        self.0[rule].0.is_nowhere()
    }

    /// Whether two rules can be true at once; yes where that can't be said.
    pub(super) fn meet(&self, one: RuleId, other: RuleId, facts: &Facts<'_>) -> bool {
        !self.0[one].0.and(&self.0[other].0, facts).is_nowhere()
    }

    /// Whether one rule is true only where the other is, too; no where that can't be said.
    pub(super) fn within(&self, one: RuleId, other: RuleId, facts: &Facts<'_>) -> bool {
        self.0[one].0.and(&self.0[other].1, facts).is_nowhere()
    }
}

/// What a condition reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Read1 {
    Indicator(IndicatorId),
    Window(WindowId),
    Count(QueueId, u16),
    Gain(QueueId, ArrayId),
}

/// Numbers from `low` to `high`, the ends included or not.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Interval {
    low: f64,
    low_included: bool,
    high: f64,
    high_included: bool,
}

impl Interval {
    const ALL: Self =
        Self { low: f64::NEG_INFINITY, low_included: false, high: f64::INFINITY, high_included: false };

    fn of(compare: Compare, threshold: f64) -> Self {
        match compare {
            Compare::Above => Self { low: threshold, ..Self::ALL },
            Compare::AtLeast => Self { low: threshold, low_included: true, ..Self::ALL },
            Compare::Below => Self { high: threshold, ..Self::ALL },
            Compare::AtMost => Self { high: threshold, high_included: true, ..Self::ALL },
        }
    }

    const fn point(at: f64) -> Self {
        Self { low: at, low_included: true, high: at, high_included: true }
    }

    fn and(self, other: Self) -> Self {
        let (low, low_included) = match self.low.total_cmp(&other.low) {
            core::cmp::Ordering::Greater => (self.low, self.low_included),
            core::cmp::Ordering::Less => (other.low, other.low_included),
            core::cmp::Ordering::Equal => (self.low, self.low_included && other.low_included),
        };
        let (high, high_included) = match self.high.total_cmp(&other.high) {
            core::cmp::Ordering::Less => (self.high, self.high_included),
            core::cmp::Ordering::Greater => (other.high, other.high_included),
            core::cmp::Ordering::Equal => (self.high, self.high_included && other.high_included),
        };
        Self { low, low_included, high, high_included }
    }

    fn is_empty(self) -> bool {
        self.low > self.high || self.low == self.high && !(self.low_included && self.high_included)
    }
}

/// A conjunction; none of its intervals is empty.
type Box1 = BTreeMap<Read1, Interval>;

/// A condition as a union of boxes; none where it has too many.
#[derive(Clone, Debug)]
struct Boxes(Option<Vec<Box1>>);

impl Boxes {
    /// Whether it is nowhere; false where that can't be said.
    fn is_nowhere(&self) -> bool {
        self.0.as_ref().is_some_and(Vec::is_empty)
    }

    /// Where both are.
    fn and(&self, other: &Self, facts: &Facts<'_>) -> Self {
        let (Some(ours), Some(theirs)) = (&self.0, &other.0) else { return Self(None) };
        Self(product(ours, theirs, facts))
    }
}

fn truth(condition: &Condition, wanted: bool, facts: &Facts<'_>) -> Option<Vec<Box1>> {
    let compared = |read, compare: Compare, threshold| {
        let compare = if wanted { compare } else { opposite(compare) };
        one(read, Interval::of(compare, threshold), facts)
    };
    match condition {
        Condition::Indicator { indicator, compare, threshold } => {
            Some(compared(Read1::Indicator(*indicator), *compare, *threshold))
        }
        Condition::Count { queue, class, compare, threshold } => {
            Some(compared(Read1::Count(*queue, *class), *compare, *threshold))
        }
        Condition::Gain { queue, array, compare, threshold } => {
            Some(compared(Read1::Gain(*queue, *array), *compare, *threshold))
        }
        Condition::Window { window, inside } => {
            let open = if *inside == wanted { 1.0 } else { 0.0 };
            Some(one(Read1::Window(*window), Interval::point(open), facts))
        }
        Condition::Not(part) => truth(part, !wanted, facts),
        Condition::All(parts) if wanted => conjunction(parts, true, facts),
        Condition::Any(parts) if !wanted => conjunction(parts, false, facts),
        Condition::All(parts) | Condition::Any(parts) => {
            let mut boxes = Vec::new();
            for part in parts {
                boxes.extend(truth(part, wanted, facts)?);
                if boxes.len() > MOST_BOXES {
                    return None;
                }
            }
            Some(boxes)
        }
    }
}

fn conjunction(parts: &[Condition], wanted: bool, facts: &Facts<'_>) -> Option<Vec<Box1>> {
    let mut boxes = vec![Box1::new()];
    for part in parts {
        boxes = product(&boxes, &truth(part, wanted, facts)?, facts)?;
    }
    Some(boxes)
}

fn product(ours: &[Box1], theirs: &[Box1], facts: &Facts<'_>) -> Option<Vec<Box1>> {
    let mut boxes = Vec::new();
    for our in ours {
        for their in theirs {
            boxes.extend(both(our, their, facts));
            if boxes.len() > MOST_BOXES {
                return None;
            }
        }
    }
    Some(boxes)
}

/// The conjunction of two boxes, where it is not empty.
fn both(our: &Box1, their: &Box1, facts: &Facts<'_>) -> Option<Box1> {
    let mut both = our.clone();
    for (&read, &interval) in their {
        let interval = both.get(&read).map_or(interval, |ours| ours.and(interval));
        if interval.is_empty() {
            return None;
        }
        both.insert(read, interval);
    }
    let open: Vec<WindowId> = both
        .iter()
        .filter_map(|(read, interval)| match read {
            Read1::Window(window) if interval.low == 1.0 => Some(*window),
            _ => None,
        })
        .collect();
    let apart = open
        .iter()
        .enumerate()
        .any(|(index, &one)| open[..index].iter().any(|&other| facts.apart.contains(one, other)));
    (!apart).then_some(both)
}

/// One box of one interval, or none where no sample is in it.
fn one(read: Read1, interval: Interval, facts: &Facts<'_>) -> Vec<Box1> {
    let least_zero = match read {
        // A counter that goes back gives no sample at all.
        Read1::Indicator(indicator) => facts.policy.indicators()[indicator].read != Read::Gauge,
        Read1::Count(..) | Read1::Gain(..) => true,
        Read1::Window(_) => false,
    };
    let interval = if least_zero { interval.and(Interval::of(Compare::AtLeast, 0.0)) } else { interval };
    if interval.is_empty() { Vec::new() } else { vec![Box1::from([(read, interval)])] }
}

const fn opposite(compare: Compare) -> Compare {
    match compare {
        Compare::Above => Compare::AtMost,
        Compare::AtLeast => Compare::Below,
        Compare::Below => Compare::AtLeast,
        Compare::AtMost => Compare::Above,
    }
}

/// Which pairs of windows are never open at once.
struct Apart(Vec<u64>);

/// Windows with more edges in a year than this (an hourly one has 17,520) are taken to meet any other.
const MOST_EDGES: usize = 2_000;

impl Apart {
    /// Looks at the year 2024, a leap year; what never meets in it may do so in another.
    fn of(policy: &Policy) -> Self {
        let (from, to) = (Wall::from_secs(1_704_067_200), Wall::from_secs(1_735_689_600));
        let spans = policy.windows().rows().iter().map(|named| spans(&named.window, from, to));
        let spans: Vec<Option<Vec<(Wall, Wall)>>> = spans.collect();
        let apart = |one: &Option<Vec<(Wall, Wall)>>, other: &Option<Vec<(Wall, Wall)>>| match (one, other) {
            (Some(one), Some(other)) => !meet(one, other),
            _ => false,
        };
        let row = |one| {
            spans
                .iter()
                .enumerate()
                .filter(|(_, other)| apart(one, other))
                .fold(0, |row, (bit, _)| row | 1 << bit)
        };
        Self(spans.iter().map(row).collect())
    }

    fn contains(&self, one: WindowId, other: WindowId) -> bool {
        self.0.get(one.index()).is_some_and(|row| row & (1 << other.index()) != 0)
    }
}

/// When a window is open; none where that is too often to list.
fn spans(window: &Window, from: Wall, to: Wall) -> Option<Vec<(Wall, Wall)>> {
    let (mut spans, mut opened) = (Vec::new(), window.at(from).open.then_some(from));
    for (edges, (at, open)) in window.edges(from, to).enumerate() {
        if edges == MOST_EDGES {
            return None;
        }
        if open {
            opened = Some(at);
        } else if let Some(opened) = opened.take() {
            spans.push((opened, at));
        }
    }
    spans.extend(opened.map(|opened| (opened, to)));
    Some(spans)
}

/// Whether two lists of spans, each in order, have a moment in common.
fn meet(mut one: &[(Wall, Wall)], mut other: &[(Wall, Wall)]) -> bool {
    while let (Some(&(opens, closes)), Some(&(other_opens, other_closes))) = (one.first(), other.first()) {
        if opens < other_closes && other_opens < closes {
            return true;
        }
        if closes <= other_closes { one = &one[1..] } else { other = &other[1..] }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_empty_where_no_number_is_in_it() {
        let empty = |a: (Compare, f64), b: (Compare, f64)| {
            Interval::of(a.0, a.1).and(Interval::of(b.0, b.1)).is_empty()
        };
        assert!(empty((Compare::Above, 5.0), (Compare::Below, 3.0)));
        assert!(empty((Compare::Above, 5.0), (Compare::AtMost, 5.0)));
        assert!(!empty((Compare::AtLeast, 5.0), (Compare::AtMost, 5.0)));
        assert!(!empty((Compare::Above, 3.0), (Compare::Below, 5.0)));
    }
}
