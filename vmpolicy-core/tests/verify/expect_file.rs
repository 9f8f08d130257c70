//! Expectation files: what is read, and what is said of those that can't be.

use crate::support::{example, policy};
use vmpolicy_core::file::expect::load_expectations;
use vmpolicy_core::file::line_col;

/// Every problem, as a reader would see it.
fn told_of(text: &str, name: &str) -> String {
    let loaded = example(name);
    told(text, &loaded.policy)
}

fn told(text: &str, policy: &vmpolicy_core::Policy) -> String {
    let problems = load_expectations(text.as_bytes(), policy).err().unwrap_or_default();
    let mut told = String::new();
    for problem in &problems {
        told += &format!("{}: {}\n", problem.code, problem.message);
        if let Some(place) = problem.place {
            let (line, column) = line_col(text, place.start);
            told +=
                &format!("  {line}:{column} {}\n", text.lines().nth(line as usize - 1).unwrap_or("").trim());
        }
        if !problem.path.is_empty() {
            told += &format!("  at {}\n", problem.path);
        }
        if let Some(hint) = &problem.hint {
            told += &format!("  hint: {hint}\n");
        }
    }
    told
}

#[test]
fn every_expectation_is_read() {
    let loaded = example("schedule-aware");
    let text = "
version: 1
expect:
  - moves: { at_most: 6, per: 1h }
  - { requests: { at_most: 12, per: 90m }, name: not a nuisance }
  - never_at_base: { inside: working_hours, for: 20m }
  - never_at_base: { inside: working_hours }
  - rests_at_base: { outside: working_hours, within: 1h }
  - leaves_draining: { within: 10m }
  - breach_ends: { within: 30m }
  - breach_ends: { within: 30m, rule: overloaded }
  - cost: { at_most: 2.5 }
  - never_on: mln3
  - never_on: [mln3, mln4]
";
    let read =
        load_expectations(text.as_bytes(), &loaded.policy).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
    let lines: Vec<String> =
        read.iter().map(|read| format!("{} | {}", read.name, read.claim.shown(&loaded.policy))).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// Held against NaN or infinity everything is kept, and nothing is ever on one of no hosts.
#[test]
fn what_could_never_be_broken_is_no_expectation() {
    for (item, code) in [
        ("cost: { at_most: .nan }", "VE0009"),
        ("cost: { at_most: .inf }", "VE0009"),
        ("never_on: []", "VE0010"),
        ("{ name: ' ', never_on: mln1 }", "VE0011"),
    ] {
        let told = told_of(&format!("version: 1\nexpect:\n  - {item}\n"), "schedule-aware");
        assert!(told.starts_with(code) && told.matches("\nV").count() == 0, "{item}:\n{told}");
    }
}

/// What is wrong in an item was once read as the example in the hint, and then as that of another item.
#[test]
fn what_is_wrong_in_two_items_is_not_said_to_be_the_same() {
    let told = told_of(
        "version: 1\nexpect:\n  - moves: { atmost: 6, per: 1h }\n  - mvoes: { at_most: 6, per: 1h }\n",
        "schedule-aware",
    );
    assert_eq!(told.lines().filter(|line| line.starts_with('V')).count(), 2, "{told}");
    assert!(!told.contains("VE0004"), "{told}");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let parts = [
        ("nothing", told_of("", "schedule-aware")),
        ("a policy instead", told_of("version: 1\narrays: {}\nrules: []\n", "schedule-aware")),
        ("nothing expected", told_of("version: 1\nexpect: []\n", "schedule-aware")),
        (
            "items",
            told_of(
                "version: 1
expect:
  - {}
  - { name: a }
  - { mvoes: { at_most: 6, per: 1h } }
  - { moves: { at_most: 6, per: 1h }, requests: { at_most: 6, per: 1h } }
  - { moves: { at_most: many, per: 0s } }
  - { moves: { at_most: 3 } }
  - { cost: { at_most: -1 } }
  - { never_on: [mln9, 1] }
  - { never_at_base: { inside: workign_hours } }
  - { breach_ends: { within: 30, rule: overlaoded } }
  - { leaves_draining: { within: 10m } }
  - { leaves_draining: { within: 10m } }
",
                "schedule-aware",
            ),
        ),
        (
            "what could never have anything to judge",
            told(
                "version: 1
expect:
  - cost: { at_most: 1 }
  - rests_at_base: { outside: night, within: 1h }
  - breach_ends: { within: 1h }
",
                &policy("version: 1\narrays: { oslo: { hosts: [a, b] } }\n").policy,
            ),
        ),
    ];
    let text: String = parts.iter().map(|(title, told)| format!("## {title}\n\n{told}\n")).collect();
    insta::assert_snapshot!(text);
}

const ERRORS: &str = include_str!("../../../docs/errors.md");

/// The YAML of a section.
fn snippets(section: &str) -> impl Iterator<Item = &str> {
    section.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("\n```").map(|(body, _)| body))
}

#[test]
fn every_example_of_an_error_gives_that_error_and_no_other() {
    let mut seen = 0;
    for section in ERRORS.split("\n### ").skip(1) {
        let code: String = section.chars().take(6).collect();
        if !code.starts_with("VE") {
            continue;
        }
        for snippet in snippets(section) {
            // An example may bring a policy of its own, on its first line.
            let (own, rest) = match snippet.strip_prefix("policy: ") {
                Some(rest) => rest.split_once('\n').map_or((None, rest), |(own, rest)| (Some(own), rest)),
                None => (None, snippet),
            };
            let loaded = match own {
                Some(own) => policy(&format!("{{ version: 1, {}\n", own.trim_start_matches('{'))),
                None => example("schedule-aware"),
            };
            let told = told(&format!("version: 1\n{rest}\n"), &loaded.policy);
            assert!(
                told.starts_with(&code) && told.matches("\nV").count() == 0,
                "{code}:\n{snippet}\n{told}"
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 11);
}
