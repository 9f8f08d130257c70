//! A queue at work: jobs of a source, run one after the other, each to an end that its source is told.

use super::ledger::Ledger;
use super::name::part;
use super::run::{Ended, Order, Ran, run};
use super::{End, Fault, Job, Source};
use crate::argv::filled;
use crate::board::{Claim, JobEnd, QueueBoard};
use crate::disk::{SystemDisk, replace};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use vmpolicy_core::file::RunSpec;
use vmpolicy_core::input::Absence;
use vmpolicy_core::policy::Grades;
use vmpolicy_core::ports::JobQueue;

/// How often, and with which pauses, a source is told of a job's end before something else is done.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(20)];

/// What works at a queue is told.
#[derive(Clone, Debug)]
pub struct Working {
    /// The queue's name.
    pub queue: String,
    /// The guest's name.
    pub guest: String,
    /// Which source it is: whoever works at the same one waits.
    pub source: String,
    /// How a job's class is found.
    pub grades: Grades,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// How a job is run.
    pub run: RunSpec,
    /// The folder on the guest's own disk.
    pub local: PathBuf,
    /// The program that is the helper.
    pub helper: PathBuf,
}

/// A queue at work.
pub struct Work {
    source: Box<dyn Source>,
    with: Working,
    ledger: Ledger,
    /// Held while the source is worked at: by a thread of the policy before, perhaps.
    turn: Arc<Mutex<()>>,
    /// A job that has ended, of which its source could not be told.
    owed: Option<(Job, End)>,
    /// Nothing can be run now: the batch is let go, and claimed again when its time has come.
    stuck: bool,
    /// What was complained about last.
    trouble: Option<String>,
    /// That was about running jobs: that a batch can be had does not mend it.
    cant_run: bool,
    board: QueueBoard,
}

/// What became of a job, beside what it has printed.
#[derive(Serialize)]
struct Became<'a> {
    guest: &'a str,
    queue: &'a str,
    batch: &'a str,
    job: &'a str,
    class: Option<&'a str>,
    /// The how manieth time it was begun.
    time: u32,
    took_ms: u64,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    printed_bytes: u64,
    kept_bytes: u64,
}

impl Work {
    /// Works at a source as it is told, and tells the board how it goes; nothing is claimed yet.
    #[must_use]
    pub fn new(source: Box<dyn Source>, with: Working, board: QueueBoard) -> Self {
        /// Who works at which source of this process.
        static TURNS: LazyLock<Mutex<BTreeMap<String, Arc<Mutex<()>>>>> = LazyLock::new(Mutex::default);
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = Arc::clone(turns.entry(with.source.clone()).or_default());
        let ledger = Ledger::new(with.local.join(format!("{}.begun", part(&with.queue))));
        Self { source, with, ledger, turn, owed: None, stuck: false, trouble: None, cant_run: false, board }
    }

    fn complain(&mut self, words: String) {
        self.board.plight.note(&words);
        if self.trouble.as_ref() != Some(&words) {
            tracing::warn!(queue = %self.with.queue, "{words}");
            self.trouble = Some(words);
        }
    }

    fn well(&mut self) {
        self.cant_run = false;
        self.board.plight.well();
        if self.trouble.take().is_some() {
            tracing::info!(queue = %self.with.queue, "it is worked at again");
        }
    }

    /// Tells the source of a job's end that it does not know of yet; whether it knows of all.
    fn settle(&mut self, pauses: &[Duration]) -> bool {
        let Some((job, end)) = self.owed.take() else { return true };
        let mut pauses = pauses.iter();
        loop {
            match self.source.finish(&job, end) {
                Ok(()) => return true,
                Err(Fault(words)) => {
                    self.complain(format!("{}: {} has ended, and can't be put away", words, job.name));
                }
            }
            let Some(pause) = pauses.next() else { break };
            thread::sleep(*pause);
        }
        self.owed = Some((job, end));
        false
    }

    fn batch(&mut self) -> Result<Vec<String>, Fault> {
        if !self.settle(&[]) {
            return Err(Fault("a job that has ended can't be put away".to_owned()));
        }
        self.source.claim()
    }

    /// Runs the first job at hand; whether it went well.
    fn next(&mut self) -> bool {
        if self.stuck || !self.settle(&[]) {
            return false;
        }
        let job = match self.source.first() {
            Ok(Some(job)) => job,
            // The engine knows less than the source: the last of them had ended already.
            Ok(None) => return true,
            Err(Fault(words)) => return self.is_stuck(words),
        };
        let id = format!("{}/{}", job.batch, job.name);
        let times = self.ledger.times(&id);
        if times >= self.with.run.tries {
            tracing::error!(
                queue = %self.with.queue,
                "{id} was begun {times} times and never came to an end: it is put aside as failed"
            );
            self.board.ended(self.class_of(&job).as_deref(), JobEnd::GivenUp);
            return self.finish(job, End::Failed);
        }
        let time = times + 1;
        let began = fs::create_dir_all(&self.with.local).and_then(|()| self.ledger.begin(&id, time));
        if let Err(error) = began {
            return self.is_stuck(format!("{}: {error}", self.with.local.display()));
        }
        let class = self.class_of(&job);
        let order = self.order(&job, class.as_deref().unwrap_or_default());
        let from = Instant::now();
        self.board.begins(class.as_deref(), time);
        let ended = run(&self.with.helper, &order);
        self.board.rests();
        let took = from.elapsed();
        if let Ran::NotStarted(words) = &ended.ran {
            // Nothing has happened, which counts as no time.
            if times == 0 {
                self.ledger.end()
            } else {
                drop(self.ledger.begin(&id, times))
            }
            return self.is_stuck(format!("{id} can't be run: {words}"));
        }
        if let Ran::Lost(words) = &ended.ran {
            return self.is_stuck(format!("{id} is to be run again: {words}"));
        }
        self.well();
        let end = if ended.ran == Ran::Status(0) { End::Done } else { End::Failed };
        self.board.ended(class.as_deref(), end_of(&ended.ran));
        self.tell(&job, &ended, time, took, class.as_deref(), order.output.as_deref());
        self.finish(job, end)
    }

