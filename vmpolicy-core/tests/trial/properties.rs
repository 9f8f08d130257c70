//! What must hold for every policy and every case.

use proptest::prelude::*;
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::backtest::{self, Options, Row, Trace};
use vmpolicy_core::file::trial::load_trials;
use vmpolicy_core::id::Id;
use vmpolicy_core::input::{Absence, Notice, Outcome};
use vmpolicy_core::leaf::window::Zone;
use vmpolicy_core::output::Output;
use vmpolicy_core::policy::UtcOnly;
use vmpolicy_core::testkit::generate::{Source, TestZones, bytes, policy_file, variant};
use vmpolicy_core::testkit::sketch::{Sketch, above, below};
use vmpolicy_core::time::{Span, Wall};
use vmpolicy_core::trial::{
    Answer, Answers, Case, Difference, EVENTS, Expectation, Fact, Field, Happening, Item, Jobs, Pattern,
    Report, Segment, Series, Then, Told, Want, When, run,
};

fn secs(secs: usize) -> Span {
    Span::from_secs(secs as u64)
}

/// A policy and a case of it in which anything may happen, out of bytes; nothing is expected yet.
fn anything(policy_bytes: &[u8], case_bytes: &[u8]) -> (Arc<Policy>, Case) {
    let mut source = Source::new(policy_bytes);
    let file = policy_file(&mut source);
    let other = variant(&file, &mut source).build(&TestZones).expect("what is generated is sound");
    let policy = Arc::new(file.build(&TestZones).expect("what is generated is sound"));
    let mut source = Source::new(case_bytes);
    let source = &mut source;
    let hosts: Vec<String> = policy.hosts().rows().iter().map(|host| host.name.clone()).collect();
    let readings = policy.indicators().rows().iter().map(|indicator| {
        let segment = |from: Span, source: &mut Source<'_>| Segment {
            from,
            every: indicator.every,
            items: (0..1 + source.below(6)).map(|_| item(source)).collect(),
            then: source.pick(&[Then::Hold, Then::Missing]),
        };
        (indicator.name.clone(), Series { segments: vec![segment(Span::ZERO, source)] })
    });
    let readings = readings.collect();
    let lasts = secs(60 * (1 + source.below(40)));
    let answer = |source: &mut Source<'_>| Answer {
        outcome: source.pick(&[
            Outcome::Confirmed,
            Outcome::Confirmed,
            Outcome::Refused,
            Outcome::Failed,
            Outcome::Unanswered,
            Outcome::Accepted,
        ]),
        after: secs(source.pick(&[0, 0, 5, 40, 700])),
    };
    let answers = Answers {
        hosts: vec![(source.pick(&hosts), vec![answer(source), answer(source)])],
        others: vec![answer(source), Answer::default()],
    };
    let mut happenings: Vec<(Span, Happening)> = (0..source.below(6))
        .map(|_| {
            let at = Span::from_millis(lasts.millis() / 64 * source.below(65) as u64);
            (at, happening(source, &policy, &hosts, &other))
        })
        .collect();
    happenings.sort_by_key(|(at, _)| *at);
    let case = Case {
        name: "anything".to_owned(),
        place: None,
        // An hour before the clock of the tests' zone is put forward.
        start: Wall::from_secs(1_238_284_800 + 3_600 * source.below(30) as i64),
        zone: Zone::utc(),
        at: source.pick(&hosts),
        locates: source.chance(100),
        lasts,
        readings,
        answers,
        happenings,
        expectations: Vec::new(),
        complete: EVENTS.map(|(name, _)| name).to_vec(),
    };
    (policy, case)
}

fn item(source: &mut Source<'_>) -> Item {
    let count = 1 + source.below(8) as u32;
    match source.below(8) {
        0 => Item::Absent { why: source.pick(&[Absence::Missing, Absence::TimedOut, Absence::Late]), count },
        1..=3 => Item::Numbers { first: source.below(4) as f64, step: source.below(30) as f64, count },
        _ => Item::Numbers { first: source.pick(&[0.0, 1.0, 5.0, 9.0, 60.0, 100.0]), step: 0.0, count },
    }
}

