//! What tests are made of: a reference model of the engine, and policies and inputs to try both on.

pub mod model;
//! What tests are made of: the independent checker.

pub mod checker;
