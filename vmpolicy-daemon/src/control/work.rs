//! How queues and hooks stand, as part of `status`.

use super::desk::{Desk, Standing};
use crate::board::{Claim, FailedJob, Fault, JobEnd, QueueNow, Running};
use crate::hook::Ran;
use crate::spans::{seconds, wall};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use vmpolicy_core::Policy;
use vmpolicy_core::engine::BatchView;
use vmpolicy_core::file::Shell;
use vmpolicy_core::id::QueueId;
use vmpolicy_core::input::{Hook, HookEnd};
use vmpolicy_core::policy::Queue as Written;
use vmpolicy_core::time::{Span, Wall};

/// What goes wrong, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// What was said of it the last time.
    pub words: String,
    /// Since when nothing has gone well.
    #[serde(with = "wall")]
    pub since: Wall,
    /// How often in a row it went wrong.
    pub times: u64,
}

impl From<Fault> for Failing {
    fn from(Fault { words, since, times }: Fault) -> Self {
        Self { words, since, times }
    }
}

/// A job queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Whether somebody works at it: the file says how, and the daemon acts.
    pub worked: bool,
    /// The batch at hand; null where none is claimed.
    pub batch: Option<Batch>,
    /// The job that runs.
    pub running: Option<RunningJob>,
    /// How many claims have brought what: `batch`, `empty` or `failed`.
    pub claims: BTreeMap<String, u64>,
    /// How many jobs have ended how, since the daemon has started: `done`, `failed`, `killed`, `timed-out`, `unfit` or
    /// `given-up`.
    pub ended: BTreeMap<String, u64>,
    /// The last job that did not go well, since the daemon has started.
    pub last_failed: Option<LastFailed>,
    /// Why it can't be worked at now; null where it can.
    pub fault: Option<Failing>,
}

/// The batch at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// How many jobs were claimed.
    pub jobs: u32,
    /// How many of each class were among them, as `count` sees it.
    pub classes: BTreeMap<String, u32>,
    /// How many of no class.
    pub others: u32,
    /// How many have ended since.
    pub ended: u32,
    /// How many neither run nor have ended.
    pub waiting: u32,
}

/// A job that runs. What it is called the log says when it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningJob {
    /// Its class; null where it has none.
    pub class: Option<String>,
    /// The how manieth time it was begun.
    pub time: u32,
    /// Since when.
    #[serde(with = "wall")]
    pub since: Wall,
}

/// A job that did not go well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailed {
    /// Its class; null where it has none.
    pub class: Option<String>,
    /// How it ended, as in `ended`.
    pub outcome: String,
    /// The status, where it ended by itself.
    pub status: Option<i32>,
    /// The signal, where it was killed.
    pub signal: Option<i32>,
    /// When.
    #[serde(with = "wall")]
    pub at: Wall,
}

/// A hook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookNow {
    /// `on_arrival` or `before_leaving`.
    pub hook: String,
    /// How often it has ended how, since the daemon has started: `done`, `failed`, `killed`, `timed-out`, `not-started` or `lost`.
    pub outcomes: BTreeMap<String, u64>,
    /// The last time.
    pub last: Option<LastRun>,
    /// Since when it has gone wrong each time; null where it went well the last time.
    pub failing_since: Option<String>,
}

/// The last time that a hook was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastRun {
    /// How it ended, as in records.
    pub outcome: String,
    /// The status, where it ended by itself.
    pub status: Option<i32>,
    /// The signal, where it was killed.
    pub signal: Option<i32>,
    /// When it had ended.
    #[serde(with = "wall")]
    pub at: Wall,
    /// How long it took.
    #[serde(with = "seconds")]
    pub took: Span,
    /// Where the guest was.
    pub host: String,
    /// The request that it was run for; null where there was none.
    pub id: Option<u64>,
}

/// What is known of the ports that the policy file names.
#[derive(Debug, Default)]
pub struct Ports {
    /// The queues that the file says how to work at.
    worked: BTreeSet<String>,
    hooks: [Option<Runs>; 2],
}

/// What is counted of a hook.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// How often it has ended how.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// The last time.
    pub last: Option<(Ran, Wall)>,
    failing_since: Option<Wall>,
}

const HOOKS: [Hook; 2] = [Hook::OnArrival, Hook::BeforeLeaving];

impl Ports {
    /// Another policy file is in force. What is in it as before goes on.
    pub fn adopt(&mut self, shell: &Shell, policy: &Policy) {
        let queues = policy.queues().iter().zip(&shell.sources).zip(&shell.work);
        let worked = queues.filter(|((_, source), work)| source.is_some() && work.run.is_some());
        self.worked = worked.map(|(((_, queue), _), _)| queue.name.clone()).collect();
        let written = shell.hooks.as_ref().map(|located| &located.value);
        for (hook, runs) in HOOKS.into_iter().zip(&mut self.hooks) {
            let is_there = written.is_some_and(|hooks| match hook {
                Hook::OnArrival => hooks.on_arrival.is_some(),
                Hook::BeforeLeaving => hooks.before_leaving.is_some(),
            });
            *runs = is_there.then(|| runs.take().unwrap_or_default());
        }
    }

