//! The report for people.

use super::compare;
use super::figures::{Guest, Host, Totals, Variant};
use super::report::Report;
use crate::cli::backtest::report::Cost;
use crate::cli::backtest::spread::{self, Figure};
use crate::cli::backtest::table::{day, figure, grouped, money, percent, rough, shortened, table};
use crate::cli::backtest::text::{GUESTS_MAX, rule_rows};
use crate::cli::check::many;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// So many hosts are shown one by one; of more, the busiest.
const HOSTS_MAX: usize = 20;

/// So many of the worst.
const WORST: usize = 5;

/// So many faults are told one by one.
const FAULTS_MAX: usize = 12;

/// So many policies have their rules told.
const POLICIES_MAX: usize = 6;

/// The whole report; `all` shows every guest and host.
pub(super) fn render(report: &Report, all: bool) -> String {
    let mut out = String::new();
    let written = whole(&mut out, report, all);
    // A string takes everything.
    debug_assert!(written.is_ok());
    out
}

fn whole(out: &mut String, report: &Report, all: bool) -> fmt::Result {
    let Some(own) = report.variants.first() else { return Ok(()) };
    head(out, report)?;
    faults(out, report, all)?;
    writeln!(out)?;
    if report.variants.len() > 1 {
        compare::render(out, &report.variants)?;
        writeln!(out, "\nas it is written (own)\n")?;
    }
    if report.managed > 0 {
        requests(out, &own.totals)?;
    }
    totals(out, &own.totals)?;
    if let Some(cost) = &own.totals.cost {
        cost_lines(out, cost)?;
    }
    queues(out, own)?;
    rules(out, report, own)?;
    guests(out, own, all)?;
    hosts(out, own, all)?;
    checked(out, report)?;
    writeln!(out, "{:9} {}", "from", report.provenance)?;
    for policy in report.provenance.policies.iter().take(POLICIES_MAX) {
        writeln!(out, "{:9} policy {}: {}", "", policy.fingerprint, policy.name())?;
    }
    match report.provenance.policies.len().saturating_sub(POLICIES_MAX) {
        0 => Ok(()),
        more => writeln!(out, "{:9} and {}", "", many(more, "more policy").replace("policys", "policies")),
    }
}

fn head(out: &mut String, report: &Report) -> fmt::Result {
    let (from, to, lasts) = (day(report.from), day(report.to), rough(report.lasts));
    writeln!(out, "{:9} {}, {from} to {to} UTC ({lasts})", "scenario", report.scenario)?;
    let without = match report.guests - report.managed {
        0 => String::new(),
        some => format!(", {} of them without a policy", grouped(some as u64)),
    };
    writeln!(
        out,
        "{:9} {} on {} in {}{without}",
        "world",
        counted(report.guests, "guest"),
        counted(report.hosts, "host"),
        counted(report.arrays, "array"),
    )
}

fn counted(number: usize, what: &str) -> String {
    many(number, what).replacen(&number.to_string(), &grouped(number as u64), 1)
}

fn faults(out: &mut String, report: &Report, all: bool) -> fmt::Result {
    let faults = &report.faults;
    let most = if all { usize::MAX } else { FAULTS_MAX };
    if faults.len() > most {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        faults.iter().for_each(|fault| *kinds.entry(fault.kind).or_default() += 1);
        let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        return writeln!(out, "{:9} {}", "faults", kinds.join(", "));
    }
    for (index, fault) in faults.iter().enumerate() {
        let lasts =
            fault.until.map(|until| format!(" ({})", rough(until.since(fault.at)))).unwrap_or_default();
        writeln!(
            out,
            "{:9} {}: {}{lasts}",
            if index == 0 { "faults" } else { "" },
            day(fault.at),
            fault.says
        )?;
    }
    Ok(())
}

