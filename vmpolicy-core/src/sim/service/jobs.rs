//! A queue of jobs in batches: guests pull a batch, run its jobs one by one, and come back for the next (thesis 3.4.5).
//!
//! A [`JobQueue`] stands outside the guests, as several can pull from it. Each job runs on one virtual CPU and takes its work
//! divided by the speed that it gets, so the same job takes longer on a small instance (table 3.3). A claimed batch stays
//! with the guest that claimed it until its last job is done; a job that a crash ends is run again from its beginning, one
//! that is done is not.

use std::collections::VecDeque;

use thiserror::Error;

use super::Vcpus;
use super::spec::{ServiceError, is_work};
use crate::sim::chance::{Chance, Seed};
use crate::time::Span;

/// Jobs of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct JobClass {
    /// Its name, as in a policy's `count(QUEUE, "CLASS")`.
    pub name: String,
    /// The work of each of its jobs, in Gcycles: 71.09 takes 71.09 s on a core of 1 GHz.
    pub work_gcycles: f64,
}

/// When batches come, and what is in them.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// At these times, in this order, jobs of these classes (indices of [`JobsSpec::classes`]).
    Listed(Vec<(Span, Vec<u16>)>),
    /// At random.
    Random {
        /// The mean time between two batches, exponentially distributed.
        gap: Span,
        /// The least and the largest number of jobs in a batch; each number in between is as likely.
        jobs: (u32, u32),
        /// How likely a job is of each class, in any unit.
        shares: Vec<f64>,
    },
}

/// A queue of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct JobsSpec {
    /// The classes.
    pub classes: Vec<JobClass>,
    /// When batches come.
    pub arrivals: Arrivals,
}

/// Why a description makes no queue.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JobsError {
    /// A class whose work is none.
    #[error(transparent)]
    Work(#[from] ServiceError),
    /// No class, or more than 65,535.
    #[error("a queue needs from 1 to 65535 classes")]
    Classes,
    /// A batch that comes before the one above it.
    #[error("batch {batch} comes before the one above it")]
    NotInOrder {
        /// Which, from 1.
        batch: usize,
    },
    /// A batch without jobs, or with more than [`JobsSpec::JOBS_MOST`].
    #[error("a batch has from 1 to {} jobs", JobsSpec::JOBS_MOST)]
    Jobs,
    /// A class that there is not.
    #[error("there is no class {class}, only {classes}")]
    NoSuchClass {
        /// The index.
        class: u16,
        /// How many there are.
        classes: usize,
    },
    /// Batches more often than once a second in the mean.
    #[error("the mean `gap` between batches must be at least a second")]
    Gap,
    /// Not a share for each class, or none above 0.
    #[error("`shares` must have a number of at least 0 for each class, and one above 0")]
    Shares,
}

impl JobsSpec {
    /// No batch has more jobs.
    pub const JOBS_MOST: u32 = 100_000;

    /// Whether it is sound.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), JobsError> {
        let classes = self.classes.len();
        if !(1..=usize::from(u16::MAX)).contains(&classes) {
            return Err(JobsError::Classes);
        }
        for class in &self.classes {
            is_work("work", class.work_gcycles)?;
        }
        match &self.arrivals {
            Arrivals::Listed(batches) => {
                if let Some(at) = batches.windows(2).position(|pair| pair[0].0 > pair[1].0) {
                    return Err(JobsError::NotInOrder { batch: at + 2 });
                }
                if batches.iter().any(|(_, jobs)| jobs.is_empty() || jobs.len() > Self::JOBS_MOST as usize) {
                    return Err(JobsError::Jobs);
                }
                match batches.iter().flat_map(|(_, jobs)| jobs).find(|&&class| usize::from(class) >= classes)
                {
                    Some(&class) => Err(JobsError::NoSuchClass { class, classes }),
                    None => Ok(()),
                }
            }
            Arrivals::Random { gap, jobs: (least, most), shares } => {
                if *gap < Span::from_secs(1) {
                    return Err(JobsError::Gap);
                }
                if !(1 <= *least && least <= most && *most <= Self::JOBS_MOST) {
                    return Err(JobsError::Jobs);
                }
                let sound = shares.len() == classes && shares.iter().all(|share| (0.0..1e12).contains(share));
                if sound && shares.iter().any(|&share| share > 0.0) { Ok(()) } else { Err(JobsError::Shares) }
            }
        }
    }
}

/// A batch that waits or is being worked on.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Which one: they are counted from 0 in the order in which they came.
    pub number: u64,
    /// When it came.
    pub came: Span,
    /// The class of each job.
    pub jobs: Vec<u16>,
}

