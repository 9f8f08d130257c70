//! The engine against the reference model, on random policies and lives, and what must hold of any engine:
//! it is deterministic, it does not care about the date, and it does nothing twice.
#![cfg(feature = "testkit")]

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::sync::Arc;
use vmpolicy_core::checker::Checker;
use vmpolicy_core::input::Reading;
use vmpolicy_core::output::Event;
use vmpolicy_core::testkit::drive::{Guest, Stepper, compare, for_each_act, lines, summary};
use vmpolicy_core::testkit::generate::{Act, Source, World, bytes};
use vmpolicy_core::testkit::model::Model;
use vmpolicy_core::time::{Mono, Now, Wall};
use vmpolicy_core::{Effect, Engine, Input, Output};

/// So many cases, unless `PROPTEST_CASES` says otherwise than proptest's own 256.
fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if default.cases == 256 { cases } else { default.cases };
    let max_global_rejects = u32::MAX;
    ProptestConfig {
        cases,
        max_shrink_iters: 4_000,
        max_global_rejects,
        failure_persistence: None,
        ..default
    }
}

fn world(policy: &[u8]) -> World {
    World::new(&mut Source::new(policy))
}

fn guest(world: &World) -> Guest {
    Guest::new(Arc::clone(world.policy()), world.setup())
}

fn model(world: &World) -> Model {
    Model::new(Arc::clone(world.policy()), world.setup())
}

fn agree(
    policy: &[u8],
    life: &[u8],
    one: &mut dyn Stepper,
    other: &mut dyn Stepper,
) -> Result<(), TestCaseError> {
    match compare(world(policy), life, one, other) {
        Ok(_) => Ok(()),
        Err(difference) => Err(TestCaseError::fail(difference.to_string())),
    }
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn the_engine_does_what_the_model_does((policy, life) in bytes(150)) {
        let world = world(&policy);
        agree(&policy, &life, &mut guest(&world), &mut model(&world))?;
    }
}

proptest! {
    #![proptest_config(config(150))]

    /// The guest saves and loads where its life says so, the engine never does.
    #[test]
    fn saving_and_loading_changes_nothing((policy, life) in bytes(200)) {
        let world = world(&policy);
        let mut engine = Engine::new(Arc::clone(world.policy()), world.setup());
        agree(&policy, &life, &mut guest(&world), &mut engine)?;
    }

    #[test]
    fn two_runs_are_byte_identical((policy, life) in bytes(100)) {
        let run = || {
            let world = world(&policy);
            let (mut engine, mut log) = (guest(&world), String::new());
            let mut out = Output::default();
            let done: Result<(), serde_json::Error> = for_each_act(world, &life, |act, heed| {
                if let Act::Step(now, input) = act {
                    engine.step(now, &input, &mut out);
                    log.push_str(&serde_json::to_string(&out)?);
                    heed(&out);
                }
                Ok(())
            });
            done.map(|()| log).map_err(|error| TestCaseError::fail(error.to_string()))
        };
        prop_assert_eq!(run()?, run()?);
    }

    /// The independent checker looks on.
    #[test]
    fn the_onlooker_has_no_objection((policy, life) in bytes(150)) {
        let world = world(&policy);
        let mut engine = Engine::new(Arc::clone(world.policy()), world.setup());
        let mut onlooker = Checker::new(Arc::clone(world.policy()), world.setup());
        let (mut out, mut story) = (Output::default(), vec![summary(world.policy())]);
        for_each_act(world, &life, |act, heed| {
            let Act::Step(now, input) = act else { return Ok(()) };
            engine.step(now, &input, &mut out);
            story.push(format!("{now:?} {input:?}\n    {}", lines(&out).join("\n    ")));
            heed(&out);
            let seen = onlooker.observe(now, &input, &out);
            seen.map_err(|violation| TestCaseError::fail(format!("{}\n{violation}", story.join("\n"))))
        })?;
    }

    /// An offset of the wall clock changes the dates of records, and what windows say. A monotonic clock of
    /// another origin changes the deadlines by as much.
    #[test]
    fn only_windows_know_the_date((policy, life) in bytes(100), days in -10_000_i64..10_000, mono in any::<i32>()) {
        let world = world(&policy);
        prop_assume!(world.policy().windows().is_empty());
        let mut shifted = Shifted { engine: guest(&world), wall_ms: days * 86_400_000, mono_ms: mono.into() };
        agree(&policy, &life, &mut guest(&world), &mut shifted)?;
    }

    /// The fixed point: at the same instant a second tick has nothing to say.
    #[test]
    fn nothing_happens_twice((policy, life) in bytes(100)) {
        let world = world(&policy);
        let mut engine = Engine::new(Arc::clone(world.policy()), world.setup());
        let (mut out, mut again) = (Output::default(), Output::default());
        for_each_act(world, &life, |act, heed| {
            let Act::Step(now, input) = act else { return Ok(()) };
            engine.step(now, &input, &mut out);
            heed(&out);
            // The first tick may be the one that a new policy waited for.
            engine.step(now, &Input::Tick, &mut again);
            heed(&again);
            engine.step(now, &Input::Tick, &mut again);
            prop_assert!(again.effects.is_empty() && again.records.is_empty(), "{:?}\n{:?}", lines(&out), lines(&again));
            prop_assert!(!again.save);
            prop_assert!(again.deadline.is_none_or(|deadline| deadline.at > now.mono), "{:?}", again.deadline);
            Ok(())
        })?;
    }
}

