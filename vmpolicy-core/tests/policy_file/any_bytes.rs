//! No bytes are too much for the reader. The fuzz target calls the same function.

use crate::shared::TwoZones;
use crate::shared::problems::{are_in, with_slips};
use proptest::prelude::*;
use vmpolicy_core::file::{Problem, load};

static EXAMPLES: [&str; 3] = [
    include_str!("../../../docs/examples/schedule-aware.yaml"),
    include_str!("../../../docs/examples/many-indicators.yaml"),
    include_str!("../../../docs/examples/cron-window.yaml"),
];

/// Whatever comes: a policy, or at least one problem; and every place is in the text.
fn holds(text: &[u8]) {
    let problems = match load(text, &TwoZones) {
        Ok(loaded) => loaded.warnings.into_iter().map(Problem::from).collect(),
        Err(problems) => {
            assert!(!problems.is_empty(), "no policy, and no reason");
            problems
        }
    };
    are_in(text, &problems);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(text in prop::collection::vec(any::<u8>(), 0..300)) {
        holds(&text);
    }

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        holds(text.as_bytes());
    }

    #[test]
    fn what_looks_like_yaml(text in "(version: 1|arrays|hosts|[a-c]|[\\[\\]{},:&*!|>#'\"-]|\n|  ){0,60}") {
        holds(text.as_bytes());
    }

    #[test]
    fn an_example_with_slips(text in with_slips(&EXAMPLES)) {
        holds(&text);
    }
}
