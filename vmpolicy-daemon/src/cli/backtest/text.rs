//! The report for people.

use super::compare;
use super::report::{Cost, Figures, Guest, Remark, RemarkKind, Report, Rule, Tried, share};
use super::spread::{self, Figure};
use super::table::{day, figure, grouped, money, percent, rough, shortened, table};
use std::fmt::{self, Write as _};

/// So many guests are shown one by one; of more, how they are spread, and the worst.
pub(in crate::cli) const GUESTS_MAX: usize = 20;

/// So many of the worst.
const WORST: usize = 5;

/// The whole report; `all` shows every guest.
pub(super) fn render(report: &Report, all: bool) -> String {
    let mut out = String::new();
    let written = match report.policies.as_slice() {
        [tried] => match tried.guests.as_slice() {
            [one] => single(&mut out, report, tried, one),
            _ => several(&mut out, report, tried, all),
        },
        tried => compare::render(&mut out, report, tried, all),
    };
    // A string takes everything.
    debug_assert!(written.is_ok());
    out
}

fn single(out: &mut String, report: &Report, tried: &Tried, guest: &Guest) -> fmt::Result {
    writeln!(out, "{:9} {}", "policy", tried.policy)?;
    one_guest(out, report, guest)?;
    body(out, tried, &guest.figures, &guest.rules)?;
    writeln!(out, "\n{:9} {}", "from", tried.provenance)
}

/// The recording and its only guest.
pub(super) fn one_guest(out: &mut String, report: &Report, guest: &Guest) -> fmt::Result {
    let apart = guest.rows_apart.map(|apart| format!(", one every {apart}")).unwrap_or_default();
    let rows = if guest.rows == 1 { "row" } else { "rows" };
    writeln!(out, "{:9} {}, {} {rows}{apart}", "trace", report.trace, grouped(guest.rows as u64))?;
    let (from, to, lasts) = (day(guest.from), day(guest.to), rough(guest.figures.lasts));
    writeln!(out, "{:9} {}, {from} to {to} UTC ({lasts})", "guest", guest.guest)
}

/// The recording and how many guests it has.
pub(super) fn many_guests(out: &mut String, report: &Report, guests: &[Guest]) -> fmt::Result {
    let rows: usize = guests.iter().map(|guest| guest.rows).sum();
    let (rows, count) = (grouped(rows as u64), grouped(guests.len() as u64));
    writeln!(out, "{:9} {}, {rows} rows of {count} series", "trace", report.trace)
}

fn body(out: &mut String, tried: &Tried, figures: &Figures, rules: &[Rule]) -> fmt::Result {
    polls(out, tried, figures)?;
    let requests = &figures.requests;
    let mean = requests.mean_per_hour.map_or_else(|| "-".to_owned(), figure);
    write!(
        out,
        "{:9} {}: {mean} an hour, at most {} in one",
        "requests",
        grouped(requests.count),
        requests.most_per_hour
    )?;
    for (count, what) in [(requests.failed, "failed"), (requests.open, "open at the end")] {
        if count > 0 {
            write!(out, "; {} {what}", grouped(count))?;
        }
    }
    writeln!(out)?;
    if let Some(breach) = figures.time.breach {
        let share = percent(figures.time.breach_share);
        writeln!(out, "{:9} {} ({share}) while a `move` rule was true", "breach", rough(breach))?;
    }
    writeln!(out)?;
    table(out, &rule_rows(figures, rules), 2)?;
    writeln!(out)?;
    table(out, &host_rows(figures), 1)?;
    if let Some(cost) = &figures.cost {
        writeln!(out)?;
        cost_lines(out, cost)?;
    }
    Ok(())
}

fn polls(out: &mut String, tried: &Tried, figures: &Figures) -> fmt::Result {
    let polls = &figures.polls;
    write!(out, "{:9} {} of {} every {}", "polls", grouped(polls.count), tried.indicator, tried.every)?;
    if !polls.unusable.is_empty() {
        let causes = polls.unusable.iter().map(|(why, count)| format!("{} {why}", grouped(*count)));
        write!(out, "; without a number: {}", causes.collect::<Vec<_>>().join(", "))?;
    }
    if polls.baselines > 0 {
        write!(out, "; only a baseline: {}", grouped(polls.baselines))?;
    }
    writeln!(out)?;
    if !figures.time.unknown.is_zero() {
        let share = percent(figures.time.unknown_share);
        writeln!(out, "{:9} {} ({share}) without a known sample", "unknown", rough(figures.time.unknown))?;
    }
    Ok(())
}

pub(in crate::cli) fn rule_rows(figures: &Figures, rules: &[Rule]) -> Vec<Vec<String>> {
    let mut rows = vec![["rule", "do", "requests", "true", "unknown", "else"].map(str::to_owned).to_vec()];
    for rule in rules {
        let of = |span| percent(share(span, figures.lasts));
        let truth = rule.truth.map(|truth| (of(truth.breach), of(truth.unknown)));
        let (breach, unknown) = truth.unwrap_or_else(|| ("-".to_owned(), "-".to_owned()));
        let counts = [
            (rule.held, "held"),
            (rule.already_there, "already there"),
            (rule.no_better_host, "no better host"),
        ];
        let rest = counts.iter().filter(|(count, _)| *count > 0);
        let rest =
            rest.map(|(count, what)| format!("{} {what}", grouped(*count))).collect::<Vec<_>>().join(", ");
        rows.push(vec![
            rule.rule.clone(),
            rule.action.clone(),
            grouped(rule.requests),
            breach,
            unknown,
            rest,
        ]);
    }
    rows
}

