//! Rules 1 to 4: from readings to a rule that acts.

use crate::common::{MINUTE, OVERLOADED, few, first_asked, host, in_turn, ring, sound};
use proptest::prelude::*;
use vmpolicy_core::input::Absence;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::output::{Event, Origin};
use vmpolicy_core::policy::ActionForm;
use vmpolicy_core::testkit::sketch::{Sketch, above, below};
use vmpolicy_core::testkit::stage::{Answer, Stage};
use vmpolicy_core::time::Span;

fn a_reading() -> impl Strategy<Value = Result<f64, Absence>> {
    prop_oneof![
        4 => Just(Ok(0.0)),
        1 => Just(Ok(OVERLOADED)),
        1 => prop::sample::select(Absence::ALL.to_vec()).prop_map(Err),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).prop_map(Ok),
    ]
}

/// A run that ends with the first request; one poll each minute, from the start.
fn until_asked(policy: Sketch, says: Vec<Result<f64, Absence>>) -> Result<Option<usize>, TestCaseError> {
    let polls = says.len() as u64;
    let mut stage = Stage::new(&policy.build(), in_turn(says)).provider(|_| Answer::Ignores);
    sound(stage.run(MINUTE.times(polls - 1)))?;
    Ok(first_asked(&stage).map(|at| usize::try_from(at).expect("after the start") / 60_000))
}

proptest! {
    #![proptest_config(few())]

    /// Catches: a missing, late or non-finite reading taken for 0 (which "idle" would count), an Unknown
    /// that counts, `missing` off by one, an Unknown that resets although it is allowed.
    #[test]
    fn rule_01_unknown_is_never_zero(
        says in prop::collection::vec(a_reading(), 1..40), tarry in 1_u32..5, missing in 0_u32..3,
    ) {
        let policy = ring()
            .missing(missing)
            .rule("idle", below("load", 1.0), Tarry::Consecutive(tarry), ActionForm::MoveToBase);
        let (mut counted, mut unknown, mut expected) = (0, 0, None);
        for (poll, said) in says.iter().enumerate() {
            match said {
                Ok(value) if value.is_finite() => {
                    unknown = 0;
                    counted = if *value < 1.0 { counted + 1 } else { 0 };
                }
                _ => {
                    unknown += 1;
                    if unknown > missing {
                        counted = 0;
                    }
                    continue;
                }
            }
            if counted == tarry {
                expected = Some(poll);
                break;
            }
        }
        prop_assert_eq!(until_asked(policy, says)?, expected);
    }

    /// Catches: a first reading taken for the growth since 0, a restarted server's negative growth taken
    /// for idle or for huge, counters that live on through a reset.
    #[test]
    fn rule_02_a_first_reading_is_a_baseline_and_a_lower_one_a_reset(
        says in prop::collection::vec(prop::sample::select(vec![0.0, 30.0, 60.0, 100.0, 170.0, 250.0]), 1..40),
        tarry in 1_u32..4, idle in any::<bool>(), missing in 0_u32..3,
    ) {
        let when = if idle { below("queries", 31.0) } else { above("queries", 29.0) };
        let policy = Sketch::default()
            .array("oslo", &["mln1", "mln2"])
            .delta("queries", MINUTE)
            .missing(missing)
            .rule("rule", when, Tarry::Consecutive(tarry), ActionForm::Move);
        let (mut before, mut counted, mut expected) = (None, 0, None);
        for (poll, &reading) in says.iter().enumerate() {
            let growth = before.replace(reading).map(|before| reading - before);
            counted = match growth {
                None => counted,
                Some(growth) if growth < 0.0 => 0,
                Some(growth) if (growth < 31.0) == idle || growth == 30.0 => counted + 1,
                Some(_) => 0,
            };
            if counted == tarry {
                expected = Some(poll);
                break;
            }
        }
        prop_assert_eq!(until_asked(policy, says.into_iter().map(Ok).collect())?, expected);
    }

    /// Catches: the (n+1)-th sample acts, the last listed wins, a rule that was ready acts again without
    /// having counted again, a counter that survives another rule's move.
    #[test]
    fn rule_03_the_nth_sample_acts_the_first_listed_and_all_counters_start_again(
        says in prop::collection::vec(prop::sample::select(vec![80.0, 80.0, 30.0, 0.0]), 1..60),
        tarries in prop::array::uniform3(1_u32..5),
    ) {
        let rules = [("high", 50.0), ("middle", 20.0), ("also-high", 60.0)];
        let policy = rules.iter().zip(tarries).fold(ring().settle(Span::ZERO), |policy, ((name, over), tarry)| {
            policy.rule(name, above("load", *over), Tarry::Consecutive(tarry), ActionForm::Move)
        });
        let (mut counted, mut expected) = ([0; 3], Vec::new());
        for (poll, said) in says.iter().enumerate() {
            for ((count, (_, over)), _) in counted.iter_mut().zip(rules).zip(tarries) {
                *count = if *said > over { *count + 1 } else { 0 };
            }
            if let Some(acts) = (0..3).find(|&rule| counted[rule] >= tarries[rule]) {
                expected.push((poll as i64 * 60_000, rules[acts].0));
                counted = [0; 3];
            }
        }
        let policy = policy.build();
        let polls = says.len() as u64;
        let mut stage = Stage::new(&policy, in_turn(says.into_iter().map(Ok).collect()));
        let start = stage.now.wall.0;
        sound(stage.run(MINUTE.times(polls - 1)))?;
        let asked: Vec<_> = stage.records.iter().filter_map(|record| match record.event {
            Event::Request { origin: Origin::Rule(rule), .. } => {
                Some((record.at.0 - start, policy.rules()[rule].name.as_str()))
            }
            _ => None,
        }).collect();
        prop_assert_eq!(asked, expected);
    }

    /// Catches: a move from a host to itself (`move_to_base` of the thesis, whose log shows it), and a log
    /// filled with `already-there` each minute.
    #[test]
    fn rule_04_already_there_is_said_once_and_asks_for_nothing(
        says in prop::collection::vec(prop::sample::select(vec![80.0, 80.0, 0.0]), 1..60), tarry in 1_usize..4,
    ) {
        let policy = ring()
            .rule("settled", above("load", 50.0), Tarry::Consecutive(tarry as u32), Sketch::to("mln1"))
            .build();
        let reached = says.windows(tarry).any(|some| some.iter().all(|said| *said > 50.0));
        let polls = says.len() as u64;
        let mut stage = Stage::new(&policy, in_turn(says.into_iter().map(Ok).collect()));
        sound(stage.run(MINUTE.times(polls - 1)))?;
        prop_assert_eq!(stage.requests.len(), 0);
        prop_assert_eq!(stage.events("already-there").count(), usize::from(reached));
        // Elsewhere and back again it is another stay, and may be said again.
        prop_assert!(stage.engine.location() == Some(host(0)));
    }
}

