use super::*;
use crate::engine::Engine;
use crate::id::{HostId, Id, IndicatorId};
use crate::input::{Absence, Input, Outcome, Reading, Setup};
use crate::leaf::sample::Read;
use crate::leaf::tarry::Tarry;
use crate::leaf::window::{Hours, Weekdays, Zone};
use crate::output::{Effect, Event, Output, Record};
use crate::policy::{
    ActionForm, ArrayForm, Compare, ConditionForm, IndicatorForm, Located, Monitor, MovesForm, Pattern,
    PolicyFile, PriceForm, RuleForm, Tour, WindowForm, Zones,
};
use crate::time::{Mono, Now, Span, Wall};
use crate::{Policy, policy::AtMost};
use proptest::prelude::*;
use std::sync::Arc;

struct Utc;

impl Zones for Utc {
    fn zone(&self, _: &str) -> Option<Zone> {
        Some(Zone::utc())
    }
}

fn text(text: &str) -> Located<String> {
    text.to_owned().into()
}

fn compare(indicator: &str, compare: Compare, threshold: f64) -> ConditionForm {
    ConditionForm::Indicator { indicator: text(indicator), compare, threshold: threshold.into(), unit: None }
}

fn rule(name: &str, when: ConditionForm, tarry: u32, action: ActionForm) -> RuleForm {
    let tarry = Some(Tarry::Consecutive(tarry).into());
    RuleForm { name: text(name), when: when.into(), tarry, action: action.into() }
}

fn indicator(name: &str, every: u64, read: Read) -> IndicatorForm {
    IndicatorForm {
        name: text(name),
        every: Span::from_secs(every).into(),
        read,
        missing: 0,
        timeout: None,
        unit: None,
    }
}

/// Five hosts and a base in one array with prices; one gauge; no rule yet.
fn form() -> PolicyFile {
    let price = PriceForm { host: 0.12.into(), base: Some(0.03.into()) };
    PolicyFile {
        arrays: vec![ArrayForm {
            name: text("oslo"),
            hosts: ["mln1", "mln2", "mln3", "mln4", "mln5"].map(text).to_vec().into(),
            base: Some(text("mln6")),
            price: Some(price.into()),
            speed: None,
            relocation: None,
        }],
        indicators: vec![indicator("load", 60, Read::Gauge)],
        ..PolicyFile::default()
    }
}

fn overloaded() -> RuleForm {
    rule("overloaded", compare("load", Compare::Above, 50.0), 3, ActionForm::Move)
}

fn endless() -> MovesForm {
    let at_most = AtMost { count: 1_000, per: Span::from_hours(1) };
    MovesForm { tour: Some(Tour::KeepGoing.into()), at_most: Some(at_most.into()), ..MovesForm::default() }
}

fn build(form: &PolicyFile) -> Arc<Policy> {
    form.build(&Utc).unwrap().into()
}

fn options(policy: &Policy) -> Options {
    Options::new(policy, policy.indicator_named("load").unwrap())
}

/// A row a minute.
fn minutes(values: impl IntoIterator<Item = f64>) -> Trace {
    let row = |(minute, value): (i64, f64)| Row { at: Wall::from_secs(60 * minute), value: Ok(value) };
    Trace::new((0_i64..).zip(values).map(row)).unwrap()
}

fn records(policy: &Arc<Policy>, trace: &Trace, options: &Options) -> (Vec<Record>, Summary) {
    let mut all = Vec::new();
    let summary = run(policy, trace, options, &mut |out: &Output| all.extend(out.records.clone())).unwrap();
    (all, summary)
}

fn requests(all: &[Record]) -> Vec<(i64, HostId)> {
    let request = |record: &Record| match record.event {
        Event::Request { to, .. } => Some((record.at.0 / 1_000, to)),
        _ => None,
    };
    all.iter().filter_map(request).collect()
}

