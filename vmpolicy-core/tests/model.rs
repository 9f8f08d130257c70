//! The engine against the reference model, on random policies and lives.
#![cfg(feature = "testkit")]

use proptest::prelude::*;
use std::sync::Arc;
use vmpolicy_core::testkit::drive::{Guest, compare};
use vmpolicy_core::testkit::generate::{Source, World, bytes};
use vmpolicy_core::testkit::model::Model;

fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(cases);
    ProptestConfig { cases, max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() }
}

fn world(policy: &[u8]) -> World {
    World::new(&mut Source::new(policy))
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn the_engine_does_what_the_model_does((policy, life) in bytes(150)) {
        let world = world(&policy);
        let mut guest = Guest::new(Arc::clone(world.policy()), world.setup());
        let mut model = Model::new(Arc::clone(world.policy()), world.setup());
        if let Err(difference) = compare(world, &life, &mut guest, &mut model) {
            return Err(TestCaseError::fail(difference.to_string()));
        }
    }
}
