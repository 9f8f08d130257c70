//! The panels that logs make.

use super::build::LINES_MAX;
use super::log::{BAND_BUCKETS, GuestLog};
use super::model::{Band, Bars, Figure, Indicator, Lane, Lanes, Line, Page, Panel, Stack, StayState};
use super::number::{Drawn, Offset};
use super::thin::{bucket_ms, part, spans, stays};
use std::collections::{BTreeMap, BTreeSet};

/// Spans in breach of all guests of a page.
const BREACHES_MAX: usize = 12_000;
/// Stays of all guests of a page.
const STAYS_MAX: usize = 40_000;
/// Guests with a lane on a page.
const LANES_MAX: usize = 4_000;
/// Hosts with a row of their own in the stack.
const STACKED_MAX: usize = 16;
/// Moments of the stack on a page.
const STEPS_MAX: usize = 4_000;

fn panel(id: &str, title: String, about: &str, figure: Figure) -> Panel {
    Panel { id: id.to_owned(), title, about: about.to_owned(), figure }
}

fn lasts(page: &Page) -> i64 {
    page.range.to.0.saturating_sub(page.range.from.0).max(0)
}

pub(super) fn indicator(mut figure: Indicator, logs: &[&GuestLog], page: &Page, variants: usize) -> Panel {
    let mut shown = logs.to_vec();
    // Where not all fit, those longest in breach; of equals, the first.
    shown.sort_by_key(|log| std::cmp::Reverse(log.in_breach()));
    shown.truncate(LINES_MAX);
    shown.sort_by_key(|log| log.guest);
    let most = part(shown.iter().map(|log| log.breach.len()), BREACHES_MAX / variants);
    for log in shown {
        let (breach, gap) = spans(&log.breach, most);
        let points = log.thin.clone().finish();
        let breach_s = Offset::from(log.in_breach());
        figure.lines.push(Line { guest: log.guest, points, breach, breach_s, breach_gap_s: gap });
    }
    figure.band = band(logs, page);
    let title = match &figure.unit {
        Some(unit) => format!("{} ({unit})", figure.name),
        None => figure.name.clone(),
    };
    let about = "What the rules saw, with the thresholds that they hold against it. Shaded: a rule that moves the \
                 guest was true. Ticks below: moves.";
    panel("indicator", title, about, Figure::Indicator(figure))
}

fn band(logs: &[&GuestLog], page: &Page) -> Option<Band> {
    if logs.len() < 2 {
        return None;
    }
    let bucket = bucket_ms(lasts(page), BAND_BUCKETS);
    let mut band = Band {
        bucket_s: Offset(bucket),
        low: Vec::new(),
        mean: Vec::new(),
        high: Vec::new(),
        in_breach: vec![0; BAND_BUCKETS],
    };
    for index in 0..BAND_BUCKETS {
        let known = || logs.iter().filter_map(|log| log.band.get(index)).filter(|bucket| bucket.count > 0);
        let low = known().map(|one| one.low).fold(f64::NAN, f64::min);
        let high = known().map(|one| one.high).fold(f64::NAN, f64::max);
        let sum: f64 = known().map(|one| one.sum).sum();
        let count: f64 = known().map(|one| f64::from(one.count)).sum();
        band.low.push(Drawn(low));
        band.high.push(Drawn(high));
        band.mean.push(Drawn(sum / count));
    }
    for log in logs {
        let mut buckets = BTreeSet::new();
        for &(from, to) in &log.breach {
            let index = |at: i64| usize::try_from(at / bucket).unwrap_or(0).min(BAND_BUCKETS - 1);
            buckets.extend(index(from.0)..=index((to.0 - 1).max(from.0)));
        }
        buckets.into_iter().for_each(|index| band.in_breach[index] += 1);
    }
    Some(band)
}

pub(super) fn requests(
    logs: &[GuestLog],
    order: &[String],
    (first, width): (Offset, Offset),
    page: &Page,
) -> Panel {
    let bars = usize::try_from((lasts(page) - first.0) / width.0.max(1)).unwrap_or(0) + 1;
    let mut counts: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for log in logs {
        for ((rule, bar), count) in &log.bars {
            let row = counts.entry(rule).or_insert_with(|| vec![0; bars]);
            if let Some(cell) = row.get_mut(*bar as usize) {
                *cell += count;
            }
        }
    }
    let mut rows: Vec<_> = counts.into_iter().map(|(rule, row)| (rule.to_owned(), row)).collect();
    rows.sort_by_key(|(rule, _)| order.iter().position(|one| one == rule).unwrap_or(usize::MAX));
    let (names, counts) = rows.into_iter().unzip();
    let every = match width.0 {
        3_600_000 => "an hour".to_owned(),
        86_400_000 => "a day".to_owned(),
        other => format!("each {}", vmpolicy_core::time::Span::from_millis(other.unsigned_abs())),
    };
    let about = match width.0 {
        3_600_000 => "Moves asked for, by the rule that asked, counted from each full hour.",
        _ => "Moves asked for, by the rule that asked.",
    };
    let figure = Figure::Bars(Bars { first, width_s: width, names, counts });
    panel("requests", format!("Requests {every}"), about, figure)
}

