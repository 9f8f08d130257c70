//! Files within the limit of size that nobody writes: each is answered, in a time that a person waits for.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "time is what is tested")]

use crate::shared::TwoZones;
use std::time::{Duration, Instant};
use vmpolicy_core::file::load;

/// Generous: what this finds is work that grows with the square of the file, which takes minutes.
const MOST: Duration = Duration::from_secs(30);

const HEAD: &str = "version: 1\narrays: { a: { hosts: [h, i], base: b } }\n";

fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect()
}

fn answered(title: &str, text: &str) {
    let start = Instant::now();
    let told = load(text.as_bytes(), &TwoZones)
        .map(|loaded| loaded.warnings.len())
        .map_err(|problems| problems.len());
    let took = start.elapsed();
    assert!(took < MOST, "{title}: {} bytes, {told:?}, {took:?}", text.len());
}

#[test]
fn unknown_keys_and_names() {
    answered("unknown keys", &format!("{HEAD}{}", many(30_000, |n| format!("k{n}: 1\n"))));
    let refers = |names: &str| {
        let parts = many(10_000, |n| format!("{names}{n} > 5, "));
        format!("rules:\n  - {{ name: r, do: move, when: {{ all: [{parts}] }} }}\n")
    };
    let sound = many(10_000, |n| format!("  i{n}: {{ every: 1s }}\n"));
    answered("undefined names", &format!("{HEAD}indicators:\n{sound}{}", refers("j")));
    let broken = many(10_000, |n| format!("  i{n}: 5\n"));
    answered("names of what can't be read", &format!("{HEAD}indicators:\n{broken}{}", refers("i")));
}

#[test]
fn hosts() {
    let ring = |hosts: String| {
        format!("version: 1\narrays: {{ a: {{ hosts: [{hosts}] }} }}\nlocator: {{ assume: x }}\n")
    };
    answered("many hosts", &ring(many(60_000, |n| format!("host{n}, "))));
    answered("one host many times", &ring(many(60_000, |_| "hhhh, ".to_owned())));
}

#[test]
fn conditions_and_windows() {
    let action = |n: usize| if n.is_multiple_of(2) { "move" } else { "move-to-base" };
    let rules = |when: &dyn Fn(usize) -> String| {
        many(64, |n| format!("  - {{ name: r{n}, do: {}, tarry: 99, when: {} }}\n", action(n), when(n)))
    };
    let indicators = many(64, |n| format!("i{n}: {{ every: 1s }}, "));
    let head = format!("{HEAD}indicators: {{ {indicators} }}\nrules:\n");
    let product = |n: usize| {
        let above = many(5, |m| format!("i{} > {n}, ", (m * 7 + n) % 64));
        let below = many(6, |m| format!("i{} < {m}, ", (m * 5 + n) % 64));
        format!("{{ all: [{{ any: [{above}] }}, {{ any: [{below}] }}] }}")
    };
    answered("products of conditions", &format!("{head}{}", rules(&product)));
    let apart = |n: usize| {
        let parts = many(30, |m| format!("{{ all: [i1 > {}, i1 < {}] }}, ", m * 100 + n, m * 100 + n + 1));
        format!("{{ any: [{parts}] }}")
    };
    answered("conditions that never meet", &format!("{head}{}", rules(&apart)));
    let windows =
        many(64, |n| format!("  w{n}: {{ open: '*/2 * * * *', close: '1-59/2 * * * *', zone: UTC }}\n"));
    answered(
        "windows with many edges",
        &format!("{HEAD}windows:\n{windows}rules:\n{}", rules(&|n| format!("inside w{n}"))),
    );
}
