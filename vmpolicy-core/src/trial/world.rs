//! What is round the guest while a case runs: a provider, probes, queues, two clocks, and what happens to them.
//!
//! Time here is the case's own, in milliseconds since its start. It goes on while the machine stands still and while
//! the daemon is gone; the guest's clocks are made from it. All that is due at a moment happens in this order: what
//! the case says, then what arrives (outcomes, ends of jobs), then what the engine asked to be called for.

use super::case::{Answer, Case, Happening, Jobs, Told};
use super::run::Broken;
use crate::Engine;
use crate::checker::Checker;
use crate::id::{HostId, Id, RequestId};
use crate::input::{Absence, Input, Outcome, Reading, Setup, Sighting, Word};
use crate::output::{Effect, Output, Request};
use crate::policy::Policy;
use crate::time::{Mono, Now, Span};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// No case takes more steps: it would take a minute, and a test is to take none.
pub const MOST_STEPS: u64 = 2_000_000;

/// More steps than this at one moment, and the engine would never come to an end.
const MOST_STEPS_AT_ONCE: u32 = 100_000;

/// How long a notice or a ranking holds where the case does not say.
const NOTICE_LASTS: Span = Span::from_hours(24);

/// Who looks on.
pub(super) trait Onlooker {
    /// A step was taken.
    fn stepped(&mut self, at: Span, now: Now, input: &Input, engine: &Engine, output: &Output);
    /// What the case says has happened; by its number.
    fn happened(&mut self, at: Span, index: usize);
    /// All that belongs to a moment has happened.
    fn looks(&mut self, at: Span, now: Now, engine: &Engine);
}

/// What comes by itself.
#[derive(Clone, Debug)]
enum Coming {
    Happening(usize),
    /// The guest gets there.
    Arrival(String),
    Outcome(RequestId, Outcome),
    /// The running job of this queue ends.
    JobDone(String),
}

/// Why the guest takes no step now.
#[derive(Clone, Copy, Debug)]
enum Gone {
    /// It stands still.
    Paused,
    /// Its daemon is gone.
    Stopped,
}

pub(super) struct World<'a, L> {
    case: &'a Case,
    engine: Engine,
    checker: Checker,
    /// The policy that was handed in last; it may wait.
    handed: Arc<Policy>,
    out: Output,
    /// Milliseconds since the start.
    t: i64,
    stepped: bool,
    /// For how long the machine has stood still.
    paused_ms: i64,
    /// By how much the wall clock was set.
    wall_ms: i64,
    /// Where the guest really is.
    place: Option<String>,
    pending: VecDeque<Effect>,
    coming: BTreeMap<(i64, u64), Coming>,
    numbered: u64,
    gone: Option<(i64, Gone)>,
    /// How many requests went to each host of the answers, and to all others.
    asked: (Vec<usize>, usize),
    waiting: Vec<Jobs>,
    /// How long the jobs of the batch at hand take, by queue.
    each: BTreeMap<String, Span>,
    steps: u64,
    look: L,
}

impl<'a, L: Onlooker> World<'a, L> {
    pub(super) fn new(policy: &Arc<Policy>, case: &'a Case, look: L) -> Self {
        let setup = setup(policy, case);
        let mut world = Self {
            case,
            engine: Engine::new(Arc::clone(policy), setup),
            checker: Checker::new(Arc::clone(policy), setup),
            handed: Arc::clone(policy),
            out: Output::default(),
            t: 0,
            stepped: false,
            paused_ms: 0,
            wall_ms: 0,
            place: Some(case.at.clone()),
            pending: VecDeque::new(),
            coming: BTreeMap::new(),
            numbered: 0,
            gone: None,
            asked: (vec![0; case.answers.hosts.len()], 0),
            waiting: Vec::new(),
            each: BTreeMap::new(),
            steps: 0,
            look,
        };
        for (index, (at, _)) in case.happenings.iter().enumerate() {
            world.schedule(millis(*at), Coming::Happening(index));
        }
        world
    }

    /// Runs to the end, and looks on at these moments too, which ascend.
    pub(super) fn run(mut self, marks: &[Span]) -> Result<(L, u64), Broken> {
        let end = millis(self.case.lasts);
        let mut marks = marks.iter().map(|mark| millis(*mark)).peekable();
        let (mut last, mut at_once) = (-1, 0_u32);
        loop {
            let next = self.next().filter(|next| *next <= end);
            if let Some(mark) = marks.next_if(|mark| next.is_none_or(|next| *mark < next)) {
                self.look_on_at(mark);
                continue;
            }
            let Some(next) = next else { break };
            if next > self.t && self.stepped {
                self.looks();
            }
            at_once = if next > last { 0 } else { at_once + 1 };
            assert!(
                at_once < MOST_STEPS_AT_ONCE,
                "the engine wants to be called at {next} ms again and again"
            );
            (last, self.t) = (next, next);
            self.go_on()?;
        }
        self.looks();
        self.checker.finish()?;
        Ok((self.look, self.steps))
    }