fn happening(source: &mut Source<'_>, policy: &Arc<Policy>, hosts: &[String], other: &Policy) -> Happening {
    let host = source.pick(hosts);
    let span = secs(source.pick(&[0, 1, 30, 300, 4_000]));
    let notice = |notice| Happening::Notice { host: host.clone(), notice, lasts: Some(span) };
    match source.below(16) {
        0 => Happening::MovedTo(Some(host)),
        1 => Happening::MovedTo(None),
        2 | 3 => notice(Notice::Drain),
        4 => notice(Notice::Down),
        5 => notice(Notice::Up),
        6 => notice(Notice::Withdrawn),
        7 => {
            let array = policy.arrays().rows()[source.below(policy.arrays().len())].name.clone();
            Happening::Ranking { array, order: vec![host], lasts: Some(span) }
        }
        8 => Happening::Reload(Arc::new(other.clone())),
        9 => Happening::Clock(60_000 * (source.below(200) as i64 - 100)),
        10 => Happening::Pause(span),
        11 | 12 => Happening::Restart(span),
        13 => Happening::Operator(Told::Hold(source.pick(&[None, Some(span)]))),
        14 => Happening::Operator(source.pick(&[Told::Resume, Told::Abandon, Told::MoveTo(host)])),
        _ => match policy.queues().rows().first() {
            Some(queue) => {
                let classes = queue.classes.iter().map(|class| (class.name.clone(), source.below(4) as u32));
                let classes = classes.collect();
                Happening::Batch(Jobs { queue: queue.name.clone(), classes, others: 0, each: span })
            }
            None => notice(Notice::Drain),
        },
    }
}

/// What a run has said, as expectations of it: every event with every field.
fn as_expected(report: &Report) -> Vec<Expectation> {
    let events = report.said.iter().map(|said| Expectation {
        when: When { from: said.at, to: said.at },
        want: Want::Event(Pattern::of(said.event(), &said.policy, &Field::ALL)),
        place: None,
    });
    events.collect()
}

