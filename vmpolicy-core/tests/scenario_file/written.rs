//! What is written from a form is read back as the same form, whatever it says.

use proptest::prelude::*;
use vmpolicy_core::file::scenario::{
    ArrayForm, ArrivalsForm, AtForm, BatchForm, FaultForm, FeedForm, GuestForm, HostForm, InlinePolicy,
    LeavingForm, LiveForm, LoadForm, ManagementForm, PolicyForm, PowerForm, ProviderForm, QueueForm,
    RankingForm, ScenarioFile, StartForm, WhatForm, parse,
};
use vmpolicy_core::input::Absence;
use vmpolicy_core::leaf::window::Civil;
use vmpolicy_core::policy::{Located, PolicyFile, PriceForm};
use vmpolicy_core::sim::load::Then;
use vmpolicy_core::sim::scenario::ManagerKind;
use vmpolicy_core::sim::service::{DatabaseSpec, ServiceSpec, WebSpec};
use vmpolicy_core::testkit::generate::{Source, policy_file};
use vmpolicy_core::time::{Span, Wall};

/// Everything that it says, without where it stands.
fn without_places(form: &impl core::fmt::Debug) -> String {
    let text = format!("{form:#?}");
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("place: Some(") {
        plain += &rest[..at];
        plain += "place: None";
        let close = rest[at..].find("),").expect("its end");
        rest = &rest[at + close + 1..];
    }
    plain + rest
}

type S<T> = BoxedStrategy<T>;

fn some<T: core::fmt::Debug + Clone + 'static>(
    of: impl Strategy<Value = T> + 'static,
) -> S<Option<Located<T>>> {
    prop::option::of(of.prop_map(Located::made)).boxed()
}

fn name() -> S<String> {
    prop_oneof!["[a-z][a-z0-9]{0,5}", "[a-z]{1,3} [a-z]{1,3}", "[A-Zæøå0-9:,.#'\"-]{1,6}"].boxed()
}

fn located(of: S<String>) -> S<Located<String>> {
    of.prop_map(Located::made).boxed()
}

fn span() -> S<Span> {
    prop_oneof![(0_u64..400_000_000).prop_map(Span::from_millis), (1_u64..100).prop_map(Span::from_hours)]
        .boxed()
}

fn long() -> S<Span> {
    (1_000_u64..400_000_000).prop_map(Span::from_millis).boxed()
}

fn number() -> S<f64> {
    prop_oneof![(0_u32..10_000).prop_map(f64::from), 0.001_f64..1e6].boxed()
}

fn above_zero() -> S<f64> {
    prop_oneof![(1_u32..10_000).prop_map(f64::from), 0.001_f64..1e6].boxed()
}

fn chance() -> S<f64> {
    (0.0_f64..=1.0).boxed()
}

fn bytes() -> S<f64> {
    prop_oneof![(1_u64..1 << 40).prop_map(|n| n as f64), (1_u64..100).prop_map(|n| (n << 30) as f64)].boxed()
}

fn host() -> S<HostForm> {
    let power = prop_oneof![
        (number(), number()).prop_map(|(idle, full)| PowerForm::Linear { idle, full }),
        prop::collection::vec(number(), 11).prop_map(PowerForm::Table),
        Just(PowerForm::Model("hp-ml110-g5".to_owned())),
    ];
    (some(1_u32..64), some(0.1_f64..10.0), some(bytes()), some(power))
        .prop_map(|(cores, clock, memory, power)| HostForm { cores, clock, memory, power, price: None })
        .boxed()
}

fn provider() -> S<ProviderForm> {
    let answers = (span(), span()).prop_map(|(one, other)| (one.min(other), one.max(other)));
    let ranking =
        (long(), some(span())).prop_map(|(every, late)| RankingForm { every: Located::made(every), late });
    let truths =
        (prop::option::of(any::<bool>()), prop::option::of(any::<bool>()), prop::option::of(any::<bool>()));
    let chances = (
        some(chance()),
        some(chance()),
        some(chance()),
        some(chance()),
        some(chance()),
        some(chance()),
        some(chance()),
    );
    (some(answers), truths, some(0_u32..9), chances, some(ranking))
        .prop_map(|(answers_in, (confirms, deduplicates, checks_memory), at_once, chances, ranking)| {
            let (loses_requests, loses_answers, doubles, delays, refuses, ignores, fails) = chances;
            ProviderForm {
                answers_in,
                confirms,
                deduplicates,
                checks_memory,
                at_once,
                loses_requests,
                loses_answers,
                doubles,
                delays,
                refuses,
                ignores,
                fails,
                ranking,
            }
        })
        .boxed()
}

