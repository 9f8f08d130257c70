//! What tests are made of: the independent checker.

pub mod checker;
