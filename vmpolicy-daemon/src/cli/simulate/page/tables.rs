//! Tables of guests and hosts.

use super::super::figures::{Guest, Host};
use super::super::report::Report;
use crate::cli::backtest::report::share;
use crate::report::{Cell, Column, Table, Unit};
use std::cmp::Reverse;

/// Rows of a table, and of the tables of one kind in all cases together.
const ROWS_MAX: usize = 200;
const ROWS_MAX_OF_ALL: usize = 300;

/// Rows of a table where so many cases have one.
const fn rows_max(cases: usize) -> usize {
    let each = ROWS_MAX_OF_ALL / if cases == 0 { 1 } else { cases };
    if each < ROWS_MAX { each } else { ROWS_MAX }
}

/// The hosts, in the scenario's order; of many, those longest overloaded and busiest.
pub(super) fn hosts(hosts: &[Host], cases: usize) -> Table {
    let most = rows_max(cases);
    let columns = vec![
        Column::new("host", Unit::Text),
        Column::new("array", Unit::Text),
        Column::new("guest-hours", Unit::Plain),
        Column::new("most guests", Unit::Count),
        Column::new("busy", Unit::Share),
        Column::new("hours overloaded", Unit::Plain),
        Column::new("energy", Unit::KilowattHours),
    ];
    let mut order: Vec<_> = hosts.iter().collect();
    if order.len() > most {
        order.sort_by(|one, other| {
            let key = |host: &Host| (host.overloaded_hours, host.busy.unwrap_or(0.0));
            let (one, other) = (key(one), key(other));
            other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1))
        });
    }
    let row = |host: &&Host| {
        let name = if host.base { format!("{} (base)", host.host) } else { host.host.clone() };
        vec![
            Cell::Text(name),
            host.array.as_str().into(),
            rounded(host.guest_hours),
            f64::from(host.most_guests).into(),
            host.busy.into(),
            rounded(host.overloaded_hours),
            host.energy_kwh.into(),
        ]
    };
    let rows = order.iter().take(most).map(row).collect();
    let more = hosts.len().saturating_sub(most) as u64;
    Table { id: "world-hosts".to_owned(), title: "Hosts".to_owned(), columns, rows, more }
}

/// The guests, longest in breach first.
pub(super) fn guests(report: &Report, guests: &[Guest]) -> Table {
    let most = rows_max(report.variants.len());
    let columns = vec![
        Column::new("guest", Unit::Text),
        Column::new("requests", Unit::Count),
        Column::new("most in one hour", Unit::Count),
        Column::new("moves", Unit::Count),
        Column::new("on the way", Unit::Seconds),
        Column::new("in breach", Unit::Seconds),
        Column::new("share in breach", Unit::Share),
        Column::new("share not judged", Unit::Share),
        Column::new("share at the base", Unit::Share),
        Column::new("missed", Unit::Share),
        Column::new("cost, hosts' prices", Unit::Money),
    ];
    let mut order: Vec<_> = guests.iter().collect();
    order.sort_by_key(|guest| Reverse(guest.breach()));
    let row = |guest: &&Guest| {
        let figures = guest.figures.as_ref();
        vec![
            Cell::Text(guest.guest.clone()),
            figures.map(|figures| figures.requests.count as f64).into(),
            figures.map(|figures| figures.requests.most_per_hour as f64).into(),
            f64::from(guest.moves).into(),
            guest.moving.as_secs_f64().into(),
            guest.breach().map(|breach| breach.as_secs_f64()).into(),
            guest.breach().and_then(|breach| share(breach, report.lasts)).into(),
            guest.unjudged.and_then(|unjudged| share(unjudged, report.lasts)).into(),
            figures.and_then(|figures| figures.time.at_base_share).into(),
            guest.missed.into(),
            guest.hosts_cost.into(),
        ]
    };
    let rows = order.iter().take(most).map(row).collect();
    let more = guests.len().saturating_sub(most) as u64;
    Table { id: "guests".to_owned(), title: "Each guest".to_owned(), columns, rows, more }
}

fn rounded(number: f64) -> Cell {
    Cell::Number((number * 100.0).round() / 100.0)
}
