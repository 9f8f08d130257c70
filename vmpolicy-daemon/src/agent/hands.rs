//! What the loop asks of others, and hears from them: a thread for each thing that may take long, which are the actuator,
//! the locator, every queue and most probes.
//!
//! None of them holds up another or the loop. One that is still busy gets no second job: a probe that is
//! late is late, and a request is turned down, as nothing has started.

use super::Effects;
use super::queues::{Crew, Told, WiredQueue};
use super::reporter::{OpenRequest, Reporter};
use super::run::SystemClock;
use super::sensor::Sensor;
use super::worker::{Busy, Worker, WorkerId, unpanicked};
use crate::board::Fault;
use crate::control::Question;
use crate::hook::{Arrivals, Ran};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;
use vmpolicy_core::agent::Trouble;
use vmpolicy_core::id::{Id, IndicatorId, RequestId};
use vmpolicy_core::input::{Absence, Hooked, Outcome, Reading, Sighting};
use vmpolicy_core::output::{Event as Record, Output, Request};
use vmpolicy_core::ports::{Actuator, Asked, Locator, Probe};
use vmpolicy_core::time::{Mono, Now, Span};
use vmpolicy_core::{Effect, Engine, Input, Policy};

/// What the loop is told.
#[derive(Debug)]
pub enum Event {
    /// A probe has answered.
    Read {
        /// Which worker.
        worker: WorkerId,
        /// When it began.
        taken: Mono,
        /// How long it took.
        took: Duration,
        /// What it read.
        value: Result<f64, Absence>,
    },
    /// The actuator has answered.
    Answered {
        /// Which worker, where one was asked.
        worker: Option<WorkerId>,
        /// Which request.
        id: RequestId,
        /// What became of it.
        outcome: Outcome,
    },
    /// The locator has answered.
    Located {
        /// Which worker.
        worker: WorkerId,
        /// The host's name, where it can be told.
        host: Option<String>,
    },
    /// A hook has been run.
    Hooked {
        /// By which thread.
        worker: WorkerId,
        /// What came of it.
        ran: Ran,
    },
    /// Whoever works at a queue has.
    Queue {
        /// Which worker.
        worker: WorkerId,
        /// What came of it.
        told: Told,
    },
    /// Something else for the engine.
    Input(Input),
    /// Somebody asks how things stand, or says what is to be done.
    Asked(Question),
    /// The policy file is to be read again.
    Reload,
    /// The daemon is to end.
    Stop,
}

/// What the hands are given: the ports of one policy.
pub struct Wiring {
    /// A probe for each indicator of the policy, in its order.
    pub probes: Vec<WiredProbe>,
    /// The actuator.
    pub actuator: WiredActuator,
    /// The locator, where there is one.
    pub locator: Option<Box<dyn Locator>>,
    /// Who works at each queue of the policy, in its order.
    pub queues: Vec<Option<WiredQueue>>,
    /// What is run on arrival, where anything is.
    pub arrivals: Option<WiredArrivals>,
}

/// A hook on arrival to be waited with, if none of this key waits yet.
pub struct WiredArrivals {
    /// All that it is made of.
    pub key: String,
    /// Begins to wait.
    pub start: Box<dyn FnOnce(Reporter) -> Arrivals + Send>,
}

/// A probe to be made, if there is none of this key yet.
pub struct WiredProbe {
    /// All that it is made of, as a text. A probe whose key comes again at a reload is kept, and with it
    /// its connection or baseline.
    pub key: String,
    /// Whether it reads only what the kernel has at hand, and so is read by the loop; others have a thread each.
    pub at_hand: bool,
    /// Makes it.
    pub make: MakeProbe,
}

/// Makes a probe.
pub type MakeProbe = Box<dyn FnOnce() -> Box<dyn Probe> + Send>;

/// An actuator to be made, if there is none of this key yet.
pub struct WiredActuator {
    key: Option<String>,
    make: MakeActuator,
}

