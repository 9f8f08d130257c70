//! A move between arrays: no storage is shared, so the disk has to come along (thesis 3.5 and 3.12.3).

use super::precopy::takes_s;
use super::{CLOSE_S, End, MoveError, is_amount, rounded_up};
use crate::time::Span;

/// A move between arrays. The guest is down for all of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relocation {
    /// How long the guest takes to shut down.
    pub shutdown: Span,
    /// What is copied: the disk, or the part of it that is used.
    pub disk_bytes: f64,
    /// How long it takes to boot.
    pub boot: Span,
}

impl Relocation {
    pub(super) fn check(&self) -> Result<(), MoveError> {
        is_amount("disk", self.disk_bytes)
    }

    /// The bandwidth, in bytes a second, with which it takes so long: to find from a measured relocation what the link is
    /// worth. None where shutdown and boot alone take as long.
    ///
    /// ```
    /// use vmpolicy_core::sim::migration::Relocation;
    /// use vmpolicy_core::time::Span;
    /// // Thesis, listings 4.5 and 4.6: the used part of nii4's disk, out in 1324 s.
    /// let out = Relocation { shutdown: Span::from_secs(10), disk_bytes: 1_015_417.0 * 1_024.0, boot: Span::from_secs(30) };
    /// let bandwidth = out.bandwidth_for(Span::from_secs(1_324)).expect("more than 40 s");
    /// assert!((bandwidth - 809_802.0).abs() < 1.0);
    /// assert_eq!(out.bandwidth_for(Span::from_secs(40)), None);
    /// ```
    #[must_use]
    pub fn bandwidth_for(&self, takes: Span) -> Option<f64> {
        let around = Span::from_millis(self.shutdown.millis().saturating_add(self.boot.millis()));
        let copying_s = takes.as_secs_f64() - around.as_secs_f64();
        (copying_s > 0.0).then(|| self.disk_bytes / copying_s)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Shutdown { left_s: f64 },
    Copy { left_bytes: f64 },
    Boot { left_s: f64 },
    Ended,
}

/// A relocation that is going on.
#[derive(Clone, Debug, PartialEq)]
pub struct Relocating {
    spec: Relocation,
    phase: Phase,
    sent_bytes: f64,
    took_s: f64,
}

impl Relocating {
    pub(super) fn new(spec: &Relocation) -> Self {
        let phase = Phase::Shutdown { left_s: spec.shutdown.as_secs_f64() };
        Self { spec: *spec, phase, sent_bytes: 0.0, took_s: 0.0 }
    }

    /// Whether the guest has left its old host and is not yet booting at the new one.
    #[must_use]
    pub const fn is_copying(&self) -> bool {
        matches!(self.phase, Phase::Copy { .. })
    }

    pub(super) const fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    pub(super) const fn is_sending(&self) -> bool {
        self.is_copying()
    }

    pub(super) const fn sent_bytes(&self) -> f64 {
        self.sent_bytes
    }

    pub(super) fn ended(&self) -> Option<End> {
        (self.phase == Phase::Ended).then(|| End {
            took: rounded_up(self.took_s),
            downtime: rounded_up(self.took_s),
            sent_bytes: self.sent_bytes,
            rounds: 0,
            stop: None,
        })
    }

    pub(super) fn phase_s(&self, bandwidth: f64) -> f64 {
        match self.phase {
            Phase::Shutdown { left_s } | Phase::Boot { left_s } => left_s,
            Phase::Copy { left_bytes } => takes_s(left_bytes, bandwidth),
            Phase::Ended => 0.0,
        }
    }

    pub(super) fn go(&mut self, mut left_s: f64, bandwidth: f64) -> f64 {
        while self.phase != Phase::Ended {
            let needs_s = self.phase_s(bandwidth);
            let ends = needs_s <= left_s + CLOSE_S;
            let step_s = if ends { needs_s } else { left_s };
            self.took_s += step_s;
            match &mut self.phase {
                Phase::Shutdown { left_s } | Phase::Boot { left_s } => *left_s -= step_s,
                Phase::Copy { left_bytes } => {
                    let sent = if ends { *left_bytes } else { (bandwidth * step_s).min(*left_bytes) };
                    *left_bytes -= sent;
                    self.sent_bytes += sent;
                }
                Phase::Ended => {}
            }
            if !ends {
                return 0.0;
            }
            left_s = (left_s - step_s).max(0.0);
            self.phase = match self.phase {
                Phase::Shutdown { .. } => Phase::Copy { left_bytes: self.spec.disk_bytes },
                Phase::Copy { .. } => Phase::Boot { left_s: self.spec.boot.as_secs_f64() },
                Phase::Boot { .. } | Phase::Ended => Phase::Ended,
            };
        }
        left_s
    }
}
