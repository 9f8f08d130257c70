//! What a guest's daemon wants done, done; and what a guest lives through.

use super::agenda::{Ask, Coming};
use super::ports::{ServiceProbe, Whereabouts};
use super::vm::Phase;
use super::{Violated, Watch, World};
use crate::checker::Violation;
use crate::id::{Id as _, IndicatorId};
use crate::input::{Absence, Input, Reading, Setup, Sighting, Word};
use crate::output::{Cause, Effect};
use crate::ports::{Locator as _, Probe as _};
use crate::sim::chance::Seed;
use crate::sim::scenario::{Feed, GuestIx};
use crate::time::{Mono, Now, Span};

impl<W: Watch> World<'_, W> {
    /// A guest's daemon wakes up by itself.
    #[inline]
    pub(super) fn wake(&mut self, guest: GuestIx, at: Mono) -> Result<(), Violated> {
        self.wakes[guest.index()] = i64::MAX;
        let Some(vm) = &mut self.vms[guest.index()] else { return Ok(()) };
        if vm.phase != Phase::Up {
            return Ok(());
        }
        let deadline = vm.driver.last_output().deadline;
        if vm.polls_are_enough
            && vm.checker.is_none()
            && vm.managed.probe_takes.is_zero()
            && vm.probing.hangs == 0
            && let Some(deadline) = deadline
            && let Cause::Poll(indicator) = deadline.cause
        {
            let now = vm.now(self.scenario.start, at);
            if deadline.at <= now.mono {
                let reading = self.poll(guest, at, now, indicator);
                return self.deliver(guest, at, &Input::Reading(reading));
            }
        }
        self.deliver(guest, at, &Input::Tick)
    }

    /// An answer comes to a guest's daemon, if it is still the one that asked.
    pub(super) fn answer_arrives(
        &mut self,
        guest: GuestIx,
        run: u32,
        at: Mono,
        input: Input,
    ) -> Result<(), Violated> {
        let Some(vm) = &self.vms[guest.index()] else { return Ok(()) };
        match vm.phase {
            _ if vm.run != run => Ok(()),
            Phase::Up => self.deliver(guest, at, &input),
            Phase::Paused { until, .. } => {
                // It waits in the guest's own network stack.
                self.agenda.plan(until, Coming::Input { guest, run, input });
                Ok(())
            }
            Phase::DaemonDown | Phase::Off => Ok(()),
        }
    }

    /// A guest's daemon takes an input, and all that follows from it at the same instant.
    #[inline]
    pub(super) fn deliver(&mut self, guest: GuestIx, at: Mono, input: &Input) -> Result<(), Violated> {
        self.turn(guest, at, input)?;
        while let Some(input) = self.inbox.pop_front() {
            self.turn(guest, at, &input)?;
        }
        let Some(vm) = &self.vms[guest.index()] else { return Ok(()) };
        let wake = match vm.wakes_at() {
            Some(wakes_at) if vm.phase == Phase::Up => wakes_at.0.max(at.0),
            _ => i64::MAX,
        };
        self.wakes[guest.index()] = wake;
        if wake < self.step_ends {
            self.again.push(core::cmp::Reverse((wake, guest.0)));
        }
        Ok(())
    }

    /// One turn of its loop.
    #[inline]
    fn turn(&mut self, guest: GuestIx, at: Mono, input: &Input) -> Result<(), Violated> {
        let Some(vm) = &mut self.vms[guest.index()] else { return Ok(()) };
        let now = vm.now(self.scenario.start, at);
        vm.tally.polling();
        if let Err(violation) = vm.handle(now, input) {
            return Err(self.violated(guest, violation));
        }
        self.ledger.steps += 1;
        if std::mem::take(&mut vm.driver.effects_mut().adopted) {
            // From here on ids are the new policy's.
            vm.adopt(at, Seed(self.scenario.seed), self.numbers.guests[guest.index()].0);
        }
        let out = vm.driver.last_output();
        if !out.records.is_empty() {
            vm.tally.recorded(at, out, vm.driver.engine());
            self.ledger.recorded(at, out);
            self.watch.recorded(guest, at, vm.driver.engine().policy(), out);
        }
        if let Input::Reading(Reading { indicator, value, .. }) = *input {
            vm.tally.polled(at, indicator, value, vm.driver.engine());
        } else {
            vm.tally.judged(at, vm.driver.engine());
        }
        self.watch.turned(guest, at, vm.tally.in_breach(), vm.driver.engine());
        self.carry_out_all(guest, at, now);
        Ok(())
    }

    #[inline]
    fn carry_out_all(&mut self, guest: GuestIx, at: Mono, now: Now) {
        let Some(vm) = &mut self.vms[guest.index()] else { return };
        if vm.driver.effects_mut().effects.is_empty() {
            return;
        }
        let mut effects = std::mem::take(&mut vm.driver.effects_mut().effects);
        for effect in effects.drain(..) {
            self.carry_out(guest, at, now, effect);
        }
        if let Some(vm) = &mut self.vms[guest.index()] {
            vm.driver.effects_mut().effects = effects;
        }
    }

    fn carry_out(&mut self, guest: GuestIx, at: Mono, now: Now, effect: Effect) {
        let Some(vm) = &self.vms[guest.index()] else { return };
        let run = vm.run;
        match effect {
            Effect::Probe(indicator) => {
                if vm.probing.hangs > 0 {
                    if let Some(vm) = &mut self.vms[guest.index()] {
                        vm.tally.unanswered();
                    }
                    return;
                }
                let takes = vm.managed.probe_takes;
                let reading = self.poll(guest, at, now, indicator);
                self.answer(guest, run, at, takes, Input::Reading(reading));
            }
            Effect::Locate => {
                let sighting = self.sighting(guest);
                self.answer(guest, run, at, Span::ZERO, Input::Location(sighting));
            }
            Effect::Request(request) => {
                let atlas = &self.atlases[vm.managed.policy.index()];
                if let Some(to) = atlas.hosts[request.to.index()] {
                    self.ask(at, run, Ask { guest, number: request.id.0, to });
                }
            }
            Effect::Claim(queue) => self.claim(guest, at, queue),
            Effect::Run { queue, job } => self.run_job(guest, at, queue, job),
        }
    }

    /// Hands in an answer of the guest's own surroundings: at once, or when it is there.
    fn answer(&mut self, guest: GuestIx, run: u32, at: Mono, takes: Span, input: Input) {
        if takes.is_zero() {
            self.inbox.push_back(input);
        } else {
            self.agenda.plan(at.plus(takes), Coming::Input { guest, run, input });
        }
    }

    /// What a probe reads now.
    #[inline]
    fn poll(&mut self, guest: GuestIx, at: Mono, now: Now, indicator: IndicatorId) -> Reading {
        let index = guest.index();
        let when = self.when(at);
        let value = match &mut self.vms[index] {
            Some(vm) => {
                let feed = vm.managed.feeds.get(indicator.index()).and_then(Option::as_ref);
                let follower = vm.signals.get_mut(indicator.index()).and_then(Option::as_mut);
                let missed = self.shares.missed_part(index);
                let service = match feed {
                    Some(Feed::Reads(reads)) => {
                        self.shares.read(index, at, *reads, &mut self.services[index])
                    }
                    _ => None,
                };
                ServiceProbe { service, feed, follower, when, missed, probing: vm.probing }.read()
            }
            None => Err(Absence::NotFed),
        };
        self.watch.polled(guest, now.wall, indicator, value);
        Reading { indicator, taken: now.mono, value }
    }

    fn sighting(&self, guest: GuestIx) -> Sighting {
        let Some(vm) = &self.vms[guest.index()] else { return Sighting::Unknown };
        let known = vm.managed.locates && vm.probing.locator_fails == 0;
        let host = &self.scenario.hosts[self.shares.host_of(guest).index()];
        let found = Whereabouts { name: known.then_some(host.name.as_str()) }.locate();
        match found.map(|name| vm.driver.engine().policy().host_named(&name)) {
            Some(Some(host)) => Sighting::At(host),
            Some(None) => Sighting::Elsewhere,
            None => Sighting::Unknown,
        }
    }

    /// Its daemon starts, for the first time or again.
    pub(super) fn start_daemon(&mut self, guest: GuestIx, at: Mono) -> Result<(), Violated> {
        let here = self.shares.host_of(guest);
        let Some(vm) = &mut self.vms[guest.index()] else { return Ok(()) };
        let resends = self.clerks[self.scenario.hosts[here.index()].array.index()].now.deduplicates;
        let at_host = self.atlases[vm.managed.policy.index()].ids[here.index()];
        (vm.phase, vm.resends) = (Phase::Up, resends);
        let setup = Setup { at: at_host, locates: vm.managed.locates, resends };
        if self.deciding.holds_guests() {
            // Before it starts: a rule that is true by the clock alone, such as resting, would act at once.
            self.deliver(guest, at, &Input::Operator(Word::Hold(None)))?;
        }
        self.deliver(guest, at, &Input::Start(setup))
    }

    /// The hypervisor stops a guest: nothing in it runs, and its monotonic clock stands still.
    pub(super) fn pause(&mut self, guest: GuestIx, at: Mono, lasts: Span) {
        self.shares.set_running(guest, at, false, &mut self.services);
        let Some(vm) = &mut self.vms[guest.index()] else {
            self.agenda.plan(at.plus(lasts), Coming::Resumes(guest));
            return;
        };
        let until = at.plus(lasts);
        match &mut vm.phase {
            Phase::Up => vm.phase = Phase::Paused { since: at, until },
            Phase::Paused { until: ends, .. } => *ends = (*ends).max(until),
            Phase::DaemonDown | Phase::Off => return,
        }
        vm.tally.blind(at);
        self.wakes[guest.index()] = i64::MAX;
        self.agenda.plan(until, Coming::Resumes(guest));
    }

    /// The hypervisor lets it run again.
    pub(super) fn resume(&mut self, guest: GuestIx, at: Mono) -> Result<(), Violated> {
        let Some(vm) = &mut self.vms[guest.index()] else {
            self.shares.set_running(guest, at, true, &mut self.services);
            return Ok(());
        };
        let Phase::Paused { since, until } = vm.phase else { return Ok(()) };
        if at < until {
            return Ok(());
        }
        vm.phase = Phase::Up;
        vm.behind_ms += at.0 - since.0;
        self.shares.set_running(guest, at, true, &mut self.services);
        // What is due is looked at when something happens, or now.
        self.deliver(guest, at, &Input::Tick)
    }

    /// Its service starts anew: counters begin at 0, what was in it is lost.
    pub(super) fn restart_service(&mut self, guest: GuestIx, at: Mono) {
        self.shares.serve(guest.index(), at, &mut self.services[guest.index()]);
        self.services[guest.index()].restart();
        if let Some(vm) = &mut self.vms[guest.index()] {
            vm.signals.iter_mut().flatten().for_each(super::ports::Follower::restart);
        }
    }

    pub(super) fn violated(&self, guest: GuestIx, violation: Violation) -> Violated {
        Violated { guest: self.scenario.guests[guest.index()].name.clone(), violation }
    }
}
