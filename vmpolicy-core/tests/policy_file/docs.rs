//! That what is written about the policy file is true.

use crate::shared::page::blocks;
use crate::support::told;
use std::collections::BTreeSet;

const REFERENCE: &str = include_str!("../../../docs/policy-file.md");
/// Pages that show sections of the file, too.
const PAGES: [(&str, &str); 3] = [
    ("actuators.md", include_str!("../../../docs/actuators.md")),
    ("hooks.md", include_str!("../../../docs/hooks.md")),
    ("locators.md", include_str!("../../../docs/locators.md")),
];
const ERRORS: &str = include_str!("../../../docs/errors.md");

/// A snippet is a whole file, or some of its sections: what it leaves out is put to it.
fn completed(snippet: &str) -> String {
    let has = |key: &str| snippet.lines().any(|line| line.starts_with(&format!("{key}:")));
    let mut text = snippet.to_owned();
    for (key, default) in [
        ("version", "version: 1\n"),
        ("arrays", "arrays: { oslo: { hosts: [mln1, mln2, mln3], base: mln6 } }\n"),
    ] {
        if !has(key) {
            text += default;
        }
    }
    text
}

#[test]
fn every_snippet_of_the_reference_is_sound() {
    let count = blocks(REFERENCE).len();
    assert!(count >= 10, "only {count} snippets");
    for (page, text) in [("policy-file.md", REFERENCE)].into_iter().chain(PAGES) {
        let snippets = blocks(text);
        assert!(!snippets.is_empty(), "docs/{page} has no snippet");
        for (line, snippet) in snippets {
            let told = told(completed(snippet).as_bytes());
            // A snippet shows one thing: that nothing reads it yet, or that there is no rule, is no fault.
            let faults: Vec<&str> = told.split("VP").skip(1).collect();
            assert!(faults.is_empty(), "docs/{page}:{line}:\n{told}");
            assert!(!told.contains("VW0005") && !told.contains("VW0003"), "docs/{page}:{line}:\n{told}");
        }
    }
}

/// Every code that the sources can give.
fn codes() -> BTreeSet<String> {
    let sources = [
        include_str!("../../src/policy/error.rs"),
        include_str!("../../src/policy/lint/mod.rs"),
        include_str!("../../src/file/problem.rs"),
        include_str!("../../src/file/trial/problem.rs"),
        include_str!("../../src/file/scenario/error.rs"),
        include_str!("../../src/file/expect/problem.rs"),
    ];
    let quoted = |source: &str| -> Vec<String> {
        let pieces = source.split("=> \"V").skip(1);
        pieces.map(|piece| format!("V{}", piece.split('"').next().unwrap_or(""))).collect()
    };
    sources.iter().flat_map(|source| quoted(source)).collect()
}

#[test]
fn every_code_is_explained_once_and_no_other() {
    let headings: Vec<String> = ERRORS
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(|line| line.chars().take(6).collect())
        .collect();
    let explained: BTreeSet<String> = headings.iter().cloned().collect();
    assert_eq!(explained.len(), headings.len(), "a code is explained twice");
    assert_eq!(explained, codes());
}

#[test]
fn every_example_of_an_error_gives_that_error() {
    // Those of scenarios, tests and expectations are tried with the readers of such files.
    let of_policies = |section: &&str| !["VS", "VT", "VE"].iter().any(|family| section.starts_with(family));
    for section in ERRORS.split("\n### ").skip(1).filter(of_policies) {
        let code: String = section.chars().take(6).collect();
        for (_, snippet) in blocks(section) {
            let told = told(completed(snippet).as_bytes());
            assert!(told.contains(&code), "{code}:\n{snippet}\n{told}");
        }
    }
}
