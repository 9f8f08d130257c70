//! What a crash, a full disk or a damaged file may do to the daemon: nothing that its manager would notice.
//!
//! `campaign`, `damage` and `time` turn the daemon's own driver, state and records in one process, on a disk of the test's; what
//! they count is printed with `--nocapture`. `docs/trust.md` says what all this shows.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![expect(clippy::print_stdout, reason = "what was tried is to be read")]

mod campaign;
mod clock;
mod damage;
mod disk;
#[path = "../real/guest.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod guest;
mod killed;
mod polls;
mod preload;
#[path = "../common/process.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod process;
mod stopped;
mod time;
mod world;
