//! The built `vmpolicyd` and where its records and its state go: collectors that are away, hostile or real, `kill -9`, files
//! that are rotated, a state that is kept off the guest.
//!
//! Nothing is skipped: where a program is missing, its tests fail and say how to get it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../common/certificates.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod certificates;
mod collector;
mod daemon;
mod http;
mod kill;
#[path = "../common/process.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod process;
mod rotate;
mod rsyslog;
mod state;
mod system;
mod tcp;
mod tls;
