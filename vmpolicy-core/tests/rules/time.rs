//! Rules 12, 13 and 15: time is an input, the same gives the same, and a policy may change.

use crate::common::{MINUTE, few, first_asked, host, overload, overloaded, sound};
use proptest::prelude::*;
use vmpolicy_core::input::{Notice, Setup, Sighting};
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::output::{Discontinuity, Event};
use vmpolicy_core::policy::{ActionForm, PolicyFile};
use vmpolicy_core::testkit::sketch::{EuropeanZones, Sketch, above, below};
use vmpolicy_core::testkit::stage::{Answer, Stage};
use vmpolicy_core::time::{Now, Span};
use vmpolicy_core::{Engine, Input, Output};

/// A day with some of everything, from a seed.
fn eventful(seed: &[u8]) -> Stage {
    let policy = Sketch::default()
        .array("oslo", &["mln1", "mln2", "mln3"])
        .base("mln6")
        .delta("slow", MINUTE)
        .gauge("load", Span::from_secs(30))
        .rule("overloaded", above("slow", 50.0), Tarry::Consecutive(3), ActionForm::Move)
        .rule("busy", above("load", 70.0), Tarry::Of { hits: 3, last: 5 }, Sketch::to("mln2"))
        .rule("idle", below("slow", 1.0), Tarry::Lasting(Span::from_mins(5)), ActionForm::MoveToBase)
        .build();
    let pick = {
        let seed = seed.to_vec();
        move |at: i64| u64::from(seed[usize::try_from(at / 300_000).unwrap_or(0) % seed.len()])
    };
    let values = pick.clone();
    let mut total = 0.0;
    let setup = Setup { at: Some(host(0)), locates: seed.len().is_multiple_of(2), resends: false };
    let mut stage = Stage::with_setup(&policy, setup, move |_, now, _| {
        let value = [0.0, 80.0, 80.0, 20.0][(values(now.mono.0) % 4) as usize];
        total += value;
        Ok(if (total as u64).is_multiple_of(3) { total } else { value })
    });
    let mut asked = 0;
    let answers = pick;
    stage = stage.provider(move |_| {
        asked += 1;
        match answers(asked * 300_000) % 5 {
            0 => Answer::Refuses,
            1 => Answer::Ignores,
            2 => Answer::Fails(Span::from_secs(20)),
            _ => Answer::Moves(Span::from_secs(5)),
        }
    });
    for (index, &byte) in seed.iter().enumerate() {
        let after = MINUTE.times(index as u64 * 11);
        let to = host(usize::from(byte) % 4);
        match byte % 7 {
            0 => {
                stage.later(after, Input::Notice { host: to, notice: Notice::Drain, lasts: MINUTE.times(20) })
            }
            1 => stage.later(after, Input::Location(Sighting::At(to))),
            2 => stage.later(after, Input::Start(setup)),
            _ => {}
        }
    }
    stage
}

fn bytes(output: &Output) -> String {
    serde_json::to_string(output).expect("an output is plain data")
}

