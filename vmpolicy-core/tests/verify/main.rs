//! Property-tested simulation: what it draws, what it finds, and that it finds what is there.
#![cfg(all(feature = "file", feature = "sim"))]

mod canaries;
mod draw;
mod expect_file;
mod planted;
mod support;
mod thesis;
