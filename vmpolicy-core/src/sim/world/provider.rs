//! Requests and their answers: what an infrastructure does, and what it should not.

use super::agenda::{Ask, Coming};
use super::vm::Phase;
use super::{Violated, Watch, World};
use crate::checker::Violation;
use crate::id::{ArrayId, HostId, RequestId};
use crate::input::{Input, Outcome};
use crate::sim::chance::{Chance, Seed};
use crate::sim::scenario::{ArrayIx, GuestIx, HostIx, Provider, Scenario};
use crate::time::{Mono, Span};

/// How long a guest's actuator waits for an answer: the time-out of the contract's example.
pub(super) const ACTUATOR_TIMEOUT: Span = Span::from_secs(30);

/// An answer that is overtaken takes so many times as long.
const OVERTAKEN: u64 = 10;

/// The provider of one array.
#[derive(Debug)]
pub(super) struct Clerk {
    /// How it behaves now.
    pub(super) now: Provider,
    /// How many faults keep it from answering.
    pub(super) down: u32,
    /// Moves that wait for their turn.
    pub(super) waiting: std::collections::VecDeque<Ask>,
}

impl Clerk {
    pub(super) const fn new(provider: Provider) -> Self {
        Self { now: provider, down: 0, waiting: std::collections::VecDeque::new() }
    }
}

