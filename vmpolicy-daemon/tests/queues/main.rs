//! The built `vmpolicyd` at work at job queues: real folders, real servers, real programs, real signals.
//!
//! Nothing is skipped: where a server is missing, its tests fail and say how to get it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[cfg(feature = "tls")]
#[path = "../common/certificates.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod certificates;
mod directory;
mod guest;
#[cfg(feature = "http")]
mod http;
mod jobs;
#[path = "../common/process.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod process;
mod redis;
mod site;
