//! What a scenario file comes to: ranges, defaults, places, feeds, prices, faults.

use crate::shared::TwoZones;
use crate::support::{loaded, told};
use vmpolicy_core::file::scenario::{Built, Files, NoFiles, ScenarioFile, load};
use vmpolicy_core::sim::load::LoadSpec;
use vmpolicy_core::sim::power::Power;
use vmpolicy_core::sim::scenario::{Feed, GuestSet, LiveMoves, Provider, Scenario, Signal, What};
use vmpolicy_core::sim::service::{Indicator, ServiceSpec};
use vmpolicy_core::time::{Span, Wall};

const OSLO: &str = "arrays: { oslo: { hosts: [mln1, mln2, mln3], base: mln6 } }\n";

fn built(sections: &str) -> Built {
    let text = format!("version: 1\nlasts: 24h\n{sections}");
    loaded(&text).unwrap_or_else(|_| panic!("{}", told(text.as_bytes(), &mut crate::support::Shelf::new())))
}

fn scenario(sections: &str) -> Scenario {
    built(sections).scenario
}

fn reads(indicator: Indicator) -> Option<Feed> {
    Some(Feed::Reads(indicator))
}

fn feeds(scenario: &Scenario, guest: usize) -> Vec<Option<Feed>> {
    let kind = &scenario.kinds[scenario.guests[guest].kind.index()];
    kind.managed.as_ref().expect("a policy").feeds.clone()
}

#[test]
fn what_is_left_out_is_as_the_reference_says() {
    let Built { scenario, warnings, .. } = built(&format!("{OSLO}guests: {{ g: }}\n"));
    assert_eq!(warnings, []);
    assert_eq!(scenario.start.to_string(), "2026-01-05T00:00:00Z");
    assert_eq!((scenario.step, scenario.seed), (Span::from_secs(60), 1));
    assert_eq!(scenario.management, None);
    let host = &scenario.hosts[0];
    assert_eq!((host.cores, host.clock_ghz, host.memory, host.price), (4, 2.5, 17_179_869_184.0, 0.0));
    assert_eq!(host.power, Power::Linear { idle: 100.0, full: 200.0 });
    assert_eq!(scenario.arrays[0].live, LiveMoves::Precopy { link: 125e6 });
    assert_eq!(scenario.arrays[0].provider, Provider::default());
    let kind = &scenario.kinds[0];
    assert_eq!((kind.vcpus, kind.memory, kind.dirties), (1, 536_870_912.0, 5_242_880.0));
    assert_eq!(
        (kind.disk, kind.shutdown, kind.boot),
        (1_073_741_824.0, Span::from_secs(10), Span::from_secs(30))
    );
    assert_eq!((&kind.service, &kind.load), (&ServiceSpec::Plain, &LoadSpec::Constant(0.0)));
    assert!(kind.managed.is_none());
}

