//! Clocks that are set, guests that are paused, nights on which clocks change: the daemon's own loop in simulated time.

use crate::campaign::SOON;
use crate::disk::{Fallible, Plan};
use crate::world::{RECORDS, Sight, Still, World, read};

const HOUR: i64 = 3_600_000;

fn records(world: &World, event: &str) -> Vec<serde_json::Value> {
    let text = String::from_utf8(world.disk().bytes(RECORDS).unwrap()).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    records.filter(|record| record["event"] == event).collect()
}

/// Something happens to the clocks between two samples: they are void, the guest settles, and it decides again.
fn void_by(happens: impl Fn(&mut World)) {
    let mut world = World::new(Sight::Looks, Fallible::new(Plan::Nothing));
    assert_eq!(world.begin(), Still::So);
    // One sample of the two that it takes.
    assert_eq!(world.run(SOON, |world| world.probed() == 1), Still::So);
    world.run(1_000, |_| false);
    assert!(world.asked().is_empty());
    happens(&mut world);
    let (from, probed) = (world.time(), world.probed());
    assert_eq!(world.run(SOON, |world| !world.asked().is_empty()), Still::So);
    let voids = records(&world, "void");
    assert_eq!(voids.len(), 1, "{voids:?}");
    assert_eq!(voids[0]["reason"], "clock", "{voids:?}");
    // It settled for 10 s, and took two samples, ten seconds apart, of which the first is 10 s after the settling.
    assert_eq!(world.probed() - probed, 2, "no sample of before counts");
    assert!(world.time() - from >= 30_000, "{} ms", world.time() - from);
    assert_eq!(world.run(SOON, |world| world.asked().len() == 3), Still::So);
    assert_eq!(records(&world, "void").len(), 1);
}

#[test]
fn a_wall_clock_that_is_set_forward_voids() {
    void_by(|world| world.set_wall(3_600_000));
}

#[test]
fn a_wall_clock_that_is_set_back_voids() {
    void_by(|world| world.set_wall(-3_600_000));
}

#[test]
fn a_guest_that_was_paused_voids() {
    void_by(|world| world.pause(180_000));
}

#[test]
fn a_leap_second_and_a_slewed_clock_change_nothing() {
    let mut world = World::new(Sight::Looks, Fallible::new(Plan::Nothing));
    assert_eq!(world.begin(), Still::So);
    for _ in 0..40 {
        // No two of them between two inputs: those are half a minute apart at most.
        world.run(61_000, |_| false);
        world.set_wall(-1_000);
    }
    assert!(records(&world, "void").is_empty());
    assert!(!world.asked().is_empty());
}

/// A night on which the clocks change in Oslo, by an hour of UTC at which the window opened the day before.
fn opens_at_the_right_time(start: i64, hours: [i64; 2]) {
    let config = read(
        "version: 1
guest: nii3
arrays: { oslo: { hosts: [mln1, mln2, mln3], base: mln4 } }
indicators: { x: { probe: { file: /nowhere }, every: 60s } }
windows: { work: { days: Mon-Sun, hours: 08:00-09:00, zone: Europe/Oslo } }
rules: [{ name: overloaded, when: { all: [x > 5, inside work] }, tarry: 2, do: move }]
moves: { settle: 10s, confirm_within: 2m, at_most: 1000 per 1h, tour: keep-going }
actuator: { exec: { argv: [/nowhere] } }
locator: { file: { path: /nowhere }, every: 1m }
",
    );
    let mut world = World::of(config, Sight::Looks, Fallible::new(Plan::Nothing));
    world.starts(start);
    assert_eq!(world.begin(), Still::So);
    assert_eq!(world.run(48 * HOUR, |_| false), Still::Late);
    let asked = world.asked();
    for (day, hour) in hours.into_iter().enumerate() {
        let opens = start + i64::try_from(day).unwrap() * 24 * HOUR + hour * HOUR;
        let inside: Vec<_> =
            asked.iter().filter(|asked| (opens..opens + HOUR).contains(&asked.wall)).collect();
        assert!(inside.len() > 5, "day {day}: {asked:?}");
        // From the beginning to the end of it: two samples in, and no more than a failing request before the end.
        assert!(inside[0].wall - opens <= 3 * 60_000, "{}", inside[0].wall - opens);
        assert!(opens + HOUR - inside[inside.len() - 1].wall <= 10 * 60_000);
    }
    let within = |asked: &&crate::world::Asked| {
        hours.iter().enumerate().any(|(day, hour)| {
            let opens = start + i64::try_from(day).unwrap() * 24 * HOUR + hour * HOUR;
            (opens..opens + HOUR).contains(&asked.wall)
        })
    };
    assert_eq!(asked.iter().filter(within).count(), asked.len(), "outside of the window: {asked:?}");
    assert!(records(&world, "void").is_empty(), "civil time changes, no clock does");
}

#[test]
fn windows_open_at_the_right_hour_before_and_after_a_night_in_spring() {
    // From 2026-03-28T00:00:00Z.
    opens_at_the_right_time(1_774_656_000_000, [7, 6]);
}

#[test]
fn windows_open_at_the_right_hour_before_and_after_a_night_in_autumn() {
    // From 2026-10-24T00:00:00Z.
    opens_at_the_right_time(1_792_800_000_000, [6, 7]);
}
