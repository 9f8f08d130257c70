//! The leaves of the engine: each one idea, pure, and knowing nothing of the others.
//!
//! A leaf imports [`crate::time`] and the standard library, and `window` also `chrono` and `cron`. No
//! leaf imports another leaf, the policy, the engine or an id. All branching between them happens in
//! [`crate::engine`].

pub mod clock;
pub mod cost;
pub mod glob;
pub mod guard;
pub mod logic;
pub mod ring;
pub mod sample;
pub mod tarry;
pub mod window;