fn array() -> S<ArrayForm> {
    let hosts = prop::collection::vec(located(name()), 1..4).prop_map(Located::made);
    let price = (number(), some(number())).prop_map(|(host, base)| PriceForm { host: host.into(), base });
    let live = prop_oneof![
        span().prop_map(|span| LiveForm::Takes(span.into())),
        bytes().prop_map(|link| LiveForm::Link(link.into())),
    ];
    let leaving = prop_oneof![
        prop::collection::vec(span(), 1..4).prop_map(|spans| LeavingForm::Takes(spans.into())),
        bytes().prop_map(|link| LeavingForm::Link(link.into())),
    ];
    let exception = (host(), some(number())).prop_map(|(host, price)| HostForm { price, ..host });
    let but = prop::collection::btree_map(name(), exception, 0..3);
    let moves = (prop::option::of(live), prop::option::of(leaving), provider());
    (hosts, some(name()), some(price), host(), but, moves)
        .prop_map(|(hosts, base, price, each, but, (live, leaving, provider))| {
            let but = but.into_iter().map(|(name, form)| (Located::made(name), form)).collect();
            ArrayForm { name: String::new().into(), hosts, base, price, each, but, live, leaving, provider }
        })
        .boxed()
}

fn then() -> S<Then> {
    prop_oneof![Just(Then::Hold), Just(Then::Repeat), Just(Then::End)].boxed()
}

fn load() -> S<LoadForm> {
    let lone = prop_oneof![
        number().prop_map(LoadForm::Constant),
        (any::<bool>(), number(), number(), 0_u64..86_400_000).prop_map(|(week, low, more, peak)| {
            LoadForm::Wave { week, low, high: low + more, peak: Span::from_millis(peak) }
        }),
        prop::array::uniform7(number()).prop_map(LoadForm::Weekdays),
        (long(), long(), number()).prop_map(|(gap, length, height)| LoadForm::Bursts { gap, length, height }),
        (prop::collection::vec(span(), 1..4), long(), number())
            .prop_map(|(at, length, height)| LoadForm::BurstsAt { at, length, height }),
        (prop::array::uniform2(number()), prop::array::uniform2(long()))
            .prop_map(|(rates, stays)| LoadForm::Mmpp { rates, stays }),
        (prop::collection::btree_map(span(), number(), 1..5), prop::option::of(long()))
            .prop_map(|(rows, repeat)| LoadForm::Steps { rows: rows.into_iter().collect(), repeat }),
        (name(), prop::option::of(name()), prop::option::of(number()), then())
            .prop_map(|(path, series, times, then)| LoadForm::Trace { path, series, times, then }),
        (name(), then()).prop_map(|(path, then)| LoadForm::Planetlab { path, then }),
    ];
    lone.prop_recursive(3, 12, 3, |inner| {
        let parts = prop::collection::vec(inner.prop_map(Located::made), 1..4);
        prop_oneof![parts.clone().prop_map(LoadForm::Sum), parts.prop_map(LoadForm::Product)]
    })
    .boxed()
}

fn service() -> S<ServiceSpec> {
    let database = (above_zero(), 1_u32..9, 1_u32..999, long()).prop_map(
        |(work_gcycles, concurrency, max_connections, long_query_time)| {
            ServiceSpec::Database(DatabaseSpec {
                work_gcycles,
                concurrency,
                max_connections,
                long_query_time,
            })
        },
    );
    let web = (above_zero(), span(), 1_u32..999, 0_u32..999).prop_map(
        |(work_gcycles, held, max_workers, listen_backlog)| {
            ServiceSpec::Web(WebSpec { work_gcycles, held, max_workers, listen_backlog })
        },
    );
    prop_oneof![
        database,
        web,
        Just(ServiceSpec::Plain),
        Just(ServiceSpec::Database(DatabaseSpec::default())),
        Just(ServiceSpec::Web(WebSpec::default())),
    ]
    .boxed()
}

/// A policy of the engine's own generator.
fn generated() -> S<PolicyFile> {
    prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| policy_file(&mut Source::new(&bytes))).boxed()
}

