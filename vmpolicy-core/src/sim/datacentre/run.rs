//! The run: steps, ends of moves, decisions.

use super::share::{Load, Shares, Stay};
use super::tally::{Outcome, Tally};
use super::trace::Demand;
use super::{Datacentre, Idling};
use crate::sim::balance::place::{Need, Plan, Room};
use crate::sim::balance::{Answer, Guests, History, Hosts, Manager, View};
use thiserror::Error;

/// A guest that no host has room for at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no host has room for guest {guest} at the start: add hosts, or take fewer guests")]
pub struct NoRoom {
    /// The guest, by its place.
    pub guest: usize,
}

/// A move under way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    lands_s: f64,
    /// Of moves that land together, the one that began first lands first.
    order: u64,
    guest: u32,
    to: u32,
}

struct World<'a> {
    centre: &'a Datacentre,
    demand: &'a Demand,
    now_s: f64,
    // Hosts.
    residents: Vec<Vec<u32>>,
    load: Vec<Load>,
    /// The share of each host that is occupied.
    used: Vec<f64>,
    open: Vec<bool>,
    // Guests. One that left is of size 0.
    size: Vec<f64>,
    memory: Vec<f64>,
    wants: Vec<f64>,
    gets: Vec<f64>,
    home: Vec<u32>,
    moving: Vec<bool>,
    left_home_s: Vec<f64>,
    history: History,
    /// The next to land is the last.
    flights: Vec<Flight>,
    /// Hosts whose guests changed, to be shared anew.
    touched: Vec<u32>,
    tally: Tally,
}

/// Runs a day: places every guest as though it wanted all that it can use, then follows the demand and asks the manager
/// at every step.
///
/// # Errors
///
/// Where the hosts have no room for a guest at the start.
///
/// # Panics
///
/// Where there are not as many traces as guests, and where the manager moves a guest that is gone or elsewhere.
pub fn run(centre: &Datacentre, demand: &Demand, manager: &mut dyn Manager) -> Result<Outcome, NoRoom> {
    assert_eq!(demand.guests(), centre.guests.len(), "a trace a guest");
    let mut world = World::new(centre, demand)?;
    let mut answer = Answer::default();
    let mut next_s = centre.begin_s + centre.step_s;
    let end_s = demand.steps() as f64 * centre.step_s;
    let mut begun = false;
    loop {
        let lands_s = world.flights.last().map_or(f64::INFINITY, |flight| flight.lands_s);
        let now_s = next_s.min(lands_s);
        if now_s >= end_s {
            break;
        }
        world.advance(now_s, begun);
        begun = true;
        world.land();
        if now_s == next_s {
            next_s += centre.step_s;
            world.decide(manager, &mut answer);
        }
        world.settle();
    }
    Ok(world.tally.outcome(end_s))
}

impl<'a> World<'a> {
    fn new(centre: &'a Datacentre, demand: &'a Demand) -> Result<Self, NoRoom> {
        let (hosts, guests) = (centre.hosts.len(), centre.guests.len());
        let mut world = Self {
            centre,
            demand,
            now_s: 0.0,
            residents: vec![Vec::new(); hosts],
            load: vec![Load::default(); hosts],
            used: vec![0.0; hosts],
            open: vec![true; hosts],
            size: centre.guests.iter().map(|guest| guest.size).collect(),
            memory: centre.guests.iter().map(|guest| guest.memory).collect(),
            wants: vec![0.0; guests],
            gets: vec![0.0; guests],
            home: vec![0; guests],
            moving: vec![false; guests],
            left_home_s: vec![0.0; guests],
            history: History::new(guests),
            flights: Vec::new(),
            touched: Vec::new(),
            tally: Tally::new(hosts),
        };
        world.place()?;
        Ok(world)
    }

    /// Every guest in turn goes where the draw rises least, with all that it could want and its memory.
    fn place(&mut self) -> Result<(), NoRoom> {
        let mut plan = Plan::default();
        plan.clear(&self.centre.kinds);
        for kind in &self.centre.hosts {
            let model = &self.centre.kinds[usize::from(*kind)];
            let before = model.power.watts(0.0);
            let (free, memory) = (model.capacity, model.memory);
            plan.push(Room { kind: *kind, closed: false, asked: 0.0, used: 0.0, free, memory, before }, true);
        }
        plan.complete();
        for (guest, home) in self.home.iter_mut().enumerate() {
            let need = Need { cpu: self.size[guest], memory: self.memory[guest] };
            let host = plan.find(need, |_| false).ok_or(NoRoom { guest })?;
            plan.take(host, need);
            *home = row(host);
            self.residents[host].push(row(guest));
        }
        Ok(())
    }

    /// Time passes: what was so until now counts, demand is read anew and shared, and what the hosts drew is added.
    fn advance(&mut self, now_s: f64, begun: bool) {
        let span_s = now_s - self.now_s;
        if begun {
            self.tally.guests(span_s, &self.wants, &self.gets, &self.moving);
            for load in &self.load {
                if load.used > 0.0 {
                    self.tally.host(span_s, load.used < load.asked);
                }
            }
        }
        self.demand.at(now_s, self.centre.step_s, &self.size, &mut self.wants);
        let mut any_idle = false;
        for host in 0..self.residents.len() {
            let before = self.used[host];
            if before == 0.0 && self.residents[host].is_empty() {
                continue;
            }
            any_idle |= self.share(host);
            if begun && before > 0.0 {
                let power = &self.centre.kinds[usize::from(self.centre.hosts[host])].power;
                self.tally.joules += power.joules(before, self.used[host], span_s);
            }
        }
        self.now_s = now_s;
        if any_idle {
            self.retire();
        }
    }

