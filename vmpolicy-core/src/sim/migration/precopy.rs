//! Iterative pre-copy: Clark, Fraser, Hand, Hansen, Jul, Limpach, Pratt and Warfield, "Live migration of virtual machines",
//! NSDI 2005, sections 3 and 4.

use super::{CLOSE_S, End, MoveError, is_amount, rounded_up};
use crate::time::Span;

/// A move within an array: what there is to copy, and when it is enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PreCopy {
    /// The guest's memory, all of which the first round sends.
    pub memory_bytes: f64,
    /// How fast it writes to pages that are clean.
    pub dirty_bytes_per_s: f64,
    /// Its writable working set: the pages that it writes to again and again. No round has more to send again.
    pub working_set_bytes: f64,
    /// With so little left the guest is stopped.
    pub stop_bytes: f64,
    /// After so many rounds it is stopped, whatever is left.
    pub rounds_most: u32,
    /// So it is when so many times its memory has been sent.
    pub sent_most: f64,
    /// What it takes before the first round, with the guest running: a place on the other host.
    pub setup: Span,
    /// What it takes after the last byte until the guest runs again.
    pub resume: Span,
}

impl Default for PreCopy {
    /// 512 MiB that nobody writes to (the guests of the thesis, listing 3.7); the limits are those of Xen, for which pre-copy was
    /// written: 50 pages of 4 KiB, 30 rounds, three times the memory. Setup and resumption take no time.
    fn default() -> Self {
        Self {
            memory_bytes: 536_870_912.0,
            dirty_bytes_per_s: 0.0,
            working_set_bytes: 536_870_912.0,
            stop_bytes: 50.0 * 4_096.0,
            rounds_most: 30,
            sent_most: 3.0,
            setup: Span::ZERO,
            resume: Span::ZERO,
        }
    }
}

impl PreCopy {
    pub(super) fn check(&self) -> Result<(), MoveError> {
        is_amount("memory", self.memory_bytes)?;
        is_amount("dirty_rate", self.dirty_bytes_per_s)?;
        is_amount("working_set", self.working_set_bytes)?;
        is_amount("stop_bytes", self.stop_bytes)?;
        is_amount("sent_most", self.sent_most)?;
        if self.rounds_most == 0 { Err(MoveError::NoRound) } else { Ok(()) }
    }
}

/// Why the guest was stopped for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Little enough was left.
    Little,
    /// A round left as much to send as it had sent: the guest writes as fast as the link sends.
    NoProgress,
    /// There have been as many rounds as there may be.
    Rounds,
    /// As much has been sent as may be.
    Sent,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Setup { left_s: f64 },
    Round { sends_bytes: f64, left_bytes: f64, dirty_bytes: f64 },
    Stopped { left_bytes: f64 },
    Resume { left_s: f64 },
    Ended,
}

/// Pre-copy that is going on.
#[derive(Clone, Debug, PartialEq)]
pub struct Copying {
    spec: PreCopy,
    phase: Phase,
    rounds: u32,
    stop: Option<Stop>,
    sent_bytes: f64,
    took_s: f64,
    down_s: f64,
}

impl Copying {
    pub(super) fn new(spec: &PreCopy) -> Self {
        Self {
            spec: *spec,
            phase: Phase::Setup { left_s: spec.setup.as_secs_f64() },
            rounds: 0,
            stop: None,
            sent_bytes: 0.0,
            took_s: 0.0,
            down_s: 0.0,
        }
    }

    /// How many rounds have ended.
    #[must_use]
    pub const fn rounds(&self) -> u32 {
        self.rounds
    }

    pub(super) const fn is_running(&self) -> bool {
        !matches!(self.phase, Phase::Stopped { .. } | Phase::Resume { .. })
    }

    pub(super) const fn is_sending(&self) -> bool {
        matches!(self.phase, Phase::Round { .. } | Phase::Stopped { .. })
    }

    pub(super) const fn sent_bytes(&self) -> f64 {
        self.sent_bytes
    }

