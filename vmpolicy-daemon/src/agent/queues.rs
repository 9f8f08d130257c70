//! A thread for each job queue: it claims, or it runs a job, which may take hours.
//!
//! What a thread of the policy before runs is run to its end, and its end is heard: the queue is known by its name.

use super::hands::Event;
use super::worker::{Busy, Worker, WorkerId, unpanicked};
use std::sync::mpsc::Sender;
use vmpolicy_core::Input;
use vmpolicy_core::Policy;
use vmpolicy_core::id::{Id, QueueId};
use vmpolicy_core::input::Absence;
use vmpolicy_core::policy::Grades;
use vmpolicy_core::ports::JobQueue;

/// A queue to be worked at, if nobody works at one of this key yet.
pub struct WiredQueue {
    /// All that it is made of, as a text.
    pub key: String,
    /// Its name in the policy.
    pub name: String,
    /// How the class of a job is found.
    pub grades: Grades,
    /// Makes it.
    pub make: MakeQueue,
}

/// Makes a queue.
pub type MakeQueue = Box<dyn FnOnce() -> Box<dyn JobQueue> + Send>;

/// What is to be done.
pub(super) enum Errand {
    Claim,
    Run(u32),
}

/// What came of it.
#[derive(Debug)]
pub enum Told {
    /// A batch, or none: what is known of each job.
    Claimed(Result<Vec<String>, Absence>),
    /// The job has ended.
    Ended,
}

/// Who works at the queues of a policy.
#[derive(Default)]
pub(super) struct Crew {
    /// In the policy's order.
    hands: Vec<Option<Hand>>,
    /// Threads of policies before that were busy, and their queues' names.
    gone: Vec<(WorkerId, String)>,
}

struct Hand {
    key: String,
    name: String,
    grades: Grades,
    worker: Worker<Errand>,
}

impl Crew {
    /// Takes these queues in place of those before.
    pub(super) fn wire(&mut self, queues: Vec<Option<WiredQueue>>, events: &Sender<Event>) {
        let mut before: Vec<Hand> = std::mem::take(&mut self.hands).into_iter().flatten().collect();
        for queue in queues {
            let hand = queue.map(|queue| match before.iter().position(|hand| hand.key == queue.key) {
                Some(at) => before.swap_remove(at),
                None => Hand {
                    worker: spawn(queue.make, events.clone()),
                    key: queue.key,
                    name: queue.name,
                    grades: queue.grades,
                },
            });
            self.hands.push(hand);
        }
        let busy = before.into_iter().filter(|hand| hand.worker.is_busy());
        self.gone.extend(busy.map(|hand| (hand.worker.id(), hand.name)));
    }

    /// Claims a batch.
    pub(super) fn claim(&mut self, queue: QueueId) {
        if let Some(hand) = self.hands.get_mut(queue.index()).and_then(Option::as_mut)
            && hand.worker.give(Errand::Claim).is_err()
        {
            tracing::debug!(queue = %hand.name, "it is still busy");
        }
    }

    /// Runs a job; where nobody can, that is its end, as a relocation waits for it.
    pub(super) fn run(&mut self, queue: QueueId, job: u32) -> Result<(), Input> {
        let hand = self.hands.get_mut(queue.index()).and_then(Option::as_mut);
        let given = hand.map_or(Err(Busy::Gone), |hand| hand.worker.give(Errand::Run(job)));
        given.map_err(|_| Input::JobDone { queue })
    }

    /// What this means to the engine.
    pub(super) fn input_of(&mut self, worker: WorkerId, told: Told, policy: &Policy) -> Option<Input> {
        let found = self.hands.iter_mut().enumerate().find_map(|(index, hand)| {
            let hand = hand.as_mut().filter(|hand| hand.worker.id() == worker)?;
            Some((QueueId::from_index(index), hand))
        });
        let Some((queue, hand)) = found else {
            let at = self.gone.iter().position(|(id, _)| *id == worker)?;
            let (_, name) = self.gone.swap_remove(at);
            // A batch stays claimed, and is found again by whoever works at the queue now.
            let Told::Ended = told else { return None };
            return Some(Input::JobDone { queue: policy.queue_named(&name)? });
        };
        hand.worker.rest();
        match told {
            Told::Claimed(Ok(batch)) if !batch.is_empty() => {
                let (classes, others) = hand.grades.count(batch.iter().map(String::as_str));
                Some(Input::Batch { queue, classes, others })
            }
            // There is nothing, or nobody knows: it is asked again when its time has come.
            Told::Claimed(_) => None,
            Told::Ended => Some(Input::JobDone { queue }),
        }
    }
}

fn spawn(make: MakeQueue, events: Sender<Event>) -> Worker<Errand> {
    let id = WorkerId::next();
    Worker::spawn(id, "queue", move |errands| {
        let mut queue = make();
        for errand in errands {
            let told = match errand {
                Errand::Claim => {
                    Told::Claimed(unpanicked("a queue", Err(Absence::Missing), || queue.claim()))
                }
                Errand::Run(job) => {
                    unpanicked("a queue", false, || queue.run(job));
                    Told::Ended
                }
            };
            if events.send(Event::Queue { worker: id, told }).is_err() {
                return;
            }
        }
    })
}
