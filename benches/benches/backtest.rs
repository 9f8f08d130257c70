//! Backtests from memory, and the reading of recordings.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use std::fmt::Write as _;
use std::sync::Arc;
use vmpolicy_benches::policies::{EVERY, base_aware};
use vmpolicy_benches::readings::{PERIOD, calm, erratic};
use vmpolicy_core::backtest::{Options, Row, Trace, run};
use vmpolicy_core::id::{Id, IndicatorId};
use vmpolicy_core::leaf::sample::Read;
use vmpolicy_core::time::{Mono, Wall};
use vmpolicy_daemon::trace::{Pick, read};

const SAMPLES: usize = 1_000_000;

fn main() {
    divan::main();
}

fn rows(readings: &[f64]) -> impl Iterator<Item = Row> {
    (0..SAMPLES).map(|index| {
        let gone = Mono::default().plus(EVERY.times(index as u64));
        Row { at: Wall(1_241_613_860_000 + gone.0), value: Ok(readings[index % PERIOD]) }
    })
}

fn backtest(bencher: Bencher<'_, '_>, readings: &[f64]) {
    let policy = Arc::new(base_aware(Read::Gauge));
    let trace = Trace::new(rows(readings)).expect("the rows are in order");
    let options = Options::new(&policy, IndicatorId::from_index(0));
    bencher
        .counter(ItemsCount::new(SAMPLES))
        .bench_local(|| run(&policy, black_box(&trace), &options, &mut ()).expect("there are rows"));
}

#[divan::bench(sample_count = 20)]
fn million_calm(bencher: Bencher<'_, '_>) {
    backtest(bencher, &calm());
}

#[divan::bench(sample_count = 20)]
fn million_erratic(bencher: Bencher<'_, '_>) {
    backtest(bencher, &erratic());
}

fn csv() -> String {
    let mut text = String::from("timestamp,value\n");
    for row in rows(&calm()) {
        let value = row.value.unwrap_or(f64::NAN);
        writeln!(text, "{},{value}", row.at).expect("a string takes everything");
    }
    text
}

/// CSV to a trace in memory.
#[divan::bench(sample_count = 20)]
fn csv_million_rows(bencher: Bencher<'_, '_>) {
    let text = csv();
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| read(black_box(text.as_bytes()), Pick::All).expect("the text is a trace"));
}

/// What the parsing is held against: the same bytes copied in blocks and their line ends counted.
#[divan::bench(sample_count = 20)]
fn csv_bytes_counted(bencher: Bencher<'_, '_>) {
    let text = csv();
    let mut block = vec![0; 1 << 16];
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        let mut lines = 0;
        for part in black_box(text.as_bytes()).chunks(block.len()) {
            let block = &mut block[..part.len()];
            block.copy_from_slice(part);
            lines += block.iter().filter(|&&byte| byte == b'\n').count();
        }
        lines
    });
}
