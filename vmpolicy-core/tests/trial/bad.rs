//! Each kind of bad input, and what is said of it: the input, then everything that is told in one run.

use crate::support::told;

/// A test with these keys besides its name, and all that is told of it.
fn case(title: &str, keys: &str) -> String {
    let body: String = keys.lines().map(|line| format!("    {line}\n")).collect();
    whole(title, &format!("version: 1\npolicy: policy.yaml\ntests:\n  - name: it\n{body}"))
}

fn whole(title: &str, text: &str) -> String {
    let told = told(text.as_bytes());
    assert!(!told.is_empty(), "{title}: nothing is wrong with\n{text}");
    let shown = text.strip_prefix("version: 1\npolicy: policy.yaml\ntests:\n").unwrap_or(text);
    format!("## {title}\n\n{}\n\n{told}\n", shown.trim_end())
}

macro_rules! assert_document {
    ($($part:expr),+ $(,)?) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!([$($part),+].concat()) })
    };
}

#[test]
fn the_file() {
    assert_document!(
        whole("nothing", ""),
        whole("a policy instead", "version: 1\narrays: { oslo: { hosts: [a, b] } }\nrules: []\n"),
        whole("no test", "version: 1\npolicy: policy.yaml\ntests: []\n"),
        whole("another version", "version: 2\npolicy: policy.yaml\ntests: [{ name: a, expect: [] }]\n"),
        whole("no YAML", "version: 1\npolicy: policy.yaml\ntests: [{ name: a, expect: [ }]\n"),
        whole(
            "a test of no name, and two of one",
            "version: 1\npolicy: policy.yaml\ntests:\n  - expect: []\n  - { name: a, expect: [] }\n  - { name: a, expect: [] }\n"
        ),
    );
}

#[test]
fn the_policy() {
    assert_document!(
        whole("not there", "version: 1\npolicy: gone.yaml\ntests: [{ name: a, at: nowhere, expect: [] }]\n"),
        whole(
            "with errors: its own are shown, and nothing is said of names",
            "version: 1\npolicy: bad.yaml\ntests: [{ name: a, at: nowhere, expect: [{ at: 1, none: any }] }]\n"
        ),
        whole(
            "in the file",
            "version: 1\npolicy:\n  arrays: { oslo: { hosts: [a, a] } }\n  hoem: oslo\ntests: [{ name: a, at: nowhere, expect: [] }]\n"
        ),
        whole("none", "version: 1\ntests: [{ name: a, expect: [] }]\n"),
        case(
            "to reload",
            "happens:\n  - { at: 1m, reload: gone.yaml }\n  - { at: 2m, reload: bad.yaml }\nexpect: []"
        ),
    );
}

#[test]
fn times() {
    assert_document!(
        case(
            "no time",
            "start: 2009-05-06\nexpect:\n  - { at: 45, none: any }\n  - { at: soon, none: any }\n  - { at: 2009-05-06T25:00, none: any }\n  - { none: any }"
        ),
        case("by nobody's clock", "start: 2009-05-06T09:00\nexpect: []"),
        case("no such zone", "start: 2009-05-06T09:00 Europe/Olso\nexpect: []"),
        case("a time that the clock leaves out", "start: 2009-03-29T02:30 Europe/Oslo\nexpect: []"),
        case(
            "before the start",
            "start: 2009-05-06T09:00 Europe/Oslo\nexpect: [{ at: 2009-05-06T08:59, none: any }]"
        ),
        case(
            "after the end",
            "for: 5m\nhappens: [{ at: 6m, drain: mln1 }]\nexpect:\n  - { at: 7m, event: request }\n  - { at: 1m..8m, none: any }"
        ),
        case("backwards", "expect: [{ at: 5m..2m, none: any }]"),
    );
}

#[test]
fn readings() {
    assert_document!(
        case("of nothing", "readings: { laod: 1 }\nexpect: []"),
        case("no values", "readings: { load: 0x3 lots 5, slow: [1, 2] }\nexpect: []"),
        case("a ramp without an end", "readings: { load: 0+60 }\nexpect: []"),
        case("nothing to go on from", "readings: { load: +60x3 }\nexpect: []"),
        case("what no probe reads", "readings: { load: 5 counter-reset }\nexpect: []"),
        case("that overlap", "readings:\n  load: [{ values: 1x10 }, { from: 5m, values: 2 }]\nexpect: []"),
        case("keys", "readings:\n  load: { every: 0s, vlaues: 1, then: stay }\nexpect: []"),
    );
}

#[test]
fn what_happens() {
    assert_document!(
        case("nothing", "happens: [{ at: 1m }]\nexpect: []"),
        case("two things", "happens: [{ at: 1m, drain: mln1, up: mln2 }]\nexpect: []"),
        case(
            "names",
            "happens:\n  - { at: 1m, moved-to: mln9 }\n  - { at: 1m, drain: mln7 }\n  - { at: 1m, ranking: [mln2, nobody] }\n  - { at: 1m, batch: { queue: job, classes: { bg: 1 } } }\n  - { at: 1m, batch: { queue: jobs, classes: { bg: 1 } } }\nexpect: []"
        ),
        case(
            "values",
            "happens:\n  - { at: 1m, clock: 5 }\n  - { at: 1m, pause: long }\n  - { at: 1m, resume: yes }\n  - { at: 1m, hold: maybe }\n  - { at: 1m, up: mln1, for: 5m }\n  - { at: 1m, batch: { classes: { big: few } } }\nexpect: []"
        ),
        case(
            "moves",
            "moves: { mln9: refused, mln1: [refuse, confirmed after soon], others: never }\nexpect: []"
        ),
    );
}

#[test]
fn what_is_expected() {
    assert_document!(
        case("nothing", "for: 1m"),
        case(
            "a time and nothing else",
            "expect: [{ at: 1m }, { at: 1m, rule: busy }, { at: 1m, counter: {} }]"
        ),
        case(
            "an event that there isn't",
            "expect: [{ at: 1m, event: requset }, { at: 1m, none: moves }]\ncomplete: [request, rst]"
        ),
        case(
            "a field that it does not have",
            "expect:\n  - { at: 1m, event: rest, to: mln1 }\n  - { at: 1m, none: [request, wake], from: mln1 }"
        ),
        case(
            "names",
            "expect:\n  - { at: 1m, event: request, rule: bussy, from: mln0, to: mln1 }\n  - { at: 1m, event: unknown, indicator: lod, reason: gone }\n  - { at: 1m, event: request, do: jump }\n  - { at: 1m, location: home, resting: of, counter: { bsy: 1 }, truth: { busy: maybe }, value: { load: high } }"
        ),
        case("a counter of the other kind", "expect: [{ at: 1m, counter: { busy: 2m, slow: 2 } }]"),
        case(
            "two things at once",
            "expect: [{ at: 1m, event: request, location: mln1 }, { at: 1m, event: rest, none: any }]"
        ),
    );
}
