//! The leaves of the engine: each one idea, pure, and knowing nothing of the others.
//!
//! A leaf imports [`crate::time`] and the standard library, and the windows import `chrono` and
//! `cron`; no leaf imports another leaf, the policy, the engine or an id. All branching between
//! them happens in [`crate::engine`].

pub mod window;
