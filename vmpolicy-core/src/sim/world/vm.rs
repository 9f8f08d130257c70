//! A guest that has a policy: its daemon, and what can go wrong with it.

use super::ports::Follower;
use crate::agent::{Driver, Effects, Journal, StateStore};
use crate::backtest::{Summary, polls_are_enough};
use crate::checker::{Checker, Violation};
use crate::engine::{Engine, Saved};
use crate::id::{HostId, IndicatorId};
use crate::input::{Absence, Input, Setup};
use crate::output::{Effect, Output};
use crate::policy::Policy;
use crate::sim::chance::Seed;
use crate::sim::scenario::Managed;
use crate::tally::Tally;
use crate::time::{Mono, Now, Span, Wall};
use core::convert::Infallible;
use std::sync::Arc;

/// The disk of a guest: the state, where it may be needed again.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// Whether this guest's daemon may ever start anew.
    pub(super) keeps: bool,
    pub(super) saved: Option<Box<Saved>>,
    /// Whether something was written since somebody looked.
    fresh: bool,
}

impl StateStore for Disk {
    type Error = Infallible;

    #[inline]
    fn save(&mut self, engine: &Engine) -> Result<(), Infallible> {
        if self.keeps {
            self.saved = Some(Box::new(engine.save()));
            self.fresh = true;
        }
        Ok(())
    }
}

/// Records are read from the last output, so there is nothing to keep.
#[derive(Debug, Default)]
pub(super) struct Notes;

impl Journal for Notes {
    type Error = Infallible;

    fn take(&mut self, _: &Policy, _: &Output) {}

    fn is_waiting(&self) -> bool {
        false
    }

    fn write(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// What the daemon wants done, until the world does it.
#[derive(Debug, Default)]
pub(super) struct Wants {
    pub(super) effects: Vec<Effect>,
    pub(super) adopted: bool,
}

impl Effects for Wants {
    #[inline]
    fn carry_out(&mut self, _: Now, _: &Policy, effect: Effect) {
        self.effects.push(effect);
    }

    fn adopted(&mut self, _: &Arc<Policy>) {
        self.adopted = true;
    }
}

/// What keeps a guest from taking part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing.
    Up,
    /// The hypervisor has stopped it.
    Paused {
        /// Since when.
        since: Mono,
        /// Until when.
        until: Mono,
    },
    /// Its daemon is dead; the service runs.
    DaemonDown,
    /// It is off.
    Off,
}

/// What is wrong with its probes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Probing {
    pub(super) hangs: u32,
    pub(super) fails: Option<(u32, Absence)>,
    pub(super) lies: Option<(u32, f64)>,
    pub(super) locator_fails: u32,
}

/// A guest with a policy.
#[derive(Debug)]
pub(super) struct Vm {
    pub(super) driver: Driver<Disk, Notes, Wants>,
    pub(super) checker: Option<Box<Watching>>,
    pub(super) tally: Tally,
    pub(super) managed: Managed,
    /// By the policy's indicators: what follows a load of its own.
    pub(super) signals: Vec<Option<Follower>>,
    /// What it will be managed by when the engine takes the policy that it was handed.
    pub(super) handed: Option<Managed>,
    /// Which run of the daemon, and which policy of it, answers are for.
    pub(super) run: u32,
    /// How often it was switched on.
    pub(super) power_on: u32,
    pub(super) phase: Phase,
    pub(super) probing: Probing,
    /// How far its monotonic clock is behind the world's time, in milliseconds.
    pub(super) behind_ms: i64,
    /// How far its wall clock is ahead of the right one, in milliseconds.
    pub(super) wall_ahead_ms: i64,
    /// Whether a poll may be handed in without a tick before it.
    pub(super) polls_are_enough: bool,
    /// Whether its daemon was told, when it started, that one id sent twice starts one move only.
    pub(super) resends: bool,
    /// The highest number of a request of its that started a move.
    pub(super) last_started: u64,
}

/// The onlooker, and what it knew when the state was last written.
#[derive(Debug)]
pub(super) struct Watching {
    pub(super) now: Checker,
    pub(super) at_save: Option<Checker>,
}

