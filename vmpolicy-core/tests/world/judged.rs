//! What a guest's own reckoning counts in a world: its polls, and for how long nobody could say how it does.

use crate::place::{Add, MINUTE, base_aware, place, sketch};
use proptest::prelude::*;
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::backtest::Summary;
use vmpolicy_core::id::IndicatorId;
use vmpolicy_core::input::Absence;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::{ActionForm, Monitor};
use vmpolicy_core::sim::load::{LoadSpec, Mmpp};
use vmpolicy_core::sim::scenario::{GuestIx, Scenario, What};
use vmpolicy_core::sim::world::{Deciding, Options, Watch, run};
use vmpolicy_core::testkit::sketch::{Sketch, above, outside};
use vmpolicy_core::time::{Span, Wall};

/// How often its probe was asked and answered, counted by whoever looks on.
#[derive(Default)]
struct Polls {
    answered: u64,
    absent: u64,
}

impl Watch for Polls {
    fn polled(&mut self, _: GuestIx, _: Wall, _: IndicatorId, value: Result<f64, Absence>) {
        self.answered += 1;
        self.absent += u64::from(value.is_err());
    }
}

fn reckoned(scenario: &Scenario, deciding: Deciding) -> (Summary, Polls) {
    let mut polls = Polls::default();
    let outcome = run(scenario, Options { checks: true, deciding }, &mut polls).expect("nothing is violated");
    (outcome.guests[0].summary.clone().expect("it has a policy"), polls)
}

fn own(scenario: &Scenario) -> (Summary, Polls) {
    reckoned(scenario, Deciding::AsWritten)
}

/// Two hours of polls once a minute: at both ends, too.
#[test]
fn every_poll_is_counted() {
    let mut scenario = place(&base_aware(), LoadSpec::Constant(20.0));
    assert_eq!(own(&scenario).0.polls, 121);
    let why = Absence::Unreachable;
    let guests = scenario.one();
    scenario.fault(Span::from_secs(630), Some(Span::from_mins(10)), What::ProbeFails { guests, why });
    let (summary, polls) = own(&scenario);
    assert_eq!((summary.polls, summary.absent.as_slice()), (121, &[(why, 10)][..]));
    assert_eq!((polls.answered, polls.absent), (121, 10));
    assert_eq!(summary.unknown, Span::from_mins(10), "from the first that failed to the first that did not");
    // Nobody answers: it is asked all the same, once a minute.
    let guests = scenario.one();
    scenario.fault(Span::from_secs(3_630), Some(Span::from_mins(10)), What::ProbeHangs(guests));
    let (summary, polls) = own(&scenario);
    assert_eq!((summary.polls, polls.answered), (121, 111));
    assert_eq!(summary.absent, [(Absence::Late, 10), (why, 10)]);
}

/// Listing 4.1: of the 225 s from one request to the next, 45 pass with settling and 60 until the first sample.
#[test]
fn nobody_judges_while_a_guest_settles() {
    let scenario = place(&base_aware(), LoadSpec::Constant(80.0));
    let (summary, _) = own(&scenario);
    // Asked for after 120 s, and each 225 s from there on; the last of them 15 s before the end.
    assert_eq!(summary.moves, 32);
    assert_eq!(summary.unjudged, Some(Span::from_secs(31 * 105 + 105)));
    assert_eq!(summary.breach, Some(Span::from_secs(120 + 31 * 120)));
    let (held, _) = reckoned(&scenario, Deciding::Nobody);
    assert_eq!((held.unjudged, held.breach), (Some(Span::ZERO), Some(scenario.lasts)));
}

fn by_day(monitor: Monitor) -> Arc<Policy> {
    Sketch::default()
        .array("oslo", &["mln1", "mln2", "mln3"])
        .base("mln6")
        .gauge("load", MINUTE)
        .window("hours", "Mon-Sun", "06:00-18:00", "UTC")
        .rule("off-duty", outside("hours"), Tarry::Consecutive(1), ActionForm::Rest(monitor))
        .rule("overloaded", above("load", 50.0), Tarry::Consecutive(3), ActionForm::Move)
        .build()
}

/// What a guest saw before it rests says nothing of the night, whether it went to the base or was held where it is.
#[test]
fn a_rest_is_not_judged_whether_it_moves_or_is_held() {
    let mut scenario = place(&by_day(Monitor::Off), LoadSpec::Constant(20.0));
    scenario.lasts = Span::from_hours(24);
    for deciding in [Deciding::AsWritten, Deciding::Nobody] {
        let (summary, _) = reckoned(&scenario, deciding);
        assert_eq!(summary.unjudged, Some(Span::from_hours(12)), "{deciding:?}");
        assert_eq!(summary.breach, Some(Span::ZERO));
    }
    let mut seen = place(&by_day(Monitor::On), LoadSpec::Constant(20.0));
    seen.lasts = scenario.lasts;
    let (summary, _) = reckoned(&seen, Deciding::Nobody);
    assert_eq!((summary.polls, summary.unjudged), (1_441, Some(Span::ZERO)), "it goes on reading");
}

#[test]
fn nobody_judges_while_a_daemon_does_not_run() {
    let mut scenario = place(&sketch().settle(Span::ZERO).build(), LoadSpec::Constant(20.0));
    let guests = scenario.one();
    scenario.fault(Span::from_secs(1_830), Some(Span::from_mins(20)), What::DaemonCrash(guests));
    let (summary, _) = own(&scenario);
    let lost = summary.unjudged.expect("it has a rule").as_secs_f64();
    // And until its first sample, which comes within two polls.
    assert!((1_200.0..=1_320.0).contains(&lost), "{lost}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever happens: in breach, not judged and the rest are all the time that there is; and every poll is counted.
    #[test]
    fn all_time_is_judged_or_not(seed: u64, high in 30.0..90.0_f64, crash in 0_u64..100, which in 0..4, held: bool) {
        let load = LoadSpec::Mmpp(Mmpp { rates: [0.0, high], stays: [Span::from_mins(20), Span::from_mins(9)] });
        let mut scenario = place(&base_aware(), load);
        scenario.seed = seed;
        let guests = scenario.one();
        let what = match which {
            0 => What::DaemonCrash(guests),
            1 => What::Pause(guests),
            2 => What::ProbeHangs(guests),
            _ => What::HostCrash(scenario.host("mln1")),
        };
        scenario.fault(Span::from_mins(crash), Some(Span::from_mins(9)), what);
        let deciding = if held { Deciding::Nobody } else { Deciding::AsWritten };
        let (summary, polls) = reckoned(&scenario, deciding);
        let rule = &summary.rules.rows()[0];
        let (breach, unjudged) = (summary.breach.expect("a rule"), summary.unjudged.expect("a rule"));
        prop_assert_eq!(breach, rule.breach);
        prop_assert_eq!(breach.millis() + rule.clear.millis() + unjudged.millis(), scenario.lasts.millis());
        prop_assert!(rule.unknown <= unjudged);
        let late = summary.absent.iter().find(|(why, _)| *why == Absence::Late).map_or(0, |(_, count)| *count);
        prop_assert_eq!(summary.polls, polls.answered + late);
    }
}
