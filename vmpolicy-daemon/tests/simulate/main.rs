//! `vmpolicy simulate` as a user runs it: the built program, on the scenarios of `docs/examples/scenarios` and on wrong ones.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should say where")]

mod effects;
mod islands;
mod nobody;
mod recordings;
mod thesis;
mod tool;
mod verified;
mod wrong;
