//! What every load must be.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::leaf::window::{Civil, Zone};

/// Oslo, 2026: summer time from 29 March to 25 October.
fn oslo() -> Arc<Zone> {
    let transitions = vec![(1_774_746_000, 7_200), (1_792_890_000, 3_600)];
    Arc::new(Zone::new("Europe/Oslo", 3_600, transitions).expect("a sound table"))
}

/// 2026-03-27T00:00:00Z, a Friday.
const START: Wall = Wall::from_secs(1_774_569_600);

fn after(since: Span) -> When {
    When { since, wall: START.plus(since) }
}

fn load(spec: &LoadSpec) -> Load {
    Load::new(spec, Seed(1), 0).expect("a sound load")
}

fn wave(period: Period, peak: Span) -> LoadSpec {
    LoadSpec::Wave(Wave { low: 2.0, high: 60.0, peak, period, zone: oslo() })
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..100.0_f64]
}

fn secs(range: core::ops::Range<u64>) -> impl Strategy<Value = Span> {
    range.prop_map(Span::from_secs)
}

fn traces() -> impl Strategy<Value = Trace> {
    let then = prop::sample::select(vec![Then::Hold, Then::Repeat, Then::End]);
    let rows = prop::collection::vec((1..4_000_u64, numbers()), 1..8);
    (rows, 0..2_u64, 1..4_000_u64, then).prop_map(|(rows, first, rest, then)| {
        let mut at = 0;
        let rows: Vec<(Span, f64)> = (0_u64..)
            .zip(rows)
            .map(|(index, (gap, value))| {
                at += if index == 0 { gap * first } else { gap };
                (Span::from_secs(at), value)
            })
            .collect();
        Trace::rows(&rows, Span::from_secs(at + rest), then).expect("ascending")
    })
}

fn lone_specs() -> impl Strategy<Value = LoadSpec> {
    let periods = prop::sample::select(vec![Period::Day, Period::Week]);
    prop_oneof![
        numbers().prop_map(LoadSpec::Constant),
        (numbers(), numbers(), secs(0..86_400), periods).prop_map(|(one, other, peak, period)| {
            let (low, high) = (one.min(other), one.max(other));
            LoadSpec::Wave(Wave { low, high, peak, period, zone: oslo() })
        }),
        prop::array::uniform7(numbers())
            .prop_map(|factors| LoadSpec::Weekdays(Weekdays { factors, zone: oslo() })),
        (secs(1..9_000), secs(1..9_000), numbers())
            .prop_map(|(gap, length, height)| LoadSpec::Bursts(Bursts { gap, length, height })),
        (prop::array::uniform2(numbers()), prop::array::uniform2(secs(1..9_000)))
            .prop_map(|(rates, stays)| LoadSpec::Mmpp(Mmpp { rates, stays })),
        traces().prop_map(|trace| LoadSpec::Trace(Arc::new(trace))),
    ]
}

/// With few enough factors that no product comes near the limit.
fn specs() -> impl Strategy<Value = LoadSpec> {
    lone_specs().prop_recursive(2, 8, 2, |inner| {
        let several = prop::collection::vec(inner, 1..3);
        prop_oneof![several.clone().prop_map(LoadSpec::Sum), several.prop_map(LoadSpec::Product)]
    })
}

/// Times that never fall, some of them twice, over some days.
fn times() -> impl Strategy<Value = Vec<When>> {
    prop::collection::vec(0..20_000_000_u64, 1..40).prop_map(|gaps| {
        let mut since = 0;
        let times = gaps.into_iter().map(|gap| {
            since += if gap % 5 == 0 { 0 } else { gap };
            after(Span::from_millis(since))
        });
        times.collect()
    })
}

