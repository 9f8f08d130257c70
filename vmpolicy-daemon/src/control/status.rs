//! How things stand, as an answer.

use super::desk::{Desk, Standing};
use super::work::{self, Failing, HookNow, Queue};
use crate::records::CollectorView;
use crate::spans::{maybe_number, maybe_seconds, seconds, wall};
use serde::{Deserialize, Serialize};
use vmpolicy_core::Policy;
use vmpolicy_core::engine::OpenView;
use vmpolicy_core::id::IndicatorId;
use vmpolicy_core::output::{Cause, Deadline, Origin};
use vmpolicy_core::time::{Mono, Now, Span, Wall};

/// How things stand. Spans are seconds, times RFC 3339.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Now, by the daemon's clock.
    #[serde(with = "wall")]
    pub at: Wall,
    /// The guest.
    pub guest: String,
    /// `act`, `observe` or `dry-run`.
    pub mode: String,
    /// Why nothing is asked for, where that is so.
    pub mode_because: Option<String>,
    /// Where the guest is, where that is known. In another mode than `act`, where it is believed to be.
    pub host: Option<String>,
    /// Since when, as far as this daemon has seen it.
    pub host_since: Option<String>,
    /// The array of that host.
    pub array: Option<String>,
    /// Whether that is the array's base.
    pub at_base: bool,
    /// The daemon's version.
    pub version: String,
    /// The daemon's process.
    pub pid: u32,
    /// Since when it runs.
    #[serde(with = "wall")]
    pub started: Wall,
    /// The policy.
    pub policy: PolicyInForce,
    /// Each indicator, in the order of the policy file.
    pub indicators: Vec<Indicator>,
    /// The open request.
    pub request: Option<Open>,
    /// For how much longer the guest settles.
    #[serde(with = "maybe_seconds")]
    pub settling_for: Option<Span>,
    /// The rule that rests.
    pub resting: Option<String>,
    /// What holds the guest: an operator, or that its state was lost.
    pub hold: Option<Held>,
    /// What the daemon waits for by itself.
    pub next: Option<Next>,
    /// What keeps state or records from being written, and so every request from leaving.
    pub trouble: Option<String>,
    /// Since when; null where nothing does.
    #[serde(default)]
    pub trouble_since: Option<String>,
    /// Why the locator can't tell; null where it can, or where there is none.
    #[serde(default)]
    pub locator_fault: Option<Failing>,
    /// The collectors of records, in the order of the policy file.
    #[serde(default)]
    pub collectors: Vec<Collecting>,
    /// The job queues, in the order of the policy file.
    #[serde(default)]
    pub queues: Vec<Queue>,
    /// The hooks of the policy file.
    #[serde(default)]
    pub hooks: Vec<HookNow>,
}

/// A collector of records. Its records are numbered from 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Collecting {
    /// `tcp` or `http`.
    pub kind: String,
    /// Where it is.
    pub address: String,
    /// It has all records up to this number; 0 before the first.
    pub delivered: u64,
    /// How many records wait for it.
    pub waiting: u64,
    /// How many bytes they take up on disk, about.
    pub bytes: u64,
    /// How many it will never get, since the daemon has started: there was no room for them, or a disk has damaged them.
    pub lost: u64,
    /// Why the last attempt came to nothing; null where it did not.
    pub error: Option<String>,
    /// How many attempts in a row have come to nothing.
    pub attempts: u64,
    /// Since when none has come to anything; null where the last one has.
    #[serde(default)]
    pub error_since: Option<String>,
}

impl From<CollectorView> for Collecting {
    fn from(view: CollectorView) -> Self {
        Self {
            kind: view.kind.to_owned(),
            address: view.address,
            delivered: view.level.delivered,
            waiting: view.level.waiting(),
            bytes: view.level.bytes,
            lost: view.level.lost,
            attempts: view.fault.as_ref().map_or(0, |fault| fault.times),
            error_since: view.fault.as_ref().map(|fault| fault.since.to_string()),
            error: view.fault.map(|fault| fault.words),
        }
    }
}

/// The policy in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyInForce {
    /// Its file.
    pub file: String,
    /// Its fingerprint, 16 hexadecimal digits.
    pub fingerprint: String,
    /// Since when it is in force.
    #[serde(with = "wall")]
    pub since: Wall,
    /// Whether a newer one waits for the end of the open request.
    pub newer_waits: bool,
    /// The last reading of the file, where it was not taken.
    pub not_taken: Option<NotTaken>,
}

/// A policy file that was not taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotTaken {
    /// When.
    #[serde(with = "wall")]
    pub at: Wall,
    /// Why, line by line.
    pub because: Vec<String>,
}

/// An indicator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Indicator {
    /// Its name.
    pub name: String,
    /// The last sample, where it is known.
    #[serde(serialize_with = "maybe_number")]
    pub value: Option<f64>,
    /// Its unit, where it has one.
    pub unit: Option<String>,
    /// How long ago the last poll was, where there was one since the guest has settled.
    #[serde(with = "maybe_seconds")]
    pub age: Option<Span>,
    /// Why there is no value: the cause as in records.
    pub unknown: Option<String>,
    /// Since when there is none, as far as this daemon has seen it; null where there is one.
    #[serde(default)]
    pub unknown_since: Option<String>,
    /// What its probe said the last time, where it could not read.
    #[serde(default)]
    pub fault: Option<Failing>,
    /// How many polls in a row gave nothing.
    pub missing: u32,
    /// Whether it is probed now.
    pub probed: bool,
    /// How often it is polled.
    #[serde(with = "seconds")]
    pub every: Span,
}

