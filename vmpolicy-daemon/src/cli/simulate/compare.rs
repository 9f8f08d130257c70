//! The cases side by side: a column each.

use super::figures::{Totals, Variant};
use crate::cli::backtest::table::{figure, grouped, money, percent, rough, table};
use std::fmt;

/// What is compared: its name, what a case has there, and whether it is told where no case has any.
type Measure = (&'static str, fn(&Totals) -> String, bool);

const MEASURES: &[Measure] = &[
    ("in breach", |of| of.breach.map_or_else(|| "-".to_owned(), rough), true),
    ("share in breach", |of| percent(of.breach_share), true),
    ("share not judged", |of| percent(of.unjudged_share), true),
    ("in breach, of what was judged", |of| percent(of.judged_breach_share), true),
    ("processor time missed", |of| percent(Some(of.missed)), true),
    ("fairness (Jain)", |of| format!("{:.4}", of.fairness), true),
    ("requests", |of| grouped(of.requests), true),
    ("failed", |of| grouped(of.failed), false),
    ("live moves", |of| grouped(of.live_moves), true),
    ("relocations", |of| grouped(of.relocations), false),
    ("on the way", |of| rough(of.moving), true),
    ("energy", |of| format!("{:.2} kWh", of.energy_kwh), true),
    ("hosts in use, mean", |of| figure(of.hosts_in_use), true),
    ("host-hours overloaded", |of| figure(of.overloaded_host_hours), true),
    ("cost, hosts' prices", |of| money(of.hosts_cost), false),
    ("cost C_t", |of| of.cost.map_or_else(|| "-".to_owned(), |cost| money(cost.c_t)), false),
    ("in the ring C_a", |of| of.cost.map_or_else(|| "-".to_owned(), |cost| money(cost.c_a)), false),
    ("at the base C_tb", |of| of.cost.map_or_else(|| "-".to_owned(), |cost| money(cost.c_tb)), false),
];

/// The table, best first by nothing: in the order of the command line.
pub(super) fn render(out: &mut String, variants: &[Variant]) -> fmt::Result {
    let mut rows: Vec<Vec<String>> = Vec::new();
    rows.push([String::new()].into_iter().chain(variants.iter().map(|one| one.name.to_owned())).collect());
    for &(name, cell, always) in MEASURES {
        let cells: Vec<_> = variants.iter().map(|one| cell(&one.totals)).collect();
        if always || cells.iter().any(|cell| !["0", "0%", "-", "0.00"].contains(&cell.as_str())) {
            rows.push([name.to_owned()].into_iter().chain(cells).collect());
        }
    }
    table(out, &rows, 1)
}
