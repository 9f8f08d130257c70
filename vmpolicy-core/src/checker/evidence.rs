//! What an onlooker saw of one indicator: every reading and every answer that did not come.
//!
//! A reading that answers a probe in time is *certain*: it counts, and nothing can excuse that it does
//! not. One that nobody asked for may count or not (it does where a poll was due).

use crate::input::{Absence, Reading};
use crate::leaf::sample::Read;
use crate::policy::{Compare, Indicator, OnTimeout};
use crate::time::{Mono, Span};
use std::collections::VecDeque;

/// So many polls are remembered; no tarry of a test needs more.
const REMEMBERED: usize = 4_096;

/// A reading or the lack of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Poll {
    pub(super) step: u64,
    pub(super) taken: Mono,
    pub(super) value: Option<f64>,
    pub(super) timed_out: bool,
    pub(super) certain: bool,
}

/// What a poll may have been taken for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sample {
    Known(f64),
    /// Nothing to compare with yet.
    Baseline,
    /// The counter went back.
    Reset,
    /// Nothing usable.
    Absent,
    /// Nothing, as the probe ran out of time, and that is declared to say something.
    TimedOut,
}

/// All that was seen of an indicator.
#[derive(Clone, Debug, Default)]
pub(super) struct Polls {
    /// Since which step values can have a bearing: after the last move, void, rest or wake.
    pub(super) since_step: u64,
    /// Since when a probe is out.
    pub(super) asked: Option<Mono>,
    /// A reading came that may have been taken for the answer, or may not.
    doubted: bool,
    /// When a probe last left, in this stay.
    pub(super) probed: Option<Mono>,
    polls: VecDeque<Poll>,
}

impl Polls {
    /// A probe leaves.
    pub(super) fn ask(&mut self, t: Mono) {
        self.asked = Some(t);
        self.doubted = false;
        self.probed = Some(t);
    }

    /// What was waited for will not count.
    pub(super) fn forget_asked(&mut self) {
        self.asked = None;
        self.probed = None;
        self.doubted = false;
    }

    /// Nothing seen up to now has a bearing any more; `spare_this_step` where what comes in this very
    /// step does.
    pub(super) fn void(&mut self, step: u64, spare_this_step: bool) {
        self.forget_asked();
        self.since_step = if spare_this_step { step } else { step + 1 };
    }

    /// An answer that is not there when the next poll is due.
    pub(super) fn late(&mut self, step: u64, t: Mono, every: Span) -> bool {
        let Some(asked) = self.asked.filter(|asked| t >= asked.plus(every)) else { return false };
        self.asked = None;
        self.push(Poll { step, taken: asked, value: None, timed_out: false, certain: !self.doubted });
        self.doubted = false;
        true
    }

    /// A reading came while readings count; gives whether it counts for certain.
    pub(super) fn read(&mut self, step: u64, taken: Mono, reading: &Reading) -> bool {
        // After a poll that counted none counts that was taken before it.
        let overtaken =
            self.polls.iter().rev().find(|poll| poll.certain).is_some_and(|poll| poll.taken >= taken);
        if overtaken && self.asked.is_none_or(|asked| taken < asked) {
            return false;
        }
        let certain = !self.doubted && self.asked.is_some_and(|asked| taken >= asked);
        if certain {
            self.asked = None;
        } else {
            // Where it counts, the next poll is due by when this one was taken, and nothing is out.
            self.probed = None;
            self.doubted = self.asked.is_some();
        }
        let value = reading.value.ok().filter(|value| value.is_finite());
        let timed_out = reading.value == Err(Absence::TimedOut);
        self.push(Poll { step, taken, value, timed_out, certain });
        certain
    }

    fn push(&mut self, poll: Poll) {
        if self.polls.len() == REMEMBERED {
            self.polls.pop_front();
        }
        self.polls.push_back(poll);
    }

    /// The polls since a step, the newest first, with their places.
    pub(super) fn back(&self, since_step: u64) -> impl Iterator<Item = (usize, &Poll)> {
        let since_step = since_step.max(self.since_step);
        self.polls.iter().enumerate().rev().take_while(move |(_, poll)| poll.step >= since_step)
    }

    /// The newest poll.
    pub(super) fn newest(&self) -> Option<&Poll> {
        self.polls.back().filter(|poll| poll.step >= self.since_step)
    }

    /// Everything that this poll may have been, as a sample: one thing only, where all is certain.
    pub(super) fn samples(&self, indicator: &Indicator, at: usize) -> Vec<Sample> {
        let poll = self.polls[at];
        let Some(value) = poll.value else {
            let declared = poll.timed_out && indicator.timeout == OnTimeout::Breach;
            return vec![if declared { Sample::TimedOut } else { Sample::Absent }];
        };
        if indicator.read == Read::Gauge {
            return vec![Sample::Known(value)];
        }
        let mut samples = Vec::new();
        for index in (0..at).rev() {
            let before = self.polls[index];
            if before.step < self.since_step {
                break;
            }
            match before.value {
                Some(earlier) => {
                    samples.push(difference(indicator, earlier, value, poll.taken.since(before.taken)))
                }
                // A delta over a poll that failed would be of two intervals.
                None if indicator.read == Read::Delta => samples.push(Sample::Baseline),
                None => continue,
            }
            if before.certain {
                return samples;
            }
        }
        samples.push(Sample::Baseline);
        samples
    }
}

fn difference(indicator: &Indicator, earlier: f64, value: f64, gone: Span) -> Sample {
    if value < earlier {
        return Sample::Reset;
    }
    let every = indicator.every;
    match indicator.read {
        Read::Delta if gone >= every.times(2) => Sample::Baseline,
        Read::Rate if gone.is_zero() => Sample::Baseline,
        Read::Rate => known((value - earlier) / gone.as_secs_f64()),
        Read::Gauge | Read::Delta => known(value - earlier),
    }
}

fn known(sample: f64) -> Sample {
    if sample.is_finite() { Sample::Known(sample) } else { Sample::Absent }
}

/// A comparison, worked out here again.
pub(super) fn compares(sample: f64, compare: Compare, threshold: f64) -> bool {
    match compare {
        Compare::Above => sample > threshold,
        Compare::Below => sample < threshold,
        Compare::AtLeast => sample >= threshold,
        Compare::AtMost => sample <= threshold,
    }
}
