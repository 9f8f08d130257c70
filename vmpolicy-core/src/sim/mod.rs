//!
//! replayed and compared. The engine is the one that runs in the guest, in the loop that runs in the guest
//! ([`crate::agent`]); nothing in either knows that it is simulated, and the [checker](crate::checker) watches
//! every step. The same scenario gives the same bytes on every machine.

pub mod chance;
pub mod load;
pub mod migration;
pub mod service;
