//! Rules on batches of jobs (thesis 3.4.5), where they meet the rest.

use crate::common::{MINUTE, host};
use vmpolicy_core::checker::Checker;
use vmpolicy_core::id::{Id, IndicatorId, QueueId, RequestId};
use vmpolicy_core::input::{Outcome, Reading, Setup};
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::ActionForm;
use vmpolicy_core::testkit::sketch::{Sketch, above, all, count_of, not};
use vmpolicy_core::time::{Mono, Now, Span, Wall};
use vmpolicy_core::{Effect, Engine, Input, Output};

/// A late answer makes a rule ready in the very step in which its batch ends: what it saw is gone then.
#[test]
fn a_rule_on_a_batch_does_not_act_in_the_step_that_ends_the_batch() {
    let two = Span::from_secs(2);
    let condition = not(all(vec![count_of("jobs", "big", 2.0), above("load", 50.0)]));
    let policy = Sketch::default()
        .array("oslo", &["mln1", "mln2", "mln3"])
        .gauge("load", two)
        .settle(Span::ZERO)
        .queue("jobs", MINUTE, &[("big", MINUTE)])
        .rule("small", condition, Tarry::default(), ActionForm::Move)
        .build();
    let setup = Setup { at: Some(host(0)), ..Setup::default() };
    let mut engine = Engine::new(policy.clone(), setup);
    let mut checker = Checker::new(policy, setup);
    let mut out = Output::default();
    let mut step = |seconds: i64, input: &Input| {
        let now = Now { mono: Mono(seconds * 1_000), wall: Wall::from_secs(1_241_600_000 + seconds) };
        engine.step(now, input, &mut out);
        checker.observe(now, input, &out).unwrap();
        out.effects.iter().filter(|effect| matches!(effect, Effect::Request(_))).count()
    };
    let (indicator, queue) = (IndicatorId::from_index(0), QueueId::from_index(0));
    step(0, &Input::Tick);
    // One job, not big: it moves at once, and the job runs on the next host.
    step(0, &Input::Reading(Reading { indicator, taken: Mono(0), value: Ok(60.0) }));
    assert_eq!(step(0, &Input::Batch { queue, classes: vec![1], others: 0 }), 1);
    step(0, &Input::Outcome { id: RequestId(1), outcome: Outcome::Confirmed });
    // The next poll is asked for and not answered: at the end of its interval it is late, and the batch is done.
    step(2, &Input::Tick);
    assert_eq!(step(4, &Input::JobDone { queue }), 0);
}