fn policy() -> S<PolicyForm> {
    let inline = generated().prop_map(|file| {
        let probes = vec![None; file.indicators.len()];
        PolicyForm::Inline(Box::new(InlinePolicy { file, probes }))
    });
    prop_oneof![name().prop_map(PolicyForm::File), inline].boxed()
}

fn guest() -> S<GuestForm> {
    let at = prop_oneof![
        prop::collection::vec(located(name()), 1..3).prop_map(AtForm::Hosts),
        Just(AtForm::Spread { array: None, by_memory: false }),
        (name(), any::<bool>())
            .prop_map(|(array, by_memory)| AtForm::Spread { array: Some(array.into()), by_memory }),
    ];
    let feed = prop_oneof![
        name().prop_map(FeedForm::Gauge),
        (load(), -99_i32..99, any::<bool>()).prop_map(|(load, strain, counts)| FeedForm::Follows {
            load: load.into(),
            strain: f64::from(strain),
            counts,
        }),
    ];
    let feeds = prop::collection::btree_map(name(), feed.prop_map(Located::made), 0..3);
    let sizes = (some(bytes()), some(bytes()), some(bytes()), some(bytes()));
    let times = (some(span()), some(span()), some(span()));
    (
        some(at),
        some(1_u32..9),
        sizes,
        times,
        some(service()),
        some(load()),
        some(policy()),
        feeds,
        prop::option::of(any::<bool>()),
    )
        .prop_map(|(at, vcpus, sizes, times, service, load, policy, feeds, locates)| {
            let (memory, dirties, working_set, disk) = sizes;
            let (shutdown, boot, probe_takes) = times;
            let feeds = feeds.into_iter().map(|(name, gauge)| (name.into(), gauge)).collect();
            GuestForm {
                at,
                vcpus,
                memory,
                dirties,
                working_set,
                disk,
                shutdown,
                boot,
                service,
                load,
                policy,
                feeds,
                locates,
                probe_takes,
                ..GuestForm::new("")
            }
        })
        .boxed()
}

fn queue() -> S<QueueForm> {
    let class = prop_oneof![Just("grade a".to_owned()), Just("b".to_owned()), name()].boxed();
    let classes = prop::collection::btree_map(class.clone(), above_zero(), 1..4);
    // Two of one class side by side are one entry of a list.
    let jobs = prop::collection::vec((class.clone(), 1_u32..4), 1..4).prop_map(|mut jobs| {
        jobs.dedup_by(|one, other| one.0 == other.0);
        jobs.into_iter().map(|(name, count)| (Located::made(name), count)).collect::<Vec<_>>()
    });
    let batch = (span(), jobs).prop_map(|(at, jobs)| BatchForm { at: at.into(), jobs });
    let arrivals = prop_oneof![
        prop::collection::vec(batch, 0..4).prop_map(ArrivalsForm::Batches),
        (long(), 1_u32..5, 0_u32..5, prop::collection::btree_map(class, number(), 0..3)).prop_map(
            |(gap, least, more, shares)| ArrivalsForm::Random {
                gap,
                jobs: (least, least + more),
                shares: shares.into_iter().map(|(name, share)| (name.into(), share)).collect(),
            }
        ),
    ];
    (classes, arrivals)
        .prop_map(|(classes, arrivals)| QueueForm {
            name: String::new().into(),
            classes: classes.into_iter().map(|(name, work)| (name.into(), work.into())).collect(),
            arrivals: arrivals.into(),
        })
        .boxed()
}