fn requests(out: &mut String, totals: &Totals) -> fmt::Result {
    let mean = totals.mean_per_hour.map_or_else(|| "-".to_owned(), figure);
    write!(
        out,
        "{:9} {}: {mean} an hour and guest, at most {} in one",
        "requests",
        grouped(totals.requests),
        totals.most_per_hour
    )?;
    let failed = totals.failed.saturating_sub(totals.refused).saturating_sub(totals.expired);
    let ends = [(totals.refused, "refused"), (failed, "failed"), (totals.expired, "expired")];
    for (count, what) in ends.into_iter().chain([(totals.open, "open at the end")]) {
        if count > 0 {
            write!(out, "; {} {what}", grouped(count))?;
        }
    }
    writeln!(out, "; the busiest hour of all has {}", grouped(u64::from(totals.busiest_hour)))
}

fn totals(out: &mut String, totals: &Totals) -> fmt::Result {
    let (live, away) = (grouped(totals.live_moves), grouped(totals.relocations));
    writeln!(out, "{:9} {live} live, {away} between arrays; {} on the way", "moves", rough(totals.moving))?;
    if let Some(breach) = totals.breach {
        let share = percent(totals.breach_share);
        write!(out, "{:9} {} ({share}) while a `move` rule was true", "breach", rough(breach))?;
        let unjudged = totals.unjudged.unwrap_or_default();
        if !unjudged.is_zero() {
            write!(out, "; {} ({}) not judged", rough(unjudged), percent(totals.unjudged_share))?;
        }
        writeln!(out)?;
    }
    let missed = percent(Some(totals.missed));
    writeln!(
        out,
        "{:9} {missed} of what was demanded was missed; fairness {:.4}",
        "processor", totals.fairness
    )?;
    let used = figure(totals.hosts_in_use);
    let overloaded = figure(totals.overloaded_host_hours);
    writeln!(out, "{:9} {used} in use in the mean; {overloaded} host-hours overloaded", "hosts")?;
    writeln!(out, "{:9} {:.2} kWh", "energy", totals.energy_kwh)?;
    if totals.hosts_cost > 0.0 {
        writeln!(out, "{:9} {} for all guests, at the hosts' prices", "cost", money(totals.hosts_cost))?;
    }
    Ok(())
}

fn cost_lines(out: &mut String, cost: &Cost) -> fmt::Result {
    let Cost { c_a, c_b, c_sb, c_tb, c_t, .. } = *cost;
    writeln!(
        out,
        "{:9} {} by the policies' prices (C_t): {} in the ring (C_a), {} at the base (C_tb: C_sb {}, C_b {})",
        "",
        money(c_t),
        money(c_a),
        money(c_tb),
        money(c_sb),
        money(c_b)
    )?;
    match cost.base_is_cheaper {
        Some(true) => writeln!(out, "{:9} equation 3.1 holds: the base is cheaper than a host", ""),
        Some(false) => {
            writeln!(out, "{:9} equation 3.1 does not hold: the base is not cheaper than a host", "")
        }
        None => Ok(()),
    }
}