/// An engine that lives on another day, and whose machine was booted at another time.
struct Shifted {
    engine: Guest,
    wall_ms: i64,
    mono_ms: i64,
}

impl Stepper for Shifted {
    fn step(&mut self, now: Now, input: &Input, out: &mut Output) {
        let there = Now { mono: now.mono.shifted(self.mono_ms), wall: now.wall.shifted(self.wall_ms) };
        let input = match input {
            Input::Reading(reading) => {
                Input::Reading(Reading { taken: reading.taken.shifted(self.mono_ms), ..*reading })
            }
            other => other.clone(),
        };
        self.engine.step(there, &input, out);
        for record in &mut out.records {
            record.at = Wall(record.at.0 - self.wall_ms);
        }
        if let Some(deadline) = &mut out.deadline {
            deadline.at = Mono(deadline.at.0 - self.mono_ms);
        }
    }

    fn save_and_load(&mut self) -> Result<(), String> {
        self.engine.save_and_load()
    }
}

/// Comparing two that do nothing proves nothing: every event, every hold and every effect comes up.
#[test]
fn the_lives_are_eventful() {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut runner = TestRunner::deterministic();
    for _ in 0..500 {
        let tree = bytes(150).new_tree(&mut runner).expect("bytes can always be made");
        let (policy, life) = tree.current();
        let world = world(&policy);
        let mut engine = guest(&world);
        let mut out = Output::default();
        let done: Result<(), ()> = for_each_act(world, &life, |act, heed| {
            if let Act::Step(now, input) = act {
                engine.step(now, &input, &mut out);
                for record in &out.records {
                    let name = match record.event {
                        Event::Held { by, .. } => format!("held {}", by.name()),
                        Event::Failed { why, .. } => format!("failed {why:?}"),
                        event => event.name().to_owned(),
                    };
                    *counts.entry(name).or_default() += 1;
                    if let Event::Request { because, .. } = record.event
                        && out.seen[because.seen()].iter().any(|seen| seen.timed_out)
                    {
                        *counts.entry("request by a time-out".to_owned()).or_default() += 1;
                    }
                }
                for effect in &out.effects {
                    let name = match effect {
                        Effect::Probe(_) => "effect probe",
                        Effect::Request(request) if request.resent => "effect resend",
                        Effect::Request(_) => "effect request",
                        Effect::Locate => "effect locate",
                        Effect::Claim(_) => "effect claim",
                        Effect::Run { .. } => "effect run",
                    };
                    *counts.entry(name.to_owned()).or_default() += 1;
                }
                heed(&out);
            }
            Ok(())
        });
        assert_eq!(done, Ok(()));
    }
    println!("{counts:#?}");
    for name in [
        "request",
        "request by a time-out",
        "confirmed",
        "refused",
        "failed Reported",
        "failed WentElsewhere",
        "failed Abandoned",
        "expired",
        "held location-unknown",
        "held operator",
        "held dwell",
        "held at-most",
        "held job-running",
        "held no-eligible-host",
        "already-there",
        "no-better-host",
        "rest",
        "wake",
        "void",
        "unknown",
        "reload",
        "effect probe",
        "effect request",
        "effect resend",
        "effect locate",
        "effect claim",
        "effect run",
    ] {
        assert!(counts.contains_key(name), "{name} never came up");
    }
}

