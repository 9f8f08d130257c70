//! A world around a guest: it answers effects plausibly most of the time, and otherwise does what goes
//! wrong in the field.

use super::Source;
use super::policy::{BACK_SECS, FORWARD_SECS, TestZones, policy_file, variant};
use crate::Policy;
use crate::id::{ArrayId, HostId, Id as _, IndicatorId, QueueId, RequestId};
use crate::input::{Absence, Hook, HookEnd, Hooked, Input, Notice, Outcome, Reading, Setup, Sighting, Word};
use crate::leaf::sample::Read;
use crate::output::{Effect, Event, Output, Request};
use crate::policy::{Condition, OnTimeout, PolicyFile};
use crate::time::{Mono, Now, Span, Wall};
use std::collections::VecDeque;
use std::sync::Arc;

/// The next thing that happens to an engine.
#[derive(Clone, Debug)]
pub enum Act {
    /// A step.
    Step(Now, Input),
    /// It is saved, and goes on from what was saved.
    SaveAndLoad,
}

/// Where the guest lives, as far as it is made of bytes.
#[derive(Clone, Debug)]
pub struct World {
    /// What it was made of, for changes.
    file: PolicyFile,
    policy: Arc<Policy>,
    /// The policy that was handed in last.
    handed: Arc<Policy>,
    setup: Setup,
    now: Now,
    deadline: Option<Mono>,
    /// Where the guest really is; none: on a host that the policy does not list.
    place: Option<HostId>,
    todo: VecDeque<(Mono, Effect)>,
    last_request: Option<Request>,
    counters: Vec<f64>,
    load_is_high: bool,
}

impl World {
    /// A world with its policy, out of bytes.
    ///
    /// # Panics
    ///
    /// Where a sound form is judged not to be: a bug.
    pub fn new(source: &mut Source<'_>) -> Self {
        let file = policy_file(source);
        let policy = file.build(&TestZones).expect("what is generated is sound");
        Self::around(source, file, policy.into())
    }

    /// A world around this policy.
    pub fn around(source: &mut Source<'_>, file: PolicyFile, policy: Arc<Policy>) -> Self {
        // Wednesday just before nine and before four, both clock changes, and nothing special.
        let wall_secs = source.pick(&[
            1_241_600_395,
            1_241_593_195,
            FORWARD_SECS - 7,
            BACK_SECS - 3_610,
            BACK_SECS - 7,
            0,
        ]);
        let wall = Wall::from_secs(wall_secs).shifted(i64::from(source.byte()));
        let host = HostId::from_index(source.below(policy.hosts().len()));
        let setup = Setup {
            at: (!source.chance(40)).then_some(host),
            locates: source.chance(128),
            resends: source.chance(128),
        };
        Self {
            counters: vec![0.0; policy.indicators().len()],
            place: Some(host),
            now: Now { mono: Mono(i64::from(source.byte()) * 1_000), wall },
            deadline: None,
            todo: VecDeque::new(),
            last_request: None,
            load_is_high: true,
            handed: Arc::clone(&policy),
            file,
            policy,
            setup,
        }
    }

    /// The policy that the guest starts with.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// What the guest starts with.
    #[must_use]
    pub const fn setup(&self) -> Setup {
        self.setup
    }

    /// Takes in what a step said.
    pub fn heed(&mut self, output: &Output) {
        self.deadline = output.deadline.map(|deadline| deadline.at);
        for effect in &output.effects {
            if let Effect::Request(request) = effect {
                self.last_request = Some(*request);
            }
            self.todo.push_back((self.now.mono, *effect));
        }
        if output.records.iter().any(|record| matches!(record.event, Event::Reload { .. })) {
            let names: Vec<_> = self.policy.hosts().iter().map(|(_, host)| host.name.clone()).collect();
            self.policy = Arc::clone(&self.handed);
            self.place = self.place.and_then(|place| self.policy.host_named(names.get(place.index())?));
            self.counters.resize(self.policy.indicators().len(), 0.0);
        }
    }

    /// What happens next; none where the bytes have run out.
    pub fn act(&mut self, source: &mut Source<'_>) -> Option<Act> {
        if source.is_empty() {
            return None;
        }
        let what = source.byte();
        if what < 170 {
            return Some(self.plausible(source, what));
        }
        if what >= 250 {
            return Some(Act::SaveAndLoad);
        }
        self.wait(source);
        let input = self.fault(source, what);
        Some(Act::Step(self.now, input))
    }

    /// Some time passes: none, a little, up to the deadline, or more than planned.
    fn wait(&mut self, source: &mut Source<'_>) {
        let to_deadline = self.deadline.map_or(1_000, |at| at.since(self.now.mono).millis());
        let millis = match source.below(8) {
            0..=2 => 0,
            3 | 4 => u64::from(source.byte()) * 10,
            5 | 6 => to_deadline,
            _ => to_deadline + u64::from(source.byte()) * 100,
        };
        self.now = self.now.plus(Span::from_millis(millis.min(100_000_000)));
    }