/// Makes an actuator, which may say later what became of a request that it has taken on.
type MakeActuator = Box<dyn FnOnce(Reporter) -> Box<dyn Actuator> + Send>;

impl WiredActuator {
    /// One that is made anew at each reload.
    #[must_use]
    pub fn new(actuator: impl Actuator + 'static) -> Self {
        Self { key: None, make: Box::new(|_| Box::new(actuator)) }
    }

    /// The same, with something round it that is kept and made anew with it; `key` is all that this is made of.
    #[must_use]
    pub fn within(
        self,
        key: &str,
        wrap: impl FnOnce(Box<dyn Actuator>, Reporter) -> Box<dyn Actuator> + Send + 'static,
    ) -> Self {
        let Self { key: inner, make } = self;
        let make: MakeActuator = Box::new(move |reporter| wrap(make(reporter.clone()), reporter));
        Self { key: inner.map(|inner| format!("{key} {inner}")), make }
    }

    /// One whose thread is kept where its key, all that it is made of, comes again at a reload.
    #[must_use]
    pub fn kept(key: String, make: impl FnOnce(Reporter) -> Box<dyn Actuator> + Send + 'static) -> Self {
        Self { key: Some(key), make: Box::new(make) }
    }
}

/// The threads, and what is sent to them.
pub struct Hands {
    guest: String,
    events: Sender<Event>,
    monotonic: fn() -> Mono,
    /// Threads up to this number are of hands before these.
    before: WorkerId,
    probes: Vec<(String, Sensor)>,
    actuator: Option<Worker<Errand>>,
    /// What the actuator is made of, where it may be kept.
    actuator_key: Option<String>,
    open: OpenRequest,
    arrivals: Option<(String, Arrivals)>,
    locator: Option<Worker<()>>,
    crew: Crew,
    prepared: Option<(Arc<Policy>, Wiring)>,
    trouble: Option<(&'static str, Fault)>,
}

/// A request with its names, for another thread.
struct Errand {
    request: Request,
    from: String,
    to: String,
    id: String,
}

impl Hands {
    /// Hands without anything to hold yet: [`Hands::wire`] comes next.
    #[must_use]
    pub fn new(guest: impl Into<String>, events: Sender<Event>, monotonic: fn() -> Mono) -> Self {
        Self {
            guest: guest.into(),
            events,
            monotonic,
            before: WorkerId::last(),
            probes: Vec::new(),
            actuator: None,
            actuator_key: None,
            open: OpenRequest::default(),
            arrivals: None,
            locator: None,
            crew: Crew::default(),
            prepared: None,
            trouble: None,
        }
    }

    /// Has the ports of a new policy ready for the moment in which the engine takes it.
    pub fn prepare(&mut self, policy: Arc<Policy>, wiring: Wiring) {
        self.prepared = Some((policy, wiring));
    }

    /// Whether a new policy waits to be taken.
    #[must_use]
    pub const fn is_prepared(&self) -> bool {
        self.prepared.is_some()
    }

    /// Takes the ports of a policy in place of those of the one before. What is under way goes on; the
    /// answer of a probe or locator that is gone is not heard, that of an actuator is.
    pub fn wire(&mut self, wiring: Wiring) {
        let mut before = std::mem::take(&mut self.probes);
        for WiredProbe { key, at_hand, make } in wiring.probes {
            let sensor = match before.iter().position(|(known, _)| *known == key) {
                Some(at) => before.swap_remove(at).1,
                None => Sensor::new(make(), at_hand, self.events.clone(), self.monotonic),
            };
            self.probes.push((key, sensor));
        }
        let WiredActuator { key, make } = wiring.actuator;
        if self.actuator.is_none() || key.is_none() || key != self.actuator_key {
            self.actuator = Some(self.actuator_worker(make));
            self.actuator_key = key;
        }
        self.locator = wiring.locator.map(|locator| self.locator_worker(locator));
        self.crew.wire(wiring.queues, &self.events);
        let before = self.arrivals.take();
        self.arrivals = wiring.arrivals.map(|WiredArrivals { key, start }| match before {
            Some((known, arrivals)) if known == key => (known, arrivals),
            _ => (key, start(self.reporter())),
        });
    }