proptest! {
    #[test]
    fn a_load_is_a_number_and_never_negative(spec in specs(), times in times()) {
        let mut load = load(&spec);
        for when in times {
            let value = load.at(when);
            prop_assert!((0.0..=LoadSpec::MOST).contains(&value), "{value}");
        }
    }

    #[test]
    fn looking_more_often_changes_nothing(spec in specs(), times in times(), every in 1..5_usize) {
        let (mut often, mut seldom, mut again) = (load(&spec), load(&spec), load(&spec));
        for (at, when) in times.into_iter().enumerate() {
            let value = often.at(when);
            prop_assert_eq!(value.to_bits(), again.at(when).to_bits());
            if at % every == 0 {
                prop_assert_eq!(value.to_bits(), seldom.at(when).to_bits());
            }
        }
    }

    /// Whatever its index and seed: so a world may keep one for all guests of a kind.
    #[test]
    fn only_a_load_that_draws_differs_between_guests(spec in specs(), times in times(), index in 1..9_u32, seed in 2..9_u64) {
        prop_assume!(!spec.draws());
        let (mut one, mut other) = (load(&spec), Load::new(&spec, Seed(seed), index).unwrap());
        for when in times {
            prop_assert_eq!(one.at(when).to_bits(), other.at(when).to_bits());
        }
    }

    /// What a sum or product is made of draws from streams of its own, in order, so that it is the same without the others.
    #[test]
    fn sums_and_products_are_of_their_parts(parts in prop::collection::vec(lone_specs(), 1..6), times in times()) {
        let alone: Vec<Vec<f64>> = (0..parts.len()).map(|at| {
            // Constants take a stream each, too.
            let mut padded = vec![LoadSpec::Constant(0.0); at];
            padded.push(parts[at].clone());
            let mut load = load(&LoadSpec::Sum(padded));
            times.iter().map(|&when| load.at(when)).collect()
        }).collect();
        let (mut sum, mut product) = (load(&LoadSpec::Sum(parts.clone())), LoadSpec::Product(parts));
        let mut product = product.check().is_ok().then(|| load(&core::mem::replace(&mut product, LoadSpec::Constant(0.0))));
        for (at, &when) in times.iter().enumerate() {
            let values = || alone.iter().map(|values| values[at]);
            let (got, wanted) = (sum.at(when), values().sum::<f64>());
            prop_assert!((got - wanted).abs() <= 1e-12 * wanted);
            if let Some(product) = &mut product {
                let (got, wanted) = (product.at(when), values().product::<f64>());
                prop_assert!((got - wanted).abs() <= 1e-12 * wanted);
            }
        }
    }

    #[test]
    fn a_trace_is_what_a_search_through_its_rows_finds(
        rows in prop::collection::vec((1..4_000_u64, numbers()), 1..8),
        rest in 1..4_000_u64,
        then in prop::sample::select(vec![Then::Hold, Then::Repeat, Then::End]),
        times in times(),
    ) {
        let mut at = 0;
        let rows: Vec<(Span, f64)> = rows.into_iter().map(|(gap, v)| { at += gap; (Span::from_secs(at), v) }).collect();
        let lasts = Span::from_secs(at + rest);
        let trace = Trace::rows(&rows, lasts, then).expect("ascending");
        let mut player = load(&LoadSpec::Trace(Arc::new(trace)));
        for when in times {
            let since = when.since.millis();
            let into = match then {
                Then::Repeat => since % lasts.millis(),
                Then::Hold => since,
                Then::End if since >= lasts.millis() => 0,
                Then::End => since,
            };
            let row = rows.iter().rev().find(|row| row.0.millis() <= into);
            prop_assert_eq!(player.at(when), row.map_or(0.0, |row| row.1));
        }
    }

    #[test]
    fn evenly_spaced_rows_are_a_trace_with_an_interval(
        values in prop::collection::vec(numbers(), 1..9),
        every in secs(1..9_000),
        then in prop::sample::select(vec![Then::Hold, Then::Repeat, Then::End]),
        times in times(),
    ) {
        let rows: Vec<(Span, f64)> = (0..).zip(&values).map(|(at, &value)| (every.times(at), value)).collect();
        let rows = Trace::rows(&rows, every.times(rows.len() as u64), then).expect("ascending");
        let even = Trace::every(every, values, then).expect("sound");
        let mut players = [rows, even].map(|trace| load(&LoadSpec::Trace(Arc::new(trace))));
        for when in times {
            let [rows, even] = players.each_mut().map(|player| player.at(when));
            prop_assert_eq!(rows, even);
        }
    }
}