#[test]
fn under_constant_overload_a_guest_asks_every_225_s_as_in_listing_4_1() {
    for read in [Read::Gauge, Read::Delta] {
        let mut form = form();
        form.rules = vec![overloaded()];
        form.moves = endless();
        form.indicators[0].read = read;
        let policy = build(&form);
        // 100 a minute, at the end of every second, so that each poll finds a fresh counter.
        let row = |second: i64| Row {
            at: Wall::from_secs(second),
            value: Ok(if read == Read::Gauge { 100.0 } else { second as f64 / 0.6 }),
        };
        let trace = Trace::new((0..7_200).map(row)).unwrap();
        let (all, summary) = records(&policy, &trace, &options(&policy));
        let asked = requests(&all);
        let gaps: Vec<_> = asked.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        assert!(gaps.iter().all(|&gap| gap == 225), "{read:?}: {gaps:?}");
        let hosts: Vec<_> = asked.iter().take(6).map(|(_, host)| host.index() + 1).collect();
        assert_eq!(hosts, [2, 3, 4, 5, 1, 2]);
        assert_eq!(summary.busiest_hour, 16, "the thesis: 16 an hour at most");
        assert_eq!(summary.requests, summary.moves);
    }
}

#[test]
fn times_add_up_and_cost_follows_the_equations() {
    let mut form = form();
    form.rules =
        vec![overloaded(), rule("idle", compare("load", Compare::Below, 1.0), 2, ActionForm::MoveToBase)];
    let policy = build(&form);
    let trace = minutes([60.0, 60.0, 60.0].into_iter().chain([10.0; 60]).chain([0.0; 58]));
    let (_, summary) = records(&policy, &trace, &options(&policy));
    let spans: Vec<_> = summary.hosts.rows().iter().map(|host| host.lasted.to_string()).collect();
    // Move at 2:00, settled at 2:45, samples at 3:45, 4:45, ...: the second idle one is that of 1:04:45.
    assert_eq!(spans, ["2m", "1h2m45s", "0s", "0s", "0s", "55m15s"]);
    let cost = summary.cost.unwrap();
    let hours = |millis: f64| millis / 3_600_000.0;
    assert!((cost.c_a - 0.12 * hours(120e3 + 3_765e3)).abs() < 1e-12);
    assert!((cost.c_b - 0.03 * hours(3_315e3)).abs() < 1e-12);
    assert_eq!((cost.c_sb, summary.requests, summary.unpriced), (0.0, 2, Span::ZERO));
    let [overloaded, idle] = summary.rules.rows() else { panic!("two rules") };
    assert_eq!(overloaded.breach, Span::from_secs(225), "until the first poll on the new host");
    assert_eq!(summary.breach, Some(overloaded.breach));
    let total = |rule: &RuleSummary| rule.breach.millis() + rule.clear.millis() + rule.unknown.millis();
    assert_eq!([total(overloaded), total(idle)], [summary.lasts().millis(); 2]);
}

#[test]
fn the_newest_row_is_read_if_it_is_not_too_old() {
    let mut form = form();
    form.rules = vec![overloaded()];
    let policy = build(&form);
    let rows =
        [(0, Ok(1.0)), (60, Ok(2.0)), (120, Err(Absence::Missing)), (480, Ok(f64::INFINITY)), (540, Ok(3.0))];
    let rows = rows.map(|(secs, value)| Row { at: Wall::from_secs(secs), value });
    let trace = Trace::new(rows).unwrap();
    let (all, summary) =
        records(&policy, &trace, &Options { stale: Some(Span::from_secs(150)), ..options(&policy) });
    assert_eq!((summary.polls, summary.stale), (10, Span::from_secs(150)));
    let absent = [(Absence::Missing, 3), (Absence::Stale, 3), (Absence::NotFinite, 1)];
    assert_eq!(summary.absent, absent);
    assert_eq!(summary.unknown, Span::from_secs(420));
    let said: Vec<_> = all.iter().map(|record| (record.at.0 / 1_000, record.event.name())).collect();
    assert_eq!(said, [(120, "unknown"), (300, "unknown"), (480, "unknown")]);
    // By default: twice the larger of 60 s and the median of 60, 60, 360 and 60 s.
    assert_eq!(records(&policy, &trace, &options(&policy)).1.stale, Span::from_secs(120));
}

#[test]
fn moves_are_confirmed_when_they_arrive() {
    let mut form = form();
    form.rules = vec![overloaded()];
    let policy = build(&form);
    let trace = minutes([100.0; 20]);
    let (all, summary) =
        records(&policy, &trace, &Options { move_takes: Span::from_secs(90), ..options(&policy) });
    let said: Vec<_> = all.iter().map(|record| (record.at.0 / 1_000, record.event.name())).collect();
    // 45 s of settling, one interval, three samples: 225 s after the arrival.
    assert_eq!(said[..4], [(120, "request"), (210, "confirmed"), (435, "request"), (525, "confirmed")]);
    assert!(summary.open, "the request at 1,065 s would arrive after the end");
    let cut = minutes([100.0; 4]);
    let (_, summary) =
        records(&policy, &cut, &Options { move_takes: Span::from_mins(5), ..options(&policy) });
    assert!(summary.open && summary.moves == 0);
}

