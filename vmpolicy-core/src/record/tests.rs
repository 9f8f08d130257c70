use super::View;
use crate::Policy;
use crate::id::{HostId, Id, IndicatorId, RequestId, RuleId};
use crate::input::{Absence, Hook, HookEnd, Hooked};
use crate::leaf::logic::Truth;
use crate::leaf::sample::Read;
use crate::leaf::tarry::Tarry;
use crate::leaf::window::{Hours, Weekdays, Zone};
use crate::output::{Because, Discontinuity, Event, Failure, Hold, Origin, Output, Record, Seen, Verdict};
use crate::policy::{
    Action, ActionForm, ArrayForm, ClassForm, Compare, Condition, ConditionForm, IndicatorForm, Located,
    Monitor, OnTimeout, Pattern, PolicyFile, QueueForm, RuleForm, WindowForm, Zones,
};
use crate::time::{Span, Wall};

struct Utc;

impl Zones for Utc {
    fn zone(&self, _: &str) -> Option<Zone> {
        Some(Zone::utc())
    }
}

fn text(text: &str) -> Located<String> {
    text.to_owned().into()
}

fn policy() -> Policy {
    let compare_of = |indicator, compare, threshold: f64| ConditionForm::Indicator {
        indicator: text(indicator),
        compare,
        threshold: threshold.into(),
        unit: None,
    };
    let compare = |compare, threshold| compare_of("slow_queries", compare, threshold);
    let outside = ConditionForm::Window { window: text("working_hours"), inside: false };
    let rule = |name: &str, when: ConditionForm, tarry, action: ActionForm| RuleForm {
        name: text(name),
        when: when.into(),
        tarry: Some(Located::made(tarry)),
        action: action.into(),
    };
    let file = PolicyFile {
        arrays: vec![ArrayForm {
            name: text("oslo"),
            hosts: ["mln1", "mln2", "mln3", "mln4"].map(text).to_vec().into(),
            base: Some(text("mln6")),
            price: None,
            speed: None,
            relocation: None,
        }],
        indicators: vec![
            IndicatorForm {
                name: text("slow_queries"),
                every: Span::from_secs(60).into(),
                read: Read::Delta,
                missing: 0,
                timeout: None,
                unit: None,
            },
            IndicatorForm {
                name: text("idle_workers"),
                every: Span::from_secs(20).into(),
                read: Read::Gauge,
                missing: 0,
                timeout: Some(OnTimeout::Breach.into()),
                unit: None,
            },
        ],
        windows: vec![WindowForm {
            name: text("working_hours"),
            pattern: Pattern::Days {
                days: Weekdays::parse("Mon-Fri").unwrap(),
                hours: Hours::parse("09:00-16:00").unwrap(),
            }
            .into(),
            zone: text("UTC"),
        }],
        rules: vec![
            rule("off-duty", outside, Tarry::Consecutive(1), ActionForm::Rest(Monitor::Off)),
            rule("overloaded", compare(Compare::Above, 50.0), Tarry::Consecutive(3), ActionForm::Move),
            rule(
                "idle",
                compare(Compare::Below, 0.5),
                Tarry::Lasting(Span::from_mins(20)),
                ActionForm::MoveToBase,
            ),
            rule(
                "saturated",
                compare_of("idle_workers", Compare::Below, 3.0),
                Tarry::Consecutive(3),
                ActionForm::Move,
            ),
        ],
        ..PolicyFile::default()
    };
    file.build(&Utc).unwrap()
}

fn host(number: u16) -> HostId {
    HostId::from_index(usize::from(number) - 1)
}

const BASE: HostId = HostId(4);

