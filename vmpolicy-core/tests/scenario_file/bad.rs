//! Documents of what is told of scenarios that are wrong, or unwise.

use crate::shared::assert_document;
use crate::support::{Shelf, told};

const HEAD: &str = "version: 1\nlasts: 24h\n";
const OSLO: &str = "arrays: { oslo: { hosts: [mln1, mln2, mln3], base: mln6 } }\n";

fn documented(cases: &[(&str, String)]) -> String {
    let one = |(title, text): &(&str, String)| {
        format!("## {title}\n\n{}\n\n{}\n", text.trim_end(), told(text.as_bytes(), &mut Shelf::new()))
    };
    cases.iter().map(one).collect()
}

fn with_oslo(rest: &str) -> String {
    format!("{HEAD}{OSLO}{rest}")
}

#[test]
fn files_that_are_none() {
    let cases = [
        ("nothing", String::new()),
        ("a comment", "# later\n".to_owned()),
        ("a list", "- version: 1\n".to_owned()),
        ("a policy", crate::support::POLICY.to_owned()),
        ("broken off", format!("{HEAD}arrays: {{ oslo: [\n")),
        ("an anchor", with_oslo("guests: &all { a: {} }\n")),
    ];
    assert_document!(documented(&cases));
}

#[test]
fn policies_of_a_scenario() {
    let guest =
        |policy: &str| with_oslo(&format!("guests: {{ nii1: {{ service: database, policy: {policy} }} }}\n"));
    let cases = [
        (
            "one that is broken, twice",
            with_oslo(
                "guests: { a: { policy: broken.yaml }, b: { policy: broken.yaml } }\nfaults: [{ at: 1h, reload: broken.yaml, guests: a }]\n",
            ),
        ),
        ("one that is unwise", guest("unwise.yaml")),
        ("one that is not there", guest("polici.yaml")),
        ("one of other hosts", guest("others.yaml")),
        (
            "one of another array",
            format!(
                "{HEAD}arrays: {{ osla: {{ hosts: mln1 }} }}\nguests: {{ g: {{ policy: policy.yaml }} }}\n"
            ),
        ),
        (
            "one inside, with a slip",
            guest(
                "{ indicators: { slow_queries: { every: 60s } }, rules: [{ name: r, when: slow_querys > 5, do: { move-to: mln9 } }] }",
            ),
        ),
        ("one inside, of another version", guest("{ version: 2, rules: [] }")),
        ("a list", guest("[policy.yaml]")),
        (
            "one that reads what nothing feeds",
            with_oslo("guests: { nii1: { service: web, policy: policy.yaml } }\n"),
        ),
        (
            "feeds that are not there",
            with_oslo(
                "guests: { nii1: { service: web, policy: policy.yaml, feeds: { slow_querys: busy_worker } } }\n",
            ),
        ),
        ("feeds without a policy", with_oslo("guests: { nii1: { feeds: { a: cpu } } }\n")),
    ];
    assert_document!(documented(&cases));
}

#[test]
fn loads() {
    let load = |load: &str| with_oslo(&format!("guests: {{ g: {{ load: {load} }} }}\n"));
    let cases = [
        ("no kind", load("{}")),
        ("two kinds", load("{ constant: 5, steps: { 0s: 1 } }")),
        ("a kind that is none", load("{ sinus: 5 }")),
        ("settings of another kind", load("{ constant: 5, series: x, then: hold, repeat: 1h }")),
        ("a text", load("much")),
        ("nothing to add", load("{ sum: [] }")),
        ("steps that go back", load("{ steps: { 1h: 5, 0s: 1, soon: 2 } }")),
        ("steps that repeat too early", load("{ steps: { 0s: 5, 3h: 1 }, repeat: 2h }")),
        ("too few days", load("{ weekdays: [1, 2] }")),
        ("a series that is not there", load("{ trace: load.csv, series: db2 }")),
        ("a recording of what is no load", load("{ trace: below.csv }")),
        ("one that is made no load", load("{ trace: load.csv, times: 1e12 }")),
        ("a recording of nothing", load("{ trace: empty.csv }")),
        ("a folder of three, for five", with_oslo("guests: { \"g[1-5]\": { load: { planetlab: day } } }\n")),
        ("a product that is too large", load("{ product: [1e12, 1e12] }")),
    ];
    assert_document!(documented(&cases));
}

#[test]
fn faults() {
    let guests = "guests: { a: { service: database, policy: policy.yaml }, \"b[1-3]\": {} }\n";
    let fault = |fault: &str| with_oslo(&format!("{guests}faults: [{{ {fault} }}]\n"));
    let cases = [
        ("no time", fault("provider: down")),
        ("nothing", fault("at: 1h")),
        ("two things", fault("at: 1h, crash: mln1, drain: mln2")),
        ("an unknown one", fault("at: 1h, explosion: mln1")),
        ("keys of others", fault("at: 1h, lasts: 1h, clock: 1h, array: oslo, comes_true: true")),
        ("to one without a policy", fault("at: 1h, daemon: crash, guests: [a, b2]")),
        ("to nobody", fault("at: 1h, guest: pause, guests: []")),
        ("to some that are not there", fault("at: 1h, guest: pause, guests: \"b[2-9]\"")),
        ("a clock of nothing", fault("at: 1h, clock: fast")),
        ("probes that fail somehow", fault("at: 1h, probes: { fail: badly }")),
        ("after the end", fault("at: 25h, provider: down")),
        ("an absence that is none", fault("at: 1h, probes: {}")),
        ("an operator with a wish", fault("at: 1h, operator: { move: mln2 }")),
    ];
    assert_document!(documented(&cases));
}

#[test]
fn what_is_unwise() {
    let cases = [
        ("nobody there", format!("{HEAD}{OSLO}")),
        ("more than fits", with_oslo("guests: { \"a[1-3]\": { at: mln1, memory: 6GiB } }\n")),
        (
            "a policy that does not know its host",
            format!(
                "{HEAD}{}guests: {{ a: {{ at: mln4, service: database, policy: policy.yaml }} }}\n",
                OSLO.replace("mln3", "mln3, mln4")
            ),
        ),
        (
            "another base",
            format!(
                "{HEAD}{}guests: {{ a: {{ service: database, policy: policy.yaml }} }}\n",
                OSLO.replace("mln3], base: mln6", "mln3, mln6], base: mln7")
            ),
        ),
    ];
    assert_document!(documented(&cases));
}
