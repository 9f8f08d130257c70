//! The simulator: hosts, guests, loads, services, a provider and faults in one deterministic world.
//!
//! The thesis wished for it (sections 1.3 and 5.1): a world in which interesting conditions can be made,
//! replayed and compared. The engine is the one that runs in the guest, in the loop that runs in the guest
//! ([`crate::agent`]); nothing in either knows that it is simulated, and the [checker](crate::checker) watches
//! every step. The same scenario gives the same bytes on every machine.

pub mod balance;
pub mod chance;
pub mod datacentre;
pub mod load;
pub mod migration;
pub mod power;
pub mod scenario;
pub mod service;
pub mod world;
