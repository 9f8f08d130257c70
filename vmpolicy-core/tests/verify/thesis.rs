//! The policies of the thesis in random worlds: the engine keeps all of its invariants there.

use crate::support::{example, holds, study};
use vmpolicy_core::file::expect::load_expectations;
use vmpolicy_core::verify::{Counts, Doing, FAULTS, Scope, Study};

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

/// The example of an expectation file, and those of the page about them.
#[test]
#[expect(clippy::disallowed_methods, reason = "the examples are files")]
fn the_example_is_kept_and_tests_something() {
    let loaded = example("schedule-aware");
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/");
    let read = |name: &str| std::fs::read_to_string(format!("{docs}{name}")).expect("it is there");
    let expectations =
        load_expectations(read("examples/verify/schedule-aware.yaml").as_bytes(), &loaded.policy);
    let study = Study::new(&loaded, expectations.expect("it is sound"), 1, Scope::default());
    let counts = holds(&study, WORLDS);
    assert!(counts.judged.iter().all(|judged| *judged > 0), "{counts:?}");

    let page = read("verify.md");
    let snippets = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("\n```"));
    let all: Vec<&str> = snippets.map(|(snippet, _)| snippet).collect();
    assert_eq!(all.len(), 1);
    load_expectations(all[0].as_bytes(), &loaded.policy).expect("it is sound");
}
