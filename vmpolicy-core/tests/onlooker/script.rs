//! A random world: what happens next, as data, played to an engine under the eyes of the checker.

use crate::policies;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::ops::Range;
use vmpolicy_core::checker::{Checker, Violation};
use vmpolicy_core::id::{ArrayId, HostId, Id, IndicatorId, QueueId, RequestId};
use vmpolicy_core::input::{Absence, Hook, HookEnd, Hooked, Notice, Outcome, Reading, Setup, Sighting, Word};
use vmpolicy_core::time::{Mono, Now, Span, Wall};
use vmpolicy_core::{Effect, Engine, Input, Output};

/// What happens next.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Time passes until the deadline, or so many milliseconds more or less.
    Deadline(i64),
    /// Time passes.
    Wait(u64),
    /// Everything that was probed answers.
    Answer(Result<f64, Absence>),
    /// Everything is probed and answers for a while, with this value.
    Well(u64, f64),
    /// Somebody says a number that nobody asked for, taken so long ago.
    Unasked(u16, f64, u64),
    Outcome(Outcome),
    StaleOutcome(Outcome),
    /// A locator sees the target of the open request, its source, or another host.
    SeenAtTarget,
    SeenAtSource,
    Seen(Sighting),
    Notice(u16, Notice, u64),
    Ranking(Vec<u16>, u64),
    Operator(Word),
    Batch(u32, u32),
    JobDone,
    /// A hook was run on this host, before it was left or on arrival.
    Hook(u16, bool),
    Start,
    /// The wall clock alone goes on.
    Jump(i64),
    Reload(usize),
}

fn values() -> impl Strategy<Value = f64> {
    prop_oneof![Just(80.0), Just(80.0), Just(0.0), Just(20.0)]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    use Outcome::{Accepted, Confirmed, Failed, Refused, Unanswered};
    prop::sample::select(vec![Accepted, Confirmed, Confirmed, Refused, Failed, Unanswered])
}

fn sightings() -> impl Strategy<Value = Sighting> {
    prop_oneof![
        4 => (0_usize..6).prop_map(|host| Sighting::At(HostId::from_index(host))),
        1 => Just(Sighting::Elsewhere),
        1 => Just(Sighting::Unknown),
    ]
}

fn words() -> impl Strategy<Value = Word> {
    prop_oneof![
        Just(Word::Hold(None)),
        Just(Word::Hold(Some(Span::from_mins(3)))),
        Just(Word::Resume),
        Just(Word::Resume),
        (0_usize..4).prop_map(|host| Word::Move(HostId::from_index(host))),
        Just(Word::Abandon),
    ]
}

fn lasting() -> impl Strategy<Value = u64> {
    prop::sample::select(vec![0, 1_000, 120_000, 900_000])
}

/// A random world of so many acts.
pub(crate) fn acts(len: Range<usize>) -> impl Strategy<Value = Vec<Act>> {
    let notices =
        prop::sample::select(vec![Notice::Drain, Notice::Drain, Notice::Down, Notice::Up, Notice::Withdrawn]);
    let act = prop_oneof![
        12 => prop::sample::select(vec![0, 0, 0, 0, 1, 7_000, -1]).prop_map(Act::Deadline),
        2 => prop::sample::select(vec![0, 1, 1_000, 20_000, 59_999, 130_000, 3_600_000]).prop_map(Act::Wait),
        10 => prop_oneof![9 => values().prop_map(Ok), 1 => Just(Err(Absence::Missing)), 1 => Just(Ok(f64::NAN))]
            .prop_map(Act::Answer),
        6 => (1_u64..8, values()).prop_map(|(minutes, value)| Act::Well(minutes * 60_000, value)),
        1 => (0_u16..3, values(), lasting()).prop_map(|(i, value, ago)| Act::Unasked(i, value, ago)),
        6 => outcomes().prop_map(Act::Outcome),
        1 => outcomes().prop_map(Act::StaleOutcome),
        3 => Just(Act::SeenAtTarget),
        3 => Just(Act::SeenAtSource),
        1 => sightings().prop_map(Act::Seen),
        1 => (0_u16..7, notices, lasting()).prop_map(|(host, notice, lasts)| Act::Notice(host, notice, lasts)),
        1 => (prop::collection::vec(0_u16..4, 0..4), lasting()).prop_map(|(order, lasts)| Act::Ranking(order, lasts)),
        1 => words().prop_map(Act::Operator),
        2 => (0_u32..4, 0_u32..4).prop_map(|(big, small)| Act::Batch(big, small)),
        3 => Just(Act::JobDone),
        1 => (0_u16..5, any::<bool>()).prop_map(|(host, left)| Act::Hook(host, left)),
        1 => Just(Act::Start),
        1 => prop::sample::select(vec![-5_000, 1_900, 2_100, 600_000, 20_000_000]).prop_map(Act::Jump),
        1 => (0..policies::ALL).prop_map(Act::Reload),
    ];
    prop::collection::vec(act, len)
}

