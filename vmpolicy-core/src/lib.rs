#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod agent;
pub mod backtest;
#[cfg(feature = "checker")]
pub mod checker;
pub mod engine;
#[cfg(feature = "file")]
pub mod file;
pub mod id;
pub mod input;
pub mod leaf;
pub mod output;
pub mod policy;
pub mod ports;
pub mod record;
#[cfg(feature = "sim")]
pub mod sim;
pub mod tally;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
#[cfg(feature = "trial")]
pub mod trial;
#[cfg(feature = "tune")]
pub mod tune;
#[cfg(all(feature = "file", feature = "sim"))]
pub mod verify;

pub use engine::Engine;
pub use input::Input;
pub use output::{Effect, Output};
pub use policy::{Policy, PolicyFile};

/// The Rust in the project's own page compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadMe;
