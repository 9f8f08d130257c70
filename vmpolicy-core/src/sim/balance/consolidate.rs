//! Dynamic consolidation: relieve the overloaded hosts, then empty the least used ones. Beloglazov and Buyya 2012,
//! algorithm 1; in doubt as CloudSim's `PowerVmAllocationPolicyMigrationAbstract` has it.

use super::detect::Detect;
use super::history::{LENGTH, Past};
use super::place::{Need, Plan, Room};
use super::select::minimum_migration_time;
use super::view::View;
use super::{Answer, Manager, Move};

/// What the paper leaves open and implementations settle differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether a guest goes only where its memory fits.
    pub memory: bool,
    /// Whether what an empty host draws when idle counts as the price of waking it. Where it does not, every guest
    /// prefers a host of its own.
    pub waking: bool,
    /// Whether a host that was just sent a guest may be emptied in the same decision. The guest is then told to move
    /// twice, and both moves begin.
    pub chained: bool,
}

impl Rules {
    /// As CloudSim does it: memory is not looked at once a guest is placed (its utilisation is 0), an empty
    /// host counts as drawing its idle watts, and moves may be chained.
    pub const CLOUDSIM: Self = Self { memory: false, waking: false, chained: true };
}

impl Default for Rules {
    /// What a provider would do: memory binds, waking a host costs, and no guest is told to move twice.
    fn default() -> Self {
        Self { memory: true, waking: true, chained: false }
    }
}

/// The manager: detection by [`Detect`], selection by minimum migration time, placement by power-aware best fit
/// decreasing. `thr-mmt`, `iqr-mmt` and `mad-mmt`.
#[derive(Clone, Debug)]
pub struct Consolidation {
    detect: Detect,
    rules: Rules,
    plan: Plan,
    /// The past of each host, where it was looked at in this decision.
    past: Vec<Option<Past>>,
    overloaded: Vec<bool>,
    /// Hosts that are not to be emptied.
    keep: Vec<bool>,
    /// Guests that the plan sends to a host besides those that are there: (host, guest).
    promised: Vec<(u32, u32)>,
    /// Guests that are to move, in the order in which they were chosen: (demand, order, guest).
    leaving: Vec<(f64, u32, u32)>,
    staying: Vec<u32>,
    least_used: Vec<(f64, u32)>,
    undo: Vec<(u32, Room, Option<Past>)>,
    /// How many guests each host has in the end.
    balance: Vec<i64>,
    /// Where each guest is sent last.
    bound: Vec<Option<u32>>,
}

impl Consolidation {
    /// A manager that has seen nothing.
    #[must_use]
    pub fn new(detect: Detect, rules: Rules) -> Self {
        Self {
            detect,
            rules,
            plan: Plan::default(),
            past: Vec::new(),
            overloaded: Vec::new(),
            keep: Vec::new(),
            promised: Vec::new(),
            leaving: Vec::new(),
            staying: Vec::new(),
            least_used: Vec::new(),
            undo: Vec::new(),
            balance: Vec::new(),
            bound: Vec::new(),
        }
    }

    /// Takes the data centre as it is into the plan.
    fn survey(&mut self, view: &View<'_>) {
        self.plan.clear(view.hosts.kinds);
        self.past.clear();
        self.past.resize(view.residents.len(), None);
        for (host, residents) in view.residents.iter().enumerate() {
            let kind = view.kind(host);
            let recorded = view.hosts.used[host];
            let before = if self.rules.waking && residents.is_empty() && recorded == 0.0 {
                0.0
            } else {
                kind.power.watts(recorded)
            };
            let memory_at_first = if self.rules.memory { kind.memory } else { f64::INFINITY };
            let (mut asked, mut used, mut free, mut memory) = (0.0, 0.0, kind.capacity, memory_at_first);
            for guest in residents.iter().map(|guest| *guest as usize) {
                let demand = view.guests.demand[guest];
                asked += demand;
                // One on its way will want all that it wants, wherever it gets it now.
                used += if view.arrives(guest, host) { demand } else { view.guests.allocated[guest] };
                free -= demand.min(kind.core);
                memory -= view.guests.memory[guest];
            }
            let (closed, free) = (!view.hosts.open[host], free.max(0.0));
            let room = Room { kind: view.hosts.kind[host], closed, asked, used, free, memory, before };
            self.plan.push(room, residents.is_empty() && recorded == 0.0);
        }
        self.plan.complete();
    }

