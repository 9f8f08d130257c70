//! The built `vmpolicyd` against a real MariaDB, real processes and real signals.
//!
//! Nothing is skipped: where the server is missing, the tests fail and say how to get it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod abuse;
#[path = "../common/certificates.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod certificates;
mod control;
mod daemon;
mod guest;
mod kill;
mod living;
mod mariadb;
mod metrics;
mod mode;
mod mysql_login;
#[path = "../common/process.rs"]
mod process;
mod replay;
mod server;
mod soak;
mod systemd;
mod terminal;