    /// A hook was run.
    pub fn ran(&mut self, ran: &Ran, at: Wall) {
        let known = HOOKS.into_iter().zip(&mut self.hooks).find(|(hook, _)| *hook == ran.hook);
        if let Some((_, Some(runs))) = known {
            *runs.outcomes.entry(ran.ended.name()).or_default() += 1;
            runs.failing_since = if ran.ended.is_well() { None } else { runs.failing_since.or(Some(at)) };
            runs.last = Some((ran.clone(), at));
        }
    }

    /// The hooks of the policy file.
    pub fn hooks(&self) -> impl Iterator<Item = (Hook, &Runs)> {
        HOOKS.into_iter().zip(&self.hooks).filter_map(|(hook, runs)| Some((hook, runs.as_ref()?)))
    }

    /// Whether the policy file says how to work at a queue.
    #[must_use]
    pub fn works_at(&self, queue: &str) -> bool {
        self.worked.contains(queue)
    }
}

pub(super) fn hooks(ports: &Ports) -> Vec<HookNow> {
    ports.hooks().map(|(hook, runs)| hook_now(hook, runs)).collect()
}

fn hook_now(hook: Hook, runs: &Runs) -> HookNow {
    HookNow {
        hook: hook.name().to_owned(),
        outcomes: runs.outcomes.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        last: runs.last.as_ref().map(|(ran, at)| LastRun {
            outcome: ran.ended.name().to_owned(),
            status: if let HookEnd::Exit(status) = ran.ended { Some(status) } else { None },
            signal: if let HookEnd::Signal(signal) = ran.ended { Some(signal) } else { None },
            at: *at,
            took: Span::from_millis(u64::try_from(ran.took.as_millis()).unwrap_or(u64::MAX)),
            host: ran.host.clone(),
            id: ran.id.map(|id| id.0),
        }),
        failing_since: runs.failing_since.map(|since| since.to_string()),
    }
}

pub(super) fn queues(desk: &Desk, standing: &Standing<'_>) -> Vec<Queue> {
    let queues = standing.engine.policy().queues().iter();
    queues.map(|(id, written)| queue(desk, standing, id, written)).collect()
}

fn queue(desk: &Desk, standing: &Standing<'_>, id: QueueId, written: &Written) -> Queue {
    let board = desk.board().queue(&written.name);
    let QueueNow { running, claims, ended, failed } = board.now();
    let counted = |names: &[&str], counts: &[u64]| {
        names.iter().zip(counts).map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    Queue {
        name: written.name.clone(),
        worked: desk.works_at(&written.name),
        batch: standing.engine.batch(id).map(|view| batch(written, view)),
        running: running.map(|Running { class, time, since }| RunningJob { class, time, since }),
        claims: counted(&Claim::NAMES, &claims),
        ended: counted(&JobEnd::NAMES, &ended),
        last_failed: failed.map(|FailedJob { class, end, at }| LastFailed {
            class,
            outcome: end.name().to_owned(),
            status: if let JobEnd::Failed(status) = end { Some(status) } else { None },
            signal: if let JobEnd::Killed(signal) = end { Some(signal) } else { None },
            at,
        }),
        fault: board.plight.fault().map(Failing::from),
    }
}

fn batch(written: &Written, view: BatchView<'_>) -> Batch {
    let classes = written.classes.iter().zip(view.classes);
    Batch {
        jobs: view.jobs,
        classes: classes.map(|(class, count)| (class.name.clone(), *count)).collect(),
        others: view.others,
        ended: view.ended,
        waiting: view.waiting(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_hook_s_failures_have_a_beginning_and_an_end() {
        let mut ports = Ports::default();
        let ran = |ended| Ran {
            hook: Hook::OnArrival,
            id: None,
            host: "mln2".to_owned(),
            ended,
            took: Duration::from_millis(1_500),
        };
        // It is not in the policy file.
        ports.ran(&ran(HookEnd::Exit(0)), Wall(0));
        assert_eq!(hooks(&ports), []);
        ports.hooks[0] = Some(Runs::default());
        for (at, ended) in [HookEnd::Exit(0), HookEnd::Exit(3), HookEnd::TimedOut].into_iter().enumerate() {
            ports.ran(&ran(ended), Wall::from_secs(at as i64));
        }
        let now = hooks(&ports).remove(0);
        assert_eq!(now.failing_since.as_deref(), Some("1970-01-01T00:00:01Z"));
        assert_eq!(now.outcomes.values().sum::<u64>(), 3);
        let last = now.last.unwrap();
        assert_eq!(
            (last.outcome.as_str(), last.took, last.at),
            ("timed-out", Span::from_millis(1_500), Wall(2_000))
        );
        ports.ran(&ran(HookEnd::Exit(0)), Wall(3_000));
        assert_eq!(hooks(&ports)[0].failing_since, None);
    }
}