/// The open request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// Its number.
    pub id: u64,
    /// Who wanted it: a rule, `drain` or `operator`.
    pub rule: String,
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// `asked`, `accepted`, `unclear` or `overdue`.
    pub stage: String,
    /// How long ago it was asked for.
    #[serde(with = "seconds")]
    pub age: Span,
    /// How long it may still take.
    #[serde(with = "seconds")]
    pub left: Span,
}

/// What holds the guest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// For how much longer; null until somebody says otherwise.
    #[serde(with = "maybe_seconds", rename = "for")]
    pub lasts: Option<Span>,
    /// The user who said so; null where this daemon did not hear it, or could not tell.
    pub uid: Option<u32>,
    /// When; null where this daemon did not hear it.
    pub since: Option<String>,
    /// `operator`; `state-lost`, where a request may be open that nobody knows of; or `earlier`, where it is of a daemon
    /// before this one: of either.
    #[serde(default)]
    pub because: String,
}

/// What the daemon waits for by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Next {
    /// How long.
    #[serde(with = "seconds")]
    pub within: Span,
    /// `poll`, `late`, `settled`, `confirm`, `locate`, `window`, `rule`, `drain` or `claim`.
    pub cause: String,
    /// The indicator, window, rule or queue.
    pub of: Option<String>,
}

impl Status {
    pub(super) fn of(desk: &Desk, standing: &Standing<'_>) -> Self {
        let Standing { now, engine, .. } = *standing;
        let policy = engine.policy();
        let here = engine.location().map(|id| &policy.hosts()[id]);
        let rule = |id| policy.rules()[id].name.clone();
        Self {
            at: now.wall,
            guest: desk.guest.clone(),
            mode: desk.gate.name().to_owned(),
            mode_because: desk.gate.why().map(str::to_owned),
            host: here.map(|host| host.name.clone()),
            host_since: desk.host_since.filter(|_| here.is_some()).map(|since| since.to_string()),
            array: here.map(|host| policy.arrays()[host.array].name.clone()),
            at_base: here.is_some_and(|host| host.is_base),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started: desk.started,
            policy: PolicyInForce {
                file: desk.file.display().to_string(),
                fingerprint: format!("{:016x}", desk.fingerprint),
                since: desk.policy_since,
                newer_waits: engine.waiting_policy().is_some(),
                not_taken: desk.not_taken.clone(),
            },
            indicators: policy.indicators().ids().map(|id| indicator(desk, standing, id)).collect(),
            request: engine.open(now).map(|open| request(policy, open)),
            settling_for: engine.settling(now),
            resting: engine.resting().map(rule),
            hold: held(desk, standing),
            next: standing.deadline.map(|deadline| next(policy, now, deadline)),
            trouble: standing.trouble.map(|fault| fault.words.clone()),
            trouble_since: standing.trouble.map(|fault| fault.since.to_string()),
            locator_fault: desk.board().locator.fault().map(Failing::from),
            collectors: standing.collectors().map(Collecting::from).collect(),
            queues: work::queues(desk, standing),
            // Who asks for nothing runs none.
            hooks: if desk.gate.is_dry() { Vec::new() } else { work::hooks(desk.ports()) },
        }
    }
}

pub(super) fn held(desk: &Desk, standing: &Standing<'_>) -> Option<Held> {
    let held = standing.engine.held(standing.now)?;
    let because = match desk.holder {
        None => "earlier",
        Some(holder) if holder.lost_state => "state-lost",
        Some(_) => "operator",
    };
    Some(Held {
        lasts: held.lasts,
        uid: desk.holder.and_then(|holder| holder.uid),
        since: desk.holder.map(|holder| holder.since.to_string()),
        because: because.to_owned(),
    })
}

fn indicator(desk: &Desk, standing: &Standing<'_>, id: IndicatorId) -> Indicator {
    let written = &standing.engine.policy().indicators()[id];
    let view = standing.engine.indicator(id);
    let is_known = view.value.is_some();
    Indicator {
        name: written.name.clone(),
        value: view.value,
        unit: written.unit.as_deref().map(str::to_owned),
        age: view.polled.map(|polled: Mono| standing.now.mono.since(polled)),
        unknown: view.why.map(|why| why.name().to_owned()),
        unknown_since: desk.counts().unknown_since(id).filter(|_| !is_known).map(|since| since.to_string()),
        fault: desk.board().probe(&written.name).filter(|_| !is_known).map(Failing::from),
        missing: view.missing,
        probed: view.probed,
        every: written.every,
    }
}

fn request(policy: &Policy, open: OpenView) -> Open {
    let host = |id| policy.hosts()[id].name.clone();
    Open {
        id: open.request.id.0,
        rule: match open.origin {
            Origin::Rule(rule) => policy.rules()[rule].name.clone(),
            Origin::Drain => "drain".to_owned(),
            Origin::Operator => "operator".to_owned(),
        },
        from: host(open.request.from),
        to: host(open.request.to),
        stage: open.stage.name().to_owned(),
        age: open.age,
        left: open.left,
    }
}

fn next(policy: &Policy, now: Now, deadline: Deadline) -> Next {
    let indicator = |id| Some(policy.indicators()[id].name.clone());
    let (cause, of) = match deadline.cause {
        Cause::Poll(id) => ("poll", indicator(id)),
        Cause::Late(id) => ("late", indicator(id)),
        Cause::Settled => ("settled", None),
        Cause::Confirm => ("confirm", None),
        Cause::Locate => ("locate", None),
        Cause::Window(id) => ("window", Some(policy.windows()[id].name.clone())),
        Cause::Rule(id) => ("rule", Some(policy.rules()[id].name.clone())),
        Cause::Drain => ("drain", None),
        Cause::Claim(id) => ("claim", Some(policy.queues()[id].name.clone())),
    };
    Next { within: deadline.at.since(now.mono), cause: cause.to_owned(), of }
}
