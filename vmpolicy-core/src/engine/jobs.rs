//! Batches of jobs: claimed when there is none at hand, graded, run one by one; a relocation waits for
//! the running job, and after it the batch at hand comes first (thesis 3.4.5, listing D.1).

use super::plan::{bit, bits};
use super::step::Step;
use crate::id::{Id, QueueId, RuleId};
use crate::leaf::logic::Truth;
use crate::output::Effect;

impl Step<'_> {
    /// Whether jobs are claimed and run now.
    pub(super) fn may_work(&self) -> bool {
        self.is_free() && self.state.rest.is_none()
    }

    /// Claims a batch where there is none; runs the next job where none is running.
    #[inline]
    pub(super) fn work(&mut self) {
        if !self.state.queues.is_empty() && self.may_work() {
            self.claim_and_run();
        }
    }

    fn claim_and_run(&mut self) {
        for (id, queue) in self.state.queues.iter_mut() {
            if !queue.has_batch() {
                if queue.claim_due <= self.t {
                    queue.claim_due = self.t.plus(self.policy.queues[id].every);
                    self.out.effects.push(Effect::Claim(id));
                    self.out.save = true;
                }
            } else if !queue.running {
                queue.running = true;
                self.out.effects.push(Effect::Run { queue: id, job: queue.next });
                self.out.save = true;
            }
        }
    }

    /// The answer to a claim. A batch at hand is finished first.
    pub(super) fn batch(&mut self, id: QueueId, classes: &[u32], others: u32) {
        if id.index() >= self.state.queues.len() {
            return;
        }
        let queue = &mut self.state.queues[id];
        let total = classes.iter().fold(others, |total, &count| total.saturating_add(count));
        if queue.has_batch() || total == 0 || classes.len() != queue.classes.len() {
            return;
        }
        queue.classes.copy_from_slice(classes);
        (queue.others, queue.total, queue.next, queue.running) = (others, total, 0, false);
        self.out.save = true;
        for rule in bits::<RuleId>(self.plan.queue_readers[id]) {
            self.evaluate(rule, 0);
        }
    }

    /// The running job has ended. A rule on this batch that was held back is ready again.
    pub(super) fn job_done(&mut self, id: QueueId) {
        if id.index() >= self.state.queues.len() || !self.state.queues[id].running {
            return;
        }
        let queue = &mut self.state.queues[id];
        queue.running = false;
        queue.next = queue.next.saturating_add(1);
        self.out.save = true;
        if queue.next >= queue.total {
            (queue.total, queue.next, queue.others) = (0, 0, 0);
            queue.classes.fill(0);
            queue.claim_due = self.t;
            // What was ready on the batch is ready on nothing now.
            self.ready &= !self.plan.queue_readers[id];
            return;
        }
        for rule in bits::<RuleId>(self.plan.queue_readers[id]) {
            let (state, tarry) = (&self.state.rules[rule], self.policy.rules[rule].tarry);
            // A window in its condition may have opened or closed since the batch came.
            let still = state.truth == Truth::Breach && self.truth_now(rule) == Truth::Breach;
            if still && state.counter.reached(tarry, self.t) {
                self.ready |= bit(rule);
            }
        }
    }
}
