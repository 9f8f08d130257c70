//! The simulator: hosts, guests, loads, services, a provider and faults in one deterministic world.

pub mod balance;
pub mod datacentre;
pub mod power;
