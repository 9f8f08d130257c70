//! What tests are made of: a reference model of the engine, and policies, inputs and a stage to try them on.

pub mod drive;
pub mod fuzz;
pub mod generate;
pub mod model;
pub mod sketch;
pub mod stage;