fn fault() -> S<FaultForm> {
    let what = prop_oneof![
        policy().prop_map(|policy| WhatForm::Reload(policy.into())),
        Just(WhatForm::DaemonCrash),
        Just(WhatForm::Pause),
        (-9_000_000_i64..9_000_000).prop_map(|by_ms| WhatForm::Clock { by_ms }),
        Just(WhatForm::ProbesHang),
        prop::sample::select(Absence::ALL.to_vec()).prop_map(WhatForm::ProbesFail),
        prop_oneof![any::<f64>().prop_filter("NaN is many", |n| !n.is_nan()), Just(f64::INFINITY)]
            .prop_map(WhatForm::ProbesSay),
        Just(WhatForm::ServiceRestart),
        Just(WhatForm::LocatorFails),
        number().prop_map(WhatForm::LoadTimes),
        name().prop_map(|host| WhatForm::MovedTo(host.into())),
        prop::option::of(long()).prop_map(WhatForm::Hold),
        Just(WhatForm::Resume),
        Just(WhatForm::Abandon),
        name().prop_map(|host| WhatForm::HostCrash(host.into())),
        (name(), any::<bool>())
            .prop_map(|(host, comes_true)| WhatForm::Drain { host: host.into(), comes_true }),
        Just(WhatForm::ProviderDown),
        provider().prop_map(|form| WhatForm::ProviderBehaves(Box::new(form))),
        above_zero().prop_map(WhatForm::LinkTimes),
    ];
    let guests = prop::collection::vec(located(name()), 1..3);
    (span(), some(long()), some(guests), some(name()), what)
        .prop_map(|(at, lasts, guests, array, what)| {
            let (to_guests, to_array, lasting) = match &what {
                WhatForm::Reload(_)
                | WhatForm::Clock { .. }
                | WhatForm::ServiceRestart
                | WhatForm::MovedTo(_) => (true, false, false),
                WhatForm::Hold(_) | WhatForm::Resume | WhatForm::Abandon => (true, false, false),
                WhatForm::HostCrash(_) | WhatForm::Drain { .. } => (false, false, true),
                WhatForm::ProviderDown | WhatForm::ProviderBehaves(_) | WhatForm::LinkTimes(_) => {
                    (false, true, true)
                }
                _ => (true, false, true),
            };
            FaultForm {
                at: at.into(),
                lasts: lasts.filter(|_| lasting),
                guests: guests.filter(|_| to_guests),
                array: array.filter(|_| to_array),
                what: what.into(),
            }
        })
        .boxed()
}

/// Entries with different names.
fn sections<T: core::fmt::Debug + 'static>(of: S<T>, named: fn(T, String) -> T) -> S<Vec<T>> {
    prop::collection::btree_map(name(), of, 0..3)
        .prop_map(move |map| map.into_iter().map(|(name, form)| named(form, name)).collect())
        .boxed()
}

fn scenario() -> S<ScenarioFile> {
    let start = prop_oneof![
        (0_i64..4_000_000_000_000).prop_map(|ms| StartForm::Instant(Wall(ms))),
        (0_i64..4_000_000_000_000).prop_map(|ms| StartForm::Local(Civil(ms))),
    ];
    let management = (prop::option::of(prop::sample::select(ManagerKind::ALL.to_vec())), some(long()))
        .prop_map(|(kind, every)| ManagementForm { kind: kind.into(), every });
    let arrays = sections(array(), |form, name| ArrayForm { name: name.into(), ..form });
    let queues = sections(queue(), |form, name| QueueForm { name: name.into(), ..form });
    let guests = sections(guest(), |form, name| GuestForm { name: name.into(), ..form });
    let faults = prop::collection::vec(fault(), 0..4);
    let top =
        (some(start), some(name()), long(), some(long()), some(any::<u64>()), prop::option::of(management));
    (top, arrays, queues, guests, faults)
        .prop_map(|((start, zone, lasts, step, seed, management), arrays, queues, guests, faults)| {
            ScenarioFile {
                start,
                zone,
                lasts: lasts.into(),
                step,
                seed,
                arrays,
                queues,
                guests,
                faults,
                management,
            }
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scenario_is_read_back(file in scenario()) {
        let text = file.to_yaml();
        let parsed = parse(text.as_bytes());
        // A scenario that lacks a section is no use, and yet it can be written.
        let problems: Vec<_> =
            parsed.problems.iter().filter(|problem| !problem.message.contains("is missing")).collect();
        prop_assert!(problems.is_empty(), "{}\n{:#?}", text, problems);
        prop_assert_eq!(without_places(&parsed.file), without_places(&file), "{}", text);
        prop_assert!(text.lines().all(|line| line.trim_end() == line), "{}", text);
    }

    #[test]
    fn a_policy_is_read_back(file in generated()) {
        let text = file.to_yaml();
        let parsed = vmpolicy_core::file::parse(text.as_bytes());
        prop_assert!(parsed.problems.is_empty(), "{}\n{:#?}", text, parsed.problems);
        prop_assert_eq!(without_places(&parsed.file), without_places(&file), "{}", text);
    }
}