proptest! {
    #![proptest_config(few())]

    /// Catches: spans measured on the wall clock, samples from before a pause that count after it, a guest
    /// that acts at once on waking, a tolerance that is not two seconds, a jump back that nobody sees.
    #[test]
    fn rule_12_clocks_that_disagree_void_the_samples_and_the_guest_settles(
        tarry in 2_u32..6, apart_ms in prop_oneof![-4_000_i64..4_000, -86_400_000_i64..86_400_000],
    ) {
        let policy = overload(tarry).settle(Span::from_secs(45)).build();
        let mut stage = overloaded(&policy);
        sound(stage.run(MINUTE.times(u64::from(tarry) - 2).shifted(30_000)))?;
        stage.set_wall(apart_ms);
        sound(stage.step(Input::Tick))?;
        let jumped = stage.now.mono.0;
        let void = Event::Void { why: Discontinuity::Clock { apart_ms } };
        let said = stage.records.iter().any(|record| record.event == void);
        prop_assert_eq!(said, apart_ms.abs() > 2_000);
        sound(stage.run(Span::from_hours(1)))?;
        let needs = i64::from(tarry) * 60_000;
        let expected = if said { jumped + 45_000 + needs } else { needs - 60_000 };
        prop_assert_eq!(first_asked(&stage), Some(expected));
    }

    /// Catches: iteration order or a clock of one's own in a decision, anything that `save` forgets.
    #[test]
    fn rule_13_the_same_inputs_give_the_same_bytes_and_a_state_survives_being_saved(
        seed in prop::collection::vec(any::<u8>(), 1..9), shift_s in -100_000_000_i64..100_000_000,
    ) {
        let mut stage = eventful(&seed);
        sound(stage.run(Span::from_mins(90)))?;
        let policy = stage.engine.policy().clone();
        let setup = Setup { at: Some(host(0)), locates: seed.len().is_multiple_of(2), resends: false };
        let (mut same, mut stored, mut shifted) =
            (Engine::new(policy.clone(), setup), Engine::new(policy.clone(), setup), Engine::new(policy.clone(), setup));
        let mut out = Output::default();
        for ((now, input), first) in stage.inputs.iter().zip(&stage.outputs) {
            same.step(*now, input, &mut out);
            prop_assert_eq!(bytes(&out), bytes(first));
            let text = serde_json::to_string(&stored.save()).expect("a state is plain data");
            let saved = serde_json::from_str(&text).expect("and can be read again");
            stored = Engine::load(policy.clone(), saved).expect("and is sound");
            stored.step(*now, input, &mut out);
            prop_assert_eq!(bytes(&out), bytes(first), "after having been saved");
            // A constant shift of the wall clock changes nothing but the dates: there is no window here.
            let later = Now { wall: now.wall.shifted(shift_s * 1_000), ..*now };
            shifted.step(later, input, &mut out);
            for record in &mut out.records {
                record.at = record.at.shifted(-shift_s * 1_000);
            }
            prop_assert_eq!(bytes(&out), bytes(first), "at another date");
        }
    }

    /// Catches: a reload that ends, repeats or redirects an open request, moves its limit, or forgets what
    /// unchanged rules have counted; a changed rule that goes on with the old one's count.
    #[test]
    fn rule_15_a_new_policy_leaves_the_open_request_and_unchanged_rules_alone(
        tarry in 2_u32..8, at in 1_u32..8, same in any::<bool>(), hosts_too in any::<bool>(),
    ) {
        let at = at.min(tarry - 1);
        // Another rule comes first and, at times, the array gets another host in front.
        let ring: &[&str] =
            if hosts_too { &["new", "mln1", "mln2", "mln3", "mln4"] } else { &["mln1", "mln2", "mln3", "mln4"] };
        let changed = Sketch::default()
            .array("oslo", ring)
            .base("base")
            .gauge("unread", Span::from_mins(7))
            .gauge("load", MINUTE)
            .rule("idle", below("load", 1.0), Tarry::Consecutive(9), ActionForm::MoveToBase)
            .rule("overloaded", above("load", if same { 50.0 } else { 51.0 }), Tarry::Consecutive(tarry), ActionForm::Move)
            .keep_going()
            .build();
        let policy = overload(tarry).build();
        let mut stage = overloaded(&policy).provider(|_| Answer::Ignores);
        sound(stage.run(MINUTE.times(u64::from(at)).shifted(-1_000)))?;
        sound(stage.step(Input::Policy(changed.clone())))?;
        let kept = stage.records.iter().find_map(|record| match record.event {
            Event::Reload { rules_kept } => Some(rules_kept),
            _ => None,
        });
        prop_assert_eq!(kept, Some(u32::from(same)));
        sound(stage.run(MINUTE.times(20)))?;
        let counted = if same { 0 } else { i64::from(at) };
        let first = first_asked(&stage).expect("it asks");
        prop_assert_eq!(first, (i64::from(tarry) - 1 + counted) * 60_000);
        prop_assert_eq!(&stage.engine.policy().hosts()[stage.asked()[0].1].name, "mln2");
        // With the request open, the policy changes back: the same request, the same limit.
        let mut stage = overloaded(&policy).provider(|_| Answer::Ignores);
        sound(stage.run(MINUTE.times(u64::from(tarry))))?;
        let open = stage.engine.open_request().expect("it is open");
        let limit = stage.outputs.last().and_then(|output| output.deadline).expect("it has a limit");
        sound(stage.step(Input::Policy(changed.clone())))?;
        let after = stage.engine.open_request().expect("it is open still");
        prop_assert_eq!(after.id, open.id);
        prop_assert_eq!(&changed.hosts()[after.to].name, &policy.hosts()[open.to].name);
        prop_assert_eq!(stage.outputs.last().and_then(|output| output.deadline), Some(limit));
        prop_assert_eq!(stage.requests.len(), 1, "nothing is sent again");
    }
}

/// Whole or not at all: a file with an error makes no policy, so there is nothing to take half of.
#[test]
fn rule_15_a_file_with_an_error_is_no_policy() {
    let file: PolicyFile =
        overload(3).rule("broken", above("nothing", 1.0), Tarry::default(), ActionForm::Move).file();
    assert!(file.build(&EuropeanZones).is_err());
}

/// Spans as offsets.
trait Shifted {
    fn shifted(self, ms: i64) -> Self;
}

impl Shifted for Span {
    fn shifted(self, ms: i64) -> Self {
        Self::from_millis(self.millis().saturating_add_signed(ms))
    }
}
