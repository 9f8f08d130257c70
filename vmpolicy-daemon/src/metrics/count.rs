//! What is counted: from events, inputs, outputs and records, never in the engine.

use super::text::{Histogram, Kind, Page};
use crate::actuator::Gate;
use crate::control::{Desk, Standing};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use vmpolicy_core::id::{Id, IndicatorId};
use vmpolicy_core::input::Absence;
use vmpolicy_core::output::{Discontinuity, Event, Output, Record};
use vmpolicy_core::tally::{Summary, Tally};
use vmpolicy_core::time::{Mono, Now, Span, Wall};
use vmpolicy_core::{Engine, Input, Policy};

/// How long probes take: most a millisecond, the slowest seconds.
const PROBE_SECONDS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// How late the loop is: it waits for disks, and for readers of records up to a quarter of a second.
const LAG_SECONDS: &[f64] = &[0.001, 0.01, 0.05, 0.1, 0.25, 1.0, 10.0];

/// How requests end.
const OUTCOMES: [&str; 4] = ["confirmed", "refused", "failed", "expired"];

/// What is counted since the daemon has started.
#[derive(Debug)]
pub struct Counts {
    began: Now,
    tally: Tally,
    policy: Arc<Policy>,
    indicators: Vec<Polled>,
    outcomes: [u64; 4],
    foreign: u64,
    events: BTreeMap<&'static str, u64>,
    lag: Histogram,
    deadline: Option<Mono>,
    reload: Option<(Wall, bool)>,
}

/// What is counted of an indicator.
#[derive(Clone, Debug)]
struct Polled {
    name: String,
    /// The last poll that was counted.
    last: Option<Mono>,
    /// Since when there is no sample.
    unknown_since: Option<Wall>,
    samples: u64,
    absent: BTreeMap<&'static str, u64>,
    took: Histogram,
}

impl Polled {
    fn new(name: &str) -> Self {
        let took = Histogram::new(PROBE_SECONDS);
        Self {
            name: name.to_owned(),
            last: None,
            unknown_since: None,
            samples: 0,
            absent: BTreeMap::new(),
            took,
        }
    }
}

impl Counts {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(policy: &Arc<Policy>, now: Now) -> Self {
        Self {
            began: now,
            tally: Tally::new(policy, None, None),
            policy: Arc::clone(policy),
            indicators: policy.indicators().iter().map(|(_, written)| Polled::new(&written.name)).collect(),
            outcomes: [0; 4],
            foreign: 0,
            events: BTreeMap::new(),
            lag: Histogram::new(LAG_SECONDS),
            deadline: None,
            reload: None,
        }
    }

    /// Another policy is in force. What has the same name goes on.
    pub fn adopt(&mut self, engine: &Engine, now: Now) {
        let at = self.since(now);
        self.policy = Arc::clone(engine.policy());
        self.tally.adopt(at, &self.policy, None, engine);
        let mut before = std::mem::take(&mut self.indicators);
        for (id, written) in self.policy.indicators().iter() {
            let known = before.iter().position(|polled| polled.name == written.name);
            let mut polled =
                known.map_or_else(|| Polled::new(&written.name), |known| before.swap_remove(known));
            // What a state remembers was counted, or happened before this daemon's time.
            polled.last = engine.indicator(id).polled;
            self.indicators.push(polled);
        }
    }

    /// The policy file was read, and taken or not.
    pub const fn reloaded(&mut self, at: Wall, taken: bool) {
        self.reload = Some((at, taken));
    }

    /// Since when an indicator is unknown, as far as was seen.
    #[must_use]
    pub fn unknown_since(&self, indicator: IndicatorId) -> Option<Wall> {
        self.indicators.get(indicator.index())?.unknown_since
    }

    /// A probe has answered: how long it took, and how long ago that was.
    pub fn probed(&mut self, indicator: IndicatorId, took: Duration, taken: Mono, now: Now) {
        if let Some(polled) = self.indicators.get_mut(indicator.index()) {
            polled.took.add(took);
        }
        let waited = Duration::from_millis(now.mono.since(taken).millis()).saturating_sub(took);
        self.lag.add(waited);
    }

