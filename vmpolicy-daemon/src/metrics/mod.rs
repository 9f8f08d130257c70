//! Metrics: what the daemon counts beside its deciding, and where that is to be had.
//!
//! Nothing is counted in the engine. [`Counts`] looks on at inputs, outputs and records; the loop is asked for the text, so that
//! there is no lock between those who count and those who read.

mod collectors;
mod count;
mod publish;
mod text;
mod work;

pub use count::Counts;
pub use publish::{PublishError, Published};
pub use text::{Kind, Page};
