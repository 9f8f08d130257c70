//! What tests are made of: an onlooker that knows what must never happen, a reference model of the engine,
//! and policies, inputs and a stage to try them on.

pub mod checker;
pub mod drive;
pub mod fuzz;
pub mod generate;
pub mod model;
pub mod sketch;
pub mod stage;
