//! Policies, zones and studies for the tests.

use vmpolicy_core::file::expect::load_expectations;
use vmpolicy_core::file::{Loaded, load};
use vmpolicy_core::leaf::window::Zone;
use vmpolicy_core::policy::Zones;
use vmpolicy_core::verify::{Counts, Scope, Shrunk, Study, Tried};

/// UTC, and the Oslo of 2026 and 2027.
pub(crate) struct TestZones;

impl Zones for TestZones {
    fn zone(&self, name: &str) -> Option<Zone> {
        let transitions =
            [(1_774_746_000, 7_200), (1_792_890_000, 3_600), (1_806_195_600, 7_200), (1_824_944_400, 3_600)];
        match name {
            "UTC" => Some(Zone::utc()),
            "Europe/Oslo" => Some(Zone::new(name, 3_600, transitions.to_vec()).expect("it ascends")),
            _ => None,
        }
    }
}

/// A policy from its text.
pub(crate) fn policy(text: &str) -> Loaded {
    load(text.as_bytes(), &TestZones).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// A policy of the examples.
#[expect(clippy::disallowed_methods, reason = "the examples are files")]
pub(crate) fn example(name: &str) -> Loaded {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/");
    let text = std::fs::read_to_string(format!("{path}{name}.yaml")).expect("an example");
    policy(&text)
}

/// A study of a policy with these expectations, one a line.
pub(crate) fn study(loaded: &Loaded, expect: &[&str], seed: u64, scope: Scope) -> Study {
    let mut text = "version: 1\nexpect:\n".to_owned();
    expect.iter().for_each(|line| text += &format!("  - {line}\n"));
    let expectations = match expect {
        [] => Vec::new(),
        _ => load_expectations(text.as_bytes(), &loaded.policy).unwrap_or_else(|found| panic!("{found:#?}")),
    };
    Study::new(loaded, expectations, seed, scope)
}

/// What so many worlds came to, and the first that breaks something.
pub(crate) fn tried(study: &Study, worlds: u64) -> (Counts, Option<(u64, Tried)>) {
    let mut all = Counts::new(study.expectations().len());
    let mut first = None;
    for index in 0..worlds {
        let tried = study.try_world(index);
        all.add(&tried.counts);
        if tried.broken.is_some() && first.is_none() {
            first = Some((index, tried));
        }
    }
    (all, first)
}

/// The worlds keep everything.
pub(crate) fn holds(study: &Study, worlds: u64) -> Counts {
    let (counts, first) = tried(study, worlds);
    if let Some((index, tried)) = first {
        panic!("world {index}: {:?}\n{}", tried.broken, told(&small(study, index)));
    }
    counts
}

/// The first of the worlds that breaks something, made small.
pub(crate) fn found(study: &Study, worlds: u64) -> Shrunk {
    let (_, first) = tried(study, worlds);
    let (index, _) = first.unwrap_or_else(|| panic!("nothing is broken in {worlds} worlds"));
    small(study, index)
}

fn small(study: &Study, index: u64) -> Shrunk {
    study.shrink(&study.world(index)).expect("it is broken")
}

/// As text: what is broken, the world, and what led there.
pub(crate) fn told(shrunk: &Shrunk) -> String {
    let broken = &shrunk.broken;
    let story = shrunk.story.join("\n");
    format!(
        "{} at {}: {}\n\n{}\n{story}\n\n{} runs\n",
        broken.guest,
        broken.at,
        broken.says,
        shrunk.file.to_yaml(),
        shrunk.runs
    )
}
