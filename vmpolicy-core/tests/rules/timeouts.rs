//! `timeout: breach` (docs/ENGINE.md, "Evaluating"): a reading that timed out speaks for the rules that move the
//! guest along the ring, and says nothing to any other.

use crate::common::{MINUTE, OVERLOADED, few, first_asked, in_turn, overload, ring, sound};
use proptest::prelude::*;
use std::sync::Arc;
use vmpolicy_core::engine::Saved;
use vmpolicy_core::id::{Id as _, IndicatorId, RuleId};
use vmpolicy_core::input::{Absence, Reading, Setup};
use vmpolicy_core::leaf::logic::Truth;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::output::Event;
use vmpolicy_core::policy::{ActionForm, Condition, ConditionForm, Monitor};
use vmpolicy_core::testkit::sketch::{self, Sketch, above, all, below, inside, not};
use vmpolicy_core::testkit::stage::{Answer, Stage};
use vmpolicy_core::time::{Mono, Now, Span, Wall};
use vmpolicy_core::{Engine, Input, Output, Policy};

type Said = Result<f64, Absence>;

fn a_reading() -> impl Strategy<Value = Said> {
    prop_oneof![
        3 => Just(Ok(0.0)),
        3 => Just(Ok(OVERLOADED)),
        4 => Just(Err(Absence::TimedOut)),
        1 => prop::sample::select(Absence::ALL.to_vec()).prop_map(Err),
    ]
}

fn a_tarry() -> impl Strategy<Value = Tarry> {
    prop_oneof![
        (1_u32..5).prop_map(Tarry::Consecutive),
        (1_u64..5).prop_map(|minutes| Tarry::Lasting(Span::from_mins(minutes))),
        (1_u8..4).prop_map(|hits| Tarry::Of { hits, last: 5 }),
    ]
}

/// What a whole run of these readings said, one poll each minute.
fn outputs(policy: &Arc<Policy>, says: Vec<Said>) -> Result<Vec<Output>, TestCaseError> {
    let span = MINUTE.times(says.len() as u64);
    let mut stage = Stage::new(policy, in_turn(says));
    sound(stage.run(span))?;
    Ok(stage.outputs)
}

/// When this policy asks for moves, and to where.
fn moves(policy: &Arc<Policy>, says: Vec<Said>) -> Result<Vec<(Mono, usize)>, TestCaseError> {
    let span = MINUTE.times(says.len() as u64);
    let mut stage = Stage::new(policy, in_turn(says));
    sound(stage.run(span))?;
    Ok(stage.asked().into_iter().map(|(at, to)| (at, to.index())).collect())
}

/// An action that is not `move`, by number.
fn another(number: usize) -> ActionForm {
    match number {
        0 => ActionForm::MoveToBase,
        1 => ActionForm::Rest(Monitor::Off),
        2 => ActionForm::Rest(Monitor::On),
        3 => ActionForm::MoveUp,
        4 => ActionForm::MoveDown,
        5 => ActionForm::MoveFromHome(None),
        6 => ActionForm::MoveToHome,
        _ => Sketch::to("mln3"),
    }
}