#[test]
fn what_the_trace_does_not_feed_is_unknown() {
    let mut form = form();
    form.indicators.insert(0, indicator("errors", 30, Read::Gauge));
    let both =
        vec![compare("load", Compare::Above, 50.0).into(), compare("errors", Compare::Above, 1.0).into()];
    form.rules = vec![
        rule("broken", ConditionForm::All(both.clone()), 1, ActionForm::MoveToBase),
        rule("either", ConditionForm::Any(both), 4, ActionForm::Move),
    ];
    let policy = build(&form);
    let (all, summary) = records(&policy, &minutes([100.0; 10]), &options(&policy));
    assert_eq!(all[0].event, Event::Unknown { indicator: IndicatorId::from_index(0), why: Absence::NotFed });
    assert_eq!(summary.rules.rows()[0].requests, 0);
    assert_eq!(summary.rules.rows()[0].unknown, summary.lasts());
    assert!(summary.rules.rows()[1].requests > 0);
    assert_eq!(summary.absent, []);
}

#[test]
fn a_resting_guest_is_not_polled_and_its_base_is_scheduled() {
    let mut form = form();
    let days = Weekdays::parse("Mon-Sun").unwrap();
    let hours = Hours::parse("01:00-02:00").unwrap();
    form.windows = vec![WindowForm {
        name: text("day"),
        pattern: Pattern::Days { days, hours }.into(),
        zone: text("UTC"),
    }];
    let outside = ConditionForm::Window { window: text("day"), inside: false };
    form.rules = vec![rule("off-duty", outside, 1, ActionForm::Rest(Monitor::Off)), overloaded()];
    let policy = build(&form);
    let (all, summary) = records(&policy, &minutes([100.0; 181]), &options(&policy));
    assert_eq!((summary.resting, summary.lasts()), (Span::from_hours(2), Span::from_hours(3)));
    assert!(summary.polls <= 60, "{}", summary.polls);
    let waked = all.iter().find(|record| matches!(record.event, Event::Wake { .. })).unwrap();
    assert_eq!(waked.at, Wall::from_secs(3_600));
    let cost = summary.cost.unwrap();
    assert!((cost.c_sb - 0.06).abs() < 1e-9, "{cost:?}");
    let rule = summary.rules.rows()[1];
    assert_eq!(rule.breach.millis() + rule.clear.millis() + rule.unknown.millis(), 3_600_000);
}

#[test]
fn an_absurd_trace_is_refused() {
    let mut form = form();
    form.indicators[0].every = Span::from_millis(1).into();
    form.rules = vec![overloaded()];
    let policy = build(&form);
    let rows = [0, 1_700_000_000].map(|secs| Row { at: Wall::from_secs(secs), value: Ok(1.0) });
    let error = run(&policy, &Trace::new(rows).unwrap(), &options(&policy), &mut ()).unwrap_err();
    assert!(matches!(error, BacktestError::TooLong { .. }));
    let error = run(&policy, &Trace::default(), &options(&policy), &mut ()).unwrap_err();
    assert_eq!(error, BacktestError::NoRows);
}

