//! What counts as a breach, for all candidates alike.
//!
//! A backtest's own breach time is by the policy's own thresholds: raise them, and there is none. To compare
//! policies whose thresholds differ, the breach must be told by something that stays: the conditions under which the
//! policy moves now, or one that the user gives.
//!
//! And it must depend on what a policy does. A recording does not react: a breach lasts as long as it
//! lasted, wherever the guest goes. So what is counted is the time in breach that the guest sat out: from the
//! beginning of a breach until it has moved to another host of a ring, or the breach is over. A move to a base does
//! not answer a breach, and takes the answer back.

use crate::backtest::{BacktestError, Options, Sink, Trace, run};
use crate::file::parse;
use crate::id::{IndicatorId, Table};
use crate::leaf::tarry::Tarry;
use crate::output::{Event, Output};
use crate::policy::{Action, Located, Policy, PolicyError, PolicyFile, Rule, Zones};
use crate::time::{Mono, Span, Wall};
use std::sync::Arc;

/// What counts as a breach: a policy that only watches.
#[derive(Clone, Debug)]
pub struct Yardstick {
    watcher: Arc<Policy>,
    says: String,
}

/// Why there is nothing to measure breaches by.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum YardstickError {
    /// No rule says when the guest does badly.
    #[error("no rule with the action `move` reads `{indicator}`, so nothing says what a breach is")]
    NoRule {
        /// The indicator of the recording.
        indicator: String,
    },
    /// Not a condition.
    #[error("`{text}` is no condition: {why}")]
    Condition {
        /// What was written.
        text: String,
        /// Why.
        why: String,
    },
    /// A condition that the recording says nothing about.
    #[error("`{text}` does not read `{indicator}`, which the recording feeds")]
    Blind {
        /// What was written.
        text: String,
        /// The indicator of the recording.
        indicator: String,
    },
}

impl Yardstick {
    /// Breach by the present policy: while a rule is true whose action is `move`. While it rests there is none: nobody is
    /// served then.
    ///
    /// # Errors
    ///
    /// Where no such rule reads the indicator.
    pub fn present(policy: &Policy, indicator: IndicatorId) -> Result<Self, YardstickError> {
        let moves = policy.rules().rows().iter();
        let moves: Vec<Rule> =
            moves.filter(|rule| rule.action == Action::Move && rule.reads(indicator)).cloned().collect();
        if moves.is_empty() {
            let indicator = policy.indicators()[indicator].name.clone();
            return Err(YardstickError::NoRule { indicator });
        }
        let says: Vec<_> = moves.iter().map(|rule| policy.show(&rule.when).to_string()).collect();
        Ok(Self { watcher: watcher(policy, &moves), says: says.join(", or ") })
    }

    /// Breach by a condition, as a policy file has it; again with none at rest. `policy` must have been built from `file`.
    ///
    /// # Errors
    ///
    /// Where it can't be read, names what the policy has not, or does not read the indicator.
    pub fn given(
        text: &str,
        file: &PolicyFile,
        policy: &Policy,
        zones: &dyn Zones,
        indicator: IndicatorId,
    ) -> Result<Self, YardstickError> {
        let wrong = |why: String| YardstickError::Condition { text: text.to_owned(), why };
        if text.contains(['\n', '\r']) {
            return Err(wrong("it goes on over the end of the line".to_owned()));
        }
        // A scalar is quoted, so that nothing in it is YAML's; all else is `{ all: [...] }` or the like.
        let quoted = if text.trim_start().starts_with('{') {
            text.to_owned()
        } else {
            format!("'{}'", text.replace('\'', "''"))
        };
        let yaml = format!(
            "version: 1\narrays: {{ a: {{ hosts: [b] }} }}\nrules:\n- name: breach\n  when: {quoted}\n  do: move\n"
        );
        let mut parsed = parse(yaml.as_bytes());
        if let Some(problem) = parsed.problems.first() {
            return Err(wrong(problem.message.clone()));
        }
        let form = parsed.file.rules.pop().filter(|_| parsed.file.rules.is_empty());
        let mut form = form.ok_or_else(|| wrong("it is more than one".to_owned()))?;
        // No rule of a policy has such a name: a name has no line break.
        form.name = Located::made("breach".to_owned());
        let only = PolicyFile { rules: vec![form], ..file.clone() };
        let built = only.build(zones).map_err(|errors: Vec<PolicyError>| {
            wrong(errors.first().map_or_else(String::new, |error| error.kind.to_string()))
        })?;
        // The tables are the same, so what the ids say is, too.
        let rules = built.rules().rows();
        if !rules.iter().any(|rule| rule.reads(indicator)) {
            let indicator = policy.indicators()[indicator].name.clone();
            return Err(YardstickError::Blind { text: text.to_owned(), indicator });
        }
        let says = rules.iter().map(|rule| policy.show(&rule.when).to_string()).collect();
        Ok(Self { watcher: watcher(policy, rules), says })
    }

