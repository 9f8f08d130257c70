//! One guest's run over one trace.

use super::summary::Summary;
use super::tally::Tally;
use super::trace::Trace;
use crate::engine::Engine;
use crate::id::{HostId, IndicatorId, RequestId};
use crate::input::{Absence, Input, Outcome, Reading, Setup};
use crate::output::{Cause, Effect, Output};
use crate::policy::{Action, Policy};
use crate::time::{Mono, Now, Span, Wall};
use std::collections::VecDeque;
use std::sync::Arc;

/// No backtest polls more often: it would take minutes at best, and is a mistake in a timestamp at worst.
pub const MOST_POLLS: u64 = 10_000_000_000;

/// More steps than this at one instant, and the engine would never come to an end.
const MOST_STEPS_AT_ONCE: u32 = 100_000;

/// What a run needs to know besides the policy and the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The indicator that the trace feeds.
    pub indicator: IndicatorId,
    /// Where the guest starts.
    pub at: HostId,
    /// How old a row may be to be read; none for [`default_stale`].
    pub stale: Option<Span>,
    /// How long after the asking a move is confirmed.
    pub move_takes: Span,
}

impl Options {
    /// The defaults: this indicator, from the first host of the ring of home, moves at once.
    #[must_use]
    pub fn new(policy: &Policy, indicator: IndicatorId) -> Self {
        let at = policy.arrays()[policy.home()].first;
        Self { indicator, at, stale: None, move_takes: Span::ZERO }
    }
}

/// Why a run is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BacktestError {
    /// A trace without rows.
    #[error("the trace has no rows")]
    NoRows,
    /// The trace is too long for the polling interval.
    #[error("the trace lasts {lasts}, which is {polls} polls of {every}: more than {MOST_POLLS}")]
    TooLong {
        /// From the first row to the last.
        lasts: Span,
        /// The polling interval.
        every: Span,
        /// How often it would be polled.
        polls: u64,
    },
}

/// Where the records of a run go. `()` takes none, and costs nothing.
pub trait Sink {
    /// Takes an output with at least one record.
    fn take(&mut self, output: &Output);

    /// Takes what a poll came to: the sample that the rules see, if there is one, and whether a rule with the action
    /// `move` is true. Both hold until the next one, or until the guest rests.
    #[inline]
    fn sample(&mut self, at: Wall, value: Option<f64>, in_breach: bool) {
        let _ = (at, value, in_breach);
    }
}

impl Sink for () {
    #[inline]
    fn take(&mut self, _: &Output) {}
}

impl<F: FnMut(&Output)> Sink for F {
    fn take(&mut self, output: &Output) {
        self(output);
    }
}

/// How old a row may be to be read: twice the larger of the polling interval and the trace's median interval.
#[must_use]
pub fn default_stale(every: Span, trace: &Trace) -> Span {
    every.max(trace.median_interval().unwrap_or_default()).times(2)
}

/// Runs a policy on a trace.
///
/// ```
/// # use vmpolicy_core::backtest::{Options, Row, Trace, run};
/// # use vmpolicy_core::{Output, Policy, time::Wall};
/// # fn example(policy: std::sync::Arc<Policy>) {
/// let rows = (0..1_000).map(|minute| Row { at: Wall::from_secs(60 * minute), value: Ok(76.0) });
/// let trace = Trace::new(rows).unwrap();
/// let slow_queries = policy.indicator_named("slow_queries").unwrap();
/// let options = Options::new(&policy, slow_queries);
/// let mut records = 0;
/// let summary = run(&policy, &trace, &options, &mut |out: &Output| records += out.records.len()).unwrap();
/// # let _ = summary;
/// # }
/// ```
///
/// # Errors
///
/// Where there is nothing to run on, or far too much.
pub fn run<S: Sink>(
    policy: &Arc<Policy>,
    trace: &Trace,
    options: &Options,
    sink: &mut S,
) -> Result<Summary, BacktestError> {
    let mut run = Run::new(policy, trace, options)?;
    run.advance(Wall(i64::MAX), sink);
    Ok(run.finish())
}

/// Whether a reading may be handed in at its time without a tick before it: where nothing else that a tick
/// brings about at the same moment (a window's edge, a move to base that was held, another indicator's poll)
/// could come out differently after the reading than before it.
fn polls_are_enough(policy: &Policy) -> bool {
    let rests = policy.rules().rows().iter().any(|rule| matches!(rule.action, Action::Rest(_)));
    policy.windows().is_empty() && policy.indicators().len() == 1 && !rests
}

