//! Several things wrong in one element: all of them are told in one run, and nothing that follows from
//! another one.

use crate::shared::marked::Marked;
use crate::shared::{TwoZones, assert_document};
use crate::support::told;
use proptest::prelude::*;
use vmpolicy_core::file::load;

/// A sound file with everything in it.
const MARKED: &str = r#"version: «1|2»
guest: «nii5|[]»
arrays:
  oslo:
    hosts: [mln1, mln2, «mln3|mln1»]
    base: «mln6|mln2»
    price: { host: «0.12|-1», base: «0.03|cheap» }
    «speed|spede»: 1
  tokyo:
    hosts: [t1, «t2|"a\nb"»]
    base: t6
    price: { host: «1|dear», base: «1|.nan» }
    speed: «2.28|0»
    relocation: { size: «4GiB|big», bandwidth: «3MiB/s|0MB/s» }
  «lima|" lima"»:
    hosts: [l1]
    base: «l6|l1»
    speed: «1|[fast]»
home: «oslo|olso»
indicators:
  slow:
    probe: { mysql: { status: «Slow_queries|[]», port: «3306|99999», timeout: «1s|0s» } }
    every: «60s|60»
    read: «delta|detla»
    missing: «1|-1»
  latency:
    probe: { exec: { argv: [p, «"{guest}"|"{host}"»], timeout: «3s|0s» } }
    every: «10s|0s»
    unit: ms
  pressure:
    probe: { psi: { resource: «cpu|disk», kind: «some|most», avg: «10|11» } }
    every: «10s|10»
windows:
  office: { days: «Mon-Fri|Mon-Fry», hours: «09:00-16:00|09:00-09:00», zone: «Europe/Oslo|Europe/Osl» }
  night: { open: «0 22 * * *|0 22 *», close: «0 6 * * *|99 6 * * *», zone: «UTC|Mars» }
  «lunch|" lunch"»: { days: [«Mon|Mun», «Tue|Tyu»], hours: 12:00-13:00, zone: UTC }
queues:
  jobs:
    source: { directory: { «path|paht»: /jobs } }
    every: «2m|0s»
    classes: { grade a: «71s|fast», grade b: «5s|[]» }
  other: { every: «1s|[]», source: «{ directory: /other }|{ redis: {} }» }
rules:
  - { name: «a|b», when: «slow|slwo» < «5|.nan», tarry: «3|x», do: «rest|rset» }
  - { name: b, when: latency > «5|.inf» «ms|MiB», tarry: «5m|0s», do: { move-to: «mln2|mln7» } }
  - name: «c|""»
    when:
      all:
        - any: [«slow > 50|slow => 50», «inside office|inside offfice», { not: «outside night|5» }]
        - count(«jobs|jbos», "grade a") >= «2|many»
        - count(jobs, "grade «b|c»") >= 2
        - «all|al»: [pressure > «1|.nan»]
    tarry: «4 of 5|5 of 4»
    do: { move-from-home: «tokyo|tokio» }
  - { name: d, when: 'gain(jobs, «tokyo|tokoy») > «2|1e999»', do: { rest: { monitor: «true|yes» } } }
moves:
  settle: «45s|soon»
  confirm_within: «10m|0s»
  dwell: «0s|-1s»
  at_most: «12 per 1h|0 per 1h»
  tour: «stop|never»
  bar: «1m|0s»
actuator: { exec: { argv: [ask, «"{to}"|"{tu}"»], timeout: «30s|0s» } }
locator: { assume: «mln1|mln9», every: «1m|0s» }
"#;

