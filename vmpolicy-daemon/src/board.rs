//! What the ports' threads tell whoever asks how the daemon stands: what goes wrong now and since when, and how queues
//! are worked at. Nothing is decided by it, and nothing of it outlives the daemon.

use crate::agent::SystemClock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vmpolicy_core::time::Wall;

/// Words of other programs and servers are cut here.
const WORDS_MAX: usize = 500;

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What was said of it the last time, in one line; never a secret.
    pub words: String,
    /// Since when nothing has gone well.
    pub since: Wall,
    /// How often in a row it went wrong.
    pub times: u64,
}

/// Whether something goes well: written by the thread that does it, read by whoever asks.
#[derive(Clone, Debug, Default)]
pub struct Plight(Arc<Mutex<Option<Fault>>>);

impl Plight {
    /// It went wrong.
    pub fn note(&self, words: &str) {
        let mut fault = lock(&self.0);
        match &mut *fault {
            Some(fault) => {
                fault.times = fault.times.saturating_add(1);
                if fault.words != words {
                    fault.words = plain(words);
                }
            }
            None => *fault = Some(Fault { words: plain(words), since: SystemClock::wall(), times: 1 }),
        }
    }

    /// It went well.
    pub fn well(&self) {
        *lock(&self.0) = None;
    }

    /// What goes wrong, where it does.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        lock(&self.0).clone()
    }
}

/// One line without what a terminal would obey.
fn plain(words: &str) -> String {
    words.trim().chars().take(WORDS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// How a job ended, for whoever counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// It went well.
    Done,
    /// By itself, with another status than 0.
    Failed(i32),
    /// By a signal.
    Killed(i32),
    /// Its time limit ran out.
    TimedOut,
    /// It can't be run at all: it can't be read, or is more than a program can be told.
    Unfit,
    /// It was begun as often as it may be, and never came to an end.
    GivenUp,
}

impl JobEnd {
    /// The names, in the order in which they are counted.
    pub const NAMES: [&str; 6] = ["done", "failed", "killed", "timed-out", "unfit", "given-up"];

    const fn index(self) -> usize {
        match self {
            Self::Done => 0,
            Self::Failed(_) => 1,
            Self::Killed(_) => 2,
            Self::TimedOut => 3,
            Self::Unfit => 4,
            Self::GivenUp => 5,
        }
    }

    /// The name in status and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self.index()]
    }
}

/// What a claim has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Jobs.
    Batch,
    /// None: there was nothing to do.
    Empty,
    /// Nobody knows.
    Failed,
}

impl Claim {
    /// The names, in the order in which they are counted.
    pub const NAMES: [&str; 3] = ["batch", "empty", "failed"];
}

/// A job that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its class, where it has one.
    pub class: Option<String>,
    /// The how manieth time it was begun.
    pub time: u32,
    /// Since when.
    pub since: Wall,
}

/// A job that did not go well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedJob {
    /// Its class, where it has one.
    pub class: Option<String>,
    /// How it ended.
    pub end: JobEnd,
    /// When.
    pub at: Wall,
}

/// How a queue is worked at. A job's name is not among it: it may be all that the job consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueNow {
    /// The job that runs.
    pub running: Option<Running>,
    /// How many claims have brought what, in the order of [`Claim::NAMES`].
    pub claims: [u64; Claim::NAMES.len()],
    /// How many jobs have ended how, in the order of [`JobEnd::NAMES`].
    pub ended: [u64; JobEnd::NAMES.len()],
    /// The last job that did not go well.
    pub failed: Option<FailedJob>,
}

/// How a queue is worked at: written by the thread that does it.
#[derive(Clone, Debug, Default)]
pub struct QueueBoard {
    now: Arc<Mutex<QueueNow>>,
    /// Whether its source can be asked, and its jobs be run.
    pub plight: Plight,
}

impl QueueBoard {
    /// How it stands.
    #[must_use]
    pub fn now(&self) -> QueueNow {
        lock(&self.now).clone()
    }

    /// Jobs were claimed, or not.
    pub fn claimed(&self, claim: Claim) {
        lock(&self.now).claims[claim as usize] += 1;
    }

    /// A job begins.
    pub fn begins(&self, class: Option<&str>, time: u32) {
        let running = Running { class: class.map(str::to_owned), time, since: SystemClock::wall() };
        lock(&self.now).running = Some(running);
    }

    /// Nothing runs any more.
    pub fn rests(&self) {
        lock(&self.now).running = None;
    }

    /// A job has ended.
    pub fn ended(&self, class: Option<&str>, end: JobEnd) {
        let mut now = lock(&self.now);
        now.ended[end.index()] += 1;
        if end != JobEnd::Done {
            now.failed = Some(FailedJob { class: class.map(str::to_owned), end, at: SystemClock::wall() });
        }
    }
}

/// All of it, for the ports that a policy names.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// Whether the locator can tell.
    pub locator: Plight,
    rows: Arc<Mutex<Rows>>,
}

#[derive(Debug, Default)]
struct Rows {
    probes: BTreeMap<String, Plight>,
    queues: BTreeMap<String, QueueBoard>,
}

impl Board {
    /// For a probe that begins: whether it can read, of which nothing is known yet.
    #[must_use]
    pub fn new_probe(&self, indicator: &str) -> Plight {
        let plight = Plight::default();
        lock(&self.rows).probes.insert(indicator.to_owned(), plight.clone());
        plight
    }

    /// Why an indicator's probe has no number, where it has none.
    #[must_use]
    pub fn probe(&self, indicator: &str) -> Option<Fault> {
        lock(&self.rows).probes.get(indicator).and_then(Plight::fault)
    }

    /// A queue's. Whoever works at a queue of this name goes on counting.
    #[must_use]
    pub fn queue(&self, name: &str) -> QueueBoard {
        let mut rows = lock(&self.rows);
        match rows.queues.get(name) {
            Some(board) => board.clone(),
            None => rows.queues.entry(name.to_owned()).or_default().clone(),
        }
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_keeps_its_first_time_and_its_last_words() {
        let plight = Plight::default();
        assert_eq!(plight.fault(), None);
        plight.note("refused");
        let since = plight.fault().unwrap().since;
        plight.note("timed \x1b[31mout\n");
        assert_eq!(plight.fault(), Some(Fault { words: "timed  [31mout".to_owned(), since, times: 2 }));
        plight.note(&"é".repeat(10_000));
        assert_eq!(plight.fault().unwrap().words.chars().count(), WORDS_MAX);
        plight.well();
        assert_eq!(plight.fault(), None);
    }

    #[test]
    fn a_queue_s_counts_go_on_and_a_probe_begins_anew() {
        let board = Board::default();
        board.new_probe("x").note("no");
        assert_eq!(board.probe("x").unwrap().words, "no");
        let _ = board.new_probe("x");
        assert_eq!((board.probe("x"), board.probe("y")), (None, None));
        board.queue("jobs").claimed(Claim::Batch);
        board.queue("jobs").begins(Some("big"), 1);
        board.queue("jobs").rests();
        board.queue("jobs").ended(Some("big"), JobEnd::Killed(9));
        board.queue("jobs").ended(None, JobEnd::Done);
        let now = board.queue("jobs").now();
        assert_eq!((now.running, now.claims, now.ended), (None, [1, 0, 0], [1, 0, 1, 0, 0, 0]));
        let failed = now.failed.unwrap();
        assert_eq!((failed.class.as_deref(), failed.end), (Some("big"), JobEnd::Killed(9)));
    }
}