fn queues(out: &mut String, own: &Variant) -> fmt::Result {
    for queue in &own.queues {
        let (done, came) = (grouped(queue.done), grouped(queue.came));
        write!(out, "{:9} {}: {done} of {came} jobs done", "queue", queue.queue)?;
        if queue.waiting > 0 {
            let (waiting, oldest) = (grouped(queue.waiting), rough(queue.oldest_wait));
            write!(out, "; {waiting} unclaimed at the end, the oldest for {oldest}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn rules(out: &mut String, report: &Report, own: &Variant) -> fmt::Result {
    for of in own.policies.iter().filter(|of| !of.rules.is_empty()).take(POLICIES_MAX) {
        let name = report.provenance.policies.get(of.policy).map(|row| row.name()).unwrap_or_default();
        let who = if own.policies.len() > 1 { format!(" of the policy of {name}") } else { String::new() };
        writeln!(out, "\nrules{who}\n")?;
        table(out, &rule_rows(&of.figures, &of.rules), 2)?;
    }
    Ok(())
}

fn guests(out: &mut String, own: &Variant, all: bool) -> fmt::Result {
    if own.guests.is_empty() {
        return Ok(());
    }
    if all || own.guests.len() <= GUESTS_MAX {
        writeln!(out, "\nguests\n")?;
        return guest_rows(out, &own.guests.iter().collect::<Vec<_>>());
    }
    if !own.spread.is_empty() {
        writeln!(out)?;
        let header = ["each guest with a policy", "min", "median", "p95", "max"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        for spread in &own.spread {
            let numbers = [spread.min, spread.median, spread.p95, spread.max];
            let shown = numbers.map(|number| spread.figure.shown(number));
            rows.push([spread.figure.label().to_owned()].into_iter().chain(shown).collect());
        }
        table(out, &rows, 1)?;
    }
    writeln!(
        out,
        "\nthe worst {WORST} guests, by time in breach and what they missed (--all shows every guest)\n"
    )?;
    let worst = spread::worst(&own.guests, WORST, |guest| {
        [guest.breach().map_or(0.0, |breach| breach.as_secs_f64()), guest.missed]
    });
    guest_rows(out, &worst)
}

fn guest_rows(out: &mut String, guests: &[&Guest]) -> fmt::Result {
    let figures = [
        Figure::Requests,
        Figure::MostPerHour,
        Figure::Breach,
        Figure::AtBase,
        Figure::Unknown,
        Figure::Cost,
    ];
    let has = |wanted: &Figure| {
        let of = |guest: &&Guest| guest.figures.as_ref().and_then(|figures| wanted.of(figures));
        *wanted != Figure::Cost || guests.iter().any(|guest| of(guest).is_some())
    };
    let figures: Vec<_> = figures.into_iter().filter(has).collect();
    let mut header: Vec<_> = vec!["guest".to_owned()];
    header.extend(figures.iter().map(|figure| figure.heading().to_owned()));
    header.extend(["moves", "moving", "missed"].map(str::to_owned));
    let mut rows = vec![header];
    for guest in guests {
        let mut row = vec![shortened(&guest.guest)];
        row.extend(figures.iter().map(|figure| {
            let number = guest.figures.as_ref().and_then(|figures| figure.of(figures));
            number.map_or_else(|| "-".to_owned(), |number| figure.shown(number))
        }));
        row.extend([grouped(u64::from(guest.moves)), rough(guest.moving), percent(Some(guest.missed))]);
        rows.push(row);
    }
    table(out, &rows, 1)
}

fn hosts(out: &mut String, own: &Variant, all: bool) -> fmt::Result {
    let every: Vec<_> = own.hosts.iter().collect();
    let (title, shown) = if all || every.len() <= HOSTS_MAX {
        ("hosts".to_owned(), every)
    } else {
        let busiest =
            spread::worst(&own.hosts, WORST, |host| [host.overloaded_hours, host.busy.unwrap_or(0.0)]);
        (format!("the {WORST} hosts longest overloaded, then busiest (--all shows every host)"), busiest)
    };
    writeln!(out, "\n{title}\n")?;
    let header = ["host", "guest-hours", "most guests", "busy", "overloaded", "energy"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(shown.into_iter().map(host_row));
    table(out, &rows, 1)
}

fn host_row(host: &Host) -> Vec<String> {
    let name = if host.base { format!("{} (base)", shortened(&host.host)) } else { shortened(&host.host) };
    vec![
        name,
        figure(host.guest_hours),
        grouped(u64::from(host.most_guests)),
        percent(host.busy),
        format!("{} h", figure(host.overloaded_hours)),
        format!("{:.2} kWh", host.energy_kwh),
    ]
}

fn checked(out: &mut String, report: &Report) -> fmt::Result {
    let inputs = grouped(report.checked.inputs);
    writeln!(out)?;
    if report.managed == 0 {
        writeln!(out, "{:9} nothing: no guest has a policy", "checked")
    } else if report.checked.watched {
        writeln!(out, "{:9} {inputs} steps of guests, each watched: no invariant was violated", "checked")
    } else {
        writeln!(out, "{:9} nothing: {inputs} steps of guests, and nobody watched", "checked")
    }
}
