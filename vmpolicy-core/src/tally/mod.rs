//! What is counted while a policy runs: on a recording, in a simulated world, or in the daemon, for its metrics.
//!
//! Nothing is counted in the engine: this looks on. Times are since the beginning, on one clock that only advances.

mod summary;

pub use summary::{HostSummary, RuleSummary, Summary};

use crate::engine::Engine;
use crate::id::{HostId, IndicatorId, RuleId, Table};
use crate::input::Absence;
use crate::leaf::cost::{Ledger, Spent};
use crate::leaf::logic::Truth;
use crate::output::{Event, Origin, Output};
use crate::policy::{Action, Policy};
use crate::time::{Mono, Span, Wall};
use std::collections::VecDeque;
use std::sync::Arc;

const HOUR: Span = Span::from_hours(1);

/// What a run has come to so far.
#[derive(Clone, Debug)]
pub struct Tally {
    policy: Arc<Policy>,
    fed: Option<IndicatorId>,
    polls: u64,
    absent: Vec<(Absence, u64)>,
    baselines: u64,
    /// Whether the last poll made the guest rest or wake, so that what it said is forgotten.
    upset: bool,
    /// The rules that read the fed indicator, and what the last poll said of each.
    watched: Vec<Watched>,
    /// What the rules with the action `move` say together, and since when: Breach where any is true, Unknown where
    /// none is and nobody can tell of all.
    service: Truth,
    service_since: Mono,
    breach: Span,
    unjudged: Span,
    /// Whether a sample was known at the last poll, and since when that is so; none where nobody looks.
    known: Option<bool>,
    known_since: Mono,
    unknown: Span,
    at: Option<HostId>,
    rests: bool,
    /// Since when the guest is there and so.
    stay_since: Mono,
    resting: Span,
    requests: u64,
    moves: u64,
    failed: u64,
    refused: u64,
    expired: u64,
    last_hour: VecDeque<Mono>,
    busiest_hour: usize,
    rules: Table<RuleId, RuleSummary>,
    hosts: Table<HostId, HostSummary>,
    cost: Option<Ledger>,
    unpriced: Span,
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    rule: RuleId,
    /// Whether the rule's action is `move`: the guest's service does badly while it is true.
    moves: bool,
    truth: Option<Truth>,
    since: Mono,
}

impl Tally {
    /// Nothing counted yet. `fed` is the indicator that is polled, or none where it is each that the policy has.
    #[must_use]
    pub fn new(policy: &Arc<Policy>, fed: Option<IndicatorId>, at: Option<HostId>) -> Self {
        let rules = policy.rules();
        let reads = |&id: &RuleId| match fed {
            Some(fed) => rules[id].reads(fed),
            None => policy.indicators().ids().any(|indicator| rules[id].reads(indicator)),
        };
        let mut summaries = Table::new(vec![RuleSummary::default(); rules.len()]);
        for id in rules.ids().filter(reads) {
            summaries[id].sampled = true;
        }
        let watch = |rule| {
            let moves = rules[rule].action == Action::Move;
            Watched { rule, moves, truth: None, since: Mono(0) }
        };
        let priced = policy.arrays().rows().iter().any(|array| array.price.is_some());
        Self {
            policy: Arc::clone(policy),
            fed,
            polls: 0,
            absent: Vec::new(),
            baselines: 0,
            upset: false,
            watched: rules.ids().filter(reads).map(watch).collect(),
            service: Truth::Unknown,
            service_since: Mono(0),
            breach: Span::ZERO,
            unjudged: Span::ZERO,
            known: None,
            known_since: Mono(0),
            unknown: Span::ZERO,
            at,
            rests: false,
            stay_since: Mono(0),
            resting: Span::ZERO,
            requests: 0,
            moves: 0,
            failed: 0,
            refused: 0,
            expired: 0,
            last_hour: VecDeque::new(),
            busiest_hour: 0,
            rules: summaries,
            hosts: Table::new(vec![HostSummary::default(); policy.hosts().len()]),
            cost: priced.then(Ledger::default),
            unpriced: Span::ZERO,
        }
    }