    /// The engine has taken an input.
    pub fn turned(&mut self, standing: &Standing<'_>, input: &Input, output: &Output) {
        let Standing { now, engine, deadline, .. } = *standing;
        if let (Input::Tick, Some(due)) = (input, self.deadline)
            && due <= now.mono
        {
            self.lag.add(Duration::from_millis(now.mono.since(due).millis()));
        }
        self.deadline = deadline.map(|deadline| deadline.at);
        let at = self.since(now);
        self.tally.polling();
        self.tally.recorded(at, output, engine);
        for record in &output.records {
            self.event(record);
        }
        let mut polled = false;
        for (counted, id) in self.indicators.iter_mut().zip(self.policy.indicators().ids()) {
            let view = engine.indicator(id);
            if view.polled.is_none() || view.polled == counted.last {
                counted.last = view.polled;
                continue;
            }
            (counted.last, polled) = (view.polled, true);
            match (view.value, view.why) {
                (Some(_), _) => (counted.unknown_since, counted.samples) = (None, counted.samples + 1),
                (None, Some(why)) => {
                    counted.unknown_since = counted.unknown_since.or(Some(now.wall));
                    *counted.absent.entry(why.name()).or_default() += 1;
                }
                // A baseline is no sample, and nothing is wrong with it.
                (None, None) => {}
            }
        }
        if polled {
            self.tally.judged(at, engine);
        }
    }

    fn event(&mut self, record: &Record) {
        let name = record.event.name();
        *self.events.entry(name).or_default() += 1;
        if let Some(at) = OUTCOMES.iter().position(|outcome| *outcome == name) {
            self.outcomes[at] += 1;
        }
        if let Event::Void { why: Discontinuity::Moved { .. } } = record.event {
            self.foreign += 1;
        }
    }

    fn since(&self, now: Now) -> Mono {
        Mono::default().plus(now.mono.since(self.began.mono))
    }

    /// All of it, in the text format of Prometheus.
    #[must_use]
    pub fn text(&self, guest: &str, gate: Gate, standing: &Standing<'_>, desk: &Desk) -> String {
        let Standing { now, engine, .. } = *standing;
        let from = self.began.wall;
        let lasted = Span::from_millis(now.mono.since(self.began.mono).millis());
        let summary = self.tally.clone().finish(engine, (from, from.plus(lasted)), Span::ZERO);
        let mut page = Page::default();
        self.daemon(&mut page, guest, gate, standing);
        self.polls(&mut page, engine);
        self.rules(&mut page, &summary, engine);
        self.requests(&mut page, &summary, standing);
        self.whereabouts(&mut page, &summary, engine);
        super::collectors::write(&mut page, standing);
        super::work::write(&mut page, standing, desk);
        page.finish()
    }

