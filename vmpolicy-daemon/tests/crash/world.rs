//! A guest, its manager and its daemon, in simulated time: the daemon's own driver, state, records and way of beginning on a
//! disk that fails, and a manager that keeps count of what it is asked.

use crate::disk::Fallible;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use vmpolicy_core::agent::Effects;
use vmpolicy_core::file::LocatorSpec;
use vmpolicy_core::id::{HostId, RequestId};
use vmpolicy_core::input::{Outcome, Reading, Setup, Sighting, Word};
use vmpolicy_core::time::{Mono, Now, Wall};
use vmpolicy_core::{Effect, Input, Policy};
use vmpolicy_daemon::agent::{Driver, Identity, Lines};
use vmpolicy_daemon::config::Config;
use vmpolicy_daemon::daemon::restore::{Trust, restore};
use vmpolicy_daemon::journal::Journal;
use vmpolicy_daemon::kept::Kept;
use vmpolicy_daemon::store::{Kind, Store};
use vmpolicy_daemon::zones::SystemZones;

pub(crate) const STATE: &str = "/state/state";
pub(crate) const RECORDS: &str = "/log/records";

/// Whether somebody sees where the guest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sight {
    /// A locator does.
    Looks,
    /// Moves are believed.
    Believes,
}

/// As the daemon reads it, and once.
fn config(sight: Sight) -> Config {
    static READ: [OnceLock<Config>; 2] = [const { OnceLock::new() }; 2];
    READ[usize::from(sight == Sight::Believes)].get_or_init(|| read_config(sight)).clone()
}

fn read_config(sight: Sight) -> Config {
    let locator = match sight {
        Sight::Looks => "{ file: { path: /nowhere }, every: 1m }",
        Sight::Believes => "{ assume: mln1 }",
    };
    let text = format!(
        "version: 1
guest: nii3
arrays: {{ oslo: {{ hosts: [mln1, mln2, mln3], base: mln4 }} }}
indicators: {{ x: {{ probe: {{ file: /nowhere }}, every: 10s }} }}
rules: [{{ name: overloaded, when: x > 5, tarry: 2, do: move }}]
moves: {{ settle: 10s, confirm_within: 2m, bar: 20s, at_most: 1000 per 1h, tour: keep-going }}
actuator: {{ exec: {{ argv: [/nowhere] }} }}
locator: {locator}
"
    );
    read(&text)
}

/// A policy file, as the daemon reads it.
pub(crate) fn read(text: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    std::fs::write(&path, text).unwrap();
    Config::read(&path, &SystemZones::default()).unwrap()
}

/// What the manager makes of its n-th request; all the later ones are as the first.
fn answer(nth: usize) -> Answer {
    match nth {
        1 => Answer { says: Outcome::Refused, after: 1_000, arrives: None },
        2 => Answer { says: Outcome::Unanswered, after: 30_000, arrives: Some(40_000) },
        3 => Answer { says: Outcome::Accepted, after: 1_000, arrives: None },
        _ => Answer { says: Outcome::Accepted, after: 1_000, arrives: Some(5_000) },
    }
}

struct Answer {
    says: Outcome,
    after: i64,
    /// When the guest arrives, if it leaves.
    arrives: Option<i64>,
}

/// What was asked of the manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) id: u64,
    pub(crate) from: HostId,
    pub(crate) to: HostId,
    /// Where the guest really was.
    pub(crate) at: HostId,
    /// Whether an earlier one was under way still.
    pub(crate) beside_another: bool,
    /// What the wall clock said.
    pub(crate) wall: i64,
}

#[derive(Clone, Debug, PartialEq)]
enum Coming {
    /// What a life of the daemon waits for. Another life does not hear it.
    Input(u32, Input),
    Look(u32),
    Arrival(u64, HostId),
}

/// All but the daemon.
#[derive(Clone, Debug)]
struct Outside {
    disk: Fallible,
    /// Milliseconds since the world began.
    time: i64,
    wall: i64,
    life: u32,
    at: HostId,
    asked: Vec<Asked>,
    coming: BTreeMap<(i64, u64), Coming>,
    numbered: u64,
    probed: u64,
}

impl Outside {
    fn later(&mut self, after: i64, coming: Coming) {
        self.numbered += 1;
        self.coming.insert((self.time + after, self.numbered), coming);
    }

    fn under_way(&self) -> Option<u64> {
        self.coming.values().find_map(|coming| match coming {
            Coming::Arrival(id, _) => Some(*id),
            _ => None,
        })
    }
}

/// The daemon's hands.
struct Hands(Rc<RefCell<Outside>>);

