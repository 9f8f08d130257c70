//! The policies of the thesis in random worlds: the engine keeps all of its invariants there.

use crate::support::{example, holds, study};
use vmpolicy_core::verify::{Counts, Doing, FAULTS, Scope};

const WORLDS: u64 = 150;

fn keeps_everything(name: &str) -> Counts {
    let study = study(&example(name), &[], 1, Scope::default());
    let counts = holds(&study, WORLDS);
    assert!(counts.requests > 0 && counts.moves > 0, "{name} never moves: {counts:?}");
    counts
}

#[test]
fn nothing_that_must_never_happen_does() {
    let mut all = Counts::new(0);
    for name in ["threshold-aware", "base-aware", "schedule-aware", "site-aware"] {
        all.add(&keeps_everything(name));
    }
    // Every kind of fault comes, and comes whatever guests are doing.
    for (kind, name) in FAULTS.iter().enumerate() {
        assert!(all.faults[kind] > 0, "no {name} in {} worlds", all.worlds);
        for doing in Doing::ALL {
            assert!(all.met[kind][doing as usize] > 0, "no {name} while {}", doing.name());
        }
    }
}

#[test]
fn policies_of_other_kinds_keep_it_too() {
    keeps_everything("many-indicators");
    keeps_everything("cron-window");
}