    pub(super) fn ended(&self) -> Option<End> {
        (self.phase == Phase::Ended).then(|| End {
            took: rounded_up(self.took_s),
            downtime: rounded_up(self.down_s),
            sent_bytes: self.sent_bytes,
            rounds: self.rounds,
            stop: self.stop,
        })
    }

    pub(super) fn phase_s(&self, bandwidth: f64) -> f64 {
        match self.phase {
            Phase::Setup { left_s } | Phase::Resume { left_s } => left_s,
            Phase::Round { left_bytes, .. } | Phase::Stopped { left_bytes } => takes_s(left_bytes, bandwidth),
            Phase::Ended => 0.0,
        }
    }

    pub(super) fn go(&mut self, mut left_s: f64, bandwidth: f64) -> f64 {
        while self.phase != Phase::Ended {
            let needs_s = self.phase_s(bandwidth);
            let ends = needs_s <= left_s + CLOSE_S;
            let step_s = if ends { needs_s } else { left_s };
            self.pass(step_s, bandwidth, ends);
            if !ends {
                return 0.0;
            }
            left_s = (left_s - step_s).max(0.0);
            self.phase = self.next();
        }
        left_s
    }

    /// Time passes within a phase, up to its end or not.
    fn pass(&mut self, step_s: f64, bandwidth: f64, ends: bool) {
        self.took_s += step_s;
        if !self.is_running() {
            self.down_s += step_s;
        }
        let sent = |left_bytes: f64| if ends { left_bytes } else { (bandwidth * step_s).min(left_bytes) };
        match &mut self.phase {
            Phase::Setup { left_s } | Phase::Resume { left_s } => *left_s -= step_s,
            Phase::Round { left_bytes, dirty_bytes, .. } => {
                let sent = sent(*left_bytes);
                *left_bytes -= sent;
                self.sent_bytes += sent;
                let most = self.spec.working_set_bytes.min(self.spec.memory_bytes);
                *dirty_bytes = (*dirty_bytes + self.spec.dirty_bytes_per_s * step_s).min(most);
            }
            Phase::Stopped { left_bytes } => {
                let sent = sent(*left_bytes);
                *left_bytes -= sent;
                self.sent_bytes += sent;
            }
            Phase::Ended => {}
        }
    }

    /// What comes after the phase that has just ended.
    fn next(&mut self) -> Phase {
        let round = |bytes| Phase::Round { sends_bytes: bytes, left_bytes: bytes, dirty_bytes: 0.0 };
        match self.phase {
            Phase::Setup { .. } => round(self.spec.memory_bytes),
            Phase::Round { sends_bytes, dirty_bytes, .. } => {
                self.rounds += 1;
                self.stop = self.stop_after(sends_bytes, dirty_bytes);
                match self.stop {
                    None => round(dirty_bytes),
                    Some(_) => Phase::Stopped { left_bytes: dirty_bytes },
                }
            }
            Phase::Stopped { .. } => Phase::Resume { left_s: self.spec.resume.as_secs_f64() },
            Phase::Resume { .. } | Phase::Ended => Phase::Ended,
        }
    }

    fn stop_after(&self, sent_bytes: f64, dirty_bytes: f64) -> Option<Stop> {
        if dirty_bytes <= self.spec.stop_bytes {
            Some(Stop::Little)
        } else if dirty_bytes >= sent_bytes {
            Some(Stop::NoProgress)
        } else if self.rounds >= self.spec.rounds_most {
            Some(Stop::Rounds)
        } else if self.sent_bytes >= self.spec.sent_most * self.spec.memory_bytes {
            Some(Stop::Sent)
        } else {
            None
        }
    }
}

pub(super) fn takes_s(bytes: f64, bandwidth: f64) -> f64 {
    match () {
        () if bytes <= 0.0 => 0.0,
        () if bandwidth > 0.0 => bytes / bandwidth,
        () => f64::INFINITY,
    }
}
