//! What the judge knows of each guest.

use super::count::Doing;
use crate::id::{HostId, RequestId};
use crate::sim::scenario::{GuestIx, HostIx};
use crate::time::{Mono, Span};
use std::collections::VecDeque;

/// How long something that should end has gone on undisturbed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    pub(super) ran: Span,
    /// Whether it ran at the last step.
    pub(super) runs: bool,
    /// Whether the occasion was counted that goes on.
    pub(super) counted: bool,
}

impl Clock {
    pub(super) fn anew(&mut self) {
        (self.ran, self.runs) = (Span::ZERO, false);
    }
}

/// How a clock goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Nothing to complain of.
    Over,
    /// The guest can't end it.
    Anew,
    /// The infrastructure is at work.
    Stands,
    /// Only the policy decides.
    Runs,
}

/// What there is to say of an expectation at a step.
pub(super) struct Judged {
    pub(super) pace: Pace,
    pub(super) within: Span,
    /// Whether it has something to judge.
    pub(super) occasion: bool,
}

/// A guest with the policy.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) guest: GuestIx,
    pub(super) clocks: Vec<Clock>,
    /// By expectation: when what is limited happened.
    pub(super) past: Vec<VecDeque<Mono>>,
    /// Requests that have not ended, whether a rule wanted each, and when it was asked for.
    pub(super) open: Vec<(RequestId, bool, Mono)>,
    /// Where it is.
    pub(super) host: Option<HostIx>,
    /// What turned up in the turn that runs.
    pub(super) fresh: Fresh,
    pub(super) doing: Doing,
    /// Until when an operator holds it.
    pub(super) held_until: Mono,
    /// Whether its daemon hears nothing: it is dead, or the guest is off.
    pub(super) deaf: bool,
    /// By host of the scenario: whether the guest was told that it drains.
    pub(super) told: Vec<bool>,
    pub(super) in_breach: Vec<bool>,
    /// What it cost so far, and at the steps of the last day.
    pub(super) cost: f64,
    pub(super) costs: VecDeque<(Mono, f64)>,
}

/// Records of one turn, until its time is known.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    pub(super) requests: u32,
    pub(super) by_rules: u32,
    /// When the moves that took place were asked for.
    pub(super) moves: Vec<Mono>,
    pub(super) came_to_nothing: bool,
    pub(super) to: Vec<HostId>,
}
