//! Rules 10, 11 and 16: what holds a move back, when to stop looking, and what nothing holds back.

use crate::common::{MINUTE, OVERLOADED, few, host, in_turn, names, overload, overloaded, ring, sound};
use proptest::prelude::*;
use vmpolicy_core::Input;
use vmpolicy_core::input::{Absence, Notice};
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::output::{Event, Hold, Origin};
use vmpolicy_core::policy::{ActionForm, Monitor};
use vmpolicy_core::testkit::sketch::{Sketch, above, below};
use vmpolicy_core::testkit::stage::Stage;
use vmpolicy_core::time::Span;

fn drain(of: usize, lasts: Span) -> Input {
    Input::Notice { host: host(of), notice: Notice::Drain, lasts }
}

fn last_request(stage: &Stage) -> Option<(Origin, vmpolicy_core::id::HostId)> {
    stage.records.iter().rev().find_map(|record| match record.event {
        Event::Request { origin, to, .. } => Some((origin, to)),
        _ => None,
    })
}

proptest! {
    #![proptest_config(few())]

    /// Catches: a budget that opens early or never again, one that starts anew with each calendar hour, a
    /// dwell counted from the asking, a hold that nobody said, a guest that stays on a draining host
    /// because its budget is spent.
    #[test]
    fn rule_10_at_most_and_dwell_hold_back_all_but_leaving_a_draining_host(
        count in 1_u32..5, per in 5_u64..60, dwell in 0_u64..20,
    ) {
        let (per, dwell) = (Span::from_mins(per), Span::from_mins(dwell));
        let policy = overload(1).settle(Span::ZERO).at_most(count, per).dwell(dwell).build();
        let mut stage = overloaded(&policy);
        sound(stage.run(Span::from_hours(3)))?;
        let asked: Vec<_> = stage.asked().into_iter().map(|(at, _)| at).collect();
        for (index, at) in asked.iter().enumerate() {
            let within = asked[index..].iter().take_while(|other| other.since(*at) < per).count();
            prop_assert!(within <= count as usize, "{within} in {per}");
        }
        for two in asked.windows(2) {
            let gap = two[1].since(two[0]);
            prop_assert!(gap >= dwell, "{gap} apart");
        }
        // It moves as soon as it may: on the first sample at which nothing holds it back.
        let rounds = Span::from_hours(3).millis() / per.millis().max(dwell.millis() * u64::from(count));
        prop_assert!(asked.len() as u64 >= rounds.min(3) * u64::from(count).min(2), "{} asked", asked.len());
        let holds: Vec<_> = stage.records.iter().filter_map(|record| match record.event {
            Event::Held { by, .. } => Some(by),
            _ => None,
        }).collect();
        prop_assert!(holds.iter().all(|by| matches!(by, Hold::AtMost | Hold::Dwell)));
        prop_assert!(!holds.is_empty());
        // Held or not, it leaves a draining host.
        let at = stage.engine.location().expect("it is known");
        let before = stage.requests.len();
        sound(stage.step(Input::Notice { host: at, notice: Notice::Drain, lasts: MINUTE }))?;
        prop_assert_eq!(stage.requests.len(), before + 1);
        prop_assert_eq!(last_request(&stage).map(|(origin, _)| origin), Some(Origin::Drain));
    }

    /// Catches: endless migration round a ring in which no host is better, a pause that does not grow, a
    /// tour that is given up before each host was tried, a good host taken for one in vain.
    #[test]
    fn rule_11_a_tour_in_vain_stays_put_with_a_pause_that_grows(len in 2_usize..7, tarry in 1_u32..4, good in 0_usize..7) {
        let hosts: Vec<String> = (0..len).map(|number| format!("mln{number}")).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let sketch = Sketch::default()
            .array("oslo", &hosts)
            .gauge("load", MINUTE)
            .at_most(1_000, Span::from_secs(1))
            .rule("overloaded", above("load", 50.0), Tarry::Consecutive(tarry), ActionForm::Move);
        let mut stage = overloaded(&sketch.clone().build());
        sound(stage.run(Span::from_hours(24)))?;
        let events = names(&stage.records);
        let first = events.iter().position(|name| *name == "no-better-host").expect("it says so");
        let moves = events[..first].iter().filter(|name| **name == "confirmed").count();
        prop_assert_eq!(moves, len - 1, "each other host was tried once");
        let pauses: Vec<_> = stage.records.iter().filter_map(|record| match record.event {
            Event::NoBetterHost { pause, .. } => Some((record.at, pause)),
            _ => None,
        }).collect();
        prop_assert!(pauses.windows(2).all(|two| two[1].1 == two[0].1.times(2).min(Span::from_hours(24))));
        for (from, pause) in &pauses {
            let stays = |at: vmpolicy_core::time::Wall| at > *from && at < from.plus(*pause);
            let asked = stage.records.iter().filter(|record| matches!(record.event, Event::Request { .. }));
            prop_assert!(asked.clone().all(|record| !stays(record.at)), "it stays put for {pause}");
        }
        // With `keep-going` it never stops, and never says so.
        let mut stage = overloaded(&sketch.clone().keep_going().build());
        sound(stage.run(Span::from_hours(24)))?;
        prop_assert_eq!(stage.events("no-better-host").count(), 0);
        // With one good host it gets there, and stays.
        let good = host(good % len);
        let mut stage = Stage::new(&sketch.build(), move |_, _, at| Ok(if at == Some(good) { 0.0 } else { 80.0 }));
        sound(stage.run(Span::from_hours(24)))?;
        prop_assert_eq!(stage.events("no-better-host").count(), 0);
        prop_assert_eq!(stage.engine.location(), Some(good));
    }

    /// Catches: a rule that acts first, settling, resting or a spent budget that keeps the guest on a
    /// draining host, a notice that was withdrawn or has run out and is followed all the same.
    #[test]
    fn rule_16_a_draining_host_is_left_before_any_rule(
        after_s in 0_u64..400, resting in any::<bool>(), withdrawn in any::<bool>(), lasts in 1_u64..600,
    ) {
        let policy = if resting {
            ring().rule("off", above("load", 50.0), Tarry::Consecutive(1), ActionForm::Rest(Monitor::On))
        } else {
            overload(2).at_most(1, Span::from_hours(1))
        };
        let policy = policy.build();
        let mut stage = overloaded(&policy);
        sound(stage.run(Span::from_secs(after_s)))?;
        let at = stage.engine.location().expect("it is known");
        let before = stage.requests.len();
        let lasts = Span::from_secs(lasts);
        let at_number = vmpolicy_core::id::Id::index(at);
        if withdrawn {
            // Nowhere to go while the notice stands; then it is withdrawn, and hosts come back.
            for other in (0..5).filter(|other| *other != at_number) {
                let down = Input::Notice { host: host(other), notice: Notice::Down, lasts: Span::from_hours(9) };
                sound(stage.step(down))?;
            }
            sound(stage.step(drain(at_number, lasts)))?;
            prop_assert_eq!(stage.requests.len(), before, "there is nowhere to go");
            let again = Input::Notice { host: at, notice: Notice::Withdrawn, lasts: Span::ZERO };
            sound(stage.step(again))?;
            for other in (0..5).filter(|other| *other != at_number) {
                sound(stage.step(Input::Notice { host: host(other), notice: Notice::Up, lasts: Span::ZERO }))?;
            }
            let by_drain = stage.records.iter().filter(|record| {
                matches!(record.event, Event::Request { origin: Origin::Drain, .. })
            });
            prop_assert_eq!(by_drain.count(), 0, "the drain will not take place");
        } else {
            sound(stage.step(drain(at_number, lasts)))?;
            prop_assert_eq!(stage.requests.len(), before + 1, "at once");
            let (origin, to) = last_request(&stage).expect("it asked");
            prop_assert_eq!(origin, Origin::Drain);
            prop_assert!(to != at);
            // Nobody goes back before the notice has run out.
            let noted = stage.now.mono;
            sound(stage.run(Span::from_hours(2)))?;
            let mut after = stage.requests[before..].iter();
            let back = after.find(|(now, request)| request.to == at && now.mono < noted.plus(lasts));
            prop_assert!(back.is_none(), "{back:?}");
        }
    }
}

