//! The watcher that holds a world against what is expected.
//!
//! Times are the world's own, whatever the guests' clocks say. An expectation that something be done within a span is
//! judged by a clock for each guest, at the beginning of each step of the world:
//!
//! - it runs while what is complained of goes on and the guest could end it: its daemon runs, its probes answer, it can see
//!   where it is, its wall clock is right, no operator holds it, the provider answers and is sound, and there is an eligible host
//!   to go to;
//! - it stands still while the guest is on its way, or waits for an answer: that is the infrastructure's time;
//! - it begins anew when the guest could not end it, and after every fault that touches the guest and every request that
//!   came to nothing.
//!
//! So what is found is a stretch, undisturbed, in which nobody but the policy can be to blame.

use super::count::{Counts, Doing, kind_of};
use super::expect::{Claim, Expectation};
use super::watched::{Clock, Fresh, Judged, Pace, Watched};
use crate::engine::Engine;
use crate::id::HostId;
use crate::input::Word;
use crate::leaf::logic::Truth;
use crate::output::{Event, Origin, Output};
use crate::policy::{Action, Policy};
use crate::sim::scenario::{Fault, GuestIx, GuestSet, HostIx, Provider, Scenario, What};
use crate::sim::world::{Snapshot, Watch};
use crate::time::{Mono, Span, Wall};
use std::collections::VecDeque;

const DAY: Span = Span::from_hours(24);

/// Something that was expected and is not so.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// What: the number of the expectation, or the name of an invariant.
    pub what: Which,
    /// The guest.
    pub guest: String,
    /// When, from the beginning of the world.
    pub at: Span,
    /// What happened, in a sentence without its full stop.
    pub says: String,
}

/// What was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// An expectation, by its number.
    Expectation(usize),
    /// An invariant of the engine, by its name.
    Invariant(&'static str),
}

/// The watcher. It sees the first thing that is broken, and ends the run there.
#[derive(Debug)]
pub struct Judge<'a> {
    scenario: &'a Scenario,
    policy: &'a Policy,
    expectations: &'a [Expectation],
    guests: Vec<Watched>,
    /// By guest of the scenario: its place among those with the policy.
    place: Vec<Option<usize>>,
    /// By host of the scenario, and the other way round.
    ids: Vec<Option<HostId>>,
    hosts: Vec<Option<HostIx>>,
    last: Mono,
    broken: Option<Broken>,
    counts: Counts,
}

impl<'a> Judge<'a> {
    /// A judge of this world, whose guests with a policy have this one.
    #[must_use]
    pub fn new(scenario: &'a Scenario, policy: &'a Policy, expectations: &'a [Expectation]) -> Self {
        let named = |name: &str| scenario.hosts.iter().position(|host| host.name == name);
        let hosts: Vec<_> =
            policy.hosts().rows().iter().map(|host| named(&host.name).map(HostIx::from_index)).collect();
        let ids = scenario.hosts.iter().map(|host| policy.host_named(&host.name)).collect();
        let managed = |guest: &GuestIx| {
            let kind = scenario.guests[guest.index()].kind;
            scenario.kinds[kind.index()].managed.is_some()
        };
        let all = || (0..scenario.guests.len()).map(GuestIx::from_index);
        let watched = |guest| Watched {
            guest,
            clocks: vec![Clock::default(); expectations.len()],
            past: vec![VecDeque::new(); expectations.len()],
            open: Vec::new(),
            host: None,
            fresh: Fresh::default(),
            doing: Doing::Idle,
            held_until: Mono(0),
            deaf: false,
            told: vec![false; scenario.hosts.len()],
            in_breach: vec![false; expectations.len()],
            cost: 0.0,
            costs: VecDeque::new(),
        };
        let guests: Vec<_> = all().filter(managed).map(watched).collect();
        let place = all().map(|guest| guests.iter().position(|watched| watched.guest == guest)).collect();
        let counts = Counts { worlds: 1, guests: guests.len() as u64, ..Counts::new(expectations.len()) };
        Self {
            scenario,
            policy,
            expectations,
            guests,
            place,
            ids,
            hosts,
            last: Mono(0),
            broken: None,
            counts,
        }
    }

    /// The time of the world when it last looked.
    #[must_use]
    pub const fn last(&self) -> Mono {
        self.last
    }

