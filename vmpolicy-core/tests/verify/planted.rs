//! Policies that do what they should not: each is found, and told in a small world that does it again.

use crate::support::{TestZones, example, found, holds, policy, study, told, tried};
use vmpolicy_core::file::scenario::{NoFiles, load};
use vmpolicy_core::verify::{Scope, Shrunk, Study, Which};

/// A policy that goes wherever it likes; `moves` and `rules` are to be filled in.
fn made(rules: &str, moves: &str) -> vmpolicy_core::file::Loaded {
    policy(&format!(
        "version: 1
guest: nii
arrays:
  oslo: {{ hosts: [mln1, mln2, mln3, mln4], base: mln6, price: {{ host: 0.12, base: 0.03 }} }}
indicators:
  slow: {{ every: 60s }}
windows:
  working_hours: {{ days: Mon-Sun, hours: 09:00-16:00, zone: Europe/Oslo }}
rules:
{rules}
moves: {moves}
"
    ))
}

const OVERLOADED: &str = "  - { name: overloaded, when: slow > 50, tarry: 3, do: move }";

/// Found in so many worlds; the small world does the same again, read from its file.
fn finds(study: &Study, worlds: u64, which: usize) -> Shrunk {
    let shrunk = found(study, worlds);
    assert_eq!(shrunk.broken.what, Which::Expectation(which), "{}", told(&shrunk));
    let text = shrunk.file.to_yaml();
    let read =
        load(text.as_bytes(), &TestZones, &mut NoFiles).unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}"));
    assert_eq!(study.judge(&read.scenario).broken.as_ref(), Some(&shrunk.broken), "{text}");
    shrunk
}

#[test]
fn a_policy_that_flaps_moves_too_often() {
    let flaps = made(
        "  - { name: overloaded, when: slow > 50, tarry: 1, do: move }",
        "{ settle: 0s, tour: keep-going, at_most: 100 per 1h }",
    );
    let study = study(&flaps, &["moves: { at_most: 6, per: 1h }"], 1, Scope::default());
    let shrunk = finds(&study, 50, 0);
    assert_eq!(shrunk.file.guests.len(), 1, "{}", told(&shrunk));
    assert!(shrunk.file.faults.is_empty(), "{}", told(&shrunk));
    insta::assert_snapshot!(told(&shrunk));
}

#[test]
fn a_budget_keeps_it_from_that() {
    let calm = made(OVERLOADED, "{ at_most: 6 per 1h }");
    let study = study(&calm, &["moves: { at_most: 6, per: 1h }"], 1, Scope::default());
    let counts = holds(&study, 150);
    assert!(counts.judged.iter().all(|judged| *judged > 100), "{counts:?}");
}

/// It would be said to be kept, and no world is long enough to break it.
#[test]
fn what_takes_longer_than_a_world_is_not_said_to_be_tested() {
    let calm = made(OVERLOADED, "{ at_most: 6 per 1h }");
    let expect = [
        "breach_ends: { within: 29h }",
        "breach_ends: { within: 30h }",
        "moves: { at_most: 1000, per: 30h }",
    ];
    let counts = holds(&study(&calm, &expect, 1, Scope::default()), 30);
    assert!(counts.judged[0] > 0 && counts.judged[2] > 0, "{counts:?}");
    assert_eq!((counts.judged[1], counts.judged_in[1]), (0, 0), "{counts:?}");
}

/// Every host is full, and a guest that demands nothing itself was said to have all that it misses on each of them.
#[test]
fn a_breach_goes_on_where_every_host_is_full() {
    let stays = made(OVERLOADED, "{}");
    let study = study(&stays, &["breach_ends: { within: 20m }"], 1, Scope::default());
    let world = |busy: &str| {
        let text = format!(
            "
version: 1
lasts: 2h
arrays: {{ oslo: {{ hosts: [mln1, mln2, mln3, mln4], base: mln6 }} }}
guests:
  vm1:
    at: mln1
    policy:
      indicators: {{ slow: {{ every: 60s }} }}
      rules: [{{ name: overloaded, when: slow > 50, tarry: 3, do: move }}]
      moves: {{ at_most: 0 per 1h }}
    feeds: {{ slow: {{ follows: 0, strain: 300 }} }}
  other: {{ at: [{busy}], vcpus: 8, load: 1 }}
"
        );
        let text =
            text.replace("at_most: 0 per 1h", "at_most: 1 per 24h").replace("  other:", "  \"other[1-4]\":");
        load(text.as_bytes(), &TestZones, &mut NoFiles).unwrap_or_else(|wrong| panic!("{wrong:?}")).scenario
    };
    assert_eq!(study.judge(&world("mln1, mln2, mln3, mln4")).broken, None);
    assert!(study.judge(&world("mln1, mln2, mln2, mln3")).broken.is_some(), "`mln4` is free");
}

