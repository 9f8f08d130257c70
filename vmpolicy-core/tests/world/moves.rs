//! Moves that take time, go wrong, or are asked of a provider that misbehaves.

use crate::place::{Add, base_aware, place, sketch, story};
use vmpolicy_core::sim::load::LoadSpec;
use vmpolicy_core::sim::scenario::{LiveMoves, Provider};
use vmpolicy_core::time::Span;

fn told(provider: Provider) -> String {
    let mut scenario = place(&sketch().build(), LoadSpec::Constant(76.0));
    scenario.lasts = Span::from_mins(25);
    scenario.arrays[0].provider = provider;
    story(&scenario).0.join("\n")
}

#[test]
fn a_live_move_takes_its_time_and_the_guest_stands_still_at_its_end() {
    let mut scenario = place(&base_aware(), LoadSpec::Constant(76.0));
    scenario.lasts = Span::from_mins(12);
    // 512 MB at 50 MB/s, 5 MB/s of it dirtied; then as much dirtied as the link takes, so that the rest takes long.
    scenario.arrays[0].live = LiveMoves::Precopy { link: 50e6 };
    insta::assert_snapshot!("live_move", story(&scenario).0.join("\n"));
    scenario.arrays[0].live = LiveMoves::Precopy { link: 6e6 };
    (scenario.kinds[0].working_set, scenario.kinds[0].dirties) = (100e6, 8e6);
    insta::assert_snapshot!("live_move_with_a_long_pause", story(&scenario).0.join("\n"));
}

#[test]
fn moves_of_an_array_share_its_link() {
    let mut scenario = place(&base_aware(), LoadSpec::Constant(76.0));
    scenario.lasts = Span::from_mins(5);
    scenario.arrays[0].live = LiveMoves::Precopy { link: 50e6 };
    let at = scenario.host("mln2");
    scenario.add("nii2", scenario.kinds[0].clone(), at);
    insta::assert_snapshot!(story(&scenario).0.join("\n"));
}

#[test]
fn a_provider_that_accepts_and_does_nothing_is_found_out() {
    insta::assert_snapshot!(told(Provider { ignores: 1.0, ..Provider::default() }));
}

#[test]
fn a_provider_that_never_hears_or_never_answers() {
    insta::assert_snapshot!("never_hears", told(Provider { loses_requests: 1.0, ..Provider::default() }));
    insta::assert_snapshot!("never_answers", told(Provider { loses_answers: 1.0, ..Provider::default() }));
}

#[test]
fn a_provider_that_refuses_or_fails_midway() {
    insta::assert_snapshot!("refuses", told(Provider { refuses: 1.0, ..Provider::default() }));
    let mut scenario = place(&sketch().build(), LoadSpec::Constant(76.0));
    scenario.lasts = Span::from_mins(15);
    scenario.arrays[0].provider.fails = 1.0;
    scenario.arrays[0].live = LiveMoves::Take(Span::from_secs(30));
    insta::assert_snapshot!("fails_midway", story(&scenario).0.join("\n"));
}

#[test]
fn a_guest_that_does_not_fit_is_refused() {
    let mut scenario = place(&sketch().build(), LoadSpec::Constant(76.0));
    scenario.lasts = Span::from_mins(8);
    let full = scenario.host("mln2");
    scenario.hosts[full.index()].memory = 100e6;
    insta::assert_snapshot!(story(&scenario).0.join("\n"));
}

#[test]
fn one_move_at_a_time_where_the_provider_wants_it_so() {
    let mut scenario = place(&base_aware(), LoadSpec::Constant(76.0));
    scenario.lasts = Span::from_mins(8);
    scenario.arrays[0].provider.at_once = 1;
    scenario.arrays[0].live = LiveMoves::Take(Span::from_secs(60));
    for name in ["nii2", "nii3"] {
        let at = scenario.host("mln2");
        scenario.add(name, scenario.kinds[0].clone(), at);
    }
    insta::assert_snapshot!(story(&scenario).0.join("\n"));
}
