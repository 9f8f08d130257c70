//! Several policies side by side: a column each, and what differs first.

use super::report::{Guest, Report, Rule, Tried, share};
use super::spread::{self, Figure};
use super::table::{grouped, percent, rough, shortened, table};
use super::text::{GUESTS_MAX, many_guests, one_guest, rule_rows};
use std::fmt::{self, Write as _};
use vmpolicy_core::time::Span;

/// So many policies stand side by side; more make another table below.
const COLUMNS_MAX: usize = 6;

/// So many of the guests for which the policies differ most.
const WORST: usize = 5;

/// What is compared, in the order of weight: its name, what a policy has there, and whether it is told where no policy
/// has any.
type Measure = (&'static str, fn(&Tried) -> String, bool);

const MEASURES: &[Measure] = &[
    ("in breach", |tried| of(tried, Figure::Breach), true),
    ("requests", |tried| of(tried, Figure::Requests), true),
    ("an hour, mean", |tried| of(tried, Figure::MeanPerHour), true),
    ("an hour, most", |tried| of(tried, Figure::MostPerHour), true),
    ("at base", |tried| of(tried, Figure::AtBase), true),
    ("cost", |tried| of(tried, Figure::Cost), false),
    ("held back", |tried| sum(tried, |rule| rule.held), false),
    ("no better host", |tried| sum(tried, |rule| rule.no_better_host), false),
    ("already there", |tried| sum(tried, |rule| rule.already_there), false),
    ("failed", |tried| grouped(tried.totals.figures.requests.failed), false),
    ("open at the end", |tried| grouped(tried.totals.figures.requests.open), false),
    ("resting", |tried| of_time(tried, tried.totals.figures.time.resting), false),
    ("unknown", |tried| of(tried, Figure::Unknown), false),
    ("polls", |tried| grouped(tried.totals.figures.polls.count), true),
    ("polled", |tried| format!("{} / {}", tried.indicator, tried.every), true),
];

fn of(tried: &Tried, figure: Figure) -> String {
    figure.of(&tried.totals.figures).map_or_else(|| "-".to_owned(), |number| figure.shown(number))
}

fn sum(tried: &Tried, count: impl Fn(&Rule) -> u64) -> String {
    grouped(tried.totals.rules.iter().map(count).sum())
}

fn of_time(tried: &Tried, part: Span) -> String {
    percent(share(part, tried.totals.figures.lasts))
}

/// The whole report.
pub(super) fn render(out: &mut String, report: &Report, all: &[Tried], every_guest: bool) -> fmt::Result {
    let Some(first) = all.first() else { return Ok(()) };
    match first.guests.as_slice() {
        [one] => one_guest(out, report, one)?,
        guests => many_guests(out, report, guests)?,
    }
    for tried in all.chunks(COLUMNS_MAX) {
        writeln!(out)?;
        table(out, &measures(tried, all), 1)?;
    }
    for tried in all {
        writeln!(out, "\n{}", tried.policy)?;
        table(out, &rule_rows(&tried.totals.figures, &tried.totals.rules), 2)?;
    }
    for tried in all.chunks(COLUMNS_MAX) {
        writeln!(out)?;
        table(out, &hosts(tried), 1)?;
    }
    if first.guests.len() > 1 {
        guests(out, all, every_guest)?;
    }
    writeln!(out)?;
    for tried in all {
        writeln!(out, "{:9} {}: {}", "from", tried.policy, tried.provenance)?;
    }
    Ok(())
}

/// A column for each of these policies, and first the rows in which any of all differ.
fn measures(tried: &[Tried], all: &[Tried]) -> Vec<Vec<String>> {
    let mut rows = vec![header("", tried)];
    let (mut same, mut differ) = (Vec::new(), Vec::new());
    for &(name, cell, always) in MEASURES {
        let cells: Vec<_> = all.iter().map(cell).collect();
        let nothing = cells.iter().all(|cell| ["0", "0%", "-"].contains(&cell.as_str()));
        if nothing && !always {
            continue;
        }
        let row = |name: String| [name].into_iter().chain(tried.iter().map(cell)).collect::<Vec<_>>();
        if cells.iter().all(|cell| *cell == cells[0]) {
            same.push(row(format!("{name} (all the same)")));
        } else {
            differ.push(row(name.to_owned()));
        }
    }
    rows.extend(differ);
    rows.extend(same);
    rows
}

fn header(first: &str, tried: &[Tried]) -> Vec<String> {
    [first.to_owned()].into_iter().chain(tried.iter().map(|tried| shortened(&tried.policy))).collect()
}

/// How long the guests were on each host that any policy has, and how often they came there.
fn hosts(all: &[Tried]) -> Vec<Vec<String>> {
    let mut names: Vec<(&str, bool)> = Vec::new();
    for host in all.iter().flat_map(|tried| &tried.totals.figures.time.hosts) {
        if !names.iter().any(|(name, _)| *name == host.host) {
            names.push((&host.host, host.base));
        }
    }
    let mut rows = vec![header("host: share, arrivals", all)];
    for (name, base) in names {
        let cells = all.iter().map(|tried| {
            let host = tried.totals.figures.time.hosts.iter().find(|host| host.host == name);
            host.map_or_else(
                || "-".to_owned(),
                |host| format!("{}, {}", percent(host.share), grouped(host.arrivals)),
            )
        });
        let name = if base { format!("{name} (base)") } else { name.to_owned() };
        rows.push([name].into_iter().chain(cells).collect());
    }
    rows
}

/// A guest, and what becomes of it under each policy.
type Row<'a> = Vec<&'a Guest>;

fn guests(out: &mut String, all: &[Tried], every_guest: bool) -> fmt::Result {
    let count = all.iter().map(|tried| tried.guests.len()).min().unwrap_or(0);
    let rows: Vec<Row<'_>> =
        (0..count).map(|index| all.iter().map(|tried| &tried.guests[index]).collect()).collect();
    if every_guest || count <= GUESTS_MAX {
        writeln!(out, "\nby guest\n")?;
        return guest_rows(out, all, &rows.iter().collect::<Vec<_>>());
    }
    let mut spreads =
        vec![["of each guest", "policy", "min", "median", "p95", "max"].map(str::to_owned).to_vec()];
    for figure in Figure::ALL {
        for tried in all {
            let Some(spread) = tried.spread.iter().find(|spread| spread.figure == figure) else { continue };
            let numbers =
                [spread.min, spread.median, spread.p95, spread.max].map(|number| figure.shown(number));
            let names = [figure.label().to_owned(), shortened(&tried.policy)];
            spreads.push(names.into_iter().chain(numbers).collect());
        }
    }
    writeln!(out)?;
    table(out, &spreads, 2)?;
    writeln!(out, "\nthe {WORST} guests for which they differ most (--all shows every guest)\n")?;
    let apart = |row: &Row<'_>, figure: Figure| {
        let numbers = || row.iter().filter_map(|guest| figure.of(&guest.figures));
        numbers().fold(0.0, f64::max) - numbers().fold(f64::MAX, f64::min).min(numbers().fold(0.0, f64::max))
    };
    let most = spread::worst(&rows, WORST, |row| [Figure::Breach, Figure::Requests].map(|of| apart(row, of)));
    guest_rows(out, all, &most)
}

fn guest_rows(out: &mut String, all: &[Tried], rows: &[&Row<'_>]) -> fmt::Result {
    let mut lines = vec![["guest", "lasts", "policy"].map(str::to_owned).to_vec()];
    let has = |figure: Figure| all.iter().any(|tried| figure.of(&tried.totals.figures).is_some());
    let figures: Vec<_> =
        Figure::ALL.into_iter().filter(|&figure| figure != Figure::Cost || has(figure)).collect();
    lines[0].extend(figures.iter().map(|figure| figure.heading().to_owned()));
    for row in rows {
        for (index, (guest, tried)) in row.iter().zip(all).enumerate() {
            // The name once, where the policies do not call the guest by another.
            let again = index > 0 && guest.guest == row[0].guest;
            let name = if again { String::new() } else { shortened(&guest.guest) };
            let lasts = if again { String::new() } else { rough(guest.figures.lasts) };
            let cells = figures.iter().map(|figure| {
                figure.of(&guest.figures).map_or_else(|| "-".to_owned(), |number| figure.shown(number))
            });
            lines.push([name, lasts, shortened(&tried.policy)].into_iter().chain(cells).collect());
        }
    }
    table(out, &lines, 3)
}