proptest! {
    #![proptest_config(few())]

    /// Catches: a time-out that counts for less than a sample would, or for more; one that counts twice, or lives on
    /// after the next reading.
    #[test]
    fn a_time_out_of_a_gauge_moves_the_guest_as_a_breaching_sample_does(
        says in prop::collection::vec(prop_oneof![Just(Ok(0.0)), Just(Ok(OVERLOADED)), Just(Err(Absence::TimedOut))], 1..60),
        tarry in a_tarry(), turned in any::<bool>(),
    ) {
        let when = if turned { not(below("load", 50.0)) } else { above("load", 50.0) };
        let policy = ring().timeout_breach().rule("overloaded", when, tarry, ActionForm::Move).build();
        let as_samples = says.iter().map(|said| said.or(Ok(OVERLOADED))).collect();
        prop_assert_eq!(moves(&policy, says)?, moves(&policy, as_samples)?);
    }

    /// Catches: a time-out that sends a guest to rest, to its base, home or to a host by name.
    #[test]
    fn to_every_other_action_a_time_out_says_what_it_always_did(
        says in prop::collection::vec(a_reading(), 1..60), tarry in a_tarry(), action in 0_usize..8, idle in any::<bool>(),
        missing in 0_u32..3,
    ) {
        let policy = |sketch: Sketch| {
            let when = if idle { below("load", 50.0) } else { above("load", 50.0) };
            let sketch = sketch.missing(missing).array("cloud", &["c1", "c2"]);
            sketch.rule("rule", when, tarry, another(action)).build()
        };
        let (with, without) = (policy(ring().timeout_breach()), policy(ring()));
        prop_assert_eq!(outputs(&with, says.clone())?, outputs(&without, says)?);
    }

    /// Catches: an answer that is late, or a server that is down, taken for one that is full.
    #[test]
    fn without_a_time_out_the_key_changes_nothing(
        says in prop::collection::vec(a_reading(), 1..60), tarry in a_tarry(), missing in 0_u32..3,
    ) {
        let says: Vec<_> = says.into_iter().map(|said| said.map_err(|why| match why {
            Absence::TimedOut => Absence::Unreachable,
            other => other,
        })).collect();
        let policy = |sketch: Sketch| {
            let sketch = sketch.missing(missing);
            sketch.rule("overloaded", above("load", 50.0), tarry, ActionForm::Move).build()
        };
        let (with, without) = (policy(ring().timeout_breach()), policy(ring()));
        prop_assert_eq!(outputs(&with, says.clone())?, outputs(&without, says)?);
    }

    /// Catches: a time-out that ends what `missing` allows for a later failure otherwise than any absence does, one that
    /// outlives the poll after it, and one that is forgotten by an Unknown that leaves the counters as they are.
    #[test]
    fn the_next_poll_ends_a_time_out_whatever_it_gives(
        says in prop::collection::vec(a_reading(), 1..40), tarry in 1_u32..6, missing in 0_u32..4,
    ) {
        let (mut counted, mut unknown, mut expected) = (0, 0, None);
        for (poll, said) in says.iter().enumerate() {
            unknown = if said.is_ok() { 0 } else { unknown + 1 };
            counted = match said {
                Ok(value) if *value > 50.0 => counted + 1,
                Ok(_) => 0,
                Err(Absence::TimedOut) => counted + 1,
                Err(_) if unknown > missing => 0,
                Err(_) => counted,
            };
            let breach = matches!(said, Ok(OVERLOADED) | Err(Absence::TimedOut));
            if counted >= tarry && breach {
                expected = Some(poll as i64 * 60_000);
                break;
            }
        }
        let sketch = ring().timeout_breach().missing(missing);
        let when = above("load", 50.0);
        let policy = sketch.rule("overloaded", when, Tarry::Consecutive(tarry), ActionForm::Move).build();
        let polls = says.len() as u64;
        let mut stage = Stage::new(&policy, in_turn(says)).provider(|_| Answer::Ignores);
        sound(stage.run(MINUTE.times(polls - 1)))?;
        prop_assert_eq!(first_asked(&stage), expected);
    }

    /// Catches: a polarity that is wrong, a part that is known and is overruled, a leaf that says in a record what it
    /// did not count for.
    #[test]
    fn a_condition_is_as_true_as_its_time_outs_can_make_it_and_no_truer(
        when in a_condition(), open in any::<bool>(), moves in any::<bool>(),
        says in prop::array::uniform2(prop::sample::select(vec![
            Ok(0.0), Ok(OVERLOADED), Err(Absence::Missing), Err(Absence::TimedOut), Err(Absence::TimedOut),
        ])),
    ) {
        let action = if moves { ActionForm::Move } else { ActionForm::MoveToBase };
        let policy = Sketch::default()
            .array("oslo", &["mln1", "mln2"]).base("base")
            .gauge("load", MINUTE).timeout_breach()
            .gauge("latency", MINUTE).timeout_breach()
            .window("office", "Mon-Fri", "09:00-16:00", "UTC")
            .rule("rule", when, Tarry::Consecutive(9), action)
            .build();
        // A Wednesday, at half past ten or at half past seven.
        let wall = Wall::from_secs(1_241_595_000 + if open { 10_800 } else { 0 });
        let now = Now { mono: Mono(0), wall };
        let setup = Setup { at: policy.host_named("mln1"), ..Setup::default() };
        let (mut engine, mut out) = (Engine::new(Arc::clone(&policy), setup), Output::default());
        engine.step(now, &Input::Tick, &mut out);
        for (number, value) in says.into_iter().enumerate() {
            let reading = Reading { indicator: IndicatorId::from_index(number), taken: Mono(0), value };
            engine.step(now, &Input::Reading(reading), &mut out);
        }
        let rule = RuleId::from_index(0);
        let when = &policy.rules()[rule].when;
        let chosen = when.leaves().filter(|leaf| time_out(leaf, says)).count();
        prop_assume!(chosen <= 10);
        let choices = if moves { 1_u32 << chosen } else { 1 };
        let best = (0..choices).map(|choice| {
            let mut left = choice;
            let truth = weigh(when, &mut |leaf| {
                let timed_out = time_out(leaf, says);
                let says_so = left & 1 == 1;
                left >>= u32::from(timed_out);
                match leaf {
                    _ if timed_out && moves => Truth::from(says_so),
                    Condition::Indicator { indicator, compare, threshold } => says[indicator.index()]
                        .map_or(Truth::Unknown, |value| Truth::from(compare.holds(value, *threshold))),
                    _ => Truth::from(open),
                }
            });
            [Truth::Clear, Truth::Unknown, Truth::Breach].into_iter().position(|one| one == truth)
        });
        let best = best.max().flatten().map(|best| [Truth::Clear, Truth::Unknown, Truth::Breach][best]);
        prop_assert_eq!(Some(engine.truth(rule)), best, "{}", policy.show(when));
    }
}