    /// When something happens next.
    fn next(&self) -> Option<i64> {
        if let Some((back, _)) = self.gone {
            return Some(back);
        }
        let coming = self.coming.first_key_value().map(|(&(at, _), _)| at);
        let due = match self.stepped {
            true => self.out.deadline.map(|deadline| deadline.at.0.saturating_add(self.paused_ms)),
            false => Some(0),
        };
        coming.into_iter().chain(due).min().map(|next| next.max(self.t))
    }

    /// The first of what happens now.
    fn go_on(&mut self) -> Result<(), Broken> {
        if let Some((_, gone)) = self.gone.take() {
            return match gone {
                Gone::Paused => self.step(Input::Tick),
                Gone::Stopped => self.step(Input::Start(setup(self.engine.policy(), self.case))),
            };
        }
        match self.coming.first_entry().filter(|first| first.key().0 <= self.t) {
            Some(first) => {
                let coming = first.remove();
                self.comes(coming)
            }
            None => self.step(Input::Tick),
        }
    }

    /// A moment that somebody wants to see, and at which nothing else happens: what the guest would find if it looked
    /// at itself then. It does not look, and goes on as if nobody had asked.
    fn look_on_at(&mut self, mark: i64) {
        if mark <= self.t || self.gone.is_some() || !self.stepped {
            let now = self.now_at(mark.max(self.t));
            self.look.looks(span(mark), now, &self.engine);
            return;
        }
        self.looks();
        let now = self.now_at(mark);
        let mut engine = self.engine.clone();
        engine.step(now, &Input::Tick, &mut Output::default());
        self.look.looks(span(mark), now, &engine);
    }

    fn looks(&mut self) {
        let (at, now) = (self.at(), self.now());
        self.look.looks(at, now, &self.engine);
    }

    const fn at(&self) -> Span {
        span(self.t)
    }

    const fn now(&self) -> Now {
        self.now_at(self.t)
    }

    const fn now_at(&self, t: i64) -> Now {
        Now { mono: Mono(t).shifted(-self.paused_ms), wall: self.case.start.shifted(t).shifted(self.wall_ms) }
    }

    fn schedule(&mut self, at: i64, coming: Coming) {
        self.numbered += 1;
        self.coming.insert((at, self.numbered), coming);
    }

    fn comes(&mut self, coming: Coming) -> Result<(), Broken> {
        match coming {
            Coming::Happening(index) => {
                let at = self.at();
                self.look.happened(at, index);
                let case = self.case;
                self.happens(&case.happenings[index].1)
            }
            Coming::Arrival(host) => {
                self.place = Some(host);
                Ok(())
            }
            Coming::Outcome(id, outcome) => self.step(Input::Outcome { id, outcome }),
            Coming::JobDone(queue) => match self.engine.policy().queue_named(&queue) {
                Some(queue) => self.step(Input::JobDone { queue }),
                None => Ok(()),
            },
        }
    }

    fn host(&self, name: &str) -> Option<HostId> {
        self.engine.policy().host_named(name)
    }

    /// A name that the policy in force does not have means nothing to the guest.
    fn happens(&mut self, what: &Happening) -> Result<(), Broken> {
        let input = match what {
            Happening::MovedTo(host) => {
                self.place.clone_from(host);
                // With a locator, the guest finds out at its next look-up.
                if self.case.locates {
                    return Ok(());
                }
                Some(Input::Location(self.sighting()))
            }
            Happening::Notice { host, notice, lasts } => self.host(host).map(|host| Input::Notice {
                host,
                notice: *notice,
                lasts: lasts.unwrap_or(NOTICE_LASTS),
            }),
            Happening::Ranking { array, order, lasts } => {
                let order = order.iter().filter_map(|host| self.host(host)).collect();
                let array = self.engine.policy().array_named(array);
                array.map(|array| Input::Ranking { array, order, lasts: lasts.unwrap_or(NOTICE_LASTS) })
            }
            Happening::Reload(policy) => {
                self.handed = Arc::clone(policy);
                Some(Input::Policy(Arc::clone(policy)))
            }
            Happening::Operator(told) => match told {
                Told::Hold(span) => Some(Word::Hold(*span)),
                Told::Resume => Some(Word::Resume),
                Told::Abandon => Some(Word::Abandon),
                Told::MoveTo(host) => self.host(host).map(Word::Move),
            }
            .map(Input::Operator),
            Happening::Clock(by) => {
                self.wall_ms = self.wall_ms.saturating_add(*by);
                None
            }
            Happening::Pause(span) => {
                self.paused_ms = self.paused_ms.saturating_add(millis(*span));
                self.gone = Some((self.t.saturating_add(millis(*span)), Gone::Paused));
                None
            }
            Happening::Restart(span) => return self.restart(*span),
            Happening::Batch(jobs) => {
                self.waiting.push(jobs.clone());
                None
            }
        };
        input.map_or(Ok(()), |input| self.step(input))
    }

