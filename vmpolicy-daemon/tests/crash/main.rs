//! What a crash, a full disk or a damaged file may do to the daemon: nothing that its manager would notice.
//!
//! `campaign` and `damage` turn the daemon's own driver, state and records in one process, on a disk of the test's; what
//! they count is printed with `--nocapture`. `docs/trust.md` says what all this shows.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![expect(clippy::print_stdout, reason = "what was tried is to be read")]

mod campaign;
mod damage;
mod disk;
mod world;
