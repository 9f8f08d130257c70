//! The tables that logs make. Programs find the same in the events.

use super::log::GuestLog;
use super::model::{Cell, Column, Cost, Mark, Page, Table, Unit, Variant};
use vmpolicy_core::time::Wall;

/// Reasons longer than this are cut.
const TEXT_MAX: usize = 400;

fn text(of: &str) -> Cell {
    match of.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => Cell::Text(format!("{}…", &of[..end])),
        None if of.is_empty() => Cell::Nothing,
        None => of.into(),
    }
}

fn moment(at: Wall) -> Cell {
    Cell::Number(at.0 as f64)
}

/// The first rows of all guests in time order, and how many more there are.
fn first<'a, R>(
    logs: &'a [GuestLog],
    most: usize,
    of: impl Fn(&'a GuestLog) -> (&'a [R], u64),
    at: impl Fn(&R) -> Wall,
) -> (Vec<(&'a GuestLog, &'a R)>, u64) {
    let mut more: u64 = logs.iter().map(|log| of(log).1).sum();
    let mut rows: Vec<_> = logs.iter().flat_map(|log| of(log).0.iter().map(move |row| (log, row))).collect();
    rows.sort_by_key(|(_, row)| at(row));
    more += rows.len().saturating_sub(most) as u64;
    rows.truncate(most);
    (rows, more)
}

/// The columns, with one for the guest where there are several.
fn columns(page: &Page, names: &[(&str, Unit)]) -> Vec<Column> {
    let several = page.guests.len() > 1;
    let named = names.iter().map(|&(name, unit)| Column::new(name, unit));
    named.filter(|column| several || column.name != "guest").collect()
}

fn row(page: &Page, guest: usize, mut cells: Vec<Cell>) -> Vec<Cell> {
    if page.guests.len() > 1 {
        cells.insert(1, text(page.guests.get(guest).map_or("", String::as_str)));
    }
    cells
}

pub(super) fn requests(logs: &[GuestLog], page: &Page, most: usize) -> Table {
    let (rows, more) = first(logs, most, |log| (&log.requests, log.requests_more), |row| row.at);
    let host = |host: usize| page.hosts.get(host).map_or("", |host| host.name.as_str());
    let cells = |(log, one): (&GuestLog, &super::log::RequestRow)| {
        let (how, took) = match one.end {
            Some((how, at)) => (how, Cell::Number(at.since(one.at).as_secs_f64())),
            None => ("open", Cell::Nothing),
        };
        let cells = vec![
            moment(one.at),
            Cell::Number(one.id as f64),
            text(host(one.from)),
            text(host(one.to)),
            one.action.into(),
            text(&one.rule),
            text(&one.because),
            how.into(),
            took,
        ];
        row(page, log.guest, cells)
    };
    let names = [
        ("time", Unit::Moment),
        ("guest", Unit::Text),
        ("id", Unit::Count),
        ("from", Unit::Text),
        ("to", Unit::Text),
        ("do", Unit::Text),
        ("rule", Unit::Text),
        ("because", Unit::Text),
        ("ended", Unit::Text),
        ("after", Unit::Seconds),
    ];
    Table {
        id: "requests".to_owned(),
        title: "Requests, and why".to_owned(),
        columns: columns(page, &names),
        rows: rows.into_iter().map(cells).collect(),
        more,
    }
}

pub(super) fn held(logs: &[GuestLog], page: &Page, most: usize) -> Table {
    let (rows, more) = first(logs, most, |log| (&log.held, log.held_more), |row| row.at);
    let cells = |(log, one): (&GuestLog, &super::log::HeldRow)| {
        let cells =
            vec![moment(one.at), one.event.into(), text(&one.rule), text(&one.says), text(&one.because)];
        row(page, log.guest, cells)
    };
    let names = [
        ("time", Unit::Moment),
        ("guest", Unit::Text),
        ("what", Unit::Text),
        ("rule", Unit::Text),
        ("in words", Unit::Text),
        ("because", Unit::Text),
    ];
    Table {
        id: "held".to_owned(),
        title: "Held back, refused and failed".to_owned(),
        columns: columns(page, &names),
        rows: rows.into_iter().map(cells).collect(),
        more,
    }
}

/// The ledger, a row a variant.
pub(super) fn costs(priced: &[(&Variant, &Cost)]) -> Table {
    let names = ["C_a", "C_b", "C_sb", "C_tb", "C_t"].map(|name| Column::new(name, Unit::Money));
    let mut columns = vec![Column::new("", Unit::Text)];
    columns.extend(names);
    columns.push(Column::new("equation 3.1: base cheaper than a host", Unit::Text));
    let row = |(variant, cost): &(&Variant, &Cost)| {
        let parts = [cost.c_a, cost.c_b, cost.c_sb, cost.c_tb, cost.c_t];
        let mut cells = vec![text(&variant.name)];
        cells.extend(parts.map(Cell::from));
        cells.push(
            cost.base_is_cheaper
                .map_or(Cell::Nothing, |yes| if yes { "holds" } else { "does not hold" }.into()),
        );
        cells
    };
    let rows = priced.iter().map(row).collect();
    Table { id: "cost".to_owned(), title: "What it cost".to_owned(), columns, rows, more: 0 }
}

/// Marks that are listed.
const MARKS_MAX: usize = 300;

/// What happened to the world.
pub(super) fn marks(page: &Page) -> Table {
    let columns = vec![
        Column::new("time", Unit::Moment),
        Column::new("lasted", Unit::Seconds),
        Column::new("what", Unit::Text),
    ];
    let row = |mark: &Mark| {
        let lasted = mark.until.map(|until| until.secs() - mark.at.secs());
        vec![moment(Wall(page.range.from.0.saturating_add(mark.at.0))), lasted.into(), text(&mark.says)]
    };
    let rows = page.marks.iter().take(MARKS_MAX).map(row).collect();
    let more = page.marks.len().saturating_sub(MARKS_MAX) as u64;
    Table { id: "marks".to_owned(), title: "What happened around them".to_owned(), columns, rows, more }
}