/// A run that can pause between two instants: of many runs each a stretch at a time, so that their records come
/// in the order of time without being kept. However it is cut, the outcome is that of [`run`].
///
/// ```
/// # use vmpolicy_core::backtest::{BacktestError, Options, Run, Summary, Trace};
/// # use vmpolicy_core::{Policy, time::Span};
/// # fn example(policy: &std::sync::Arc<Policy>, trace: &Trace, options: &Options) -> Result<Summary, BacktestError> {
/// let mut run = Run::new(policy, trace, options)?;
/// while let Some(next) = run.next_at() {
///     run.advance(next.plus(Span::from_hours(1)), &mut ());
///     // say how far it is
/// }
/// Ok(run.finish())
/// # }
/// ```
pub struct Run<'a> {
    engine: Engine,
    out: Output,
    /// Effects that are still to be carried out.
    pending: VecDeque<Effect>,
    /// The move that is under way, and when it arrives.
    confirm: Option<(Mono, RequestId)>,
    rows: Rows<'a>,
    fed: IndicatorId,
    move_takes: Span,
    span: (Wall, Wall),
    polls_are_enough: bool,
    /// When the engine was last called; none before the first time.
    last: Option<Mono>,
    /// How often at that instant.
    at_once: u32,
    tally: Tally,
}

/// How often a trace of this length is polled, where the guest never moves or rests.
///
/// # Errors
///
/// Where there is nothing to poll, or it would be more than [`MOST_POLLS`].
pub fn polls_at_most(policy: &Policy, trace: &Trace, options: &Options) -> Result<u64, BacktestError> {
    let (from, to) = trace.span().ok_or(BacktestError::NoRows)?;
    let (lasts, every) = (to.since(from), policy.indicators()[options.indicator].every);
    let polls = lasts.millis() / every.millis().max(1);
    if polls > MOST_POLLS {
        return Err(BacktestError::TooLong { lasts, every, polls });
    }
    Ok(polls + 1)
}

/// A place in the trace that only moves forward.
struct Rows<'a> {
    trace: &'a Trace,
    /// The first row that is later than the last poll.
    next: usize,
    stale: Span,
}

impl Rows<'_> {
    /// What a poll reads now.
    #[inline]
    fn read(&mut self, now: Wall) -> Result<f64, Absence> {
        let rows = &self.trace.rows;
        while let Some(&(at, _)) = rows.get(self.next)
            && at <= now
        {
            self.next += 1;
        }
        let index = self.next.checked_sub(1).ok_or(Absence::Missing)?;
        let (at, value) = rows[index];
        if now.since(at) > self.stale {
            Err(Absence::Stale)
        } else if value.is_finite() {
            Ok(value)
        } else {
            Err(self.trace.why_absent(index))
        }
    }
}

/// What happens next in a run.
enum Next {
    /// The move that is under way arrives.
    Arrival(RequestId),
    /// The engine wants a number of the fed indicator, and nothing else.
    Poll,
    /// The engine wants to be called.
    Tick,
}

impl<'a> Run<'a> {
    /// A run that has not begun.
    ///
    /// # Errors
    ///
    /// Where there is nothing to run on, or far too much.
    pub fn new(policy: &Arc<Policy>, trace: &'a Trace, options: &Options) -> Result<Self, BacktestError> {
        polls_at_most(policy, trace, options)?;
        let span = trace.span().ok_or(BacktestError::NoRows)?;
        let every = policy.indicators()[options.indicator].every;
        let stale = options.stale.unwrap_or_else(|| default_stale(every, trace));
        let setup = Setup { at: Some(options.at), locates: false, resends: false };
        Ok(Self {
            engine: Engine::new(Arc::clone(policy), setup),
            out: Output::default(),
            pending: VecDeque::new(),
            confirm: None,
            rows: Rows { trace, next: 0, stale },
            fed: options.indicator,
            move_takes: options.move_takes,
            span,
            polls_are_enough: polls_are_enough(policy),
            last: None,
            at_once: 0,
            tally: Tally::new(policy, options),
        })
    }

    /// When something happens next; none at the end.
    #[must_use]
    pub fn next_at(&self) -> Option<Wall> {
        let at = if self.last.is_none() { Mono(0) } else { self.next().0 };
        (at <= self.end()).then(|| self.span.0.shifted(at.0))
    }

