//! What tests are made of: an onlooker that knows what must never happen, a reference model of the engine,
//! and policies and inputs to try both on.

pub mod checker;
pub mod model;
pub mod sketch;
pub mod stage;