pub(super) fn hosts(logs: &[GuestLog], page: &Page, variants: usize) -> Panel {
    // Time on each host, and each coming and going.
    let mut spent = vec![0_i64; page.hosts.len()];
    let mut changes: Vec<(i64, usize, i64)> = Vec::new();
    for log in logs {
        let mut before: Option<usize> = None;
        for stay in &log.stays {
            if let Some(host) = stay.host {
                spent[host] += stay.to.0 - stay.from.0;
            }
            if stay.host != before {
                changes.extend(before.map(|host| (stay.from.0, host, -1)));
                changes.extend(stay.host.map(|host| (stay.from.0, host, 1)));
            }
            before = stay.host;
        }
        if let (Some(host), Some(last)) = (before, log.stays.last()) {
            changes.push((last.to.0, host, -1));
        }
    }
    changes.retain(|change| change.0 < lasts(page));
    changes.sort_unstable();
    let mut used: Vec<_> = (0..spent.len()).filter(|&host| spent[host] > 0).collect();
    let others = used.len().saturating_sub(STACKED_MAX);
    if others > 0 {
        used.sort_by_key(|&host| std::cmp::Reverse(spent[host]));
        used.truncate(STACKED_MAX);
    }
    // Bases at the bottom: what costs less bears the rest.
    used.sort_by_key(|&host| (!page.hosts[host].base, host));
    let row_of = |host: usize| used.iter().position(|&one| one == host).unwrap_or(used.len());
    let rows = used.len() + usize::from(others > 0);
    let changes: Vec<_> = changes.into_iter().map(|(at, host, by)| (at, row_of(host), by)).collect();
    let most = STEPS_MAX / variants;
    let moments: BTreeSet<_> = changes.iter().map(|change| change.0).collect();
    let (bucket_s, at, counts) = if moments.len() <= most {
        let (at, counts) = every_change(&changes, rows);
        (None, at, counts)
    } else {
        let bucket = bucket_ms(lasts(page), most / 2);
        let (at, counts) = mean_of_buckets(&changes, rows, bucket, lasts(page));
        (Some(Offset(bucket)), at, counts)
    };
    let figure = Figure::Stack(Stack { hosts: used, others, bucket_s, at, counts });
    panel("hosts", "Guests on each host".to_owned(), "How many guests were where.", figure)
}

type Steps = (Vec<Offset>, Vec<Vec<Drawn>>);

fn every_change(changes: &[(i64, usize, i64)], rows: usize) -> Steps {
    let (mut at, mut counts) = (Vec::new(), vec![Vec::new(); rows]);
    let mut now = vec![0_i64; rows];
    for group in changes.chunk_by(|one, other| one.0 == other.0) {
        group.iter().for_each(|&(_, row, by)| now[row] += by);
        at.push(Offset(group[0].0));
        counts.iter_mut().zip(&now).for_each(|(row, &count)| row.push(Drawn(count as f64)));
    }
    (at, counts)
}

fn mean_of_buckets(changes: &[(i64, usize, i64)], rows: usize, bucket: i64, lasts: i64) -> Steps {
    let buckets = usize::try_from((lasts - 1).max(0) / bucket).unwrap_or(0) + 1;
    let mut sums = vec![vec![0_i64; buckets]; rows];
    // What a change adds to its own bucket, and to all later ones.
    let mut later = vec![vec![0_i64; buckets + 1]; rows];
    for &(at, row, by) in changes {
        let index = usize::try_from(at / bucket).unwrap_or(0).min(buckets - 1);
        let end = ((index as i64 + 1) * bucket).min(lasts);
        sums[row][index] += by * (end - at);
        later[row][index + 1] += by;
    }
    let mut counts = vec![Vec::with_capacity(buckets); rows];
    for (row, counts) in counts.iter_mut().enumerate() {
        let mut standing = 0;
        for index in 0..buckets {
            standing += later[row][index];
            let length = ((index as i64 + 1) * bucket).min(lasts) - index as i64 * bucket;
            let mean = (standing * length + sums[row][index]) as f64 / length.max(1) as f64;
            counts.push(Drawn((mean * 1_000.0).round() / 1_000.0));
        }
    }
    ((0..buckets).map(|index| Offset(index as i64 * bucket)).collect(), counts)
}

pub(super) fn whereabouts(logs: &[GuestLog], variants: usize) -> Panel {
    let most = LANES_MAX / variants;
    let shown = &logs[..logs.len().min(most)];
    let stays_max = part(shown.iter().map(|log| log.stays.len()), STAYS_MAX / variants).max(2);
    let lane = |log: &GuestLog| {
        let (stays, shortest_s) = stays(&log.stays, stays_max);
        Lane { guest: log.guest, stays, shortest_s }
    };
    let figure = Lanes { lanes: shown.iter().map(lane).collect(), more: logs.len() - shown.len() };
    let any = |state| logs.iter().any(|log| log.stays.iter().any(|stay| stay.state == state));
    let mut about = "Coloured by host, grey at a base; ".to_owned();
    if any(StayState::Rests) {
        about += "hatched while a guest rests, ";
    }
    if any(StayState::Off) {
        about += "pale while it is switched off, ";
    }
    about += "striped while a move is under way.";
    let title = if logs.len() == 1 { "Where the guest was" } else { "Where each guest was" };
    panel("whereabouts", title.to_owned(), &about, Figure::Lanes(figure))
}