    /// The engine has taken another policy. What was counted of rules and hosts that it has too, by name, goes on.
    pub fn adopt(&mut self, at: Mono, policy: &Arc<Policy>, fed: Option<IndicatorId>, engine: &Engine) {
        self.blind(at);
        self.close_service(at);
        self.close_stay(at);
        let mut next = Self::new(policy, fed, engine.location());
        for (id, rule) in self.policy.rules().iter() {
            if let Some(same) = policy.rule_named(&rule.name) {
                let sampled = next.rules[same].sampled || self.rules[id].sampled;
                next.rules[same] = RuleSummary { sampled, ..self.rules[id] };
            }
        }
        for (id, host) in self.policy.hosts().iter() {
            if let Some(same) = policy.host_named(&host.name) {
                next.hosts[same] = self.hosts[id];
            }
        }
        next.cost = self.cost.or(next.cost);
        next.rests = engine.resting().is_some();
        (next.stay_since, next.service_since) = (at, at);
        let before = std::mem::replace(self, next);
        (self.polls, self.absent, self.baselines) = (before.polls, before.absent, before.baselines);
        (self.breach, self.unjudged) = (before.breach, before.unjudged);
        (self.unknown, self.resting) = (before.unknown, before.resting);
        (self.requests, self.moves, self.failed) = (before.requests, before.moves, before.failed);
        (self.refused, self.expired) = (before.refused, before.expired);
        (self.last_hour, self.busiest_hour) = (before.last_hour, before.busiest_hour);
        self.unpriced = before.unpriced;
    }

    /// The fed indicator is about to be polled.
    #[inline]
    pub const fn polling(&mut self) {
        self.upset = false;
    }

    /// The fed indicator was polled. Says whether what it said holds: not where it made the guest rest or wake.
    #[inline]
    pub fn polled(
        &mut self,
        at: Mono,
        indicator: IndicatorId,
        value: Result<f64, Absence>,
        engine: &Engine,
    ) -> bool {
        self.polls += 1;
        if self.upset {
            if let Err(why) = value {
                self.absent(why);
            }
            return false;
        }
        let known = engine.value(indicator).is_some();
        let all_known = match self.fed {
            Some(_) => known,
            None => known && self.policy.indicators().ids().all(|id| engine.value(id).is_some()),
        };
        if self.known != Some(all_known) && self.fed.is_none_or(|fed| fed == indicator) {
            self.turn_known(at, Some(all_known));
        }
        match value {
            _ if known => {}
            Ok(_) => self.baselines += 1,
            Err(why) => self.absent(why),
        }
        self.judged(at, engine);
        true
    }

    /// The fed indicator was polled, and nobody answers.
    #[cfg(feature = "sim")]
    pub(crate) fn unanswered(&mut self) {
        self.polls += 1;
        self.absent(Absence::Late);
    }

    /// Whether any `move` rule was true at the last poll.
    #[inline]
    #[must_use]
    pub const fn in_breach(&self) -> bool {
        matches!(self.service, Truth::Breach)
    }

    /// An indicator was polled: what the rules make of it.
    #[inline]
    pub fn judged(&mut self, at: Mono, engine: &Engine) {
        for index in 0..self.watched.len() {
            let watched = self.watched[index];
            let truth = engine.is_judged(watched.rule).then(|| engine.truth(watched.rule));
            if watched.truth != truth {
                self.turn_truth(index, at, truth);
            }
        }
    }

    #[cold]
    fn turn_truth(&mut self, index: usize, at: Mono, truth: Option<Truth>) {
        let watched = &mut self.watched[index];
        let (lasted, rule) = (at.since(watched.since), &mut self.rules[watched.rule]);
        match watched.truth {
            Some(Truth::Breach) => add(&mut rule.breach, lasted),
            Some(Truth::Clear) => add(&mut rule.clear, lasted),
            Some(Truth::Unknown) => add(&mut rule.unknown, lasted),
            None => {}
        }
        (watched.truth, watched.since) = (truth, at);
        let moving = self.watched.iter().filter(|rule| rule.moves);
        let service = moving.map(|rule| rule.truth.unwrap_or(Truth::Unknown)).fold(Truth::Clear, Truth::or);
        if service != self.service {
            self.close_service(at);
            self.service = service;
        }
    }

    fn close_service(&mut self, at: Mono) {
        let lasted = at.since(self.service_since);
        match self.service {
            Truth::Breach => add(&mut self.breach, lasted),
            Truth::Unknown => add(&mut self.unjudged, lasted),
            Truth::Clear => {}
        }
        self.service_since = at;
    }

    #[cold]
    fn absent(&mut self, why: Absence) {
        match self.absent.iter_mut().find(|(absence, _)| *absence == why) {
            Some((_, count)) => *count += 1,
            None => self.absent.push((why, 1)),
        }
    }

    #[cold]
    fn turn_known(&mut self, at: Mono, known: Option<bool>) {
        if self.known == Some(false) {
            add(&mut self.unknown, at.since(self.known_since));
        }
        (self.known, self.known_since) = (known, at);
    }

