//! What can be expected, met and not met.

use crate::support::differences;

const BUSY: &str = "start: 2009-05-06T10:00 Europe/Oslo\nreadings: { load: 3x2 9x3, slow: 0 }\n";

fn expecting(expect: &str) -> Vec<String> {
    differences(&format!("{BUSY}for: 5m\nexpect: [{expect}]"))
}

const ASKS: &str = "3m request id=1 rule=busy do=move from=mln1 to=mln2";

#[test]
fn an_event_that_comes_is_no_difference() {
    let none: [&str; 0] = [];
    for expect in [
        "{ at: 3m, event: request }",
        "{ at: 3m, event: request, rule: busy, do: move, from: mln1, to: mln2, id: 1 }",
        "{ at: 1m..4m, event: request }",
        "{ at: 2009-05-06T10:03, event: request }",
        "{ at: 2009-05-06T08:03Z, event: request }, { at: 3m, event: confirmed, at_host: mln2 }",
        "{ at: 3m, event: request }, { at: 0s..2m59s, none: any }, { at: 0s..5m, none: [held, rest] }",
        "{ at: 3m, event: request }, { at: 0s..5m, none: request, to: mln3 }",
        "{ at: 3m, event: request }, { at: 2m, location: mln1, counter: { busy: 1, idle: 0 }, truth: { busy: breach } }",
        "{ at: 3m, event: request }, { at: 3m..5m, location: mln2 }, { at: 3m..3m44s, settling: true }",
        "{ at: 3m, event: request }, { at: 3m45s, settling: false, open: false, resting: false }",
        "{ at: 3m, event: request }, { at: 2m30s, value: { load: 9, slow: 0 }, counter: { slow: 0s } }",
    ] {
        assert_eq!(expecting(expect), none, "{expect}");
    }
}

#[test]
fn what_differs_is_told_with_what_was_probably_meant() {
    assert_eq!(expecting(""), [format!("unexpected {ASKS}")]);
    assert_eq!(expecting("{ at: 2m, event: request }"), [format!("missing [0]; but {ASKS}")]);
    assert_eq!(expecting("{ at: 3m, event: request, to: mln3 }"), [format!("missing [0]; but {ASKS}")]);
    assert_eq!(expecting("{ at: 3m, event: request }, { at: 3m, event: request }"), ["missing [1]"]);
    assert_eq!(expecting("{ at: 3m, event: request }, { at: 4m, event: rest, rule: off }"), ["missing [1]"]);
    assert_eq!(expecting("{ at: 0s..3m, none: request }"), [format!("forbidden [0] {ASKS}")]);
    assert_eq!(expecting("{ at: 0s..5m, none: any }"), [format!("forbidden [0] {ASKS}")]);
    assert_eq!(
        expecting("{ at: 3m, event: request }, { at: 0s..5m, location: mln1 }"),
        ["state [1] at 3m: mln2"]
    );
    assert_eq!(
        expecting("{ at: 3m, event: request }, { at: 2m, counter: { busy: 2, idle: 0 } }"),
        ["state [1] at 2m: 1"]
    );
}

#[test]
fn completeness_can_be_loosened_and_tightened() {
    let with = |complete: &str| differences(&format!("{BUSY}for: 5m\ncomplete: {complete}\nexpect: []"));
    assert_eq!(with("false"), Vec::<String>::new());
    assert_eq!(with("true"), [format!("unexpected {ASKS}")]);
    let any = differences(&format!("{BUSY}for: 5m\ncomplete: false\nexpect: [{{ at: 0s..5m, none: any }}]"));
    assert_eq!(any, [format!("forbidden [0] {ASKS}")], "`any` is never empty");
    assert_eq!(with("[confirmed]"), ["unexpected 3m confirmed id=1 at_host=mln2"]);
}

/// A stretch and a moment want the one event that is there: whichever is listed first, the moment gets what it can.
#[test]
fn the_order_of_expectations_does_not_matter() {
    let twice = |first: &str, second: &str| {
        differences(&format!(
            "start: 2009-05-06T10:00 Europe/Oslo\nreadings: {{ load: 9, slow: 0 }}\nfor: 4m\nexpect:\n  - {first}\n  - {second}"
        ))
    };
    let (wide, narrow) = ("{ at: 0s..4m, event: request }", "{ at: 1m, event: request, to: mln2 }");
    assert_eq!(twice(wide, narrow), Vec::<String>::new());
    assert_eq!(twice(narrow, wide), Vec::<String>::new());
    assert_eq!(twice(narrow, narrow).len(), 2, "one is missing, the other one was not expected");
}

#[test]
fn a_test_lasts_as_long_as_it_names_times() {
    let (_, report) = crate::support::report(&format!("{BUSY}expect: [{{ at: 3m, event: request }}]"));
    assert!(report.passed());
    let (case, _) = crate::support::report("readings: { load: 3 }\nexpect: [{ at: 7m, none: any }]");
    assert_eq!(case.lasts.to_string(), "7m");
}