/// Whether a leaf is about what timed out.
fn time_out(leaf: &Condition, says: [Said; 2]) -> bool {
    matches!(leaf, Condition::Indicator { indicator, .. } if says[indicator.index()] == Err(Absence::TimedOut))
}

fn weigh(when: &Condition, leaf: &mut impl FnMut(&Condition) -> Truth) -> Truth {
    match when {
        Condition::All(parts) => parts.iter().fold(Truth::Breach, |all, part| all.and(weigh(part, leaf))),
        Condition::Any(parts) => parts.iter().fold(Truth::Clear, |any, part| any.or(weigh(part, leaf))),
        Condition::Not(part) => weigh(part, leaf).not(),
        one => leaf(one),
    }
}

fn a_condition() -> impl Strategy<Value = ConditionForm> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["load", "latency"]).prop_map(|name| above(name, 50.0)),
        prop::sample::select(vec!["load", "latency"]).prop_map(|name| below(name, 50.0)),
        Just(inside("office")),
    ];
    leaf.prop_recursive(3, 10, 3, |part| {
        prop_oneof![
            prop::collection::vec(part.clone(), 1..4).prop_map(all),
            prop::collection::vec(part.clone(), 1..4).prop_map(sketch::any),
            part.prop_map(not),
        ]
    })
}

/// A window that is closed keeps the rule Clear, and ends its count.
#[test]
fn a_time_out_does_not_open_a_window() {
    let when = all(vec![above("load", 50.0), inside("office")]);
    let policy = ring()
        .timeout_breach()
        .window("office", "Mon-Fri", "09:00-16:00", "UTC")
        .rule("overloaded", when, Tarry::Consecutive(3), ActionForm::Move)
        .build();
    let mut stage = Stage::new(&policy, |_, _, _| Err(Absence::TimedOut)).provider(|_| Answer::Ignores);
    stage.run(MINUTE.times(200)).expect("nothing that must never happen");
    // It begins at half past seven; the third sample in office hours is the one at two past nine.
    assert_eq!(first_asked(&stage), Some(92 * 60_000));
}

/// The reasons say that it timed out, and what that was taken for; the record of the time-out is written as ever, once.
#[test]
fn a_request_says_that_it_rests_on_a_time_out() {
    let when = all(vec![above("load", 50.0), not(below("load", 20.0))]);
    let policy =
        ring().timeout_breach().rule("overloaded", when, Tarry::Consecutive(2), ActionForm::Move).build();
    let mut stage = Stage::new(&policy, |_, _, _| Err(Absence::TimedOut)).provider(|_| Answer::Ignores);
    stage.run(MINUTE).expect("nothing that must never happen");
    assert_eq!(stage.events("unknown").count(), 1);
    let output = stage
        .outputs
        .iter()
        .find(|output| output.records.iter().any(|record| record.event.name() == "request"));
    let output = output.expect("it asks");
    let Event::Request { because, .. } = output.records[0].event else { panic!("{:?}", output.records) };
    let seen = &output.seen[because.seen()];
    let seen: Vec<_> = seen.iter().map(|seen| (seen.value, seen.timed_out, seen.truth)).collect();
    assert_eq!(seen, [(None, true, Truth::Breach), (None, true, Truth::Clear)]);
}

/// Catches: an operator who is told that the rule waits for a reading.
#[test]
fn why_nothing_happens_is_not_that_the_time_out_is_unknown() {
    let policy = overload(3).timeout_breach().build();
    let mut stage = Stage::new(&policy, |_, _, _| Err(Absence::TimedOut));
    stage.run(MINUTE).expect("nothing that must never happen");
    let outlook = stage.engine.outlook(stage.now, RuleId::from_index(0), &mut Output::default());
    assert_eq!((outlook.truth, outlook.waits.name()), (Truth::Breach, "tarry"));
}

/// What was saved before the key was there has neither it nor the mark.
#[test]
fn a_state_of_before_loads() {
    let policy = overload(3).build();
    let mut stage = Stage::new(&policy, in_turn(vec![Ok(OVERLOADED), Err(Absence::TimedOut)]));
    stage.run(MINUTE).expect("nothing that must never happen");
    let saved = stage.engine.save();
    let mut old = serde_json::to_value(&saved).expect("states can be written");
    let mut removed = 0;
    for (table, key) in [("policy", "timeout"), ("state", "timed_out")] {
        for indicator in old[table]["indicators"].as_array_mut().expect("a table of indicators") {
            removed += usize::from(indicator.as_object_mut().is_some_and(|one| one.remove(key).is_some()));
        }
    }
    assert_eq!(removed, 2);
    let read: Saved = serde_json::from_value(old).expect("an older state");
    assert_eq!(read, saved);
    assert!(Engine::load(policy, read).is_ok());
}
