//! Where a guest goes: power-aware best fit decreasing, Beloglazov and Buyya 2012, algorithm 2.
//!
//! Of the hosts that have room, the one whose draw rises least. The caller asks in decreasing order of demand.

use super::view::Kind;

/// What a guest needs of its new host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Need {
    /// What it wants of the processor now.
    pub cpu: f64,
    /// Its memory, where memory counts; else 0.
    pub memory: f64,
}

/// A host as a plan has it: what is there, and what was promised since.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// The row of its model.
    pub kind: u16,
    /// Whether nothing may be sent there.
    pub closed: bool,
    /// What its guests want.
    pub asked: f64,
    /// What they get.
    pub used: f64,
    /// What of its processors is free.
    pub free: f64,
    /// What of its memory is free.
    pub memory: f64,
    /// The watts that its rise counts from.
    pub before: f64,
}

/// The hosts of one plan.
///
/// Empty hosts of one model are alike: only the first of them is looked at. So a search takes as long as there are
/// hosts in use and models, not hosts.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    kinds: Vec<Kind>,
    rooms: Vec<Room>,
    /// The hosts that are not as good as new, in no order.
    in_use: Vec<u32>,
    /// For each model its hosts that are, the first of them last.
    fresh: Vec<Vec<u32>>,
}

impl Plan {
    /// Begins anew, with no host.
    pub fn clear(&mut self, kinds: &[Kind]) {
        if self.kinds != kinds {
            self.kinds.clear();
            self.kinds.extend_from_slice(kinds);
            self.fresh.resize_with(kinds.len(), Vec::new);
        }
        self.rooms.clear();
        self.in_use.clear();
        self.fresh.iter_mut().for_each(Vec::clear);
    }

    /// Adds the next host. A `fresh` one is empty and in no way different from any other fresh one of its model.
    #[inline]
    pub fn push(&mut self, room: Room, fresh: bool) {
        let host = u32::try_from(self.rooms.len()).expect("hosts are counted in 32 bits");
        match fresh {
            true => self.fresh[usize::from(room.kind)].push(host),
            false => self.in_use.push(host),
        }
        self.rooms.push(room);
    }

    /// No host is added from here on.
    pub fn complete(&mut self) {
        self.fresh.iter_mut().for_each(|fresh| fresh.reverse());
    }

    /// The model of a host.
    #[must_use]
    #[inline]
    pub fn kind(&self, host: usize) -> &Kind {
        &self.kinds[usize::from(self.rooms[host].kind)]
    }

    /// A host as it stands.
    #[must_use]
    #[inline]
    pub fn room(&self, host: usize) -> &Room {
        &self.rooms[host]
    }

    /// A host, to change. A fresh host may be closed and nothing else.
    #[inline]
    pub fn room_mut(&mut self, host: usize) -> &mut Room {
        &mut self.rooms[host]
    }

    /// Nothing is sent to empty hosts from here on.
    pub fn close_fresh(&mut self) {
        self.fresh.iter_mut().for_each(Vec::clear);
    }

    /// The host for this guest: open, with room, not `overloaded` with it (a host that gives nothing yet is not asked),
    /// and of these the one whose watts rise least, of equals the first.
    #[must_use]
    pub fn find(&self, need: Need, mut overloaded: impl FnMut(usize) -> bool) -> Option<usize> {
        let mut best: Option<(f64, u32)> = None;
        let fresh = self.fresh.iter().filter_map(|fresh| self.first_open(fresh));
        for host in fresh.chain(self.in_use.iter().copied()) {
            let room = &self.rooms[host as usize];
            if room.closed || room.free < need.cpu || room.memory < need.memory {
                continue;
            }
            let kind = &self.kinds[usize::from(room.kind)];
            if kind.core < need.cpu {
                continue;
            }
            let rise = kind.power.watts((room.used + need.cpu) / kind.capacity) - room.before;
            let better = best.is_none_or(|(least, first)| rise < least || rise == least && host < first);
            if better && (room.used == 0.0 || !overloaded(host as usize)) {
                best = Some((rise, host));
            }
        }
        best.map(|(_, host)| host as usize)
    }

    fn first_open(&self, fresh: &[u32]) -> Option<u32> {
        fresh.iter().rev().copied().find(|host| !self.rooms[*host as usize].closed)
    }

    /// Promises a host to a guest.
    pub fn take(&mut self, host: usize, need: Need) {
        let room = &mut self.rooms[host];
        room.asked += need.cpu;
        room.used += need.cpu;
        room.free -= need.cpu;
        room.memory -= need.memory;
        let fresh = &mut self.fresh[usize::from(room.kind)];
        if let Some(place) = fresh.iter().rposition(|fresh| *fresh as usize == host) {
            self.in_use.push(fresh.remove(place));
        }
    }