    /// An answer to what is to be done or, where there is nothing, the deadline.
    fn plausible(&mut self, source: &mut Source<'_>, what: u8) -> Act {
        if what < 20 {
            self.load_is_high = !self.load_is_high;
        }
        let Some((asked, effect)) = self.todo.pop_front() else {
            let gone = self.deadline.map_or(Span::from_secs(1), |at| at.since(self.now.mono));
            self.now = self.now.plus(Span::from_millis(gone.millis().min(100_000_000)));
            return Act::Step(self.now, Input::Tick);
        };
        if what > 140 {
            self.now = self.now.plus(Span::from_millis(u64::from(source.byte()) * 4));
        }
        let input = match effect {
            Effect::Probe(indicator) => self.reading(source, indicator, asked),
            Effect::Request(request) => return self.actuate(source, request),
            Effect::Locate => Input::Location(self.sighting()),
            Effect::Claim(queue) => self.batch(source, queue),
            Effect::Run { queue, .. } => Input::JobDone { queue },
        };
        Act::Step(self.now, input)
    }

    fn sighting(&self) -> Sighting {
        self.place.map_or(Sighting::Elsewhere, Sighting::At)
    }

    fn actuate(&mut self, source: &mut Source<'_>, request: Request) -> Act {
        let outcome = match source.below(10) {
            0..=4 => Outcome::Accepted,
            5 | 6 => Outcome::Confirmed,
            7 => Outcome::Refused,
            8 => Outcome::Failed,
            _ => Outcome::Unanswered,
        };
        let moves = match outcome {
            Outcome::Accepted | Outcome::Confirmed => !source.chance(50),
            Outcome::Refused => false,
            Outcome::Failed | Outcome::Unanswered => source.chance(70),
        };
        if moves {
            self.place = Some(request.to);
        }
        Act::Step(self.now, Input::Outcome { id: request.id, outcome })
    }

    fn reading(&mut self, source: &mut Source<'_>, indicator: IndicatorId, asked: Mono) -> Input {
        let number = indicator.index() % self.counters.len().max(1);
        let Some(form) = self.policy.indicators().row(IndicatorId::from_index(number)) else {
            return Input::Tick;
        };
        let mut thresholds = Vec::new();
        self.policy
            .rules()
            .iter()
            .for_each(|(_, rule)| thresholds_of(&rule.when, indicator, &mut thresholds));
        let threshold = if thresholds.is_empty() { 50.0 } else { source.pick(&thresholds) };
        let above = match source.below(16) {
            // So often that whole tarries are made of it.
            3..=7 if form.timeout == OnTimeout::Breach => {
                return Input::Reading(Reading { indicator, taken: asked, value: Err(Absence::TimedOut) });
            }
            0 => 0.0,
            1 => -1.0,
            2 => 1.0,
            _ if self.load_is_high => 7.0,
            _ => -60.0,
        };
        let (read, every) = (form.read, form.every);
        let value = match read {
            Read::Gauge => threshold + above,
            Read::Delta => {
                self.counters[number] += f64::max(threshold + above, 0.0);
                self.counters[number]
            }
            Read::Rate => {
                self.counters[number] += f64::max(threshold + above, 0.0) * every.as_secs_f64();
                self.counters[number]
            }
        };
        Input::Reading(Reading { indicator, taken: asked, value: Ok(value) })
    }

    fn batch(&mut self, source: &mut Source<'_>, queue: QueueId) -> Input {
        let classes = vec![source.below(4) as u32, source.below(3) as u32];
        Input::Batch { queue, classes, others: u32::from(source.chance(60)) }
    }

    fn any_host(&self, source: &mut Source<'_>) -> HostId {
        // One more than there are.
        HostId::from_index(source.below(self.policy.hosts().len() + 1))
    }