/// A batch in the hands of a guest.
#[derive(Clone, Debug)]
struct Claimed {
    worker: u32,
    batch: Batch,
    /// The first job that is not done.
    next: u32,
    /// Of the job that runs: what is left of its work, and how long it has run.
    running: Option<(f64, f64)>,
}

/// A job that is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JobDone {
    /// In which batch.
    pub batch: u64,
    /// Which of its jobs.
    pub job: u32,
    /// Its class.
    pub class: u16,
    /// How long it ran from its last start: the figures of table 3.3.
    pub ran_s: f64,
    /// How much of the step it took; the guest is free for the rest.
    pub after: Span,
}

/// A queue of jobs that runs: what waits, and who has claimed what.
#[derive(Clone, Debug)]
pub struct JobQueue {
    spec: JobsSpec,
    chance: Chance,
    now: Span,
    /// The next batch, where one comes.
    next: Option<Batch>,
    waiting: VecDeque<Batch>,
    claimed: Vec<Claimed>,
    arrived_jobs: u64,
    done_jobs: u64,
}

impl JobQueue {
    /// The queue that `spec` describes, at its beginning. `index` tells the queues of one world apart.
    ///
    /// # Errors
    /// Where the description is not sound; see [`JobsError`].
    pub fn new(spec: &JobsSpec, seed: Seed, index: u32) -> Result<Self, JobsError> {
        spec.check()?;
        let mut queue = Self {
            spec: spec.clone(),
            chance: seed.stream("jobs", u64::from(index)),
            now: Span::ZERO,
            next: None,
            waiting: VecDeque::new(),
            claimed: Vec::new(),
            arrived_jobs: 0,
            done_jobs: 0,
        };
        queue.next = queue.make(0, Span::ZERO);
        queue.arrive(Span::ZERO);
        Ok(queue)
    }

    /// The `number`-th batch, after one that came at `before`.
    fn make(&mut self, number: u64, before: Span) -> Option<Batch> {
        match &self.spec.arrivals {
            Arrivals::Listed(batches) => {
                let (came, jobs) = batches.get(usize::try_from(number).ok()?)?;
                Some(Batch { number, came: *came, jobs: jobs.clone() })
            }
            Arrivals::Random { gap, jobs: (least, most), shares } => {
                let gap = self.chance.exponential_span(*gap);
                let count = u64::from(*least) + self.chance.below(u64::from(most - least) + 1);
                let all: f64 = shares.iter().sum();
                let jobs = (0..count).map(|_| class_at(shares, self.chance.uniform() * all)).collect();
                let came = Span::from_millis(before.millis().saturating_add(gap.millis()));
                Some(Batch { number, came, jobs })
            }
        }
    }

    /// Lets in what has come by `now`, a time since the beginning that may not fall.
    pub fn arrive(&mut self, now: Span) {
        self.now = self.now.max(now);
        while let Some(batch) = self.next.take_if(|batch| batch.came <= now) {
            self.arrived_jobs += batch.jobs.len() as u64;
            self.next = self.make(batch.number + 1, batch.came);
            self.waiting.push_back(batch);
        }
    }

