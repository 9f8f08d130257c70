//! Nothing goes wrong: cadence, shares of processor time, what it comes to.

use crate::place::{Add, MINUTE, base_aware, database, place, plain, story, story_with};
use proptest::prelude::*;
use vmpolicy_core::sim::load::{Bursts, LoadSpec, Mmpp};
use vmpolicy_core::sim::scenario::HostIx;
use vmpolicy_core::sim::world::Options;
use vmpolicy_core::time::Span;

fn requests(lines: &[String]) -> Vec<(u64, String)> {
    let asked = lines.iter().filter_map(|line| line.split_once(" nii1: request "));
    asked
        .map(|(at, what)| {
            (vmpolicy_core::file::parse_span(at).expect("a span").millis() / 1_000, what.to_owned())
        })
        .collect()
}

#[test]
fn under_constant_overload_a_guest_asks_every_225_s_as_in_listing_4_1() {
    let (lines, outcome) = story(&place(&base_aware(), LoadSpec::Constant(76.0)));
    let asked = requests(&lines);
    assert!(asked.windows(2).all(|pair| pair[1].0 - pair[0].0 == 225), "{asked:?}");
    assert_eq!(asked[0].1, "1 mln1 -> mln2");
    assert_eq!(asked[2].1, "3 mln3 -> mln1");
    assert_eq!(outcome.guests[0].summary.as_ref().unwrap().busiest_hour, 16);
    assert_eq!(outcome.live_moves, asked.len() as u64);
    let by_hour: Vec<_> = outcome.hours.iter().map(|hour| hour.requests).collect();
    assert_eq!(by_hour, [16, 16]);
}

#[test]
fn processor_time_is_shared_in_proportion_to_demand() {
    let mut scenario = place(&base_aware(), LoadSpec::Constant(10.0));
    // The host has 4 GHz: one guest wants 2, the other three 2 each.
    for name in ["a", "b", "c"] {
        let mut kind = plain(None);
        kind.load = LoadSpec::Constant(1.0);
        scenario.add(name, kind, HostIx(0));
    }
    let (_, outcome) = story(&scenario);
    for guest in 1..4 {
        assert!((outcome.guests[guest].missed - 1.0 / 3.0).abs() < 1e-12, "{:?}", outcome.guests[guest]);
    }
    assert!((outcome.hosts[0].busy_hours - 2.0).abs() < 1e-12);
    assert!((outcome.hosts[0].overloaded_hours - 2.0).abs() < 1e-12);
    // 117 W at full load, 86 W when idle; nobody is on the others.
    assert!((outcome.energy_kwh - 2.0 * 0.117).abs() < 1e-12, "{}", outcome.energy_kwh);
    assert_eq!(outcome.guests[0].missed, 0.0, "it demands nothing");
}

#[test]
fn a_neighbour_makes_a_database_slow_and_a_move_makes_it_quick_again() {
    use vmpolicy_core::sim::scenario::Feed;
    use vmpolicy_core::sim::service::Indicator;
    let mut scenario = place(&base_aware(), LoadSpec::Constant(0.0));
    let mut managed = scenario.kinds[0].managed.clone().unwrap();
    managed.feeds = vec![Some(Feed::Reads(Indicator::ResponseMs))];
    scenario.kinds[0] = database(LoadSpec::Constant(4.0), Some(managed));
    // A query takes 25 ms alone; among eight guests that want a core each, the database gets a ninth of two cores.
    scenario.hosts.iter_mut().for_each(|host| host.clock_ghz = 4.0);
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let mut kind = plain(None);
        kind.load = LoadSpec::Constant(1.0);
        scenario.add(name, kind, HostIx(0));
    }
    let (lines, _) = story(&scenario);
    insta::assert_snapshot!(lines.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What the onlooker sees is what runs without it, where polls are handed in without a tick before them.
    #[test]
    fn the_short_way_is_the_long_way(seed: u64, settle in 0_u64..200, count in 1_usize..4, which in 0..3) {
        let policy = crate::place::sketch().settle(Span::from_secs(settle)).build();
        let load = match which {
            0 => LoadSpec::Mmpp(Mmpp { rates: [0.0, 80.0], stays: [Span::from_mins(20), Span::from_mins(9)] }),
            1 => LoadSpec::Constant(60.0),
            _ => LoadSpec::Bursts(Bursts { gap: Span::from_mins(30), length: Span::from_mins(7), height: 70.0 }),
        };
        let mut scenario = place(&policy, load);
        scenario.seed = seed;
        scenario.lasts = Span::from_hours(12);
        for index in 1..count {
            scenario.add(&format!("nii{}", index + 1), scenario.kinds[0].clone(), HostIx(1));
        }
        let (long, with) = story(&scenario);
        let (short, without) = story_with(&scenario, Options { checks: false, ..Options::default() });
        prop_assert_eq!(&long, &short);
        prop_assert_eq!(with.guests, without.guests);
        prop_assert!(without.steps <= with.steps);
        prop_assert_eq!(story(&scenario).0, long, "the same again");
        prop_assert_eq!(MINUTE, scenario.step);
    }
}
