//! Engines and worlds with a planted fault: a judge or checker that went blind is seen.

use crate::support::{example, policy, study};
use std::sync::Arc;
use vmpolicy_core::checker::Checker;
use vmpolicy_core::input::{Input, Reading, Setup};
use vmpolicy_core::output::{Effect, Output};
use vmpolicy_core::sim::scenario::{Fault, GuestIx, HostIx};
use vmpolicy_core::sim::world::{Options, Snapshot, Watch, run};
use vmpolicy_core::time::{Mono, Now, Wall};
use vmpolicy_core::verify::{Judge, Scope, Which};
use vmpolicy_core::{Engine, Policy};

/// A world that shows each record of a guest twice.
struct Doubling<'a>(Judge<'a>);

impl Watch for Doubling<'_> {
    fn recorded(&mut self, guest: GuestIx, at: Mono, policy: &Policy, output: &Output) {
        self.0.recorded(guest, at, policy, output);
        self.0.recorded(guest, at, policy, output);
    }
    fn turned(&mut self, guest: GuestIx, at: Mono, in_breach: bool, engine: &Engine) {
        self.0.turned(guest, at, in_breach, engine);
    }
    fn placed(&mut self, guest: GuestIx, at: Mono, host: Option<HostIx>) {
        self.0.placed(guest, at, host);
    }
    fn fault(&mut self, at: Mono, fault: &Fault, begins: bool) {
        self.0.fault(at, fault, begins);
    }
    fn stepped(&mut self, at: Mono, snapshot: &Snapshot<'_>) {
        self.0.stepped(at, snapshot);
    }
}

#[test]
fn a_judge_sees_what_the_engine_did_not_do() {
    let loaded = policy(
        "version: 1
arrays: { oslo: { hosts: [a, b, c] } }
indicators: { slow: { every: 60s } }
rules: [{ name: overloaded, when: slow > 50, do: move }]
moves: { settle: 0s, tour: keep-going, at_most: 6 per 1h }
",
    );
    let study = study(&loaded, &["moves: { at_most: 6, per: 1h }"], 1, Scope::NONE);
    let mut broken = 0;
    for index in 0..40 {
        let scenario = study.build(&study.world(index)).expect("it is sound");
        assert_eq!(study.judge(&scenario).broken, None);
        let mut judge = Doubling(Judge::new(&scenario, study.policy(), study.expectations()));
        run(&scenario, Options::default(), &mut judge).expect("the engine is sound");
        broken += u32::from(judge.0.broken().is_some_and(|broken| broken.what == Which::Expectation(0)));
    }
    assert!(broken > 0, "no world in which twice the moves are too many");
}

#[test]
fn the_checker_sees_a_tampered_output() {
    let loaded = example("threshold-aware");
    let policy = Arc::new(loaded.policy);
    let setup = Setup { at: policy.hosts().ids().next(), ..Setup::default() };
    let mut engine = Engine::new(Arc::clone(&policy), setup);
    let mut checker = Checker::new(Arc::clone(&policy), setup);
    let mut out = Output::default();
    let indicator = policy.indicators().ids().next().expect("there is one");
    let mut seen = None;
    let mut t = 0;
    while seen.is_none() && t < 7_200_000 {
        t += 1_000;
        let now = Now { mono: Mono(t), wall: Wall(t) };
        let value = Ok((t / 60_000) as f64 * 100.0);
        let input = match t % 60_000 {
            0 => Input::Reading(Reading { indicator, taken: now.mono, value }),
            _ => Input::Tick,
        };
        out.clear();
        engine.step(now, &input, &mut out);
        // The world would be asked twice for one move.
        if let Some(request) = out.effects.iter().find(|effect| matches!(effect, Effect::Request(_))).copied()
        {
            out.effects.push(request);
        }
        seen = checker.observe(now, &input, &out).err();
    }
    assert!(seen.is_some(), "two requests at once, and nobody minds");
}