    /// What was broken first, if anything was yet.
    #[must_use]
    pub const fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// What was broken first, and what was tried.
    #[must_use]
    pub fn finish(mut self) -> (Option<Broken>, Counts) {
        for (index, expectation) in self.expectations.iter().enumerate() {
            // A world that ends before the span does can't break it.
            if expectation.claim.patience().is_some_and(|span| span >= self.scenario.lasts) {
                self.counts.judged[index] = 0;
            }
        }
        for (index, judged) in self.counts.judged.iter().enumerate() {
            self.counts.judged_in[index] = u64::from(*judged > 0);
        }
        if let Some(Broken { what: Which::Expectation(index), .. }) = self.broken {
            self.counts.broken_in[index] = 1;
        }
        (self.broken, self.counts)
    }

    fn breaks(&mut self, index: usize, guest: usize, at: Mono, says: String) {
        if self.broken.is_some() {
            return;
        }
        let guest = self.guests[guest].guest;
        self.broken = Some(Broken {
            what: Which::Expectation(index),
            guest: self.scenario.guests[guest.index()].name.clone(),
            at: at.since(Mono(0)),
            says,
        });
    }

    /// What happened in a turn, at its time.
    fn take_in(&mut self, place: usize, at: Mono) {
        let fresh = core::mem::take(&mut self.guests[place].fresh);
        self.counts.requests += u64::from(fresh.requests);
        if fresh.came_to_nothing {
            self.guests[place].clocks.iter_mut().for_each(Clock::anew);
        }
        for (index, expectation) in self.expectations.iter().enumerate() {
            match &expectation.claim {
                Claim::MovesAtMost { count, per } => {
                    for asked in &fresh.moves {
                        self.limit(index, place, ("move", *asked), (*count, *per), at);
                    }
                }
                Claim::RequestsAtMost { count, per } => {
                    for _ in 0..fresh.by_rules {
                        self.limit(index, place, ("request", at), (*count, *per), at);
                    }
                }
                Claim::NeverOn { hosts } => {
                    self.counts.judged[index] += fresh.to.len() as u64;
                    if let Some(host) = fresh.to.iter().find(|host| hosts.contains(host)) {
                        let says = format!("it asks for `{}`", self.policy.hosts()[*host].name);
                        self.breaks(index, place, at, says);
                    }
                }
                _ => {}
            }
        }
    }

    /// One more of what there may be so many of in so long; it counts from when it was asked for.
    fn limit(
        &mut self,
        index: usize,
        place: usize,
        (noun, asked): (&str, Mono),
        (count, per): (u32, Span),
        at: Mono,
    ) {
        self.counts.judged[index] += 1;
        let past = &mut self.guests[place].past[index];
        past.push_back(asked);
        while past.front().is_some_and(|first| asked.since(*first) >= per) {
            past.pop_front();
        }
        let there = past.len();
        if there > count as usize {
            self.breaks(index, place, at, format!("this is {noun} number {there} within {per}"));
        }
    }

    /// A step begins: clocks go on.
    fn step(&mut self, at: Mono, snapshot: &Snapshot<'_>) {
        let passed = at.since(self.last);
        let wall = self.scenario.start.shifted(at.0);
        for place in 0..self.guests.len() {
            self.pay(place, at, passed, snapshot);
            let common = self.common_pace(place, at, snapshot);
            for index in 0..self.expectations.len() {
                let Some(Judged { pace, within, occasion }) = self.pace(place, index, common, wall, snapshot)
                else {
                    continue;
                };
                let clock = &mut self.guests[place].clocks[index];
                let counted = core::mem::replace(&mut clock.counted, occasion);
                self.counts.judged[index] += u64::from(occasion && !counted);
                let clock = &mut self.guests[place].clocks[index];
                match pace {
                    Pace::Over | Pace::Anew => clock.anew(),
                    Pace::Stands => clock.runs = false,
                    Pace::Runs => {
                        if clock.runs {
                            clock.ran = Span::from_millis(clock.ran.millis().saturating_add(passed.millis()));
                        }
                        clock.runs = true;
                        if clock.ran > within || within.is_zero() {
                            let says = self.says(place, index, snapshot);
                            self.breaks(index, place, at, says);
                        }
                    }
                }
            }
        }
    }

