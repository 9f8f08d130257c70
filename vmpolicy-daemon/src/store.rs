//! The state on disk.
