//! What goes wrong by itself, one at a time.

use crate::place::{Add, base_aware, place, sketch, story};
use vmpolicy_core::input::Absence;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::ActionForm;
use vmpolicy_core::sim::load::LoadSpec;
use vmpolicy_core::sim::scenario::{Scenario, What};
use vmpolicy_core::testkit::sketch::{Sketch, above};
use vmpolicy_core::time::Span;

const AT: Span = Span::from_mins(6);

/// One guest under constant overload for a quarter of an hour, and this fault after six minutes.
fn told(lasts: Option<Span>, what: impl FnOnce(&Scenario) -> What) -> String {
    let mut scenario = place(&base_aware(), LoadSpec::Constant(76.0));
    scenario.lasts = Span::from_mins(15);
    let what = what(&scenario);
    scenario.fault(AT, lasts, what);
    story(&scenario).0.join("\n")
}

#[test]
fn a_pause_is_seen_by_the_clocks() {
    insta::assert_snapshot!(told(Some(Span::from_mins(3)), |s| What::Pause(s.one())));
}

#[test]
fn a_clock_step_voids_what_was_sampled() {
    insta::assert_snapshot!(told(None, |s| What::ClockStep { guests: s.one(), by_ms: -3_600_000 }));
}

#[test]
fn a_daemon_that_dies_goes_on_from_its_disk() {
    insta::assert_snapshot!(told(Some(Span::from_mins(2)), |s| What::DaemonCrash(s.one())));
}

#[test]
fn a_daemon_that_dies_with_an_open_request_asks_for_nothing_twice() {
    let mut scenario = place(&base_aware(), LoadSpec::Constant(76.0));
    scenario.lasts = Span::from_mins(12);
    scenario.arrays[0].live = vmpolicy_core::sim::scenario::LiveMoves::Take(Span::from_mins(2));
    let one = scenario.one();
    scenario.fault(Span::from_secs(150), Some(Span::from_secs(20)), What::DaemonCrash(one));
    insta::assert_snapshot!(story(&scenario).0.join("\n"));
}

#[test]
fn probes_that_hang_fail_or_lie() {
    insta::assert_snapshot!("hang", told(Some(Span::from_mins(3)), |s| What::ProbeHangs(s.one())));
    insta::assert_snapshot!(
        "fail",
        told(Some(Span::from_mins(3)), |s| What::ProbeFails { guests: s.one(), why: Absence::Denied })
    );
    insta::assert_snapshot!(
        "lie",
        told(Some(Span::from_mins(3)), |s| What::ProbeLies { guests: s.one(), value: f64::NAN })
    );
}

#[test]
fn another_policy_in_the_middle() {
    let mut scenario = place(&base_aware(), LoadSpec::Constant(76.0));
    scenario.lasts = Span::from_mins(15);
    let calmer = Sketch::default()
        .array("oslo", &["mln1", "mln2", "mln3"])
        .base("mln6")
        .gauge("load", crate::place::MINUTE)
        .rule("overloaded", above("load", 80.0), Tarry::Consecutive(3), ActionForm::Move)
        .build();
    scenario.policies.push(calmer);
    let mut managed = scenario.kinds[0].managed.clone().unwrap();
    managed.policy = vmpolicy_core::sim::scenario::PolicyIx(1);
    let guests = scenario.one();
    scenario.fault(AT, None, What::Reload { guests, managed });
    insta::assert_snapshot!(story(&scenario).0.join("\n"));
}

#[test]
fn a_host_that_will_be_emptied_is_left_before_and_one_that_fails_comes_back() {
    insta::assert_snapshot!(
        "drain",
        told(Some(Span::from_mins(5)), |s| What::Drain { host: s.host("mln3"), comes_true: true })
    );
    insta::assert_snapshot!("crash", told(Some(Span::from_mins(4)), |s| What::HostCrash(s.host("mln3"))));
}

#[test]
fn a_guest_that_somebody_else_moves_starts_to_sample_anew() {
    insta::assert_snapshot!(told(None, |s| What::MovedTo { guests: s.one(), to: s.host("mln6") }));
}

#[test]
fn a_provider_that_is_down_moves_nobody() {
    let mut scenario = place(&sketch().build(), LoadSpec::Constant(76.0));
    scenario.lasts = Span::from_mins(40);
    scenario.fault(AT, Some(Span::from_mins(20)), What::ProviderDown(None));
    insta::assert_snapshot!(story(&scenario).0.join("\n"));
}