/// An answer that was asked for before a request that came to nothing is a minute old when it comes.
#[test]
fn an_answer_that_outlived_a_request_in_vain_is_late() {
    use vmpolicy_core::id::{Id, IndicatorId, RequestId};
    use vmpolicy_core::input::{Outcome, Reading, Setup};
    use vmpolicy_core::time::{Mono, Now, Wall};
    use vmpolicy_core::{Effect, Engine, Input, Output};
    let five = Span::from_secs(5);
    let policy = Sketch::default()
        .array("oslo", &["mln1", "mln2"])
        .gauge("load", five)
        .gauge("latency", five)
        .rule("busy", above("load", 50.0), Tarry::default(), ActionForm::Move)
        .rule("slow", above("latency", 50.0), Tarry::default(), ActionForm::Move)
        .bar(Span::from_secs(1))
        .build();
    let setup = Setup { at: policy.host_named("mln1"), ..Setup::default() };
    let mut engine = Engine::new(policy, setup);
    let mut out = Output::default();
    let mut step = |seconds: i64, input: &Input| {
        let now = Now { mono: Mono(seconds * 1_000), wall: Wall::from_secs(seconds) };
        engine.step(now, input, &mut out);
        out.effects.iter().any(|effect| matches!(effect, Effect::Request(_)))
    };
    let reading = |indicator, value| Input::Reading(Reading { indicator, taken: Mono(0), value: Ok(value) });
    let (load, latency) = (IndicatorId::from_index(0), IndicatorId::from_index(1));
    step(0, &Input::Tick);
    assert!(step(1, &reading(load, 80.0)));
    // The latency of second 0 is still out when the request is refused, a minute later.
    step(60, &Input::Outcome { id: RequestId(1), outcome: Outcome::Refused });
    assert!(!step(62, &reading(latency, 80.0)), "a reading of a minute ago");
}