#[test]
fn a_wave_is_high_at_its_peak_low_half_a_period_later_and_comes_again() {
    for (period, peak) in [(Period::Day, Span::from_hours(14)), (Period::Week, Span::from_hours(38))] {
        let length = period.length().millis();
        // 2026-06-01T00:00 in Oslo, a Monday in summer.
        let monday = Civil::new(2026, 6, 1, 0, 0, 0).expect("a date").0 - 7_200_000;
        let mut load = load(&wave(period, peak));
        let mut at =
            |ms: u64| load.at(When { since: Span::ZERO, wall: Wall(monday).plus(Span::from_millis(ms)) });
        assert_eq!(at(peak.millis()), 60.0);
        assert_eq!(at(peak.millis() + length / 2), 2.0);
        assert_eq!(at(peak.millis() + length / 4), 31.0);
        for eighth in 0..8 {
            let ms = eighth * length / 8 + 1_234;
            assert_eq!(at(ms).to_bits(), at(ms + length).to_bits());
        }
        let mean = (0..1_000).map(|n| at(n * length / 1_000)).sum::<f64>() / 1_000.0;
        assert!((mean - 31.0).abs() < 1e-9, "{mean}");
    }
}

#[test]
fn a_wave_goes_by_the_clock_on_the_wall_when_it_is_put_forward() {
    let mut load = load(&wave(Period::Day, Span::from_hours(14)));
    let mut peak_at = |secs: i64| load.at(When { since: Span::ZERO, wall: Wall::from_secs(secs) });
    // 14:00 in Oslo on 28 March is 13:00 UTC, on 29 March it is 12:00 UTC.
    assert_eq!(peak_at(1_774_702_800), 60.0);
    assert_eq!(peak_at(1_774_785_600), 60.0);
    assert!(peak_at(1_774_789_200) < 60.0);
}

#[test]
fn weekdays_change_at_midnight_of_the_zone() {
    let factors = [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.25];
    let mut load = load(&LoadSpec::Weekdays(Weekdays { factors, zone: oslo() }));
    let mut at =
        |civil: Civil, offset_ms: i64| load.at(When { since: Span::ZERO, wall: Wall(civil.0 - offset_ms) });
    let saturday = Civil::new(2026, 3, 28, 0, 0, 0).expect("a date");
    assert_eq!(at(Civil(saturday.0 - 1), 3_600_000), 1.0);
    assert_eq!(at(saturday, 3_600_000), 0.5);
    // Sunday has 23 hours.
    assert_eq!(at(Civil(saturday.0 + 24 * 3_600_000), 3_600_000), 0.25);
    assert_eq!(at(Civil(saturday.0 + 48 * 3_600_000 - 1), 7_200_000), 0.25);
    assert_eq!(at(Civil(saturday.0 + 48 * 3_600_000), 7_200_000), 1.0);
}

/// Over 20,000 changes of state the standard error of the share of time in one of them is about 0.5 % of it.
#[test]
fn a_modulated_process_has_its_stationary_mean() {
    let mmpp = Mmpp { rates: [5.0, 50.0], stays: [Span::from_secs(300), Span::from_secs(100)] };
    assert_eq!(mmpp.mean(), 16.25);
    let mut load = load(&LoadSpec::Mmpp(mmpp));
    let looks = 2_000_000_u32;
    let mean =
        (0..looks).map(|n| load.at(after(Span::from_secs(2 * u64::from(n))))).sum::<f64>() / f64::from(looks);
    assert!((mean - 16.25).abs() < 0.3, "{mean}");
    // It begins in each state with that state's share of the time: 1,000 of them, a quarter in the second.
    let high = (0..1_000).filter(|&index| {
        let mut one = Load::new(&LoadSpec::Mmpp(mmpp), Seed(1), index).expect("sound");
        one.at(after(Span::ZERO)) == 50.0
    });
    let high = high.count();
    assert!((190..310).contains(&high), "{high}");
}

#[test]
fn bursts_begin_with_a_gap_and_take_their_share_of_the_time() {
    let bursts = Bursts { gap: Span::from_secs(90), length: Span::from_secs(10), height: 8.0 };
    let mut load = load(&LoadSpec::Bursts(bursts));
    assert_eq!(load.at(after(Span::ZERO)), 0.0);
    let looks = 1_000_000_u32;
    let mean =
        (0..looks).map(|n| load.at(after(Span::from_secs(u64::from(n))))).sum::<f64>() / f64::from(looks);
    assert!((mean - 0.8).abs() < 0.04, "{mean}");
}

