//! What tests are made of: a reference model of the engine, and policies and inputs to try both on.

pub mod drive;
pub mod generate;
pub mod model;
