//! Whether a policy that was read back from somewhere is one that [`PolicyFile::build`] could have made, as far as the
//! engine relies on it: every id has its row, every number its range.
//!
//! [`PolicyFile::build`]: super::PolicyFile::build

use super::{Action, Condition, Policy};
use crate::id::{ArrayId, HostId, Id, QueueId};
use crate::leaf::tarry::{MAX_WINDOW, Tarry};

/// Conditions are not nested deeper than this.
const DEEPEST: u32 = 64;

impl Policy {
    pub(crate) fn is_consistent(&self) -> bool {
        let small = [self.indicators.len(), self.windows.len(), self.queues.len(), self.rules.len()];
        small.into_iter().all(|count| count <= 64)
            && self.hosts.len() <= 65_000
            && self.has_array(self.home)
            && self.arrays_tile_the_hosts()
            && self.indicators.iter().all(|(_, indicator)| !indicator.every.is_zero())
            && (1..=1_000).contains(&self.moves.at_most.count)
            && self.queues.iter().all(|(_, queue)| queue.classes.len() <= 64)
            && self.rules.iter().all(|(_, rule)| {
                let (mut reads, mut queue) = (0, None);
                self.condition(&rule.when, DEEPEST, &mut reads, &mut queue)
                    && reads == rule.indicators
                    && queue == rule.queue
                    && self.action(rule.action)
                    && tarry(rule.tarry)
            })
    }

    /// Each array's ring stands in one piece, its base after it, and no host is left over.
    fn arrays_tile_the_hosts(&self) -> bool {
        let mut next = 0_usize;
        for (id, array) in self.arrays.iter() {
            let ring = next..next + usize::from(array.ring_len);
            let base = array.base.map(|_| ring.end);
            next = ring.end + usize::from(base.is_some());
            let sound = array.ring_len > 0
                && array.first.index() == ring.start
                && array.base.map(HostId::index) == base
                && next <= self.hosts.len()
                && array.speed > 0.0
                && self.hosts.rows()[ring.start..next]
                    .iter()
                    .enumerate()
                    .all(|(at, host)| host.array == id && host.is_base == (at == ring.len()));
            if !sound {
                return false;
            }
        }
        next == self.hosts.len()
    }

    fn condition(
        &self,
        condition: &Condition,
        depth: u32,
        reads: &mut u64,
        queue: &mut Option<QueueId>,
    ) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let mut on = |id: QueueId| {
            let only = queue.is_none_or(|other| other == id);
            *queue = Some(id);
            only && id.index() < self.queues.len()
        };
        match condition {
            Condition::Indicator { indicator, threshold, .. } => {
                let known = indicator.index() < self.indicators.len();
                *reads |= if known { 1 << indicator.index() } else { 0 };
                known && threshold.is_finite()
            }
            Condition::Window { window, .. } => window.index() < self.windows.len(),
            Condition::Count { queue, class, .. } => {
                on(*queue) && usize::from(*class) < self.queues[*queue].classes.len()
            }
            Condition::Gain { queue, array, .. } => on(*queue) && self.has_array(*array),
            Condition::All(parts) | Condition::Any(parts) => {
                !parts.is_empty() && parts.iter().all(|part| self.condition(part, depth, reads, queue))
            }
            Condition::Not(part) => self.condition(part, depth, reads, queue),
        }
    }

    fn action(&self, action: Action) -> bool {
        match action {
            Action::MoveTo(host) => host.index() < self.hosts.len(),
            Action::MoveFromHome(array) => self.has_array(array),
            _ => true,
        }
    }

    fn has_array(&self, array: ArrayId) -> bool {
        array.index() < self.arrays.len()
    }
}

const fn tarry(tarry: Tarry) -> bool {
    match tarry {
        Tarry::Consecutive(samples) => samples > 0,
        Tarry::Lasting(_) => true,
        Tarry::Of { hits, last } => 0 < hits && hits <= last && last <= MAX_WINDOW,
    }
}
