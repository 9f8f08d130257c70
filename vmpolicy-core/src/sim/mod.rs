//! The simulator: hosts, guests, loads, services, a provider and faults in one deterministic world.

pub mod chance;
pub mod load;
pub mod migration;
pub mod service;
