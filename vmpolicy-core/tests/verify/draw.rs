//! What is drawn: the same from the same seed, and as a file what it is in memory.

use crate::support::{TestZones, example, study, tried};
use proptest::prelude::*;
use vmpolicy_core::file::scenario::{NoFiles, WhatForm, load, parse};
use vmpolicy_core::policy::Zones as _;
use vmpolicy_core::sim::world::{Options, run};
use vmpolicy_core::verify::Scope;

const EXAMPLES: [&str; 4] = ["threshold-aware", "base-aware", "schedule-aware", "site-aware"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_world_depends_on_seed_and_number_only(seed: u64, index in 0_u64..1_000_000, which in 0_usize..4) {
        let loaded = example(EXAMPLES[which]);
        let one = study(&loaded, &[], seed, Scope::default());
        let other = study(&loaded, &[], seed, Scope::default());
        // Whatever was drawn before.
        drop(other.world(index / 2));
        prop_assert_eq!(one.world(index).to_yaml(), other.world(index).to_yaml());
        prop_assert_eq!(one.try_world(index), other.try_world(index));
        prop_assert_ne!(one.world(index), one.world(index + 1));
    }

    #[test]
    fn what_is_written_is_what_was_tried(seed: u64, index in 0_u64..1_000, which in 0_usize..4) {
        let study = study(&example(EXAMPLES[which]), &[], seed, Scope::default());
        let world = study.world(index);
        let text = world.to_yaml();
        let parsed = parse(text.as_bytes());
        prop_assert!(parsed.problems.is_empty(), "{:?}\n{}", parsed.problems, text);
        // And runs the same.
        let read = load(text.as_bytes(), &TestZones, &mut NoFiles);
        prop_assert!(read.is_ok(), "{:?}\n{}", read.map(|_| ()), text);
        let read = read.expect("just asked").scenario;
        let made = study.build(&world).expect("it is sound");
        let ran = |scenario| run(scenario, Options::default(), &mut ());
        prop_assert_eq!(ran(&read), ran(&made));
    }

    #[test]
    fn a_scope_only_leaves_out_faults(index in 0_u64..1_000) {
        let loaded = example("schedule-aware");
        let with = study(&loaded, &[], 1, Scope { provider: false, ..Scope::default() }).world(index);
        let mut without = study(&loaded, &[], 1, Scope::NONE).world(index);
        prop_assert!(without.faults.is_empty());
        without.faults.clone_from(&with.faults);
        prop_assert_eq!(with, without);
    }
}

#[test]
fn each_scope_has_its_own_faults() {
    let loaded = example("base-aware");
    let of_provider = |what: &WhatForm| {
        matches!(what, WhatForm::ProviderDown | WhatForm::ProviderBehaves(_) | WhatForm::LinkTimes(_))
    };
    let only = study(&loaded, &[], 1, Scope { provider: true, ..Scope::NONE });
    let faults: Vec<_> = (0..50).flat_map(|index| only.world(index).faults).collect();
    assert!(faults.len() > 50 && faults.iter().all(|fault| of_provider(&fault.what.value)));
    let none = study(&loaded, &[], 1, Scope { provider: false, ..Scope::default() });
    let faults: Vec<_> = (0..50).flat_map(|index| none.world(index).faults).collect();
    assert!(faults.len() > 50 && !faults.iter().any(|fault| of_provider(&fault.what.value)));
}

#[test]
fn worlds_begin_about_clock_changes_and_edges() {
    let loaded = example("schedule-aware");
    let study = study(&loaded, &[], 1, Scope::NONE);
    let oslo = TestZones.zone("Europe/Oslo").expect("there is one");
    let mut changes = 0;
    let mut edges = 0;
    for index in 0..100 {
        let scenario = study.build(&study.world(index)).expect("it is sound");
        let end = scenario.start.plus(scenario.lasts);
        changes += u32::from(oslo.next_change_after(scenario.start).is_some_and(|change| change < end));
        let window = &loaded.policy.windows().rows()[0].window;
        edges += u32::from(window.edges(scenario.start, end).next().is_some());
    }
    assert!(changes >= 20, "{changes} of 100 worlds have a clock change");
    assert!(edges >= 50, "{edges} of 100 worlds have an edge of a window");
}

#[test]
fn worlds_tempt_the_policy() {
    let study = study(&example("threshold-aware"), &[], 7, Scope::NONE);
    let (counts, _) = tried(&study, 60);
    assert!(counts.requests > counts.worlds, "{counts:?}");
}