    /// How a clock goes on by what all expectations have in common.
    fn common_pace(&self, place: usize, at: Mono, snapshot: &Snapshot<'_>) -> Pace {
        let watched = &self.guests[place];
        let guest = watched.guest;
        let Some(engine) = snapshot.engine(guest) else {
            return if snapshot.is_moving(guest) { Pace::Stands } else { Pace::Anew };
        };
        let here = snapshot.host_of(guest);
        let array = self.scenario.hosts[here.index()].array;
        let knows = self.ids[here.index()].is_some() && engine.location() == self.ids[here.index()];
        let is_sound = |provider: Provider| {
            let chances = [
                provider.loses_requests,
                provider.loses_answers,
                provider.delays,
                provider.refuses,
                provider.ignores,
                provider.fails,
            ];
            chances.iter().all(|chance| *chance <= 0.0) && (provider.confirms || snapshot.is_located(guest))
        };
        let sound = snapshot.provider(array).is_some_and(is_sound);
        let able = snapshot.is_probed_well(guest)
            && snapshot.wall_ahead_ms(guest) == 0
            && watched.held_until <= at
            && sound;
        if !able {
            Pace::Anew
        } else if snapshot.is_moving(guest) || engine.open_request().is_some() {
            Pace::Stands
        } else if knows {
            Pace::Runs
        } else {
            Pace::Anew
        }
    }

    /// How the clock of an expectation goes on, and what it is held to; none for one that has no clock.
    fn pace(
        &mut self,
        place: usize,
        index: usize,
        common: Pace,
        wall: Wall,
        snapshot: &Snapshot<'_>,
    ) -> Option<Judged> {
        let guest = self.guests[place].guest;
        let here = snapshot.host_of(guest);
        let is_base = self.scenario.hosts[here.index()].is_base;
        let is_open = |window| self.policy.windows()[window].window.at(wall).open;
        let (goes_on, has_room, within) = match self.expectations[index].claim {
            Claim::NeverAtBase { inside, grace } => {
                let open = is_open(inside);
                (open && is_base, self.ring_has_room(guest, snapshot, 0.0), grace)
            }
            Claim::RestsAtBase { outside, within } => {
                (!is_open(outside) && !is_base, self.base_has_room(guest, snapshot), within)
            }
            Claim::LeavesDraining { within } => {
                let told = self.guests[place].told[here.index()];
                (told, self.ring_has_room(guest, snapshot, 0.0), within)
            }
            Claim::BreachEnds { within, .. } => {
                let short = snapshot.missed_part(guest) > 0.0;
                // One that demands nothing misses as much on a full host as any other.
                let wants = snapshot.demanded_ghz(guest).max(f64::MIN_POSITIVE);
                let room = short && self.ring_has_room(guest, snapshot, wants);
                (self.guests[place].in_breach[index], room, within)
            }
            _ => return None,
        };
        let pace = match common {
            _ if !goes_on => Pace::Over,
            Pace::Runs if !has_room => Pace::Anew,
            common => common,
        };
        // What is forbidden has its occasion all the while; what should be done, when it could be.
        let occasion = match self.expectations[index].claim {
            Claim::NeverAtBase { inside, .. } => is_open(inside) && common != Pace::Anew,
            // Counted when the notice comes.
            Claim::LeavesDraining { .. } => false,
            _ => matches!(pace, Pace::Runs | Pace::Stands),
        };
        // What could be done once is the same occasion as long as it goes on.
        let occasion = occasion || (goes_on && self.guests[place].clocks[index].counted);
        Some(Judged { pace, within, occasion })
    }

    /// Whether there is a host of the ring, other than this one, that the guest may go to and that has so much left.
    fn ring_has_room(&self, guest: GuestIx, snapshot: &Snapshot<'_>, ghz: f64) -> bool {
        let Some(engine) = snapshot.engine(guest) else { return false };
        let Some(here) = self.ids[snapshot.host_of(guest).index()] else { return false };
        let array = self.policy.hosts()[here].array;
        self.policy.ring(array).any(|id| {
            let Some(host) = self.hosts[id.0 as usize] else { return false };
            id != here
                && engine.is_eligible(id)
                && snapshot.takes(host, guest)
                && snapshot.spare_ghz(host) >= ghz
        })
    }

    fn base_has_room(&self, guest: GuestIx, snapshot: &Snapshot<'_>) -> bool {
        let Some(engine) = snapshot.engine(guest) else { return false };
        let Some(here) = self.ids[snapshot.host_of(guest).index()] else { return false };
        let base = self.policy.arrays()[self.policy.hosts()[here].array].base;
        base.is_some_and(|id| {
            let host = self.hosts[id.0 as usize];
            engine.is_eligible(id) && host.is_some_and(|host| snapshot.takes(host, guest))
        })
    }

