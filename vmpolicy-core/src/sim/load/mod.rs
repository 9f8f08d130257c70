//! How much is asked of a service at a time: a number that is never negative and never NaN.
//!
//! A [`LoadSpec`] says what a load is, a [`Load`] is one that runs: [`Load::at`] gives its value at a time. The unit is what
//! the service counts: queries or requests a second, or for a guest without a service the share of its virtual CPUs.
//! Formulas and sources are in `docs/models.md`.
//!
//! A load is looked at, not summed up: what happens between two looks and is over at the second is not seen. Looking
//! more often does not change what a look finds.
//!
//! ```
//! use std::sync::Arc;
//! use vmpolicy_core::leaf::window::Zone;
//! use vmpolicy_core::sim::{chance::Seed, load::{Load, LoadSpec, Period, Wave, When}};
//! use vmpolicy_core::time::{Span, Wall};
//!
//! let day = Wave {
//!     low: 2.0,
//!     high: 60.0,
//!     peak: Span::from_hours(14),
//!     period: Period::Day,
//!     zone: Arc::new(Zone::utc()),
//! };
//! let spec = LoadSpec::Sum(vec![LoadSpec::Constant(1.0), LoadSpec::Wave(day)]);
//! let mut load = Load::new(&spec, Seed(1), 0)?;
//! let peak = Wall::from_secs(1_241_618_400); // 2009-05-06T14:00:00Z
//! assert_eq!(load.at(When { since: Span::ZERO, wall: peak }), 61.0);
//! # Ok::<(), vmpolicy_core::sim::load::LoadError>(())
//! ```

mod clock;
mod program;
mod recorded;
mod spec;
mod switching;
mod wave;

use self::program::{Part, Program};
#[cfg(test)]
mod tests;

pub use self::recorded::{Then, Trace};
pub use self::spec::{Bursts, LoadError, LoadSpec, Mmpp, Period, Wave, Weekdays};
use super::chance::Seed;
use crate::time::{Span, Wall};

/// When a load is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// How long after the beginning of the simulation.
    pub since: Span,
    /// What a right clock on the wall shows; a guest whose clock is wrong has the same load.
    pub wall: Wall,
}

/// A load that runs: what it is, and how far it has come.
#[derive(Clone, Debug)]
pub struct Load {
    form: Form,
}

/// A lone part, as nearly all loads are, is looked up without the detour over a program.
#[derive(Clone, Debug)]
enum Form {
    One(Part),
    Many(Box<Program>),
}

impl Load {
    /// The load that `spec` describes. `index` tells loads of one world apart, such as the guest's number: each random part
    /// of each index draws from a stream of its own.
    ///
    /// # Errors
    /// Where the description is not sound; see [`LoadError`].
    pub fn new(spec: &LoadSpec, seed: Seed, index: u32) -> Result<Self, LoadError> {
        spec.check()?;
        let program = Program::new(spec, seed, index);
        Ok(Self {
            form: match program.into_only_part() {
                Ok(part) => Form::One(part),
                Err(program) => Form::Many(Box::new(program)),
            },
        })
    }

    /// The value at `when`: at least 0, at most [`LoadSpec::MOST`].
    ///
    /// Times may not fall: what is random has gone on, and answers an earlier time with its latest value.
    #[must_use]
    #[inline]
    pub fn at(&mut self, when: When) -> f64 {
        match &mut self.form {
            Form::One(part) => part.at(when),
            Form::Many(program) => program.at(when),
        }
    }
}
