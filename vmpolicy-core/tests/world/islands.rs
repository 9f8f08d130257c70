//! Parts of a scenario that have nothing to do with each other come to the same alone as together.

use crate::place::{Add, Story, base_aware, place, plain, story};
use proptest::prelude::*;
use std::sync::Arc;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::ActionForm;
use vmpolicy_core::sim::load::{LoadSpec, Mmpp};
use vmpolicy_core::sim::scenario::{
    ArrayIx, Feed, GuestIx, GuestSet, HostIx, LiveMoves, PolicyIx, Provider, Scenario, Signal, What,
};
use vmpolicy_core::sim::world::{Island, Options};
use vmpolicy_core::testkit::sketch::{Sketch, above};
use vmpolicy_core::time::{Mono, Span};

/// Arrays of two hosts with their own policy and two guests each; the first two belong together where `joined`.
fn archipelago(arrays: usize, joined: bool, seed: u64) -> Scenario {
    let mut scenario = place(&base_aware(), LoadSpec::Constant(0.0));
    scenario.seed = seed;
    scenario.lasts = Span::from_hours(6);
    let (array, host) = (scenario.arrays[0].clone(), scenario.hosts[0].clone());
    scenario.arrays.clear();
    scenario.hosts.clear();
    scenario.policies.clear();
    let managed = scenario.kinds[0].managed.clone().expect("a policy");
    scenario.kinds.clear();
    scenario.guests.clear();
    for index in 0..arrays {
        let (one, two) = (format!("a{index}h1"), format!("a{index}h2"));
        let mut sketch = Sketch::default()
            .array(&format!("a{index}"), &[&one, &two])
            .gauge("load", crate::place::MINUTE)
            .rule("overloaded", above("load", 50.0), Tarry::Consecutive(2), ActionForm::Move)
            .keep_going();
        if joined && index == 0 {
            sketch = sketch.array("a1", &["a1h1", "a1h2"]);
            sketch = sketch.moves(|_| {});
        }
        let mut file = sketch.file();
        file.home = Some(format!("a{index}").into());
        scenario.policies.push(Arc::new(file.build(&vmpolicy_core::policy::UtcOnly).expect("sound")));
        scenario.arrays.push(vmpolicy_core::sim::scenario::Array {
            name: format!("a{index}"),
            live: LiveMoves::Precopy { link: 20e6 },
            provider: Provider {
                refuses: 0.2,
                answers_in: (Span::ZERO, Span::from_secs(3)),
                ..Provider::default()
            },
            ..array.clone()
        });
        for name in [one, two] {
            let array = ArrayIx::from_index(index);
            scenario.hosts.push(vmpolicy_core::sim::scenario::Host { name, array, ..host.clone() });
        }
        let load =
            LoadSpec::Mmpp(Mmpp { rates: [0.0, 80.0], stays: [Span::from_mins(20), Span::from_mins(9)] });
        let feed = Feed::Follows(Signal { load, strain: 40.0, counts: false });
        let managed = vmpolicy_core::sim::scenario::Managed {
            policy: PolicyIx::from_index(index),
            feeds: vec![Some(feed)],
            ..managed.clone()
        };
        for guest in 0..2 {
            let mut kind = plain(Some(managed.clone()));
            kind.load = LoadSpec::Constant(0.5);
            scenario.add(&format!("a{index}g{guest}"), kind, HostIx::from_index(2 * index + guest));
        }
    }
    let last = GuestSet::These(vec![GuestIx::from_index(2 * arrays - 1), GuestIx(0)]);
    scenario.fault(Span::from_hours(1), Some(Span::from_mins(20)), What::DaemonCrash(last));
    scenario.fault(Span::from_hours(2), Some(Span::from_mins(40)), What::ProviderDown(None));
    let first = What::Drain { host: HostIx(0), comes_true: false };
    scenario.fault(Span::from_hours(4), Some(Span::from_mins(30)), first);
    scenario
}

/// What each guest did, by guest.
fn by_guest(scenario: &Scenario, lines: &[String]) -> Vec<Vec<String>> {
    let of = |name: &str| lines.iter().filter(|line| line.contains(&format!(" {name}"))).cloned().collect();
    scenario.guests.iter().map(|guest| of(&guest.name)).collect()
}

#[test]
fn arrays_that_a_policy_names_together_are_one_part() {
    let apart = archipelago(4, false, 1);
    assert_eq!(Island::all(&apart).len(), 4);
    let joined = archipelago(4, true, 1);
    let islands = Island::all(&joined);
    let hosts: Vec<_> = islands.iter().map(|island| island.hosts().len()).collect();
    assert_eq!(hosts, [4, 2, 2]);
    assert_eq!(islands[1].guests(), [GuestIx(4), GuestIx(5)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_parts_come_to_the_whole(seed: u64, joined: bool, arrays in 2_usize..5, cut in 1_i64..400) {
        let scenario = archipelago(arrays, joined, seed);
        let (lines, whole) = story(&scenario);
        let islands = Island::all(&scenario);
        let (mut parts, mut apart) = (Vec::new(), Vec::new());
        for island in &islands {
            let mut story = Story::of(&scenario, island.guests().to_vec(), island.hosts().to_vec());
            let mut running = island.begin(Options::default(), &mut story);
            // However it is cut, the outcome is the same.
            let mut upto = Mono(0);
            while !running.has_ended() {
                upto = upto.shifted(cut * 60_000);
                running.advance(upto).expect("nothing that must never happen");
            }
            parts.push(running.finish());
            apart.extend(story.lines);
        }
        prop_assert_eq!(by_guest(&scenario, &lines), by_guest(&scenario, &apart));
        prop_assert!(!lines.is_empty());
        prop_assert_eq!(whole, Island::outcome(&scenario, &islands, parts));
    }
}
