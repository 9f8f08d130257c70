//! The fuzz targets' own functions, on bytes that proptest makes, and on every crash that was ever found.
#![cfg(all(feature = "testkit", feature = "file", feature = "sim", feature = "trial"))]

use proptest::prelude::*;
use vmpolicy_core::testkit::fuzz;

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn steps_agree_with_the_model(bytes in bytes(600)) {
        fuzz::steps(&bytes);
    }

    #[test]
    fn a_damaged_state_is_refused_or_goes_on(bytes in bytes(600)) {
        fuzz::saved_state(&bytes);
    }

    #[test]
    fn any_bytes_are_a_policy_or_have_problems(bytes in bytes(300)) {
        fuzz::policy_file(&bytes);
    }

    #[test]
    fn any_bytes_are_a_scenario_or_have_problems(bytes in bytes(300)) {
        fuzz::scenario_file(&bytes);
    }

    #[test]
    fn any_bytes_are_tests_or_have_problems(bytes in bytes(300)) {
        fuzz::test_file(&bytes);
    }

    #[test]
    fn any_bytes_are_expectations_or_have_problems(bytes in bytes(300)) {
        fuzz::expectation_file(&bytes);
    }
}

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 6] = [
    ("steps", fuzz::steps),
    ("saved_state", fuzz::saved_state),
    ("policy_file", fuzz::policy_file),
    ("scenario_file", fuzz::scenario_file),
    ("test_file", fuzz::test_file),
    ("expectation_file", fuzz::expectation_file),
];

/// Runs each file of a folder of this package; how many there are.
#[expect(clippy::disallowed_methods, reason = "a test reads its own samples")]
fn run_all(folder: &str, run: fn(&[u8])) -> usize {
    let Ok(samples) = std::fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))) else { return 0 };
    let files = samples.map(|sample| sample.expect("a readable folder").path()).filter(|path| path.is_file());
    files.map(|path| run(&std::fs::read(path).expect("a readable sample"))).count()
}

/// Each file under `tests/crashes/TARGET/` once broke a promise.
#[test]
fn what_once_crashed_does_not_again() {
    for (target, run) in TARGETS {
        run_all(&format!("tests/crashes/{target}"), run);
    }
}

/// What the examples say reaches beyond the readers: with these the fuzzer begins.
#[test]
fn every_example_keeps_what_the_targets_promise() {
    let examples: [Target; 4] = [
        ("../docs/examples", fuzz::policy_file),
        ("../docs/examples/scenarios", fuzz::scenario_file),
        ("../docs/examples/tests", fuzz::test_file),
        ("../docs/examples/verify", fuzz::expectation_file),
    ];
    for (folder, run) in examples {
        assert!(run_all(folder, run) > 0, "{folder} has no example");
    }
}