#[test]
fn bursts_at_given_times_join_where_they_overlap() {
    let mins = |mins: &[u64]| mins.iter().map(|&m| Span::from_mins(m)).collect::<Vec<_>>();
    let spec = LoadSpec::bursts_at(&mins(&[30, 5, 8, 13]), Span::from_mins(5), 3.0).expect("sound");
    let mut load = load(&spec);
    let high: Vec<u64> = (0..60).filter(|&m| load.at(after(Span::from_mins(m))) == 3.0).collect();
    assert_eq!(high, (5..18).chain(30..35).collect::<Vec<_>>());
}

#[test]
fn a_guest_more_changes_no_other_guest_s_load() {
    let spec = LoadSpec::Mmpp(Mmpp { rates: [0.0, 1.0], stays: [Span::from_secs(60); 2] });
    let look = |seed, index| {
        let mut load = Load::new(&spec, Seed(seed), index).expect("sound");
        (0..200).map(|n| load.at(after(Span::from_secs(30 * n)))).collect::<Vec<_>>()
    };
    assert_eq!(look(1, 0), look(1, 0));
    assert_ne!(look(1, 0), look(1, 1));
    assert_ne!(look(1, 0), look(2, 0));
}

#[test]
fn what_is_no_load_is_refused() {
    let zone = Arc::new(Zone::utc());
    let wave = |low, high, peak| {
        LoadSpec::Wave(Wave {
            low,
            high,
            peak: Span::from_hours(peak),
            period: Period::Day,
            zone: Arc::clone(&zone),
        })
    };
    let deep = |levels| (0..levels).fold(LoadSpec::Constant(1.0), |inner, _| LoadSpec::Sum(vec![inner]));
    let second = Span::from_secs(1);
    let cases = [
        LoadSpec::Constant(f64::NAN),
        LoadSpec::Constant(-1.0),
        LoadSpec::Constant(f64::INFINITY),
        wave(3.0, 2.0, 0),
        wave(1.0, 2.0, 24),
        LoadSpec::Bursts(Bursts { gap: Span::ZERO, length: second, height: 1.0 }),
        LoadSpec::Mmpp(Mmpp { rates: [1.0, -1.0], stays: [second; 2] }),
        LoadSpec::Sum(vec![]),
        LoadSpec::Product(vec![]),
        deep(9),
        LoadSpec::Sum(vec![LoadSpec::Constant(1.0); 65]),
        LoadSpec::Product(vec![LoadSpec::Constant(1e7); 2]),
    ];
    let errors: Vec<String> =
        cases.iter().map(|spec| spec.check().expect_err("no load").to_string()).collect();
    insta::assert_snapshot!(errors.join("\n"), @r"
    `constant` of a load must be a number from 0 to 1e12
    `constant` of a load must be a number from 0 to 1e12
    `constant` of a load must be a number from 0 to 1e12
    `low` is above `high`
    `peak` must lie within the day: from 0s to less than 1d
    `gap` of a load must be at least a second in the mean
    `rate` of a load must be a number from 0 to 1e12
    a sum of a load needs at least one entry
    a product of a load needs at least one entry
    sums and products are nested more than 8 deep
    a load of more than 64 parts
    sum or product can exceed 1e12
    ");
    assert!(deep(8).check().is_ok());
    let rows = [(Span::from_secs(5), 1.0), (Span::from_secs(5), 2.0)];
    assert_eq!(Trace::rows(&rows, Span::ZERO, Then::Hold), Err(LoadError::NotLater { row: 2 }));
    let early = Trace::rows(&rows[..1], Span::from_secs(5), Then::Repeat).expect_err("too early");
    assert_eq!(early.to_string(), "it repeats after 5s, but its last row comes at 5s");
    assert_eq!(Trace::every(second, vec![], Then::Hold), Err(LoadError::Empty { what: "trace" }));
    assert_eq!(LoadSpec::bursts_at(&[], second, 1.0), Err(LoadError::Empty { what: "trace" }));
}