impl Effects for Hands {
    fn carry_out(&mut self, now: Now, _: &Policy, effect: Effect) {
        let mut outside = self.0.borrow_mut();
        let life = outside.life;
        match effect {
            Effect::Probe(indicator) => {
                outside.probed += 1;
                let reading = Reading { indicator, taken: now.mono, value: Ok(9.0) };
                outside.later(100, Coming::Input(life, Input::Reading(reading)));
            }
            Effect::Locate => outside.later(50, Coming::Look(life)),
            Effect::Request(request) => {
                let disk = outside.disk.clone();
                let was_alive = !disk.is_dead();
                if !was_alive || !disk.asks() {
                    return;
                }
                let beside_another = outside.under_way().is_some();
                let (from, to, at) = (request.from, request.to, outside.at);
                let wall = outside.wall + outside.time;
                outside.asked.push(Asked { id: request.id.0, from, to, at, beside_another, wall });
                let answer = answer(outside.asked.len() - 1);
                let input = Input::Outcome { id: request.id, outcome: answer.says };
                outside.later(answer.after, Coming::Input(life, input));
                if let Some(after) = answer.arrives {
                    outside.later(after, Coming::Arrival(request.id.0, to));
                }
            }
            Effect::Claim(_) | Effect::Run { .. } => panic!("there are no queues"),
        }
    }
}

type Daemon = Driver<Kept, Journal, Hands>;

/// Why a run stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Still {
    /// The daemon's process has ended.
    Dead,
    /// It could not begin.
    NoBeginning,
    /// What was waited for is so.
    So,
    /// The time is over.
    Late,
}

/// The world.
pub(crate) struct World {
    config: Config,
    sight: Sight,
    outside: Rc<RefCell<Outside>>,
    daemon: Option<Daemon>,
    /// The machine's monotonic clock began at this time.
    booted: i64,
    /// What the wall clock said when the world began, and by how much it was set since then.
    wall: i64,
    /// Of the beginning of this life.
    pub(crate) trust: Trust,
}

impl World {
    /// A guest on `mln1` whose daemon has not begun.
    pub(crate) fn new(sight: Sight, disk: Fallible) -> Self {
        Self::of(config(sight), sight, disk)
    }

    /// The same with another policy.
    pub(crate) fn of(config: Config, sight: Sight, disk: Fallible) -> Self {
        let at = config.policy.host_named("mln1").unwrap();
        let outside = Outside {
            disk,
            time: 0,
            wall: 1_700_000_000_000,
            life: 0,
            at,
            asked: Vec::new(),
            coming: BTreeMap::new(),
            numbered: 0,
            probed: 0,
        };
        let outside = Rc::new(RefCell::new(outside));
        Self {
            config,
            sight,
            outside,
            daemon: None,
            booted: -60_000,
            wall: 1_700_000_000_000,
            trust: Trust::Sound,
        }
    }

    /// The same world without its daemon, for another try; its disk is a copy, too.
    pub(crate) fn fork(&self) -> Self {
        let mut outside = self.outside.borrow().clone();
        outside.disk = outside.disk.copy();
        Self {
            config: self.config.clone(),
            sight: self.sight,
            outside: Rc::new(RefCell::new(outside)),
            daemon: None,
            booted: self.booted,
            wall: self.wall,
            trust: self.trust,
        }
    }

    pub(crate) fn disk(&self) -> Fallible {
        self.outside.borrow().disk.clone()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.outside.borrow().asked.clone()
    }

    pub(crate) fn at(&self) -> HostId {
        self.outside.borrow().at
    }

    pub(crate) fn time(&self) -> i64 {
        self.outside.borrow().time
    }

    pub(crate) fn probed(&self) -> u64 {
        self.outside.borrow().probed
    }

    pub(crate) fn under_way(&self) -> Option<u64> {
        self.outside.borrow().under_way()
    }

    pub(crate) fn open_request(&self) -> Option<RequestId> {
        self.daemon.as_ref().and_then(|daemon| daemon.engine().open_request()).map(|open| open.id)
    }

    pub(crate) fn location(&self) -> Option<HostId> {
        self.daemon.as_ref().and_then(|daemon| daemon.engine().location())
    }

    /// All that the rest of this world depends on, once its daemon is gone.
    pub(crate) fn rest(&self) -> String {
        let outside = self.outside.borrow();
        let coming: Vec<_> = (outside.coming.iter())
            .filter(|(_, coming)| matches!(coming, Coming::Arrival(..)))
            .map(|((at, _), coming)| (at, coming))
            .collect();
        format!("{} {} {:?} {:?} {coming:?}", outside.time, self.booted, outside.at, outside.asked)
    }

    fn now(&self) -> Now {
        let time = self.time();
        Now { mono: Mono(time - self.booted), wall: Wall(self.wall + time) }
    }

    /// The daemon is gone, and with it all that it had in memory.
    pub(crate) fn bury(&mut self) {
        self.daemon = None;
        self.outside.borrow_mut().life += 1;
    }

    /// The wall clock is set, by so much.
    pub(crate) fn set_wall(&mut self, by: i64) {
        self.wall += by;
        self.outside.borrow_mut().wall += by;
    }