/// Bugs planted into an engine's way with the world, which the comparison has to find.
mod canaries {
    use super::*;

    /// Reads a missing number as zero, as the thesis's scripts did.
    struct MissingIsZero(Engine);

    impl Stepper for MissingIsZero {
        fn step(&mut self, now: Now, input: &Input, out: &mut Output) {
            match input {
                Input::Reading(reading) if reading.value.is_err() => {
                    self.0.step(now, &Input::Reading(Reading { value: Ok(0.0), ..*reading }), out);
                }
                input => self.0.step(now, input, out),
            }
        }
    }

    /// Sends the open request again after a restart, whatever the actuator can do.
    struct SendsTwice(Engine);

    impl Stepper for SendsTwice {
        fn step(&mut self, now: Now, input: &Input, out: &mut Output) {
            self.0.step(now, input, out);
            if let (Input::Start(_), Some(request)) = (input, self.0.open_request()) {
                out.effects.push(Effect::Request(request));
            }
        }
    }

    /// Probes while the guest settles.
    struct IgnoresSettle(Engine);

    impl Stepper for IgnoresSettle {
        fn step(&mut self, now: Now, input: &Input, out: &mut Output) {
            self.0.step(now, input, out);
            let confirmed = out.records.iter().any(|record| matches!(record.event, Event::Confirmed { .. }));
            if let (true, Some(indicator)) = (confirmed, self.0.policy().indicators().ids().next()) {
                out.effects.push(Effect::Probe(indicator));
            }
        }
    }

    /// Forgets what an operator says.
    struct Deaf(Engine);

    impl Stepper for Deaf {
        fn step(&mut self, now: Now, input: &Input, out: &mut Output) {
            let input = if matches!(input, Input::Operator(_)) { &Input::Tick } else { input };
            self.0.step(now, input, out);
        }
    }

    fn is_found(plant: impl Fn(Engine) -> Box<dyn Stepper>) -> bool {
        let mut runner = TestRunner::deterministic();
        (0..400).any(|_| {
            let tree = bytes(100).new_tree(&mut runner).expect("bytes can always be made");
            let (policy, life) = tree.current();
            let world = world(&policy);
            let mut planted = plant(Engine::new(Arc::clone(world.policy()), world.setup()));
            let mut model = model(&world);
            compare(world, &life, &mut *planted, &mut model).is_err()
        })
    }

    #[test]
    fn a_missing_number_read_as_zero_is_found() {
        assert!(is_found(|engine| Box::new(MissingIsZero(engine))));
    }

    #[test]
    fn a_request_sent_twice_is_found() {
        assert!(is_found(|engine| Box::new(SendsTwice(engine))));
    }

    #[test]
    fn a_probe_while_settling_is_found() {
        assert!(is_found(|engine| Box::new(IgnoresSettle(engine))));
    }

    #[test]
    fn an_operator_who_is_not_heard_is_found() {
        assert!(is_found(|engine| Box::new(Deaf(engine))));
    }

    #[test]
    fn an_engine_without_a_bug_is_not_accused() {
        assert!(!is_found(|engine| Box::new(engine)));
    }
}
