//! Properties of the data centre as a whole, and days worked by hand.

use super::*;
use crate::sim::balance::{self, Answer, Idle, Kind, Manager, Move, NAMES, Rules, View};
use crate::sim::power::Power;
use proptest::prelude::*;
use std::fmt::Write as _;

/// A day of `guests` that drift, rest and burst, from a small congruential generator: Numerical Recipes' constants.
fn day(guests: usize, steps: usize, seed: u32) -> Demand {
    let mut state = seed;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    let mut samples = Vec::new();
    for _ in 0..guests {
        let mut level = 5 + draw(40);
        for _ in 0..steps {
            level = (level + draw(13)).saturating_sub(6).clamp(1, 90);
            let burst = if draw(20) == 0 { 10 + draw(60) } else { 0 };
            samples.push(u8::try_from((level + burst).min(100)).expect("a percent"));
        }
    }
    Demand::new(&samples, &vec![steps; guests]).expect("equal lengths")
}

fn outcome(centre: &Datacentre, demand: &Demand, name: &str, rules: Rules) -> Outcome {
    let mut manager = balance::by_name(name, rules).expect("a known name");
    run(centre, demand, &mut *manager).expect("room")
}

/// Says at each decision what is wrong with the world, and else does as another manager does.
struct Watch<'a> {
    inner: &'a mut dyn Manager,
    kinds: &'a [Kind],
}

impl Manager for Watch<'_> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn balance(&mut self, view: &View<'_>, answer: &mut Answer) {
        let mut seen = vec![0; view.guests.home.len()];
        for (host, residents) in view.residents.iter().enumerate() {
            let kind = self.kinds[usize::from(view.hosts.kind[host])];
            let mut given = 0.0;
            for guest in residents.iter().map(|guest| *guest as usize) {
                assert_eq!(view.guests.home[guest] as usize, host, "moves are shorter than steps");
                assert!(!view.guests.moving[guest]);
                assert!(view.guests.allocated[guest] <= view.guests.demand[guest]);
                given += view.guests.allocated[guest];
                seen[guest] += 1;
            }
            assert!(given <= kind.capacity + 1e-6);
            assert!((view.hosts.used[host] - given / kind.capacity).abs() < 1e-9);
        }
        let gone = |guest: usize| view.guests.size[guest] == 0.0;
        assert!(seen.iter().enumerate().all(|(guest, times)| *times == u32::from(!gone(guest))));
        self.inner.balance(view, answer);
    }
}

/// Moves one guest to one host at the first decision.
struct Once(Option<Move>);

impl Manager for Once {
    fn name(&self) -> &str {
        "once"
    }