    /// The daemon ends; answers that were under way reach nobody.
    fn restart(&mut self, span: Span) -> Result<(), Broken> {
        if **self.engine.policy() != *self.handed {
            // A policy that waits is taken by a tick if it can be, so that the onlooker sees it.
            self.step(Input::Tick)?;
        }
        self.engine = Engine::load(Arc::clone(&self.handed), self.engine.save())?;
        self.coming.retain(|_, coming| !matches!(coming, Coming::Outcome(..) | Coming::JobDone(_)));
        self.gone = Some((self.t.saturating_add(millis(span)), Gone::Stopped));
        Ok(())
    }

    fn sighting(&self) -> Sighting {
        self.place.as_deref().and_then(|place| self.host(place)).map_or(Sighting::Elsewhere, Sighting::At)
    }

    /// One step and all that follows from it at once, what follows first coming first.
    fn step(&mut self, input: Input) -> Result<(), Broken> {
        self.step_only(&input)?;
        self.pending.extend(&self.out.effects);
        while let Some(effect) = self.pending.pop_front() {
            let Some(input) = self.carry_out(effect) else { continue };
            self.step_only(&input)?;
            for effect in self.out.effects.iter().rev() {
                self.pending.push_front(*effect);
            }
        }
        Ok(())
    }

    fn step_only(&mut self, input: &Input) -> Result<(), Broken> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(Broken::TooLong { at: self.at() });
        }
        let (at, now) = (self.at(), self.now());
        self.stepped = true;
        self.engine.step(now, input, &mut self.out);
        self.checker.observe(now, input, &self.out)?;
        self.look.stepped(at, now, input, &self.engine, &self.out);
        Ok(())
    }

    /// What the answer is, where it comes at once.
    fn carry_out(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Probe(indicator) => {
                let name = &self.engine.policy().indicators().row(indicator)?.name;
                let series = self.case.readings.iter().find(|(of, _)| of == name);
                let value = series.map_or(Err(Absence::NotFed), |(_, series)| series.value(self.at()));
                // What comes too late does not come.
                (value != Err(Absence::Late))
                    .then(|| Input::Reading(Reading { indicator, taken: self.now().mono, value }))
            }
            Effect::Request(request) => self.request(&request),
            Effect::Locate => Some(Input::Location(self.sighting())),
            Effect::Claim(queue) => {
                let queue_of = self.engine.policy().queues().row(queue)?;
                let found = self.waiting.iter().position(|jobs| jobs.queue == queue_of.name);
                let Some(found) = found else {
                    return Some(Input::Batch { queue, classes: vec![0; queue_of.classes.len()], others: 0 });
                };
                let jobs = self.waiting.remove(found);
                let of = |name: &str| jobs.classes.iter().find(|(class, _)| class == name).map(|&(_, n)| n);
                let classes: Vec<u32> =
                    queue_of.classes.iter().map(|class| of(&class.name).unwrap_or(0)).collect();
                let all = jobs.classes.iter().fold(jobs.others, |sum, &(_, n)| sum.saturating_add(n));
                let known = classes.iter().fold(0_u32, |sum, n| sum.saturating_add(*n));
                self.each.insert(jobs.queue, jobs.each);
                Some(Input::Batch { queue, classes, others: all.saturating_sub(known) })
            }
            Effect::Run { queue, .. } => {
                let name = self.engine.policy().queues().row(queue)?.name.clone();
                let each = self.each.get(&name).copied().unwrap_or_default();
                self.schedule(self.t.saturating_add(millis(each)), Coming::JobDone(name));
                None
            }
        }
    }

    fn request(&mut self, request: &Request) -> Option<Input> {
        let to = self.engine.policy().hosts().row(request.to)?.name.clone();
        let Answer { outcome, after } = self.answer(&to);
        let moves = outcome == Outcome::Confirmed;
        if after.is_zero() {
            if moves {
                self.place = Some(to);
            }
            return Some(Input::Outcome { id: request.id, outcome });
        }
        let at = self.t.saturating_add(millis(after));
        if moves {
            self.schedule(at, Coming::Arrival(to));
        }
        self.schedule(at, Coming::Outcome(request.id, outcome));
        None
    }

    /// What becomes of the next request to this host.
    fn answer(&mut self, to: &str) -> Answer {
        let answers = &self.case.answers;
        let (list, asked) = match answers.hosts.iter().position(|(host, _)| host == to) {
            Some(index) => (&answers.hosts[index].1, &mut self.asked.0[index]),
            None => (&answers.others, &mut self.asked.1),
        };
        let answer = list.get(*asked).or_else(|| list.last()).copied().unwrap_or_default();
        *asked += 1;
        answer
    }
}

fn setup(policy: &Policy, case: &Case) -> Setup {
    Setup { at: policy.host_named(&case.at), locates: case.locates, resends: false }
}

const fn span(millis: i64) -> Span {
    Span::from_millis(millis.unsigned_abs())
}

fn millis(span: Span) -> i64 {
    i64::try_from(span.millis()).unwrap_or(i64::MAX)
}

/// How every rule of a policy stands.
pub(super) fn rules(engine: &Engine) -> Vec<crate::engine::RuleView> {
    (0..engine.policy().rules().len()).map(|index| engine.rule(Id::from_index(index))).collect()
}