    /// What goes wrong, and what comes unasked.
    fn fault(&mut self, source: &mut Source<'_>, what: u8) -> Input {
        let lasts = source.pick(&[Span::from_secs(10), Span::from_secs(3), Span::from_hours(1), Span::ZERO]);
        let indicator = IndicatorId::from_index(source.below(self.policy.indicators().len() + 1));
        match what {
            170..=174 => {
                // A restart, perhaps with a new monotonic clock, perhaps after a while.
                if source.chance(100) {
                    self.now.mono = Mono(i64::from(source.byte()));
                }
                if source.chance(100) {
                    self.now.wall = self.now.wall.shifted(i64::from(source.byte()) * 1_000);
                }
                self.todo.clear();
                if source.chance(40) {
                    self.setup.locates = !self.setup.locates;
                }
                if source.chance(40) {
                    self.setup.resends = !self.setup.resends;
                }
                Input::Start(self.setup)
            }
            175..=179 => {
                self.now.wall =
                    self.now.wall.shifted(source.pick(&[600_000, -600_000, 2_001, 2_000, -1_500]));
                Input::Tick
            }
            180 => {
                self.now.mono = self.now.mono.shifted(-i64::from(source.byte()) * 50);
                Input::Tick
            }
            181..=187 => {
                // The guest is moved by somebody, who may or may not be seen.
                let host = self.any_host(source);
                self.place = self.policy.hosts().row(host).map(|_| host);
                if source.chance(200) { Input::Location(self.sighting()) } else { Input::Tick }
            }
            188..=190 => Input::Location(source.pick(&[Sighting::Unknown, Sighting::Elsewhere])),
            191..=199 => {
                self.drop_probe(indicator);
                let why = source.pick(&Absence::ALL);
                Input::Reading(Reading { indicator, taken: self.now.mono, value: Err(why) })
            }
            200..=204 => {
                self.drop_probe(indicator);
                let value = source.pick(&[f64::NAN, f64::INFINITY, -1e300, 1e300, -0.0]);
                Input::Reading(Reading { indicator, taken: self.now.mono, value: Ok(value) })
            }
            205..=207 => {
                self.counters.fill(0.0);
                self.reading(source, indicator, self.now.mono)
            }
            208..=212 => {
                let taken = self.now.mono.shifted((i64::from(source.byte()) - 200) * 50);
                self.reading(source, indicator, taken)
            }
            213..=218 => {
                let notice =
                    source.pick(&[Notice::Drain, Notice::Drain, Notice::Down, Notice::Up, Notice::Withdrawn]);
                let host = match self.place {
                    Some(place) if source.chance(128) => place,
                    _ => self.any_host(source),
                };
                Input::Notice { host, notice, lasts }
            }
            219..=222 => {
                let array = ArrayId::from_index(source.below(self.policy.arrays().len() + 1));
                let order = (0..source.below(5)).map(|_| self.any_host(source)).collect();
                Input::Ranking { array, order, lasts }
            }
            223..=225 => self.batch(source, QueueId::from_index(0)),
            226 => Input::JobDone { queue: QueueId::from_index(source.below(2)) },
            227..=231 => Input::Operator(match source.below(6) {
                0 => Word::Hold(None),
                1 => Word::Hold(Some(lasts.max(Span::from_secs(1)))),
                2 | 3 => Word::Resume,
                4 => Word::Move(self.any_host(source)),
                _ => Word::Abandon,
            }),
            232..=236 => {
                let file = if source.chance(60) { self.file.clone() } else { variant(&self.file, source) };
                if let Ok(policy) = file.build(&TestZones) {
                    self.handed = Arc::new(policy);
                }
                Input::Policy(Arc::clone(&self.handed))
            }
            237..=242 => {
                let last = self.last_request.map_or(RequestId(1), |request| request.id);
                let id = if source.chance(60) { RequestId(last.0.saturating_sub(1)) } else { last };
                let outcome = source.pick(&[
                    Outcome::Confirmed,
                    Outcome::Accepted,
                    Outcome::Failed,
                    Outcome::Refused,
                    Outcome::Unanswered,
                ]);
                Input::Outcome { id, outcome }
            }
            247..=248 => Input::Hook(Hooked {
                hook: source.pick(&[Hook::OnArrival, Hook::BeforeLeaving]),
                id: source.pick(&[None, Some(RequestId(7))]),
                // Sometimes one that the policy has not.
                host: Some(HostId::from_index(source.below(self.policy.hosts().len() + 1))),
                ended: source.pick(&[HookEnd::Exit(0), HookEnd::Exit(1), HookEnd::TimedOut, HookEnd::Lost]),
                took: lasts,
            }),
            // An answer that never comes.
            243..=246 => {
                self.todo.pop_front();
                Input::Tick
            }
            _ => Input::Tick,
        }
    }

    fn drop_probe(&mut self, indicator: IndicatorId) {
        if let Some(at) = self.todo.iter().position(|(_, effect)| *effect == Effect::Probe(indicator)) {
            self.todo.remove(at);
        }
    }
}

fn thresholds_of(condition: &Condition, of: IndicatorId, thresholds: &mut Vec<f64>) {
    match condition {
        Condition::Indicator { indicator, threshold, .. } if *indicator == of => thresholds.push(*threshold),
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| thresholds_of(part, of, thresholds));
        }
        Condition::Not(part) => thresholds_of(part, of, thresholds),
        _ => {}
    }
}