    /// Shares a host among its guests. Says whether one of them wants nothing.
    fn share(&mut self, host: usize) -> bool {
        let kind = &self.centre.kinds[usize::from(self.centre.hosts[host])];
        let shares = Shares {
            capacity: kind.capacity,
            core: kind.core,
            move_cost: self.centre.move_cost,
            whole_units: self.centre.whole_units,
        };
        let (wants, gets, home, moving) = (&self.wants, &mut self.gets, &self.home, &self.moving);
        let guests = self.residents[host].iter().map(|guest| {
            let guest = *guest as usize;
            let stay = match moving[guest] {
                false => Stay::Here,
                true if home[guest] as usize == host => Stay::Leaving,
                true => Stay::Arriving,
            };
            (guest, wants[guest], stay)
        });
        let cut = shares.cut(guests.clone().map(|(_, demand, stay)| (demand, stay)));
        let mut load = Load::default();
        let mut any_idle = false;
        for (guest, demand, stay) in guests {
            let got = shares.of(demand, stay, cut);
            if stay != Stay::Arriving {
                gets[guest] = got;
            }
            load.asked += demand;
            load.used += shares.occupies(got, stay);
            any_idle |= demand == 0.0;
        }
        self.load[host] = load;
        self.used[host] = (load.used / kind.capacity).min(1.0);
        any_idle
    }

    /// Guests that want nothing leave for good, where that is so.
    fn retire(&mut self) {
        if self.centre.idle == Idling::Stays {
            return;
        }
        let (wants, moving, size, tally) = (&self.wants, &self.moving, &mut self.size, &mut self.tally);
        let gets = &mut self.gets;
        for residents in &mut self.residents {
            residents.retain(|guest| {
                let guest = *guest as usize;
                let stays = moving[guest] || wants[guest] > 0.0;
                if !stays {
                    (size[guest], gets[guest]) = (0.0, 0.0);
                    tally.left += 1;
                }
                stays
            });
        }
    }

    /// The moves that end now end.
    fn land(&mut self) {
        let mut any_idle = false;
        while let Some(flight) = self.flights.pop_if(|flight| flight.lands_s <= self.now_s) {
            let guest = flight.guest as usize;
            let from = std::mem::replace(&mut self.home[guest], flight.to);
            self.residents[from as usize].retain(|resident| *resident != flight.guest);
            let there = &mut self.residents[flight.to as usize];
            there.retain(|resident| *resident != flight.guest);
            there.push(flight.guest);
            self.touched.extend([from, flight.to]);
            // Of two moves of one guest the first to land ends both; the second only changes the place.
            if std::mem::replace(&mut self.moving[guest], false) {
                self.tally.moved(self.now_s - self.left_home_s[guest]);
            }
            any_idle |= self.wants[guest] == 0.0;
        }
        self.share_touched();
        if any_idle {
            self.retire();
        }
    }

    fn share_touched(&mut self) {
        self.touched.sort_unstable();
        self.touched.dedup();
        while let Some(host) = self.touched.pop() {
            self.share(host as usize);
        }
    }

    /// The manager is asked, and its moves begin.
    fn decide(&mut self, manager: &mut dyn Manager, answer: &mut Answer) {
        self.history.record(&self.wants, &self.size);
        let hosts =
            Hosts { kinds: &self.centre.kinds, kind: &self.centre.hosts, used: &self.used, open: &self.open };
        let guests = Guests {
            size: &self.size,
            demand: &self.wants,
            allocated: &self.gets,
            memory: &self.memory,
            home: &self.home,
            moving: &self.moving,
        };
        manager.balance(&View { hosts, guests, residents: &self.residents, history: &self.history }, answer);
        self.tally.decisions += 1;
        for moved in &answer.moves {
            let guest = moved.guest as usize;
            let sound = self.home[guest] == moved.from && moved.from != moved.to && self.size[guest] > 0.0;
            assert!(sound, "there is no such move: {moved:?}");
            if !std::mem::replace(&mut self.moving[guest], true) {
                self.left_home_s[guest] = self.now_s;
            }
            let lands_s = self.now_s + self.memory[guest] / self.centre.copied_per_s;
            let order = self.tally.migrations;
            self.flights.push(Flight { lands_s, order, guest: moved.guest, to: moved.to });
            self.tally.migrations += 1;
            self.residents[moved.to as usize].push(moved.guest);
            self.touched.extend([self.home[guest], moved.to]);
        }
        let last_first = |a: &Flight, b: &Flight| b.lands_s.total_cmp(&a.lands_s).then(b.order.cmp(&a.order));
        self.flights.sort_unstable_by(last_first);
        self.share_touched();
    }

    /// After all that happens now: which hosts are on.
    fn settle(&mut self) {
        for (host, load) in self.load.iter().enumerate() {
            self.tally.host_is(host, load.used > 0.0, self.now_s);
        }
    }
}

fn row(index: usize) -> u32 {
    u32::try_from(index).expect("hosts and guests are counted in 32 bits")
}
