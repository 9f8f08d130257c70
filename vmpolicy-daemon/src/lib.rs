#![doc = include_str!("../README.md")]

pub mod actuator;
pub mod agent;
pub mod cli;
pub mod journal;
pub mod locator;
pub mod probe;
pub mod store;
pub mod trace;
pub mod zones;