    fn past(view: &View<'_>, host: usize, guests: impl IntoIterator<Item = u32>) -> Past {
        let mut past = [0.0; LENGTH];
        let capacity = view.kind(host).capacity;
        for guest in guests {
            let guest = guest as usize;
            view.history.add(guest, view.guests.size[guest] / capacity, &mut past);
        }
        past
    }

    /// Marks the overloaded hosts, and chooses what leaves them until they no longer are.
    fn relieve(&mut self, view: &View<'_>) {
        self.overloaded.clear();
        self.leaving.clear();
        let looks_back = self.detect.looks_back();
        for (host, residents) in view.residents.iter().enumerate() {
            let capacity = view.kind(host).capacity;
            let mut past = [0.0; LENGTH];
            if looks_back && !residents.is_empty() {
                past = Self::past(view, host, residents.iter().copied());
                self.past[host] = Some(past);
            }
            let mut asked = self.plan.room(host).asked;
            let overloaded = asked / capacity > self.detect.limit(&past);
            self.overloaded.push(overloaded);
            if !overloaded {
                continue;
            }
            self.plan.room_mut(host).closed = true;
            self.staying.clear();
            self.staying.extend(residents);
            while asked / capacity > self.detect.limit(&past) {
                let free = self.staying.iter().copied().filter(|guest| !view.guests.moving[*guest as usize]);
                let Some(guest) = minimum_migration_time(free, view.guests.memory) else { break };
                let order = u32::try_from(self.leaving.len()).expect("guests are counted in 32 bits");
                self.leaving.push((view.guests.demand[guest as usize], order, guest));
                self.staying.retain(|stays| *stays != guest);
                asked = self.staying.iter().map(|guest| view.guests.demand[*guest as usize]).sum();
                if looks_back {
                    past = Self::past(view, host, self.staying.iter().copied());
                }
            }
        }
    }

    /// Whether a host would be overloaded with this guest on it.
    fn would_overload(&self, view: &View<'_>, host: usize, guest: usize) -> bool {
        let capacity = self.plan.kind(host).capacity;
        let mut past = [0.0; LENGTH];
        if self.detect.looks_back() {
            past = self.past[host].unwrap_or(past);
            view.history.add(guest, view.guests.size[guest] / capacity, &mut past);
        }
        (self.plan.room(host).asked + view.guests.demand[guest]) / capacity > self.detect.limit(&past)
    }

    /// Finds a host for a guest and promises it; what was there before is kept in `undo`.
    fn place(&mut self, view: &View<'_>, guest: u32) -> Option<u32> {
        let index = guest as usize;
        let memory = if self.rules.memory { view.guests.memory[index] } else { 0.0 };
        let need = Need { cpu: view.guests.demand[index], memory };
        let host = self.plan.find(need, |host| self.would_overload(view, host, index))?;
        let row = u32::try_from(host).expect("hosts are counted in 32 bits");
        self.undo.push((row, *self.plan.room(host), self.past[host]));
        self.plan.take(host, need);
        if self.detect.looks_back() {
            let past = self.past[host].get_or_insert([0.0; LENGTH]);
            view.history.add(index, view.guests.size[index] / view.kind(host).capacity, past);
        }
        Some(row)
    }

    /// The most demanding first, of equals the one chosen first.
    fn sort(leaving: &mut [(f64, u32, u32)]) {
        leaving.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    }

    /// Sends what leaves overloaded hosts elsewhere, as far as there is room.
    fn spread(&mut self, view: &View<'_>, moves: &mut Vec<Move>) {
        Self::sort(&mut self.leaving);
        self.promised.clear();
        self.undo.clear();
        for index in 0..self.leaving.len() {
            let guest = self.leaving[index].2;
            if let Some(to) = self.place(view, guest) {
                moves.push(Move { guest, from: view.guests.home[guest as usize], to });
                self.promised.push((to, guest));
            }
        }
    }

