//! That what is written about the scenario file is true.

use crate::shared::page::blocks;
use crate::support::{Shelf, told};

const REFERENCE: &str = include_str!("../../../docs/scenario-file.md");
const ERRORS: &str = include_str!("../../../docs/errors.md");

/// A snippet is a whole file, or some of its sections: what it leaves out is put to it.
fn completed(snippet: &str) -> String {
    let has = |key: &str| snippet.lines().any(|line| line.starts_with(&format!("{key}:")));
    let mut text = snippet.to_owned();
    for (key, default) in [
        ("version", "version: 1\n"),
        ("lasts", "lasts: 24h\n"),
        ("arrays", "arrays: { oslo: { hosts: [mln1, mln2, mln3], base: mln6 } }\n"),
        (
            "guests",
            "guests: { nii1: { service: database, load: 5, policy: policy.yaml }, \"tenant[1-3]\": {} }\n",
        ),
    ] {
        if !has(key) {
            text += default;
        }
    }
    text
}

#[test]
fn every_snippet_of_the_reference_is_sound() {
    let snippets = blocks(REFERENCE);
    assert!(snippets.len() >= 8, "only {} snippets", snippets.len());
    for (line, snippet) in snippets {
        let told = told(completed(snippet).as_bytes(), &mut Shelf::new());
        assert_eq!(told, "", "docs/scenario-file.md:{line}");
    }
}

#[test]
fn every_example_of_an_error_gives_that_error() {
    let mut seen = 0;
    for section in ERRORS.split("\n### ").skip(1).filter(|section| section.starts_with("VS")) {
        let code: String = section.chars().take(6).collect();
        for (_, snippet) in blocks(section) {
            let told = told(completed(snippet).as_bytes(), &mut Shelf::new());
            assert!(told.contains(&code), "{code}:\n{snippet}\n{told}");
            seen += 1;
        }
    }
    assert!(seen >= 20, "only {seen} examples");
}
