//! What a host program tells an engine that is new because the state of the one before it is lost.

use crate::common::{host, overload};
use vmpolicy_core::id::RequestId;
use vmpolicy_core::input::{Reading, Setup, Sighting};
use vmpolicy_core::output::Request;
use vmpolicy_core::time::{Mono, Now, Span, Wall};
use vmpolicy_core::{Effect, Engine, Input, Output};

const SETUP: Setup = Setup { at: None, locates: true, resends: false };

fn at(mono: Mono) -> Now {
    Now { mono, wall: Wall(1_241_595_000_000 + mono.0) }
}

/// Two hours of overload; every request is a move at once. The onlooker of a stage would not know what was said to the engine
/// beside its inputs.
fn requests(engine: &mut Engine) -> Vec<(Mono, Request)> {
    let (mut now, mut out, mut requests) = (at(Mono(0)), Output::default(), Vec::new());
    let mut coming = vec![Input::Location(Sighting::At(host(0))), Input::Start(SETUP)];
    while now.mono <= Mono(2 * 3_600_000) {
        let input = coming.pop().unwrap_or(Input::Tick);
        engine.step(now, &input, &mut out);
        for effect in &out.effects {
            match *effect {
                Effect::Probe(indicator) => {
                    let reading = Reading { indicator, taken: now.mono, value: Ok(80.0) };
                    coming.push(Input::Reading(reading));
                }
                Effect::Request(request) => {
                    requests.push((now.mono, request));
                    coming.push(Input::Location(Sighting::At(request.to)));
                }
                _ => {}
            }
        }
        if coming.is_empty() {
            now = at(out.deadline.expect("it polls").at.max(now.mono.plus(Span::from_millis(1))));
        }
    }
    requests
}

fn lost() -> Engine {
    Engine::new(overload(2).build(), Setup::default())
}

#[test]
fn its_requests_are_numbered_above_all_that_were_made() {
    let mut engine = lost();
    engine.number_after(RequestId(1_700));
    engine.number_after(RequestId(3));
    let numbers: Vec<u64> = requests(&mut engine).iter().map(|(_, request)| request.id.0).collect();
    assert_eq!(numbers[..2], [1_701, 1_702]);
}

#[test]
fn it_asks_for_nothing_for_as_long_as_it_is_held() {
    let undisturbed = requests(&mut lost())[0].0;
    assert!(undisturbed < Mono(17 * 60_000), "{undisturbed:?}");
    let mut engine = lost();
    engine.hold(at(Mono(0)), Some(Span::from_mins(17)));
    let first = requests(&mut engine)[0].0;
    assert!((Mono(17 * 60_000)..Mono(20 * 60_000)).contains(&first), "{first:?}");
}

/// It counts from the first step of the engine that goes on, and not from the last of the one that was saved.
#[test]
fn a_saved_engine_is_held_from_now_on() {
    let mut before = lost();
    requests(&mut before);
    let mut engine = Engine::load(before.policy().clone(), before.save()).unwrap();
    let now = Now { mono: Mono(0), wall: at(Mono(8 * 3_600_000)).wall };
    engine.hold(now, Some(Span::from_mins(17)));
    engine.step(now, &Input::Start(SETUP), &mut Output::default());
    assert_eq!(engine.held(now).unwrap().lasts, Some(Span::from_mins(17)));
}
