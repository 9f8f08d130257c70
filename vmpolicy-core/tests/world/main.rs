//! The simulated world: guests with the real engine in the real loop, and everything that can go wrong around them.
#![cfg(all(feature = "sim", feature = "testkit"))]

#[cfg(feature = "file")]
mod deciding;
mod faults;
mod islands;
mod judged;
mod moves;
mod ordinary;
mod place;
