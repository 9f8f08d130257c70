//! What a provider publishes: notices about hosts, and rankings (thesis 5.2 and 5.3: both were missing).

use super::state::NEVER;
use super::step::Step;
use crate::id::{ArrayId, HostId, Id};
use crate::input::Notice;
use crate::time::Span;

impl Step<'_> {
    pub(super) fn noticed(&mut self, host: HostId, notice: Notice, lasts: Span) {
        if !self.has_host(host) {
            return;
        }
        let until = self.t.plus(lasts);
        let state = &mut self.state.hosts[host];
        match notice {
            Notice::Drain => state.drain_until = until,
            Notice::Down => state.down_until = until,
            Notice::Up => (state.drain_until, state.down_until) = (NEVER, NEVER),
            Notice::Withdrawn => state.drain_until = NEVER,
        }
        self.out.save = true;
    }

    /// A ranking says anew who is good: what was tried in vain before it does not count.
    pub(super) fn ranked(&mut self, array: ArrayId, order: &[HostId], lasts: Span) {
        if array.index() >= self.policy.arrays.len() {
            return;
        }
        if order.is_empty() {
            self.state.arrays[array].ranking.clear();
        } else {
            self.rank(array, order);
        }
        self.state.arrays[array].ranking_until = self.t.plus(lasts);
        for host in self.policy.ring(array) {
            self.state.hosts[host].tried = 0;
        }
        self.out.save = true;
    }
}
