//! What is still to happen, in the order in which it will.

use crate::input::Input;
use crate::sim::scenario::{ArrayIx, GuestIx, HostIx};
use crate::time::Mono;
use core::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Something that will happen.
#[derive(Clone, Debug)]
pub(super) enum Coming {
    /// A guest's daemon learns something, if it is still the same run of it, under the same policy.
    Input { guest: GuestIx, run: u32, input: Input },
    /// A request reaches the provider.
    Asked(Ask),
    /// A move may have come to its next stage; it has, unless it was worked out anew since.
    Stage { slot: u32, version: u32 },
    /// A guest's job may be done; it is, unless it was worked out anew since.
    JobEnds { guest: GuestIx, version: u32 },
    /// The hypervisor lets the guest run again.
    Resumes(GuestIx),
    /// The guest is up, and its daemon starts.
    Boots { guest: GuestIx, power_on: u32 },
    /// A fault begins.
    Begins(u32),
    /// A fault is over.
    Ends(u32),
    /// The provider of an array works out a ranking.
    Ranks(ArrayIx),
    /// The infrastructure looks at its hosts.
    Manages,
    /// A ranking arrives at the guests.
    Ranking { array: ArrayIx, order: Vec<HostIx> },
}

/// A request on its way to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) guest: GuestIx,
    /// The number of the request, which with the guest is its id.
    pub(super) number: u64,
    pub(super) to: HostIx,
}

#[derive(Debug)]
struct Entry {
    at: Mono,
    /// Among things of the same moment, the order in which they were planned.
    number: u64,
    coming: Coming,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// All that is planned.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Reverse<Entry>>,
    numbered: u64,
}

impl Agenda {
    pub(super) fn plan(&mut self, at: Mono, coming: Coming) {
        self.numbered += 1;
        self.heap.push(Reverse(Entry { at, number: self.numbered, coming }));
    }

    /// When the next thing happens.
    #[inline]
    pub(super) fn next(&self) -> Option<Mono> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    pub(super) fn pop(&mut self) -> Option<(Mono, Coming)> {
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.coming))
    }
}
