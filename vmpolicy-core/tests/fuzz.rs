//! The fuzz targets' own functions, on bytes that proptest makes, and on every crash that was ever found.
#![cfg(all(feature = "testkit", feature = "file"))]

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
}

/// Each file under `tests/crashes/TARGET/` once broke a promise.
#[test]
fn what_once_crashed_does_not_again() {
    for target in ["steps", "saved_state", "policy_file"] {
        let run = match target {
            "steps" => fuzz::steps,
            "saved_state" => fuzz::saved_state,
            _ => fuzz::policy_file,
        };
        let folder = format!("{}/tests/crashes/{target}", env!("CARGO_MANIFEST_DIR"));
        #[expect(clippy::disallowed_methods, reason = "a test reads its own samples")]
        let Ok(samples) = std::fs::read_dir(folder) else { continue };
        for sample in samples {
            let path = sample.expect("a readable folder").path();
            #[expect(clippy::disallowed_methods, reason = "a test reads its own samples")]
            run(&std::fs::read(&path).expect("a readable sample"));
        }
    }
}