impl<W: Watch> World<'_, W> {
    fn clerk_of(&self, guest: GuestIx) -> usize {
        self.scenario.hosts[self.shares.host_of(guest).index()].array.index()
    }

    /// Whether this comes about, by the guest's own draws. What can't happen draws nothing.
    fn happens(&mut self, guest: GuestIx, chance: f64) -> bool {
        chance > 0.0 && self.chance_of(guest).happens(chance)
    }

    fn chance_of(&mut self, guest: GuestIx) -> &mut Chance {
        let seed = Seed(self.scenario.seed);
        let number = self.numbers.guests[guest.index()].0;
        self.chances[guest.index()].get_or_insert_with(|| seed.stream("provider", number.into()))
    }

    /// How long the provider takes for one answer.
    fn latency(&mut self, guest: GuestIx, clerk: usize) -> Span {
        let Provider { answers_in: (least, most), delays, .. } = self.clerks[clerk].now;
        let takes = if least == most { least } else { self.chance_of(guest).span(least, most) };
        if self.happens(guest, delays) { takes.times(OVERTAKEN) } else { takes }
    }

    /// A guest's actuator sends a request.
    pub(super) fn ask(&mut self, at: Mono, run: u32, ask: Ask) {
        let clerk = self.clerk_of(ask.guest);
        let lost = self.happens(ask.guest, self.clerks[clerk].now.loses_requests);
        let latency = self.latency(ask.guest, clerk);
        if lost || self.clerks[clerk].down > 0 || latency > ACTUATOR_TIMEOUT {
            let outcome = Outcome::Unanswered;
            let input = Input::Outcome { id: RequestId(ask.number), outcome };
            self.agenda.plan(at.plus(ACTUATOR_TIMEOUT), Coming::Input { guest: ask.guest, run, input });
        }
        if !lost && self.clerks[clerk].down == 0 {
            self.agenda.plan(at.plus(latency), Coming::Asked(ask));
        }
    }

    /// A request has reached the provider, which has thought about it.
    pub(super) fn asked(&mut self, at: Mono, ask: Ask) -> Result<(), Violated> {
        let (guest, clerk) = (ask.guest, self.clerk_of(ask.guest));
        let Some(vm) = &self.vms[guest.index()] else { return Ok(()) };
        let again = ask.number <= vm.last_started;
        let outcome = self.answer_to(&ask, clerk, again);
        if outcome == Some(Outcome::Accepted) || outcome.is_none() {
            self.take_on(at, ask, clerk, again, outcome)?;
        } else if let Some(outcome) = outcome {
            self.tell(at, guest, ask.number, outcome);
        }
        Ok(())
    }

    /// What the provider answers; none where it begins to move the guest.
    fn answer_to(&mut self, ask: &Ask, clerk: usize, again: bool) -> Option<Outcome> {
        let (guest, provider) = (ask.guest, self.clerks[clerk].now);
        if again && provider.deduplicates {
            return Some(Outcome::Accepted);
        }
        let array = self.scenario.hosts[ask.to.index()].array.index();
        let room = self.shares.memory_free(ask.to) - self.moves.memory_coming(ask.to);
        let full = provider.checks_memory && room < self.shares.memory_of(guest);
        let closed = self.faults.is_closed(ask.to) || (array != clerk && self.clerks[array].down > 0);
        let off = self.vms[guest.index()].as_ref().is_none_or(|vm| vm.phase == Phase::Off);
        let busy = off || self.moves.is_moving(guest) || self.waits(clerk, guest);
        if busy || closed || full || self.happens(guest, provider.refuses) {
            return Some(Outcome::Refused);
        }
        if self.shares.host_of(guest) == ask.to {
            return Some(Outcome::Confirmed);
        }
        self.happens(guest, provider.ignores).then_some(Outcome::Accepted)
    }

    /// The provider takes a request on: it moves the guest now or when it is its turn, or does nothing.
    fn take_on(
        &mut self,
        at: Mono,
        ask: Ask,
        clerk: usize,
        again: bool,
        outcome: Option<Outcome>,
    ) -> Result<(), Violated> {
        let Some(vm) = &mut self.vms[ask.guest.index()] else { return Ok(()) };
        vm.last_started = vm.last_started.max(ask.number);
        if outcome.is_some() {
            self.tell(at, ask.guest, ask.number, Outcome::Accepted);
            return Ok(());
        }
        if again && !vm.resends {
            // The guest knows that its provider does not deduplicate, and has sent one id twice. One that started while
            // another behaviour was in force can't know better.
            let now = vm.now(self.scenario.start, at);
            let what = format!("request {} starts a second move", ask.number);
            let violation = Violation {
                invariant: "an id starts one move",
                source_of_it: "rule 8",
                step: self.ledger.steps,
                now,
                what,
            };
            return Err(self.violated(ask.guest, violation));
        }
        let at_once = self.clerks[clerk].now.at_once;
        if at_once > 0 && self.moves.under_way(clerk) >= at_once {
            self.clerks[clerk].waiting.push_back(ask);
            self.tell(at, ask.guest, ask.number, Outcome::Accepted);
        } else {
            self.start_move(at, ask);
        }
        Ok(())
    }

    fn waits(&self, clerk: usize, guest: GuestIx) -> bool {
        self.clerks[clerk].waiting.iter().any(|ask| ask.guest == guest)
    }

    fn start_move(&mut self, at: Mono, ask: Ask) {
        let clerk = self.clerk_of(ask.guest);
        let fails = self.happens(ask.guest, self.clerks[clerk].now.fails);
        self.begin_move(at, ask.guest, ask.to, Some(ask.number), fails);
        if self.moves.is_moving(ask.guest) {
            self.tell(at, ask.guest, ask.number, Outcome::Accepted);
        }
    }

    /// A move of this array is over: the next may begin.
    pub(super) fn next_in_turn(&mut self, at: Mono, clerk: usize) {
        let at_once = self.clerks[clerk].now.at_once;
        while at_once == 0 || self.moves.under_way(clerk) < at_once {
            let Some(ask) = self.clerks[clerk].waiting.pop_front() else { return };
            let off = self.vms[ask.guest.index()].as_ref().is_none_or(|vm| vm.phase == Phase::Off);
            if off || self.faults.is_closed(ask.to) || self.moves.is_moving(ask.guest) {
                self.tell(at, ask.guest, ask.number, Outcome::Failed);
            } else {
                self.start_move(at, ask);
            }
        }
    }

    /// A move has ended, well or not; the provider says so, if it is one that does.
    pub(super) fn move_ended(&mut self, at: Mono, guest: GuestIx, clerk: usize, number: u64, well: bool) {
        if well && !self.clerks[clerk].now.confirms {
            return;
        }
        let latency = self.latency(guest, clerk);
        let outcome = if well { Outcome::Confirmed } else { Outcome::Failed };
        self.tell_later(at.plus(latency), guest, clerk, number, outcome);
    }

    fn tell(&mut self, at: Mono, guest: GuestIx, number: u64, outcome: Outcome) {
        let clerk = self.clerk_of(guest);
        self.tell_later(at, guest, clerk, number, outcome);
    }

    /// An answer is on its way to the guest: lost, or once, or twice.
    fn tell_later(&mut self, at: Mono, guest: GuestIx, clerk: usize, number: u64, outcome: Outcome) {
        let provider = self.clerks[clerk].now;
        let lost = self.clerks[clerk].down > 0 || self.happens(guest, provider.loses_answers);
        let doubled = self.happens(guest, provider.doubles);
        let Some(vm) = &self.vms[guest.index()] else { return };
        let run = vm.run;
        let id = RequestId(number);
        let said = |outcome| Coming::Input { guest, run, input: Input::Outcome { id, outcome } };
        if lost {
            // Only the first answer is waited for.
            if outcome != Outcome::Confirmed && outcome != Outcome::Failed {
                self.agenda.plan(at.plus(ACTUATOR_TIMEOUT), said(Outcome::Unanswered));
            }
            return;
        }
        self.agenda.plan(at, said(outcome));
        if doubled {
            let again = self.latency(guest, clerk);
            self.agenda.plan(at.plus(again), said(outcome));
        }
    }

    /// The provider works out which of its hosts is the least busy.
    pub(super) fn rank(&mut self, at: Mono, array: ArrayIx) {
        let clerk = &self.clerks[array.index()];
        let Some(ranking) = clerk.now.ranking else { return };
        if clerk.down == 0 {
            let mut order: Vec<_> =
                ring(self.scenario, array).filter(|&host| !self.faults.is_closed(host)).collect();
            order.sort_by(|&a, &b| self.shares.busy(a).total_cmp(&self.shares.busy(b)));
            self.agenda.plan(at.plus(ranking.late), Coming::Ranking { array, order });
        }
        self.agenda.plan(at.plus(ranking.every.max(Span::from_millis(1))), Coming::Ranks(array));
    }

    /// A ranking reaches the guests whose policies know the array.
    pub(super) fn ranking_arrives(
        &mut self,
        at: Mono,
        array: ArrayIx,
        order: &[HostIx],
    ) -> Result<(), Violated> {
        let Some(ranking) = self.clerks[array.index()].now.ranking else { return Ok(()) };
        let name = &self.scenario.arrays[array.index()].name;
        for index in 0..self.vms.len() {
            let Some(vm) = &self.vms[index] else { continue };
            let Some(id) = vm.driver.engine().policy().array_named(name) else { continue };
            let input = self.ranking_for(index, id, order, ranking.every.times(2));
            let (guest, run) = (GuestIx::from_index(index), vm.run);
            self.answer_arrives(guest, run, at, input)?;
        }
        Ok(())
    }

    fn ranking_for(&self, guest: usize, array: ArrayId, order: &[HostIx], lasts: Span) -> Input {
        let ids: &[Option<HostId>] = match &self.vms[guest] {
            Some(vm) => &self.atlases[vm.managed.policy.index()].ids,
            None => &[],
        };
        let order = order.iter().filter_map(|host| ids.get(host.index()).copied().flatten()).collect();
        Input::Ranking { array, order, lasts }
    }
}

/// The hosts of an array's ring.
pub(super) fn ring(scenario: &Scenario, array: ArrayIx) -> impl Iterator<Item = HostIx> + '_ {
    let hosts = scenario.hosts.iter().enumerate();
    hosts.filter(move |(_, host)| host.array == array && !host.is_base).map(|(at, _)| HostIx::from_index(at))
}
