//! What each rule waits for, and what speaks against each host, as an answer.

use super::desk::{Desk, Standing};
use super::status::{Held, held};
use crate::spans::{maybe_number, maybe_seconds, number, wall};
use serde::{Deserialize, Serialize};
use vmpolicy_core::engine::Wait;
use vmpolicy_core::id::RuleId;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::output::{Output, Verdict};
use vmpolicy_core::policy::Condition;
use vmpolicy_core::time::{Span, Wall};

/// So many hosts are told of, and so many candidates of each rule: who asks must not keep the loop busy with a policy of
/// tens of thousands. The rest is counted.
const HOSTS_MAX: usize = 256;
const CANDIDATES_MAX: usize = 64;

/// Why nothing happens, or what is about to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// Now, by the daemon's clock.
    #[serde(with = "wall")]
    pub at: Wall,
    /// The guest.
    pub guest: String,
    /// Where it is, where that is known.
    pub host: Option<String>,
    /// What holds the guest: an operator, or that its state was lost.
    #[serde(default)]
    pub hold: Option<Held>,
    /// Each rule, in the order of the policy file.
    pub rules: Vec<RuleNow>,
    /// Each host of the policy, up to 256.
    pub hosts: Vec<HostNow>,
    /// How many more there are.
    pub more_hosts: usize,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleNow {
    /// Its name.
    pub rule: String,
    /// Its condition, as written.
    pub when: String,
    /// What that says now: `breach` (true), `clear` or `unknown`.
    pub is: String,
    /// Every comparison and window of it.
    pub conditions: Vec<ConditionNow>,
    /// How far its counter is: samples, or seconds where `counts` says so.
    #[serde(serialize_with = "number")]
    pub counter: f64,
    /// What the counter is held to, as written.
    pub tarry: String,
    /// `samples` or `seconds`.
    pub counts: String,
    /// Its action, as written.
    #[serde(rename = "do")]
    pub action: String,
    /// What it waits for: `request`, `settling`, `resting`, `rests`, `unknown`, `clear`, `tarry`, `done`, `already-there`,
    /// `held`, `paused` or `sample`.
    pub waits: String,
    /// What holds it back, or which rule rests.
    pub by: Option<String>,
    /// For how much longer, where that is known.
    #[serde(with = "maybe_seconds", rename = "for")]
    pub lasts: Option<Span>,
    /// Where it would lead now.
    pub to: Option<String>,
    /// What is thought of each candidate, in the order in which they are looked at, up to 64.
    pub hosts: Vec<Candidate>,
    /// How many more there are.
    pub more_hosts: usize,
}

/// A comparison or window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionNow {
    /// As written.
    pub when: String,
    /// What it sees.
    #[serde(serialize_with = "maybe_number")]
    pub saw: Option<f64>,
    /// What that is: `breach` (true), `clear` or `unknown`.
    pub is: String,
    /// Why it is unknown, where the indicator says so.
    pub unknown: Option<String>,
}

/// What is thought of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its name.
    pub host: String,
    /// The verdict, as in records.
    pub verdict: String,
    /// For how much longer, where it is a matter of time.
    #[serde(with = "maybe_seconds", rename = "for")]
    pub lasts: Option<Span>,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostNow {
    /// Its name.
    pub host: String,
    /// Its array.
    pub array: String,
    /// Whether it is the array's base.
    pub base: bool,
    /// The verdict, as in records, whatever a rule may say.
    pub verdict: String,
    /// For how much longer, where it is a matter of time.
    #[serde(with = "maybe_seconds", rename = "for")]
    pub lasts: Option<Span>,
}

impl Why {
    pub(super) fn of(desk: &Desk, standing: &Standing<'_>) -> Self {
        let Standing { now, engine, .. } = *standing;
        let policy = engine.policy();
        let mut out = Output::default();
        Self {
            at: now.wall,
            guest: desk.guest.clone(),
            host: engine.location().map(|id| policy.hosts()[id].name.clone()),
            hold: held(desk, standing),
            rules: policy.rules().ids().map(|id| rule(standing, id, &mut out)).collect(),
            hosts: policy
                .hosts()
                .iter()
                .take(HOSTS_MAX)
                .map(|(id, host)| {
                    let verdict = engine.verdict(now, id);
                    HostNow {
                        host: host.name.clone(),
                        array: policy.arrays()[host.array].name.clone(),
                        base: host.is_base,
                        verdict: verdict.name().to_owned(),
                        lasts: verdict.lasts(),
                    }
                })
                .collect(),
            more_hosts: policy.hosts().len().saturating_sub(HOSTS_MAX),
        }
    }
}

fn rule(standing: &Standing<'_>, id: RuleId, out: &mut Output) -> RuleNow {
    let Standing { now, engine, .. } = *standing;
    let policy = engine.policy();
    let outlook = engine.outlook(now, id, out);
    let rule = &policy.rules()[id];
    let name = |rule: RuleId| policy.rules()[rule].name.clone();
    let (by, lasts) = match outlook.waits {
        Wait::Request(id) => (Some(id.to_string()), engine.open(now).map(|open| open.left)),
        Wait::Settling(lasts) | Wait::Paused(lasts) => (None, Some(lasts)),
        Wait::Resting(resting) => (Some(name(resting)), None),
        Wait::Held(by, lasts) => (Some(by.name().to_owned()), lasts),
        _ => (None, None),
    };
    let time = matches!(rule.tarry, Tarry::Lasting(_)) || rule.is_clock_only();
    let counter = outlook.because.counter;
    let conditions = out.seen.get(outlook.because.seen()).unwrap_or_default().iter().filter_map(|seen| {
        let leaf = rule.when.leaf(seen.leaf)?;
        let unknown = match leaf {
            Condition::Indicator { indicator, .. } => engine.indicator(*indicator).why,
            _ => None,
        };
        Some(ConditionNow {
            when: policy.show(leaf).to_string(),
            saw: seen.value,
            is: seen.truth.name().to_owned(),
            unknown: unknown.map(|why| why.name().to_owned()),
        })
    });
    let verdicts = out.verdicts.get(outlook.because.verdicts()).unwrap_or_default();
    RuleNow {
        rule: rule.name.clone(),
        when: policy.show(&rule.when).to_string(),
        is: outlook.truth.name().to_owned(),
        conditions: conditions.collect(),
        counter: if time { Span::from_millis(counter).as_secs_f64() } else { counter as f64 },
        tarry: rule.tarry.to_string(),
        counts: if time { "seconds" } else { "samples" }.to_owned(),
        action: policy.show_action(rule.action).to_string(),
        waits: outlook.waits.name().to_owned(),
        by,
        lasts,
        to: outlook.to.map(|host| policy.hosts()[host].name.clone()),
        more_hosts: verdicts.len().saturating_sub(CANDIDATES_MAX),
        hosts: verdicts
            .iter()
            .take(CANDIDATES_MAX)
            .map(|&(host, verdict): &(_, Verdict)| Candidate {
                host: policy.hosts()[host].name.clone(),
                verdict: verdict.name().to_owned(),
                lasts: verdict.lasts(),
            })
            .collect(),
    }
}
