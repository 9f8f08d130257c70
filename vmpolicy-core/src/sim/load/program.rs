//! Sums and products, laid out flat: a list of parts and of what to do with their values, on a small stack.

use super::When;
use super::recorded::Player;
use super::spec::LoadSpec;
use super::switching::Switching;
use super::wave::{WaveState, WeekdaysState};
use crate::sim::chance::Seed;

/// A load that is not made of others, running.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Constant(f64),
    Wave(WaveState),
    Weekdays(WeekdaysState),
    /// Boxed: the state of its chance is larger than all else here.
    Switching(Box<Switching>),
    Trace(Player),
}

impl Part {
    #[inline]
    pub(super) fn at(&mut self, when: When) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Wave(wave) => wave.at(when),
            Self::Weekdays(weekdays) => weekdays.at(when),
            Self::Switching(switching) => switching.at(when),
            Self::Trace(player) => player.at(when),
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    /// Puts the part's value on the stack.
    Look(Part),
    /// Takes two values from it and puts back their sum.
    Add,
    /// Takes two values from it and puts back their product.
    Multiply,
}

/// What a load with sums and products does, in reverse Polish order.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    ops: Vec<Op>,
}

/// The first operands of every level wait while the deepest is worked out: one a level, and the two at hand.
const STACK: usize = LoadSpec::DEEPEST + 2;

impl Program {
    /// The spec has been checked.
    pub(super) fn new(spec: &LoadSpec, seed: Seed, index: u32) -> Self {
        let mut program = Self::default();
        program.add(spec, seed, u64::from(index) * LoadSpec::PARTS_MOST as u64);
        program
    }

    /// Adds what computes `spec`; the random ones of its parts take streams from `stream` on. Gives the next stream.
    fn add(&mut self, spec: &LoadSpec, seed: Seed, stream: u64) -> u64 {
        let chance = || seed.stream("load", stream);
        let part = match spec {
            LoadSpec::Constant(value) => Part::Constant(*value),
            LoadSpec::Wave(wave) => Part::Wave(WaveState::new(wave)),
            LoadSpec::Weekdays(weekdays) => Part::Weekdays(WeekdaysState::new(weekdays)),
            LoadSpec::Bursts(bursts) => Part::Switching(Box::new(Switching::bursts(bursts, chance()))),
            LoadSpec::Mmpp(mmpp) => Part::Switching(Box::new(Switching::mmpp(mmpp, chance()))),
            LoadSpec::Trace(trace) => Part::Trace(Player::new(trace)),
            LoadSpec::Sum(of) => return self.join(of, &Op::Add, seed, stream),
            LoadSpec::Product(of) => return self.join(of, &Op::Multiply, seed, stream),
        };
        self.ops.push(Op::Look(part));
        stream + 1
    }

    fn join(&mut self, of: &[LoadSpec], with: &Op, seed: Seed, mut stream: u64) -> u64 {
        for (at, one) in of.iter().enumerate() {
            stream = self.add(one, seed, stream);
            if at > 0 {
                self.ops.push(with.clone());
            }
        }
        stream
    }

    /// The part, where it is but one.
    pub(super) fn into_only_part(mut self) -> Result<Part, Self> {
        match self.ops.pop() {
            Some(Op::Look(part)) if self.ops.is_empty() => Ok(part),
            last => {
                self.ops.extend(last);
                Err(self)
            }
        }
    }

    pub(super) fn at(&mut self, when: When) -> f64 {
        let mut stack = [0.0; STACK];
        let mut height = 0;
        for op in &mut self.ops {
            match op {
                Op::Look(part) => {
                    stack[height] = part.at(when);
                    height += 1;
                }
                Op::Add => {
                    height -= 1;
                    stack[height - 1] += stack[height];
                }
                Op::Multiply => {
                    height -= 1;
                    stack[height - 1] *= stack[height];
                }
            }
        }
        stack[0]
    }
}
