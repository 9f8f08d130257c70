//! A move that was taken on is asked after until it has come to its end.

use super::answer::{retry_after, to_poll};
use crate::agent::Reporter;
use crate::http::{Url, Web};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;
use vmpolicy_core::id::RequestId;
use vmpolicy_core::input::Outcome;

/// A server may ask for more patience than the policy file has, but not for more than this.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// A request, and where to ask how it goes.
pub(super) struct Followed {
    pub(super) id: RequestId,
    /// The id as the outside knows it.
    pub(super) name: String,
    pub(super) url: Url,
}

/// A thread that asks after the request that was taken on last: only one is open at a time. It ends when this goes.
pub(super) struct Follower(Sender<Followed>);

impl Follower {
    pub(super) fn start(web: Web, every: Duration, reporter: Reporter) -> Self {
        let (requests, queue) = channel();
        let spawned = thread::Builder::new().name("webhook".to_owned()).spawn(move || {
            Following { web, every, reporter, silent: false }.run(&queue);
        });
        if let Err(error) = spawned {
            tracing::error!("can't start a thread that asks how moves go: {error}");
        }
        Self(requests)
    }

    pub(super) fn follow(&self, followed: Followed) {
        // Without a thread the location tells.
        let _ = self.0.send(followed);
    }
}

struct Following {
    web: Web,
    every: Duration,
    reporter: Reporter,
    /// Whether it was said that there is no answer.
    silent: bool,
}

impl Following {
    fn run(&mut self, queue: &Receiver<Followed>) {
        let mut current: Option<(Followed, Duration)> = None;
        loop {
            let next = match &current {
                None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some((_, wait)) => queue.recv_timeout(*wait),
            };
            current = match (next, current) {
                (Ok(followed), _) => Some((followed, self.every)),
                (Err(RecvTimeoutError::Disconnected), _) => return,
                (Err(RecvTimeoutError::Timeout), None) => None,
                (Err(RecvTimeoutError::Timeout), Some((followed, _))) => {
                    self.poll(&followed).map(|wait| (followed, wait))
                }
            };
        }
    }

    /// Asks once; for how long to wait before the next time, where there is to be one.
    fn poll(&mut self, Followed { id, name, url }: &Followed) -> Option<Duration> {
        if !self.reporter.is_open(*id) {
            return None;
        }
        let answered = self.web.get_at(url, &[("accept", "application/json")]);
        let wait = answered.as_ref().ok().and_then(retry_after).unwrap_or_default();
        let wait = wait.clamp(self.every, WAIT_MAX.max(self.every));
        let told = answered
            .map_err(|error| error.to_string())
            .and_then(|answer| to_poll(&answer, |words| self.web.hide(words)));
        let (outcome, reason) = match told {
            Ok(told) => told,
            Err(words) => {
                if !self.silent {
                    tracing::warn!(
                        id = name.as_str(),
                        "{} does not tell how the move goes: {words}",
                        url.shown()
                    );
                }
                self.silent = true;
                return Some(wait);
            }
        };
        if self.silent {
            tracing::info!(id = name.as_str(), "{} tells again how the move goes", url.shown());
        }
        self.silent = false;
        if outcome == Outcome::Accepted {
            return Some(wait);
        }
        if !reason.is_empty() {
            tracing::info!(id = name.as_str(), "the webhook says why: {reason}");
        }
        self.reporter.tell(*id, outcome);
        None
    }
}