/// The same as [`run`], slowly and plainly: ticks only, and every poll looks through the whole trace.
fn naive(policy: &Arc<Policy>, trace: &Trace, options: &Options) -> Vec<Output> {
    let (from, to) = trace.span().unwrap();
    let every = policy.indicators()[options.indicator].every;
    let stale = options.stale.unwrap_or_else(|| default_stale(every, trace));
    let setup = Setup { at: Some(options.at), ..Setup::default() };
    let mut engine = Engine::new(Arc::clone(policy), setup);
    let mut outputs: Vec<Output> = Vec::new();
    let mut confirm = None;
    let mut now = Now { mono: Mono(0), wall: from };
    let mut inputs = vec![Input::Tick];
    loop {
        while !inputs.is_empty() {
            let mut out = Output::default();
            engine.step(now, &inputs.remove(0), &mut out);
            let mut answers = Vec::new();
            for effect in &out.effects {
                match *effect {
                    Effect::Probe(indicator) => {
                        let newest = trace.iter().filter(|row| row.at <= now.wall).last().unwrap();
                        let value = match newest {
                            _ if indicator != options.indicator => Err(Absence::NotFed),
                            row if now.wall.since(row.at) > stale => Err(Absence::Stale),
                            row => row.value,
                        };
                        answers.push(Input::Reading(Reading { indicator, taken: now.mono, value }));
                    }
                    Effect::Request(request) if options.move_takes.is_zero() => {
                        answers.push(Input::Outcome { id: request.id, outcome: Outcome::Confirmed });
                    }
                    Effect::Request(request) => {
                        confirm = Some((now.mono.plus(options.move_takes), request.id))
                    }
                    _ => {}
                }
            }
            answers.append(&mut inputs);
            inputs = answers;
            outputs.push(out);
        }
        let next = outputs.last().and_then(|out| out.deadline).map_or(Mono(i64::MAX), |deadline| deadline.at);
        let at = match confirm {
            Some((arrival, id)) if arrival <= next => {
                confirm = None;
                inputs.push(Input::Outcome { id, outcome: Outcome::Confirmed });
                arrival
            }
            _ => {
                inputs.push(Input::Tick);
                next
            }
        };
        if at > Mono(0).plus(to.since(from)) {
            return outputs;
        }
        now = Now { mono: at, wall: from.shifted(at.0) };
    }
}

fn any_policy() -> impl Strategy<Value = Arc<Policy>> {
    let read = prop_oneof![Just(Read::Gauge), Just(Read::Delta), Just(Read::Rate)];
    (read, 1_u32..4, 1_u32..4, any::<[bool; 5]>(), 1_u64..100, 0_u64..100).prop_map(
        |(read, tarry, idle, [window, second, monitor, bound, rest], every, settle)| {
            let mut form = form();
            form.indicators[0] = indicator("load", every, read);
            form.moves = if bound { MovesForm::default() } else { endless() };
            form.moves.settle = Some(Span::from_secs(settle).into());
            form.moves.dwell = Some(Span::from_secs(settle * 2).into());
            let monitor = if monitor { Monitor::On } else { Monitor::Off };
            if window {
                let pattern = Pattern::Days {
                    days: Weekdays::parse("Mon-Sun").unwrap(),
                    hours: Hours::parse("00:10-00:25").unwrap(),
                };
                form.windows =
                    vec![WindowForm { name: text("day"), pattern: pattern.into(), zone: text("UTC") }];
                let inside = ConditionForm::Window { window: text("day"), inside: true };
                let action = if rest { ActionForm::Rest(monitor) } else { ActionForm::MoveUp };
                form.rules.push(rule("timed", inside, 1, action));
            } else if rest {
                let quiet = compare("load", Compare::Below, 0.5);
                form.rules.push(rule("quiet", quiet, 1, ActionForm::Rest(monitor)));
            }
            form.rules.push(rule(
                "overloaded",
                compare("load", Compare::Above, 2.0),
                tarry,
                ActionForm::Move,
            ));
            form.rules.push(rule("idle", compare("load", Compare::Below, 1.0), idle, ActionForm::MoveToBase));
            if second {
                form.indicators.push(indicator("other", 45, Read::Gauge));
                let any = vec![
                    compare("other", Compare::Above, 2.0).into(),
                    compare("load", Compare::Above, 3.0).into(),
                ];
                form.rules.push(rule("either", ConditionForm::Any(any), tarry, ActionForm::MoveDown));
            }
            build(&form)
        },
    )
}

fn any_trace() -> impl Strategy<Value = Trace> {
    let value = prop_oneof![
        8 => (0_u32..5).prop_map(|value| Ok(f64::from(value))),
        1 => Just(Err(Absence::Missing)),
    ];
    prop::collection::vec((1_i64..120, value), 1..80).prop_map(|steps| {
        let mut at = 0;
        let rows = steps.into_iter().map(|(gap, value)| {
            at += gap * 1_000;
            Row { at: Wall(at), value }
        });
        Trace::new(rows).unwrap()
    })
}

/// Adds up the time in breach from what a sink is told.
#[derive(Default)]
struct Breaches {
    since: Option<Wall>,
    sum: u64,
    samples: u64,
}

