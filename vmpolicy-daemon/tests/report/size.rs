//! How large pages get: `docs/report.md` says at most 5 MB.

use crate::made::{PATIENT, SCHEDULED, load, page};
use vmpolicy_daemon::report::{Figure, Indicator, Page, html};

const MOST: usize = 5_000_000;

fn bounded(page: &Page) {
    let size = html(page).len();
    assert!(size < MOST, "{}: {size} bytes", page.title);
}

fn indicators(page: &Page) -> impl Iterator<Item = &Indicator> {
    page.variants.iter().flat_map(|variant| &variant.panels).filter_map(|panel| match &panel.figure {
        Figure::Indicator(indicator) => Some(indicator),
        _ => None,
    })
}

/// Numbers of all their digits, so that nothing is short by luck.
fn ragged(minute: i64, seed: u64) -> f64 {
    load(minute, seed) * 1.000_123_456_789 + 1.0 / 3.0
}

#[test]
fn a_hundred_thousand_samples_are_all_there() {
    let page = page("long", &[PATIENT], 1, 100_000, ragged);
    let line = &indicators(&page).next().unwrap().lines[0];
    assert_eq!(line.points.bucket_s, None);
    assert!(line.points.low.len() > 80_000, "{}", line.points.low.len());
    bounded(&page);
}

#[test]
fn a_year_of_three_policies_is_bounded_and_keeps_its_breaches() {
    let minutes = 365 * 1_440;
    let spike = |minute, seed| if minute == 300_000 { 1e6 } else { ragged(minute, seed) };
    let page = page("year", &[SCHEDULED, PATIENT, PATIENT], 1, minutes, spike);
    for indicator in indicators(&page).skip(1) {
        let highest = indicator.lines[0].points.high.iter().map(|high| high.0).fold(0.0, f64::max);
        assert_eq!(highest, 1e6);
        let at = vmpolicy_daemon::report::Offset(300_000 * 60_000 + 61_000);
        let breach = &indicator.lines[0].breach;
        assert!(breach.iter().any(|(from, to)| from.0 <= at.0 && at.0 - 120_000 <= to.0));
    }
    bounded(&page);
}

#[test]
fn a_thousand_guests_for_a_day_are_bounded() {
    let page = page("many", &[SCHEDULED, PATIENT], 1_000, 1_440, ragged);
    for indicator in indicators(&page) {
        assert_eq!(indicator.lines.len(), 12);
        let band = indicator.band.as_ref().unwrap();
        assert!(band.in_breach.iter().any(|&count| count > 100), "{:?}", band.in_breach);
    }
    bounded(&page);
}

/// As many samples, moves, stays and rows as there may be, all at once.
#[test]
fn the_worst_of_everything_is_bounded() {
    let restless = &PATIENT.replace("tarry: 12", "tarry: 1").replace("tarry: 60", "tarry: 1");
    let restless = &format!("{restless}moves: {{ tour: keep-going, at_most: 60 per 1h, settle: 10s }}\n");
    let swings = |minute: i64, seed| ragged(minute, seed) + if minute % 9 < 4 { 90.0 } else { 0.0 };
    bounded(&page("worst", &[restless, restless, restless], 12, 3_300, swings));
}

#[test]
fn the_same_runs_give_the_same_bytes() {
    let one = || html(&page("again", &[SCHEDULED, PATIENT], 3, 2_000, load));
    assert_eq!(one(), one());
}