    /// The way to the loop for a thread of a port's own.
    fn reporter(&self) -> Reporter {
        Reporter { worker: WorkerId::next(), events: self.events.clone(), open: self.open.clone() }
    }

    fn actuator_worker(&mut self, make: MakeActuator) -> Worker<Errand> {
        let mut actuator = make(self.reporter());
        let (worker, events, guest) = (WorkerId::next(), self.events.clone(), self.guest.clone());
        Worker::spawn(worker, "actuator", move |jobs: Receiver<Errand>| {
            for Errand { request, from, to, id } in jobs {
                let asked = Asked { request, guest: &guest, from: &from, to: &to, id: &id };
                let outcome = unpanicked("the actuator", Outcome::Unanswered, || actuator.request(&asked));
                let answered = Event::Answered { worker: Some(worker), id: request.id, outcome };
                if events.send(answered).is_err() {
                    return;
                }
            }
        })
    }

    fn locator_worker(&mut self, mut locator: Box<dyn Locator>) -> Worker<()> {
        let (worker, events) = (WorkerId::next(), self.events.clone());
        Worker::spawn(worker, "locator", move |jobs| {
            for () in jobs {
                let host = unpanicked("the locator", None, || locator.locate());
                if events.send(Event::Located { worker, host }).is_err() {
                    return;
                }
            }
        })
    }

    /// The indicator that a thread probes; none, where the thread is of a policy that is gone.
    #[must_use]
    pub fn indicator_of(&self, worker: WorkerId) -> Option<IndicatorId> {
        self.probes.iter().position(|(_, probe)| probe.id() == worker).map(IndicatorId::from_index)
    }

    /// The engine has taken a step.
    pub fn stepped(&self, engine: &Engine, out: &Output) {
        self.open.set(engine.open_request().map(|open| open.id));
        if let (Some((_, arrivals)), Some(host)) = (&self.arrivals, engine.location()) {
            let by = out.records.iter().find_map(|record| match record.event {
                Record::Confirmed { id, .. } => Some(id),
                _ => None,
            });
            arrivals.at(&engine.policy().hosts()[host].name, by);
        }
    }

    /// What keeps state or records from being written, and with them every request from leaving, as of the last try.
    #[must_use]
    pub fn trouble(&self) -> Option<&Fault> {
        self.trouble.as_ref().map(|(_, fault)| fault)
    }

    /// What an event is to the engine; nothing, where it comes from a thread that is gone.
    pub fn input_of(&mut self, event: Event, policy: &Policy) -> Option<Input> {
        match event {
            Event::Read { worker, taken, value, took: _ } => {
                let indicator = self.indicator_of(worker)?;
                self.probes[indicator.index()].1.rest();
                // The engine says the same of both; only one can be written down as JSON.
                let value = value.and_then(|value| match value.is_finite() {
                    true => Ok(value),
                    false => Err(Absence::NotFinite),
                });
                Some(Input::Reading(Reading { indicator, taken, value }))
            }
            // A daemon that has begun anew, in another mode perhaps, has other requests under the same numbers.
            Event::Answered { worker: Some(worker), .. } if worker.is_of(self.before) => None,
            Event::Answered { worker, id, outcome } => {
                // The answer of an actuator that a reload has replaced still counts.
                if let Some(actuator) =
                    self.actuator.as_mut().filter(|actuator| Some(actuator.id()) == worker)
                {
                    actuator.rest();
                }
                Some(Input::Outcome { id, outcome })
            }
            Event::Located { worker, host } => {
                let locator = self.locator.as_mut().filter(|locator| locator.id() == worker)?;
                locator.rest();
                let sighting = match host {
                    None => Sighting::Unknown,
                    Some(name) => policy.host_named(&name).map_or(Sighting::Elsewhere, Sighting::At),
                };
                Some(Input::Location(sighting))
            }
            Event::Hooked { worker, .. } if worker.is_of(self.before) => None,
            Event::Hooked { ran: Ran { hook, id, host, ended, took }, .. } => {
                let took = Span::from_millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
                Some(Input::Hook(Hooked { hook, id, host: policy.host_named(&host), ended, took }))
            }
            Event::Queue { worker, told } => self.crew.input_of(worker, told, policy),
            Event::Input(input) => Some(input),
            Event::Asked(_) | Event::Reload | Event::Stop => None,
        }
    }