    /// The wall clock says so when the world begins.
    pub(crate) fn starts(&mut self, wall: i64) {
        self.set_wall(wall - self.wall);
    }

    /// The hypervisor pauses the guest: its monotonic clock stands still, and nothing of it runs.
    pub(crate) fn pause(&mut self, millis: i64) {
        self.booted += millis;
        self.outside.borrow_mut().time += millis;
    }

    /// The machine is off: its clocks begin anew.
    pub(crate) fn power_off(&mut self) {
        self.booted = self.time();
    }

    /// As `vmpolicyd` begins a life.
    pub(crate) fn begin(&mut self) -> Still {
        self.bury();
        let disk = self.disk();
        let now = self.now();
        let begun =
            Store::open_on(Arc::new(disk.clone()), Path::new("/state"), &self.config.guest, Kind::Live);
        let Ok(store) = begun else { return self.failed() };
        let mut store = Kept::here(store);
        let Ok(journal) = Journal::file_on(Arc::new(disk.clone()), Path::new(RECORDS)) else {
            return self.failed();
        };
        let (mut engine, trust) = restore(&self.config, &mut store, now.wall);
        self.trust = trust;
        let hold = trust.or_longer(None, &self.config, store.kind());
        if let Some(Word::Hold(lasts)) = hold {
            engine.hold(now, lasts);
        }
        let assumed = match self.config.shell.locator.as_ref().map(|located| &located.value) {
            Some(LocatorSpec::Assume(host)) if trust == Trust::Sound => self.config.policy.host_named(host),
            _ => None,
        };
        let setup = Setup { at: assumed, locates: self.sight == Sight::Looks, resends: false };
        let identity = Identity { guest: self.config.guest.clone(), dry_run: false };
        let hands = Hands(Rc::clone(&self.outside));
        let mut daemon = Driver::new(engine, store, Lines::new(identity, journal), hands);
        if !disk.is_dead() {
            daemon.handle(now, &Input::Start(setup));
        }
        if let Some(word) = hold.filter(|_| !disk.is_dead()) {
            daemon.handle(now, &Input::Operator(word));
        }
        self.daemon = Some(daemon);
        if disk.is_dead() { Still::Dead } else { Still::So }
    }

    fn failed(&mut self) -> Still {
        self.bury();
        if self.disk().is_dead() { Still::Dead } else { Still::NoBeginning }
    }

    /// Time passes while no daemon runs.
    pub(crate) fn idle(&mut self, millis: i64) {
        let until = self.time() + millis;
        while let Some(time) = self.next_coming().filter(|time| *time <= until) {
            self.outside.borrow_mut().time = time;
            self.take_due();
        }
        self.outside.borrow_mut().time = until;
    }

    /// Runs until it is so, the daemon ends, or for so long.
    pub(crate) fn run(&mut self, millis: i64, mut is_so: impl FnMut(&Self) -> bool) -> Still {
        let until = self.time() + millis;
        let disk = self.disk();
        loop {
            if disk.is_dead() {
                return Still::Dead;
            }
            if is_so(self) {
                return Still::So;
            }
            let daemon = self.daemon.as_ref().expect("a daemon that has begun");
            let wake = daemon.wake_at().map(|at| (at.0 + self.booted).max(self.time()));
            // As the loop of the daemon: half a minute at most.
            let next = [self.next_coming(), wake].into_iter().flatten().min().unwrap_or(i64::MAX);
            let time = next.min(self.time() + 30_000);
            if time > until {
                self.outside.borrow_mut().time = until;
                return Still::Late;
            }
            self.outside.borrow_mut().time = time;
            let now = self.now();
            self.daemon.as_mut().expect("as above").retry(now);
            let input = if disk.is_dead() { None } else { self.take_due() };
            let daemon = self.daemon.as_mut().expect("as above");
            match input {
                _ if disk.is_dead() => {}
                Some(input) => daemon.handle(now, &input),
                None if daemon.is_due(now) || next > time => daemon.handle(now, &Input::Tick),
                // A deadline of the driver's own, or something that nobody hears.
                None => {}
            }
        }
    }

    fn next_coming(&self) -> Option<i64> {
        self.outside.borrow().coming.first_key_value().map(|((time, _), _)| *time)
    }

    /// What has come by now, where it is for the daemon of this life.
    fn take_due(&self) -> Option<Input> {
        let mut outside = self.outside.borrow_mut();
        let time = outside.time;
        let coming = outside.coming.first_entry().filter(|first| first.key().0 <= time)?.remove();
        match coming {
            Coming::Input(life, input) => (life == outside.life).then_some(input),
            Coming::Look(life) => {
                let seen = Input::Location(Sighting::At(outside.at));
                (life == outside.life).then_some(seen)
            }
            Coming::Arrival(_, to) => {
                outside.at = to;
                None
            }
        }
    }
}
