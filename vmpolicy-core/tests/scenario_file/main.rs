//! The scenario file from outside: what is refused and how, what is warned of, that what is written is read back,
//! and that all that is said about it is true.
#![cfg(all(feature = "file", feature = "sim"))]

mod any_bytes;
mod bad;
mod built;
mod docs;
mod examples;
mod several;
#[path = "../shared/mod.rs"]
mod shared;
mod support;
#[cfg(feature = "testkit")]
mod written;