#[test]
fn hosts_are_what_each_and_but_say() {
    let scenario = scenario(
        "arrays:
  a:
    hosts: [x1, \"h[1-4]\"]
    base: b
    price: { host: 0.2, base: 0.1 }
    each: { cores: 2, clock: 1GHz }
    but: { \"h[2-3]\": { clock: 2000MHz, price: 0.5 }, h3: { cores: 8 }, b: { memory: 1GiB } }
guests: { g: }
",
    );
    let told: Vec<String> = scenario
        .hosts
        .iter()
        .map(|host| {
            format!("{} {}x{} {} {}", host.name, host.cores, host.clock_ghz, host.price, host.is_base)
        })
        .collect();
    assert_eq!(
        told,
        [
            "x1 2x1 0.2 false",
            "h1 2x1 0.2 false",
            "h2 2x2 0.5 false",
            "h3 8x2 0.5 false",
            "h4 2x1 0.2 false",
            "b 2x1 0.1 true"
        ]
    );
    assert_eq!(scenario.hosts[5].memory, 1_073_741_824.0);
}

#[test]
fn guests_go_where_they_are_told_to() {
    let at = |at: &str| {
        let scenario = scenario(&format!("{OSLO}guests: {{ \"g[1-5]\": {{ at: {at}, memory: 1GiB }} }}\n"));
        let names: Vec<&str> =
            scenario.guests.iter().map(|guest| scenario.hosts[guest.at.index()].name.as_str()).collect();
        names.join(" ")
    };
    assert_eq!(at("mln2"), "mln2 mln2 mln2 mln2 mln2");
    assert_eq!(at("[mln2, mln6]"), "mln2 mln6 mln2 mln6 mln2");
    assert_eq!(at("\"mln[2-3]\""), "mln2 mln3 mln2 mln3 mln2");
    assert_eq!(at("spread"), "mln1 mln2 mln3 mln1 mln2");
    assert_eq!(at("{ spread: oslo, by: memory }"), "mln1 mln2 mln3 mln1 mln2");
    // The next group goes on where the one before it ended.
    let scenario = scenario(&format!("{OSLO}guests: {{ a: {{ at: spread }}, b: {{ at: spread }} }}\n"));
    assert_eq!(scenario.guests[1].at.index(), 1);
}

#[test]
fn an_indicator_is_fed_by_what_is_said_then_by_its_probe_then_by_its_name() {
    let of = |indicator: &str, rest: &str| {
        let scenario = scenario(&format!(
            "{OSLO}guests:\n  g:\n    service: database\n    policy:\n      indicators: {{ {indicator} }}\n      rules: [{{ name: r, when: x > 1, do: move }}]\n{rest}"
        ));
        feeds(&scenario, 0)[0].clone()
    };
    let mysql = "x: { every: 60s, read: delta, probe: { mysql: { status: Slow_queries } } }";
    assert_eq!(of(mysql, ""), reads(Indicator::SlowQueries));
    assert_eq!(of(mysql, "    feeds: { x: response_ms }\n"), reads(Indicator::ResponseMs));
    assert_eq!(of("x: { every: 60s, probe: { psi: { resource: cpu } } }", ""), reads(Indicator::Steal));
    assert_eq!(of("x: { every: 60s, probe: { psi: { resource: io } } }", ""), None);
    assert_eq!(of("x: { every: 60s, probe: load }", ""), reads(Indicator::Load));
    let signal = Signal { load: LoadSpec::Constant(5.0), strain: -2.0, counts: true };
    assert_eq!(
        of(mysql, "    feeds: { x: { follows: 5, strain: -2, counts: true } }\n"),
        Some(Feed::Follows(signal))
    );
    let scenario =
        scenario(&format!("{OSLO}guests: {{ g: {{ service: database, policy: policy.yaml }} }}\n"));
    assert_eq!(feeds(&scenario, 0), [reads(Indicator::SlowQueries)]);
}

#[test]
fn a_reload_is_one_for_each_group_that_has_a_policy() {
    let scenario = scenario(&format!(
        "{OSLO}guests:
  \"db[1-2]\": {{ service: database, policy: policy.yaml }}
  web: {{ service: web, policy: policy.yaml, feeds: {{ slow_queries: refused }} }}
  none: {{}}
faults: [{{ at: 2h, clock: 1h }}, {{ at: 1h, reload: policy.yaml }}]
"
    ));
    let told: Vec<String> = scenario
        .faults
        .iter()
        .map(|fault| match &fault.what {
            What::Reload { guests: GuestSet::These(guests), managed } => {
                format!(
                    "{} {:?} {:?}",
                    fault.at,
                    guests.iter().map(|guest| guest.0).collect::<Vec<_>>(),
                    managed.feeds
                )
            }
            other => format!("{} {other:?}", fault.at),
        })
        .collect();
    assert_eq!(
        told,
        [
            "1h [0, 1] [Some(Reads(SlowQueries))]",
            "1h [2] [Some(Reads(Refused))]",
            "2h ClockStep { guests: All, by_ms: 3600000 }"
        ]
    );
    assert_eq!(scenario.policies.len(), 1, "one file is one policy");
}

#[test]
fn what_a_provider_leaves_out_stays_as_it_is() {
    let scenario = scenario(
        "arrays:
  a: { hosts: h, provider: { refuses: 0.1 } }
  b: { hosts: i, provider: { at_once: 3 } }
guests: { g: { at: h } }
faults: [{ at: 1h, provider: { fails: 0.5 } }]
",
    );
    let told: Vec<_> = scenario
        .faults
        .iter()
        .map(|fault| match fault.what {
            What::ProviderBehaves { array: Some(array), provider } => {
                (array.0, provider.refuses, provider.at_once, provider.fails)
            }
            ref other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [(0, 0.1, 0, 0.5), (1, 0.0, 3, 0.5)]);
}

#[test]
fn each_guest_of_a_folder_has_its_file() {
    let scenario = scenario(&format!("{OSLO}guests: {{ \"g[1-2]\": {{ load: {{ planetlab: day }} }} }}\n"));
    let first = |guest: usize| match &scenario.kinds[scenario.guests[guest].kind.index()].load {
        LoadSpec::Trace(trace) => trace.values()[0],
        other => panic!("{other:?}"),
    };
    assert_eq!((first(0), first(1)), (0.3, 0.1), "in name order");
}

#[test]
fn prices_are_the_scenario_s_or_else_the_policy_s() {
    let policy = "policy: { arrays: { oslo: { hosts: [mln1, mln2], base: mln6, price: { host: 0.4, base: 0.2 } } }, rules: [] }";
    let prices = |array: &str| {
        let Built { scenario, warnings, .. } = built(&format!("{array}guests: {{ g: {{ {policy} }} }}\n"));
        let codes: Vec<_> =
            warnings.iter().map(|problem| problem.code).filter(|code| code.starts_with("VS")).collect();
        (scenario.hosts.iter().map(|host| host.price).collect::<Vec<_>>(), codes)
    };
    assert_eq!(prices(OSLO), (vec![0.4, 0.4, 0.0, 0.2], vec![]));
    let priced = OSLO.replace("base: mln6", "base: mln6, price: { host: 1, base: 0.2 }");
    assert_eq!(prices(&priced), (vec![1.0, 1.0, 1.0, 0.2], vec!["VS0106", "VS0106"]));
}

/// A start in the hour that a clock skips, or shows twice.
#[test]
fn a_start_that_the_clock_skips_is_after_the_gap() {
    struct Jumping;
    impl vmpolicy_core::policy::Zones for Jumping {
        fn zone(&self, name: &str) -> Option<vmpolicy_core::leaf::window::Zone> {
            let table = vec![(1_774_746_000, 7_200), (1_792_890_000, 3_600)];
            vmpolicy_core::leaf::window::Zone::new(name, 3_600, table).ok()
        }
    }
    let start = |start: &str| {
        let text =
            format!("version: 1\nzone: Europe/Oslo\nstart: {start}\nlasts: 1h\n{OSLO}guests: {{ g: }}\n");
        load(text.as_bytes(), &Jumping, &mut NoFiles).expect("it is sound").scenario.start
    };
    assert_eq!(start("2026-03-29T02:30"), Wall::from_secs(1_774_746_000));
    assert_eq!(start("2026-10-25T02:30"), Wall::from_secs(1_792_888_200));
}

/// A program builds a scenario without a text, and hears of what is wrong all the same.
#[test]
fn a_form_of_a_program_is_judged_too() {
    let mut file = ScenarioFile::new(Span::from_hours(1));
    let codes = |file: &ScenarioFile, files: &mut dyn Files| {
        let faulty = file.build(&TwoZones, files).err().unwrap_or_default();
        faulty.problems.iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&file, &mut NoFiles), ["VP0001"]);
    let text = format!("version: 1\nlasts: 1h\n{OSLO}guests: {{ g: {{ at: mln9, policy: policy.yaml }} }}\n");
    file = vmpolicy_core::file::scenario::parse(text.as_bytes()).file;
    assert_eq!(codes(&file, &mut NoFiles), ["VP0008", "VS0004"]);
}