    /// Whether a host may be emptied: not while all of its guests are on their way, nor while one arrives.
    fn settled(view: &View<'_>, host: usize) -> bool {
        for guest in view.residents[host].iter().map(|guest| *guest as usize) {
            if !view.guests.moving[guest] {
                return true;
            }
            if view.arrives(guest, host) {
                return false;
            }
        }
        false
    }

    /// Empties the least used hosts, each whole or not at all.
    fn empty(&mut self, view: &View<'_>, moves: &mut Vec<Move>) {
        self.plan.close_fresh();
        self.keep.clear();
        self.least_used.clear();
        for (host, used) in view.hosts.used.iter().copied().enumerate() {
            let off = used == 0.0;
            if off {
                self.plan.room_mut(host).closed = true;
            }
            self.keep.push(off || self.overloaded[host]);
            if !off && used < 1.0 && !self.overloaded[host] && Self::settled(view, host) {
                self.least_used.push((used, u32::try_from(host).expect("hosts are counted in 32 bits")));
            }
        }
        if !self.rules.chained {
            for (host, _) in &self.promised {
                self.keep[*host as usize] = true;
            }
        }
        self.least_used.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for index in 0..self.least_used.len() {
            let (_, host) = self.least_used[index];
            if !self.keep[host as usize] {
                self.keep[host as usize] = true;
                self.plan.room_mut(host as usize).closed = true;
                self.empty_one(view, host, moves);
            }
        }
    }

    fn empty_one(&mut self, view: &View<'_>, host: u32, moves: &mut Vec<Move>) {
        self.leaving.clear();
        let here = view.residents[host as usize].iter().copied();
        let here = here.filter(|guest| !view.guests.moving[*guest as usize]);
        let promised = self.promised.iter().filter(|(to, _)| *to == host).map(|(_, guest)| *guest);
        for (order, guest) in (0..).zip(here.chain(promised)) {
            self.leaving.push((view.guests.demand[guest as usize], order, guest));
        }
        Self::sort(&mut self.leaving);
        self.undo.clear();
        let begun = moves.len();
        for index in 0..self.leaving.len() {
            let guest = self.leaving[index].2;
            let Some(to) = self.place(view, guest) else {
                for (host, room, past) in self.undo.drain(..).rev() {
                    self.plan.restore(host as usize, room);
                    self.past[host as usize] = past;
                }
                moves.truncate(begun);
                return;
            };
            moves.push(Move { guest, from: view.guests.home[guest as usize], to });
        }
        for moved in &moves[begun..] {
            self.keep[moved.to as usize] = true;
        }
    }

    /// Hosts that all guests leave and none comes to.
    fn switch_off(&mut self, view: &View<'_>, answer: &mut Answer) {
        self.balance.clear();
        self.balance.extend(view.residents.iter().map(|residents| residents.len() as i64));
        self.bound.clear();
        self.bound.resize(view.guests.home.len(), None);
        for moved in &answer.moves {
            // One that moves twice only passes through where it was sent first.
            let leaves = self.bound[moved.guest as usize].replace(moved.to).unwrap_or(moved.from);
            self.balance[leaves as usize] -= 1;
            self.balance[moved.to as usize] += 1;
        }
        for (host, left) in self.balance.iter().enumerate() {
            if *left == 0 && !view.residents[host].is_empty() {
                answer.off.push(u32::try_from(host).expect("hosts are counted in 32 bits"));
            }
        }
    }
}

impl Manager for Consolidation {
    fn name(&self) -> &str {
        match self.detect {
            Detect::Threshold(_) => "thr-mmt",
            Detect::InterquartileRange(_) => "iqr-mmt",
            Detect::MedianAbsoluteDeviation(_) => "mad-mmt",
        }
    }

    fn balance(&mut self, view: &View<'_>, answer: &mut Answer) {
        answer.clear();
        self.survey(view);
        self.relieve(view);
        self.spread(view, &mut answer.moves);
        self.empty(view, &mut answer.moves);
        self.switch_off(view, answer);
    }
}
