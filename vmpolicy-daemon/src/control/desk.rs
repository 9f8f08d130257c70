//! What is known beside the engine, and the answers to what is asked.

use super::history::History;
use super::status::{NotTaken, Status};
use super::why::Why;
use super::wire::{ErrorCode, Hello, Refusal, Request, answer};
use super::work::Ports;
use super::{Ask, Question};
use crate::actuator::Gate;
use crate::board::{Board, Fault};
use crate::hook::Ran;
use crate::metrics::Counts;
use crate::records::{CollectorView, Records};
use crate::spans::maybe_seconds;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vmpolicy_core::file::Shell;
use vmpolicy_core::id::HostId;
use vmpolicy_core::input::Word;
use vmpolicy_core::output::{Deadline, Event, Output, Verdict};
use vmpolicy_core::time::{Now, Span, Wall};
use vmpolicy_core::{Engine, Input, Policy};

/// A hold is no longer than this: what is longer is a slip.
const HOLD_MAX: Span = Span::from_hours(24 * 366);

/// How things stand, for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Now.
    pub now: Now,
    /// The engine.
    pub engine: &'a Engine,
    /// What it waits for by itself.
    pub deadline: Option<Deadline>,
    /// What keeps state or records from being written.
    pub trouble: Option<&'a Fault>,
    /// Where records go.
    pub records: Option<&'a Records>,
}

impl Standing<'_> {
    /// How the collectors of records stand.
    pub fn collectors(&self) -> impl Iterator<Item = CollectorView> {
        self.records.into_iter().flat_map(Records::collectors)
    }
}

/// What is known beside the engine. It outlives a change of mode.
#[derive(Debug)]
pub struct Desk {
    pub(super) guest: String,
    pub(super) file: PathBuf,
    pub(super) gate: Gate,
    pub(super) started: Wall,
    pub(super) host_since: Option<Wall>,
    pub(super) fingerprint: u64,
    pub(super) policy_since: Wall,
    pub(super) not_taken: Option<NotTaken>,
    pub(super) holder: Option<Holder>,
    ports: Ports,
    board: Board,
    at: Option<String>,
    policy: Arc<Policy>,
    history: History,
    counts: Counts,
    pending: Option<(Question, Pending)>,
}

/// Who holds the guest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holder {
    /// The state was lost, and no operator has said anything since.
    pub(super) lost_state: bool,
    pub(super) uid: Option<u32>,
    pub(super) since: Wall,
}

/// What an answer waits for: that the engine has heard.
#[derive(Debug)]
enum Pending {
    Said(Said),
    Move { to: HostId, verdict: Verdict },
    Reload,
}

/// What became of `hold` or `resume`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// Whether nothing is asked for from now on.
    pub held: bool,
    /// For how long; null until somebody says otherwise.
    #[serde(with = "maybe_seconds", rename = "for")]
    pub lasts: Option<Span>,
    /// Whether it was so before.
    pub before: bool,
}

/// What became of `move`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moving {
    /// The request's number.
    pub id: u64,
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// `act`, or why nothing leaves: `observe`, `dry-run`.
    pub mode: String,
    /// What spoke against the host, and was not heeded, as an operator has said so: a verdict of records.
    pub despite: Option<String>,
    /// What keeps it from leaving.
    pub trouble: Option<String>,
}

/// What became of `reload`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// The fingerprint of the policy that was read.
    pub fingerprint: String,
    /// How many rules kept their counters; null where it is not in force yet, or the daemon begins anew.
    pub rules_kept: Option<u32>,
    /// The request for whose end it waits, as it lacks a host of it.
    pub waits_for: Option<u64>,
    /// What has changed that the daemon begins anew for, with nothing counted: its mode, its locator, its actuator.
    pub begins_anew: Option<String>,
    /// The mode from now on.
    pub mode: String,
}