    fn daemon(&self, page: &mut Page, guest: &str, gate: Gate, standing: &Standing<'_>) {
        let Standing { now, engine, trouble, .. } = *standing;
        let flag = |is: bool| f64::from(u8::from(is));
        page.metric("vmpolicy_build_info", Kind::Gauge, "The daemon's version; always 1.");
        page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        page.metric(
            "vmpolicy_guest_info",
            Kind::Gauge,
            "The guest, and whether its daemon acts (act, observe, dry-run); always 1.",
        );
        page.sample(&[("guest", guest), ("mode", gate.name())], 1.0);
        let began = self.began.wall.0 as f64 / 1_000.0;
        page.single(
            "vmpolicy_start_time_seconds",
            Kind::Gauge,
            "When the daemon has started, since the epoch.",
            began,
        );
        page.single(
            "vmpolicy_trouble",
            Kind::Gauge,
            "1 while state or records can't be written, so that no request leaves.",
            flag(trouble.is_some()),
        );
        page.single(
            "vmpolicy_held",
            Kind::Gauge,
            "1 while an operator holds the guest, or it is held as its state was lost.",
            flag(engine.held(now).is_some()),
        );
        page.single("vmpolicy_settling", Kind::Gauge, "1 while the guest settles after a move.", {
            flag(engine.settling(now).is_some())
        });
        page.single("vmpolicy_resting", Kind::Gauge, "1 while a rule rests.", {
            flag(engine.resting().is_some())
        });
        let (at, taken) = self.reload.unwrap_or((from_start(self.began), true));
        page.single(
            "vmpolicy_reload_success",
            Kind::Gauge,
            "1 where the policy file was taken when it was read last, 0 where the old policy stays in force.",
            flag(taken),
        );
        page.single(
            "vmpolicy_reload_time_seconds",
            Kind::Gauge,
            "When the policy file was read last, since the epoch.",
            at.0 as f64 / 1_000.0,
        );
        page.metric(
            "vmpolicy_loop_lag_seconds",
            Kind::Histogram,
            "How long what happens waits until the loop takes it.",
        );
        page.histogram(&[], &self.lag);
        page.metric("vmpolicy_records_total", Kind::Counter, "Records, by event.");
        for (event, count) in &self.events {
            page.sample(&[("event", event)], *count as f64);
        }
    }

    fn polls(&self, page: &mut Page, engine: &Engine) {
        page.metric("vmpolicy_samples_total", Kind::Counter, "Polls that gave a sample.");
        for polled in &self.indicators {
            page.sample(&[("indicator", &polled.name)], polled.samples as f64);
        }
        page.metric(
            "vmpolicy_unknown_total",
            Kind::Counter,
            "Polls that gave none, by cause; baselines are not among them.",
        );
        for polled in &self.indicators {
            for why in Absence::ALL {
                let count = polled.absent.get(why.name()).copied();
                // A cause that can be rated from its first time on, and not ten rows for each indicator.
                if count.is_some() || why == Absence::Missing {
                    let labels = [("indicator", polled.name.as_str()), ("cause", why.name())];
                    page.sample(&labels, count.unwrap_or(0) as f64);
                }
            }
        }
        page.metric("vmpolicy_indicator_known", Kind::Gauge, "1 where the last sample is known.");
        let views = || {
            let ids = self.policy.indicators().iter();
            ids.map(|(id, written)| (written.name.as_str(), engine.indicator(id)))
        };
        for (name, view) in views() {
            page.sample(&[("indicator", name)], f64::from(u8::from(view.value.is_some())));
        }
        page.metric("vmpolicy_indicator_value", Kind::Gauge, "The last sample, where it is known.");
        for (name, view) in views() {
            if let Some(value) = view.value {
                page.sample(&[("indicator", name)], value);
            }
        }
        page.metric("vmpolicy_probe_duration_seconds", Kind::Histogram, "How long the probe takes.");
        for polled in &self.indicators {
            page.histogram(&[("indicator", &polled.name)], &polled.took);
        }
    }

    fn rules(&self, page: &mut Page, summary: &Summary, engine: &Engine) {
        let rules = || self.policy.rules().iter();
        page.metric(
            "vmpolicy_rule_breach",
            Kind::Gauge,
            "1 where the rule's condition is true, 0 where it is not, NaN where that is not known.",
        );
        for (id, rule) in rules() {
            use vmpolicy_core::leaf::logic::Truth;
            let value = match engine.truth(id) {
                Truth::Breach => 1.0,
                Truth::Clear => 0.0,
                Truth::Unknown => f64::NAN,
            };
            page.sample(&[("rule", &rule.name)], value);
        }
        page.metric(
            "vmpolicy_rule_tarry_ratio",
            Kind::Gauge,
            "How far the rule's counter is towards its tarry; it acts at 1.",
        );
        for (id, rule) in rules() {
            page.sample(&[("rule", &rule.name)], progress(engine, id));
        }
        page.metric("vmpolicy_rule_requests_total", Kind::Counter, "Moves that the rule has asked for.");
        for (id, rule) in rules() {
            page.sample(&[("rule", &rule.name)], summary.rules[id].requests as f64);
        }
        page.metric("vmpolicy_rule_held_total", Kind::Counter, "How often the rule was held back.");
        for (id, rule) in rules() {
            page.sample(&[("rule", &rule.name)], summary.rules[id].held as f64);
        }
        page.single(
            "vmpolicy_breach_seconds_total",
            Kind::Counter,
            "For how long any rule was true whose action is `move`.",
            summary.breach.unwrap_or(Span::ZERO).as_secs_f64(),
        );
        page.single(
            "vmpolicy_resting_seconds_total",
            Kind::Counter,
            "For how long the guest rested.",
            summary.resting.as_secs_f64(),
        );
    }

