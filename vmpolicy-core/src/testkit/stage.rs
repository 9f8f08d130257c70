//! A stage for one engine: a service to be measured, a provider that moves the guest or does not, a
//! locator, all deterministic. Every step is shown to the [checker](crate::checker).

use crate::checker::{Checker, Violation};
use crate::engine::Engine;
use crate::id::{HostId, IndicatorId, QueueId};
use crate::input::{Absence, Input, Outcome, Reading, Setup, Sighting};
use crate::output::{Effect, Event, Output, Record, Request};
use crate::policy::Policy;
use crate::time::{Mono, Now, Span, Wall};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a provider makes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Moves the guest, and says so then.
    Moves(Span),
    /// Takes it on at once, moves the guest then, and says nothing more.
    AcceptsThenMoves(Span),
    /// Turns it down at once.
    Refuses,
    /// Says after a while that it went wrong; the guest stays.
    Fails(Span),
    /// Says nothing; the guest stays.
    Ignores,
    /// Says nothing; the guest is moved all the same.
    MovesSilently(Span),
}

/// What a service says when it is probed: by indicator, at that time, on that host.
type Service = Box<dyn FnMut(IndicatorId, Now, Option<HostId>) -> Result<f64, Absence>>;
type Provider = Box<dyn FnMut(&Request) -> Answer>;
/// What a queue hands out when it is asked: how many jobs of each class.
type Batches = Box<dyn FnMut(QueueId) -> Vec<u32>>;

enum Coming {
    Input(Input),
    Arrival(HostId),
}

/// A world around one engine.
pub struct Stage {
    /// The engine.
    pub engine: Engine,
    /// The onlooker.
    pub checker: Checker,
    /// The time.
    pub now: Now,
    /// Where the guest really is.
    pub at: Option<HostId>,
    /// What was recorded.
    pub records: Vec<Record>,
    /// What left.
    pub requests: Vec<(Now, Request)>,
    /// Everything that went in.
    pub inputs: Vec<(Now, Input)>,
    /// Everything that came out, one for each input.
    pub outputs: Vec<Output>,
    service: Service,
    provider: Provider,
    batches: Batches,
    job_takes: Span,
    coming: BTreeMap<(Mono, u64), Coming>,
    numbered: u64,
    out: Output,
}

impl core::fmt::Debug for Stage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Stage").field("now", &self.now).field("at", &self.at).finish_non_exhaustive()
    }
}

impl Stage {
    /// An engine of this policy at the first host, where nothing has happened yet; moves take no time.
    #[must_use]
    pub fn new(
        policy: &Arc<Policy>,
        service: impl FnMut(IndicatorId, Now, Option<HostId>) -> Result<f64, Absence> + 'static,
    ) -> Self {
        let at = policy.ring(policy.home()).next();
        Self::with_setup(policy, Setup { at, ..Setup::default() }, service)
    }

    /// The same with another setup.
    #[must_use]
    pub fn with_setup(
        policy: &Arc<Policy>,
        setup: Setup,
        service: impl FnMut(IndicatorId, Now, Option<HostId>) -> Result<f64, Absence> + 'static,
    ) -> Self {
        Self {
            engine: Engine::new(Arc::clone(policy), setup),
            checker: Checker::new(Arc::clone(policy), setup),
            now: Now { mono: Mono(0), wall: Wall::from_secs(1_241_595_000) },
            at: setup.at,
            records: Vec::new(),
            requests: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            service: Box::new(service),
            provider: Box::new(|_| Answer::Moves(Span::ZERO)),
            batches: Box::new(|_| Vec::new()),
            job_takes: Span::from_secs(60),
            coming: BTreeMap::new(),
            numbered: 0,
            out: Output::default(),
        }
    }

    /// What the provider makes of requests.
    #[must_use]
    pub fn provider(mut self, provider: impl FnMut(&Request) -> Answer + 'static) -> Self {
        self.provider = Box::new(provider);
        self
    }

    /// What queues hand out, and how long each job takes.
    #[must_use]
    pub fn jobs(mut self, takes: Span, batches: impl FnMut(QueueId) -> Vec<u32> + 'static) -> Self {
        (self.batches, self.job_takes) = (Box::new(batches), takes);
        self
    }

    /// When it begins on the wall clock.
    #[must_use]
    pub const fn starts(mut self, wall: Wall) -> Self {
        self.now.wall = wall;
        self
    }

    /// Puts an input in, so much later than now.
    pub fn later(&mut self, after: Span, input: Input) {
        self.schedule(after, Coming::Input(input));
    }

    /// Somebody else moves the guest.
    pub fn move_guest(&mut self, to: HostId) {
        self.at = Some(to);
    }

    /// The wall clock is set, by so many milliseconds.
    pub const fn set_wall(&mut self, by_ms: i64) {
        self.now.wall = self.now.wall.shifted(by_ms);
    }

