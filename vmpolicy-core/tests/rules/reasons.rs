//! Rule 14: every decision carries its reason as data.

use crate::common::{MINUTE, few, host, sound};
use proptest::prelude::*;
use std::collections::BTreeSet;
use vmpolicy_core::Input;
use vmpolicy_core::input::Notice;
use vmpolicy_core::leaf::logic::Truth;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::output::{Event, Hold, Origin, Verdict};
use vmpolicy_core::policy::ActionForm;
use vmpolicy_core::testkit::sketch::{Sketch, above, all, below, not};
use vmpolicy_core::testkit::stage::{Answer, Stage};
use vmpolicy_core::time::Span;

proptest! {
    #![proptest_config(few())]

    /// Catches: a request without the values that it rests on, with values of another moment, without a
    /// word on a host that was passed over, or with two hosts chosen.
    #[test]
    fn rule_14_every_decision_carries_its_reason(
        tarry in 1_u32..5, out in prop::collection::vec(prop::option::of(any::<bool>()), 3), refuses in any::<bool>(),
    ) {
        let policy = Sketch::default()
            .array("oslo", &["mln1", "mln2", "mln3", "mln4"])
            .gauge("load", MINUTE)
            .gauge("waiting", MINUTE)
            .rule(
                "overloaded",
                all(vec![above("load", 50.0), not(below("waiting", 3.0))]),
                Tarry::Consecutive(tarry),
                ActionForm::Move,
            )
            .keep_going()
            .build();
        let mut stage = Stage::new(&policy, |indicator, now, _| {
            let first = vmpolicy_core::id::Id::index(indicator) == 0;
            // Each sample is another number, so that it can be told from the one before.
            Ok(if first { 60.0 + now.mono.0 as f64 / 1e6 } else { 5.0 })
        });
        if refuses {
            stage = stage.provider(|_| Answer::Refuses);
        }
        for (index, drains) in out.iter().enumerate() {
            if let Some(drains) = drains {
                let notice = if *drains { Notice::Drain } else { Notice::Down };
                sound(stage.step(Input::Notice { host: host(index + 1), notice, lasts: Span::from_mins(20) }))?;
            }
        }
        sound(stage.run(Span::from_hours(1)))?;
        let mut decisions = 0;
        for ((now, _), output) in stage.inputs.iter().zip(&stage.outputs) {
            for record in &output.records {
                let (origin, because) = match record.event {
                    Event::Request { origin, because, .. } => (origin, because),
                    Event::Held { origin, because, .. } => (origin, because),
                    _ => continue,
                };
                decisions += 1;
                prop_assert!(matches!(origin, Origin::Rule(_)));
                prop_assert!(because.counter >= u64::from(tarry));
                let seen = &output.seen[because.seen()];
                let leaves: Vec<_> = seen.iter().map(|seen| (seen.leaf, seen.value, seen.truth)).collect();
                let load = 60.0 + now.mono.0 as f64 / 1e6;
                prop_assert_eq!(leaves, vec![(0, Some(load), Truth::Breach), (1, Some(5.0), Truth::Clear)]);
                let verdicts = &output.verdicts[because.verdicts()];
                let chosen: Vec<_> = verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Chosen).collect();
                let judged: BTreeSet<_> = verdicts.iter().map(|(host, _)| *host).collect();
                match record.event {
                    Event::Request { from, to, .. } => {
                        prop_assert!(matches!(chosen[..], [(host, _)] if *host == to));
                        let others = (0..4).map(host).filter(|host| *host != from);
                        prop_assert!(others.into_iter().all(|host| judged.contains(&host)), "{judged:?}");
                    }
                    Event::Held { by: Hold::NoEligibleHost, .. } => {
                        prop_assert!(chosen.is_empty() && judged.len() >= 3);
                        prop_assert!(verdicts.iter().all(|(_, verdict)| *verdict != Verdict::Eligible));
                    }
                    _ => {}
                }
            }
        }
        prop_assert!(decisions > 0);
    }
}