/// One output for each event, with what it would have seen.
fn outputs() -> Vec<Output> {
    let at = |secs: i64| Wall::from_secs(1_241_613_860 + secs);
    let (off_duty, overloaded, idle, saturated) = (RuleId(0), RuleId(1), RuleId(2), RuleId(3));
    let id = RequestId(1);
    let alone = |secs, event| Output { records: vec![Record { at: at(secs), event }], ..Output::default() };
    let reasoned = |secs, counter, seen: Option<Seen>, verdicts: Vec<_>, event: &dyn Fn(Because) -> Event| {
        let mut out = Output::default();
        let because = Because::begin(&out, counter, 0);
        out.seen.extend(seen);
        out.verdicts = verdicts;
        let because = because.end(&out);
        out.records.push(Record { at: at(secs), event: event(because) });
        out
    };
    let slow = Some(Seen { leaf: 0, value: Some(76.0), timed_out: false, truth: Truth::Breach });
    let quiet = Some(Seen { leaf: 0, value: Some(0.25), timed_out: false, truth: Truth::Breach });
    let timed_out = Some(Seen { leaf: 0, value: None, timed_out: true, truth: Truth::Breach });
    let minutes = Span::from_mins;
    vec![
        reasoned(
            0,
            3,
            slow,
            vec![
                (host(2), Verdict::Chosen),
                (host(3), Verdict::Eligible),
                (host(4), Verdict::Barred(Span::from_millis(272_500))),
            ],
            &|because| Event::Request {
                id,
                origin: Origin::Rule(overloaded),
                action: Action::Move,
                from: host(1),
                to: host(2),
                because,
            },
        ),
        alone(31, Event::Confirmed { id, at_host: host(2) }),
        alone(31, Event::Refused { id, to: host(2), barred: minutes(5) }),
        alone(31, Event::Failed { id, to: host(2), barred: minutes(5), why: Failure::Reported }),
        alone(600, Event::Expired { id, to: host(2), barred: minutes(10) }),
        reasoned(660, 3, slow, vec![], &|because| Event::Held {
            origin: Origin::Rule(overloaded),
            by: Hold::AtMost,
            lasts: Some(Span::from_secs(1_264)),
            because,
        }),
        reasoned(
            720,
            0,
            None,
            vec![
                (host(2), Verdict::Current),
                (host(3), Verdict::Draining(minutes(30))),
                (host(4), Verdict::Down(minutes(10))),
            ],
            &|because| Event::Held { origin: Origin::Drain, by: Hold::NoEligibleHost, lasts: None, because },
        ),
        alone(780, Event::AlreadyThere { origin: Origin::Rule(idle), at_host: BASE }),
        reasoned(840, 3, slow, vec![], &|because| Event::NoBetterHost {
            rule: overloaded,
            pause: minutes(15),
            because,
        }),
        alone(900, Event::Rest { rule: off_duty }),
        alone(960, Event::Wake { rule: off_duty }),
        alone(1_020, Event::Void { why: Discontinuity::Moved { from: Some(host(1)), to: None } }),
        alone(1_080, Event::Void { why: Discontinuity::Clock { apart_ms: -3_600_500 } }),
        alone(1_140, Event::Unknown { indicator: IndicatorId(0), why: Absence::TimedOut }),
        alone(1_200, Event::Reload { rules_kept: 2 }),
        alone(1_205, hook(Hook::BeforeLeaving, Some(2), HookEnd::Exit(0), 31)),
        alone(1_210, hook(Hook::OnArrival, Some(2), HookEnd::Exit(2), 1_500)),
        alone(1_215, hook(Hook::OnArrival, None, HookEnd::Signal(9), 20)),
        alone(1_250, hook(Hook::OnArrival, None, HookEnd::TimedOut, 30_000)),
        alone(1_255, hook(Hook::BeforeLeaving, Some(3), HookEnd::NotStarted, 0)),
        reasoned(2_400, 1_200_000, quiet, vec![(BASE, Verdict::Chosen)], &|because| Event::Request {
            id: RequestId(2),
            origin: Origin::Rule(idle),
            action: Action::MoveToBase,
            from: host(2),
            to: BASE,
            because,
        }),
        reasoned(3_000, 0, None, vec![(host(3), Verdict::Chosen)], &|because| Event::Request {
            id: RequestId(3),
            origin: Origin::Operator,
            action: Action::MoveTo(host(3)),
            from: BASE,
            to: host(3),
            because,
        }),
        reasoned(4_200, 3, timed_out, vec![(host(4), Verdict::Chosen)], &|because| Event::Request {
            id: RequestId(4),
            origin: Origin::Rule(saturated),
            action: Action::Move,
            from: host(3),
            to: host(4),
            because,
        }),
    ]
}

fn hook(hook: Hook, id: Option<u64>, ended: HookEnd, took_ms: u64) -> Event {
    let (id, host) = (id.map(RequestId), id.map(|_| host(2)));
    Event::Hook(Hooked { hook, id, host, ended, took: Span::from_millis(took_ms) })
}