    /// Goes on through all that happens up to and at this time.
    pub fn advance<S: Sink>(&mut self, upto: Wall, sink: &mut S) {
        if upto < self.span.0 {
            return;
        }
        let upto = self.end().min(Mono(0).plus(upto.since(self.span.0)));
        let mut at_once = self.at_once;
        let mut last = self.last.unwrap_or_else(|| {
            self.step(Mono(0), &Input::Tick, sink);
            Mono(0)
        });
        loop {
            let (at, next) = self.next();
            if at > upto {
                break;
            }
            let at = at.max(last);
            at_once = if at > last { 0 } else { at_once + 1 };
            assert!(at_once < MOST_STEPS_AT_ONCE, "the engine wants to be called at {at:?} again and again");
            last = at;
            match next {
                Next::Arrival(id) => {
                    self.confirm = None;
                    self.step(at, &Input::Outcome { id, outcome: Outcome::Confirmed }, sink);
                }
                Next::Poll => {
                    self.poll(at, sink);
                    self.carry_out(at, sink);
                }
                Next::Tick => self.step(at, &Input::Tick, sink),
            }
        }
        (self.last, self.at_once) = (Some(last), at_once);
    }

    /// What it comes to. What is left of the trace is run first, and nobody hears its records.
    #[must_use]
    pub fn finish(mut self) -> Summary {
        self.advance(Wall(i64::MAX), &mut ());
        let stale = self.rows.stale;
        self.tally.finish(&self.engine, self.span, stale)
    }

    const fn end(&self) -> Mono {
        Mono(0).plus(self.span.1.since(self.span.0))
    }

    #[inline]
    fn next(&self) -> (Mono, Next) {
        let (mut at, mut next) = (Mono(i64::MAX), Next::Tick);
        if let Some(deadline) = self.out.deadline {
            at = deadline.at;
            if self.polls_are_enough && matches!(deadline.cause, Cause::Poll(_)) {
                next = Next::Poll;
            }
        }
        match self.confirm {
            Some((arrival, id)) if arrival <= at => (arrival, Next::Arrival(id)),
            _ => (at, next),
        }
    }

    const fn now(&self, at: Mono) -> Now {
        Now { mono: at, wall: self.span.0.shifted(at.0) }
    }

    /// One step and all that follows from it at the same instant.
    fn step<S: Sink>(&mut self, at: Mono, input: &Input, sink: &mut S) {
        self.step_only(at, input, sink);
        self.carry_out(at, sink);
    }

    #[inline]
    fn step_only<S: Sink>(&mut self, at: Mono, input: &Input, sink: &mut S) {
        self.engine.step(self.now(at), input, &mut self.out);
        if !self.out.records.is_empty() {
            self.recorded(at, sink);
        }
    }

    #[cold]
    fn recorded<S: Sink>(&mut self, at: Mono, sink: &mut S) {
        self.tally.recorded(at, &self.out, &self.engine);
        sink.take(&self.out);
    }

    /// Polls the indicator that the trace feeds.
    #[inline]
    fn poll<S: Sink>(&mut self, at: Mono, sink: &mut S) {
        let value = self.rows.read(self.span.0.shifted(at.0));
        let reading = Reading { indicator: self.fed, taken: at, value };
        self.tally.polling();
        self.step_only(at, &Input::Reading(reading), sink);
        if self.tally.polled(at, value, &self.engine) {
            self.sampled(at, sink);
        }
    }

    #[inline]
    fn sampled<S: Sink>(&self, at: Mono, sink: &mut S) {
        sink.sample(self.now(at).wall, self.engine.value(self.fed), self.tally.in_breach());
    }

    #[inline]
    fn carry_out<S: Sink>(&mut self, at: Mono, sink: &mut S) {
        if !self.out.effects.is_empty() {
            self.carry_out_all(at, sink);
        }
    }

    fn carry_out_all<S: Sink>(&mut self, at: Mono, sink: &mut S) {
        self.pending.extend(&self.out.effects);
        while let Some(effect) = self.pending.pop_front() {
            match effect {
                Effect::Probe(indicator) if indicator == self.fed => self.poll(at, sink),
                Effect::Probe(indicator) => {
                    let reading = Reading { indicator, taken: at, value: Err(Absence::NotFed) };
                    self.step_only(at, &Input::Reading(reading), sink);
                    let before = self.tally.in_breach();
                    self.tally.judged(at, &self.engine);
                    if self.tally.in_breach() != before {
                        self.sampled(at, sink);
                    }
                }
                Effect::Request(request) if self.move_takes.is_zero() => {
                    self.step_only(at, &Input::Outcome { id: request.id, outcome: Outcome::Confirmed }, sink);
                }
                Effect::Request(request) => {
                    self.confirm = Some((at.plus(self.move_takes), request.id));
                    continue;
                }
                // Nobody answers: there is no locator, and no queue.
                Effect::Locate | Effect::Claim(_) | Effect::Run { .. } => continue,
            }
            // What follows at once comes first: a move before the polls that it makes void.
            for effect in self.out.effects.iter().rev() {
                self.pending.push_front(*effect);
            }
        }
    }
}
