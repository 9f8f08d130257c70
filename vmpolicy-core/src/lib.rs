#![doc = include_str!("../README.md")]

pub mod id;
pub mod leaf;
pub mod time;
