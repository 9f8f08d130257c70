//! One turn of the loop: step, state, records, effects, in this order.

use super::{Effects, Journal, StateStore};
use crate::engine::Engine;
use crate::input::Input;
use crate::output::{Effect, Output, Request};
use crate::time::{Mono, Now, Span};
use core::fmt::Display;
use std::sync::Arc;

/// How long to wait before state or records that could not be written are tried again.
const RETRY: Span = Span::from_secs(1);

/// The state is written at most so often where nothing but counters has changed.
const PERSIST: Span = Span::from_secs(10);

/// A request that can't leave leaves no more after this part of `confirm_within`: the engine counts its limit from the
/// decision, and whoever carries it out needs most of that. Sent just before the limit, it would be under way when
/// the engine has given it up and asks for the next.
const WAITS_PART: u64 = 4;

/// What keeps effects from being carried out.
#[derive(Clone, Copy)]
pub enum Trouble<'a> {
    /// The state could not be written.
    State(&'a dyn Display),
    /// The records could not be written.
    Records(&'a dyn Display),
    /// Nobody took the records for so long that so many are lost.
    Lost(usize),
}

impl core::fmt::Debug for Trouble<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::State(error) => write!(f, "State({error})"),
            Self::Records(error) => write!(f, "Records({error})"),
            Self::Lost(count) => write!(f, "Lost({count})"),
        }
    }
}

/// The engine with its ports, without threads or clocks of its own.
///
/// What acts on the world (a request, a claim, a job) leaves only when the state that knows of it is safe and
/// its record is written. Where either fails, it waits and the loop goes on; a request that has ended by then, or
/// has waited for a quarter of `confirm_within`, never leaves. What only looks (a probe, the locator) does not wait: an engine that sees nothing could not
/// even end a request that is open.
#[derive(Debug)]
pub struct Driver<S, J, E> {
    engine: Engine,
    store: S,
    journal: J,
    effects: E,
    out: Output,
    /// Effects that wait for the state and the records, and since when.
    acts: Vec<(Mono, Effect)>,
    /// Whether the state must be safe before anything leaves.
    unsaved: bool,
    /// Whether anything but time has come in since the state was written.
    changed: bool,
    saved_at: Option<Mono>,
    retry_at: Option<Mono>,
    troubled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    State,
    Records,
}

impl<S: StateStore, J: Journal, E: Effects> Driver<S, J, E> {
    /// An engine with its ports. Its first input should be a `Start`.
    pub fn new(engine: Engine, store: S, journal: J, effects: E) -> Self {
        Self {
            engine,
            store,
            journal,
            effects,
            out: Output::default(),
            acts: Vec::new(),
            unsaved: false,
            changed: false,
            saved_at: None,
            retry_at: None,
            troubled: false,
        }
    }

    /// The engine.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What keeps the state.
    pub const fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// What keeps the records.
    pub const fn journal(&self) -> &J {
        &self.journal
    }

    /// What keeps the records.
    pub const fn journal_mut(&mut self) -> &mut J {
        &mut self.journal
    }

    /// What carries out the effects.
    pub const fn effects(&self) -> &E {
        &self.effects
    }

    /// What carries out the effects.
    pub const fn effects_mut(&mut self) -> &mut E {
        &mut self.effects
    }

    /// What came out of the last step.
    pub const fn last_output(&self) -> &Output {
        &self.out
    }

    /// The ports, where the loop ends.
    pub fn into_ports(self) -> (S, J, E) {
        (self.store, self.journal, self.effects)
    }

    /// Takes an input, and carries out what comes of it.
    #[inline]
    pub fn handle(&mut self, now: Now, input: &Input) {
        self.journal.heard(&self.engine, now, input);
        let before = Arc::as_ptr(self.engine.policy());
        self.engine.step(now, input, &mut self.out);
        if Arc::as_ptr(self.engine.policy()) != before {
            self.effects.adopted(self.engine.policy());
        }
        if !self.out.records.is_empty() {
            self.journal.take(self.engine.policy(), &self.out);
        }
        self.unsaved |= self.out.save;
        self.changed |= !matches!(input, Input::Tick);
        if !self.out.effects.is_empty() {
            let acts = self.out.effects.iter().filter(|effect| acts(effect));
            self.acts.extend(acts.map(|effect| (now.mono, *effect)));
        }
        self.drop_ended(now);
        if self.unsaved || !self.acts.is_empty() || self.journal.is_waiting() {
            self.flush(now);
        } else if self.changed && self.saved_at.is_none_or(|saved_at| now.mono.since(saved_at) >= PERSIST) {
            self.save(now);
        }
        for index in 0..self.out.effects.len() {
            let effect = self.out.effects[index];
            if !acts(&effect) {
                self.effects.carry_out(now, self.engine.policy(), effect);
            }
        }
    }

