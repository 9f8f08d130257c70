//! Steps of the engine, one by one and a million at a time.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use vmpolicy_benches::guest::{Guest, Herd};
use vmpolicy_benches::policies::{base_aware, ten_rules};
use vmpolicy_benches::readings::{PERIOD, calm, erratic};
use vmpolicy_benches::scalar::Scalar;
use vmpolicy_core::leaf::sample::Read;

fn main() {
    divan::main();
}

/// A full turn of the readings, so that a sample is long against the timer: divide by the items.
fn steps(bencher: Bencher<'_, '_>, mut guest: Guest, mut poll: impl FnMut(&mut Guest)) {
    bencher.counter(ItemsCount::new(PERIOD)).bench_local(|| {
        for _ in 0..PERIOD {
            poll(&mut guest);
            let _ = black_box(guest.out());
        }
    });
}

/// Threshold and counter in locals.
#[divan::bench]
fn scalar_loop(bencher: Bencher<'_, '_>) {
    let (readings, mut scalar) = (calm(), Scalar::default());
    bencher.counter(ItemsCount::new(PERIOD)).bench_local(|| {
        for &reading in &readings {
            black_box(scalar.decide(black_box(reading)));
        }
    });
}

#[divan::bench]
fn base_aware_gauge(bencher: Bencher<'_, '_>) {
    steps(bencher, Guest::new(base_aware(Read::Gauge), calm()), Guest::poll);
}

#[divan::bench]
fn base_aware_gauge_erratic(bencher: Bencher<'_, '_>) {
    steps(bencher, Guest::new(base_aware(Read::Gauge), erratic()), Guest::poll);
}

#[divan::bench]
fn base_aware_gauge_tick_first(bencher: Bencher<'_, '_>) {
    steps(bencher, Guest::new(base_aware(Read::Gauge), calm()), Guest::tick_and_poll);
}

#[divan::bench]
fn base_aware_rate(bencher: Bencher<'_, '_>) {
    steps(bencher, Guest::new(base_aware(Read::Rate), calm()), Guest::poll_rate);
}

/// An item is a round: a tick and five readings.
#[divan::bench]
fn ten_rules_five_indicators(bencher: Bencher<'_, '_>) {
    steps(bencher, Guest::new(ten_rules(), calm()), Guest::poll_five);
}

/// Each guest takes one reading, then the next guest: what costs here is memory.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn million_guests(bencher: Bencher<'_, '_>) {
    let guests = 1_000_000;
    let mut herd = Herd::new(base_aware(Read::Gauge), guests);
    bencher.counter(ItemsCount::new(guests)).bench_local(|| herd.round());
}