    /// When the next batch comes.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Span> {
        self.next.as_ref().map(|batch| batch.came)
    }

    /// Claims the oldest batch for this guest or, where it has one that is not finished, finds that again. None where
    /// nothing waits.
    pub fn claim(&mut self, worker: u32) -> Option<&Batch> {
        let at = match self.claimed.iter().position(|claimed| claimed.worker == worker) {
            Some(at) => at,
            None => {
                let batch = self.waiting.pop_front()?;
                self.claimed.push(Claimed { worker, batch, next: 0, running: None });
                self.claimed.len() - 1
            }
        };
        Some(&self.claimed[at].batch)
    }

    /// Starts a job of the batch at hand, and says whether it runs now. One that ran already starts again from its beginning;
    /// one that is done, or is not the next, does not start.
    pub fn start(&mut self, worker: u32, job: u32) -> bool {
        let classes = &self.spec.classes;
        let Some(claimed) = self.claimed.iter_mut().find(|claimed| claimed.worker == worker) else {
            return false;
        };
        if job != claimed.next {
            return false;
        }
        let class = claimed.batch.jobs[job as usize];
        claimed.running = Some((classes[usize::from(class)].work_gcycles, 0.0));
        true
    }

    /// The first job of the batch at hand that is not done. None where there is no batch.
    #[must_use]
    pub fn next_job(&self, worker: u32) -> Option<u32> {
        self.of(worker).map(|claimed| claimed.next)
    }

    /// Whether a job of this guest runs.
    #[must_use]
    pub fn is_running(&self, worker: u32) -> bool {
        self.of(worker).is_some_and(|claimed| claimed.running.is_some())
    }

    /// How much CPU the guest wants for the job that runs, in GHz: one virtual CPU's worth.
    #[must_use]
    pub fn demand(&self, worker: u32, vcpus: Vcpus) -> f64 {
        if self.is_running(worker) { vcpus.clock_ghz } else { 0.0 }
    }

    /// How long the job that runs still takes at this speed, rounded up to a millisecond. None where none runs, or at no speed.
    #[must_use]
    pub fn eta(&self, worker: u32, ghz: f64) -> Option<Span> {
        let (left, _) = self.of(worker)?.running?;
        let millis = (left / ghz * 1_000.0).ceil();
        (ghz > 0.0 && millis < 1e15).then(|| Span::from_millis(millis as u64))
    }

    /// Lets the guest's job run for `elapsed` at this speed; gives it where it is done.
    pub fn run(&mut self, worker: u32, elapsed: Span, ghz: f64) -> Option<JobDone> {
        let at = self.claimed.iter().position(|claimed| claimed.worker == worker)?;
        let claimed = &mut self.claimed[at];
        let (left, ran_s) = claimed.running.as_mut()?;
        let elapsed_s = elapsed.as_secs_f64();
        let done = ghz * elapsed_s;
        // What rounding leaves of a job is no job.
        let rest = 1e-9 * ghz.max(0.0);
        if ghz.is_nan() || ghz <= 0.0 || done + rest < *left {
            *left -= done.max(0.0);
            *ran_s += elapsed_s;
            return None;
        }
        let took_s = *left / ghz;
        let finished = JobDone {
            batch: claimed.batch.number,
            job: claimed.next,
            class: claimed.batch.jobs[claimed.next as usize],
            ran_s: *ran_s + took_s,
            after: Span::from_millis((took_s * 1_000.0).ceil() as u64).min(elapsed),
        };
        claimed.running = None;
        claimed.next += 1;
        self.done_jobs += 1;
        if claimed.next as usize == claimed.batch.jobs.len() {
            self.claimed.remove(at);
        }
        Some(finished)
    }

    /// The guest's job ends before it is done: the guest, its host or the daemon has crashed. It has to be started again.
    pub fn crash(&mut self, worker: u32) {
        if let Some(claimed) = self.claimed.iter_mut().find(|claimed| claimed.worker == worker) {
            claimed.running = None;
        }
    }

    /// How many jobs wait in batches that nobody has claimed: the indicator `waiting_jobs`.
    #[must_use]
    pub fn waiting_jobs(&self) -> u64 {
        self.waiting.iter().map(|batch| batch.jobs.len() as u64).sum()
    }

    /// How many batches nobody has claimed: the indicator `waiting_batches`.
    #[must_use]
    pub fn waiting_batches(&self) -> usize {
        self.waiting.len()
    }

    /// How long the oldest of them has waited; zero where none waits. The indicator `oldest_wait_s`.
    #[must_use]
    pub fn oldest_wait(&self) -> Span {
        self.waiting.front().map_or(Span::ZERO, |batch| {
            Span::from_millis(self.now.millis().saturating_sub(batch.came.millis()))
        })
    }

    /// How many jobs have come.
    #[must_use]
    pub const fn arrived_jobs(&self) -> u64 {
        self.arrived_jobs
    }

    /// How many jobs are done. Those that have come and are not done wait, or are in a claimed batch.
    #[must_use]
    pub const fn done_jobs(&self) -> u64 {
        self.done_jobs
    }

    /// How many jobs of claimed batches are not done.
    #[must_use]
    pub fn claimed_jobs(&self) -> u64 {
        self.claimed.iter().map(|claimed| claimed.batch.jobs.len() as u64 - u64::from(claimed.next)).sum()
    }

    /// The classes, in the order of their indices.
    #[must_use]
    pub fn classes(&self) -> &[JobClass] {
        &self.spec.classes
    }

    fn of(&self, worker: u32) -> Option<&Claimed> {
        self.claimed.iter().find(|claimed| claimed.worker == worker)
    }
}

/// The class whose part of the line from 0 to the sum of all shares this point lies in.
fn class_at(shares: &[f64], mut point: f64) -> u16 {
    let mut found = 0;
    for (class, &share) in (0..).zip(shares) {
        if share > 0.0 {
            found = class;
            if point < share {
                break;
            }
            point -= share;
        }
    }
    found
}
