//! What tests are made of: the independent checker of the invariants, a reference model of the engine, and
//! policies and inputs to try both on.

pub mod checker;
pub mod drive;
pub mod generate;
pub mod model;