impl Vm {
    /// A guest that is switched on, with a daemon that has not started; its engine is as `model`, but new.
    pub(super) fn new(
        model: &Engine,
        managed: Managed,
        at: Option<HostId>,
        checks: bool,
        keeps: bool,
    ) -> Self {
        let setup = Setup { at, ..Setup::default() };
        let policy = model.policy();
        let watching = || {
            let now = Checker::new(Arc::clone(policy), setup);
            Box::new(Watching { now, at_save: None })
        };
        let disk = Disk { keeps, ..Disk::default() };
        Self {
            driver: Driver::new(model.another(setup), disk, Notes, Wants::default()),
            checker: checks.then(watching),
            tally: Tally::new(policy, only_indicator(policy), at),
            signals: Vec::new(),
            managed,
            handed: None,
            run: 0,
            power_on: 0,
            phase: Phase::Up,
            probing: Probing::default(),
            behind_ms: 0,
            wall_ahead_ms: 0,
            polls_are_enough: polls_are_enough(policy),
            resends: false,
            last_started: 0,
        }
    }

    /// The engine has taken the policy that it was handed.
    pub(super) fn adopt(&mut self, at: Mono, seed: Seed, index: u32) {
        let Some(managed) = self.handed.take() else { return };
        self.signals = Follower::all(&managed.feeds, seed, index);
        self.managed = managed;
        let engine = self.driver.engine();
        self.tally.adopt(at, engine.policy(), only_indicator(engine.policy()), engine);
        self.polls_are_enough = polls_are_enough(engine.policy());
    }

    /// The daemon ends in good order, and writes its state.
    pub(super) fn write_state(&mut self) {
        self.driver.store_mut().keeps = true;
        self.driver.store_mut().saved = Some(Box::new(self.driver.engine().save()));
        if let Some(watching) = &mut self.checker {
            watching.at_save = Some(watching.now.clone());
        }
    }

    /// What it came to.
    pub(super) fn summary(self, span: (Wall, Wall)) -> Summary {
        self.tally.finish(self.driver.engine(), span, Span::ZERO)
    }

    /// The guest's own clocks at this time of the world.
    #[inline]
    pub(super) const fn now(&self, start: Wall, at: Mono) -> Now {
        Now { mono: Mono(at.0 - self.behind_ms), wall: start.shifted(at.0 + self.wall_ahead_ms) }
    }

    /// The daemon takes an input, and the onlooker watches.
    #[inline]
    pub(super) fn handle(&mut self, now: Now, input: &Input) -> Result<(), Violation> {
        self.driver.handle(now, input);
        if let Some(watching) = &mut self.checker {
            watching.now.observe(now, input, self.driver.last_output())?;
            if std::mem::take(&mut self.driver.store_mut().fresh) {
                watching.at_save = Some(watching.now.clone());
            }
        }
        Ok(())
    }

    /// When its daemon wants to be called, in the world's time.
    #[inline]
    pub(super) fn wakes_at(&self) -> Option<Mono> {
        self.driver.wake_at().map(|at| at.shifted(self.behind_ms))
    }

    /// The daemon as it comes up from the state on disk, or anew where there is none.
    pub(super) fn reload_from_disk(&mut self, policy: &Arc<Policy>) {
        let saved = self.driver.store_mut().saved.take();
        let engine = saved.and_then(|saved| Engine::load(Arc::clone(policy), *saved).ok());
        let found = engine.is_some();
        let engine = engine.unwrap_or_else(|| Engine::new(Arc::clone(policy), Setup::default()));
        if let Some(watching) = &mut self.checker {
            match watching.at_save.take() {
                Some(then) if found => watching.now = then,
                _ => watching.now = Checker::new(Arc::clone(policy), Setup::default()),
            }
            watching.at_save = Some(watching.now.clone());
        }
        let saved = Some(Box::new(engine.save()));
        let disk = Disk { keeps: true, saved, fresh: false };
        self.driver = Driver::new(engine, disk, Notes, Wants::default());
        self.run += 1;
    }
}

/// The indicator that is polled, where there is only one.
fn only_indicator(policy: &Policy) -> Option<IndicatorId> {
    let mut ids = policy.indicators().ids();
    ids.next().filter(|_| ids.next().is_none())
}
