//! An onlooker that knows what must never happen, and nothing of how the engine decides.
//!
//! A [`Checker`] is shown every step of an engine: the time, the input, the output. It keeps its own
//! account of the world (`facts`) and holds every record, effect and deadline against a table of
//! invariants ([`INVARIANTS`]), each with its source. It uses nothing of the engine and none of its
//! leaves: clocks, samples, bars and conditions are worked out here a second time, in the plainest way.
//! Where the onlooker cannot know for certain (was that unsolicited reading counted?) it gives the
//! engine the benefit of the doubt; it never gives it where it can know.
//!
//! How often each invariant really had something to judge is counted ([`Checker::counts`]): a checker
//! that has gone blind should be seen.

mod condition;
mod evidence;
mod facts;
mod invariants;
mod queues;
mod readiness;
mod reload;
mod time;

use crate::input::{Input, Setup};
use crate::output::{Effect, Output, Record};
use crate::policy::Policy;
use crate::time::Now;
use facts::Facts;
pub use invariants::INVARIANTS;
use std::sync::Arc;

/// A thing that must never happen, and how it is seen.
#[derive(Clone, Copy, Debug)]
pub struct Invariant {
    /// What it is called.
    pub name: &'static str,
    /// Where it comes from: a rule of the contract's section 3, a line of what must never happen.
    pub source: &'static str,
    check: Check,
}

/// What an invariant looks at.
#[derive(Clone, Copy, Debug)]
enum Check {
    /// Each record, before the facts take it in.
    Record(fn(&Facts, &Step<'_>, &Record) -> Finding),
    /// Each effect, when all records are taken in, before the facts take it in.
    Effect(fn(&Facts, &Step<'_>, &Effect) -> Finding),
    /// The whole step, at its end.
    Whole(fn(&Facts, &Step<'_>) -> Finding),
}

/// What an invariant found.
#[derive(Debug)]
enum Finding {
    /// Nothing to judge here.
    Idle,
    /// It holds.
    Holds,
    /// It is broken, so.
    Broken(String),
}

impl Finding {
    /// Judged, by whether it holds.
    fn judged(holds: bool, otherwise: impl FnOnce() -> String) -> Self {
        if holds { Self::Holds } else { Self::Broken(otherwise()) }
    }
}

/// One step of the engine, as the onlooker sees it.
#[derive(Clone, Copy, Debug)]
struct Step<'a> {
    now: Now,
    input: &'a Input,
    output: &'a Output,
}

/// Something that must never happen has happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("step {step}, {now:?}: `{invariant}` is broken ({source_of_it}): {what}")]
pub struct Violation {
    /// Which invariant.
    pub invariant: &'static str,
    /// Where that comes from.
    pub source_of_it: &'static str,
    /// In which step, counted from 1.
    pub step: u64,
    /// When.
    pub now: Now,
    /// What exactly.
    pub what: String,
}

/// The onlooker.
#[derive(Clone, Debug)]
pub struct Checker {
    facts: Facts,
    counts: Vec<u64>,
}

impl Checker {
    /// An onlooker of an engine that is new with this policy and setup.
    #[must_use]
    pub fn new(policy: Arc<Policy>, setup: Setup) -> Self {
        Self { facts: Facts::new(policy, setup), counts: vec![0; INVARIANTS.len()] }
    }

    /// Looks at one step.
    ///
    /// # Errors
    ///
    /// The first invariant that is broken.
    pub fn observe(&mut self, now: Now, input: &Input, output: &Output) -> Result<(), Violation> {
        let step = Step { now, input, output };
        self.facts.begin(&step);
        for record in &output.records {
            self.judge(&step, |check, facts| match check {
                Check::Record(check) => check(facts, &step, record),
                Check::Effect(_) | Check::Whole(_) => Finding::Idle,
            })?;
            self.facts.take_record(record);
        }
        for effect in &output.effects {
            self.judge(&step, |check, facts| match check {
                Check::Effect(check) => check(facts, &step, effect),
                Check::Record(_) | Check::Whole(_) => Finding::Idle,
            })?;
            self.facts.take_effect(effect);
        }
        self.judge(&step, |check, facts| match check {
            Check::Whole(check) => check(facts, &step),
            Check::Record(_) | Check::Effect(_) => Finding::Idle,
        })
    }

    /// The end of the log: what was promised and never came.
    ///
    /// # Errors
    ///
    /// Where a request is open and nothing is going to end it.
    pub fn finish(&self) -> Result<(), Violation> {
        self.facts.unended().map_or(Ok(()), |what| {
            Err(Violation {
                invariant: "every-request-ends",
                source_of_it: "field: every open request ends within a bounded time",
                step: self.facts.step,
                now: self.facts.now(),
                what,
            })
        })
    }

    /// How often each invariant had something to judge, in the order of [`INVARIANTS`].
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        INVARIANTS.iter().zip(&self.counts).map(|(invariant, count)| (invariant.name, *count))
    }

    /// Adds another onlooker's counts to these.
    pub fn add_counts(&mut self, of: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&of.counts) {
            *mine = mine.saturating_add(*theirs);
        }
    }

    fn judge(&mut self, step: &Step<'_>, find: impl Fn(&Check, &Facts) -> Finding) -> Result<(), Violation> {
        for (invariant, count) in INVARIANTS.iter().zip(&mut self.counts) {
            match find(&invariant.check, &self.facts) {
                Finding::Idle => {}
                Finding::Holds => *count += 1,
                Finding::Broken(what) => {
                    return Err(Violation {
                        invariant: invariant.name,
                        source_of_it: invariant.source,
                        step: self.facts.step,
                        now: step.now,
                        what,
                    });
                }
            }
        }
        Ok(())
    }
}
