//! The policy file from outside: what is refused and how, what is warned of, and that all that is written
//! about it is true.
#![cfg(feature = "file")]

mod absurd;
mod any_bytes;
mod bad;
mod docs;
mod examples;
mod parts;
mod several;
#[path = "../shared/mod.rs"]
mod shared;
mod support;
mod unwise;
