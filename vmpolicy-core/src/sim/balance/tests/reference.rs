//! Consolidation as one would write it down: every host looked at every time, every sum made anew.

use crate::sim::balance::history::{LENGTH, Past};
use crate::sim::balance::{Detect, Move, Rules, View};

/// The guests of a host: those that are there, then those that the plan sends.
#[derive(Clone, Default)]
struct Seats {
    there: Vec<u32>,
    sent: Vec<u32>,
}

impl Seats {
    fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.there.iter().chain(&self.sent).map(|guest| *guest as usize)
    }
}

struct Plan<'a> {
    view: &'a View<'a>,
    detect: Detect,
    rules: Rules,
    seats: Vec<Seats>,
}

impl Plan<'_> {
    fn overloaded(&self, host: usize, also: Option<usize>) -> bool {
        let capacity = self.view.kind(host).capacity;
        let mut past: Past = [0.0; LENGTH];
        let mut asked = 0.0;
        for guest in self.seats[host].all().chain(also) {
            self.view.history.add(guest, self.view.guests.size[guest] / capacity, &mut past);
            asked += self.view.guests.demand[guest];
        }
        asked / capacity > self.detect.limit(&past)
    }

    fn used(&self, host: usize) -> f64 {
        let there = self.seats[host].there.iter().map(|guest| {
            let guest = *guest as usize;
            let arrives = self.view.guests.moving[guest] && self.view.guests.home[guest] as usize != host;
            if arrives { self.view.guests.demand[guest] } else { self.view.guests.allocated[guest] }
        });
        let sent = self.seats[host].sent.iter().map(|guest| self.view.guests.demand[*guest as usize]);
        there.chain(sent).fold(0.0, |sum, used| sum + used)
    }

    fn find(&self, guest: usize, excluded: &[bool]) -> Option<usize> {
        let guests = &self.view.guests;
        let (mut least, mut found) = (f64::MAX, None);
        for (host, excluded) in excluded.iter().enumerate() {
            let kind = self.view.kind(host);
            let wants = |guest: &u32| guests.demand[*guest as usize].min(kind.core);
            let taken: f64 = self.seats[host].there.iter().map(wants).sum();
            let sent: f64 = self.seats[host].sent.iter().map(wants).sum();
            let free = (kind.capacity - taken).max(0.0) - sent;
            let of_memory: f64 = self.seats[host].all().map(|guest| guests.memory[guest]).sum();
            let fits = kind.core >= guests.demand[guest]
                && free >= guests.demand[guest]
                && (!self.rules.memory || of_memory + guests.memory[guest] <= kind.memory);
            if *excluded || !self.view.hosts.open[host] || !fits {
                continue;
            }
            let used = self.used(host);
            if used != 0.0 && self.overloaded(host, Some(guest)) {
                continue;
            }
            let wakes = self.view.residents[host].is_empty() && self.view.hosts.used[host] == 0.0;
            let before =
                if self.rules.waking && wakes { 0.0 } else { kind.power.watts(self.view.hosts.used[host]) };
            let rise = kind.power.watts((used + guests.demand[guest]) / kind.capacity) - before;
            if rise < least {
                (least, found) = (rise, Some(host));
            }
        }
        found
    }
}

fn decreasing(view: &View<'_>, guests: &mut [u32]) {
    guests.sort_by(|a, b| view.guests.demand[*b as usize].total_cmp(&view.guests.demand[*a as usize]));
}

pub(super) fn balance(view: &View<'_>, detect: Detect, rules: Rules) -> Vec<Move> {
    let hosts = view.residents.len();
    let there = view.residents.iter().map(|there| Seats { there: there.clone(), sent: Vec::new() });
    let mut plan = Plan { view, detect, rules, seats: there.collect() };
    let mut moves = Vec::new();
    let go = |guest: u32, to: usize| Move {
        guest,
        from: view.guests.home[guest as usize],
        to: u32::try_from(to).expect("few hosts"),
    };

    let overloaded: Vec<bool> = (0..hosts).map(|host| plan.overloaded(host, None)).collect();
    let mut leaving = Vec::new();
    for host in (0..hosts).filter(|host| overloaded[*host]) {
        while plan.overloaded(host, None) {
            let there = &mut plan.seats[host].there;
            let can = (0..there.len()).filter(|seat| !view.guests.moving[there[*seat] as usize]);
            let memory = |seat: &usize| view.guests.memory[there[*seat] as usize];
            let Some(seat) = can.min_by(|a, b| memory(a).total_cmp(&memory(b))) else { break };
            leaving.push(there.remove(seat));
        }
    }
    decreasing(view, &mut leaving);
    let mut sent_to = vec![false; hosts];
    for guest in leaving {
        if let Some(to) = plan.find(guest as usize, &overloaded) {
            plan.seats[to].sent.push(guest);
            sent_to[to] = true;
            moves.push(go(guest, to));
        }
    }

    let off: Vec<bool> = view.hosts.used.iter().map(|used| *used == 0.0).collect();
    let mut kept: Vec<bool> = (0..hosts).map(|host| off[host] || overloaded[host]).collect();
    let mut excluded = kept.clone();
    if !rules.chained {
        (0..hosts).for_each(|host| kept[host] |= sent_to[host]);
    }
    loop {
        let may = |host: &usize| {
            let mut first = view.residents[*host].iter().map(|guest| *guest as usize);
            let decides = first.find(|guest| !view.guests.moving[*guest] || view.arrives(*guest, *host));
            let settled = decides.is_some_and(|guest| !view.guests.moving[guest]);
            !kept[*host] && view.hosts.used[*host] < 1.0 && settled
        };
        let used = |host: &usize| view.hosts.used[*host];
        let Some(host) = (0..hosts).filter(may).min_by(|a, b| used(a).total_cmp(&used(b))) else { break };
        (kept[host], excluded[host]) = (true, true);
        let seats = plan.seats.clone();
        let mut leaving: Vec<u32> = plan.seats[host]
            .all()
            .filter(|guest| !view.guests.moving[*guest])
            .map(|guest| guest as u32)
            .collect();
        decreasing(view, &mut leaving);
        let mut begun = Vec::new();
        for guest in &leaving {
            let Some(to) = plan.find(*guest as usize, &excluded) else { break };
            plan.seats[to].sent.push(*guest);
            begun.push(go(*guest, to));
        }
        if begun.len() < leaving.len() {
            plan.seats = seats;
        } else {
            begun.iter().for_each(|moved| kept[moved.to as usize] = true);
            moves.extend(begun);
        }
    }
    moves
}
