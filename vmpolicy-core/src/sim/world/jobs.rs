//! Job queues: claimed, and worked through at the speed that the guest has where it is.

use super::agenda::Coming;
use super::vm::Phase;
use super::{Violated, Watch, World};
use crate::id::{Id as _, QueueId};
use crate::input::Input;
use crate::sim::chance::Seed;
use crate::sim::scenario::{GuestIx, QueueIx, Scenario};
use crate::sim::service::jobs::JobQueue;
use crate::time::{Mono, Span};

/// All queues, and who works at which.
#[derive(Debug)]
pub(super) struct Jobs {
    queues: Vec<JobQueue>,
    /// Guests with a job that runs, in no order that matters to anybody.
    running: Vec<Running>,
    versions: u32,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    guest: GuestIx,
    queue: QueueIx,
    /// As its policy knows the queue.
    id: QueueId,
    /// Until when it has been worked on.
    until: Mono,
    version: u32,
}

impl Jobs {
    pub(super) fn new(scenario: &Scenario, numbers: &[QueueIx], seed: Seed) -> Self {
        let queues = scenario.queues.iter().zip(numbers).map(|(queue, number)| {
            JobQueue::new(&queue.spec, seed, number.0).expect("a sound scenario's queues are sound")
        });
        Self { queues: queues.collect(), running: Vec::new(), versions: 0 }
    }

    /// The queues as they are now.
    pub(super) fn queues(&self) -> &[JobQueue] {
        &self.queues
    }

    pub(super) fn queues_mut(&mut self) -> &mut [JobQueue] {
        &mut self.queues
    }
}

impl<W: Watch> World<'_, W> {
    /// Claims a batch: the answer comes at once.
    pub(super) fn claim(&mut self, guest: GuestIx, at: Mono, id: QueueId) {
        let Some(vm) = &self.vms[guest.index()] else { return };
        let classes = &vm.driver.engine().policy().queues()[id].classes;
        let mut counts = vec![0_u32; classes.len()];
        let mut others = 0;
        if let Some(queue) = vm.managed.queues.get(id.index()).copied().flatten() {
            let queue = &mut self.jobs.queues[queue.index()];
            queue.arrive(Span::from_millis(at.0.unsigned_abs()));
            let jobs = queue.claim(guest.0).map(|batch| batch.jobs.clone()).unwrap_or_default();
            for job in jobs {
                let name = &queue.classes()[usize::from(job)].name;
                match classes.iter().position(|class| class.name == *name) {
                    Some(class) => counts[class] += 1,
                    None => others += 1,
                }
            }
        }
        self.inbox.push_back(Input::Batch { queue: id, classes: counts, others });
    }

    /// Starts a job of the batch at hand.
    pub(super) fn run_job(&mut self, guest: GuestIx, at: Mono, id: QueueId, job: u32) {
        let Some(vm) = &self.vms[guest.index()] else { return };
        let Some(queue) = vm.managed.queues.get(id.index()).copied().flatten() else { return };
        if self.jobs.queues[queue.index()].start(guest.0, job) {
            self.jobs.running.push(Running { guest, queue, id, until: at, version: 0 });
            self.shares.set_job(guest, at, true, &mut self.services);
            self.plan_job(at, self.jobs.running.len() - 1);
        }
    }

    fn plan_job(&mut self, at: Mono, nth: usize) {
        self.jobs.versions = self.jobs.versions.wrapping_add(1);
        let version = self.jobs.versions;
        let running = &mut self.jobs.running[nth];
        running.version = version;
        let speed = self.shares.job_ghz(running.guest);
        if let Some(eta) = self.jobs.queues[running.queue.index()].eta(running.guest.0, speed) {
            self.agenda.plan(at.plus(eta), Coming::JobEnds { guest: running.guest, version });
        }
    }

    /// A job may be done; it is, unless it was worked out anew since.
    pub(super) fn job_ends(&mut self, at: Mono, guest: GuestIx, version: u32) -> Result<(), Violated> {
        let found = |running: &Running| running.guest == guest && running.version == version;
        match self.jobs.running.iter().position(found) {
            Some(nth) => self.work_on(at, nth),
            None => Ok(()),
        }
    }

    /// Processor time is about to be shared out anew: all jobs are worked on until now.
    pub(super) fn work_on_all(&mut self, at: Mono) -> Result<(), Violated> {
        for nth in (0..self.jobs.running.len()).rev() {
            self.work_on(at, nth)?;
        }
        Ok(())
    }

    fn work_on(&mut self, at: Mono, nth: usize) -> Result<(), Violated> {
        let Running { guest, queue, id, until, .. } = self.jobs.running[nth];
        let speed = self.shares.job_ghz(guest);
        self.jobs.running[nth].until = at;
        if self.jobs.queues[queue.index()].run(guest.0, at.since(until), speed).is_none() {
            self.plan_job(at, nth);
            return Ok(());
        }
        self.jobs.running.swap_remove(nth);
        self.shares.set_job(guest, at, false, &mut self.services);
        let Some(vm) = &self.vms[guest.index()] else { return Ok(()) };
        let (run, up) = (vm.run, vm.phase != Phase::DaemonDown);
        if up { self.answer_arrives(guest, run, at, Input::JobDone { queue: id }) } else { Ok(()) }
    }

    /// A guest, or its daemon, ends in the middle of a job, which has to be run again.
    pub(super) fn drop_job(&mut self, guest: GuestIx, at: Mono) {
        if let Some(nth) = self.jobs.running.iter().position(|running| running.guest == guest) {
            let running = self.jobs.running.swap_remove(nth);
            self.jobs.queues[running.queue.index()].crash(guest.0);
            self.shares.set_job(guest, at, false, &mut self.services);
        }
    }
}
