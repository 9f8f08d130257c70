//! What systemd is told: that the daemon is ready, that its loop turns, that it ends.
//!
//! The protocol is that of `sd_notify(3)`. Where nobody listens (no `NOTIFY_SOCKET`), nothing is said.

use sd_notify::NotifyState;
use std::time::{Duration, Instant};

/// What the unit tells the daemon alone; no program that it starts may speak in its name, or manages its memory as it does.
pub const VARIABLES: [&str; 6] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "MALLOC_ARENA_MAX",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TRIM_THRESHOLD_",
];

/// The loop's word to systemd, given by the loop itself: a watchdog that another thread feeds would not notice that
/// the loop stands still.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    /// How often a watchdog wants to be fed, if there is one.
    every: Option<Duration>,
    fed: Option<Instant>,
}

impl Pulse {
    /// As the environment says (`WATCHDOG_USEC`): fed twice as often as it must be.
    #[must_use]
    pub fn of_systemd() -> Self {
        Self { every: sd_notify::watchdog_enabled().map(|limit| limit / 2), fed: None }
    }

    /// How long the loop may sleep.
    #[must_use]
    pub fn longest_sleep(&self, otherwise: Duration) -> Duration {
        self.every.map_or(otherwise, |every| every.min(otherwise))
    }

    /// The loop turns.
    pub fn beat(&mut self) {
        let Some(every) = self.every else { return };
        let now = Instant::now();
        // A loop that is busy says it no more often than one that sleeps.
        if self.fed.is_none_or(|fed| now.duration_since(fed) >= every / 2) {
            self.fed = Some(now);
            say(&[NotifyState::Watchdog]);
        }
    }
}

/// The daemon has started: the policy is read, the state is its own, the engine knows that it runs.
pub fn ready(guest: &str) {
    say(&[NotifyState::Ready, NotifyState::Status(&format!("decides for {guest}"))]);
}

/// The daemon ends.
pub fn stopping() {
    say(&[NotifyState::Stopping]);
}

fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("systemd can't be told: {error}");
    }
}
