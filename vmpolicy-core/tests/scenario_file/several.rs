//! Several things wrong in one file: all of them are told in one run, and nothing that follows from another one.

use crate::shared::assert_document;
use crate::shared::marked::Marked;
use crate::support::{Shelf, loaded, told};
use proptest::prelude::*;

/// A sound file with everything in it.
const MARKED: &str = r#"version: «1|2»
start: «2009-05-06T14:44|yesterday»
zone: «Europe/Oslo|Europe/Olso»
lasts: «48h|48»
step: «60s|0s»
seed: «1|-1»
arrays:
  oslo:
    hosts: [mln1, mln2, mln3, «"x[3-4]"|"x[4-3]"»]
    base: «mln6|mln2»
    price: { host: «0.12|-1», base: «0.03|cheap» }
    each: { cores: «2|0», clock: «3GHz|3», memory: «8GiB|0GiB», «power|poewr»: { idle: «90|-90», full: «200|much» } }
    but:
      «mln1|mln1[»: { clock: «2GHz|fast», price: «0.1|-0.1» }
      «mln2|mln9»: { power: «hp-ml110-g5|hp-ml110-g6» }
    live: { link: «1Gbit/s|1Gbit/h» }
    leaving: { takes: [«22m4s|22», 9m] }
    provider: { answers_in: [1s, «4s|4x»], refuses: «0.05|5», confirms: «true|yes», at_once: «4|-4» }
  tokyo:
    hosts: ["t[1-20]", «u1|t2»]
    leaving: { link: «100Mbit/s|0Mbit/s» }
    provider: { ranking: { every: «1m|0s», late: «5s|late» }, «doubles|duobles»: 0.1 }
queues:
  jobs:
    classes: { grade a: «142|0», grade b: «40|small» }
    batches:
      - { at: «10m|soon», jobs: { grade a: «2|0» } }
      - { at: 20m, jobs: { «grade b|grade c»: 1 } }
  other:
    classes: { x: 5 }
    arrive: { gap: «30m|0s», jobs: [«2|5», 4], shares: { «x|y»: 1 } }
guests:
  db:
    at: «mln1|mln7»
    vcpus: «2|0»
    memory: «4GiB|4»
    dirties: «20MiB/s|20»
    shutdown: «10s|quick»
    service: { database: { work: «0.1|0», long_query_time: «1s|0s», concurrency: «4|0» } }
    load: { day: { low: «2|-2», high: «30|-30», peak: «14:00|25:00» } }
    policy: «policy.yaml|no.yaml»
    probe_takes: «100ms|100»
  web[1-4]:
    at: { spread: «oslo|olso», by: «memory|chance» }
    service: { web: { max_workers: «150|0», held: «50ms|50» } }
    load: { sum: [«10|-10», { product: [{ bursts: { gap: «2h|0s», length: 10m, height: «5|-5» } }, { weekdays: [1, 1, 1, 1, 1, «0.4|x», 0.2] }] }] }
    feeds: { workers: «busy_workers|bsy_workers» }
    policy:
      home: oslo
      indicators: { workers: { every: «30s|30» } }
      rules: [{ name: crowded, when: workers > «50|.nan», tarry: «3|x», do: «move|mvoe» }]
  «batch|"batch[2-1"»: { at: [t1, «t2|t99»], load: { mmpp: { rates: [1, «5|-5»], stays: [30m, «5m|0s»] } }, locates: «true|1» }
  traced: { service: «web|wbe», at: «spread|{ spread: tkyo }», load: { trace: «load.csv|no.csv», times: «2|-2», then: «repeat|again» }, policy: { home: tokyo, rules: [] } }
  odd: { at: t5, policy: { home: tokyo, indicators: { x: { every: 60s } }, rules: [{ name: r, when: x > 1, do: move }] }, feeds: { x: { follows: «5|-5», strain: «-3|low», counts: «true|1» } } }
  lab[1-2]: { at: t3, load: { planetlab: «day|night» } }
  stepped: { at: t4, load: { steps: { 0s: «20|-20», «16h|0s»: 50 }, repeat: «24h|24» } }
faults:
  - { at: «16h|sixteen», reload: «policy.yaml|nope.yaml», guests: «db|dv» }
  - { at: 3h, lasts: «1h|1», provider: «down|dwon» }
  - { at: 3h, provider: { fails: «0.3|3» }, array: «tokyo|kyoto» }
  - { at: 5h, drain: «mln2|mln22», comes_true: «false|no», lasts: 1h }
  - { at: 6h, «daemon|deamon»: «crash|crush», guests: «[db, "web[1-2]"]|[db, lab1]» }
  - { at: 6h, clock: «-1h|-1» }
  - { at: 6h, probes: { fail: «unreachable|unreechable» } }
  - { at: 6h, operator: { hold: «1h|0s» }, guests: "«web[1-4]|web[1-5]»" }
  - { at: 7h, moved_to: «mln1|mln0», guests: lab1 }
  - { at: 8h, load_times: «3|-3», lasts: 1h }
  - { at: 8h, link_times: «0.1|0», lasts: 1h }
management: { kind: «thr-mmt|thr», every: «5m|0s» }
"#;

const FILE: Marked = Marked {
    text: MARKED,
    problems: |text| {
        let faulty = loaded(text).err().unwrap_or_default();
        assert!(faulty.policies.is_empty(), "the policies are sound");
        faulty.problems
    },
    told: |text| told(text.as_bytes(), &mut Shelf::new()),
};

#[test]
fn every_mark_is_one_error_alone() {
    FILE.each_is_one_error_alone();
}

#[test]
fn any_two_are_both_told_and_nothing_else() {
    FILE.any_two_are_both_told_and_nothing_else();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_number_of_them_is_told(which in prop::collection::btree_set(0..FILE.marks(), 3..20)) {
        FILE.all_of_these_are_told(&which.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn all_at_once() {
    assert_document!(FILE.all_told());
}