    fn balance(&mut self, _: &View<'_>, answer: &mut Answer) {
        answer.clear();
        answer.moves.extend(self.0.take());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_guest_is_on_one_host_and_gets_no_more_than_it_wants(
        seed: u32, guests in 1..60_usize, name in 0..NAMES.len(), rules: (bool, bool, bool),
    ) {
        let (memory, waking, chained) = rules;
        let mut inner = balance::by_name(NAMES[name], Rules { memory, waking, chained }).expect("a known name");
        let centre = Datacentre::of_the_paper(guests + 1, guests);
        let mut watch = Watch { inner: &mut *inner, kinds: &centre.kinds };
        let outcome = run(&centre, &day(guests, 30, seed), &mut watch).expect("room");
        prop_assert_eq!((outcome.decisions, outcome.moves.count <= outcome.migrations), (29, true));
        for share in [outcome.slatah, outcome.pdm, outcome.violation_overall, outcome.violation_average] {
            prop_assert!((0.0..=1.0).contains(&share));
        }
        prop_assert!(outcome.pdm <= outcome.violation_overall + 1e-12);
        let most = centre.hosts.len() as f64 * 135.0 * outcome.simulated_s / 3_600_000.0;
        prop_assert!(outcome.energy_kwh > 0.0 && outcome.energy_kwh < most);
    }

    #[test]
    fn the_same_day_gives_the_same_bits(seed: u32, name in 0..NAMES.len()) {
        let (centre, demand) = (Datacentre::of_the_paper(40, 50), day(50, 40, seed));
        let days = [(); 2].map(|()| outcome(&centre, &demand, NAMES[name], Rules::CLOUDSIM));
        prop_assert_eq!(format!("{:?}", days[0]), format!("{:?}", days[1]));
    }
}

/// Two hosts of 1,000 with two cores, and guests of 500 with 500 of memory that copies at 10 a second.
fn by_hand(guests: usize) -> Datacentre {
    let power = Power::Linear { idle: 100.0, full: 200.0 };
    Datacentre {
        kinds: vec![Kind { capacity: 1000.0, core: 500.0, memory: 4000.0, power }],
        hosts: vec![0, 0],
        guests: vec![Guest { size: 500.0, memory: 500.0 }; guests],
        step_s: 100.0,
        begin_s: 0.0,
        copied_per_s: 10.0,
        move_cost: 0.1,
        idle: Idling::Stays,
        whole_units: false,
    }
}

#[test]
fn energy_of_a_steady_guest() {
    let demand = Demand::new(&[40; 11], &[11]).expect("sound");
    let outcome = run(&by_hand(1), &demand, &mut Idle).expect("room");
    // Used from 100 s to 1,000 s, at a fifth of the host: 120 W. What comes before the first step does not count.
    assert!((outcome.energy_kwh - 120.0 * 900.0 / 3_600_000.0).abs() < 1e-12);
    assert_eq!((outcome.simulated_s, outcome.decisions, outcome.migrations), (1100.0, 10, 0));
    // The other host is off at the first step.
    assert_eq!((outcome.shutdowns.count, outcome.shutdowns.mean_s), (1, 100.0));
    assert_eq!((outcome.violation_overall, outcome.slatah, outcome.slav()), (0.0, 0.0, 0.0));
}

#[test]
fn one_move() {
    let demand = Demand::new(&[40; 11], &[11]).expect("sound");
    let mut once = Once(Some(Move { guest: 0, from: 0, to: 1 }));
    let outcome = run(&by_hand(1), &demand, &mut once).expect("room");
    // From 100 s to 150 s the guest gets 180 of 200; from then on it is on the other host.
    assert_eq!((outcome.migrations, outcome.moves.count, outcome.moves.mean_s), (1, 1, 50.0));
    let wanted = 200.0 * 900.0;
    assert!((outcome.pdm - 20.0 * 50.0 / wanted).abs() < 1e-12);
    assert_eq!(outcome.violation_overall, outcome.pdm);
    assert!((outcome.violation_average - 0.1).abs() < 1e-12);
    // In these 50 s the host that it goes to is active and gives a tenth of what the guest wants. The one that it leaves
    // spends what the guest lacks on the move.
    assert!((outcome.slatah - 50.0 / (850.0 + 50.0 + 50.0)).abs() < 1e-12);
    // At 102 W, the move's tenth, and 120 W.
    assert!((outcome.energy_kwh - (120.0 * 900.0 + 102.0 * 50.0) / 3_600_000.0).abs() < 1e-12);
    // One host is off at 100 s and on at once, which is no shutdown; the other is off once the guest left.
    assert_eq!((outcome.shutdowns.count, outcome.shutdowns.mean_s), (1, 150.0));
}

#[test]
fn an_overbooked_host_gives_all_the_same_part() {
    let mut centre = by_hand(4);
    let samples = [[0; 3], [0; 3], [0; 3], [0; 3]].map(|_| [100_u8; 3]).concat();
    let demand = Demand::new(&samples, &[3; 4]).expect("sound");
    // Two guests are placed on each host. The move makes one of them full.
    let mut once = Once(Some(Move { guest: 0, from: 0, to: 1 }));
    let outcome = run(&centre, &demand, &mut once).expect("room");
    // 50 s: guest 0 gets 450 where it is; the host that it goes to owes 500, 500 and 50. Then three share 1,000.
    let (mut lacks, wanted) = (50.0 * 50.0, 4.0 * 500.0 * 100.0);
    lacks += 50.0 * 2.0 * (500.0 - 500.0 * 1000.0 / 1050.0);
    lacks += 50.0 * 500.0;
    assert!((outcome.violation_overall - lacks / wanted).abs() < 1e-12);
    centre.whole_units = true;
    let mut once = Once(Some(Move { guest: 0, from: 0, to: 1 }));
    let whole = run(&centre, &demand, &mut once).expect("room");
    assert!(whole.violation_overall > outcome.violation_overall);
}

#[test]
fn a_guest_that_wants_nothing_leaves_where_it_is_so() {
    let demand = Demand::new(&[30, 0, 0, 30, 30, 30, 30], &[7]).expect("sound");
    let stays = run(&by_hand(1), &demand, &mut Idle).expect("room");
    let leaves = run(&Datacentre { idle: Idling::Leaves, ..by_hand(1) }, &demand, &mut Idle).expect("room");
    assert_eq!((stays.left, leaves.left), (0, 1));
    assert!(stays.energy_kwh > 0.0 && leaves.energy_kwh == 0.0);
}

#[test]
#[should_panic(expected = "there is no such move")]
fn a_manager_that_moves_who_is_gone_is_broken() {
    let demand = Demand::new(&[30, 0, 0, 30], &[4]).expect("sound");
    let mut once = Once(Some(Move { guest: 0, from: 0, to: 1 }));
    let _ = run(&Datacentre { idle: Idling::Leaves, ..by_hand(1) }, &demand, &mut once);
}

#[test]
fn no_room_is_told_with_the_guest() {
    let demand = Demand::new(&[1; 10], &[2; 5]).expect("sound");
    let none = run(&by_hand(5), &demand, &mut Idle).expect_err("four fit");
    assert_eq!(none, NoRoom { guest: 4 });
}

#[test]
fn once_its_columns_have_grown_a_step_allocates_nothing() {
    let centre = Datacentre::of_the_paper(60, 80);
    let allocated = |days: usize| {
        // The same day again and again.
        let one: Vec<u8> = (0..80_u32).flat_map(|guest| (0..48).map(move |step| wave(guest, step))).collect();
        let samples: Vec<u8> = one.chunks(48).flat_map(|guest| guest.repeat(days)).collect();
        let demand = Demand::new(&samples, &[48 * days; 80]).expect("sound");
        let mut manager = balance::by_name("iqr-mmt", Rules::CLOUDSIM).expect("a known name");
        let mut moves = 0;
        let counted = allocation_counter::measure(|| {
            moves = run(&centre, &demand, &mut *manager).expect("room").migrations
        });
        (counted.count_total, moves)
    };
    let ((some, moves), (more, again)) = (allocated(10), allocated(20));
    assert!(again > moves + 100, "there is something to do");
    assert_eq!(more, some);
}

/// A load that swings, each guest's at another time.
fn wave(guest: u32, step: u32) -> u8 {
    let place = (step + 7 * guest) % 48;
    let height = if place < 24 { place } else { 48 - place };
    u8::try_from(3 + 3 * height).expect("a percent")
}

/// The golden day: a change of any figure is a change of behaviour.
#[test]
fn a_small_day_under_each_manager() {
    let (centre, demand) = (Datacentre::of_the_paper(60, 80), day(80, 96, 7));
    let mut table = String::new();
    for (rules, called) in [(Rules::CLOUDSIM, "as CloudSim"), (Rules::default(), "sound")] {
        for name in NAMES {
            let day = outcome(&centre, &demand, name, rules);
            let (slatah, pdm) = (day.slatah * 100.0, day.pdm * 100.0);
            let overall = day.violation_overall * 100.0;
            writeln!(
                table,
                "{called}, {name}: {:.4} kWh, {} moves ({:.2} s), SLATAH {slatah:.3} %, PDM {pdm:.4} %, \
                 lacking {overall:.4} %, {} shutdowns after {:.1} ± {:.1} s",
                day.energy_kwh,
                day.migrations,
                day.moves.mean_s,
                day.shutdowns.count,
                day.shutdowns.mean_s,
                day.shutdowns.deviation_s(),
            )
            .expect("a string");
        }
    }
    insta::assert_snapshot!(table);
}
