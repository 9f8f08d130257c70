//! The policies of the thesis in random worlds: the engine keeps all of its invariants there.

use crate::support::{TestZones, example, holds, study};
use vmpolicy_core::file::expect::load_expectations;
use vmpolicy_core::file::scenario::{NoFiles, load};
use vmpolicy_core::sim::world::{Options, run};
use vmpolicy_core::verify::{Counts, Doing, FAULTS, Scope, Study};

const WORLDS: u64 = 150;

fn keeps_everything(name: &str) -> Counts {
    let study = study(&example(name), &[], 1, Scope::default());
    let counts = holds(&study, WORLDS);
    assert!(counts.requests > 0 && counts.moves > 0, "{name} never moves: {counts:?}");
    counts
}

#[test]
fn nothing_that_must_never_happen_does() {
    let mut all = Counts::new(0);
    for name in ["threshold-aware", "base-aware", "schedule-aware", "site-aware"] {
        all.add(&keeps_everything(name));
    }
    // Every kind of fault comes, and comes whatever guests are doing.
    for (kind, name) in FAULTS.iter().enumerate() {
        assert!(all.faults[kind] > 0, "no {name} in {} worlds", all.worlds);
        for doing in Doing::ALL {
            assert!(all.met[kind][doing as usize] > 0, "no {name} while {}", doing.name());
        }
    }
}

#[test]
fn policies_of_other_kinds_keep_it_too() {
    keeps_everything("many-indicators");
    keeps_everything("cron-window");
    keeps_everything("web-server");
}

/// The example of an expectation file, and those of the page about them.
#[test]
#[expect(clippy::disallowed_methods, reason = "the examples are files")]
fn the_example_is_kept_and_tests_something() {
    let loaded = example("schedule-aware");
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/");
    let read = |name: &str| std::fs::read_to_string(format!("{docs}{name}")).expect("it is there");
    let expectations =
        load_expectations(read("examples/verify/schedule-aware.yaml").as_bytes(), &loaded.policy);
    let study = Study::new(&loaded, expectations.expect("it is sound"), 1, Scope::default());
    let counts = holds(&study, WORLDS);
    assert!(counts.judged.iter().all(|judged| *judged > 0), "{counts:?}");

    let page = read("verify.md");
    let snippets = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("\n```"));
    let all: Vec<&str> = snippets.map(|(snippet, _)| snippet).collect();
    assert_eq!(all.len(), 1);
    load_expectations(all[0].as_bytes(), &loaded.policy).expect("it is sound");
}

/// World 7337 of seed 1: a daemon that starts while the provider deduplicates, and resends when it no longer does.
#[test]
fn a_provider_that_stops_to_deduplicate_is_not_the_guest_s_fault() {
    let text = "
version: 1
start: 2026-02-08T00:00:00Z
lasts: 11m
arrays:
  cluster:
    hosts: [mln1, mln2, mln3, mln4, mln5]
    live: { takes: 1m }
    leaving: { takes: 10m }
    provider: { loses_answers: 1, delays: 1, fails: 0.5 }
guests:
  vm1:
    at: mln2
    policy:
      guest: nii1
      indicators: { slow_queries: { every: 1m, read: delta } }
      rules: [{ name: overloaded, when: slow_queries > 50, tarry: 3, do: move }]
      moves: { settle: 45s, at_most: 16 per 1h, tour: keep-going }
    feeds: { slow_queries: { follows: 0, counts: true } }
faults:
  - { at: 0s, lasts: 10m, drain: mln2 }
  - at: 3m
    lasts: 10m
    provider: { answers_in: [0s, 8s], confirms: false, deduplicates: false, loses_answers: 0.5, doubles: 0.2, refuses: 0.2 }
  - { at: 7m34s, lasts: 53s, crash: mln2 }
  - at: 8m
    lasts: 1m
    provider: { answers_in: [2s, 19s], checks_memory: false, delays: 0.05, refuses: 0.05 }
";
    let built = load(text.as_bytes(), &TestZones, &mut NoFiles).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let ran = run(&built.scenario, Options::default(), &mut ());
    assert!(ran.is_ok(), "{:?}", ran.err());
}
