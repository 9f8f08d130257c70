//! Properties of the managers as a whole.

mod reference;
mod world;

use super::*;
use proptest::prelude::*;
use world::{Row, World, worlds};

fn detects() -> impl Strategy<Value = Detect> {
    prop_oneof![
        (4..10_u32).prop_map(|tenths| Detect::Threshold(f64::from(tenths) / 10.0)),
        Just(Detect::InterquartileRange(1.5)),
        Just(Detect::MedianAbsoluteDeviation(2.5)),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    let any = any::<(bool, bool, bool)>();
    any.prop_map(|(memory, waking, chained)| Rules { memory, waking, chained })
}

fn ask(manager: &mut dyn Manager, world: &World) -> Answer {
    let mut answer = Answer::default();
    manager.balance(&world.view(), &mut answer);
    answer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn as_the_slow_and_plain_one(world in worlds(), detect in detects(), rules in rules()) {
        let answer = ask(&mut Consolidation::new(detect, rules), &world);
        prop_assert_eq!(answer.moves, reference::balance(&world.view(), detect, rules));
    }

    #[test]
    fn what_came_before_changes_nothing(
        before in worlds(), world in worlds(), detect in detects(), rules in rules(),
    ) {
        let mut used = Consolidation::new(detect, rules);
        let _ = ask(&mut used, &before);
        prop_assert_eq!(ask(&mut used, &world), ask(&mut Consolidation::new(detect, rules), &world));
    }

    #[test]
    fn nobody_is_sent_where_there_is_no_room(world in worlds(), detect in detects(), memory: bool, waking: bool) {
        let rules = Rules { memory, waking, chained: false };
        let answer = ask(&mut Consolidation::new(detect, rules), &world);
        let view = world.view();
        for host in answer.moves.iter().map(|moved| moved.to as usize) {
            prop_assert!(view.hosts.open[host]);
            let kind = view.kind(host);
            let came = answer.moves.iter().filter(|moved| moved.to as usize == host);
            let guests = view.residents[host].iter().copied().chain(came.map(|moved| moved.guest));
            let (mut cpu, mut of_memory) = (0.0, 0.0);
            for guest in guests.map(|guest| guest as usize) {
                cpu += view.guests.demand[guest].min(kind.core);
                of_memory += view.guests.memory[guest];
            }
            prop_assert!(cpu <= kind.capacity || came_wanting_nothing(&view, &answer, host));
            prop_assert!(!memory || of_memory <= kind.memory);
        }
    }

    #[test]
    fn a_guest_is_moved_once_from_its_home_to_another_host(world in worlds(), detect in detects(), memory: bool) {
        let rules = Rules { memory, waking: true, chained: false };
        let answer = ask(&mut Consolidation::new(detect, rules), &world);
        let view = world.view();
        let mut moved: Vec<u32> = answer.moves.iter().map(|moved| moved.guest).collect();
        moved.sort_unstable();
        prop_assert!(moved.windows(2).all(|pair| pair[0] != pair[1]));
        for moved in &answer.moves {
            prop_assert_eq!(moved.from, view.guests.home[moved.guest as usize]);
            prop_assert!(moved.from != moved.to && !view.guests.moving[moved.guest as usize]);
        }
    }

    #[test]
    fn a_host_that_is_not_overloaded_is_emptied_whole_or_left_alone(world in worlds(), tenths in 4..10_u32) {
        let limit = f64::from(tenths) / 10.0;
        let answer = ask(&mut Consolidation::new(Detect::Threshold(limit), Rules::default()), &world);
        let view = world.view();
        for host in 0..view.residents.len() {
            let stays = view.residents[host].iter().filter(|guest| !view.guests.moving[**guest as usize]);
            let leaves = answer.moves.iter().filter(|moved| moved.from as usize == host).count();
            let asked: f64 = view.residents[host].iter().map(|guest| view.guests.demand[*guest as usize]).sum();
            if asked / view.kind(host).capacity <= limit {
                prop_assert!(leaves == 0 || leaves == stays.count());
            }
        }
        for host in answer.off.iter().map(|host| *host as usize) {
            prop_assert!(answer.moves.iter().all(|moved| moved.to as usize != host));
            let all = view.residents[host].iter().all(|guest| answer.moves.iter().any(|moved| moved.guest == *guest));
            prop_assert!(all && !view.residents[host].is_empty());
        }
    }

    #[test]
    fn none_moves_nobody(world in worlds()) {
        prop_assert_eq!(ask(&mut Idle, &world), Answer::default());
    }
}

/// A guest that wants nothing fits everywhere, also where guests get less than they want.
fn came_wanting_nothing(view: &View<'_>, answer: &Answer, host: usize) -> bool {
    let mut came = answer.moves.iter().filter(|moved| moved.to as usize == host);
    came.all(|moved| view.guests.demand[moved.guest as usize] == 0.0)
}

#[test]
fn nothing_moves_where_nothing_is_overloaded_and_no_host_can_be_emptied() {
    // Two hosts half used: together they would be above 0.8. A third is off.
    let world = World::plain(&[(0, 2000.0), (0, 600.0), (1, 1300.0), (1, 1300.0)], 3);
    for name in NAMES {
        let mut manager = by_name(name, Rules::default()).expect("a known name");
        assert_eq!(manager.name(), name);
        assert_eq!(ask(&mut *manager, &world), Answer::default(), "{name}");
    }
    assert!(by_name("thr", Rules::default()).is_none());
}

#[test]
fn an_overloaded_host_is_relieved_where_the_draw_rises_least() {
    // 4500 of 5320 is above 0.8. All guests have the same memory: the first leaves.
    let world = World::plain(&[(0, 2500.0), (0, 2000.0), (1, 1500.0), (2, 500.0)], 4);
    let mut manager = Consolidation::new(Detect::Threshold(0.8), Rules::default());
    // From 500 to 3000 takes 22.4 W more, from 1500 to 4000 some 23.7 W, and waking host 3 would cost 114.2 W.
    let answer = ask(&mut manager, &world);
    assert_eq!(answer.moves, [Move { guest: 0, from: 0, to: 2 }], "and nobody else fits anywhere");
    assert!(answer.off.is_empty());
    // Where an empty host counts as drawing its idle watts anyway, it is the cheapest: 20.5 W.
    let mut free = Consolidation::new(Detect::Threshold(0.8), Rules { waking: false, ..Rules::default() });
    assert_eq!(ask(&mut free, &world).moves[0], Move { guest: 0, from: 0, to: 3 });
}

#[test]
fn the_least_used_host_is_emptied_and_can_be_switched_off() {
    let world = World::plain(&[(0, 2500.0), (1, 600.0), (1, 300.0), (2, 1000.0)], 3);
    let mut manager = Consolidation::new(Detect::Threshold(0.8), Rules::default());
    let answer = ask(&mut manager, &world);
    let moves = [(1, 1, 2), (2, 1, 0)].map(|(guest, from, to)| Move { guest, from, to });
    assert_eq!((answer.moves.as_slice(), answer.off.as_slice()), (&moves[..], &[1][..]));
}

#[test]
fn a_host_that_could_not_be_emptied_leaves_no_trace() {
    let row = |home, demand, memory| Row { home, to: None, size: 2500.0, demand, memory };
    // Host 1 is the least used. Its first guest would fit on host 0, its second has too much memory: neither moves. The first
    // one's past swings and would have made host 0's limit so low that host 2's guest had no room there.
    let guests = [row(0, 1200.0, 100.0), row(1, 300.0, 100.0), row(1, 200.0, 4000.0), row(2, 1100.0, 100.0)];
    let past: Vec<_> = (0..30).map(|round| vec![48, if round % 2 == 0 { 0 } else { 100 }, 8, 44]).collect();
    let world = World::new(vec![0; 3], vec![true, true, false], &guests, &past);
    for detect in [Detect::InterquartileRange(1.5), Detect::MedianAbsoluteDeviation(2.5)] {
        let answer = ask(&mut Consolidation::new(detect, Rules::default()), &world);
        assert_eq!(answer.moves, [Move { guest: 3, from: 2, to: 0 }]);
        assert_eq!(answer.off, [2]);
    }
}

#[test]
fn a_used_manager_allocates_nothing() {
    let mut guests: Vec<(u32, f64)> =
        (0..200).map(|guest| (guest % 40, f64::from(guest * 37 % 2500))).collect();
    guests.sort_by_key(|(host, _)| *host);
    let world = World::plain(&guests, 60);
    for detect in
        [Detect::Threshold(0.8), Detect::InterquartileRange(1.5), Detect::MedianAbsoluteDeviation(2.5)]
    {
        let (mut manager, mut answer) = (Consolidation::new(detect, Rules::CLOUDSIM), Answer::default());
        manager.balance(&world.view(), &mut answer);
        assert!(!answer.moves.is_empty(), "there is something to do");
        let counted = allocation_counter::measure(|| manager.balance(&world.view(), &mut answer));
        assert_eq!(counted.count_total, 0, "{detect:?}");
    }
}