#[test]
fn a_line_for_people() {
    let policy = policy();
    let outputs = outputs();
    let lines: Vec<_> = outputs
        .iter()
        .flat_map(|out| View::all(&policy, "nii1", out).map(|view| view.line().to_string()))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    12:44:20 nii1 asks to move mln1 -> mln2 (overloaded: slow_queries 76 > 50, 3 of 3)
    12:44:51 nii1 is at mln2
    12:44:51 nii1 was refused the move to mln2; mln2 is barred for 5m
    12:44:51 nii1 has not moved to mln2: the move failed; mln2 is barred for 5m
    12:54:20 nii1 has not moved to mln2 in time; mln2 is barred for 10m
    12:55:20 nii1 stays: its budget of moves is spent, for 21m4s more (overloaded: slow_queries 76 > 50, 3 of 3)
    12:56:20 nii1 stays: no host is eligible (drain; mln3 draining for 30m; mln4 down for 10m)
    12:57:20 nii1 is at mln6 already (idle)
    12:58:20 nii1 finds no better host and stays for 15m (overloaded: slow_queries 76 > 50, 3 of 3)
    12:59:20 nii1 rests (off-duty)
    13:00:20 nii1 wakes (off-duty is over)
    13:01:20 nii1 was moved by somebody else, mln1 -> elsewhere; its samples are void
    13:02:20 nii1 has clocks that differ by 1h500ms; its samples are void
    13:03:20 nii1 can't use slow_queries: timed-out
    13:04:20 nii1 has a new policy; 2 rules go on counting
    13:04:25 nii1 has run before_leaving on mln2, which took 31ms
    13:04:30 nii1 has run on_arrival on mln2, which failed with status 2 after 1.5s
    13:04:35 nii1 has run on_arrival, which ended by signal 9 after 20ms
    13:05:10 nii1 has run on_arrival, which was killed after 30s
    13:05:15 nii1 has run before_leaving on mln2, which could not be started
    13:24:20 nii1 asks to move mln2 -> mln6 (idle: slow_queries 0.25 < 0.5, for 20m)
    13:34:20 nii1 asks to move mln6 -> mln3 (operator)
    13:54:20 nii1 asks to move mln3 -> mln4 (saturated: idle_workers timed out, 3 of 3)
    ");
    let first = View::all(&policy, "nii1", &outputs[1]).next().unwrap();
    assert_eq!(first.line().dated().to_string(), "2009-05-06 12:44:51 nii1 is at mln2");
}

#[cfg(feature = "serde")]
#[test]
fn the_documented_records_are_what_is_written() {
    let policy = policy();
    let outputs = outputs();
    let written: Vec<_> = outputs
        .iter()
        .flat_map(|out| View::all(&policy, "nii1", out).map(|view| serde_json::to_string(&view).unwrap()))
        .collect();
    let page = include_str!("../../../docs/records.md");
    let mut documented = Vec::new();
    let mut within = false;
    for line in page.lines() {
        match line {
            "```json" => within = true,
            "```" => within = false,
            line if within => documented.push(line),
            _ => {}
        }
    }
    assert_eq!(documented, written);
}

#[test]
fn conditions_are_printed_as_the_file_has_them() {
    let mut policy_file = PolicyFile::default();
    let number = |threshold: f64, unit: Option<&str>| ConditionForm::Indicator {
        indicator: text("latency"),
        compare: Compare::AtLeast,
        threshold: threshold.into(),
        unit: unit.map(text),
    };
    let window = ConditionForm::Window { window: text("night"), inside: true };
    let count = ConditionForm::Count {
        queue: text("video"),
        class: text("grade a"),
        compare: Compare::Above,
        threshold: 2.0.into(),
    };
    policy_file.arrays.push(ArrayForm {
        name: text("oslo"),
        hosts: ["mln1", "mln2"].map(text).to_vec().into(),
        base: None,
        price: None,
        speed: None,
        relocation: None,
    });
    policy_file.indicators.push(IndicatorForm {
        name: text("latency"),
        every: Span::from_secs(60).into(),
        read: Read::Gauge,
        missing: 0,
        timeout: None,
        unit: Some(text("ms")),
    });
    policy_file.windows.push(WindowForm {
        name: text("night"),
        pattern: Pattern::Days {
            days: Weekdays::parse("Mon-Sun").unwrap(),
            hours: Hours::parse("22:00-06:00").unwrap(),
        }
        .into(),
        zone: text("UTC"),
    });
    policy_file.queues.push(QueueForm {
        name: text("video"),
        every: Span::from_secs(120).into(),
        classes: vec![ClassForm { name: text("grade a"), takes: None }],
    });
    let all = ConditionForm::All(vec![
        number(250.0, None).into(),
        ConditionForm::Any(vec![
            window.into(),
            ConditionForm::Not(Box::new(number(1.5, Some("s")).into())).into(),
        ])
        .into(),
    ]);
    for (name, when) in [("slow", all), ("big", count)] {
        let action = ActionForm::MoveTo(text("mln2")).into();
        policy_file.rules.push(RuleForm { name: text(name), when: when.into(), tarry: None, action });
    }
    let policy = policy_file.build(&Utc).unwrap();
    let rules = policy.rules().rows();
    let shown = |condition: &Condition| policy.show(condition).to_string();
    let whole = "{ all: [latency >= 250ms, { any: [inside night, { not: latency >= 1500ms }] }] }";
    assert_eq!(shown(&rules[0].when), whole);
    let leaves: Vec<_> = rules[0].when.leaves().map(shown).collect();
    assert_eq!(leaves, ["latency >= 250ms", "inside night", "latency >= 1500ms"]);
    assert_eq!(rules[0].when.leaf(1).map(shown).as_deref(), Some("inside night"));
    assert_eq!(rules[0].when.leaf(3), None);
    assert_eq!(shown(&rules[1].when), "count(video, \"grade a\") > 2");
    assert_eq!(policy.show_action(rules[0].action).to_string(), "{ move-to: mln2 }");
    assert_eq!(policy.show_action(Action::Rest(Monitor::On)).to_string(), "{ rest: { monitor: true } }");
}
