//! Unit tests of policies from outside: that what they say is so, that what is wrong with them is told, and that
//! all that is written about them is true.
#![cfg(all(feature = "file", feature = "trial", feature = "testkit"))]

mod bad;
mod docs;
mod examples;
mod expect;
mod happen;
mod properties;
mod support;