    /// Takes promises back: the host is as it was.
    pub fn restore(&mut self, host: usize, room: Room) {
        self.rooms[host] = room;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::power::Power;
    use proptest::prelude::*;

    const KINDS: [Kind; 3] = [
        Kind { capacity: 3720.0, core: 1860.0, memory: 4096.0, power: Power::HP_ML110_G4 },
        Kind { capacity: 5320.0, core: 2660.0, memory: 4096.0, power: Power::HP_ML110_G5 },
        Kind {
            capacity: 8000.0,
            core: 1000.0,
            memory: 2048.0,
            power: Power::Linear { idle: 40.0, full: 180.0 },
        },
    ];

    fn room(kind: u16, used: f64, closed: bool) -> Room {
        let Kind { capacity, memory, power, .. } = KINDS[usize::from(kind)];
        let before = power.watts(used / capacity);
        Room { kind, closed, asked: used, used, free: capacity - used, memory, before }
    }

    fn plan(hosts: &[Room]) -> Plan {
        let mut plan = Plan::default();
        plan.clear(&KINDS);
        for host in hosts {
            plan.push(*host, host.used == 0.0);
        }
        plan.complete();
        plan
    }

    /// Algorithm 2 as it is printed: all hosts in order, nothing remembered.
    fn by_the_book(hosts: &mut [Room], need: Need, limit: f64) -> Option<usize> {
        let (mut least, mut found) = (f64::MAX, None);
        for (index, host) in hosts.iter().enumerate() {
            let kind = KINDS[usize::from(host.kind)];
            let fits = host.free >= need.cpu && host.memory >= need.memory && kind.core >= need.cpu;
            let overloaded = host.used != 0.0 && (host.asked + need.cpu) / kind.capacity > limit;
            if host.closed || !fits || overloaded {
                continue;
            }
            let rise = kind.power.watts((host.used + need.cpu) / kind.capacity) - host.before;
            if rise < least {
                (least, found) = (rise, Some(index));
            }
        }
        if let Some(index) = found {
            let host = &mut hosts[index];
            host.asked += need.cpu;
            host.used += need.cpu;
            host.free -= need.cpu;
            host.memory -= need.memory;
        }
        found
    }

    fn hosts() -> impl Strategy<Value = Vec<Room>> {
        let used = prop_oneof![3 => Just(0.0), 2 => (1..35_u32).prop_map(|used| f64::from(used) * 100.0)];
        let host = (0..3_u16, used, prop::bool::weighted(0.1));
        prop::collection::vec(host.prop_map(|(kind, used, closed)| room(kind, used, closed)), 0..40)
    }

    fn needs() -> impl Strategy<Value = Vec<Need>> {
        let need = (0..27_u32, prop_oneof![Just(0.0), Just(613.0), Just(1740.0)]);
        prop::collection::vec(
            need.prop_map(|(cpu, memory)| Need { cpu: f64::from(cpu) * 100.0, memory }),
            0..60,
        )
    }

    proptest! {
        #[test]
        fn as_by_the_book(hosts in hosts(), needs in needs(), limit in 0.3..1.0_f64) {
            let (mut plan, mut book) = (plan(&hosts), hosts);
            for need in needs {
                let asked = |plan: &Plan, host: usize| (plan.room(host).asked + need.cpu) / plan.kind(host).capacity;
                let found = plan.find(need, |host| asked(&plan, host) > limit);
                prop_assert_eq!(found, by_the_book(&mut book, need, limit));
                if let Some(host) = found {
                    plan.take(host, need);
                    prop_assert_eq!(*plan.room(host), book[host]);
                    let room = plan.room(host);
                    prop_assert!(room.used <= plan.kind(host).capacity && room.memory >= 0.0, "{:?}", room);
                }
            }
        }
    }

    #[test]
    fn of_equals_the_first_and_then_the_next() {
        let mut plan = plan(&[room(1, 0.0, true), room(1, 0.0, false), room(1, 0.0, false)]);
        let need = Need { cpu: 2000.0, memory: 0.0 };
        assert_eq!(plan.find(need, |_| false), Some(1));
        plan.take(1, need);
        // From 2000 to 4000 of 5320 the G5's draw rises by more than from nothing to 2000.
        assert_eq!(plan.find(need, |_| false), Some(2));
        plan.close_fresh();
        assert_eq!(plan.find(need, |_| false), Some(1));
        assert_eq!(plan.find(need, |_| true), None);
    }

    #[test]
    fn a_guest_wider_than_a_core_finds_nothing() {
        let plan = plan(&[room(0, 0.0, false), room(2, 0.0, false)]);
        assert_eq!(plan.find(Need { cpu: 1861.0, memory: 0.0 }, |_| false), None);
        assert_eq!(plan.find(Need { cpu: 1001.0, memory: 0.0 }, |_| false), Some(0));
    }
}