fn shown(report: &Report) -> String {
    format!("{report:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// And the onlooker, which watches every step, finds nothing.
    #[test]
    fn a_case_made_of_its_own_run_passes_and_every_change_of_it_fails(
        (policy_bytes, case_bytes) in bytes(60),
        which in any::<prop::sample::Index>(),
    ) {
        let (policy, mut case) = anything(&policy_bytes, &case_bytes);
        let report = run(&policy, &case);
        let report = report.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(report.differences.len(), report.said.len(), "everything was unexpected");

        case.expectations = as_expected(&report);
        let again = run(&policy, &case).expect("it ran before");
        prop_assert!(again.passed(), "{:?}", again.differences);
        if case.expectations.is_empty() {
            return Ok(());
        }

        let index = which.index(case.expectations.len());
        let mut without = case.clone();
        let removed = without.expectations.remove(index);
        let differences = run(&policy, &without).expect("it ran before").differences;
        prop_assert!(
            matches!(differences.as_slice(), [Difference::Unexpected { .. }]),
            "without {:?}: {:?}", removed, differences
        );

        let every = policy.indicators().rows().iter().map(|one| one.every).min().unwrap_or(secs(60));
        let mut shifted = case.clone();
        let when = &mut shifted.expectations[index].when;
        let at = Span::from_millis(when.from.millis() + every.millis());
        *when = When { from: at, to: at };
        let differences = run(&policy, &shifted).expect("it ran before").differences;
        prop_assert!(!differences.is_empty(), "shifted {:?}", shifted.expectations[index]);

        // With nothing to be complete, it is the shifted one itself that is missed, unless one like it comes then.
        shifted.complete = Vec::new();
        let differences = run(&policy, &shifted).expect("it ran before").differences;
        prop_assert!(matches!(differences.as_slice(), [Difference::Missing { .. }]), "{:?}", differences);
    }

    #[test]
    fn the_same_case_gives_the_same_bytes((policy_bytes, case_bytes) in bytes(60)) {
        let (policy, mut case) = anything(&policy_bytes, &case_bytes);
        let one = run(&policy, &case).expect("sound");
        prop_assert_eq!(shown(&one), shown(&run(&policy, &case).expect("sound")));
        // Looking on changes nothing.
        let looks = (0..20).map(|at| Expectation {
            when: When { from: Span::from_millis(case.lasts.millis() / 20 * at), to: case.lasts },
            want: Want::State(vec![Fact::Resting(true)]),
            place: None,
        });
        case.expectations = looks.collect();
        let looked = run(&policy, &case).expect("sound");
        let lines = |report: &Report| -> Vec<String> {
            report.said.iter().map(|said| format!("{} {}", said.at, said.view("g").line())).collect()
        };
        prop_assert_eq!(lines(&one), lines(&looked));
    }

    /// The world of a case polls as that of a backtest does, and moves as it does.
    #[test]
    fn it_agrees_with_a_backtest(
        values in prop::collection::vec(prop_oneof![Just(0_u32), 0..4_u32, 40..100_u32], 1..200),
        takes in prop_oneof![Just(0_u64), 1..200_u64],
        delta in any::<bool>(),
    ) {
        let minute = Span::from_mins(1);
        let sketch = Sketch::default().array("oslo", &["a", "b", "c"]).base("z");
        let sketch = if delta { sketch.delta("load", minute) } else { sketch.gauge("load", minute) };
        let busy = vmpolicy_core::leaf::tarry::Tarry::Consecutive(3);
        let policy = sketch
            .rule("busy", above("load", 50.0), busy, vmpolicy_core::policy::ActionForm::Move)
            .rule("idle", below("load", 1.0), busy, vmpolicy_core::policy::ActionForm::MoveToBase)
            .build();
        let mut sum = 0.0;
        let values: Vec<f64> = values
            .into_iter()
            .map(|value| {
                sum = if delta { sum + f64::from(value) } else { f64::from(value) };
                sum
            })
            .collect();
        let start = Wall::from_secs(1_241_595_000);
        let rows = values.iter().enumerate().map(|(at, value)| Row { at: start.plus(minute.times(at as u64)), value: Ok(*value) });
        let trace = Trace::new(rows).expect("in order");
        let mut options = Options::new(&policy, Id::from_index(0));
        options.move_takes = Span::from_secs(takes);
        let mut lines = Vec::new();
        let mut sink = |out: &Output| {
            lines.extend(vmpolicy_core::record::View::all(&policy, "g", out).map(|view| view.line().to_string()));
        };
        backtest::run(&policy, &trace, &options, &mut sink).expect("a trace");

        let items = values.iter().map(|value| Item::Numbers { first: *value, step: 0.0, count: 1 }).collect();
        let segment = Segment { from: Span::ZERO, every: minute, items, then: Then::Hold };
        let lasts = segment.last();
        let answer = Answer { outcome: Outcome::Confirmed, after: options.move_takes };
        let case = Case {
            name: String::new(),
            place: None,
            start,
            zone: Zone::utc(),
            at: "a".to_owned(),
            locates: false,
            lasts,
            readings: vec![("load".to_owned(), Series { segments: vec![segment] })],
            answers: Answers { hosts: Vec::new(), others: vec![answer] },
            happenings: Vec::new(),
            expectations: Vec::new(),
            complete: Vec::new(),
        };
        let report = run(&policy, &case).expect("sound");
        let said: Vec<String> = report.said.iter().map(|said| said.view("g").line().to_string()).collect();
        prop_assert_eq!(said, lines);
    }

    /// Whatever comes: tests, or at least one problem; and every place is in the text.
    #[test]
    fn no_bytes_are_too_much(
        slips in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "[a-z0-9:,.{}\\[\\]'\" \n+_-]{0,3}"), 1..6),
        which in 0..EXAMPLES.len(),
    ) {
        let mut text: Vec<u8> = EXAMPLES[which].as_bytes().to_vec();
        for (at, removed, added) in slips {
            let at = at.index(text.len().max(1)).min(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, added.into_bytes());
        }
        let policy = include_bytes!("../../../docs/examples/schedule-aware.yaml");
        let zones = vmpolicy_core::testkit::sketch::EuropeanZones;
        match load_trials(&text, &zones, &mut |_| Ok(policy.to_vec())) {
            // What was read runs, whatever it says; a test that is too long says so.
            Ok(trials) => for case in trials.cases.iter().filter(|case| case.lasts < secs(400_000)) {
                let _ = run(&trials.policy, case);
            },
            Err(wrong) => {
                prop_assert!(!wrong.problems.is_empty());
                for problem in wrong.problems {
                    for place in problem.place.iter().chain(problem.labels.iter().map(|label| &label.place)) {
                        prop_assert!(place.start <= place.end && place.end as usize <= text.len(), "{:?}", problem);
                    }
                }
            }
        }
    }
}

const EXAMPLES: [&str; 4] = [
    include_str!("../../../docs/examples/tests/schedule-aware.yaml"),
    include_str!("../../../docs/examples/tests/base-aware.yaml"),
    include_str!("../../../docs/examples/tests/site-aware.yaml"),
    include_str!("../../../docs/examples/tests/threshold-aware.yaml"),
];

#[test]
fn a_case_that_takes_too_long_says_how_far_it_came() {
    let text = "version: 1\npolicy:\n  arrays: { a: { hosts: [a] } }\n  indicators: { load: { every: 10ms } }\n  rules: []\ntests:\n  - { name: long, for: 1d, readings: { load: 1 }, expect: [{ at: 1d, none: any }] }\n";
    let trials = load_trials(text.as_bytes(), &UtcOnly, &mut |_| Err(String::new())).expect("sound");
    let error = run(&trials.policy, &trials.cases[0]).expect_err("too long");
    assert!(error.to_string().contains("more than 2000000 steps"), "{error}");
}
