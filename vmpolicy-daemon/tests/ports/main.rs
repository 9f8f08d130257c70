//! The built `vmpolicyd` with a manager that is asked by HTTP, with locators, and with hooks.
//!
//! Nothing is skipped where a program is missing: its tests fail and say how to get it. What needs privileges says so
//! where there are none.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod dns;
mod guest;
mod hooks;
mod locate;
mod manager;
#[path = "../common/process.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod process;
mod webhook;