const FILE: Marked = Marked {
    text: MARKED,
    problems: |text| load(text.as_bytes(), &TwoZones).err().unwrap_or_default(),
    told: |text| told(text.as_bytes()),
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
fn in_one_element() {
    let head = "version: 1\narrays:\n  oslo: { hosts: [mln1, mln2, mln3], base: mln6 }\n";
    let reads = "indicators: { slow: { every: 60s }, latency: { every: 10s, unit: ms } }\n";
    let rule = |rest: &str| format!("{head}{reads}rules:\n  - {{ {rest} }}\n");
    let cases = [
        (
            "a window and two rules",
            format!(
                "{head}indicators:\n  slow_queries: {{ every: 60, read: detla }}\nwindows:\n  wh: {{ days: Mon-Fri, hours: 09:00-09:00, zone: Europe/Osl }}\nrules:\n  - {{ name: b, when: slow_queries < .nan, do: move-to-bse }}\n  - {{ name: b, when: slow_querie > 50, tarry: x, do: {{ move-to: mln7 }} }}\n"
            ),
        ),
        ("a rule without a name", rule("when: slwo > 5, tarry: 0, do: { move-to: mln9 }")),
        ("a rule without a condition", rule("name: \"\", tarry: 0s, do: move-from-home")),
        ("both connectives", rule("name: r, when: { all: [slwo > 5], any: [] }, do: dance")),
        ("a condition that goes on", rule("name: r, when: slwo > .nan and latency > 5ms, do: move-to")),
        (
            "the unit of one is not that of another",
            rule("name: r, when: { all: [slow > 5ms, latency > 5ms] }, do: move")
                .replace("unit: ms", "unit: [ms]"),
        ),
        ("two actions", rule("name: r, when: slow > 5, do: { move-to: mln9, tarry: 3 }")),
        ("an action with a value", rule("name: r, when: slow > 5, do: { move-to-home: oslo }")),
        ("a key written twice", rule("name: r, when: slow > 5, tarry: 3, tarry: x, do: move")),
        (
            "sections written twice",
            format!(
                "{head}{reads}indicators: {{ slow: {{ every: 5 }}, fast: {{ every: 0s }} }}\nrules: [{{ name: r, when: fast > 5, do: rest }}]\nrules: [{{ name: r, when: fats > 5, do: rest }}]\n"
            ),
        ),
        (
            "sections by a wrong name",
            format!(
                "{head}indicator: {{ slow: {{ every: 5 }} }}\nrule: [{{ name: r, when: slwo > 5, do: rest }}]\n"
            ),
        ),
        (
            "an array twice",
            format!(
                "{head}  oslo: {{ hosts: [mln1, mln9], speed: fast }}\n{reads}rules: [{{ name: r, when: slow > 5, do: {{ move-to: mln9 }} }}]\n"
            ),
        ),
        (
            "hosts that can't be read",
            format!(
                "version: 1\narrays: {{ a: [h], b: {{ hosts: i, base: {{ name: j }} }} }}\nhome: c\n{reads}rules:\n{}",
                ["h", "i", "j", "k"]
                    .map(|host| format!(
                        "  - {{ name: {host}, when: slow > 5, do: {{ move-to: {host} }} }}\n"
                    ))
                    .concat()
            ),
        ),
        (
            "two kinds",
            format!(
                "{head}indicators: {{ slow: {{ every: 0s, probe: {{ load: {{ avg: 2 }}, file: [] }} }} }}\nlocator: {{ http: {{}}, every: 0s }}\nactuator: {{ exec: {{ argv: [\"\", \"{{tu}}\"], timeout: 5 }}, webhook: {{}} }}\n"
            ),
        ),
        (
            "days, hours and cron",
            format!(
                "{head}windows: {{ w: {{ days: Mun, hours: 9, open: x, close: y, zone: Mars }}, v: {{ open: 0 9 * * *, close: 0 9 * * *, zone: Mars }} }}\n"
            ),
        ),
        (
            "a queue and what reads it",
            format!(
                "{head}  tokyo: {{ hosts: [t], relocation: x }}\n  lima: {{ hosts: [l] }}\nhome: oslo\nqueues: {{ q: {{ every: 5, classes: {{ a: x, b: {{}} }} }} }}\nrules:\n  - {{ name: r, when: 'gain(q, tokyo) > 1', do: move }}\n  - {{ name: s, when: {{ all: ['gain(q, lima) => 1', 'count(q, c) > 1'] }}, do: move }}\n"
            ),
        ),
    ];
    let document = cases
        .map(|(title, text)| format!("## {title}\n\n{}\n\n{}\n", text.trim_end(), told(text.as_bytes())));
    assert_document!(document.concat());
}

#[test]
fn all_at_once() {
    assert_document!(FILE.all_told());
}