    fn ask(&mut self, policy: &Policy, request: Request) {
        let name = |host| policy.hosts()[host].name.clone();
        let (from, to) = (name(request.from), name(request.to));
        let id = format!("{}-{}", self.guest, request.id);
        let errand = Errand { request, from, to, id };
        // The loop says so itself only after this.
        self.open.set(Some(request.id));
        let given = self.actuator.as_mut().map_or(Err(Busy::Gone), |actuator| actuator.give(errand));
        let why = match given {
            Ok(()) => return,
            Err(Busy::Working) => "the actuator is still busy with an earlier one",
            Err(Busy::Gone) => "there is no thread for the actuator",
        };
        tracing::warn!("request {} is not sent: {why}", request.id);
        // Nothing has started, which is what a refusal says. Sent late, it would be acted on when nobody
        // expects it any more.
        let refused = Event::Answered { worker: None, id: request.id, outcome: Outcome::Refused };
        let _ = self.events.send(refused);
    }
}

impl Effects for Hands {
    fn carry_out(&mut self, _now: Now, policy: &Policy, effect: Effect) {
        match effect {
            Effect::Probe(indicator) => {
                if let Some((key, sensor)) = self.probes.get_mut(indicator.index())
                    && sensor.read(&self.events, self.monotonic).is_err()
                {
                    // The key begins with the indicator's name; the rest may hold what is not for a log.
                    let name = key.split(' ').next().unwrap_or_default();
                    tracing::debug!("the probe of {name} is still busy");
                }
            }
            Effect::Locate => {
                if let Some(worker) = &mut self.locator
                    && worker.give(()).is_err()
                {
                    tracing::debug!("the locator is still busy");
                }
            }
            Effect::Request(request) => self.ask(policy, request),
            Effect::Claim(queue) => self.crew.claim(queue),
            Effect::Run { queue, job } => {
                if let Err(ended) = self.crew.run(queue, job) {
                    // The other end is the loop's.
                    let _ = self.events.send(Event::Input(ended));
                }
            }
        }
    }

    fn adopted(&mut self, policy: &Arc<Policy>) {
        if let Some((_, wiring)) = self.prepared.take_if(|(new, _)| Arc::ptr_eq(new, policy)) {
            self.wire(wiring);
        }
    }

    fn troubled(&mut self, trouble: Option<Trouble<'_>>) {
        let (what, error) = match trouble {
            Some(Trouble::State(error)) => ("the state", error),
            Some(Trouble::Records(error)) => ("the records", error),
            Some(Trouble::Lost(count)) => {
                tracing::error!("{count} records are lost: nobody takes them, and there is no more room");
                return;
            }
            None => {
                tracing::info!("state and records are written again");
                self.trouble = None;
                return;
            }
        };
        let words = format!("can't write {what}: {error}");
        let before = self.trouble.take();
        if before.as_ref().is_none_or(|(before, _)| *before != what) {
            tracing::error!("{words}; no move is asked for until that works");
        }
        let (since, times) =
            before.map_or_else(|| (SystemClock::wall(), 0), |(_, fault)| (fault.since, fault.times));
        self.trouble = Some((what, Fault { words, since, times: times.saturating_add(1) }));
    }
}
