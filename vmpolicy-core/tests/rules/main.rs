//! A property for each numbered rule of the contract (`docs/`, "What the engine does"), named after it and
//! asserting its own words on the real engine. What each one is there to catch stands with it.
//!
//! Every run also stands under the eyes of the independent checker: `run` fails where anything happens
//! that must never happen.
#![cfg(feature = "testkit")]

mod batches;
mod common;
mod guards;
mod lost;
mod outlook;
mod reasons;
mod requests;
mod samples;
mod time;
mod timeouts;
