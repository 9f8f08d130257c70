//! What a guest's daemon sees through: the core's own ports, implemented by the world.

use super::vm::Probing;
use crate::input::Absence;
use crate::ports::{Locator, Probe};
use crate::sim::chance::Seed;
use crate::sim::load::{Load, When};
use crate::sim::scenario::{Feed, Signal};

/// Reads what feeds an indicator, unless something is wrong with the reading.
pub(super) struct ServiceProbe<'a> {
    /// What the service says, where it is what feeds the indicator.
    pub(super) service: Option<f64>,
    pub(super) feed: Option<&'a Feed>,
    pub(super) follower: Option<&'a mut Follower>,
    pub(super) when: When,
    /// The part of the demanded processor time that the guest misses.
    pub(super) missed: f64,
    pub(super) probing: Probing,
}

impl Probe for ServiceProbe<'_> {
    #[inline]
    fn read(&mut self) -> Result<f64, Absence> {
        if let Some((_, why)) = self.probing.fails {
            return Err(why);
        }
        let value = match (self.probing.lies, self.feed, &mut self.follower) {
            (Some((_, value)), _, _) => value,
            (None, Some(Feed::Reads(_)), _) => self.service.ok_or(Absence::NotFed)?,
            (None, Some(Feed::Follows(signal)), Some(follower)) => {
                follower.read(signal, self.when, self.missed)
            }
            (None, _, _) => return Err(Absence::NotFed),
        };
        if value.is_finite() { Ok(value) } else { Err(Absence::NotFinite) }
    }
}

/// A signal that runs.
#[derive(Debug)]
pub(super) struct Follower {
    load: Load,
    count: f64,
    /// When it was last read, in milliseconds since the beginning.
    read_ms: u64,
}

impl Follower {
    /// The signals among what feeds the indicators of guest number `index`.
    pub(super) fn all(feeds: &[Option<Feed>], seed: Seed, index: u32) -> Vec<Option<Self>> {
        // Each indicator of each guest draws by itself, and none as the guests' loads do.
        let seed = Seed(seed.stream("signal", index.into()).bits());
        let follower = |(feed, indicator): (&Option<Feed>, u32)| match feed {
            Some(Feed::Follows(signal)) => {
                let load =
                    Load::new(&signal.load, seed, indicator).expect("a sound scenario's signals are sound");
                Some(Self { load, count: 0.0, read_ms: 0 })
            }
            _ => None,
        };
        if feeds.iter().all(|feed| !matches!(feed, Some(Feed::Follows(_)))) {
            return Vec::new();
        }
        feeds.iter().zip(0..).map(follower).collect()
    }

    fn read(&mut self, signal: &Signal, when: When, missed: f64) -> f64 {
        let value = self.load.at(when) + signal.strain * missed;
        if !signal.counts {
            return value;
        }
        let elapsed_s = when.since.millis().saturating_sub(self.read_ms) as f64 / 1_000.0;
        self.read_ms = when.since.millis();
        self.count += value.max(0.0) * elapsed_s;
        // A counter counts whole things.
        libm::floor(self.count)
    }

    /// The service starts anew, and with it the count.
    pub(super) fn restart(&mut self) {
        self.count = 0.0;
    }
}

/// Tells a guest the name of the host that it is on.
pub(super) struct Whereabouts<'a> {
    pub(super) name: Option<&'a str>,
}

impl Locator for Whereabouts<'_> {
    fn locate(&mut self) -> Option<String> {
        self.name.map(str::to_owned)
    }
}