    /// The condition in the words of the policy file.
    #[must_use]
    pub fn says(&self) -> &str {
        &self.says
    }

    /// The breaches of a trace, in order and apart, in time since its beginning; and every known sample.
    pub(super) fn watch(
        &self,
        trace: &Trace,
        options: &Options,
        samples: &mut Vec<f64>,
    ) -> Result<Vec<Breach>, BacktestError> {
        let (from, _) = trace.span().ok_or(BacktestError::NoRows)?;
        let mut watch = Watch { from, since: None, breaches: Vec::new(), samples };
        let summary = run(&self.watcher, trace, options, &mut watch)?;
        watch.turn(Mono::default().plus(summary.lasts()), false);
        Ok(watch.breaches)
    }
}

/// The policy with only its rests, and these rules, none of which ever acts.
fn watcher(policy: &Policy, rules: &[Rule]) -> Arc<Policy> {
    let rests = policy.rules().rows().iter().filter(|rule| matches!(rule.action, Action::Rest(_)));
    let idle =
        |rule: &Rule| Rule { tarry: Tarry::Consecutive(u32::MAX), action: Action::Move, ..rule.clone() };
    let all = rests.cloned().chain(rules.iter().map(idle)).collect();
    let mut policy = policy.clone();
    policy.rules = Table::new(all);
    Arc::new(policy)
}

/// A breach, from when until when.
pub(super) type Breach = (Mono, Mono);

/// Notes when the watcher is in breach, by its sink.
struct Watch<'s> {
    from: Wall,
    since: Option<Mono>,
    breaches: Vec<Breach>,
    samples: &'s mut Vec<f64>,
}

impl Watch<'_> {
    fn turn(&mut self, at: Mono, breach: bool) {
        match self.since {
            None if breach => self.since = Some(at),
            Some(since) if !breach => {
                self.since = None;
                self.breaches.push((since, at));
            }
            _ => {}
        }
    }
}

impl Sink for Watch<'_> {
    fn take(&mut self, output: &Output) {
        // At rest nothing is polled, so nobody else ends the breach.
        if let Some(rest) = output.records.iter().find(|record| matches!(record.event, Event::Rest { .. })) {
            self.turn(Mono::default().plus(rest.at.since(self.from)), false);
        }
    }

    fn sample(&mut self, at: Wall, value: Option<f64>, in_breach: bool) {
        self.samples.extend(value);
        self.turn(Mono::default().plus(at.since(self.from)), in_breach);
    }
}

/// The time in these breaches that the guest sat out, given its arrivals in time order: when, and whether at a
/// host of a ring.
pub(super) fn sat_out(breaches: &[Breach], arrivals: &[(Mono, bool)]) -> Span {
    let mut total = 0_u64;
    let mut next = 0;
    for &(from, to) in breaches {
        let mut waits = Some(from);
        while let Some(&(at, in_ring)) = arrivals.get(next)
            && at < to
        {
            next += 1;
            if at < from {
                continue;
            }
            match waits {
                Some(since) if in_ring => {
                    total = total.saturating_add(at.since(since).millis());
                    waits = None;
                }
                None if !in_ring => waits = Some(at),
                _ => {}
            }
        }
        total = total.saturating_add(waits.map_or(0, |since| to.since(since).millis()));
    }
    Span::from_millis(total)
}

/// Notes where the guest arrives.
pub(super) struct Arrivals<'a> {
    policy: &'a Policy,
    from: Wall,
    pub(super) all: Vec<(Mono, bool)>,
}

impl<'a> Arrivals<'a> {
    pub(super) const fn new(policy: &'a Policy, from: Wall) -> Self {
        Self { policy, from, all: Vec::new() }
    }
}

impl Sink for Arrivals<'_> {
    fn take(&mut self, output: &Output) {
        for record in &output.records {
            if let Event::Confirmed { at_host, .. } = record.event {
                let at = Mono::default().plus(record.at.since(self.from));
                self.all.push((at, !self.policy.hosts()[at_host].is_base));
            }
        }
    }
}