    fn requests(&self, page: &mut Page, summary: &Summary, standing: &Standing<'_>) {
        let requests = summary.requests as f64;
        page.single("vmpolicy_requests_total", Kind::Counter, "Moves asked for.", requests);
        page.metric("vmpolicy_request_outcomes_total", Kind::Counter, "How requests have ended.");
        for (outcome, count) in OUTCOMES.iter().zip(self.outcomes) {
            page.sample(&[("outcome", outcome)], count as f64);
        }
        page.single("vmpolicy_moves_total", Kind::Counter, "Moves confirmed.", summary.moves as f64);
        page.single(
            "vmpolicy_foreign_moves_total",
            Kind::Counter,
            "Moves that the guest did not ask for.",
            self.foreign as f64,
        );
        let open = standing.engine.open(standing.now);
        page.single(
            "vmpolicy_open_requests",
            Kind::Gauge,
            "1 while a request is open.",
            f64::from(u8::from(open.is_some())),
        );
        page.single(
            "vmpolicy_open_request_age_seconds",
            Kind::Gauge,
            "How long ago the open request was asked for; 0 where none is open.",
            open.map_or(0.0, |open| open.age.as_secs_f64()),
        );
    }

    fn whereabouts(&self, page: &mut Page, summary: &Summary, engine: &Engine) {
        let policy = &self.policy;
        page.metric(
            "vmpolicy_location_info",
            Kind::Gauge,
            "The host that the guest is on; always 1, and absent where nobody knows.",
        );
        if let Some(id) = engine.location() {
            let host = &policy.hosts()[id];
            page.sample(&[("host", &host.name), ("array", &policy.arrays()[host.array].name)], 1.0);
        }
        page.metric(
            "vmpolicy_host_seconds_total",
            Kind::Counter,
            "Time spent on each host that was visited.",
        );
        for (id, host) in policy.hosts().iter() {
            let lasted = summary.hosts[id].lasted;
            if !lasted.is_zero() || summary.hosts[id].arrivals > 0 {
                page.sample(&[("host", &host.name)], lasted.as_secs_f64());
            }
        }
        if let Some(cost) = &summary.cost {
            page.metric(
                "vmpolicy_cost_total",
                Kind::Counter,
                "What was spent, in the currency of the policy's prices: in rings, at bases, at bases as scheduled.",
            );
            for (part, spent) in [("ring", cost.c_a), ("base", cost.c_b), ("scheduled-base", cost.c_sb)] {
                page.sample(&[("part", part)], spent);
            }
        }
    }
}

const fn from_start(began: Now) -> Wall {
    began.wall
}

/// How far a rule's counter is, as a share of its tarry, at most 1.
fn progress(engine: &Engine, id: vmpolicy_core::id::RuleId) -> f64 {
    use vmpolicy_core::leaf::tarry::Tarry;
    let view = engine.rule(id);
    let need = match view.tarry {
        Tarry::Consecutive(need) => f64::from(need),
        Tarry::Lasting(span) => span.millis() as f64,
        Tarry::Of { hits, .. } => f64::from(hits),
    };
    if need > 0.0 { (view.counter as f64 / need).min(1.0) } else { f64::from(u8::from(view.counter > 0)) }
}
