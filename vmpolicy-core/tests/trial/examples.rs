//! The example test files pass, and between them every rule of their policies acts.

#![expect(clippy::disallowed_methods, reason = "the examples are files")]

use crate::support::told;
use std::path::{Path, PathBuf};
use vmpolicy_core::file::trial::load_trials;
use vmpolicy_core::testkit::sketch::EuropeanZones;
use vmpolicy_core::trial::run;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/tests")
}

#[test]
fn all_pass_and_no_rule_is_left_out() {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder()).expect("the folder of tests") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read(&path).expect("a file");
        let mut read = |name: &str| std::fs::read(folder().join(name)).map_err(|error| error.to_string());
        let trials = load_trials(&text, &EuropeanZones, &mut read)
            .unwrap_or_else(|_| panic!("{}\n{}", path.display(), told(&text)));
        let mut acted = std::collections::BTreeSet::new();
        for case in &trials.cases {
            let report = run(&trials.policy, case).expect("sound");
            assert!(report.passed(), "{}: {}: {:?}", path.display(), case.name, report.differences);
            acted.extend(report.acted);
        }
        let rules: Vec<_> = trials.policy.rules().rows().iter().map(|rule| rule.name.clone()).collect();
        assert!(rules.iter().all(|rule| acted.contains(rule)), "{}: {acted:?}", path.display());
        seen += 1;
    }
    assert!(seen >= 4, "only {seen} files");
}
