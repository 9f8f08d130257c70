//! The independent checker at work: over random worlds nothing that must never happen happens, every
//! invariant has had something to judge, and planted bugs are seen.
#![cfg(feature = "testkit")]

mod canaries;
mod policies;
mod script;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use script::{Act, Script, acts};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use vmpolicy_core::checker::Checker;
use vmpolicy_core::testkit::drive::{for_each_act, lines, summary};
use vmpolicy_core::testkit::generate::{Act as Next, Source, World, bytes};
use vmpolicy_core::{Engine, Output};

#[test]
fn nothing_that_must_never_happen_happens_and_nothing_is_vacuous() {
    let judged: RefCell<BTreeMap<&'static str, u64>> = RefCell::default();
    // `PROPTEST_CASES` asks for more; the default of 256 would leave some invariants without a case.
    let cases = Config::default().cases.max(600);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let worlds = (0..policies::ALL, any::<[bool; 2]>(), acts(1..250));
    let outcome = runner.run(&worlds, |(policy, [locates, resends], acts)| {
        let mut script = Script::new(policy, locates, resends);
        for act in acts {
            script.play(&act).map_err(|violation| TestCaseError::fail(violation.to_string()))?;
        }
        for (name, count) in script.checker.counts() {
            *judged.borrow_mut().entry(name).or_default() += count;
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let judged = judged.into_inner();
    let blind: Vec<_> = judged.iter().filter(|(_, count)| **count == 0).collect();
    assert!(blind.is_empty(), "never judged: {blind:?}\nall: {judged:#?}");
    println!("{judged:#?}");
}

/// The same over the random policies and lives on which engine and model are compared: everything that a
/// policy can say, in combinations that nobody would write.
#[test]
fn nothing_that_must_never_happen_happens_under_any_policy() {
    let cases = Config::default().cases.max(400);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&bytes(200), |(policy, life)| {
        let world = World::new(&mut Source::new(&policy));
        let setup = world.setup();
        let (start, mut engine) =
            (Arc::clone(world.policy()), Engine::new(Arc::clone(world.policy()), setup));
        let mut checker = Checker::new(start, setup);
        let (mut out, mut log) = (Output::default(), Vec::new());
        for_each_act(world, &life, |act, heed| {
            let Next::Step(now, input) = act else { return Ok(()) };
            engine.step(now, &input, &mut out);
            heed(&out);
            log.push(format!("{:?} {input:?}\n    {}", now.mono, lines(&out).join("\n    ")));
            checker.observe(now, &input, &out).map_err(|violation| {
                let tail = log[log.len().saturating_sub(20)..].join("\n");
                TestCaseError::fail(format!("{violation}\n{}\n{tail}", summary(engine.policy())))
            })
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Once faults stop, every request that is open ends within a bounded time, and the guest can reach rest.
#[test]
fn once_faults_stop_every_request_ends_and_a_lasting_breach_is_answered() {
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let worlds = (any::<[bool; 2]>(), acts(1..120));
    let outcome = runner.run(&worlds, |([locates, resends], acts)| {
        let mut script = Script::new(policies::PLAIN, locates, resends);
        for act in acts.iter().filter(|act| !matches!(act, Act::Reload(_))) {
            script.play(act).map_err(|violation| TestCaseError::fail(violation.to_string()))?;
        }
        script.faults_stop().map_err(|violation| TestCaseError::fail(violation.to_string()))?;
        let before = script.engine.open_request();
        // Ten minutes to confirm or expire, a look-up at most thirty seconds later.
        script.run_well(700_000, 80.0).map_err(|violation| TestCaseError::fail(violation.to_string()))?;
        if let Some(before) = before {
            let now = script.engine.open_request().map(|open| open.id);
            prop_assert_ne!(now, Some(before.id), "still open, and nothing is wrong any more");
        }
        // Bars and pauses are over after a day; then a breach leads to a request within its tarry, a
        // settling, and the late answer of one probe.
        script
            .run_well(2 * 86_400_000, 0.0)
            .map_err(|violation| TestCaseError::fail(violation.to_string()))?;
        let asked = script.asked;
        script
            .run_well(45_000 + 5 * 60_000, 80.0)
            .map_err(|violation| TestCaseError::fail(violation.to_string()))?;
        prop_assert!(script.asked > asked, "overloaded for five minutes, and nothing is asked for");
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
