//! That what is written about test files is true; their outputs are compared where the command is.

use crate::support::told;

const ERRORS: &str = include_str!("../../../docs/errors.md");

/// The YAML of a section.
fn snippets(section: &str) -> impl Iterator<Item = &str> {
    section.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("\n```").map(|(body, _)| body))
}

/// A snippet leaves out what is in order.
fn completed(snippet: &str) -> String {
    let mut text = format!("version: 1\n{snippet}\n");
    if !snippet.contains("policy:") {
        text += "policy:\n  arrays: { oslo: { hosts: [mln1, mln2, mln3] } }\n  indicators: { load: { every: 60s } }\n";
        text += "  rules: [{ name: busy, when: load > 8, tarry: 3, do: move }]\n";
    }
    text
}

#[test]
fn every_example_of_an_error_gives_that_error_and_no_other() {
    let mut seen = 0;
    for section in ERRORS.split("\n### ").skip(1) {
        let code: String = section.chars().take(6).collect();
        if !code.starts_with("VT") {
            continue;
        }
        for snippet in snippets(section) {
            let told = told(completed(snippet).as_bytes());
            assert!(
                told.starts_with(&code) && told.matches("\nV").count() == 0,
                "{code}:\n{snippet}\n{told}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 13, "only {seen} examples");
}