    fn says(&self, place: usize, index: usize, snapshot: &Snapshot<'_>) -> String {
        let guest = self.guests[place].guest;
        let here = &self.scenario.hosts[snapshot.host_of(guest).index()].name;
        let ran = self.guests[place].clocks[index].ran;
        match &self.expectations[index].claim {
            Claim::NeverAtBase { inside, .. } => {
                let window = &self.policy.windows()[*inside].name;
                format!("it is at the base `{here}` inside {window}, for {ran} with a host to go to")
            }
            Claim::RestsAtBase { outside, .. } => {
                let window = &self.policy.windows()[*outside].name;
                format!("it is on `{here}` outside {window}, for {ran} with room at the base")
            }
            Claim::LeavesDraining { .. } => {
                format!("it is on the draining host `{here}`, for {ran} with a host to go to")
            }
            _ => format!("it is in breach on `{here}`, for {ran} with a host that has all that it misses"),
        }
    }

    /// What the hour costs is paid.
    fn pay(&mut self, place: usize, at: Mono, passed: Span, snapshot: &Snapshot<'_>) {
        let guest = self.guests[place].guest;
        let price = self.scenario.hosts[snapshot.host_of(guest).index()].price;
        let watched = &mut self.guests[place];
        let before = watched.cost;
        watched.cost += price * passed.as_secs_f64() / 3_600.0;
        watched.costs.push_back((at, watched.cost));
        while watched.costs.len() > 1 && watched.costs.get(1).is_some_and(|(then, _)| at.since(*then) >= DAY)
        {
            watched.costs.pop_front();
        }
        // A day ago lies between two steps.
        let then = match (watched.costs.front(), watched.costs.get(1)) {
            (Some(&(from, low)), Some(&(to, high))) if at.since(from) > DAY => {
                let part = (at.since(from).as_secs_f64() - DAY.as_secs_f64()) / to.since(from).as_secs_f64();
                low + (high - low) * part
            }
            (first, _) => first.map_or(0.0, |(_, cost)| *cost),
        };
        let of_day = watched.cost - then;
        let begins = before <= 0.0 && watched.cost > 0.0;
        for (index, expectation) in self.expectations.iter().enumerate() {
            if let Claim::CostAtMost { a_day } = expectation.claim {
                self.counts.judged[index] += u64::from(begins);
                // What is added up in another order may differ in the last bits.
                if of_day > a_day * (1.0 + 1e-9) {
                    self.breaks(index, place, at, format!("it has cost {of_day:.4} within a day"));
                }
            }
        }
    }

    fn touched(&self, what: &What) -> Option<GuestSet> {
        match what {
            What::Reload { guests, .. }
            | What::DaemonCrash(guests)
            | What::Pause(guests)
            | What::ClockStep { guests, .. }
            | What::ProbeHangs(guests)
            | What::ProbeFails { guests, .. }
            | What::ProbeLies { guests, .. }
            | What::ServiceRestart(guests)
            | What::LocatorFails(guests)
            | What::LoadTimes { guests, .. }
            | What::MovedTo { guests, .. }
            | What::Operator { guests, .. } => Some(guests.clone()),
            What::HostCrash(_)
            | What::Drain { .. }
            | What::ProviderDown(_)
            | What::ProviderBehaves { .. }
            | What::LinkTimes { .. } => None,
        }
    }
}

