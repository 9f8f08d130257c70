//! Records as lines that wait until somebody takes them; and the inputs that they came of, where they are kept.

use super::RecordSink;
use crate::inputs::InputLog;
use crate::journal::render;
use std::io;
use vmpolicy_core::agent::Journal;
use vmpolicy_core::time::Now;
use vmpolicy_core::{Engine, Input, Output, Policy};

/// How many bytes of records wait for a sink that does not take them.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// Who is deciding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The guest's name.
    pub guest: String,
    /// Whether it only decides.
    pub dry_run: bool,
}

/// The records of a guest as JSON lines, and where they go.
#[derive(Debug)]
pub struct Lines<R> {
    identity: Identity,
    sink: R,
    /// What is not written yet.
    waiting: Vec<u8>,
    inputs: Option<InputLog>,
}

impl<R> Lines<R> {
    /// Lines of this guest for this sink.
    pub const fn new(identity: Identity, sink: R) -> Self {
        Self { identity, sink, waiting: Vec::new(), inputs: None }
    }

    /// Keeps the inputs, too.
    #[must_use]
    pub fn with_inputs(self, inputs: Option<InputLog>) -> Self {
        Self { inputs, ..self }
    }

    /// Where the lines go. What waits is lost.
    pub fn into_sink(self) -> R {
        self.sink
    }

    /// Where the lines go.
    pub const fn sink(&self) -> &R {
        &self.sink
    }

    /// Where the lines go.
    pub const fn sink_mut(&mut self) -> &mut R {
        &mut self.sink
    }

    /// Who is deciding.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl<R: RecordSink> Journal for Lines<R> {
    type Error = io::Error;

    fn heard(&mut self, engine: &Engine, now: Now, input: &Input) {
        if let Some(inputs) = &mut self.inputs {
            inputs.heard(&self.identity, engine, now, input);
        }
    }

    fn take(&mut self, policy: &Policy, output: &Output) {
        let start = self.waiting.len();
        render(policy, &self.identity.guest, self.identity.dry_run, output, &mut self.waiting);
        if let Some(inputs) = &mut self.inputs {
            inputs.recorded(&self.waiting[start..]);
        }
    }

    fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn write(&mut self) -> io::Result<()> {
        self.sink.write(&mut self.waiting)
    }

    /// Memory is bounded: the older half goes.
    fn shed(&mut self) -> usize {
        if self.waiting.len() <= WAITING_BYTES_MAX {
            return 0;
        }
        let half = self.waiting.len() / 2;
        let newline = self.waiting[half..].iter().position(|byte| *byte == b'\n');
        let end = newline.map_or(half, |at| half + at + 1);
        let lost = self.waiting[..end].iter().filter(|byte| **byte == b'\n').count();
        self.waiting.drain(..end);
        self.sink.shed(end, self.waiting.len());
        lost
    }
}
