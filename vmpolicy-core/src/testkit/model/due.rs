//! What is due now, and when something will be.

use super::decide::Waits;
use super::{Model, Phase};
use crate::id::{Id as _, WindowId};
use crate::output::{Cause, Deadline, Effect, Output};
use crate::time::Mono;

/// Whether the state must be on disk before this effect leaves.
pub(super) const fn must_be_saved(effect: &Effect) -> bool {
    matches!(effect, Effect::Request(_) | Effect::Claim(_) | Effect::Run { .. })
}

impl Model {
    /// Step 7.
    pub(super) fn due(&mut self, out: &mut Output) {
        for id in self.policy.indicators.ids() {
            let probing = self.probing(id);
            let polled = &mut self.indicators[id.index()];
            if probing && polled.asked.is_none() && polled.due <= self.t {
                polled.asked = Some(self.t);
                out.effects.push(Effect::Probe(id));
            }
        }
        if self.setup.locates && self.locate_due <= self.t {
            let following = self.open.as_ref().is_some_and(|open| open.phase != Phase::Asked);
            let apart = if following { self.fast() } else { self.policy.moves.locate_every };
            self.locate_due = self.t.plus(apart);
            out.effects.push(Effect::Locate);
        }
        if !self.jobs_may_run() {
            return;
        }
        for id in self.policy.queues.ids() {
            let queued = &mut self.queues[id.index()];
            match &queued.batch {
                Some(batch) if !queued.running => {
                    out.effects.push(Effect::Run { queue: id, job: batch.next });
                    queued.running = true;
                }
                None if queued.claim_due <= self.t => {
                    out.effects.push(Effect::Claim(id));
                    queued.claim_due = self.t.plus(self.policy.queues[id].every);
                }
                _ => {}
            }
        }
    }

    /// Step 8.
    pub(super) fn deadline(&self, now: Mono, waits: &Waits) -> Option<Deadline> {
        let mut all: Vec<(Mono, Cause)> = Vec::new();
        all.extend(self.settle_until.map(|until| (until, Cause::Settled)));
        let confirm = self.open.as_ref().filter(|open| open.phase != Phase::Overdue);
        all.extend(confirm.map(|open| (open.confirm_by, Cause::Confirm)));
        if self.setup.locates {
            all.push((self.locate_due, Cause::Locate));
        }
        for (id, indicator) in self.policy.indicators.iter() {
            let polled = &self.indicators[id.index()];
            if self.probing(id) {
                all.push(match polled.asked {
                    Some(asked) => (asked.plus(indicator.every), Cause::Late(id)),
                    None => (polled.due, Cause::Poll(id)),
                });
            }
        }
        for (number, view) in self.windows.iter().enumerate() {
            if let Some(edge) = view.next_edge {
                all.push((
                    self.t.shifted(edge.0.saturating_sub(self.wall.0)),
                    Cause::Window(WindowId::from_index(number)),
                ));
            }
        }
        if self.open.is_none() {
            all.extend(waits.rules.iter().map(|&(rule, at)| (at, Cause::Rule(rule))));
            all.extend(waits.drain.map(|at| (at, Cause::Drain)));
        }
        if self.jobs_may_run() {
            for id in self.policy.queues.ids() {
                let queued = &self.queues[id.index()];
                if queued.batch.is_none() {
                    all.push((queued.claim_due, Cause::Claim(id)));
                }
            }
        }
        let earliest = all.iter().map(|(at, _)| *at).min()?;
        let (at, cause) = *all.iter().find(|(at, _)| *at == earliest)?;
        Some(Deadline { at: now.shifted(at.0.saturating_sub(self.t.0)), cause })
    }
}
