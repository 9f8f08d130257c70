//! A host program: it has a clock, something to measure and a way to ask for a move; the rest is the policy's.
//!
//! Here the clock jumps from deadline to deadline and the load is made up, so that a day takes no time.
#![expect(clippy::print_stdout, reason = "an example is there to be watched")]

use std::collections::VecDeque;
use vmpolicy_core::input::{Outcome, Reading, Setup};
use vmpolicy_core::leaf::sample::Read;
use vmpolicy_core::policy::thesis::{Bands, base_aware, slow_queries};
use vmpolicy_core::policy::{IndicatorForm, UtcOnly};
use vmpolicy_core::time::{Now, Wall};
use vmpolicy_core::{Effect, Engine, Input, Output};

fn main() {
    // The policy: above 50 for 3 samples, to the next host; below 1 for 20, to the base.
    let load = IndicatorForm { read: Read::Gauge, ..slow_queries() };
    let bands = Bands { high: 50.0, high_tarry: 3, low: 1.0, low_tarry: 20 };
    let file = base_aware("oslo", &["mln1", "mln2", "mln3", "mln4"], "mln6", load, bands);
    let policy = file.build(&UtcOnly).expect("this policy is sound");
    let setup = Setup { at: policy.host_named("mln1"), ..Setup::default() };
    let mut engine = Engine::new(policy.into(), setup);

    // The host program's loop: wake at the deadline, carry out what is to be done, say what came of it.
    let mut now = Now { wall: Wall::from_secs(1_241_568_000), ..Now::default() };
    let end = Wall::from_secs(1_241_568_000 + 86_400);
    let mut out = Output::default();
    let mut inputs = VecDeque::from([Input::Tick]);
    while now.wall < end {
        while let Some(input) = inputs.pop_front() {
            engine.step(now, &input, &mut out);
            for effect in &out.effects {
                match effect {
                    &Effect::Probe(indicator) => {
                        let value = Ok(made_up_load(now));
                        inputs.push_back(Input::Reading(Reading { indicator, taken: now.mono, value }));
                    }
                    Effect::Request(request) => {
                        let host = &engine.policy().hosts()[request.to].name;
                        println!("{} {} to {host}", now.wall, request.action);
                        let outcome = Outcome::Confirmed;
                        inputs.push_back(Input::Outcome { id: request.id, outcome });
                    }
                    Effect::Locate | Effect::Claim(_) | Effect::Run { .. } => {}
                }
            }
        }
        let Some(deadline) = out.deadline else { break };
        now = now.plus(deadline.at.since(now.mono));
        inputs.push_back(Input::Tick);
    }
}

/// Busy between eight and nine, idle at night.
fn made_up_load(now: Now) -> f64 {
    match now.wall.0 / 3_600_000 % 24 {
        8 => 80.0,
        0..6 => 0.0,
        _ => 20.0,
    }
}
