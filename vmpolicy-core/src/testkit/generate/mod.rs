//! Policies and lives of guests out of bytes: one way to make them, for proptest and for a fuzzer alike.
//!
//! A [`Source`] is a row of bytes that choices are read from; when it has run out every choice is the
//! first. So a shorter or smaller row makes a simpler case, and shrinking bytes shrinks the case.

mod policy;
mod world;

pub use policy::{TestZones, policy, policy_file, variant};
pub use world::{Act, World};

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};

/// Where choices come from.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    bytes: &'a [u8],
}

impl<'a> Source<'a> {
    /// Choices out of these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether no byte is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next byte; 0 where none is left.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    /// A number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    /// Whether something happens that happens so often in 256 times.
    pub fn chance(&mut self, of_256: u8) -> bool {
        self.byte() > 255 - of_256
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// Bytes for a policy and a life of at most so many steps.
pub fn bytes(steps_max: usize) -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    (vec(any::<u8>(), 0..160), vec(any::<u8>(), 0..steps_max * 4))
}
