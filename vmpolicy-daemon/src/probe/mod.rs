//! Probes: one indicator's number, each with a deadline of its own.