    /// When to come back with a `Tick`, or to call [`Driver::retry`].
    pub fn wake_at(&self) -> Option<Mono> {
        match (self.out.deadline, self.retry_at) {
            (Some(deadline), Some(retry_at)) => Some(deadline.at.min(retry_at)),
            (deadline, retry_at) => deadline.map(|deadline| deadline.at).or(retry_at),
        }
    }

    /// Whether the engine has something to do at this time.
    pub fn is_due(&self, now: Now) -> bool {
        self.out.deadline.is_some_and(|deadline| deadline.at <= now.mono)
    }

    /// Tries again what could not be written, where its time has come.
    pub fn retry(&mut self, now: Now) {
        if self.retry_at.is_some_and(|at| at <= now.mono) {
            self.drop_ended(now);
            self.flush(now);
        }
    }

    /// Writes what there is to write, for an end that is wanted. Nothing more leaves.
    ///
    /// # Errors
    ///
    /// Where the state or the records could not be written.
    pub fn finish(&mut self) -> Result<(), Unfinished<S::Error, J::Error>> {
        let saved = self.store.save(&self.engine);
        let written = if self.journal.is_waiting() { self.journal.write() } else { Ok(()) };
        saved.map_err(Unfinished::State)?;
        written.map_err(Unfinished::Records)
    }

    /// State, then records, then what acts.
    fn flush(&mut self, now: Now) {
        if self.unsaved && !self.save(now) {
            return;
        }
        if self.journal.is_waiting()
            && let Err(error) = self.journal.write()
        {
            self.failed(Kind::Records, &error, now);
            let lost = self.journal.shed();
            if lost > 0 {
                // With a record goes what waits for it.
                self.acts.clear();
                self.effects.troubled(Some(Trouble::Lost(lost)));
            }
            return;
        }
        if core::mem::take(&mut self.troubled) {
            self.effects.troubled(None);
        }
        self.retry_at = None;
        for index in 0..self.acts.len() {
            self.effects.carry_out(now, self.engine.policy(), self.acts[index].1);
        }
        self.acts.clear();
    }

    fn save(&mut self, now: Now) -> bool {
        match self.store.save(&self.engine) {
            Ok(()) => {
                (self.unsaved, self.changed, self.saved_at) = (false, false, Some(now.mono));
                true
            }
            Err(error) => {
                self.unsaved = true;
                self.failed(Kind::State, &error, now);
                false
            }
        }
    }

    fn failed(&mut self, kind: Kind, error: &dyn Display, now: Now) {
        self.troubled = true;
        self.effects.troubled(Some(match kind {
            Kind::State => Trouble::State(error),
            Kind::Records => Trouble::Records(error),
        }));
        self.retry_at = Some(now.mono.plus(RETRY));
    }

    /// A request that has ended while it waited must not start anything, nor one that has waited for too long. One that
    /// is open still is taken from the engine again: under a new policy its hosts have other ids.
    fn drop_ended(&mut self, now: Now) {
        if self.acts.is_empty() {
            return;
        }
        let open = self.engine.open_request();
        let longest = self.engine.policy().moves().confirm_within.millis() / WAITS_PART;
        self.acts.retain_mut(|(since, effect)| {
            let Effect::Request(waiting) = effect else { return true };
            let Some(open) = open.filter(|open| open.id == waiting.id) else { return false };
            *waiting = Request { resent: waiting.resent, ..open };
            now.mono.since(*since).millis() <= longest
        });
    }
}

/// What could not be written at the end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished<S, J> {
    /// The state.
    #[error("the last state is not written: {0}")]
    State(S),
    /// The records.
    #[error("the last records are not written: {0}")]
    Records(J),
}

/// Whether an effect changes the world, and so has to wait for state and records.
const fn acts(effect: &Effect) -> bool {
    match effect {
        Effect::Probe(_) | Effect::Locate => false,
        Effect::Request(_) | Effect::Claim(_) | Effect::Run { .. } => true,
    }
}
