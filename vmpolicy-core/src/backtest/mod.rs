//! What a policy would have done on a recording.

mod trace;

pub use trace::{OutOfOrder, Row, Trace};
