//! No bytes are too much for the reader. The fuzz target calls the same function.

use crate::support::TwoZones;
use proptest::prelude::*;
use vmpolicy_core::file::{Problem, load};

const EXAMPLES: [&str; 3] = [
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
    for problem in problems {
        for place in problem.place.iter().chain(problem.labels.iter().map(|label| &label.place)) {
            assert!(place.start <= place.end && place.end as usize <= text.len(), "{problem:?}");
        }
    }
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
    fn an_example_with_slips(
        which in 0..EXAMPLES.len(),
        slips in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "[a-z0-9:,{}\\[\\]'\" \n-]{0,3}"), 1..5),
    ) {
        let mut text: Vec<u8> = EXAMPLES[which].as_bytes().to_vec();
        for (at, removed, added) in slips {
            let at = at.index(text.len().max(1)).min(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, added.into_bytes());
        }
        holds(&text);
    }
}
