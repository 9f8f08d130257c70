//! What the benchmarks measure: policies, guests that run them, and the loop by hand that they are
//! compared with.

#![forbid(unsafe_code)]

pub mod effects;
pub mod fleet;
pub mod guest;
pub mod planetlab;
pub mod policies;
pub mod readings;
pub mod scalar;
