//! What is asked between steps: it changes nothing, and says what the next step does.

use crate::common::{MINUTE, OVERLOADED, few, host, in_turn, overload, overloaded, sound};
use proptest::prelude::*;
use std::sync::Arc;
use vmpolicy_core::engine::{Stage as Phase, Wait};
use vmpolicy_core::id::{Id, RequestId, RuleId};
use vmpolicy_core::input::{Absence, Notice, Word};
use vmpolicy_core::output::{Event, Hold, Origin, Output, Verdict};
use vmpolicy_core::testkit::generate::{Source, policy};
use vmpolicy_core::testkit::stage::{Answer, Stage};
use vmpolicy_core::time::Span;
use vmpolicy_core::{Engine, Input};

fn waits(engine: &Engine, stage: &Stage) -> Wait {
    engine.outlook(stage.now, RuleId::from_index(0), &mut Output::default()).waits
}

proptest! {
    #![proptest_config(few())]

    /// Catches: a question that changes the engine, a target that is not the one that the rule then asks for, a hold
    /// that is named otherwise than in its record.
    #[test]
    fn an_outlook_is_what_comes(
        samples in prop::collection::vec(
            prop_oneof![3 => Just(Ok(80.0)), 1 => Just(Ok(3.0)), 1 => Just(Err(Absence::Late))],
            1..60,
        ),
        tarry in 1_u32..4,
        out in prop::collection::vec(prop::option::of(any::<bool>()), 3),
        refuses in any::<bool>(),
        hold in any::<bool>(),
    ) {
        let policy = overload(tarry).build();
        let mut stage = Stage::new(&policy, in_turn(samples));
        if refuses {
            stage = stage.provider(|_| Answer::Refuses);
        }
        for (index, drains) in out.iter().enumerate() {
            if let Some(drains) = drains {
                let notice = if *drains { Notice::Drain } else { Notice::Down };
                sound(stage.step(Input::Notice { host: host(index + 1), notice, lasts: Span::from_mins(20) }))?;
            }
        }
        if hold {
            sound(stage.step(Input::Operator(Word::Hold(Some(Span::from_mins(7))))))?;
        }
        let mut before = stage.engine.clone();
        let mut wrong = None;
        sound(stage.run_watched(Span::from_hours(1), |engine, now, _, output| {
            let mut scratch = Output::default();
            for record in &output.records {
                match record.event {
                    Event::Request { origin: Origin::Rule(rule), to, .. } => {
                        let outlook = before.outlook(now, rule, &mut scratch);
                        if outlook.to != Some(to) {
                            wrong = Some(format!("{outlook:?} and then {to:?}"));
                        }
                    }
                    Event::Held { origin: Origin::Rule(rule), by, lasts, .. } => {
                        let outlook = engine.outlook(now, rule, &mut scratch);
                        if outlook.waits != Wait::Held(by, lasts) {
                            wrong = Some(format!("{outlook:?} after {by:?} for {lasts:?}"));
                        }
                    }
                    _ => {}
                }
            }
            let saved = engine.save();
            for rule in policy.rules().ids() {
                let outlook = engine.outlook(now, rule, &mut scratch);
                if outlook.because.verdicts().len() != scratch.verdicts.len() || !scratch.records.is_empty() {
                    wrong = Some(format!("{outlook:?} leaves {scratch:?}"));
                }
            }
            if engine.save() != saved {
                wrong = Some("asking has changed the engine".to_owned());
            }
            before = engine.clone();
        }))?;
        prop_assert_eq!(wrong, None);
    }

    /// Catches: a panic of a question, of any policy.
    #[test]
    fn any_policy_can_be_asked(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let policy = Arc::new(policy(&mut Source::new(&bytes)));
        let mut stage = Stage::new(&policy, |_, _, _| Ok(OVERLOADED));
        sound(stage.run(Span::from_mins(30)))?;
        let (engine, now, mut out) = (&stage.engine, stage.now, Output::default());
        for rule in policy.rules().ids() {
            let outlook = engine.outlook(now, rule, &mut out);
            prop_assert!(outlook.to.is_none() || engine.location().is_some());
        }
        for indicator in policy.indicators().ids() {
            let view = engine.indicator(indicator);
            prop_assert!(view.value.is_none() || view.why.is_none());
        }
        let current = policy.hosts().ids().filter(|&host| engine.verdict(now, host) == Verdict::Current).count();
        prop_assert_eq!(current, usize::from(engine.location().is_some()));
    }
}

#[test]
fn each_wait_in_turn() {
    let policy = overload(2).build();
    let mut stage = overloaded(&policy).provider(|_| Answer::Moves(Span::from_secs(30)));
    stage.run(Span::from_secs(1)).unwrap();
    assert_eq!(waits(&stage.engine, &stage), Wait::Tarry);
    stage.run(MINUTE).unwrap();
    assert_eq!(waits(&stage.engine, &stage), Wait::Request(RequestId(1)));
    let open = stage.engine.open(stage.now).unwrap();
    assert!(matches!(open.stage, Phase::Asked | Phase::Accepted), "{open:?}");
    assert!(open.age < Span::from_secs(5) && open.left > Span::from_mins(9), "{open:?}");
    stage.run(Span::from_secs(31)).unwrap();
    assert!(matches!(waits(&stage.engine, &stage), Wait::Settling(left) if left <= Span::from_secs(45)));
    assert!(!stage.engine.indicator(vmpolicy_core::id::IndicatorId::from_index(0)).probed);
    stage.step(Input::Operator(Word::Hold(None))).unwrap();
    assert_eq!(stage.engine.held(stage.now).unwrap().lasts, None);
    stage.run(Span::from_mins(5)).unwrap();
    assert_eq!(waits(&stage.engine, &stage), Wait::Held(Hold::Operator, None));
    stage.step(Input::Operator(Word::Hold(Some(MINUTE)))).unwrap();
    assert_eq!(stage.engine.held(stage.now).unwrap().lasts, Some(MINUTE));
    stage.step(Input::Operator(Word::Resume)).unwrap();
    assert_eq!(stage.engine.held(stage.now), None);
}