/// A rest that dwell holds back, whose condition then is not known: it was said at every poll, its deadline
/// lay in the past, and once dwell was over the move would have been asked for on the strength of an Unknown.
#[test]
fn a_held_rest_says_and_asks_nothing_while_its_condition_is_not_known() {
    let policy = ring()
        .rule("overloaded", above("load", 50.0), Tarry::default(), ActionForm::Move)
        .rule("quiet", below("load", 1.0), Tarry::default(), ActionForm::Rest(Monitor::Off))
        .dwell(Span::from_mins(30))
        .build();
    let mut says = vec![Ok(OVERLOADED), Ok(0.0)];
    says.extend([Err(Absence::Unreachable); 60]);
    says.push(Ok(0.0));
    let mut stage = Stage::new(&policy, in_turn(says));
    stage.run(Span::from_mins(50)).unwrap();
    assert_eq!(stage.events("rest").count(), 1);
    assert_eq!(stage.events("held").count(), 1, "{:?}", stage.records);
    assert_eq!(stage.requests.len(), 1, "only the move away from overload");
    for ((now, _), output) in stage.inputs.iter().zip(&stage.outputs) {
        let deadline = output.deadline.unwrap();
        assert!(deadline.at > now.mono, "{deadline:?} at {now:?}");
    }
    // Known again, and dwell is over: now it goes.
    stage.run(Span::from_mins(20)).unwrap();
    assert_eq!(stage.requests.len(), 2);
    assert_eq!(stage.engine.location(), Some(host(4)));
    assert_eq!(stage.events("already-there").count(), 0, "its own move led there");
}