impl Watch for Judge<'_> {
    fn recorded(&mut self, guest: GuestIx, at: Mono, _: &Policy, output: &Output) {
        let Some(place) = self.place[guest.index()] else { return };
        let Watched { fresh, open, .. } = &mut self.guests[place];
        for record in &output.records {
            match record.event {
                Event::Request { id, origin, to, .. } => {
                    let by_rule = matches!(origin, Origin::Rule(_));
                    fresh.requests += 1;
                    fresh.by_rules += u32::from(by_rule);
                    fresh.to.push(to);
                    open.push((id, by_rule, at));
                }
                Event::Confirmed { id, .. } => {
                    let own = open.iter().filter(|(known, by_rule, _)| *known == id && *by_rule);
                    fresh.moves.extend(own.map(|(.., asked)| *asked));
                    open.retain(|(known, ..)| *known != id);
                }
                Event::Refused { id, .. } | Event::Failed { id, .. } | Event::Expired { id, .. } => {
                    fresh.came_to_nothing = true;
                    open.retain(|(known, ..)| *known != id);
                }
                Event::Void { .. } => fresh.came_to_nothing = true,
                _ => {}
            }
        }
    }

    fn turned(&mut self, guest: GuestIx, at: Mono, _: bool, engine: &Engine) {
        self.counts.steps += 1;
        let Some(place) = self.place[guest.index()] else { return };
        let view = engine.view();
        let watched = &mut self.guests[place];
        watched.doing = if engine.open_request().is_some() {
            Doing::Asking
        } else if view.settling.is_some_and(|left| !left.is_zero()) {
            Doing::Settling
        } else if view.resting.is_some() {
            Doing::Resting
        } else {
            Doing::Idle
        };
        for (index, expectation) in self.expectations.iter().enumerate() {
            if let Claim::BreachEnds { rule, .. } = expectation.claim {
                // What nobody knows leaves it as it was.
                let mut all_clear = true;
                let mut any_breach = false;
                for (id, known) in self.policy.rules().iter() {
                    if rule.map_or(known.action == Action::Move, |rule| rule == id) {
                        any_breach |= engine.truth(id) == Truth::Breach;
                        all_clear &= engine.truth(id) == Truth::Clear;
                    }
                }
                if view.resting.is_some() || all_clear {
                    watched.in_breach[index] = false;
                } else if any_breach {
                    watched.in_breach[index] = true;
                }
            }
        }
        self.take_in(place, at);
    }

    fn placed(&mut self, guest: GuestIx, at: Mono, host: Option<HostIx>) {
        let Some(place) = self.place[guest.index()] else { return };
        self.guests[place].host = host;
        self.counts.moves += u64::from(at > Mono(0));
        for (index, expectation) in self.expectations.iter().enumerate() {
            // A guest that has left is no longer on the draining host.
            if matches!(expectation.claim, Claim::LeavesDraining { .. }) {
                self.guests[place].clocks[index] = Clock::default();
            }
        }
    }

    fn fault(&mut self, at: Mono, fault: &Fault, begins: bool) {
        let touched = self.touched(&fault.what);
        if begins {
            self.counts.faults[kind_of(&fault.what)] += 1;
        }
        for watched in &mut self.guests {
            if touched.as_ref().is_some_and(|guests| !guests.has(watched.guest)) {
                continue;
            }
            if begins {
                self.counts.met[kind_of(&fault.what)][watched.doing as usize] += 1;
            }
            match &fault.what {
                What::LoadTimes { .. } | What::LinkTimes { .. } => continue,
                What::Operator { word, .. } if begins => {
                    watched.held_until = match word {
                        Word::Hold(None) => Mono(i64::MAX),
                        Word::Hold(Some(span)) => at.plus(*span),
                        Word::Resume => Mono(0),
                        Word::Move(_) | Word::Abandon => watched.held_until,
                    };
                }
                // Whoever does not hear a notice when it comes never does.
                What::Drain { host, .. } => {
                    let told = begins && !watched.deaf;
                    watched.told[host.index()] = told;
                    if told && watched.host == Some(*host) {
                        for (index, expectation) in self.expectations.iter().enumerate() {
                            let is_it = matches!(expectation.claim, Claim::LeavesDraining { .. });
                            self.counts.judged[index] += u64::from(is_it);
                        }
                    }
                }
                What::HostCrash(host) => watched.told[host.index()] = false,
                What::DaemonCrash(_) => {
                    watched.deaf = begins;
                    watched.told.fill(false);
                }
                _ => {}
            }
            if touched.is_some() {
                watched.clocks.iter_mut().for_each(Clock::anew);
            }
        }
    }

    fn powered(&mut self, guest: GuestIx, _: Mono, on: bool) {
        if let Some(place) = self.place[guest.index()] {
            self.guests[place].deaf = !on;
            self.guests[place].told.fill(false);
            self.guests[place].clocks.iter_mut().for_each(Clock::anew);
        }
    }

    fn stepped(&mut self, at: Mono, snapshot: &Snapshot<'_>) {
        self.step(at, snapshot);
        self.last = at;
    }

    fn goes_on(&mut self, _: Mono, _: Mono) -> bool {
        self.broken.is_none()
    }
}