fn host_rows(figures: &Figures) -> Vec<Vec<String>> {
    let mut rows = vec![["host", "time", "share", "arrivals"].map(str::to_owned).to_vec()];
    for host in &figures.time.hosts {
        let name = if host.base { format!("{} (base)", host.host) } else { host.host.clone() };
        rows.push(vec![name, rough(host.lasted), percent(host.share), grouped(host.arrivals)]);
    }
    rows
}

fn cost_lines(out: &mut String, cost: &Cost) -> fmt::Result {
    let Cost { c_a, c_b, c_sb, c_tb, c_t, .. } = *cost;
    writeln!(
        out,
        "{:9} {} in all (C_t): {} in the ring (C_a), {} at the base (C_tb)",
        "cost",
        money(c_t),
        money(c_a),
        money(c_tb)
    )?;
    if c_sb > 0.0 {
        writeln!(
            out,
            "{:9} at the base: {} as scheduled (C_sb), {} by the load (C_b)",
            "",
            money(c_sb),
            money(c_b)
        )?;
    }
    match cost.base_is_cheaper {
        Some(true) => writeln!(out, "{:9} equation 3.1 holds: the base is cheaper than a host", "")?,
        Some(false) => {
            writeln!(out, "{:9} equation 3.1 does not hold: the base is not cheaper than a host", "")?
        }
        None => {}
    }
    if !cost.unpriced.is_zero() {
        writeln!(out, "{:9} not in it: {} where no price is known", "", rough(cost.unpriced))?;
    }
    Ok(())
}

fn several(out: &mut String, report: &Report, tried: &Tried, all: bool) -> fmt::Result {
    let Tried { guests, totals, .. } = tried;
    writeln!(out, "{:9} {}", "policy", tried.policy)?;
    many_guests(out, report, guests)?;
    writeln!(out)?;
    if all || guests.len() <= GUESTS_MAX {
        guest_rows(out, &guests.iter().collect::<Vec<_>>())?;
    } else {
        let header = ["each guest", "min", "median", "p95", "max"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        for spread in &tried.spread {
            let numbers = [spread.min, spread.median, spread.p95, spread.max];
            rows.push(
                [spread.figure.label().to_owned()]
                    .into_iter()
                    .chain(numbers.map(|number| spread.figure.shown(number)))
                    .collect(),
            );
        }
        table(out, &rows, 1)?;
        writeln!(out, "\n  the worst {WORST}, by time in breach and requests (--all shows every guest)\n")?;
        let worst = spread::worst(guests, WORST, |guest| {
            [Figure::Breach, Figure::Requests].map(|figure| figure.of(&guest.figures).unwrap_or(0.0))
        });
        guest_rows(out, &worst)?;
    }
    writeln!(out)?;
    let lasts = rough(totals.figures.lasts);
    writeln!(out, "{:9} {} guests, {lasts} in all", "totals", grouped(totals.guests as u64))?;
    body(out, tried, &totals.figures, &totals.rules)?;
    writeln!(out, "\n{:9} {}", "from", tried.provenance)
}

fn guest_rows(out: &mut String, guests: &[&Guest]) -> fmt::Result {
    let figures = Figure::ALL
        .iter()
        .filter(|figure| **figure != Figure::Cost || guests.iter().any(|guest| guest.figures.cost.is_some()));
    let figures: Vec<_> = figures.collect();
    let header = figures.iter().map(|figure| figure.heading().to_owned());
    let mut rows = vec![["guest", "lasts"].map(str::to_owned).into_iter().chain(header).collect::<Vec<_>>()];
    for guest in guests {
        let cells = figures.iter().map(|figure| {
            figure.of(&guest.figures).map_or_else(|| "-".to_owned(), |number| figure.shown(number))
        });
        let name = [shortened(&guest.guest), rough(guest.figures.lasts)];
        rows.push(name.into_iter().chain(cells).collect());
    }
    table(out, &rows, 1)
}

/// A remark, as it stands on standard error.
impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, example, detail, .. } = self;
        let of = match count {
            1 => format!("`{example}`"),
            more => format!("{more} guests (the first: `{example}`)"),
        };
        match self.kind {
            RemarkKind::RowsReadAgain => {
                write!(f, "{of}: {detail}, so each row is read more than once and counts as often")
            }
            RemarkKind::RowsNotRead => {
                write!(f, "{of}: {detail}, so the rows between two polls are not read")
            }
            RemarkKind::NotACounter => {
                write!(f, "{of}: {detail}; where the rows are not a counter, leave out `read`")
            }
            RemarkKind::LooksLikeACounter => {
                write!(f, "{of}: {detail}; where that is a counter, say `read: delta` or `read: rate`")
            }
            RemarkKind::MostlyUnknown | RemarkKind::MovesTakeTooLong => write!(f, "{of}: {detail}"),
            RemarkKind::NotFed => write!(
                f,
                "nothing feeds {}: unknown throughout",
                if *count == 1 { of } else { detail.clone() }
            ),
            RemarkKind::NoJobs => write!(
                f,
                "nothing comes out of {}: rules about jobs don't act",
                if *count == 1 { of } else { detail.clone() }
            ),
        }
    }
}
