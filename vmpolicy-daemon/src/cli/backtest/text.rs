//! The report for people.

use super::report::{Cost, Figures, Guest, Remark, RemarkKind, Report, Rule, share};
use std::fmt::{self, Write as _};
use vmpolicy_core::time::{Span, Wall};

/// Names of guests are cut to this in a table.
const NAME_MAX: usize = 36;

/// The whole report.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    let written = match report.guests.as_slice() {
        [one] => single(&mut out, report, one),
        guests => several(&mut out, report, guests),
    };
    // A string takes everything.
    debug_assert!(written.is_ok());
    out
}

fn single(out: &mut String, report: &Report, guest: &Guest) -> fmt::Result {
    let apart = guest.rows_apart.map(|apart| format!(", one every {apart}")).unwrap_or_default();
    let lasts = guest.figures.lasts;
    writeln!(out, "{:9} {}", "policy", report.policy)?;
    writeln!(out, "{:9} {}, {} rows{apart}", "trace", report.trace, grouped(guest.rows as u64))?;
    writeln!(
        out,
        "{:9} {}, {} to {} UTC ({})",
        "guest",
        guest.guest,
        day(guest.from),
        day(guest.to),
        rough(lasts)
    )?;
    body(out, report, &guest.figures, &guest.rules)
}

fn body(out: &mut String, report: &Report, figures: &Figures, rules: &[Rule]) -> fmt::Result {
    polls(out, report, figures)?;
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

fn polls(out: &mut String, report: &Report, figures: &Figures) -> fmt::Result {
    let polls = &figures.polls;
    write!(out, "{:9} {} of {} every {}", "polls", grouped(polls.count), report.indicator, report.every)?;
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

fn rule_rows(figures: &Figures, rules: &[Rule]) -> Vec<Vec<String>> {
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

fn several(out: &mut String, report: &Report, guests: &[Guest]) -> fmt::Result {
    let rows: usize = guests.iter().map(|guest| guest.rows).sum();
    writeln!(out, "{:9} {}", "policy", report.policy)?;
    writeln!(
        out,
        "{:9} {}, {} rows of {} series",
        "trace",
        report.trace,
        grouped(rows as u64),
        guests.len()
    )?;
    writeln!(out)?;
    let has_cost = guests.iter().any(|guest| guest.figures.cost.is_some());
    let mut header = ["guest", "lasts", "requests", "mean/h", "most/h", "breach", "base", "unknown"]
        .map(str::to_owned)
        .to_vec();
    if has_cost {
        header.push("cost".to_owned());
    }
    let mut table_rows = vec![header];
    let row = |name: String, figures: &Figures| {
        let mut row = vec![
            name,
            rough(figures.lasts),
            grouped(figures.requests.count),
            figures.requests.mean_per_hour.map_or_else(|| "-".to_owned(), figure),
            grouped(figures.requests.most_per_hour),
            percent(figures.time.breach_share),
            percent(figures.time.at_base_share),
            percent(figures.time.unknown_share),
        ];
        if has_cost {
            row.push(figures.cost.map_or_else(|| "-".to_owned(), |cost| money(cost.c_t)));
        }
        row
    };
    table_rows.extend(guests.iter().map(|guest| row(shortened(&guest.guest), &guest.figures)));
    table(out, &table_rows, 1)?;
    writeln!(out)?;
    let totals = &report.totals;
    writeln!(out, "{:9} {} guests, {} in all", "totals", totals.guests, rough(totals.figures.lasts))?;
    body(out, report, &totals.figures, &totals.rules)
}

/// Columns, the first `left` of them and the last, where it holds words, flush left.
fn table(out: &mut String, rows: &[Vec<String>], left: usize) -> fmt::Result {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let words = |column: usize| {
        rows.iter().skip(1).all(|row| !row[column].starts_with(|c: char| c.is_ascii_digit() || c == '-'))
    };
    let last_is_words =
        rows.len() > 1 && (words(columns - 1) || rows[0].last().is_some_and(|name| name == "else"));
    let empty = |column: usize| rows.iter().skip(1).all(|row| row[column].is_empty());
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            if empty(column) {
                continue;
            }
            let pad = widths[column].saturating_sub(cell.chars().count());
            let flush_left = column < left || (column + 1 == columns && last_is_words);
            let (before, after) = if flush_left { (0, pad) } else { (pad, 0) };
            write!(line, "  {:before$}{cell}{:after$}", "", "")?;
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
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
            RemarkKind::MostlyUnknown => write!(f, "{of}: {detail}"),
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

/// `2009-05-06 12:44:20`.
fn day(at: Wall) -> String {
    at.to_string().replace('T', " ").trim_end_matches('Z').to_owned()
}

/// A span in two units at most.
fn rough(span: Span) -> String {
    let millis = span.millis();
    let unit = match millis {
        0..60_000 => 1,
        60_000..3_600_000 => 1_000,
        3_600_000..86_400_000 => 60_000,
        _ => 3_600_000,
    };
    Span::from_millis(millis.saturating_add(unit / 2) / unit * unit).to_string()
}

/// `12,345`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn percent(share: Option<f64>) -> String {
    match share.map(|share| share * 100.0) {
        None => "-".to_owned(),
        Some(0.0) => "0%".to_owned(),
        Some(tiny) if tiny < 0.05 => "<0.1%".to_owned(),
        Some(percent) => format!("{percent:.1}%"),
    }
}

/// Two figures behind the point, or what it takes to see anything.
fn figure(number: f64) -> String {
    if number == 0.0 || number >= 0.1 { format!("{number:.2}") } else { format!("{number:.4}") }
}

fn money(amount: f64) -> String {
    if amount == 0.0 || amount >= 1.0 { format!("{amount:.2}") } else { format!("{amount:.4}") }
}

/// A name that fits into a table: what is cut is its middle, as series differ in their ends.
fn shortened(name: &str) -> String {
    let clean: Vec<char> =
        name.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if clean.len() <= NAME_MAX {
        return clean.into_iter().collect();
    }
    let (head, tail) = (NAME_MAX / 3, NAME_MAX - NAME_MAX / 3 - 1);
    clean[..head].iter().chain(&['…']).chain(&clean[clean.len() - tail..]).collect()
}