/// An engine, the checker, and what is out.
pub(crate) struct Script {
    pub(crate) engine: Engine,
    pub(crate) checker: Checker,
    pub(crate) asked: usize,
    setup: Setup,
    now: Now,
    out: Output,
    probes: VecDeque<(IndicatorId, Mono)>,
    total: f64,
    jobs_left: u32,
}

impl Script {
    pub(crate) fn new(which: usize, locates: bool, resends: bool) -> Self {
        let policy = policies::policy(which);
        let setup = Setup { at: Some(HostId::from_index(0)), locates, resends };
        Self {
            engine: Engine::new(policy.clone(), setup),
            checker: Checker::new(policy, setup),
            asked: 0,
            setup,
            // A Wednesday, five to nine in the morning in Oslo.
            now: Now { mono: Mono(1_000_000), wall: Wall::from_secs(1_241_592_900) },
            out: Output::default(),
            probes: VecDeque::new(),
            total: 0.0,
            jobs_left: 0,
        }
    }

    fn step(&mut self, input: &Input) -> Result<(), Violation> {
        self.engine.step(self.now, input, &mut self.out);
        self.checker.observe(self.now, input, &self.out)?;
        if matches!(input, Input::Start(_)) {
            self.probes.clear();
        }
        for effect in &self.out.effects {
            match effect {
                Effect::Probe(indicator) => self.probes.push_back((*indicator, self.now.mono)),
                Effect::Request(request) if !request.resent => self.asked += 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now.plus(Span::from_millis(ms));
    }

    /// A counter for deltas and rates, a gauge for gauges.
    fn value(&mut self, indicator: IndicatorId, value: f64) -> f64 {
        let gauge = self.engine.policy().indicators().row(indicator).is_none_or(|i| !i.read.needs_baseline());
        if gauge {
            return value;
        }
        self.total += value;
        self.total
    }

    fn answer(&mut self, value: Result<f64, Absence>) -> Result<(), Violation> {
        while let Some((indicator, taken)) = self.probes.pop_front() {
            let value = value.map(|value| self.value(indicator, value));
            self.step(&Input::Reading(Reading { indicator, taken, value }))?;
        }
        Ok(())
    }

    fn reach_deadline(&mut self, off_ms: i64, until: Mono) -> bool {
        let Some(deadline) = self.out.deadline else { return false };
        let at = deadline.at.shifted(off_ms).max(self.now.mono);
        if at > until {
            return false;
        }
        self.wait(at.since(self.now.mono).millis());
        true
    }

    /// Everything works for a while: probes answer with this value, moves are carried out, locators see.
    pub(crate) fn run_well(&mut self, ms: u64, value: f64) -> Result<(), Violation> {
        let until = self.now.mono.plus(Span::from_millis(ms));
        while self.reach_deadline(0, until) {
            self.step(&Input::Tick)?;
            self.well(value)?;
        }
        let rest = until.since(self.now.mono).millis();
        self.wait(rest);
        Ok(())
    }

    fn well(&mut self, value: f64) -> Result<(), Violation> {
        self.answer(Ok(value))?;
        if let Some(open) = self.engine.open_request() {
            self.step(&Input::Outcome { id: open.id, outcome: Outcome::Accepted })?;
            self.step(&Input::Location(Sighting::At(open.to)))?;
            self.answer(Ok(value))?;
        }
        Ok(())
    }

    /// Nobody holds, drains, refuses or hides anything any more.
    pub(crate) fn faults_stop(&mut self) -> Result<(), Violation> {
        self.step(&Input::Operator(Word::Resume))?;
        for host in 0..4 {
            let host = HostId::from_index(host);
            self.step(&Input::Notice { host, notice: Notice::Up, lasts: Span::ZERO })?;
        }
        if self.engine.location().is_none() && self.engine.open_request().is_none() {
            self.step(&Input::Location(Sighting::At(HostId::from_index(0))))?;
        }
        Ok(())
    }

    pub(crate) fn play(&mut self, act: &Act) -> Result<(), Violation> {
        let open = self.engine.open_request();
        match act {
            Act::Deadline(off) => {
                if self.reach_deadline(*off, Mono(i64::MAX)) {
                    self.step(&Input::Tick)?;
                }
                Ok(())
            }
            Act::Wait(ms) => {
                self.wait(*ms);
                self.step(&Input::Tick)
            }
            Act::Answer(value) => self.answer(*value),
            Act::Well(ms, value) => self.run_well(*ms, *value),
            Act::Unasked(indicator, value, ago) => {
                let indicator = IndicatorId::from_index(usize::from(*indicator));
                let value = Ok(self.value(indicator, *value));
                let taken = self.now.mono.shifted(-i64::try_from(*ago).unwrap_or(0));
                self.step(&Input::Reading(Reading { indicator, taken, value }))
            }
            Act::Outcome(outcome) => match open {
                Some(open) => self.step(&Input::Outcome { id: open.id, outcome: *outcome }),
                None => Ok(()),
            },
            Act::StaleOutcome(outcome) => {
                let id = RequestId(self.asked.saturating_sub(1) as u64);
                self.step(&Input::Outcome { id, outcome: *outcome })
            }
            Act::SeenAtTarget | Act::SeenAtSource => {
                let Some(open) = open else { return Ok(()) };
                let at = if matches!(act, Act::SeenAtTarget) { open.to } else { open.from };
                self.step(&Input::Location(Sighting::At(at)))
            }
            Act::Seen(sighting) => self.step(&Input::Location(*sighting)),
            Act::Notice(host, notice, lasts) => self.step(&Input::Notice {
                host: HostId::from_index(usize::from(*host)),
                notice: *notice,
                lasts: Span::from_millis(*lasts),
            }),
            Act::Ranking(order, lasts) => self.step(&Input::Ranking {
                array: ArrayId::from_index(0),
                order: order.iter().map(|host| HostId::from_index(usize::from(*host))).collect(),
                lasts: Span::from_millis(*lasts),
            }),
            Act::Operator(word) => self.step(&Input::Operator(*word)),
            Act::Batch(big, small) => {
                self.jobs_left = big + small;
                self.step(&Input::Batch {
                    queue: QueueId::from_index(0),
                    classes: vec![*big, *small],
                    others: 0,
                })
            }
            Act::Hook(host, left) => {
                let hook = if *left { Hook::BeforeLeaving } else { Hook::OnArrival };
                let host = Some(HostId::from_index(usize::from(*host)));
                let hooked =
                    Hooked { hook, id: None, host, ended: HookEnd::Exit(0), took: Span::from_secs(1) };
                self.step(&Input::Hook(hooked))
            }
            Act::JobDone => self.step(&Input::JobDone { queue: QueueId::from_index(0) }),
            Act::Start => self.step(&Input::Start(self.setup)),
            Act::Jump(by_ms) => {
                self.now.wall = self.now.wall.shifted(*by_ms);
                self.step(&Input::Tick)
            }
            Act::Reload(which) => self.step(&Input::Policy(policies::policy(*which))),
        }
    }
}
