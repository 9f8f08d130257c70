#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod actuator;
pub mod agent;
pub mod argv;
#[cfg(any(feature = "http", feature = "postgres"))]
mod base64;
pub mod board;
#[cfg(test)]
#[cfg(feature = "tls")]
#[expect(dead_code, reason = "it is shared with the tests beside, which use the rest")]
#[path = "../tests/common/certificates.rs"]
mod certificates;
pub mod cli;
pub mod collector;
pub mod config;
pub mod control;
pub mod daemon;
pub mod disk;
pub mod hook;
#[cfg(feature = "http")]
pub mod http;
pub mod inputs;
pub mod journal;
pub mod kept;
pub mod locator;
mod lock;
mod log;
pub mod memory;
pub mod metrics;
pub mod number;
pub mod policy_files;
pub mod probe;
pub mod process;
pub mod provenance;
pub mod queue;
pub mod records;
pub mod redis;
#[cfg(feature = "http")]
pub mod remote;
pub mod report;
pub mod secret;
pub mod shard;
mod spans;
pub mod spool;
pub mod store;
mod stream;
pub mod systemd;
#[cfg(feature = "tls")]
pub mod tls;
pub mod trace;
pub mod zones;
