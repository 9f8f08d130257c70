//! One turn of the loop: step, state, records, effects, in this order.

use super::{Effects, RecordSink, StateStore};
use crate::journal::render;
use std::io;
use std::sync::Arc;
use vmpolicy_core::output::Request;
use vmpolicy_core::time::{Mono, Now, Span};
use vmpolicy_core::{Effect, Engine, Input, Output};

/// How long to wait before state or records that could not be written are tried again.
const RETRY: Span = Span::from_secs(1);

/// The state is written at most so often where nothing but counters has changed.
const PERSIST: Span = Span::from_secs(10);

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

/// The engine with its ports, without threads or clocks of its own.
///
/// What acts on the world (a request; later a claim or a job) leaves only when the state that knows of it
/// is on disk and its record is written. Where either fails, it waits and the loop goes on; a request that
/// has ended by then never leaves. What only looks (a probe, the locator) does not wait: an engine that
/// sees nothing could not even end a request that is open.
#[derive(Debug)]
pub struct Driver<S, R, E> {
    engine: Engine,
    identity: Identity,
    store: S,
    sink: R,
    effects: E,
    out: Output,
    /// Record lines that are not written yet.
    lines: Vec<u8>,
    /// Effects that wait for the state and the lines.
    acts: Vec<Effect>,
    /// Whether the state must be on disk before anything leaves.
    unsaved: bool,
    /// Whether anything but time has come in since the state was written.
    changed: bool,
    saved_at: Option<Mono>,
    retry_at: Option<Mono>,
    trouble: Option<Trouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    State,
    Records,
}

impl<S: StateStore, R: RecordSink, E: Effects> Driver<S, R, E> {
    /// An engine with its ports. Its first input should be a `Start`.
    pub fn new(engine: Engine, identity: Identity, store: S, sink: R, effects: E) -> Self {
        Self {
            engine,
            identity,
            store,
            sink,
            effects,
            out: Output::default(),
            lines: Vec::new(),
            acts: Vec::new(),
            unsaved: false,
            changed: false,
            saved_at: None,
            retry_at: None,
            trouble: None,
        }
    }

    /// The engine.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Who is deciding.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What carries out the effects.
    pub const fn effects_mut(&mut self) -> &mut E {
        &mut self.effects
    }

    /// What came out of the last step.
    pub const fn last_output(&self) -> &Output {
        &self.out
    }

    /// Takes an input, and carries out what comes of it.
    pub fn handle(&mut self, now: Now, input: &Input) {
        let mut out = std::mem::take(&mut self.out);
        let before = Arc::as_ptr(self.engine.policy());
        self.engine.step(now, input, &mut out);
        let policy = self.engine.policy().clone();
        if Arc::as_ptr(&policy) != before {
            self.effects.adopted(&policy);
        }
        render(&policy, &self.identity.guest, self.identity.dry_run, &out, &mut self.lines);
        self.unsaved |= out.save;
        self.changed |= !matches!(input, Input::Tick);
        self.acts.extend(out.effects.iter().filter(|effect| acts(effect)));
        self.drop_ended();
        if self.unsaved || !self.lines.is_empty() || !self.acts.is_empty() {
            self.flush(now);
        } else if self.changed && self.saved_at.is_none_or(|saved_at| now.mono.since(saved_at) >= PERSIST) {
            self.save(now);
        }
        for effect in out.effects.iter().filter(|effect| !acts(effect)) {
            self.effects.carry_out(now, &policy, *effect);
        }
        self.out = out;
    }

    /// When to come back with a `Tick`, or to call [`Driver::retry`].
    pub fn wake_at(&self) -> Option<Mono> {
        [self.out.deadline.map(|deadline| deadline.at), self.retry_at].into_iter().flatten().min()
    }

    /// Whether the engine has something to do at this time.
    pub fn is_due(&self, now: Now) -> bool {
        self.out.deadline.is_some_and(|deadline| deadline.at <= now.mono)
    }

    /// Tries again what could not be written, where its time has come.
    pub fn retry(&mut self, now: Now) {
        if self.retry_at.is_some_and(|at| at <= now.mono) {
            self.drop_ended();
            self.flush(now);
        }
    }

    /// Writes what there is to write, for an end that is wanted. Nothing more leaves.
    ///
    /// # Errors
    ///
    /// Where the state or the records could not be written.
    pub fn finish(&mut self) -> io::Result<()> {
        let saved = self.store.save(&self.engine.save());
        let written = if self.lines.is_empty() { Ok(()) } else { self.sink.write(&mut self.lines) };
        saved.and(written)
    }

    /// State, then records, then what acts.
    fn flush(&mut self, now: Now) {
        if self.unsaved && !self.save(now) {
            return;
        }
        if !self.lines.is_empty()
            && let Err(error) = self.sink.write(&mut self.lines)
        {
            self.failed(Trouble::Records, &error, now);
            self.shed();
            return;
        }
        if self.trouble.take().is_some() {
            tracing::info!("state and records are written again");
        }
        self.retry_at = None;
        let policy = self.engine.policy().clone();
        for effect in std::mem::take(&mut self.acts) {
            self.effects.carry_out(now, &policy, effect);
        }
    }

    fn save(&mut self, now: Now) -> bool {
        match self.store.save(&self.engine.save()) {
            Ok(()) => {
                (self.unsaved, self.changed, self.saved_at) = (false, false, Some(now.mono));
                true
            }
            Err(error) => {
                self.unsaved = true;
                self.failed(Trouble::State, &error, now);
                false
            }
        }
    }

    fn failed(&mut self, trouble: Trouble, error: &io::Error, now: Now) {
        if self.trouble.replace(trouble) != Some(trouble) {
            let what = match trouble {
                Trouble::State => "the state",
                Trouble::Records => "the records",
            };
            tracing::error!("can't write {what}, so no move is asked for until that works: {error}");
        }
        self.retry_at = Some(now.mono.plus(RETRY));
    }

    /// A request that has ended while it waited must not start anything. One that is open still is taken
    /// from the engine again: under a new policy its hosts have other ids.
    fn drop_ended(&mut self) {
        if self.acts.is_empty() {
            return;
        }
        let open = self.engine.open_request();
        self.acts.retain_mut(|effect| {
            let Effect::Request(waiting) = effect else { return true };
            let Some(open) = open.filter(|open| open.id == waiting.id) else { return false };
            *waiting = Request { resent: waiting.resent, ..open };
            true
        });
    }

    /// Memory is bounded: the oldest records go, and with them what waits for its record.
    fn shed(&mut self) {
        if self.lines.len() <= WAITING_BYTES_MAX {
            return;
        }
        let half = self.lines.len() / 2;
        let end = self.lines[half..].iter().position(|byte| *byte == b'\n').map_or(half, |at| half + at + 1);
        let lost = self.lines[..end].iter().filter(|byte| **byte == b'\n').count();
        self.lines.drain(..end);
        self.acts.clear();
        tracing::error!("{lost} records are lost: nobody takes them, and there is no more room");
    }
}

/// Whether an effect changes the world, and so has to wait for state and records.
const fn acts(effect: &Effect) -> bool {
    match effect {
        Effect::Probe(_) | Effect::Locate => false,
        Effect::Request(_) | Effect::Claim(_) | Effect::Run { .. } => true,
    }
}