#[test]
fn a_base_in_working_hours_is_seen() {
    let rules = format!("{OVERLOADED}\n  - {{ name: idle, when: slow < 10, tarry: 3, do: move-to-base }}");
    let study = study(
        &made(&rules, "{}"),
        &["never_at_base: { inside: working_hours, for: 5m }"],
        1,
        Scope::default(),
    );
    let shrunk = finds(&study, 50, 0);
    insta::assert_snapshot!(told(&shrunk));
}

#[test]
fn nobody_rests_who_is_not_told_to() {
    let study = study(
        &made(OVERLOADED, "{}"),
        &["rests_at_base: { outside: working_hours, within: 1h }"],
        1,
        Scope::default(),
    );
    finds(&study, 50, 0);
}

#[test]
fn a_rule_that_rests_does() {
    let rules = format!("  - {{ name: off-duty, when: outside working_hours, do: rest }}\n{OVERLOADED}");
    // A provider that is sound needs five minutes for the slowest of its live moves; a base may be full.
    let study = study(
        &made(&rules, "{}"),
        &["rests_at_base: { outside: working_hours, within: 15m }"],
        1,
        Scope::default(),
    );
    let counts = holds(&study, 300);
    assert!(counts.judged[0] > 20, "{counts:?}");
}

#[test]
fn draining_hosts_are_left_at_once() {
    for name in ["threshold-aware", "base-aware", "schedule-aware"] {
        let study = study(&example(name), &["leaves_draining: { within: 2m }"], 1, Scope::default());
        let counts = holds(&study, 300);
        assert!(counts.judged[0] >= 5, "{name}: {counts:?}");
    }
}

#[test]
fn a_breach_that_lasts_though_there_is_room_is_seen() {
    let slow = made(OVERLOADED, "{ dwell: 3h }");
    let study = study(&slow, &["breach_ends: { within: 45m }"], 1, Scope::default());
    let shrunk = finds(&study, 400, 0);
    insta::assert_snapshot!(told(&shrunk));
}

#[test]
fn what_it_costs_is_added_up() {
    let expect = ["cost: { at_most: 2.9 }"];
    let within = study(&made(OVERLOADED, "{}"), &expect, 1, Scope::NONE);
    let counts = holds(&within, 30);
    assert!(counts.judged[0] > 0, "{counts:?}");
    let less = study(&made(OVERLOADED, "{}"), &["cost: { at_most: 1.44 }"], 1, Scope::NONE);
    let shrunk = finds(&less, 30, 0);
    // Twelve hours at 0.12.
    assert!((12.0..12.5).contains(&(shrunk.broken.at.as_secs_f64() / 3_600.0)), "{}", told(&shrunk));
}

#[test]
fn a_host_that_is_not_to_be_used_is_missed() {
    let study = study(&made(OVERLOADED, "{}"), &["never_on: [mln4]"], 1, Scope::default());
    let shrunk = finds(&study, 50, 0);
    assert!(shrunk.broken.says.contains("mln4"));
}

#[test]
fn what_never_has_anything_to_judge_is_counted_as_such() {
    let loaded = made("  - { name: idle, when: slow < 1, tarry: 3, do: move-to-base }", "{}");
    let study = study(&loaded, &["leaves_draining: { within: 10m }", "never_on: mln1"], 1, Scope::NONE);
    let (counts, _) = tried(&study, 20);
    assert_eq!(counts.judged[0], 0);
    assert!(counts.judged[1] > 0);
}
