//! The thesis's nii1 under constant overload, by hand: a first sign of life of the engine.

use vmpolicy_core::input::{Outcome, Reading, Setup};
use vmpolicy_core::leaf::sample::Read;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::{
    ActionForm, ArrayForm, AtMost, Compare, ConditionForm, IndicatorForm, MovesForm, RuleForm, Tour, UtcOnly,
};
use vmpolicy_core::time::{Mono, Now, Span, Wall};
use vmpolicy_core::{Effect, Engine, Input, Output, PolicyFile};

fn text(text: &str) -> vmpolicy_core::policy::Located<String> {
    text.to_owned().into()
}

#[test]
fn overload_asks_every_225_s_for_hosts_2_3_4_5_1() {
    let file = PolicyFile {
        arrays: vec![ArrayForm {
            name: text("oslo"),
            hosts: ["mln1", "mln2", "mln3", "mln4", "mln5"].map(text).to_vec().into(),
            base: None,
            price: None,
            speed: None,
            relocation: None,
        }],
        indicators: vec![IndicatorForm {
            name: text("slow_queries"),
            every: Span::from_secs(60).into(),
            read: Read::Delta,
            missing: 0,
            timeout: None,
            unit: None,
        }],
        rules: vec![RuleForm {
            name: text("overloaded"),
            when: ConditionForm::Indicator {
                indicator: text("slow_queries"),
                compare: Compare::Above,
                threshold: 50.0.into(),
                unit: None,
            }
            .into(),
            tarry: Some(Tarry::Consecutive(3).into()),
            action: ActionForm::Move.into(),
        }],
        moves: MovesForm {
            tour: Some(Tour::KeepGoing.into()),
            at_most: Some(AtMost { count: 16, per: Span::from_hours(1) }.into()),
            ..MovesForm::default()
        },
        ..PolicyFile::default()
    };
    let policy = file.build(&UtcOnly).expect("a sound policy");
    let at = policy.host_named("mln1");
    let mut engine = Engine::new(policy.into(), Setup { at, ..Setup::default() });
    let mut out = Output::default();
    let (mut now, mut slow_queries) = (Now { mono: Mono(0), wall: Wall(0) }, 0.0);
    let mut asked = Vec::new();
    engine.step(now, &Input::Tick, &mut out);
    while asked.len() < 7 {
        let effects = std::mem::take(&mut out.effects);
        if effects.is_empty() {
            let next = out.deadline.expect("something is always due").at;
            let gone = next.since(now.mono);
            slow_queries += gone.as_secs_f64() * 2.0;
            now = now.plus(gone);
            engine.step(now, &Input::Tick, &mut out);
        }
        for effect in effects {
            match effect {
                Effect::Probe(indicator) => {
                    let reading = Reading { indicator, taken: now.mono, value: Ok(slow_queries) };
                    engine.step(now, &Input::Reading(reading), &mut out);
                }
                Effect::Request(request) => {
                    asked.push((now.mono.0 / 1_000, engine.policy().hosts()[request.to].name.clone()));
                    let outcome = Input::Outcome { id: request.id, outcome: Outcome::Confirmed };
                    engine.step(now, &outcome, &mut out);
                }
                other => panic!("nobody waits for {other:?}"),
            }
        }
    }
    let hosts: Vec<_> = asked.iter().map(|(_, host)| host.as_str()).collect();
    let times: Vec<_> = asked.iter().map(|(at, _)| *at).collect();
    assert_eq!(hosts, ["mln2", "mln3", "mln4", "mln5", "mln1", "mln2", "mln3"]);
    assert_eq!(times, [180, 405, 630, 855, 1080, 1305, 1530]);
}
