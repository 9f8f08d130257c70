//! Who decides: a guest that is not to asks for nothing, from its first moment on.

use vmpolicy_core::file::scenario::{NoFiles, load};
use vmpolicy_core::policy::UtcOnly;
use vmpolicy_core::sim::scenario::{Management, ManagerKind};
use vmpolicy_core::sim::world::{Deciding, Options, run};

/// It begins outside working hours, so that the first rule is true before anything was read; its daemon dies once.
const RESTING: &str = "
version: 1
start: 2026-11-23T00:00
lasts: 1d
arrays: { oslo: { hosts: [mln1, mln2], base: mln6 } }
guests:
  shop:
    at: mln1
    service: database
    load: 5
    policy:
      indicators: { slow_queries: { every: 60s, read: delta } }
      windows: { hours: { days: Mon-Fri, hours: 09:00-16:00, zone: UTC } }
      rules:
        - { name: off-duty, when: outside hours, do: rest }
        - { name: overloaded, when: slow_queries > 50, tarry: 3, do: move }
faults:
  - { at: 20h, lasts: 5m, daemon: crash }
";

/// It is overloaded all the time; an operator has a word with it in the middle.
const SPOKEN_TO: &str = "
version: 1
lasts: 2h
arrays: { oslo: { hosts: [mln1, mln2, mln3] } }
guests:
  shop:
    at: mln1
    policy:
      indicators: { slow: { every: 60s } }
      rules: [{ name: overloaded, when: slow > 50, tarry: 3, do: move }]
    feeds: { slow: { follows: 60 } }
faults:
  - { at: 30m, operator: WORD }
";

const OTHERS: [Deciding; 2] = [
    Deciding::Nobody,
    Deciding::Infrastructure(Management { kind: ManagerKind::ThrMmt, every: Management::EVERY }),
];

/// How often the guest asks.
fn requests(scenario: &str, deciding: Deciding) -> u64 {
    let built = load(scenario.as_bytes(), &UtcOnly, &mut NoFiles).expect("it is sound");
    let outcome =
        run(&built.scenario, Options { checks: true, deciding }, &mut ()).expect("nothing is violated");
    outcome.guests[0].summary.as_ref().expect("it has a policy").requests
}

/// A hold for a while ended the one that keeps guests from deciding, and so did `resume`.
#[test]
fn a_guest_that_is_not_to_decide_does_not_after_an_operators_word_either() {
    for word in ["resume", "{ hold: 20m }", "hold", "abandon"] {
        let scenario = SPOKEN_TO.replace("WORD", word);
        assert!(requests(&scenario, Deciding::AsWritten) > 0, "{word}");
        for deciding in OTHERS {
            assert_eq!(requests(&scenario, deciding), 0, "{word}, {deciding:?}");
        }
    }
}

#[test]
fn a_guest_that_is_not_to_decide_asks_for_nothing_at_its_start_either() {
    assert_eq!(requests(RESTING, Deciding::AsWritten), 1);
    for deciding in OTHERS {
        assert_eq!(requests(RESTING, deciding), 0, "{deciding:?}");
    }
}

/// One job of ten minutes on the only core of a host that a tenant wants for itself.
const WORKING: &str = "
version: 1
lasts: 1h
arrays:
  oslo: { hosts: [mln1], each: { cores: 1, clock: 2GHz } }
queues: { jobs: { classes: { big: 1200 }, batches: [{ at: 0s, jobs: { big: 1 } }] } }
guests:
  worker:
    at: mln1
    policy:
      queues: { jobs: { source: { directory: jobs }, every: 1m, classes: { big: {} } } }
      rules: [{ name: many, when: 'count(jobs, \"big\") >= 9', do: move }]
  tenant: { at: mln1, load: 1 }
";

#[test]
fn a_job_takes_processor_time_for_as_long_as_it_runs() {
    let alone = WORKING.replace("load: 1 }", "load: 0 }");
    let ran = |text: &str| {
        let built = load(text.as_bytes(), &UtcOnly, &mut NoFiles).map_err(|faulty| faulty.problems);
        run(&built.expect("it is sound").scenario, Options::default(), &mut ()).expect("nothing is violated")
    };
    // It begins with the first step, and what is used is known to a step.
    let busy_min = ran(&alone).hosts[0].busy_hours * 60.0;
    assert!((9.0..=11.0).contains(&busy_min), "{busy_min}");
    // Each has half, so it takes twenty minutes, and the tenant misses half of them.
    let shared = ran(WORKING);
    let missed_min = shared.guests[1].missed * 60.0;
    assert!((9.0..=11.0).contains(&missed_min), "{missed_min}");
}
