//! Parsing and checking policy files: every error and warning, as `vmpolicy check` does it.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use vmpolicy_core::file::load;
use vmpolicy_core::leaf::window::Zone;
use vmpolicy_core::policy::Zones;

fn main() {
    divan::main();
}

/// A zone's table is looked up by the shell; here it costs nothing.
struct Known;

impl Zones for Known {
    fn zone(&self, _: &str) -> Option<Zone> {
        Some(Zone::utc())
    }
}

fn check(bencher: Bencher<'_, '_>, text: &str) {
    bencher
        .counter(BytesCount::of_str(text))
        .bench_local(|| load(black_box(text.as_bytes()), &Known).expect("the examples are sound"));
}

#[divan::bench]
fn base_aware(bencher: Bencher<'_, '_>) {
    check(bencher, include_str!("../../docs/examples/base-aware.yaml"));
}

#[divan::bench]
fn schedule_aware(bencher: Bencher<'_, '_>) {
    check(bencher, include_str!("../../docs/examples/schedule-aware.yaml"));
}

#[divan::bench]
fn site_aware(bencher: Bencher<'_, '_>) {
    check(bencher, include_str!("../../docs/examples/site-aware.yaml"));
}

#[divan::bench]
fn many_indicators(bencher: Bencher<'_, '_>) {
    check(bencher, include_str!("../../docs/examples/many-indicators.yaml"));
}
