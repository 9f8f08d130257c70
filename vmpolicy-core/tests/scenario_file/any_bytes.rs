//! No bytes are too much for the reader.

use crate::shared::TwoZones;
use crate::shared::problems::{are_in, with_slips};
use crate::support::{Disk, Shelf, loaded};
use proptest::prelude::*;
use vmpolicy_core::file::scenario::{Files, load};

static EXAMPLES: [&str; 4] = [
    include_str!("../../../docs/examples/scenarios/nii4.yaml"),
    include_str!("../../../docs/examples/scenarios/maintenance.yaml"),
    include_str!("../../../docs/examples/scenarios/outage.yaml"),
    include_str!("../../../docs/examples/scenarios/neighbour.yaml"),
];

/// Whatever comes: a scenario, or at least one problem; and every place is in the text.
fn holds(text: &[u8], files: &mut dyn Files) {
    let problems = match load(text, &TwoZones, files) {
        Ok(built) => built.warnings,
        Err(faulty) => {
            assert!(!faulty.problems.is_empty() || !faulty.policies.is_empty(), "no scenario, and no reason");
            faulty.problems
        }
    };
    are_in(text, &problems);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(text in prop::collection::vec(any::<u8>(), 0..300)) {
        holds(&text, &mut Shelf::new());
    }

    #[test]
    fn what_looks_like_a_scenario(
        text in "(version: 1|arrays|guests|faults|lasts: 1h|load|policy|at|sum|[a-c]|[\\[\\]{},:&*!|>#'\"-]|[0-9]|\n|  ){0,60}"
    ) {
        holds(text.as_bytes(), &mut Shelf::new());
    }

    #[test]
    fn an_example_with_slips(text in with_slips(&EXAMPLES)) {
        holds(&text, &mut Disk::examples());
    }
}

#[test]
fn loads_in_loads_end_somewhere() {
    let deep = |depth: usize| format!("{}1{}", "{ sum: [".repeat(depth), "] }".repeat(depth));
    for depth in [8, 9, 10, 11, 12, 25] {
        let text = format!(
            "version: 1\nlasts: 1h\narrays: {{ a: {{ hosts: h }} }}\nguests: {{ g: {{ load: {} }} }}\n",
            deep(depth)
        );
        let problems = loaded(&text).err().map_or(0, |faulty| faulty.problems.len());
        assert_eq!(problems, usize::from(depth > 8), "{depth}");
    }
}
