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
    let (from, to) = trace.span().ok_or(BacktestError::NoRows)?;
    let (lasts, every) = (to.since(from), policy.indicators()[options.indicator].every);
    let polls = lasts.millis() / every.millis().max(1);
    if polls > MOST_POLLS {
        return Err(BacktestError::TooLong { lasts, every, polls });
    }
    let stale = options.stale.unwrap_or_else(|| default_stale(every, trace));
    let setup = Setup { at: Some(options.at), locates: false, resends: false };
    let mut run = Run {
        engine: Engine::new(Arc::clone(policy), setup),
        out: Output::default(),
        pending: VecDeque::new(),
        confirm: None,
        rows: Rows { trace, next: 0, stale_ms: i64::try_from(stale.millis()).unwrap_or(i64::MAX) },
        fed: options.indicator,
        move_takes: options.move_takes,
        from,
        tally: Tally::new(policy, options),
        sink,
    };
    run.all(Mono::default().plus(lasts), polls_are_enough(policy));
    Ok(run.tally.finish(&run.engine, (from, to), stale))
}

/// Whether a reading may be handed in at its time without a tick before it: where nothing else that a tick
/// brings about at the same moment (a window's edge, a move to base that was held, another indicator's poll)
/// could come out differently after the reading than before it.
fn polls_are_enough(policy: &Policy) -> bool {
    let rests = policy.rules().rows().iter().any(|rule| matches!(rule.action, Action::Rest(_)));
    policy.windows().is_empty() && policy.indicators().len() == 1 && !rests
}

struct Run<'a, S> {
    engine: Engine,
    out: Output,
    /// Effects that are still to be carried out.
    pending: VecDeque<Effect>,
    /// The move that is under way, and when it arrives.
    confirm: Option<(Mono, RequestId)>,
    rows: Rows<'a>,
    fed: IndicatorId,
    move_takes: Span,
    from: Wall,
    tally: Tally,
    sink: &'a mut S,
}

/// A place in the trace that only moves forward.
struct Rows<'a> {
    trace: &'a Trace,
    /// The first row that is later than the last poll.
    next: usize,
    stale_ms: i64,
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
        if now.0.saturating_sub(at.0) > self.stale_ms {
            Err(Absence::Stale)
        } else if value.is_finite() {
            Ok(value)
        } else {
            Err(self.trace.why_absent(index))
        }
    }
}

impl<S: Sink> Run<'_, S> {
    fn all(&mut self, end: Mono, polls_are_enough: bool) {
        self.step(Mono(0), &Input::Tick);
        let (mut last, mut at_once) = (Mono(0), 0_u32);
        loop {
            let deadline = self.out.deadline;
            let (mut at, mut polls) = (Mono(i64::MAX), false);
            if let Some(deadline) = deadline {
                at = deadline.at;
                polls = polls_are_enough && matches!(deadline.cause, Cause::Poll(_));
            }
            let arrives = self.confirm.filter(|&(arrival, _)| arrival <= at);
            if let Some((arrival, _)) = arrives {
                at = arrival;
            }
            if at > end {
                return;
            }
            at = at.max(last);
            at_once = if at > last { 0 } else { at_once + 1 };
            assert!(at_once < MOST_STEPS_AT_ONCE, "the engine wants to be called at {at:?} again and again");
            last = at;
            if let Some((_, id)) = arrives {
                self.confirm = None;
                self.step(at, &Input::Outcome { id, outcome: Outcome::Confirmed });
            } else if polls {
                self.poll(at);
                self.carry_out(at);
            } else {
                self.step(at, &Input::Tick);
            }
        }
    }

    const fn now(&self, at: Mono) -> Now {
        Now { mono: at, wall: self.from.shifted(at.0) }
    }

    /// One step and all that follows from it at the same instant.
    fn step(&mut self, at: Mono, input: &Input) {
        self.step_only(at, input);
        self.carry_out(at);
    }

    #[inline]
    fn step_only(&mut self, at: Mono, input: &Input) {
        self.engine.step(self.now(at), input, &mut self.out);
        if !self.out.records.is_empty() {
            self.recorded(at);
        }
    }

    #[cold]
    fn recorded(&mut self, at: Mono) {
        self.tally.recorded(at, &self.out, &self.engine);
        self.sink.take(&self.out);
    }

    /// Polls the indicator that the trace feeds.
    #[inline]
    fn poll(&mut self, at: Mono) {
        let value = self.rows.read(self.from.shifted(at.0));
        let reading = Reading { indicator: self.fed, taken: at, value };
        self.tally.polling();
        self.step_only(at, &Input::Reading(reading));
        self.tally.polled(at, value, &self.engine);
    }

    #[inline]
    fn carry_out(&mut self, at: Mono) {
        if !self.out.effects.is_empty() {
            self.carry_out_all(at);
        }
    }

    fn carry_out_all(&mut self, at: Mono) {
        self.pending.extend(&self.out.effects);
        while let Some(effect) = self.pending.pop_front() {
            match effect {
                Effect::Probe(indicator) if indicator == self.fed => self.poll(at),
                Effect::Probe(indicator) => {
                    let reading = Reading { indicator, taken: at, value: Err(Absence::NotFed) };
                    self.step_only(at, &Input::Reading(reading));
                    self.tally.judged(at, &self.engine);
                }
                Effect::Request(request) if self.move_takes.is_zero() => {
                    self.step_only(at, &Input::Outcome { id: request.id, outcome: Outcome::Confirmed });
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
