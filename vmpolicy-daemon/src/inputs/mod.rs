//! Inputs as they came, kept so that every decision can be made again from them: `vmpolicyd --inputs` writes
//! them, `vmpolicy replay` reads them.
//!
//! A file of JSON lines. Each [`Entry`] is a map with one key: `begin`, with all that the engine started from;
//! `in`, with what it was told and when; `record`, with what came of the input before it, byte for byte as in the
//! records. A daemon that starts again, or a file that was put aside and begun anew, has a `begin` of its own, so
//! that a file can be read from any of them on.

mod reader;
mod replay;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::{Broken, Reader};
pub use replay::{Difference, ReplayError, Replayed, replay};
pub use writer::InputLog;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use vmpolicy_core::engine::{LoadError, Saved};
use vmpolicy_core::time::Now;
use vmpolicy_core::{Engine, Input, Policy};

/// The version of the form of these files.
const FORM: u32 = 1;

/// What an engine started from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begin {
    /// The form of what follows.
    pub form: u32,
    /// The version of the program that wrote it.
    pub vmpolicy: String,
    /// The guest's name.
    pub guest: String,
    /// Whether the daemon only decided.
    pub dry_run: bool,
    /// The policy, with the tables of the zones that it names.
    pub policy: Arc<Policy>,
    /// The state.
    pub saved: Saved,
}

impl Begin {
    /// The engine as it was then.
    ///
    /// # Errors
    ///
    /// Where this version can't use the state.
    pub fn engine(self) -> Result<Engine, LoadError> {
        Engine::load(self.policy, self.saved)
    }
}

/// A line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// From here on it can be replayed.
    Begin(Box<Begin>),
    /// The engine is told something.
    In {
        /// When.
        now: Now,
        /// What.
        input: Input,
    },
    /// What came of it.
    Record(Box<RawValue>),
}