impl Breaches {
    fn turn(&mut self, at: Wall, in_breach: bool) {
        match (self.since, in_breach) {
            (Some(since), false) => {
                self.sum += at.since(since).millis();
                self.since = None;
            }
            (None, true) => self.since = Some(at),
            _ => {}
        }
    }
}

impl Sink for Breaches {
    fn take(&mut self, output: &Output) {
        for record in output.records.iter().filter(|record| matches!(record.event, Event::Rest { .. })) {
            self.turn(record.at, false);
        }
    }

    fn sample(&mut self, at: Wall, value: Option<f64>, in_breach: bool) {
        self.samples += u64::from(value.is_some());
        self.turn(at, in_breach);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn samples_tell_the_breach_that_is_summed_up(policy in any_policy(), trace in any_trace()) {
        let mut sink = Breaches::default();
        let summary = run(&policy, &trace, &options(&policy), &mut sink).unwrap();
        sink.turn(summary.to, false);
        prop_assert_eq!(Some(sink.sum), summary.breach.map(Span::millis));
        prop_assert!(sink.samples <= summary.polls);
    }

    #[test]
    fn the_run_equals_the_naive_loop(
        policy in any_policy(), trace in any_trace(), takes in prop_oneof![Just(0), 1_u64..200],
    ) {
        let options = Options { move_takes: Span::from_secs(takes), ..options(&policy) };
        let mut fast = Vec::new();
        let summary = run(&policy, &trace, &options, &mut |out: &Output| fast.push(out.clone())).unwrap();
        let slow: Vec<_> = naive(&policy, &trace, &options);
        let reasons = |out: &Output| (out.records.clone(), out.seen.clone(), out.verdicts.clone());
        let slow_records: Vec<_> = slow.iter().filter(|out| !out.records.is_empty()).map(reasons).collect();
        prop_assert_eq!(fast.iter().map(reasons).collect::<Vec<_>>(), slow_records);
        let polls = slow.iter().flat_map(|out| &out.effects);
        let polls = polls.filter(|&&effect| effect == Effect::Probe(options.indicator)).count();
        prop_assert!(summary.polls as usize >= polls.saturating_sub(1));
        let there: u64 = summary.hosts.rows().iter().map(|host| host.lasted.millis()).sum();
        prop_assert_eq!(there, summary.lasts().millis());
        for rule in summary.rules.rows() {
            let told = rule.breach.millis() + rule.clear.millis() + rule.unknown.millis();
            prop_assert!(told <= summary.lasts().millis());
        }
    }

    #[test]
    fn a_run_in_stretches_equals_the_run_at_once(
        policy in any_policy(),
        trace in any_trace(),
        move_takes in 0_u64..200,
        stretches in prop::collection::vec(-100_i64..2_000, 0..20),
    ) {
        let options = Options { move_takes: Span::from_secs(move_takes), ..options(&policy) };
        let (expected, summary) = records(&policy, &trace, &options);
        let mut all = Vec::new();
        let mut run = Run::new(&policy, &trace, &options).unwrap();
        for stretch in stretches {
            let Some(next) = run.next_at() else { break };
            let upto = next.shifted(1_000 * stretch);
            run.advance(upto, &mut |out: &Output| {
                assert!(out.records.iter().all(|record| record.at <= upto));
                all.extend(out.records.clone());
            });
            prop_assert!(run.next_at().is_none_or(|next| next > upto));
        }
        run.advance(Wall(i64::MAX), &mut |out: &Output| all.extend(out.records.clone()));
        prop_assert_eq!(run.next_at(), None);
        prop_assert_eq!(all, expected);
        prop_assert_eq!(run.finish(), summary);
    }

    #[test]
    fn the_median_interval_is_that_of_the_sorted_gaps(trace in any_trace()) {
        let rows: Vec<_> = trace.iter().collect();
        let mut gaps: Vec<_> = rows.windows(2).map(|pair| pair[1].at.since(pair[0].at).millis()).collect();
        gaps.sort_unstable();
        let expected = match gaps.len() {
            0 => None,
            odd if odd % 2 == 1 => Some(gaps[odd / 2]),
            even => Some((gaps[even / 2 - 1] + gaps[even / 2]) / 2),
        };
        prop_assert_eq!(trace.median_interval().map(Span::millis), expected);
    }
}