impl Desk {
    /// A desk for a guest that begins now.
    #[must_use]
    pub fn new(guest: &str, file: &Path, gate: Gate, policy: &Arc<Policy>, now: Now) -> Self {
        Self {
            guest: guest.to_owned(),
            file: file.to_path_buf(),
            gate,
            started: now.wall,
            host_since: None,
            fingerprint: policy.fingerprint(),
            policy_since: now.wall,
            not_taken: None,
            holder: None,
            ports: Ports::default(),
            board: Board::default(),
            at: None,
            policy: Arc::clone(policy),
            history: History::default(),
            counts: Counts::new(policy, now),
            pending: None,
        }
    }

    /// Whether moves are asked for has another reason than before.
    pub const fn set_gate(&mut self, gate: Gate) {
        self.gate = gate;
    }

    /// The daemon begins, or begins anew in this process: in another mode, say.
    pub fn begin(&mut self, gate: Gate, engine: &Engine, now: Now) {
        self.gate = gate;
        self.adopt(engine, now);
    }

    /// What is counted.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What is counted.
    pub const fn counts_mut(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// The guest is held, as its state is lost.
    pub const fn holds_for_lost_state(&mut self, since: Wall) {
        self.holder = Some(Holder { lost_state: true, uid: None, since });
    }

    /// Where the ports' threads tell how they stand.
    #[must_use]
    pub const fn board(&self) -> &Board {
        &self.board
    }

    /// The ports of this policy file are the ones that there are.
    pub fn adopt_ports(&mut self, shell: &Shell, policy: &Policy) {
        self.ports.adopt(shell, policy);
    }

    /// A hook was run.
    pub fn ran(&mut self, ran: &Ran, at: Wall) {
        self.ports.ran(ran, at);
    }

    /// What is known of queues and hooks.
    #[must_use]
    pub const fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub const fn is_dry(&self) -> bool {
        self.gate.is_dry()
    }

    /// Whether jobs of a queue are claimed and run.
    #[must_use]
    pub fn works_at(&self, queue: &str) -> bool {
        !self.gate.is_dry() && self.ports.works_at(queue)
    }

    /// The policy file was not taken.
    pub fn not_taken(&mut self, at: Wall, because: &str) {
        self.counts.reloaded(at, false);
        self.not_taken = Some(NotTaken { at, because: because.lines().map(str::to_owned).collect() });
    }

    /// The policy file was read and is sound.
    pub fn taken(&mut self, at: Wall) {
        self.counts.reloaded(at, true);
        self.not_taken = None;
    }

    /// Answers a reload that was not taken.
    pub fn refuse_reload(&self, question: Question) {
        let because = self.not_taken.as_ref().map(|not| not.because.clone()).unwrap_or_default();
        let refusal = Refusal {
            details: because,
            hint: Some("the policy in force stays as it was".to_owned()),
            ..Refusal::new(ErrorCode::NotTaken, format!("{} is not taken", self.file.display()))
        };
        question.answer(refusal.line());
    }

    /// Answers a reload that makes the daemon begin anew.
    pub fn begin_anew(question: Question, what: &str, gate: Gate, policy: &Policy) {
        let changed = Changed {
            fingerprint: format!("{:016x}", policy.fingerprint()),
            rules_kept: None,
            waits_for: None,
            begins_anew: Some(what.to_owned()),
            mode: gate.name().to_owned(),
        };
        question.answer(answer(true, "reload", &changed));
    }

    /// Answers a reload once the engine has heard of the policy.
    pub fn reloads(&mut self, question: Question) {
        self.pending = Some((question, Pending::Reload));
    }

    /// Answers a question, at once or when the engine has heard what it is told, which is returned. A reload is not for the
    /// desk: it does not read files.
    pub fn asked(&mut self, question: Question, standing: &Standing<'_>) -> Option<Input> {
        let (request, uid) = match &question.ask {
            Ask::Metrics => {
                let text = self.counts.text(&self.guest, self.gate, standing, self);
                question.answer(text.into_bytes());
                return None;
            }
            Ask::Request { request, uid } => (request.clone(), *uid),
        };
        match self.request(&request, uid, standing) {
            Err(refusal) => question.answer(refusal.line()),
            Ok(Answer::Now(bytes)) => question.answer(bytes),
            Ok(Answer::Tell(word, pending)) => {
                self.pending = Some((question, pending));
                return Some(Input::Operator(word));
            }
        }
        None
    }

    fn request(
        &mut self,
        request: &Request,
        uid: Option<u32>,
        standing: &Standing<'_>,
    ) -> Result<Answer, Refusal> {
        let Standing { now, engine, .. } = *standing;
        let before = engine.held(now).is_some();
        Ok(match request {
            Request::Hello {} => {
                let hello = Hello {
                    guest: self.guest.clone(),
                    mode: self.gate.name().to_owned(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    pid: std::process::id(),
                };
                Answer::Now(answer(true, "hello", &hello))
            }
            Request::Status {} => Answer::Now(answer(true, "status", &Status::of(self, standing))),
            Request::Why {} => Answer::Now(answer(true, "why", &Why::of(self, standing))),
            Request::History { last, after } => Answer::Now(self.history.answer(*last, *after)),
            Request::Hold { seconds } => {
                let lasts = seconds.map(span).transpose()?;
                self.holder = Some(Holder { lost_state: false, uid, since: now.wall });
                tracing::info!(uid, "an operator holds the guest");
                Answer::Tell(Word::Hold(lasts), Pending::Said(Said { held: true, lasts, before }))
            }
            Request::Resume {} => {
                self.holder = None;
                tracing::info!(uid, "an operator lets the guest go on");
                Answer::Tell(Word::Resume, Pending::Said(Said { held: false, lasts: None, before }))
            }
            Request::Move { to } => {
                let policy = engine.policy();
                let Some(host) = policy.host_named(to) else { return Err(unknown_host(policy, to)) };
                tracing::info!(uid, "an operator wants the guest on {to}");
                let verdict = engine.verdict(now, host);
                Answer::Tell(Word::Move(host), Pending::Move { to: host, verdict })
            }
            Request::Reload {} => {
                return Err(Refusal::new(ErrorCode::BadRequest, "the policy file can't be read here"));
            }
        })
    }

    /// The engine has taken an input: what came of it is remembered and counted, and answered where somebody waits for it.
    pub fn turned(&mut self, standing: &Standing<'_>, input: &Input, output: &Output) {
        let Standing { now, engine, .. } = *standing;
        if !Arc::ptr_eq(&self.policy, engine.policy()) {
            self.adopt(engine, now);
        }
        self.history.take(engine.policy(), &self.guest, self.gate.is_dry(), output);
        let here = engine.location().map(|id| engine.policy().hosts()[id].name.as_str());
        if here != self.at.as_deref() {
            self.at = here.map(str::to_owned);
            self.host_since = Some(now.wall);
        }
        self.counts.turned(standing, input, output);
        if let Some((question, pending)) = self.pending.take() {
            let bytes = self.outcome(&pending, standing, output);
            question.answer(bytes);
        }
    }

    fn adopt(&mut self, engine: &Engine, now: Now) {
        self.policy = Arc::clone(engine.policy());
        self.fingerprint = self.policy.fingerprint();
        self.policy_since = now.wall;
        self.counts.adopt(engine, now);
    }

    fn outcome(&self, pending: &Pending, standing: &Standing<'_>, output: &Output) -> Vec<u8> {
        match pending {
            Pending::Said(said) => answer(true, if said.held { "hold" } else { "resume" }, said),
            Pending::Move { to, verdict } => match self.moving(*to, *verdict, standing, output) {
                Ok(moving) => answer(true, "move", &moving),
                Err(refusal) => refusal.line(),
            },
            Pending::Reload => {
                let waiting = standing.engine.waiting_policy();
                let kept = output.records.iter().find_map(|record| match record.event {
                    Event::Reload { rules_kept } => Some(rules_kept),
                    _ => None,
                });
                let read = waiting.unwrap_or_else(|| standing.engine.policy());
                let open = standing.engine.open_request().map(|request| request.id.0);
                let changed = Changed {
                    fingerprint: format!("{:016x}", read.fingerprint()),
                    rules_kept: kept,
                    waits_for: waiting.and(open),
                    begins_anew: None,
                    mode: self.gate.name().to_owned(),
                };
                answer(true, "reload", &changed)
            }
        }
    }

    /// What the engine made of an operator's move.
    fn moving(
        &self,
        to: HostId,
        verdict: Verdict,
        standing: &Standing<'_>,
        output: &Output,
    ) -> Result<Moving, Refusal> {
        let policy = standing.engine.policy();
        let name = |host: HostId| policy.hosts()[host].name.clone();
        for record in &output.records {
            match record.event {
                Event::Request { id, from, to, .. } => {
                    let despite = match verdict {
                        Verdict::Eligible | Verdict::Chosen | Verdict::Current => None,
                        despite => Some(despite.name().to_owned()),
                    };
                    let (from, to, mode) = (name(from), name(to), self.gate.name().to_owned());
                    let trouble = standing.trouble.map(|fault| fault.words.clone());
                    return Ok(Moving { id: id.0, from, to, mode, despite, trouble });
                }
                Event::AlreadyThere { at_host, .. } => {
                    let message = format!("{} is on {} already", self.guest, name(at_host));
                    return Err(Refusal::new(ErrorCode::AlreadyThere, message));
                }
                Event::Held { .. } => {
                    let message = "nobody knows where the guest is, so no move can be asked for";
                    let hint = "see `locator` in the policy file, and what the log says of it";
                    let refusal = Refusal::new(ErrorCode::LocationUnknown, message);
                    return Err(Refusal { hint: Some(hint.to_owned()), ..refusal });
                }
                _ => {}
            }
        }
        let message = match standing.engine.open_request() {
            Some(open) => {
                format!("request {} to {} is open, and there is one at a time", open.id, name(open.to))
            }
            None => format!("the engine does not ask for a move to {}", name(to)),
        };
        let hint = Some("wait for its end: `vmpolicy status` says how long it may take".to_owned());
        Err(Refusal { hint, ..Refusal::new(ErrorCode::RequestOpen, message) })
    }
}

enum Answer {
    Now(Vec<u8>),
    Tell(Word, Pending),
}

fn span(seconds: f64) -> Result<Span, Refusal> {
    let millis = (seconds * 1_000.0).round();
    // NaN is not in it.
    if millis >= 1.0 && millis <= HOLD_MAX.millis() as f64 {
        Ok(Span::from_millis(millis as u64))
    } else {
        let message = format!("a hold lasts more than nothing and at most {HOLD_MAX}");
        let hint = Some("without a span it lasts until `resume`".to_owned());
        Err(Refusal { hint, ..Refusal::new(ErrorCode::BadRequest, message) })
    }
}

fn unknown_host(policy: &Policy, to: &str) -> Refusal {
    let names = || policy.hosts().iter().map(|(_, host)| host.name.as_str());
    // The loop waits meanwhile: no more than a few thousand short names are looked at.
    let near = names()
        .take(if to.len() <= 64 { 2_000 } else { 0 })
        .map(|name| (strsim::damerau_levenshtein(name, to), name))
        .filter(|(distance, _)| *distance <= 2)
        .min();
    let hint = match near {
        Some((_, near)) => format!("did you mean `{near}`?"),
        None => {
            let some: Vec<&str> = names().take(10).collect();
            let more = if policy.hosts().len() > some.len() { ", .." } else { "" };
            format!("its hosts are {}{more}", some.join(", "))
        }
    };
    let message = format!("the policy has no host `{to}`");
    Refusal { hint: Some(hint), ..Refusal::new(ErrorCode::UnknownHost, message) }
}
