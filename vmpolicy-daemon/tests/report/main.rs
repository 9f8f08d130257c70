//! The pages of `--report`, looked at in a real Chromium without a window.
//!
//! Nothing is skipped: where Chromium or its driver is missing, the tests fail and say how to get them.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod browser;
mod command;
mod made;
mod page;
mod simulated;
mod size;