    /// Runs for a while.
    ///
    /// # Errors
    ///
    /// What must never happen, if it has.
    pub fn run(&mut self, span: Span) -> Result<(), Violation> {
        self.run_watched(span, |_, _, _, _| {})
    }

    /// Runs for a while, and shows each step.
    ///
    /// # Errors
    ///
    /// What must never happen, if it has.
    pub fn run_watched(
        &mut self,
        span: Span,
        mut watch: impl FnMut(&Engine, Now, &Input, &Output),
    ) -> Result<(), Violation> {
        let end = self.now.mono.plus(span);
        if self.inputs.is_empty() && self.coming.is_empty() {
            self.step_watched(Input::Tick, &mut watch)?;
        }
        loop {
            let first = self.coming.first_key_value().map(|(&(at, _), _)| at);
            let deadline = self.out.deadline.map(|deadline| deadline.at);
            let Some(next) = first.into_iter().chain(deadline).min().filter(|next| *next <= end) else {
                self.pass(end);
                return Ok(());
            };
            self.pass(next);
            let due = first.filter(|first| *first <= next).and_then(|_| self.coming.pop_first());
            match due {
                Some((_, Coming::Arrival(host))) => self.at = Some(host),
                Some((_, Coming::Input(input))) => self.step_watched(input, &mut watch)?,
                None => self.step_watched(Input::Tick, &mut watch)?,
            }
        }
    }

    /// One input now.
    ///
    /// # Errors
    ///
    /// What must never happen, if it has.
    pub fn step(&mut self, input: Input) -> Result<(), Violation> {
        self.step_watched(input, &mut |_, _, _, _| {})
    }

    fn step_watched(
        &mut self,
        input: Input,
        watch: &mut impl FnMut(&Engine, Now, &Input, &Output),
    ) -> Result<(), Violation> {
        let mut out = core::mem::take(&mut self.out);
        self.engine.step(self.now, &input, &mut out);
        self.checker.observe(self.now, &input, &out)?;
        watch(&self.engine, self.now, &input, &out);
        self.records.extend_from_slice(&out.records);
        for effect in &out.effects {
            self.carry_out(effect);
        }
        self.outputs.push(out.clone());
        self.inputs.push((self.now, input));
        self.out = out;
        Ok(())
    }

    fn pass(&mut self, to: Mono) {
        self.now = self.now.plus(to.since(self.now.mono));
    }

    fn schedule(&mut self, after: Span, coming: Coming) {
        self.numbered += 1;
        self.coming.insert((self.now.mono.plus(after), self.numbered), coming);
    }

    fn carry_out(&mut self, effect: &Effect) {
        match *effect {
            Effect::Probe(indicator) => {
                let value = (self.service)(indicator, self.now, self.at);
                let reading = Reading { indicator, taken: self.now.mono, value };
                self.later(Span::ZERO, Input::Reading(reading));
            }
            Effect::Request(request) => {
                self.requests.push((self.now, request));
                let answer = (self.provider)(&request);
                self.answer(&request, answer);
            }
            Effect::Locate => {
                let sighting = self.at.map_or(Sighting::Elsewhere, Sighting::At);
                self.later(Span::ZERO, Input::Location(sighting));
            }
            Effect::Claim(queue) => {
                let classes = (self.batches)(queue);
                self.later(Span::ZERO, Input::Batch { queue, classes, others: 0 });
            }
            Effect::Run { queue, .. } => self.later(self.job_takes, Input::JobDone { queue }),
        }
    }

    fn answer(&mut self, request: &Request, answer: Answer) {
        let outcome = |outcome| Input::Outcome { id: request.id, outcome };
        match answer {
            Answer::Moves(takes) => {
                self.schedule(takes, Coming::Arrival(request.to));
                self.later(takes, outcome(Outcome::Confirmed));
            }
            Answer::AcceptsThenMoves(takes) => {
                self.later(Span::ZERO, outcome(Outcome::Accepted));
                self.schedule(takes, Coming::Arrival(request.to));
            }
            Answer::Refuses => self.later(Span::ZERO, outcome(Outcome::Refused)),
            Answer::Fails(takes) => self.later(takes, outcome(Outcome::Failed)),
            Answer::Ignores => {}
            Answer::MovesSilently(takes) => self.schedule(takes, Coming::Arrival(request.to)),
        }
    }

    /// When requests were recorded, and to where.
    #[must_use]
    pub fn asked(&self) -> Vec<(Mono, HostId)> {
        self.requests.iter().filter(|(_, r)| !r.resent).map(|(now, r)| (now.mono, r.to)).collect()
    }

    /// The events of one name.
    pub fn events<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Event> + 'a {
        self.records.iter().map(|record| &record.event).filter(move |event| event.name() == name)
    }
}
