#![doc = include_str!("../README.md")]

#[cfg(feature = "file")]
pub mod file;
pub mod id;
pub mod input;
pub mod leaf;
pub mod output;
pub mod policy;
pub mod ports;
pub mod time;

pub use input::Input;
pub use output::{Effect, Output};
pub use policy::{Policy, PolicyFile};