    /// A step has recorded something: the guest may be elsewhere, or rest.
    pub fn recorded(&mut self, at: Mono, out: &Output, engine: &Engine) {
        for record in &out.records {
            self.event(at, record.event);
        }
        let (location, rests) = (engine.location(), engine.resting().is_some());
        if location != self.at || rests != self.rests {
            self.close_stay(at);
            if let Some(host) = location
                && self.at != location
            {
                self.hosts[host].arrivals += 1;
            }
            (self.at, self.rests) = (location, rests);
        }
    }

    fn event(&mut self, at: Mono, event: Event) {
        let of_rule = |origin| if let Origin::Rule(rule) = origin { Some(rule) } else { None };
        match event {
            Event::Request { origin, .. } => {
                self.requests += 1;
                if let Some(rule) = of_rule(origin) {
                    self.rules[rule].requests += 1;
                }
                self.last_hour.push_back(at);
                while self.last_hour.front().is_some_and(|&first| at.since(first) >= HOUR) {
                    self.last_hour.pop_front();
                }
                self.busiest_hour = self.busiest_hour.max(self.last_hour.len());
            }
            Event::Confirmed { .. } => self.moves += 1,
            Event::Refused { .. } | Event::Failed { .. } | Event::Expired { .. } => {
                self.failed += 1;
                self.refused += u64::from(matches!(event, Event::Refused { .. }));
                self.expired += u64::from(matches!(event, Event::Expired { .. }));
            }
            Event::Held { origin, .. } => {
                if let Some(rule) = of_rule(origin) {
                    self.rules[rule].held += 1;
                }
            }
            Event::AlreadyThere { origin, .. } => {
                if let Some(rule) = of_rule(origin) {
                    self.rules[rule].already_there += 1;
                }
            }
            Event::NoBetterHost { rule, .. } => self.rules[rule].no_better_host += 1,
            Event::Rest { .. } => {
                self.blind(at);
                self.upset = true;
            }
            Event::Wake { .. } => self.upset = true,
            Event::Void { .. } | Event::Unknown { .. } | Event::Hook(_) | Event::Reload { .. } => {}
        }
    }

    /// Nobody looks any longer: what the last poll said does not hold.
    pub(crate) fn blind(&mut self, at: Mono) {
        self.turn_known(at, None);
        for index in 0..self.watched.len() {
            self.turn_truth(index, at, None);
        }
    }

    fn close_stay(&mut self, at: Mono) {
        let lasted = at.since(self.stay_since);
        self.stay_since = at;
        if self.rests {
            add(&mut self.resting, lasted);
        }
        let Some(id) = self.at else { return };
        let host = &self.policy.hosts()[id];
        add(&mut self.hosts[id].lasted, lasted);
        let price = self.policy.arrays()[host.array].price;
        match (&mut self.cost, price) {
            (Some(ledger), Some(price)) => match (host.is_base, self.rests) {
                (false, _) => ledger.add(Spent::Array, price.host, lasted),
                (true, false) => ledger.add(Spent::Base, price.base, lasted),
                (true, true) => ledger.add(Spent::ScheduledBase, price.base, lasted),
            },
            (Some(_), None) => add(&mut self.unpriced, lasted),
            (None, _) => {}
        }
    }

    /// What it came to by its end, which is as long after 0 as `to` after `from`.
    #[must_use]
    pub fn finish(mut self, engine: &Engine, (from, to): (Wall, Wall), stale: Span) -> Summary {
        let end = Mono::default().plus(to.since(from));
        self.blind(end);
        self.close_service(end);
        self.close_stay(end);
        let moves = self.watched.iter().any(|rule| rule.moves);
        self.absent.sort_by_key(|&(why, _)| Absence::ALL.iter().position(|&other| other == why));
        Summary {
            from,
            to,
            stale,
            polls: self.polls,
            absent: self.absent,
            baselines: self.baselines,
            unknown: self.unknown,
            breach: moves.then_some(self.breach),
            unjudged: moves.then_some(self.unjudged),
            resting: self.resting,
            requests: self.requests,
            moves: self.moves,
            failed: self.failed,
            refused: self.refused,
            expired: self.expired,
            open: engine.open_request().is_some(),
            busiest_hour: self.busiest_hour as u64,
            rules: self.rules,
            hosts: self.hosts,
            cost: self.cost,
            unpriced: self.unpriced,
        }
    }
}

fn add(sum: &mut Span, more: Span) {
    *sum = Span::from_millis(sum.millis().saturating_add(more.millis()));
}