    fn is_stuck(&mut self, words: String) -> bool {
        self.complain(words);
        (self.stuck, self.cant_run) = (true, true);
        false
    }

    fn finish(&mut self, job: Job, end: End) -> bool {
        self.owed = Some((job, end));
        if self.settle(&PAUSES) {
            self.ledger.end();
        } else {
            self.stuck = true;
        }
        end == End::Done
    }

    fn class_of(&self, job: &Job) -> Option<String> {
        let class = self.with.grades.class_of(&job.known)?;
        self.with.classes.get(class).cloned()
    }

    fn order(&self, job: &Job, class: &str) -> Order {
        let Working { run, guest, queue, local, .. } = &self.with;
        let values = [
            ("job", job.told.as_str()),
            ("name", &job.name),
            ("batch", &job.batch),
            ("class", class),
            ("guest", guest),
        ];
        let output = run.output.as_ref().map(|folder| {
            let name = format!("{}.out", part(&job.name));
            Path::new(folder).join(part(&job.batch)).join(name)
        });
        Order {
            argv: run.argv.iter().map(|argument| filled(argument, &values)).collect(),
            stdin: job.stdin.clone(),
            output,
            output_max: run.output_max,
            limit_ms: run.timeout.millis(),
            grace_ms: run.grace.millis(),
            lock: local.join(format!("{}.lock", part(queue))),
        }
    }

    /// Says what became of a job: in the log, and where its output is.
    fn tell(
        &self,
        job: &Job,
        ended: &Ended,
        time: u32,
        took: Duration,
        class: Option<&str>,
        output: Option<&Path>,
    ) {
        let Working { queue, guest, run, .. } = &self.with;
        let Ended { ran, printed, unwritten } = ended;
        let id = format!("{}/{}", job.batch, job.name);
        match ran {
            Ran::Status(0) => tracing::info!(%queue, "{id} is done, within {took:?}"),
            Ran::Status(status) => tracing::warn!(%queue, "{id} has failed: status {status}"),
            Ran::Signal(signal) => tracing::warn!(%queue, "{id} has failed: signal {signal}"),
            Ran::TimedOut => tracing::warn!(%queue, "{id} has failed: not done within {}", run.timeout),
            Ran::Unfit(words) => tracing::warn!(%queue, "{id} has failed: {words}"),
            Ran::NotStarted(_) | Ran::Lost(_) => {}
        }
        if let Some(words) = unwritten {
            tracing::warn!(%queue, "not all that {id} has printed is kept: {words}");
        }
        let Some(output) = output else { return };
        let (outcome, status, signal) = match ran {
            Ran::Status(status) => ("exited", Some(*status), None),
            Ran::Signal(signal) => ("signal", None, Some(*signal)),
            Ran::TimedOut => ("timed-out", None, None),
            Ran::Unfit(_) | Ran::NotStarted(_) | Ran::Lost(_) => ("unfit", None, None),
        };
        let result = Became {
            guest,
            queue,
            batch: &job.batch,
            job: &job.name,
            class,
            time,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            outcome,
            status,
            signal,
            printed_bytes: *printed,
            kept_bytes: (*printed).min(run.output_max),
        };
        if let Err(error) = written(&output.with_extension("json"), &result) {
            tracing::warn!(%queue, "what became of {id} can't be written down: {error}");
        }
    }
}

const fn end_of(ran: &Ran) -> JobEnd {
    match ran {
        Ran::Status(0) => JobEnd::Done,
        Ran::Status(status) => JobEnd::Failed(*status),
        Ran::Signal(signal) => JobEnd::Killed(*signal),
        Ran::TimedOut => JobEnd::TimedOut,
        Ran::Unfit(_) | Ran::NotStarted(_) | Ran::Lost(_) => JobEnd::Unfit,
    }
}

fn written(path: &Path, result: &Became<'_>) -> io::Result<()> {
    let mut line = serde_json::to_vec(result)?;
    line.push(b'\n');
    replace(&SystemDisk, path, &line, 0o644)
}

impl JobQueue for Work {
    fn claim(&mut self) -> Result<Vec<String>, Absence> {
        let turn = Arc::clone(&self.turn);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut self.stuck) {
            return Err(Absence::Unreachable);
        }
        match self.batch() {
            Ok(batch) => {
                self.board.claimed(if batch.is_empty() { Claim::Empty } else { Claim::Batch });
                // Where jobs can't be run, only one that runs, or an end of them, says that all is well again.
                if batch.is_empty() || !self.cant_run {
                    self.well();
                }
                Ok(batch)
            }
            Err(Fault(words)) => {
                self.board.claimed(Claim::Failed);
                self.complain(words);
                Err(Absence::Unreachable)
            }
        }
    }

    fn run(&mut self, _job: u32) -> bool {
        let turn = Arc::clone(&self.turn);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.next()
    }
}
